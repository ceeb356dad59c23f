//! For a terminal or a log: what changed, where, who is hurt, what to do.

use super::{Group, View, message, operation, place, verdict};
use crate::model::finding::Verdict;

/// Operations named per change.
const OPERATIONS_MAX: usize = 4;

/// Longest witness shown, characters.
const WITNESS_MAX: usize = 200;

/// Changes written in full per verdict; the rest is counted.
const CHANGES_MAX: usize = 200;

pub(super) fn render(view: &View<'_>, colour: bool) -> String {
    let mut text = String::new();
    text.push_str(&format!("{} → {}: {}\n", view.old.name, view.new.name, verdict(view)));
    let groups = view.groups();
    for (wanted, title, code) in [
        (Verdict::Breaking, "breaking", "31"),
        (Verdict::PotentiallyBreaking, "potentially breaking", "33"),
        (Verdict::Compatible, "compatible", "32"),
        (Verdict::Cosmetic, "cosmetic", "2"),
    ] {
        let mut own: Vec<&Group<'_>> =
            groups.iter().filter(|group| group.first().verdict == wanted).collect();
        if own.is_empty() {
            continue;
        }
        own.sort_by_key(|group| {
            (std::cmp::Reverse(group.first().severity), group.first().advice())
        });
        text.push_str(&format!("\n{}\n", paint(colour, &format!("1;{code}"), title)));
        let more = own.len().saturating_sub(CHANGES_MAX);
        own.truncate(CHANGES_MAX);
        for alike in own.chunk_by(|one, next| one.first().advice() == next.first().advice()) {
            for group in alike {
                write(view, group, (colour, code), &mut text);
            }
            let (hurt, remedy) = alike[0].first().advice();
            if wanted >= Verdict::PotentiallyBreaking {
                text.push_str(&format!("    who is hurt: {hurt}\n    what to do:  {remedy}\n"));
            }
        }
        if more > 0 {
            text.push_str(&format!("  and {more} more; `--format json` lists them all\n"));
        }
    }
    if view.report.truncated > 0 {
        text.push_str(&format!("\n{} more changes are not listed\n", view.report.truncated));
    }
    text
}

fn write(view: &View<'_>, group: &Group<'_>, (colour, code): (bool, &str), text: &mut String) {
    let change = group.first();
    let mark = if change.verdict >= Verdict::PotentiallyBreaking { "✗" } else { "•" };
    let operations = group.operations();
    let message = message(change);
    let at = if message.is_empty() { String::new() } else { format!(" ({message})") };
    text.push_str(&format!("  {} {}{at}\n", paint(colour, code, mark), change.text));
    let named = operations.iter().take(OPERATIONS_MAX).cloned().collect::<Vec<_>>().join(", ");
    let more = operations.len().saturating_sub(OPERATIONS_MAX);
    let more = if more > 0 { format!(" and {more} more operations") } else { String::new() };
    let where_from =
        if operations.is_empty() { operation(change) } else { format!("{named}{more}") };
    text.push_str(&format!("      in {where_from}\n"));
    let label = format!("{}  [{}]", place(view, change), change.label);
    text.push_str(&format!("      at {}\n", paint(colour, "2", &label)));
    if change.verdict < Verdict::PotentiallyBreaking {
        return;
    }
    if let Some(witness) = &change.witness {
        let shown: String = witness.to_string().chars().take(WITNESS_MAX).collect();
        let cut = if shown.len() < witness.to_string().len() { "…" } else { "" };
        text.push_str(&format!("      for example {shown}{cut}\n"));
    }
    if let Some(reason) = &change.reason {
        text.push_str(&format!("      because {reason}\n"));
    }
}

fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

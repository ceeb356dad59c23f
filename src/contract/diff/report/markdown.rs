//! For a comment on a change request: at most 60,000 characters, markup in names defused.

use super::{View, markup, message, operation, place, verdict};
use crate::model::finding::Verdict;

/// Longest report, characters: what the common hosts allow with room to spare.
const CHARACTERS_MAX: usize = 60_000;

pub(super) fn render(view: &View<'_>) -> String {
    let mut text = format!(
        "## {}\n\n`{}` → `{}`\n\n",
        verdict(view),
        plain(&view.old.name),
        plain(&view.new.name)
    );
    let groups = view.groups();
    let mut written = 0;
    if !groups.is_empty() {
        text.push_str("| verdict | change | where |\n|---|---|---|\n");
    }
    let mut length = text.chars().count();
    for group in &groups {
        let change = group.first();
        let count = group.operations().len();
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        let bold = if change.verdict == Verdict::Breaking { "**" } else { "" };
        let row = format!(
            "| {bold}{}{bold} | {} | {} {}{more}<br>{} |\n",
            change.verdict.as_str(),
            escaped(&change.text),
            escaped(&operation(change)),
            escaped(&message(change)),
            escaped(&place(view, change)),
        );
        length += row.chars().count();
        if length > CHARACTERS_MAX - 200 {
            break;
        }
        text.push_str(&row);
        written += 1;
    }
    let left = groups.len() - written + view.report.truncated;
    if left > 0 {
        text.push_str(&format!("\n{left} more changes are not listed here.\n"));
    }
    text
}

/// Text that cannot end a cell, begin markup or call somebody by name. A back-tick begins code only in pairs; one alone is
/// harmless in a cell.
fn escaped(text: &str) -> String {
    markup::escaped(text, |letter, out| match letter {
        '@' => out.push_str("&#64;"),
        '|' | '*' | '_' | '[' | ']' | '~' | '\\' | '#' | '!' => {
            out.push('\\');
            out.push(letter);
        }
        letter if letter.is_control() => out.push(' '),
        letter => out.push(letter),
    })
}

/// A name between back-ticks, where nothing else is markup.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '`' | '<' | '>') && !letter.is_control())
        .collect()
}

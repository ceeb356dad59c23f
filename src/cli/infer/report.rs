//! The report of `infer`: how much was read and learned, what was left out and why, and what to do about it.

use serde_json::{Value, json};

use super::feed::Learned;
use crate::infer;

/// Hosts that are named.
const HOSTS_SHOWN: usize = 5;

/// Figures and sentences of one run.
pub(super) struct Report {
    read: u64,
    learned: u64,
    operations: usize,
    unproven: usize,
    /// Most frequent first.
    left_out: Vec<(String, u64)>,
    bad_records: u64,
    /// `FILE:LINE:COLUMN reason`.
    bad: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(learned: &Learned, projected: &infer::Report) -> Self {
        let mut left_out: Vec<(String, u64)> = learned
            .left_out
            .iter()
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .chain(projected.left_out.iter().map(|(reason, count)| ((*reason).to_owned(), *count)))
            .collect();
        left_out.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        let bad = learned
            .bad
            .iter()
            .map(|bad| {
                let file = learned.files.get(bad.file).map(|path| path.display().to_string());
                let (line, column) = (bad.position.line, bad.position.column);
                format!("{}:{line}:{column} {}", file.unwrap_or_default(), bad.reason)
            })
            .collect();
        let mut notes = learned.notes.clone();
        notes.extend(hosts(learned));
        notes.extend(remedy(learned, projected));
        Self {
            read: learned.read,
            learned: projected.learned,
            operations: projected.operations,
            unproven: projected.unproven,
            left_out,
            bad_records: learned.bad_records,
            bad,
            notes,
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} exchanges read, {} learned; {} operations, {} more seen too rarely",
            self.read, self.learned, self.operations, self.unproven
        )];
        if !self.left_out.is_empty() {
            let parts: Vec<String> =
                self.left_out.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            lines.push(format!("left out: {}", parts.join(", ")));
        }
        if self.bad_records > 0 {
            lines.push(format!("{} bad records, the first ones:", self.bad_records));
            lines.extend(self.bad.iter().map(|bad| format!("  {bad}")));
        }
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let left_out: serde_json::Map<String, Value> =
            self.left_out.iter().map(|(reason, count)| (reason.clone(), (*count).into())).collect();
        json!({
            "read": self.read,
            "learned": self.learned,
            "operations": self.operations,
            "unproven": self.unproven,
            "left_out": left_out,
            "bad_records": self.bad_records,
            "bad": self.bad,
            "notes": self.notes,
        })
    }
}

/// Which host was taken, when there was a choice.
fn hosts(learned: &Learned) -> Option<String> {
    let chosen = learned.chosen.as_ref().filter(|_| !learned.other_hosts.is_empty())?;
    let others: Vec<String> = learned
        .other_hosts
        .iter()
        .take(HOSTS_SHOWN)
        .map(|(origin, count)| format!("{origin} ({count})"))
        .collect();
    Some(format!(
        "learned from {chosen}, which answered most like an API; left out: {}; choose with `--base-url`",
        others.join(", ")
    ))
}

/// One sentence when most of the input taught nothing.
fn remedy(learned: &Learned, projected: &infer::Report) -> Option<String> {
    let other = learned.left_out.get("other host or path").copied().unwrap_or(0);
    if other * 2 > learned.read {
        let wanted = learned.bases.join(", ");
        let (host, count) = learned.other_hosts.first()?;
        return Some(format!(
            "{count} of {} exchanges are for {host}, --base-url is {wanted}",
            learned.read
        ));
    }
    if projected.operations > 0 {
        return None;
    }
    if projected.unproven > 0 {
        return Some(format!(
            "{} operations were seen too rarely; record more traffic, or give `--min-samples 1`",
            projected.unproven
        ));
    }
    let (reason, count) = projected.left_out.iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > learned.read).then(|| {
        format!(
            "{count} of {} exchanges were left out as {reason}; record the API itself",
            learned.read
        )
    })
}

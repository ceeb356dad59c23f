//! The report of `infer`: how much was read and learned, what was left out and why, and what to do about it.

use std::collections::BTreeMap;

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
    /// Limits at which something was forgotten.
    limits: Vec<(&'static str, u64)>,
    pins_without_effect: Vec<String>,
    pins_against: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn new(
        learned: &Learned,
        projected: &infer::Report,
        limits: Vec<(&'static str, u64)>,
    ) -> Self {
        let left_out = left_out(learned, projected);
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
            limits,
            pins_without_effect: projected.pins_without_effect.clone(),
            pins_against: projected.pins_against.clone(),
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
        if !self.limits.is_empty() {
            let hit: Vec<String> =
                self.limits.iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!("limits hit: {}", hit.join(", ")));
        }
        let idle = self.pins_without_effect.iter();
        lines.extend(idle.map(|pin| format!("warning: the pin {pin} has no effect")));
        let against = self.pins_against.iter();
        lines.extend(against.map(|pin| format!("warning: {pin}; the pin holds")));
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
            "limits_hit": self.limits.iter().copied().collect::<BTreeMap<_, _>>(),
            "pins_without_effect": self.pins_without_effect,
            "pins_against": self.pins_against,
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

/// One sentence when most of the input taught nothing, or what it taught is not enough.
fn remedy(learned: &Learned, projected: &infer::Report) -> Option<String> {
    let read = learned.read;
    let left_out = left_out(learned, projected);
    if let Some((reason, count)) = left_out.first().filter(|(_, count)| count * 2 > read) {
        return Some(match (reason.as_str(), learned.other_hosts.first()) {
            ("other host or path", Some((host, of_host))) if !host_is_wanted(learned, host) => {
                format!(
                    "{of_host} of {read} exchanges are for {host}, --base-url is {}",
                    learned.bases.join(", ")
                )
            }
            ("other host or path", _) => format!(
                "{count} of {read} exchanges are not below --base-url {}; give the path that they share",
                learned.bases.join(", ")
            ),
            _ => {
                format!("{count} of {read} exchanges were left out as {reason}; {}", advice(reason))
            }
        });
    }
    if learned.bad_records * 2 > read {
        let of = "of the records are bad, the first ones are shown";
        return Some(format!(
            "{} {of}; is this HAR 1.2 or one exchange a line?",
            learned.bad_records
        ));
    }
    (projected.operations == 0 && projected.unproven > 0).then(|| {
        format!(
            "{} operations were seen too rarely; record more traffic, or give `--min-samples 1`",
            projected.unproven
        )
    })
}

/// All reasons with their counts, the most frequent one first.
fn left_out(learned: &Learned, projected: &infer::Report) -> Vec<(String, u64)> {
    let own = learned.left_out.iter().map(|(reason, count)| ((*reason).to_owned(), *count));
    let of_evidence =
        projected.left_out.iter().map(|(reason, count)| ((*reason).to_owned(), *count));
    let mut all: Vec<(String, u64)> = own.chain(of_evidence).collect();
    all.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    all
}

/// Whether a host is one that was asked for, so that the path must be what differs.
fn host_is_wanted(learned: &Learned, host: &str) -> bool {
    learned.bases.iter().any(|base| {
        base.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What to do about most exchanges being left out for one reason.
fn advice(reason: &str) -> &'static str {
    match reason {
        "other host" => "choose the API with `--base-url`",
        "no answer" => "record until the answers are there",
        "asset" | "page" | "scanner" => "record the API itself, not the pages before it",
        "grpc" | "graphql" | "json-rpc" | "soap" | "websocket" => {
            "only HTTP APIs of resources have an OpenAPI specification"
        }
        "own-test" => "record what clients do, not driftgate's own tests",
        "record over 64 MiB" => "record without large bodies",
        _ => "record the API itself",
    }
}

//! Texts that a schema of strings may accept: lengths, formats, patterns.
//!
//! Owns making candidates; whether one is accepted is always asked of the validator.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

use super::book::Part;

/// Longest text made, characters.
const TEXT_MAX: u64 = 4_096;

const FORMATS: &[(&str, &str)] = &[
    ("date", "2024-05-01"),
    ("date-time", "2024-05-01T10:20:30Z"),
    ("time", "10:20:30Z"),
    ("uuid", "0190f5c0-0000-7000-8000-000000000000"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/a"),
    ("email", "a@example.com"),
];

/// Texts of all kinds that the parts speak of.
pub(super) fn pool(parts: &[Part<'_>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in parts {
        let format = part.get("format").and_then(Value::as_str);
        found.extend(
            FORMATS
                .iter()
                .filter(|(name, _)| Some(*name) == format)
                .map(|(_, text)| (*text).into()),
        );
        if let Some(pattern) = part.get("pattern").and_then(Value::as_str) {
            found.extend([0, 1, 3].iter().filter_map(|more| matching(pattern, *more)));
        }
    }
    let mut lengths: Vec<u64> = vec![1, 0, 8];
    for part in parts {
        for keyword in ["minLength", "maxLength"] {
            if let Some(length) = part.get(keyword).and_then(Value::as_u64) {
                lengths.extend([length, length.saturating_sub(1), length.saturating_add(1)]);
            }
        }
    }
    lengths.retain(|length| *length <= TEXT_MAX);
    lengths.dedup();
    let seeds = found.clone();
    for length in lengths {
        let length = usize::try_from(length).unwrap_or(0);
        found.extend(["a", "0", "A"].iter().map(|letter| letter.repeat(length)));
        for seed in &seeds {
            let count = seed.chars().count();
            if count < length {
                found.push(format!("{seed}{}", "a".repeat(length - count)));
                found.push(format!("{seed}{}", "0".repeat(length - count)));
            }
        }
    }
    found.extend(["not-a-format", "0.5", "true", "https://example.com/b"].map(str::to_owned));
    found.extend(FORMATS.iter().map(|(_, text)| (*text).to_owned()));
    found
}

/// A short text that matches a pattern; repetitions are taken `more` times beyond their least.
pub(super) fn matching(pattern: &str, more: u32) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, more, &mut text);
    Some(text)
}

fn write(hir: &Hir, more: u32, text: &mut String) {
    if text.len() as u64 > TEXT_MAX {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let wanted = class
                .ranges()
                .iter()
                .find(|range| range.start().is_ascii_lowercase() || range.start().is_ascii_digit());
            text.extend(
                wanted
                    .or(class.ranges().first())
                    .map(|range| preferred(range.start(), range.end())),
            );
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.extend(class.ranges().first().map(|range| char::from(range.start())));
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let times = repetition.min.saturating_add(more).min(most).min(256);
            for _ in 0..times {
                write(&repetition.sub, more.min(1), text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, more, text),
        HirKind::Concat(list) => list.iter().for_each(|part| write(part, more, text)),
        HirKind::Alternation(list) => {
            let index = usize::try_from(more).unwrap_or(0).min(list.len().saturating_sub(1));
            if let Some(part) = list.get(index) {
                write(part, more, text);
            }
        }
    }
}

/// A character of a range that a person can read, if there is one.
fn preferred(start: char, end: char) -> char {
    ['a', 'A', '0'].into_iter().find(|letter| (start..=end).contains(letter)).unwrap_or(start)
}

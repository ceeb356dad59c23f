//! The canonical YAML writer (11.5): equal values give equal bytes, and what it writes re-reads as the same value.
//!
//! Owns block style with two spaces and the decision which texts must be quoted: all that YAML 1.1 or 1.2 could read as
//! something else than a text. Refuses to own order: members are written as they come.

use std::fmt::Write as _;

use serde_json::Value;

/// Writes a document, ended by a line feed.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => write_members(&mut out, members, 0),
        Value::Array(items) if !items.is_empty() => write_items(&mut out, items, 0),
        scalar => {
            write_scalar(&mut out, scalar);
            out.push('\n');
        }
    }
    out
}

fn write_members(out: &mut String, members: &serde_json::Map<String, Value>, depth: usize) {
    for (index, (name, member)) in members.iter().enumerate() {
        // The first member of a map inside a list stands behind the dash.
        if index > 0 || !out.ends_with("- ") {
            indent(out, depth);
        }
        write_text(out, name);
        out.push(':');
        match member {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                write_members(out, inner, depth + 1);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                write_items(out, items, depth + 1);
            }
            scalar => {
                out.push(' ');
                write_scalar(out, scalar);
                out.push('\n');
            }
        }
    }
}

fn write_items(out: &mut String, items: &[Value], depth: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !out.ends_with("- ") {
            indent(out, depth);
        }
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => write_members(out, members, depth + 1),
            Value::Array(inner) if !inner.is_empty() => write_items(out, inner, depth + 1),
            scalar => {
                write_scalar(out, scalar);
                out.push('\n');
            }
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn write_scalar(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_text(out, text),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        // Writing to a text cannot fail.
        scalar => drop(write!(out, "{scalar}")),
    }
}

fn write_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.chars().any(needs_escape) {
        write_double_quoted(out, text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// What single quotes cannot carry: controls, line ends, the byte order mark, and what is not printable in YAML.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(character, '\u{fffe}' | '\u{ffff}')
}

fn write_double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            special if needs_escape(special) => drop(write!(out, "\\u{:04x}", special as u32)),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// Whether a text may stand unquoted: it reads as a text in every YAML, and holds nothing with a meaning.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let starts_well = first.is_ascii_alphabetic() || first == '_' || first == '/' || first == '$';
    let holds_well = text.chars().all(|character| {
        character.is_ascii_alphanumeric() || " _-./$:{}[](),;@+=<>*?|'\"!%~^".contains(character)
    });
    starts_well
        && holds_well
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains("  ")
        && !reads_as_other(text)
}

/// Words and numbers that some YAML reads as a boolean, null or number although they begin with a letter.
fn reads_as_other(text: &str) -> bool {
    const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let lower = text.to_ascii_lowercase();
    WORDS.contains(&lower.as_str())
}

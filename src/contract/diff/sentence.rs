//! Changes in words: what changed, who is hurt, what to do.

use serde_json::Value;

use super::change::{Change, Fragment};
use super::judge::Judged;
use crate::model::finding::{Direction, Verdict};

/// Longest value shown, characters.
const VALUE_MAX: usize = 80;

/// First words of labels, and how they are said.
const SITES: &[(&str, &str)] = &[
    ("request-parameter-property-", "request parameter property"),
    ("request-parameter-", "request parameter"),
    ("request-property-", "request property"),
    ("request-body-", "request body"),
    ("response-property-", "response property"),
    ("response-body-", "response body"),
    ("response-header-", "response header"),
];

/// What changed inside a message. `name` is that of the parameter or header.
pub(super) fn inside(judged: &Judged, name: &str) -> String {
    let place = if judged.path.is_empty() { name } else { &judged.path };
    let quoted = if place.is_empty() { String::new() } else { format!(" `{place}`") };
    let site = SITES.iter().find(|(prefix, _)| judged.label.starts_with(prefix));
    let said = match site {
        Some((prefix, words)) => {
            let stem = judged.label.strip_prefix(prefix).unwrap_or(&judged.label);
            format!("{words}{quoted}: {}", stem.replace('-', " "))
        }
        None => format!("{}{quoted}", judged.label.replace('-', " ")),
    };
    let is_whole = ["narrowed", "widened", "undecided", "refactored"]
        .iter()
        .any(|end| judged.label.ends_with(end));
    let silent =
        is_whole || matches!(judged.keyword.as_str(), "required" | "readOnly" | "writeOnly" | "");
    match values(judged) {
        Some(values) if !silent => format!("{said}: {values}"),
        _ => said,
    }
}

fn values(judged: &Judged) -> Option<String> {
    let (old, new) = (&judged.old, &judged.new);
    if judged.label.ends_with("-added") {
        return new.as_ref().map(|new| brief(&keyword_value(judged, new)));
    }
    if judged.label.ends_with("-removed") {
        return old.as_ref().map(|old| brief(&keyword_value(judged, old)));
    }
    let one = |side: &Option<Fragment>| {
        side.as_ref().map_or_else(|| "none".to_owned(), |side| brief(&keyword_value(judged, side)))
    };
    if old.is_none() && new.is_none() {
        None
    } else {
        Some(format!("{} → {}", one(old), one(new)))
    }
}

/// What a fragment says about the keyword: itself, or its member where a whole schema is shown.
fn keyword_value(judged: &Judged, fragment: &Fragment) -> Value {
    let Some(members) = fragment.value.as_object() else { return fragment.value.clone() };
    let told = [judged.keyword.as_str(), "type", "$ref"].iter().find_map(|name| members.get(*name));
    let is_schema = ["type", "properties", "items", "oneOf", "anyOf", "oneOf", "properties"]
        .contains(&judged.keyword.as_str());
    match told {
        Some(told) => told.clone(),
        None if is_schema && members.contains_key("properties") => Value::from("object"),
        None if is_schema => Value::from("any"),
        None => fragment.value.clone(),
    }
}

/// A value short enough for a line.
fn brief(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.strip_prefix("#/$defs/").unwrap_or(text).to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(brief).collect();
            items.join(", ")
        }
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_MAX {
        return text;
    }
    let cut: String = text.chars().take(VALUE_MAX).collect();
    format!("{cut}…")
}

/// Who is hurt, and what to do.
pub(super) fn advice(change: &Change) -> (&'static str, &'static str) {
    match (change.verdict, change.direction) {
        (Verdict::Breaking, Direction::Request) => (
            "clients that send what the old document allows are refused",
            "keep accepting the old requests, or publish a new version and tell the clients first",
        ),
        (Verdict::Breaking, Direction::Response) => (
            "clients that read what the old document promises meet something else",
            "keep answering as before, or add the new form beside the old one under a new name",
        ),
        (Verdict::Breaking, Direction::Structure) if change.label.contains("security") => (
            "callers with the old credentials are turned away",
            "keep the old alternative until every caller has the new one",
        ),
        (Verdict::Breaking, Direction::Structure) => (
            "callers that use it get an error",
            "bring it back, deprecate it with a sunset date, and remove it when nobody calls it",
        ),
        (Verdict::PotentiallyBreaking, _) => (
            "perhaps some clients: documents alone do not decide it",
            "look at real traffic, or ask the clients; a policy can settle it",
        ),
        (Verdict::Compatible, _) => ("nobody", "nothing to do"),
        (Verdict::Cosmetic, _) => ("nobody: both documents mean the same", "nothing to do"),
    }
}

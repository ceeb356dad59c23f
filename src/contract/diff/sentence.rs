//! Changes in words: what changed, who is hurt, what to do.

use serde_json::Value;

use super::change::{Change, Fragment};
use super::judge::Judged;
use super::labels;
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

/// Labels that say it badly in their own words.
const SAID: &[(&str, &str)] = &[
    ("new-optional-request-property", "new optional request property"),
    ("new-required-request-property", "new required request property"),
    ("new-required-request-property-with-default", "new required request property with a default"),
    ("response-optional-property-added", "new optional response property"),
    ("response-required-property-added", "new required response property"),
    ("request-property-removed", "request property is gone:"),
    ("response-optional-property-removed", "optional response property is gone:"),
    ("response-required-property-removed", "required response property is gone:"),
];

/// Ends of labels about which the value before, or that afterwards, says nothing.
const ONE_SIDED: &[(&str, bool)] = &[
    ("-set", true),
    ("-added", true),
    ("-became-enum", true),
    ("-property-with-default", true),
    ("-request-property", true),
    ("-unset", false),
    ("-removed", false),
    ("-no-longer-enum", false),
];

/// Ends of labels that say all there is to say.
const SILENT: &[&str] = &[
    "narrowed",
    "widened",
    "undecided",
    "refactored",
    "became-nullable",
    "became-not-nullable",
    "became-required",
    "became-optional",
    "became-required-with-default",
    "-only",
    "-closed",
    "-opened",
    "unique-items-set",
    "unique-items-unset",
    "-deprecated",
    "-reactivated",
];

/// What changed inside a message. `name` is that of the parameter or header.
pub(super) fn inside(judged: &Judged, name: &str) -> String {
    let place = if judged.path.is_empty() { name } else { &judged.path };
    let quoted = if place.is_empty() { String::new() } else { format!(" `{place}`") };
    let label = judged.label.as_str();
    let site = SITES.iter().find_map(|(prefix, words)| Some((label.strip_prefix(prefix)?, words)));
    let said = match (SAID.iter().find(|(known, _)| *known == label), site) {
        (Some((_, words)), _) => match words.split_once(" is gone") {
            Some((what, _)) => format!("{what}{quoted} is gone"),
            None => format!("{words}{quoted}"),
        },
        (None, Some((stem, words))) => format!("{words}{quoted}: {}", labels::phrase(stem)),
        (None, None) => format!("{}{quoted}", labels::phrase(label)),
    };
    match values(judged).filter(|_| !SILENT.iter().any(|end| label.ends_with(end))) {
        Some(values) => format!("{said}: {values}"),
        None => said,
    }
}

fn values(judged: &Judged) -> Option<String> {
    let shown = |side: &Option<Fragment>| side.as_ref().map(|side| told(judged, &side.value));
    let (old, new) = (shown(&judged.old), shown(&judged.new));
    match ONE_SIDED.iter().find(|(end, _)| judged.label.ends_with(end)) {
        Some((_, true)) => new,
        Some((_, false)) => old,
        None if old.is_none() && new.is_none() => None,
        None => {
            let or_none = |side: Option<String>| side.unwrap_or_else(|| "none".to_owned());
            Some(format!("{} → {}", or_none(old), or_none(new)))
        }
    }
}

/// What a fragment says about the keyword that changed.
fn told(judged: &Judged, value: &Value) -> String {
    const DATA: &[&str] = &["enum", "const", "dependentRequired", "pattern", "format"];
    const UNIONS: &[&str] = &["oneOf", "anyOf", "allOf", "prefixItems"];
    let keyword = judged.keyword.as_str();
    let text = match value {
        Value::Array(branches) if UNIONS.contains(&keyword) => {
            branches.iter().map(schema).collect::<Vec<_>>().join(", ")
        }
        // A changed default is told with its quotes: the text `0` is not the number.
        value if keyword == "default" => value.to_string(),
        value @ (Value::Object(_) | Value::Bool(_)) if !DATA.contains(&keyword) => schema(value),
        value => plain(value),
    };
    if text.chars().count() <= VALUE_MAX {
        return text;
    }
    let cut: String = text.chars().take(VALUE_MAX).collect();
    format!("{cut}…")
}

/// A schema in a word or two: its name, or its types.
fn schema(value: &Value) -> String {
    let list = |keyword: &str| value.get(keyword).and_then(Value::as_array);
    let words = |branches: &Vec<Value>, between: &str| {
        branches.iter().map(schema).collect::<Vec<_>>().join(between)
    };
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        return reference.strip_prefix("#/$defs/").unwrap_or(reference).to_owned();
    }
    match value.get("type") {
        Some(Value::String(kind)) if kind == "array" => match value.get("items") {
            Some(items) => format!("array of {}", schema(items)),
            None => "array".to_owned(),
        },
        Some(kinds) => plain(kinds),
        None => match (value, list("allOf"), list("oneOf").or(list("anyOf"))) {
            (Value::Bool(false), ..) => "nothing".to_owned(),
            (_, Some(parts), _) => words(parts, " and "),
            (_, _, Some(branches)) => words(branches, " or "),
            _ if value.get("properties").is_some() => "object".to_owned(),
            _ => value.get("enum").map_or_else(|| "anything".to_owned(), plain),
        },
    }
}

/// Data as it is written, texts without their quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
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

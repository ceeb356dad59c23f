//! How kinds of values are called when we speak to a person.

use serde_json::Value;

/// `a`, `b` or `c`, each in backticks; long lists are cut.
pub(super) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 40;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.dedup();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// What a value is.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// What the branches take.
pub(super) fn wanted(branches: &[&Value]) -> String {
    let mut names: Vec<String> = Vec::new();
    for branch in branches {
        let kinds: Vec<&str> = match branch.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for kind in kinds {
            let name = match (kind, branch.pointer("/examples/0").and_then(Value::as_str)) {
                ("string", Some(example)) => format!("a text like `{example}`"),
                ("string", None) => "a text".to_owned(),
                ("boolean", _) => "`true` or `false`".to_owned(),
                ("integer", _) => "a whole number".to_owned(),
                ("number", _) => "a number".to_owned(),
                ("array", _) => "a list".to_owned(),
                ("object", _) => "a mapping".to_owned(),
                _ => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.join(" or ")
}

/// What to do about a value of the wrong kind, where that is known.
pub(super) fn type_remedy(branches: &[&Value], value: &Value) -> Option<String> {
    let takes = |kind: &str| {
        branches.iter().any(|branch| match branch.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
            Some(known) => known == kind,
            None => false,
        })
    };
    let example = branches.iter().find_map(|branch| branch.pointer("/examples/0")?.as_str());
    match value {
        Value::Number(number) if example.is_some() => {
            Some(format!("give the unit: `{number}` what? Write it like `{}`", example?))
        }
        Value::Number(_) | Value::Bool(_) if takes("string") => {
            Some(format!("put it into quotes: `\"{value}\"`"))
        }
        Value::String(text) if takes("boolean") && is_old_truth(text) => {
            Some("YAML 1.2 knows only `true` and `false`".to_owned())
        }
        Value::String(_) if takes("integer") || takes("number") => {
            Some("write the number without quotes and unit".to_owned())
        }
        Value::Null => Some("give a value or remove the key".to_owned()),
        _ if takes("array") => Some("write a list: `[one, two]`".to_owned()),
        _ => None,
    }
}

fn is_old_truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "y" | "n")
}

/// The first sentence of a description, without its full stop.
pub(super) fn first_sentence(text: &str) -> &str {
    text.split(". ").next().unwrap_or(text).trim_end_matches('.')
}

/// Whether a declared key holds a path of the file system.
pub(super) fn names_a_path(key: &str) -> bool {
    key == "file" || key == "data_dir" || key.ends_with("_file")
}

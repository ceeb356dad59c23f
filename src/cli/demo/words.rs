//! Values as the story shows them.

use serde_json::Value;

/// Lines of an excerpt, at most.
const LINES_MAX: usize = 14;

/// Method, template and count of each operation, aligned.
pub(super) fn operations(known: &Value) -> Vec<String> {
    let items = known["items"].as_array().into_iter().flatten();
    items
        .map(|operation| {
            let text = |name: &str| operation[name].as_str().unwrap_or_default();
            let statuses: Vec<&str> = operation["statuses"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            format!(
                "  {:<6} {:<26} {:>5} exchanges, {}",
                text("method"),
                text("template"),
                operation["n"],
                statuses.join(" "),
            )
        })
        .collect()
}

/// The properties of an operation's answer, with the evidence for each.
pub(super) fn excerpt(document: &Value, template: &str) -> Vec<String> {
    let response = &document["paths"][template]["get"]["responses"]["200"];
    let content = response["content"].as_object().and_then(|content| content.values().next());
    let schema = content.map_or(&Value::Null, |content| &content["schema"]);
    let schema = schema["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(schema);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .take(LINES_MAX)
        .map(|(name, property)| {
            let evidence = &property["x-driftgate-evidence"];
            let counted = match (evidence["k"].as_u64(), evidence["n"].as_u64()) {
                (Some(k), Some(n)) => format!("{k} of {n}"),
                _ => String::new(),
            };
            let need = if required.contains(&name.as_str()) { "required" } else { "optional" };
            format!("{name:<12} {counted:<12} {need:<9} {}", shape(property))
        })
        .collect()
}

/// A schema or a shape in a few words.
pub(super) fn shape(schema: &Value) -> String {
    let Some(members) = schema.as_object() else {
        return schema.as_str().map_or_else(|| schema.to_string(), str::to_owned);
    };
    let mut words = Vec::new();
    match &schema["type"] {
        Value::String(kind) => words.push(kind.clone()),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            words.push(kinds.join(" or "));
        }
        _ => {}
    }
    if let Some(format) = schema["format"].as_str() {
        words.push(format!("({format})"));
    }
    if schema["nullable"] == true {
        words.push("or null".to_owned());
    }
    if let Some(members) = schema["enum"].as_array() {
        let members: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
        words.push(format!("one of {}", members.join(", ")));
    }
    if words.is_empty() {
        return Value::Object(members.clone()).to_string();
    }
    words.join(" ")
}

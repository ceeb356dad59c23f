//! The components that something refers to.
//!
//! Owns what is left out of a finished document because nothing in it leads there. Refuses to own which records are components
//! (`pools`): a record may stand in two places of which a view states one.

use std::collections::BTreeSet;

use serde_json::Value;

const SCHEMAS: &str = "#/components/schemas/";

/// Takes schemas out that no path leads to.
pub(super) fn keep(document: &mut Value) {
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut open = Vec::new();
    names(&document["paths"], &mut open);
    while let Some(name) = open.pop() {
        if used.insert(name.clone())
            && let Some(schema) = document["components"]["schemas"].get(&name)
        {
            names(schema, &mut open);
        }
    }
    let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
        schemas.retain(|name, _| used.contains(name));
        if schemas.is_empty() {
            components.shift_remove("schemas");
        }
    }
    if components.is_empty()
        && let Some(document) = document.as_object_mut()
    {
        document.shift_remove("components");
    }
}

/// The schemas that a value names: references, and the values of a discriminator's mapping.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            found.extend(text.strip_prefix(SCHEMAS).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Object(members) => members.values().for_each(|item| names(item, found)),
        _ => {}
    }
}

//! The operations of a learned document, and what became of them since the document before (`spec/delivery.md` 3.1).
//!
//! Owns comparing two documents of the same API by operation. Refuses to own when a document is made (`revise`) and what is
//! written of the news (`effects`). A part of an operation is equal when it reads the same with every component that it
//! reaches, whatever the counts in it are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::hash::HashKey;
use crate::model::revision::RevisionId;

/// What a document says of its operations, by operation id: small enough to be kept from one document to the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory(BTreeMap<String, Operation>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Operation {
    method: String,
    template: String,
    /// Digest by pointer below the operation: `/parameters`, `/responses/200` and so on.
    parts: BTreeMap<String, u64>,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    /// The type of its event.
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) method: String,
    pub(super) template: String,
    /// Pointers below the operation to the parts that changed; empty unless it was updated.
    pub(super) changed: Vec<String>,
}

impl Inventory {
    /// Of a projected document with its extensions.
    pub(super) fn of(document: &Value) -> Self {
        let mut operations = BTreeMap::new();
        each_operation(document, |template, method, operation| {
            let id = operation.get("x-driftgate-id").and_then(Value::as_str);
            let id = id.map_or_else(|| format!("{method} {template}"), str::to_owned);
            let (method, template) = (method.to_owned(), template.to_owned());
            let parts = parts(document, operation);
            operations.insert(id, Operation { method, template, parts });
        });
        Self(operations)
    }

    /// What is new, different and gone in comparison with a former document, by operation id.
    pub(super) fn since(&self, former: &Self) -> Vec<News> {
        let ids: BTreeSet<&String> = self.0.keys().chain(former.0.keys()).collect();
        let news = ids.into_iter().filter_map(|id| {
            let (kind, operation, changed) = match (former.0.get(id), self.0.get(id)) {
                (None, Some(new)) => ("operation.created", new, Vec::new()),
                (Some(old), None) => ("operation.deleted", old, Vec::new()),
                (Some(old), Some(new)) if old != new => {
                    ("operation.updated", new, differing(old, new))
                }
                _ => return None,
            };
            let Operation { method, template, .. } = operation.clone();
            Some(News { kind, id: id.clone(), method, template, changed })
        });
        news.collect()
    }
}

/// The parts that only one of the two has, or that differ. A template that reads otherwise is a change of the whole.
fn differing(old: &Operation, new: &Operation) -> Vec<String> {
    let pointers: BTreeSet<&String> = old.parts.keys().chain(new.parts.keys()).collect();
    let differing =
        pointers.into_iter().filter(|pointer| old.parts.get(*pointer) != new.parts.get(*pointer));
    differing.cloned().collect()
}

/// Calls `visit` with template, upper-case method and object of every operation of a projected document.
pub(super) fn each_operation(document: &Value, mut visit: impl FnMut(&str, &str, &Value)) {
    let paths = document.get("paths").and_then(Value::as_object);
    for (template, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation.get("responses").is_some() {
                visit(template, &method.to_ascii_uppercase(), operation);
            }
        }
    }
}

fn parts(document: &Value, operation: &Value) -> BTreeMap<String, u64> {
    let members = operation.as_object().into_iter().flatten();
    let mut parts = BTreeMap::new();
    for (name, member) in members.filter(|(name, _)| !name.starts_with("x-")) {
        match (name.as_str(), member.as_object()) {
            ("responses", Some(responses)) => {
                for (status, response) in responses {
                    parts.insert(format!("/responses/{status}"), digest(document, response));
                }
            }
            _ => {
                parts.insert(format!("/{name}"), digest(document, member));
            }
        }
    }
    parts
}

/// Equal for parts that read the same, with the components that they reach.
fn digest(document: &Value, part: &Value) -> u64 {
    let mut reached = Map::new();
    reach(document, part, &mut reached);
    let whole = RevisionId::of(&json!({ "part": part, "components": reached }));
    HashKey::OFFLINE.hash(whole.as_str().as_bytes())
}

fn reach(document: &Value, part: &Value, reached: &mut Map<String, Value>) {
    match part {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(reference) = reference.filter(|name| !reached.contains_key(*name)) {
                let target = document.pointer(reference.trim_start_matches('#'));
                let target = target.cloned().unwrap_or_default();
                reached.insert(reference.to_owned(), target.clone());
                reach(document, &target, reached);
            }
            members.values().for_each(|member| reach(document, member, reached));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, reached)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(status: &str, kind: &str, n: u64) -> Value {
        json!({
            "paths": { "/orders/{orderId}": { "get": {
                "x-driftgate-id": "op_1",
                "x-driftgate-evidence": { "n": n },
                "responses": { status: { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Order" }
                } } } },
            } } },
            "components": { "schemas": {
                "Order": { "properties": {
                    "line": { "$ref": "#/components/schemas/Line" },
                    "next": { "$ref": "#/components/schemas/Order" },
                } },
                "Line": { "type": kind },
            } },
        })
    }

    #[test]
    fn operations_are_created_updated_and_deleted() {
        let first = Inventory::of(&document("200", "string", 3));
        let kinds = |news: Vec<News>| -> Vec<_> {
            news.into_iter().map(|news| (news.kind, news.changed)).collect()
        };
        assert_eq!(kinds(first.since(&Inventory::default())), [("operation.created", vec![])]);
        assert_eq!(kinds(Inventory::default().since(&first)), [("operation.deleted", vec![])]);
        for (then, expected) in [
            (document("200", "string", 99), vec![]),
            (document("200", "integer", 3), vec![("operation.updated", vec!["/responses/200"])]),
            (
                document("201", "string", 3),
                vec![("operation.updated", vec!["/responses/200", "/responses/201"])],
            ),
        ] {
            let news = Inventory::of(&then).since(&first);
            let news: Vec<_> = news
                .iter()
                .map(|news| (news.kind, news.changed.iter().map(String::as_str).collect()))
                .collect();
            assert_eq!(news, expected, "{then}");
        }
    }
}

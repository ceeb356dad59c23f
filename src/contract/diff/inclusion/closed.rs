//! Does a message keep to the names that its sender's document knows?
//!
//! JSON Schema allows every name that a schema does not mention, and nobody sends those: a witness that rests on such a name
//! proves nothing (`spec/contract.md` 6, `closed`). Names count wherever a composition declares them; an object that writes
//! `additionalProperties` itself invites others.

use std::collections::HashSet;

use serde_json::Value;

use super::super::super::algebra::Algebra;
use super::book::{Part, target};

/// Nesting of values and of compositions that is followed.
const DEPTH_MAX: usize = 64;

/// Keywords that hold schemas of the same value, besides `$ref`.
const IN_PLACE: &[&str] = &["allOf", "oneOf", "anyOf"];

/// Every schema that may speak of the same value: through references, compositions, conditions and dependents.
pub(super) fn composed<'d>(parts: &[Part<'d>]) -> Vec<Part<'d>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut waiting: Vec<Part<'d>> = parts.to_vec();
    while let Some(part) = waiting.pop() {
        if !seen.insert(part.identity()) {
            continue;
        }
        waiting.extend(target(part.schema).and_then(|key| part.book.definition(key)));
        waiting.extend(IN_PLACE.iter().flat_map(|keyword| part.items(keyword)));
        waiting.extend(["then", "else"].iter().filter_map(|keyword| part.child(keyword)));
        let dependent = part.get("dependentSchemas").and_then(Value::as_object);
        let dependent = dependent.into_iter().flatten();
        waiting.extend(dependent.filter_map(|(name, _)| part.member("dependentSchemas", name)));
        found.push(part);
    }
    found
}

/// Whether every name in a value is declared or invited where it stands.
pub(super) fn keeps_to_names(algebra: &Algebra, parts: &[Part<'_>], value: &Value) -> bool {
    keeps(algebra, parts, value, 0)
}

fn keeps(algebra: &Algebra, parts: &[Part<'_>], value: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match value {
        Value::Object(members) => {
            let all = composed(parts);
            members.iter().all(|(name, member)| match of_name(algebra, &all, name) {
                Some(inner) => keeps(algebra, &inner, member, depth + 1),
                None => false,
            })
        }
        Value::Array(items) => {
            let all = composed(parts);
            let inner: Vec<Part<'_>> = all
                .iter()
                .flat_map(|part| {
                    let tuple = part.items("prefixItems").into_iter();
                    let rest = ["items", "contains"].into_iter();
                    tuple.chain(rest.filter_map(|keyword| part.child(keyword)))
                })
                .collect();
            items.iter().all(|item| keeps(algebra, &inner, item, depth + 1))
        }
        _ => true,
    }
}

/// The schemas that speak of a member; none for a name that nobody mentions.
fn of_name<'d>(algebra: &Algebra, all: &[Part<'d>], name: &str) -> Option<Vec<Part<'d>>> {
    let mut inner: Vec<Part<'d>> =
        all.iter().filter_map(|part| part.member("properties", name)).collect();
    for part in all {
        let patterns = part.get("patternProperties").and_then(Value::as_object);
        for (pattern, _) in patterns.into_iter().flatten() {
            if algebra.matches(pattern, name) {
                inner.extend(part.member("patternProperties", pattern));
            }
        }
    }
    if inner.is_empty() {
        let more = ["additionalProperties", "unevaluatedProperties"];
        inner.extend(all.iter().flat_map(|part| more.map(|keyword| part.child(keyword))).flatten());
    }
    let is_required = || {
        let mut lists = all.iter().filter_map(|part| part.get("required")?.as_array());
        lists.any(|list| list.iter().any(|needed| needed == name))
    };
    (!inner.is_empty() || is_required()).then_some(inner)
}

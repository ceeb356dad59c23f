//! Values that travel as text: parameters, headers, fields of forms.
//!
//! Owns what a text may be read as. A number sent where a text is wanted is a text, and null is not written at all.

use serde_json::Value;

use super::super::super::algebra::Algebra;
use super::book::Part;
use super::branches::Branch;
use super::closed::composed;
use super::facts::scalar_schema;
use super::types::{Type, Types};

/// Nesting of values that is followed.
const DEPTH_MAX: usize = 16;

/// Whether some alternative reads every text that values of a type are written as. `values`: all there are, if they are few.
pub(super) fn is_read(
    algebra: &Algebra,
    kind: Type,
    values: Option<&[Value]>,
    to: &[Branch<'_>],
) -> bool {
    if kind == Type::Null {
        return true;
    }
    if matches!(kind, Type::Object | Type::Array) {
        return false;
    }
    let plain: Vec<&Branch<'_>> = to
        .iter()
        .filter(|branch| branch.rivals.is_empty() && !branch.parts.iter().any(is_conditional))
        .collect();
    if plain.iter().any(|branch| takes_any_text(&branch.parts)) {
        return true;
    }
    let schemas: Vec<Value> = plain.iter().map(|branch| scalar_schema(&branch.parts)).collect();
    values.is_some_and(|values| {
        values.iter().all(|value| {
            let read = readings(value);
            schemas.iter().any(|schema| read.iter().any(|read| algebra.accepts(schema, read)))
        })
    })
}

fn is_conditional(part: &Part<'_>) -> bool {
    ["if", "not"].iter().any(|keyword| part.get(keyword).is_some())
}

/// Whether a text is asked for and nothing else of it: whatever travels as text is one.
pub(super) fn takes_any_text(parts: &[Part<'_>]) -> bool {
    let asks_nothing_else = |part: &Part<'_>| {
        let schema = scalar_schema(std::slice::from_ref(part));
        schema.as_object().is_some_and(|members| members.keys().all(|name| name == "type"))
    };
    Types::of_parts(parts).has(Type::String) && parts.iter().all(asks_nothing_else)
}

/// What a value could be read as after it travelled as text.
pub(super) fn readings(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    match value {
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            if let Some(texts) = texts {
                found.push(Value::String(texts.join(",")));
                found.push(texts.iter().map(|text| Value::String(text.clone())).collect());
            }
            if let [only] = items.as_slice() {
                found.push(only.clone());
                found.extend(readings(only));
            }
        }
        scalar => {
            if let Some(text) = text(scalar) {
                let read = crate::model::document::plain(&text);
                found.extend([Value::Array(vec![read.clone()]), read]);
                found.push(Value::Array(vec![Value::String(text.clone())]));
                found.push(Value::String(text));
            }
        }
    }
    found
}

/// A value as a reader of these schemas takes its texts, each member by the types that are wanted there.
pub(super) fn coerced(parts: &[Part<'_>], value: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return value.clone();
    }
    let all = composed(parts);
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let own = all.iter().filter_map(|part| part.member("properties", name));
                let own: Vec<Part<'_>> = own.collect();
                (name.clone(), coerced(&own, member, depth + 1))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => {
            let own: Vec<Part<'_>> = all.iter().filter_map(|part| part.child("items")).collect();
            items.iter().map(|item| coerced(&own, item, depth + 1)).collect()
        }
        scalar => {
            let typed = all.iter().filter(|part| part.get("type").is_some());
            let types = typed.map(|part| Types::of_schema(part.schema)).reduce(Types::or);
            let Some(types) = types.filter(|types| !types.has(Type::of(scalar))) else {
                return scalar.clone();
            };
            let fits = |read: &Value| types.has(Type::of(read));
            readings(scalar).into_iter().find(fits).unwrap_or_else(|| scalar.clone())
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        _ => None,
    }
}

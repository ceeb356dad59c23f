//! Hashes that tell exchanges apart without keeping anything of them.
//!
//! Owns the payload hash (the same request with the same answer, so that polling inflates nothing) and the form of a request
//! (names and types, no values). The hashes are fixed: equal inputs give equal hashes in every run.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;
use smallvec::SmallVec;

use crate::model::exchange::{Body, Exchange};
use crate::model::hash::{fold, fold_bytes};

use super::super::body;
use super::flaw::type_name;

/// Hash of an exchange as one consumer would repeat it.
pub(super) fn payload(exchange: &Exchange) -> u64 {
    let Exchange { consumer, method, path, query, status, request, response, .. } = exchange;
    let query = query.as_ref().map_or(0, |query| fold_bytes(1, query.as_bytes()));
    let head = fold(fold(*consumer, u64::from(*status)), query);
    let head = fold_bytes(fold_bytes(head, method.as_bytes()), path.as_bytes());
    [request, response].iter().fold(head, |hash, message| match &message.body {
        Body::Bytes { bytes, .. } => fold_bytes(hash, bytes),
        _ => fold(hash, 0),
    })
}

/// Hash of the form of a request: operation, media type, names of the query, form of the body.
pub(super) fn request(exchange: &Exchange, operation: usize, form: Option<u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    operation.hash(&mut hasher);
    exchange.request.media.as_ref().map(crate::model::media::MediaType::essence).hash(&mut hasher);
    let mut names: SmallVec<[&str; 16]> = exchange
        .query
        .iter()
        .flat_map(|query| query.split('&'))
        .map(|pair| pair.split('=').next().unwrap_or(pair))
        .collect();
    names.sort_unstable();
    names.hash(&mut hasher);
    form.hash(&mut hasher);
    hasher.finish()
}

/// Hash of the form of an answer: status, media type, names and types of a JSON body. Frameworks answer paths that they do
/// not know always in the same form.
pub(super) fn answer(exchange: &Exchange) -> u64 {
    let mut hasher = DefaultHasher::new();
    exchange.status.hash(&mut hasher);
    let message = &exchange.response;
    message.media.as_ref().map(crate::model::media::MediaType::essence).hash(&mut hasher);
    let body = message.body.complete().and_then(|bytes| body::json(bytes, &exchange.plan).ok());
    body.map(|read| form(&read.value)).hash(&mut hasher);
    hasher.finish()
}

/// Names and types of a value; the items of an array as a set.
pub(super) fn form(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    type_name(value).hash(&mut hasher);
    let mut parts: Vec<(&str, u64)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.as_str(), form(member))).collect()
        }
        Value::Array(items) => items.iter().map(|item| ("", form(item))).collect(),
        _ => Vec::new(),
    };
    parts.sort_unstable();
    parts.dedup();
    parts.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_know_names_and_types_alone() {
        let of = |value: Value| form(&value);
        assert_eq!(of(json!({"a": 1, "b": ["x"]})), of(json!({"b": ["y", "z"], "a": 2})));
        assert_ne!(of(json!({"a": 1})), of(json!({"a": "1"})));
        assert_ne!(of(json!({"a": 1})), of(json!({"b": 1})));
        assert_ne!(of(json!([])), of(json!([1])));
    }
}

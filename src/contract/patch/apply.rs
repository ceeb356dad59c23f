//! RFC 6902, as far as patches of documents need it: `test`, `add`, `replace`, `remove`.
//!
//! Owns writing a draft down and carrying a patch out, all or nothing.

use serde_json::{Value, json};

use super::written::Written;
use crate::model::problem::pointer;

/// Larger values are not repeated in a `test`; their size would hide the change.
const TEST_BYTES_MAX: usize = 4_096;

/// Why a patch does not fit a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Position of the operation.
    pub index: usize,
    /// Where it wanted to do something.
    pub path: String,
}

/// A patch that is being written.
#[derive(Debug, Default)]
pub(super) struct Draft(Vec<Value>);

impl Draft {
    pub(super) fn into_patch(self) -> Vec<Value> {
        self.0
    }

    /// Tests what is about to be changed or added to, unless it is too large to be repeated.
    pub(super) fn test(&mut self, place: &str, value: &Value) {
        if value.to_string().len() <= TEST_BYTES_MAX {
            self.0.push(json!({"op": "test", "path": place, "value": value}));
        }
    }

    pub(super) fn add(&mut self, place: String, value: Value) {
        self.0.push(json!({"op": "add", "path": place, "value": value}));
    }

    pub(super) fn remove(&mut self, place: String, known: &Value) {
        self.test(&place, known);
        self.0.push(json!({"op": "remove", "path": place}));
    }

    /// Gives a member of an object another value, or its first.
    pub(super) fn set(&mut self, written: &Written<'_>, object: &str, name: &str, value: Value) {
        let place = pointer(object, name);
        if let Some(known) = written.at(&place) {
            self.test(&place, known);
            self.0.push(json!({"op": "replace", "path": place, "value": value}));
            return;
        }
        if let Some(known) = written.at(object) {
            self.test(object, known);
        }
        self.add(place, value);
    }
}

/// The document with a patch applied.
///
/// # Errors
/// The first operation that does not fit; the document is unchanged then.
pub fn apply(document: &Value, patch: &[Value]) -> Result<Value, Failed> {
    let mut changed = document.clone();
    for (index, operation) in patch.iter().enumerate() {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = text("path");
        let value = operation.get("value");
        let done = match (text("op"), value) {
            ("test", Some(value)) => {
                changed.pointer(path).filter(|known| *known == value).map(drop)
            }
            ("add", Some(value)) => add(&mut changed, path, value.clone()),
            ("replace", Some(value)) => {
                changed.pointer_mut(path).map(|known| *known = value.clone())
            }
            ("remove", _) => remove(&mut changed, path),
            _ => None,
        };
        done.ok_or_else(|| Failed { index, path: path.to_owned() })?;
    }
    Ok(changed)
}

/// Parent and last step of a pointer.
fn parent<'v>(document: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    let last = last.replace("~1", "/").replace("~0", "~");
    document.pointer_mut(parent).map(|parent| (parent, last))
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match parent(document, path)? {
        (Value::Object(members), name) => drop(members.insert(name, value)),
        (Value::Array(items), step) if step == "-" => items.push(value),
        (Value::Array(items), step) => {
            let index = step.parse().ok().filter(|index| *index <= items.len())?;
            items.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<()> {
    match parent(document, path)? {
        (Value::Object(members), name) => members.remove(&name).map(drop),
        (Value::Array(items), step) => {
            let index = step.parse().ok().filter(|index| *index < items.len())?;
            items.remove(index);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_carried_out_whole_or_not_at_all() {
        let document = json!({"a": {"b": [1, 2]}, "x/y": 1});
        for (patch, expected) in [
            (
                json!([{"op": "add", "path": "/a/c", "value": 3}]),
                Ok(json!({"a": {"b": [1, 2], "c": 3}, "x/y": 1})),
            ),
            (
                json!([{"op": "add", "path": "/a/b/-", "value": 3}]),
                Ok(json!({"a": {"b": [1, 2, 3]}, "x/y": 1})),
            ),
            (
                json!([{"op": "add", "path": "/a/b/0", "value": 3}]),
                Ok(json!({"a": {"b": [3, 1, 2]}, "x/y": 1})),
            ),
            (json!([{"op": "remove", "path": "/x~1y"}]), Ok(json!({"a": {"b": [1, 2]}}))),
            (json!([{"op": "replace", "path": "/a", "value": 1}]), Ok(json!({"a": 1, "x/y": 1}))),
            (json!([{"op": "test", "path": "/x~1y", "value": 1}]), Ok(document.clone())),
            (
                json!([{"op": "add", "path": "/n", "value": 1}, {"op": "test", "path": "/a", "value": 1}]),
                Err(1),
            ),
            (json!([{"op": "remove", "path": "/a/b/2"}]), Err(0)),
            (json!([{"op": "replace", "path": "/none", "value": 1}]), Err(0)),
            (json!([{"op": "move", "from": "/a", "path": "/c"}]), Err(0)),
        ] {
            let found = apply(&document, patch.as_array().expect("a list"));
            assert_eq!(found.map_err(|failed| failed.index), expected, "{patch}");
        }
    }
}

//! One view of a schema: references followed, `allOf` folded in, union branches laid beside it.
//!
//! Owns reading keywords for generation. What cannot be folded exactly (two patterns, two formats) keeps the first; the
//! validator catches the rest.

use serde_json::{Map, Value};

/// References and `allOf` within one another that are followed.
const STEPS_MAX: usize = 32;

/// The keywords of a schema in one map.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded(Map<String, Value>);

/// None for a schema that allows nothing.
pub(super) fn fold(bundle: &Value, schema: &Value) -> Option<Folded> {
    let mut folded = Folded::default();
    folded.add(bundle, schema, 0).then_some(folded)
}

/// What a `$ref` names in the bundle.
fn target<'a>(bundle: &'a Value, schema: &Value) -> Option<&'a Value> {
    let key = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    bundle.get("$defs")?.get(key)
}

impl Folded {
    fn add(&mut self, bundle: &Value, schema: &Value, step: usize) -> bool {
        let members = match schema {
            Value::Bool(allows) => return *allows,
            Value::Object(members) => members,
            _ => return true,
        };
        if step > STEPS_MAX {
            return true;
        }
        if members.contains_key("$ref") {
            let target = target(bundle, schema);
            if target.is_some_and(|target| !self.add(bundle, target, step + 1)) {
                return false;
            }
        }
        for (keyword, value) in members {
            if !matches!(keyword.as_str(), "$ref" | "allOf") {
                self.merge(keyword, value);
            }
        }
        let parts = members.get("allOf").and_then(Value::as_array);
        parts.into_iter().flatten().all(|part| self.add(bundle, part, step + 1))
    }

    fn merge(&mut self, keyword: &str, value: &Value) {
        let Some(known) = self.0.get_mut(keyword) else {
            self.0.insert(keyword.to_owned(), value.clone());
            return;
        };
        match (keyword, known, value) {
            ("properties", Value::Object(known), Value::Object(more)) => {
                for (name, schema) in more {
                    let both = match known.remove(name) {
                        Some(first) => serde_json::json!({ "allOf": [first, schema] }),
                        None => schema.clone(),
                    };
                    known.insert(name.clone(), both);
                }
            }
            ("required", Value::Array(known), Value::Array(more)) => {
                known.extend(more.iter().cloned());
            }
            ("enum", Value::Array(known), Value::Array(more)) => {
                known.retain(|member| more.contains(member));
            }
            ("type", known, more) => *known = common_types(known, more),
            (
                "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties",
                known,
                _,
            ) if value.as_f64() > known.as_f64() => *known = value.clone(),
            (
                "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties",
                known,
                _,
            ) if value.as_f64() < known.as_f64() => *known = value.clone(),
            _ => {}
        }
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&Value> {
        self.0.get(keyword)
    }

    pub(super) fn number(&self, keyword: &str) -> Option<f64> {
        self.get(keyword).and_then(Value::as_f64)
    }

    pub(super) fn text(&self, keyword: &str) -> Option<&str> {
        self.get(keyword).and_then(Value::as_str)
    }

    pub(super) fn length(&self, keyword: &str) -> Option<usize> {
        let length = self.get(keyword).and_then(Value::as_u64)?;
        usize::try_from(length).ok()
    }

    /// The types to try, told by the other keywords where `type` is missing.
    pub(super) fn types(&self) -> Vec<&str> {
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| self.0.contains_key(*keyword));
        match self.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ if has(&["properties", "required", "additionalProperties"]) => vec!["object"],
            _ if has(&["items", "prefixItems", "minItems", "maxItems"]) => vec!["array"],
            _ if has(&[
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "multipleOf",
            ]) =>
            {
                vec!["number"]
            }
            _ => vec!["string"],
        }
    }

    /// Each branch of `oneOf` and `anyOf`, together with what stands beside the union.
    pub(super) fn branches(&self, bundle: &Value) -> Vec<(&'static str, Value)> {
        let mut found = Vec::new();
        for keyword in ["oneOf", "anyOf"] {
            let Some(branches) = self.get(keyword).and_then(Value::as_array) else { continue };
            let mut beside = self.0.clone();
            beside.remove(keyword);
            // What is named for the union as a whole has been proposed already.
            for named in ["example", "examples", "default"] {
                beside.remove(named);
            }
            for branch in branches {
                let both = serde_json::json!({ "allOf": [Value::Object(beside.clone()), branch] });
                if fold(bundle, &both).is_some() {
                    found.push((keyword, both));
                }
            }
            break;
        }
        found
    }

    /// The schema of the item at an index.
    pub(super) fn item(&self, index: usize) -> Value {
        let first = self.get("prefixItems").and_then(|items| items.get(index));
        first.or_else(|| self.get("items")).cloned().unwrap_or(Value::Bool(true))
    }

    /// Name, schema and whether it is required, of each property; required ones without a schema too.
    pub(super) fn properties(&self) -> Vec<(String, Value, bool)> {
        let required: Vec<&str> = self
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let declared = self.get("properties").and_then(Value::as_object);
        let mut found: Vec<(String, Value, bool)> = declared
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), schema.clone(), required.contains(&name.as_str())))
            .collect();
        let rest = self.get("additionalProperties").cloned().unwrap_or(Value::Bool(true));
        for name in required {
            if found.iter().all(|(known, ..)| known != name) {
                found.push((name.to_owned(), rest.clone(), true));
            }
        }
        found
    }
}

/// The types that both sides allow; every integer is a number.
fn common_types(left: &Value, right: &Value) -> Value {
    let list = |types: &Value| -> Vec<String> {
        match types {
            Value::String(kind) => vec![kind.clone()],
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    };
    let (left, right) = (list(left), list(right));
    let covers = |kinds: &[String], kind: &str| {
        kinds.iter().any(|known| known == kind || (kind == "integer" && known == "number"))
    };
    let mut common: Vec<Value> = Vec::new();
    for kind in left.iter().chain(&right) {
        let value = Value::String(kind.clone());
        if covers(&left, kind) && covers(&right, kind) && !common.contains(&value) {
            common.push(value);
        }
    }
    Value::Array(common)
}

//! What a text on the wire can be: the types that a schema allows, and a text read as one of them.
//!
//! Owns coercion for parameters and form fields (`spec/contract.md` 3, step 2). Refuses to guess: a text that two allowed
//! types could have produced is ambiguous.

use serde_json::{Number, Value};

use super::specification::{Schemas, Side};

/// Deepest composition that is looked through for types.
const DEPTH_MAX: usize = 16;

/// Names of one composition that are collected.
const NAMES_MAX: usize = 10_000;

/// A set of JSON types. Empty: the schema says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    const NAMES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

    fn named(name: &str) -> Self {
        Self(Self::NAMES.iter().position(|known| *known == name).map_or(0, |index| 1 << index))
    }

    fn of_value(value: &Value) -> Self {
        Self::named(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        })
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.0 & Self::named(name).0 != 0
    }

    fn union(types: impl Iterator<Item = Self>) -> Self {
        Self(types.fold(0, |all, one| all | one.0))
    }
}

/// Schemas as the wire sees them: references followed, compositions looked through.
#[derive(Clone, Copy)]
pub(super) struct Wire<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) side: Side,
}

impl<'s> Wire<'s> {
    /// The types that a schema allows.
    pub(super) fn types(self, schema: &Value) -> Types {
        self.types_at(schema, 0)
    }

    fn types_at(self, schema: &Value, depth: usize) -> Types {
        if depth > DEPTH_MAX {
            return Types::default();
        }
        let schema = self.schemas.resolve(self.side, schema);
        let own = match (schema.get("type"), schema.get("const"), schema.get("enum")) {
            (Some(Value::String(name)), ..) => Types::named(name),
            (Some(Value::Array(names)), ..) => {
                Types::union(names.iter().filter_map(Value::as_str).map(Types::named))
            }
            (_, Some(only), _) => Types::of_value(only),
            (_, _, Some(Value::Array(members))) => {
                Types::union(members.iter().map(Types::of_value))
            }
            _ => Types::default(),
        };
        if own.0 != 0 {
            return own;
        }
        for union in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(union).and_then(Value::as_array) {
                return Types::union(
                    branches.iter().map(|branch| self.types_at(branch, depth + 1)),
                );
            }
        }
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        parts
            .map(|part| self.types_at(part, depth + 1))
            .find(|types| types.0 != 0)
            .unwrap_or_default()
    }

    /// The schema of the items of an array; none where nothing is said.
    pub(super) fn items(self, schema: &'s Value) -> Option<&'s Value> {
        self.find(schema, 0, &|schema| schema.get("items"))
    }

    /// The schema of a property, `additionalProperties` included.
    pub(super) fn property(self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        self.find(schema, 0, &|schema| schema.get("properties")?.get(name))
            .or_else(|| self.find(schema, 0, &|schema| schema.get("additionalProperties")))
    }

    /// Names of all properties that are declared in place.
    pub(super) fn property_names(self, schema: &'s Value) -> Vec<&'s str> {
        let mut names = Vec::new();
        self.collect_names(schema, 0, &mut |schema| {
            let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            names.extend(own.map(|(name, _)| name.as_str()));
            names.len() <= NAMES_MAX
        });
        names
    }

    /// Names that some part of the composition requires.
    pub(super) fn required_names(self, schema: &'s Value) -> Vec<&'s str> {
        let mut names = Vec::new();
        self.collect_names(schema, 0, &mut |schema| {
            let own = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            names.extend(own.filter_map(Value::as_str));
            names.len() <= NAMES_MAX
        });
        names
    }

    /// Whether a keyword of the schema, wherever in its composition, satisfies a question.
    pub(super) fn keyword(
        self,
        schema: &'s Value,
        keyword: &str,
        question: &dyn Fn(&'s Value) -> bool,
    ) -> bool {
        self.find(schema, 0, &|schema| schema.get(keyword).filter(|written| question(written)))
            .is_some()
    }

    /// Calls `collect` with each schema that applies in place, until it has enough.
    fn collect_names(
        self,
        schema: &'s Value,
        depth: usize,
        collect: &mut dyn FnMut(&'s Value) -> bool,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        let schema = self.beside_reference(schema, |target| {
            self.collect_names(target, depth + 1, collect);
        });
        if !collect(schema) {
            return;
        }
        for part in parts(schema) {
            self.collect_names(part, depth + 1, collect);
        }
    }

    /// Calls `visit` with the target of a schema's reference, and gives the schema itself for its own keywords.
    fn beside_reference(self, schema: &'s Value, visit: impl FnOnce(&'s Value)) -> &'s Value {
        if schema.get("$ref").is_some() {
            let target = self.schemas.resolve(self.side, schema);
            if !std::ptr::eq(target, schema) {
                visit(target);
            }
        }
        schema
    }

    fn find(
        self,
        schema: &'s Value,
        depth: usize,
        pick: &dyn Fn(&'s Value) -> Option<&'s Value>,
    ) -> Option<&'s Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let schema = self.schemas.resolve(self.side, schema);
        pick(schema).or_else(|| parts(schema).find_map(|part| self.find(part, depth + 1, pick)))
    }
}

/// Schemas that apply in place.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|name| schema.get(name));
    let conditional = ["then", "else"].into_iter().filter_map(|name| schema.get(name));
    lists.filter_map(Value::as_array).flatten().chain(conditional)
}

/// Two allowed types could have produced the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous;

/// A text as one of the types that a schema allows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'t str),
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Number(number) => Self::Number(number),
            Scalar::Text(text) => Self::String(text.to_owned()),
        }
    }
}

/// Reads a text as one of the allowed types; a text that fits none of them stays a text, and validation says so.
pub(super) fn read(types: Types, text: &str) -> Result<Scalar<'_>, Ambiguous> {
    if types.0 == 0 {
        return Ok(Scalar::Text(text));
    }
    match (types.has("string"), read_other(types, text)) {
        (true, Some(_)) => Err(Ambiguous),
        (false, Some(scalar)) => Ok(scalar),
        (_, None) => Ok(Scalar::Text(text)),
    }
}

/// The same as a value of its own.
pub(super) fn coerce(types: Types, text: &str) -> Result<Value, Ambiguous> {
    read(types, text).map(Value::from)
}

/// The text as null, boolean or number, if that is allowed and it is one.
fn read_other(types: Types, text: &str) -> Option<Scalar<'static>> {
    let is_numeric = types.has("integer") || types.has("number");
    match text {
        "null" | "" if types.has("null") => Some(Scalar::Null),
        "true" | "false" if types.has("boolean") => Some(Scalar::Bool(text == "true")),
        text if is_numeric && text.len() <= 400 => {
            serde_json::from_str(text).ok().map(Scalar::Number)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_read_as_the_type_that_the_schema_allows() {
        let types = |names: &[&str]| Types::union(names.iter().map(|name| Types::named(name)));
        for (names, text, expected) in [
            (&["integer"][..], "12", Ok(json!(12))),
            (&["integer"], "1.5", Ok(json!(1.5))),
            (&["integer"], "x", Ok(json!("x"))),
            (&["boolean"], "true", Ok(json!(true))),
            (&["boolean"], "yes", Ok(json!("yes"))),
            (&["string"], "12", Ok(json!("12"))),
            (&["integer", "null"], "", Ok(Value::Null)),
            (&["integer", "string"], "12", Err(Ambiguous)),
            (&["integer", "string"], "abc", Ok(json!("abc"))),
            (&[], "12", Ok(json!("12"))),
        ] {
            assert_eq!(coerce(types(names), text), expected, "{names:?} {text}");
        }
    }
}

//! Sets of JSON types: seven bits, a number being an integer or a fraction.

use serde_json::{Value, json};

use super::book::Part;

/// One type of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Type {
    Object,
    Array,
    String,
    Integer,
    /// A number that is no integer.
    Fraction,
    Boolean,
    Null,
}

impl Type {
    pub(crate) const ALL: [Self; 7] = [
        Self::Object,
        Self::Array,
        Self::String,
        Self::Integer,
        Self::Fraction,
        Self::Boolean,
        Self::Null,
    ];

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() != 0.0) => {
                Self::Fraction
            }
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// A schema of the values of this type.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Object => json!({"type": "object"}),
            Self::Array => json!({"type": "array"}),
            Self::String => json!({"type": "string"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Fraction => json!({"type": "number"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Null => json!({"type": "null"}),
        }
    }
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const ANY: Self = Self(0x7f);

    pub(crate) fn one(kind: Type) -> Self {
        Self(1 << kind as u8)
    }

    pub(crate) fn has(self, kind: Type) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Type> {
        Type::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// What `type` says, and what the members of an enum are.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        if schema == &Value::Bool(false) {
            return Self(0);
        }
        let mut types = match schema.get("type") {
            Some(Value::String(name)) => Self::named(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .fold(Self(0), |types, name| types.or(Self::named(name))),
            _ => Self::ANY,
        };
        if let Some(members) = schema.get("enum").and_then(Value::as_array) {
            types = types.and(Self::of_values(members));
        }
        if let Some(only) = schema.get("const") {
            types = types.and(Self::one(Type::of(only)));
        }
        types
    }

    /// Types that all parts allow.
    pub(crate) fn of_parts(parts: &[Part<'_>]) -> Self {
        parts.iter().fold(Self::ANY, |types, part| types.and(Self::of_schema(part.schema)))
    }

    /// Types that a sender of these parts has in mind: who writes `properties` and no `type` means objects. As with names
    /// that nobody declares, a value of another type proves nothing.
    pub(crate) fn of_sender(parts: &[Part<'_>]) -> Self {
        let types = Self::of_parts(parts);
        if types == Self::ANY { Self::implied(parts) } else { types }
    }

    /// Types that schemas without `type` speak of.
    pub(crate) fn implied(parts: &[Part<'_>]) -> Self {
        let has = |keywords: &[&str]| {
            parts.iter().any(|part| keywords.iter().any(|keyword| part.get(keyword).is_some()))
        };
        if has(&["properties", "required", "additionalProperties"]) {
            Self::one(Type::Object)
        } else if has(&["items"]) {
            Self::one(Type::Array)
        } else {
            Self::ANY
        }
    }

    fn of_values(values: &[Value]) -> Self {
        values.iter().fold(Self(0), |types, value| types.or(Self::one(Type::of(value))))
    }

    fn named(name: &str) -> Self {
        match name {
            "object" => Self::one(Type::Object),
            "array" => Self::one(Type::Array),
            "string" => Self::one(Type::String),
            "integer" => Self::one(Type::Integer),
            "number" => Self::one(Type::Integer).or(Self::one(Type::Fraction)),
            "boolean" => Self::one(Type::Boolean),
            "null" => Self::one(Type::Null),
            _ => Self(0),
        }
    }
}

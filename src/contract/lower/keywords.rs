//! The vocabulary of JSON Schema as lowering sees it: which keyword holds what.
//!
//! Owns the table. What is not in it never reaches a lowered schema: documentation, extensions and keywords of other drafts
//! assert nothing.

use serde_json::Value;

/// What the value of a keyword is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// One schema.
    Schema,
    /// An array of schemas.
    Schemas,
    /// Schemas by name.
    SchemaMap,
    /// Data, copied if it has the right form.
    Data(Form),
}

/// Form of the value of a keyword that holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Any,
    Flag,
    Text,
    Number,
    Positive,
    Count,
    /// An array that is not empty.
    Values,
    Names,
    NamesByName,
}

const TABLE: &[(&str, Holds)] = &[
    ("allOf", Holds::Schemas),
    ("anyOf", Holds::Schemas),
    ("oneOf", Holds::Schemas),
    ("prefixItems", Holds::Schemas),
    ("not", Holds::Schema),
    ("if", Holds::Schema),
    ("then", Holds::Schema),
    ("else", Holds::Schema),
    ("items", Holds::Schema),
    ("contains", Holds::Schema),
    ("additionalProperties", Holds::Schema),
    ("propertyNames", Holds::Schema),
    ("unevaluatedItems", Holds::Schema),
    ("unevaluatedProperties", Holds::Schema),
    ("properties", Holds::SchemaMap),
    ("patternProperties", Holds::SchemaMap),
    ("dependentSchemas", Holds::SchemaMap),
    ("dependentRequired", Holds::Data(Form::NamesByName)),
    ("required", Holds::Data(Form::Names)),
    ("enum", Holds::Data(Form::Values)),
    ("const", Holds::Data(Form::Any)),
    ("pattern", Holds::Data(Form::Text)),
    ("multipleOf", Holds::Data(Form::Positive)),
    ("maximum", Holds::Data(Form::Number)),
    ("minimum", Holds::Data(Form::Number)),
    ("maxLength", Holds::Data(Form::Count)),
    ("minLength", Holds::Data(Form::Count)),
    ("maxItems", Holds::Data(Form::Count)),
    ("minItems", Holds::Data(Form::Count)),
    ("maxContains", Holds::Data(Form::Count)),
    ("minContains", Holds::Data(Form::Count)),
    ("maxProperties", Holds::Data(Form::Count)),
    ("minProperties", Holds::Data(Form::Count)),
    ("uniqueItems", Holds::Data(Form::Flag)),
    // Annotations that the generator of contract tests draws values from.
    ("default", Holds::Data(Form::Any)),
    ("examples", Holds::Data(Form::Values)),
];

/// Keywords with a rule of their own in `lower`.
const SPECIAL: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "type",
    "format",
    "nullable",
    "x-nullable",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "discriminator",
    "example",
    "readOnly",
    "writeOnly",
    "x-extensible-enum",
];

/// Known keywords that assert nothing here.
const SILENT: &[&str] = &[
    "title",
    "description",
    "deprecated",
    "xml",
    "externalDocs",
    "$id",
    "$schema",
    "$anchor",
    "$dynamicAnchor",
    "$vocabulary",
    "$comment",
    "$defs",
    "definitions",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "summary",
    "id",
];

/// What a keyword holds; none for those with a rule of their own, silent or unknown ones.
pub(super) fn holds(keyword: &str) -> Option<Holds> {
    TABLE.iter().find(|(name, _)| *name == keyword).map(|(_, holds)| *holds)
}

/// Whether any version of OpenAPI or JSON Schema knows the keyword.
pub(super) fn is_known(keyword: &str) -> bool {
    keyword.starts_with("x-")
        || holds(keyword).is_some()
        || SPECIAL.contains(&keyword)
        || SILENT.contains(&keyword)
}

impl Form {
    pub(super) fn fits(self, value: &Value) -> bool {
        let names = |value: &Value| {
            value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
        };
        match self {
            Self::Any => true,
            Self::Flag => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Positive => value.as_f64().is_some_and(|number| number > 0.0),
            Self::Count => value.as_f64().is_some_and(|n| n >= 0.0 && n.fract() == 0.0),
            Self::Values => value.as_array().is_some_and(|items| !items.is_empty()),
            Self::Names => names(value),
            Self::NamesByName => {
                value.as_object().is_some_and(|members| members.values().all(names))
            }
        }
    }
}

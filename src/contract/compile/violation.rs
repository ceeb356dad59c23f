//! One violation in our words: where, which keyword, what the schema says there. No value from traffic is kept.
//!
//! Owns the reading of the validator's errors. The place in the value is told apart into names, map keys and items by
//! walking the schema's path beside it.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::super::judgement::Reason;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::contract) enum Step {
    /// A documented property.
    Name(String),
    /// A key of a map.
    Key(String),
    Item(usize),
}

#[derive(Debug)]
pub(in crate::contract) struct Violation {
    pub(in crate::contract) steps: Vec<Step>,
    pub(in crate::contract) keyword: &'static str,
    pub(in crate::contract) detail: Detail,
    /// Value of the keyword in the lowered schema; null where it could not be told.
    pub(in crate::contract) written: Value,
    /// Pointer, in the bundle, of the schema that holds the keyword; empty where it could not be told.
    pub(in crate::contract) schema: String,
}

#[derive(Debug)]
pub(in crate::contract) enum Detail {
    Plain,
    /// The name of an absent required property.
    Missing(String),
    /// Names that no schema allows.
    Unexpected(Vec<String>),
    /// What each branch of a failed union has to say.
    Union(Vec<Vec<Violation>>),
    /// Several branches of a `oneOf`.
    Ambiguous,
    /// A property that the `false` schema forbids.
    Forbidden,
}

impl Violation {
    /// Reads an error of the validator.
    ///
    /// # Errors
    /// When the error does not speak of the value but of the validator's limits.
    pub(super) fn read(
        error: &ValidationError<'_>,
        bundle: &Value,
        root: &Value,
    ) -> Result<Self, Reason> {
        let keyword = match error.kind() {
            ValidationErrorKind::BacktrackLimitExceeded { .. }
            | ValidationErrorKind::RegexEngineFailure { .. } => return Err(Reason::Regex),
            ValidationErrorKind::Referencing(_) | ValidationErrorKind::Custom { .. } => {
                return Err(Reason::Schema);
            }
            kind => keyword(kind),
        };
        let (schema, written) = locate(error, bundle, keyword);
        let branches = |context: &Vec<Vec<ValidationError<'static>>>| {
            let read = |error| Self::read(error, bundle, root);
            context.iter().map(|branch| branch.iter().map(read).collect()).collect::<Result<_, _>>()
        };
        let detail = match error.kind() {
            ValidationErrorKind::Required { property } => {
                Detail::Missing(property.as_str().unwrap_or_default().to_owned())
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                Detail::Unexpected(unexpected.clone())
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => Detail::Union(branches(context)?),
            ValidationErrorKind::OneOfMultipleValid { .. } => Detail::Ambiguous,
            ValidationErrorKind::FalseSchema => Detail::Forbidden,
            _ => Detail::Plain,
        };
        Ok(Self { steps: steps(error, root), keyword, detail, written, schema })
    }
}

/// The schema that holds the keyword, and what is written there.
fn locate(error: &ValidationError<'_>, bundle: &Value, keyword: &str) -> (String, Value) {
    let uri = error.absolute_keyword_location().map(|uri| uri.as_str().to_owned());
    let pointer = uri.as_deref().and_then(|uri| uri.split_once('#')).map(|(_, pointer)| pointer);
    let pointer =
        pointer.map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy());
    let Some(pointer) = pointer else { return (String::new(), Value::Null) };
    let at_keyword = bundle.pointer(&pointer).cloned();
    let schema = match pointer.rsplit_once('/') {
        Some((schema, last)) if last == keyword => schema.to_owned(),
        _ => pointer.into_owned(),
    };
    (schema, at_keyword.unwrap_or(Value::Null))
}

/// The place in the value: its own path, with map keys told by the path through the schema.
fn steps(error: &ValidationError<'_>, root: &Value) -> Vec<Step> {
    let through: Vec<String> =
        error.evaluation_path().as_str().split('/').skip(1).map(unescape).collect();
    let mut through = through.iter().map(String::as_str);
    let mut current = Some(root);
    let mut steps = Vec::new();
    for text in error.instance_path().as_str().split('/').skip(1).map(unescape) {
        if let Some(Value::Array(items)) = current {
            let index = text.parse().unwrap_or(0);
            current = items.get(index);
            skip_to_item(&mut through);
            steps.push(Step::Item(index));
            continue;
        }
        current = current.and_then(|value| value.get(&text));
        let is_key = skip_to_member(&mut through);
        steps.push(if is_key { Step::Key(text) } else { Step::Name(text) });
    }
    steps
}

/// Reads the schema's path up to what applied to the next member of an object; whether that was by a rule for any name.
fn skip_to_member<'s>(path: &mut impl Iterator<Item = &'s str>) -> bool {
    while let Some(keyword) = path.next() {
        match keyword {
            "properties" => {
                path.next();
                return false;
            }
            "patternProperties" => {
                path.next();
                return true;
            }
            "additionalProperties" | "unevaluatedProperties" => return true,
            "allOf" | "anyOf" | "oneOf" | "dependentSchemas" => drop(path.next()),
            _ => {}
        }
    }
    false
}

/// The same up to what applied to the next item of an array.
fn skip_to_item<'s>(path: &mut impl Iterator<Item = &'s str>) {
    while let Some(keyword) = path.next() {
        match keyword {
            "items" | "contains" | "unevaluatedItems" => return,
            "prefixItems" => {
                path.next();
                return;
            }
            "allOf" | "anyOf" | "oneOf" | "dependentSchemas" => drop(path.next()),
            _ => {}
        }
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn keyword(kind: &ValidationErrorKind) -> &'static str {
    match kind {
        ValidationErrorKind::AdditionalItems { .. } => "items",
        ValidationErrorKind::AdditionalProperties { .. } => "additionalProperties",
        ValidationErrorKind::AnyOf { .. } => "anyOf",
        ValidationErrorKind::Constant { .. } => "const",
        ValidationErrorKind::Contains => "contains",
        ValidationErrorKind::Enum { .. } => "enum",
        ValidationErrorKind::ExclusiveMaximum { .. } => "exclusiveMaximum",
        ValidationErrorKind::ExclusiveMinimum { .. } => "exclusiveMinimum",
        ValidationErrorKind::FalseSchema => "false",
        ValidationErrorKind::Format { .. } => "format",
        ValidationErrorKind::MaxItems { .. } => "maxItems",
        ValidationErrorKind::Maximum { .. } => "maximum",
        ValidationErrorKind::MaxLength { .. } => "maxLength",
        ValidationErrorKind::MaxProperties { .. } => "maxProperties",
        ValidationErrorKind::MinItems { .. } => "minItems",
        ValidationErrorKind::Minimum { .. } => "minimum",
        ValidationErrorKind::MinLength { .. } => "minLength",
        ValidationErrorKind::MinProperties { .. } => "minProperties",
        ValidationErrorKind::MultipleOf { .. } => "multipleOf",
        ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::OneOfNotValid { .. } => "oneOf",
        ValidationErrorKind::Pattern { .. } => "pattern",
        ValidationErrorKind::PropertyNames { .. } => "propertyNames",
        ValidationErrorKind::Required { .. } => "required",
        ValidationErrorKind::Type { .. } => "type",
        ValidationErrorKind::UnevaluatedItems { .. } => "unevaluatedItems",
        ValidationErrorKind::UnevaluatedProperties { .. } => "unevaluatedProperties",
        ValidationErrorKind::UniqueItems => "uniqueItems",
        _ => "not",
    }
}

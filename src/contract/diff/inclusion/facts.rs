//! What the parts of one alternative say together about properties, items and scalars.
//!
//! Owns reading keywords that hold together. Refuses to own comparing two alternatives (`compare`, `object`, `array`,
//! `scalar`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::super::algebra::Algebra;
use super::book::Part;
use super::branches::Branch;

/// Keywords about one value that needs no look inside.
pub(crate) const SCALAR: &[&str] = &[
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "dependentRequired",
];

/// The parts as one schema of scalar keywords: accepts at least what they accept.
pub(crate) fn scalar_schema(parts: &[Part<'_>]) -> Value {
    let schemas: Vec<Value> = parts
        .iter()
        .map(|part| {
            let members = part.schema.as_object().into_iter().flatten();
            let kept = members.filter(|(name, value)| {
                SCALAR.contains(&name.as_str()) || name.as_str() == "not" && !refers(value)
            });
            Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
        })
        .filter(|schema| schema.as_object().is_some_and(|members| !members.is_empty()))
        .collect();
    match <[Value; 1]>::try_from(schemas) {
        Ok([only]) => only,
        Err(several) if several.is_empty() => Value::Object(Map::new()),
        Err(several) => json!({"allOf": several}),
    }
}

/// Whether something in a schema is a reference.
pub(crate) fn refers(schema: &Value) -> bool {
    let mut found = false;
    super::book::each_reference(schema, &mut |_| found = true);
    found
}

/// What objects may look like.
pub(crate) struct Shape<'a, 'd> {
    pub(crate) branch: &'a Branch<'d>,
    pub(crate) algebra: &'a Algebra,
}

impl<'d> Shape<'_, 'd> {
    /// Schemas that apply to a property, and whether some schema names it.
    pub(crate) fn property(&self, name: &str) -> Vec<Part<'d>> {
        self.branch.parts.iter().flat_map(|part| self.of_part(part, name)).collect()
    }

    fn of_part(&self, part: &Part<'d>, name: &str) -> Vec<Part<'d>> {
        let mut found: Vec<Part<'d>> = part.member("properties", name).into_iter().collect();
        let patterns = part.get("patternProperties").and_then(Value::as_object);
        for (pattern, _) in patterns.into_iter().flatten() {
            if self.algebra.matches(pattern, name) {
                found.extend(part.member("patternProperties", pattern));
            }
        }
        if found.is_empty() {
            found.extend(part.child("additionalProperties"));
        }
        if found.is_empty() && !self.declares(name) {
            found.extend(part.child("unevaluatedProperties"));
        }
        found
    }

    /// Whether `properties` or a pattern of any part speaks of this name.
    pub(crate) fn declares(&self, name: &str) -> bool {
        self.branch.parts.iter().any(|part| {
            let patterns = part.get("patternProperties").and_then(Value::as_object);
            part.member("properties", name).is_some()
                || patterns
                    .into_iter()
                    .flatten()
                    .any(|(pattern, _)| self.algebra.matches(pattern, name))
        })
    }

    /// Names that a sender of this shape may use: declared here or by a sibling, and not for the other direction alone.
    pub(crate) fn names(&self) -> BTreeSet<&'d str> {
        let mut names = BTreeSet::new();
        let mut foreign = BTreeSet::new();
        for part in &self.branch.parts {
            for (name, property) in properties(part) {
                names.insert(name);
                if part.book.is_foreign(&property) {
                    foreign.insert(name);
                }
            }
            names.extend(
                part.get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            );
        }
        for part in self.lenders() {
            names.extend(properties(&part).map(|(name, _)| name));
        }
        names.retain(|name| !foreign.contains(name));
        names
    }

    /// Schemas that siblings give to a name.
    pub(crate) fn lent(&self, name: &str) -> Vec<Part<'d>> {
        let found = self.lenders().into_iter().filter_map(|part| part.member("properties", name));
        found.take(1).collect()
    }

    fn lenders(&self) -> Vec<Part<'d>> {
        let resolved = self.branch.siblings.iter().map(Part::resolved);
        resolved.filter(|part| part.get("properties").is_some()).collect()
    }

    /// Schemas of names that nobody declares, if the shape invites such names: written `additionalProperties` or patterns.
    pub(crate) fn extras(&self) -> Option<Vec<Part<'d>>> {
        let mut invited = false;
        let mut schemas = Vec::new();
        for part in &self.branch.parts {
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                match part.child(keyword) {
                    Some(more) if more.schema == &Value::Bool(false) => return None,
                    Some(more) => {
                        invited = true;
                        schemas.push(more);
                    }
                    None => {}
                }
            }
        }
        invited.then_some(schemas)
    }

    /// Schemas of the item at an index; `usize::MAX` for all beyond the prefixes.
    pub(crate) fn item(&self, index: usize) -> Vec<Part<'d>> {
        let of = |part: &Part<'d>| {
            let prefix = part.items("prefixItems");
            match prefix.get(index) {
                Some(item) => Some(item.clone()),
                None => part.child("items"),
            }
        };
        self.branch.parts.iter().filter_map(of).collect()
    }

    /// Items that have a schema of their own.
    pub(crate) fn prefix(&self) -> usize {
        let lengths = self.branch.parts.iter().map(|part| part.items("prefixItems").len());
        lengths.max().unwrap_or(0)
    }

    /// The tightest value of a keyword that counts.
    pub(crate) fn count(&self, keyword: &str) -> Option<u64> {
        let counts =
            self.branch.parts.iter().filter_map(|part| part.get(keyword)?.as_f64()).map(to_count);
        if keyword.starts_with("max") { counts.min() } else { counts.max() }
    }
}

/// The properties that a part declares.
pub(crate) fn properties<'d>(
    part: &Part<'d>,
) -> impl Iterator<Item = (&'d str, Part<'d>)> + use<'d> {
    let part = part.clone();
    let members = part.get("properties").and_then(Value::as_object).into_iter().flatten();
    members.filter_map(move |(name, _)| Some((name.as_str(), part.member("properties", name)?)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lowering keeps whole counts that are not negative; larger ones saturate"
)]
fn to_count(count: f64) -> u64 {
    count as u64
}

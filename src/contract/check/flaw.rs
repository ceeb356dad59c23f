//! Violations of a schema → flaws: what kind, where, what was expected, what shape was seen.
//!
//! Owns the meaning of each keyword, the filter for redacted places (there only type and structure are judged) and the
//! grouping. Unions are `union`'s. No value from traffic gets beyond this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::finding::Location;
use crate::model::kind::Kind;

use super::super::body::{Withheld, push_step};
use super::super::compile::{Detail, Step, Violation};
use super::super::lower::EVIDENCE;
use super::super::names::is_data;
use super::super::specification::Side;
use super::super::wire::Wire;

/// Flaws of one value.
const FLAWS_MAX: usize = 32;

/// More unexpected names in one object are the keys of a map.
const UNEXPECTED_MAX: usize = 16;

/// Longest expectation that is told in full, bytes of JSON.
const EXPECTED_BYTES_MAX: usize = 1_024;

/// One way in which a message leaves the contract.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::contract) struct Flaw {
    pub(in crate::contract) kind: Kind,
    pub(in crate::contract) location: Location,
    /// What the fingerprint holds of the violated keyword.
    pub(super) written: Value,
    pub(super) expected: Value,
    pub(super) observed: Value,
    pub(super) prior: Option<u64>,
}

impl Flaw {
    /// A flaw of a message rather than of a place in it.
    pub(in crate::contract) fn of_message(kind: Kind, expected: Value, observed: Value) -> Self {
        Self {
            kind,
            location: Location::default(),
            written: Value::Null,
            expected,
            observed,
            prior: None,
        }
    }

    pub(in crate::contract) fn at(mut self, pointer: impl Into<String>, keyword: &str) -> Self {
        self.location.pointer = pointer.into();
        keyword.clone_into(&mut self.location.keyword);
        self
    }

    pub(in crate::contract) fn written(mut self, written: Value) -> Self {
        self.written = written;
        self
    }
}

/// A value under judgement.
pub(super) struct Reading<'r> {
    pub(super) value: &'r Value,
    pub(super) withheld: &'r Withheld,
    pub(super) wire: Wire<'r>,
    /// Whether the strict form was asked: then its refusals are what is undocumented.
    pub(super) strict: bool,
}

impl Reading<'_> {
    /// The flaws of a value, grouped by kind, generalised pointer and keyword.
    pub(super) fn flaws(&self, violations: Vec<Violation>) -> Vec<Flaw> {
        let mut found = Vec::new();
        for violation in violations {
            self.read(violation, &mut found);
        }
        // What has another type cannot but fail the rest of what is said about it.
        let mistyped: BTreeSet<String> = found
            .iter()
            .filter(|(flaw, _)| matches!(flaw.kind, Kind::TypeChanged | Kind::NullUnexpected))
            .map(|(_, place)| place.clone())
            .collect();
        let mut grouped = BTreeMap::new();
        for (flaw, place) in found {
            let is_type = matches!(flaw.kind, Kind::TypeChanged | Kind::NullUnexpected);
            if is_type || !mistyped.contains(&place) {
                let key = (flaw.kind, flaw.location.clone());
                grouped.entry(key).or_insert(flaw);
            }
        }
        grouped.into_values().take(FLAWS_MAX).collect()
    }

    /// Appends what a violation means, each with its concrete place.
    pub(super) fn read(&self, violation: Violation, found: &mut Vec<(Flaw, String)>) {
        if !self.is_certain(&violation) {
            return;
        }
        let place = place(&violation.steps);
        match &violation.detail {
            Detail::Union(_) => self.read_union(violation, found),
            Detail::Missing(name) => {
                let expected = json!({"required": [name]});
                let step = Step::Name(name.clone());
                let flaw = self.flaw(Kind::FieldRequiredMissing, &violation, Some(&step));
                let flaw = Flaw { expected, observed: json!({"absent": true}), ..flaw };
                found.push((flaw.written(json!(name)), place));
            }
            Detail::Unexpected(names) => self.read_unexpected(names, &violation, found),
            Detail::Ambiguous => {
                found.push((self.flaw(Kind::UnionAmbiguous, &violation, None), place));
            }
            Detail::Forbidden if self.strict => {
                let side = match self.wire.side {
                    Side::Request => "readOnly",
                    Side::Response => "writeOnly",
                };
                let mut flaw = self.flaw(Kind::ReadWriteViolated, &violation, None);
                side.clone_into(&mut flaw.location.keyword);
                flaw.expected = json!({side: true});
                found.push((flaw.written(json!(true)), place));
            }
            Detail::Forbidden => {
                let flaw = self.flaw(Kind::FieldUndocumented, &violation, None);
                found.push((flaw, place));
            }
            Detail::Plain => {
                let kind = self.plain_kind(&violation);
                let mut flaw = self.flaw(kind, &violation, None);
                // What the declared form accepts and the strict one does not is a member of an open enum.
                if self.strict && kind == Kind::EnumWidened {
                    "x-extensible-enum".clone_into(&mut flaw.location.keyword);
                }
                found.push((flaw, place));
            }
        }
    }

    fn plain_kind(&self, violation: &Violation) -> Kind {
        let is_null = self.value_at(&violation.steps).is_some_and(Value::is_null)
            && self.wire.side == Side::Response;
        match violation.keyword {
            "type" | "enum" | "const" if is_null => Kind::NullUnexpected,
            "type" => Kind::TypeChanged,
            // An extensible enum asserts nothing; its strict form tells of members that are not listed.
            "enum" => Kind::EnumWidened,
            "const" => Kind::ConstChanged,
            "pattern" | "propertyNames" => Kind::PatternBroken,
            "format" => Kind::FormatBroken,
            "not" => Kind::UnionNoBranch,
            _ => Kind::BoundExceeded,
        }
    }

    /// A flaw at the place of a violation, or one step below it.
    pub(super) fn flaw(&self, kind: Kind, violation: &Violation, below: Option<&Step>) -> Flaw {
        let mut pointer = String::new();
        for step in violation.steps.iter().chain(below) {
            push_general(&mut pointer, step);
        }
        Flaw {
            kind,
            location: Location {
                pointer,
                keyword: violation.keyword.to_owned(),
                ..Location::default()
            },
            written: violation.written.clone(),
            expected: brief(violation.keyword, &violation.written),
            observed: self.observed(violation),
            prior: self.prior(violation),
        }
    }

    fn read_unexpected(
        &self,
        names: &[String],
        violation: &Violation,
        found: &mut Vec<(Flaw, String)>,
    ) {
        // The strict form may refuse a name that a branch documents, when another branch was the one that matched.
        let schema = self.wire.schemas.bundle(self.wire.side).pointer(&violation.schema);
        let documented = schema.map(|schema| self.wire.property_names(schema)).unwrap_or_default();
        let is_documented = |name: &&String| self.strict && documented.contains(&name.as_str());
        let names: Vec<&String> = names.iter().filter(|name| !is_documented(name)).collect();
        let base = place(&violation.steps);
        let keyword = if self.strict { "properties" } else { violation.keyword };
        let mut push = |step: Step, seen: Option<&Value>| {
            let mut flaw = self.flaw(Kind::FieldUndocumented, violation, Some(&step));
            keyword.clone_into(&mut flaw.location.keyword);
            flaw.expected = json!({"absent": true});
            flaw.observed = json!({"type": seen.map_or("any", type_name)});
            found.push((flaw.written(Value::Null), base.clone()));
        };
        let (data, names): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_data(name));
        if !data.is_empty() || names.len() > UNEXPECTED_MAX {
            push(Step::Key(String::new()), None);
        }
        if names.len() > UNEXPECTED_MAX {
            return;
        }
        for name in names {
            let seen = self.value_at(&violation.steps).and_then(|object| object.get(name));
            push(Step::Name(name.clone()), seen);
        }
    }

    /// Whether a violation would stand whatever the withheld values are.
    pub(super) fn is_certain(&self, violation: &Violation) -> bool {
        let is_conditional = |schema: &str| schema.contains("/then") || schema.contains("/else");
        if self.withheld.is_any() && is_conditional(&violation.schema) {
            return false;
        }
        match &violation.detail {
            Detail::Missing(_) | Detail::Unexpected(_) | Detail::Forbidden => return true,
            Detail::Union(branches) => {
                return branches
                    .iter()
                    .all(|branch| branch.iter().any(|violation| self.is_certain(violation)));
            }
            Detail::Plain | Detail::Ambiguous => {}
        }
        let structural = [
            "type",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "unevaluatedItems",
            "propertyNames",
        ];
        if structural.contains(&violation.keyword) {
            return true;
        }
        let place = place(&violation.steps);
        !self.withheld.covers(&place) && !self.withheld.is_below(&place)
    }

    pub(super) fn value_at(&self, steps: &[Step]) -> Option<&Value> {
        steps.iter().try_fold(self.value, |value, step| match step {
            Step::Name(name) | Step::Key(name) => value.get(name),
            Step::Item(index) => value.get(index),
        })
    }

    /// The shape of what is at the place of a violation.
    fn observed(&self, violation: &Violation) -> Value {
        let Some(value) = self.value_at(&violation.steps) else { return json!({"absent": true}) };
        let mut shape = Map::from_iter([("type".to_owned(), json!(type_name(value)))]);
        let keyword = violation.keyword;
        if let ("enum" | "const", Some(count)) =
            (keyword, violation.written.as_array().map(Vec::len).or(Some(1)))
        {
            shape.insert("not_among".to_owned(), json!(count));
        } else if !matches!(keyword, "type" | "required") {
            shape.insert("violates".to_owned(), json!(keyword));
        }
        Value::Object(shape)
    }

    /// How often the fact was seen from which the violated schema was learned: at the schema itself or around it.
    fn prior(&self, violation: &Violation) -> Option<u64> {
        let bundle = self.wire.schemas.bundle(self.wire.side);
        let mut place = violation.schema.as_str();
        while !place.is_empty() {
            let evidence = bundle.pointer(place).and_then(|schema| schema.get(EVIDENCE));
            if let Some(count) = evidence.and_then(|evidence| evidence.get("n")?.as_u64()) {
                return Some(count);
            }
            place = place.rsplit_once('/')?.0;
        }
        None
    }
}

/// The concrete JSON pointer of some steps.
pub(super) fn place(steps: &[Step]) -> String {
    let mut place = String::new();
    for step in steps {
        match step {
            Step::Name(name) | Step::Key(name) => push_step(&mut place, name),
            Step::Item(index) => push_step(&mut place, &index.to_string()),
        }
    }
    place
}

/// One step of a generalised pointer.
fn push_general(pointer: &mut String, step: &Step) {
    match step {
        Step::Name(name) => push_step(pointer, name),
        Step::Key(_) => push_step(pointer, "{}"),
        Step::Item(_) => push_step(pointer, "*"),
    }
}

/// What the contract says, short enough for an event.
pub(super) fn brief(keyword: &str, written: &Value) -> Value {
    let text = written.to_string();
    if text.len() <= EXPECTED_BYTES_MAX {
        return json!({keyword: written});
    }
    match written {
        Value::Array(items) => json!({keyword: {"members": items.len()}}),
        _ => json!({keyword: {"bytes": text.len()}}),
    }
}

/// JSON Schema's name of a value's type, the narrower one for numbers.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            if whole { "integer" } else { "number" }
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

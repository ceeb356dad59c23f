//! Facts that can be told without looking inside a value: lists, bounds, lengths, patterns, formats, and what is asked as a
//! whole (`not`, conditions).

use serde_json::{Value, json};

use super::super::super::algebra::{SchemaAlgebra, Tri};
use super::book::Part;
use super::branches::{Branch, members};
use super::compare::Comparer;
use super::facts::{refers, scalar_schema};
use super::number;
use super::suspect::{Doubt, Suspect};
use super::types::Type;

const NUMBERS: &[&str] =
    &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TEXTS: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const ARRAYS: &[&str] = &["minItems", "maxItems", "uniqueItems"];
const OBJECTS: &[&str] = &["minProperties", "maxProperties"];

/// Keywords that are compared as a whole: equal on both sides, or undecided.
const OPAQUE: &[&[&str]] = &[
    &["not"],
    &["if", "then", "else"],
    &["contains", "minContains", "maxContains"],
    &["dependentSchemas"],
    &["unevaluatedItems"],
];

impl<'d> Comparer<'d> {
    pub(super) fn scalar_facts(
        &self,
        from: &Branch<'d>,
        to: &Branch<'d>,
        kind: Type,
    ) -> Vec<Suspect> {
        let keywords: &[&str] = match kind {
            Type::Integer | Type::Fraction => NUMBERS,
            Type::String => TEXTS,
            Type::Array => ARRAYS,
            Type::Object => OBJECTS,
            Type::Boolean | Type::Null => &[],
        };
        let mut found = Vec::new();
        for part in &to.parts {
            for keyword in ["enum", "const"].iter().chain(keywords) {
                let Some(value) = part.get(keyword) else { continue };
                if !implies(&from.parts, keyword, value, kind) {
                    found.extend(self.doubted(from, part, (keyword, value), kind));
                }
            }
        }
        found
    }

    /// A fact that is not implied by one of the sender's: shown by a value, or proven all the same.
    fn doubted(
        &self,
        from: &Branch<'d>,
        part: &Part<'d>,
        (keyword, value): (&str, &Value),
        kind: Type,
    ) -> Option<Suspect> {
        let fact = json!({keyword: value});
        let own = json!({"allOf": [scalar_schema(&from.parts), kind.schema()]});
        let suspect =
            |candidates: Vec<Value>| Suspect::new(part.place.clone(), keyword, candidates);
        if let Some(values) = members(&from.parts) {
            let sent = values.into_iter().filter(|value| self.algebra.accepts(&own, value));
            let lost: Vec<Value> =
                sent.filter(|value| !self.algebra.accepts(&fact, value)).cloned().collect();
            return (!lost.is_empty()).then(|| suspect(lost));
        }
        let mut around = from.parts.clone();
        around.push(part.clone());
        let mut pool = self.sampler().pool(&around, kind);
        if matches!(kind, Type::Array | Type::Object) {
            pool.extend(self.sampler().pool(&from.parts, kind));
        }
        let mut candidates: Vec<Value> = pool
            .into_iter()
            .filter(|value| Type::of(value) == kind || kind == Type::Fraction && value.is_number())
            .filter(|value| self.algebra.accepts(&own, value))
            .filter(|value| !self.algebra.accepts(&fact, value))
            .collect();
        let is_leaf = !matches!(kind, Type::Array | Type::Object);
        if candidates.is_empty() && is_leaf {
            candidates = self.left_over(&own, &fact);
        }
        if candidates.is_empty() && is_leaf && self.algebra.covers(&fact, &own) == Tri::Yes {
            return None;
        }
        Some(suspect(candidates))
    }

    /// Values that the algebra names as accepted by one schema alone.
    fn left_over(&self, own: &Value, fact: &Value) -> Vec<Value> {
        let Some(rest) = self.algebra.difference(own, fact) else { return Vec::new() };
        let listed = rest.get("enum").and_then(Value::as_array).into_iter().flatten();
        let single = ["const", "minimum", "maximum"].iter().filter_map(|name| rest.get(*name));
        let found = listed.chain(single).filter(|value| self.algebra.accepts(own, value));
        found.filter(|value| !self.algebra.accepts(fact, value)).cloned().collect()
    }

    /// Keywords that are not taken apart.
    pub(super) fn opaque_facts(
        &self,
        from: &Branch<'d>,
        to: &Branch<'d>,
        kind: Type,
    ) -> Vec<Suspect> {
        let mut found = Vec::new();
        for part in &to.parts {
            for group in OPAQUE {
                if !group.iter().any(|keyword| part.get(keyword).is_some())
                    || !concerns(group[0], kind)
                    || from.parts.iter().any(|own| self.is_equal_in(own, part, group))
                {
                    continue;
                }
                found.extend(self.opaque_fact(from, part, group, kind));
            }
        }
        found
    }

    fn is_equal_in(&self, own: &Part<'d>, other: &Part<'d>, group: &[&str]) -> bool {
        group.iter().all(|keyword| match (own.child(keyword), other.child(keyword)) {
            (Some(own), Some(other)) => self.is_same(&own, &other),
            (None, None) => true,
            _ => false,
        })
    }

    fn opaque_fact(
        &self,
        from: &Branch<'d>,
        part: &Part<'d>,
        group: &[&str],
        kind: Type,
    ) -> Option<Suspect> {
        let fact: Value = group
            .iter()
            .filter_map(|keyword| Some(((*keyword).to_owned(), part.get(keyword)?.clone())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut candidates = Vec::new();
        if !refers(&fact) {
            let own = json!({"allOf": [scalar_schema(&from.parts), kind.schema()]});
            if self.algebra.covers(&fact, &own) == Tri::Yes {
                return None;
            }
            let mut around = from.parts.clone();
            around.extend(part.child("not").or_else(|| part.child("if")));
            let sampler = self.sampler();
            candidates = sampler.samples(&around, kind);
            candidates.extend(sampler.samples(&from.parts, kind));
            if matches!(kind, Type::String | Type::Integer | Type::Fraction) {
                candidates.extend(sampler.pool(&around, kind));
            }
            candidates.retain(|value| !self.algebra.accepts(&fact, value));
        }
        let suspect = Suspect::new(part.place.clone(), group[0], candidates);
        Some(suspect.because(Doubt::Unsupported))
    }
}

/// Whether a group of keywords says anything about values of a type.
fn concerns(keyword: &str, kind: Type) -> bool {
    match keyword {
        "contains" | "unevaluatedItems" => kind == Type::Array,
        "dependentSchemas" => kind == Type::Object,
        _ => true,
    }
}

/// Whether some sender's part says at least this much.
fn implies(parts: &[Part<'_>], keyword: &str, value: &Value, kind: Type) -> bool {
    if parts.iter().any(|part| part.get(keyword) == Some(value)) {
        return true;
    }
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            number::implies(parts, keyword, value, kind)
        }
        "multipleOf" => number::divides(parts, value, kind),
        "uniqueItems" => {
            value == &Value::Bool(false)
                || parts
                    .iter()
                    .filter_map(|part| part.get("maxItems")?.as_u64())
                    .any(|most| most < 2)
        }
        "minLength" | "minItems" | "minProperties" => {
            let wanted = value.as_f64().unwrap_or(f64::MAX);
            wanted <= 0.0
                || parts
                    .iter()
                    .filter_map(|part| part.get(keyword)?.as_f64())
                    .any(|own| own >= wanted)
                || keyword == "minProperties"
                    && value
                        .as_u64()
                        .is_some_and(|least| super::branches::required(parts).len() as u64 >= least)
        }
        "maxLength" | "maxItems" | "maxProperties" => {
            let wanted = value.as_f64().unwrap_or(-1.0);
            parts.iter().filter_map(|part| part.get(keyword)?.as_f64()).any(|own| own <= wanted)
        }
        _ => false,
    }
}

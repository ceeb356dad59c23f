//! Types, lists, bounds, patterns and defaults.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::super::inclusion::types::{Type, Types};
use super::view::View;
use super::{Naming, Pair, Subject, Walk, Written};
use crate::model::finding::Verdict;

/// Keyword, stem of its labels, keywords under which a tighter one may be found.
const BOUNDS: &[(&str, &str, &[&str])] = &[
    ("maximum", "max", &["maximum", "exclusiveMaximum"]),
    ("minimum", "min", &["minimum", "exclusiveMinimum"]),
    ("exclusiveMaximum", "exclusive-max", &["exclusiveMaximum", "maximum"]),
    ("exclusiveMinimum", "exclusive-min", &["exclusiveMinimum", "minimum"]),
    ("maxLength", "max-length", &["maxLength"]),
    ("minLength", "min-length", &["minLength"]),
    ("maxItems", "max-items", &["maxItems"]),
    ("minItems", "min-items", &["minItems"]),
    ("maxContains", "max-contains", &["contains"]),
    ("minContains", "min-contains", &["contains"]),
    ("maxProperties", "max-properties", &["maxProperties"]),
    ("minProperties", "min-properties", &["minProperties"]),
];

impl Walk<'_> {
    pub(super) fn scalars(&mut self, pair: &Pair<'_, '_>) {
        self.types(pair);
        self.lists(pair);
        for (keyword, stem, keywords) in BOUNDS {
            self.bound(pair, keyword, stem, keywords);
        }
        self.patterns(pair);
        self.steps(pair);
        self.defaults(pair);
    }

    fn types(&mut self, pair: &Pair<'_, '_>) {
        const KEYWORDS: &[&str] = &["type", "format", "enum", "const", "oneOf", "anyOf"];
        let (old, new) = (pair.old.types(), pair.new.types());
        let null = Types::one(Type::Null);
        let between = |naming: Naming, keyword: &str| {
            let at = |view: &View<'_>| view.first(keyword).or_else(|| view.shown());
            naming.between(at(pair.old), at(pair.new))
        };
        let naming =
            |keyword: &'static str| between(Naming::new(String::new(), keyword, KEYWORDS), keyword);
        let is_open = |types: Types| types == Types::ANY;
        if old.has(Type::Null) != new.has(Type::Null) && !is_open(old) && !is_open(new) {
            let stem = if new.has(Type::Null) { "became-nullable" } else { "became-not-nullable" };
            self.note_here(pair, stem, naming("type"));
        }
        let (rest_old, rest_new) = if is_open(old) || is_open(new) {
            (old, new)
        } else {
            (old.without(null), new.without(null))
        };
        if rest_old != rest_new {
            self.note_here(pair, type_stem(rest_old, rest_new, pair), naming("type"));
            return;
        }
        let formats = |view: &View<'_>| -> BTreeSet<String> {
            let written = view.parts.iter().filter_map(|part| part.get("format")?.as_str());
            written.map(str::to_owned).collect()
        };
        let (old, new) = (formats(pair.old), formats(pair.new));
        if old != new {
            let stem = match (old.is_subset(&new), new.is_subset(&old)) {
                (true, _) => "type-specialized",
                (_, true) => "type-generalized",
                _ => "type-changed",
            };
            self.note_here(pair, stem, naming("format"));
        }
    }

    fn lists(&mut self, pair: &Pair<'_, '_>) {
        const KEYWORDS: &[&str] = &["enum", "const", "type"];
        let constant = |view: &View<'_>| view.first("const");
        let (old_const, new_const) = (constant(pair.old), constant(pair.new));
        let (old, new) = (listed(pair.old), listed(pair.new));
        if old == new {
            return;
        }
        let naming = |keyword: &'static str| {
            let at = |view: &View<'_>| view.first("enum").or_else(|| view.first("const"));
            Naming::new(String::new(), keyword, KEYWORDS).between(at(pair.old), at(pair.new))
        };
        match (&old_const, &new_const) {
            (Some(_), Some(_)) => self.note_here(pair, "const-changed", naming("const")),
            (Some(_), None) if new.is_none() => {
                self.note_here(pair, "const-removed", naming("const"));
            }
            (None, Some(_)) if old.is_none() => {
                self.note_here(pair, "const-added", naming("const"));
            }
            _ => self.enums(pair, old, new, &naming),
        }
    }

    fn enums(
        &mut self,
        pair: &Pair<'_, '_>,
        old: Option<Vec<Value>>,
        new: Option<Vec<Value>>,
        naming: &dyn Fn(&'static str) -> Naming,
    ) {
        match (old, new) {
            (None, Some(_)) => self.note_here(pair, "became-enum", naming("enum")),
            (Some(_), None) => self.note_here(pair, "no-longer-enum", naming("enum")),
            (Some(old), Some(new)) => {
                let lost: Vec<Value> =
                    old.iter().filter(|value| !new.contains(value)).cloned().collect();
                let won: Vec<Value> =
                    new.iter().filter(|value| !old.contains(value)).cloned().collect();
                for (values, stem) in [(lost, "enum-value-removed"), (won, "enum-value-added")] {
                    if values.is_empty() {
                        continue;
                    }
                    let mut naming = naming("enum");
                    let side =
                        if stem.ends_with("removed") { &mut naming.old } else { &mut naming.new };
                    if let Some(written) = side {
                        written.value = Value::Array(values);
                    }
                    self.note_here(pair, stem, naming);
                }
            }
            (None, None) => {}
        }
    }

    fn bound(
        &mut self,
        pair: &Pair<'_, '_>,
        keyword: &'static str,
        stem: &str,
        keywords: &'static [&'static str],
    ) {
        let tightest = |view: &View<'_>| -> Option<Written> {
            let written = view.parts.iter().filter_map(|part| {
                let value = part.get(keyword)?.clone();
                Some(Written { place: part.place.below(keyword), value })
            });
            written.reduce(|left, right| {
                let (one, other) = (left.value.as_f64(), right.value.as_f64());
                if (one < other) == stem.contains("max") { left } else { right }
            })
        };
        let (old, new) = (tightest(pair.old), tightest(pair.new));
        let step = match (&old, &new) {
            (None, None) => return,
            (None, Some(_)) => "set",
            (Some(_), None) => "unset",
            (Some(old), Some(new)) => match old.value.as_f64().partial_cmp(&new.value.as_f64()) {
                Some(Ordering::Less) => "increased",
                Some(Ordering::Greater) => "decreased",
                _ => return,
            },
        };
        let naming = Naming::new(String::new(), keyword, keywords).between(old, new);
        self.note_here(pair, &format!("{stem}-{step}"), naming);
    }

    fn patterns(&mut self, pair: &Pair<'_, '_>) {
        self.changed(pair, &["pattern"], "pattern", &["added", "removed", "changed"]);
    }

    fn steps(&mut self, pair: &Pair<'_, '_>) {
        let steps = ["set", "unset", "changed"];
        self.changed(pair, &["multipleOf"], "multiple-of", &steps);
        let unique = |view: &View<'_>| {
            view.parts.iter().any(|part| part.get("uniqueItems") == Some(&Value::Bool(true)))
        };
        let (old, new) = (unique(pair.old), unique(pair.new));
        if old != new {
            let stem = if new { "unique-items-set" } else { "unique-items-unset" };
            let naming = Naming::new(String::new(), "uniqueItems", &["uniqueItems"])
                .between(pair.old.first("uniqueItems"), pair.new.first("uniqueItems"));
            self.note_here(pair, stem, naming);
        }
    }

    /// A keyword that came, went, or has another value.
    fn changed(
        &mut self,
        pair: &Pair<'_, '_>,
        keywords: &'static [&'static str; 1],
        stem: &str,
        steps: &[&str; 3],
    ) {
        let [keyword] = *keywords;
        let values = |view: &View<'_>| -> BTreeSet<String> {
            let written = view.parts.iter().filter_map(|part| part.get(keyword));
            written.map(Value::to_string).collect()
        };
        let (old, new) = (values(pair.old), values(pair.new));
        if old == new {
            return;
        }
        let step = match (old.is_empty(), new.is_empty()) {
            (true, _) => steps[0],
            (_, true) => steps[1],
            _ => steps[2],
        };
        let naming = Naming::new(String::new(), keyword, keywords)
            .between(pair.old.first(keyword), pair.new.first(keyword));
        self.note_here(pair, &format!("{stem}-{step}"), naming);
    }

    fn defaults(&mut self, pair: &Pair<'_, '_>) {
        let (old, new) = (pair.old.annotation("default"), pair.new.annotation("default"));
        let step = match (&old, &new) {
            (None, None) => return,
            (Some(old), Some(new)) if old.value == new.value => return,
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let mut naming = Naming::new(String::new(), "default", &[]).between(old, new);
        let is_request = matches!(self.subject, Subject::RequestBody | Subject::Parameter);
        if is_request && step != "added" {
            naming = naming.at_least(Verdict::PotentiallyBreaking);
        }
        self.note_here(pair, &format!("default-value-{step}"), naming);
    }
}

/// Listed values without null, which is told by itself.
fn listed(view: &View<'_>) -> Option<Vec<Value>> {
    let values = super::super::inclusion::branches::members(&view.parts)?;
    let mut values: Vec<Value> =
        values.into_iter().filter(|value| !value.is_null()).cloned().collect();
    values.sort_by_key(Value::to_string);
    values.dedup();
    Some(values)
}

fn type_stem(old: Types, new: Types, pair: &Pair<'_, '_>) -> &'static str {
    let is_list = |view: &View<'_>| {
        let several = |value: &Value| {
            value.as_array().is_some_and(|names| {
                names.iter().filter(|name| name.as_str() != Some("null")).count() > 1
            })
        };
        view.parts.iter().any(|part| part.get("type").is_some_and(several))
    };
    let lists = is_list(pair.old) || is_list(pair.new);
    match (old.and(new) == old, old.and(new) == new) {
        (true, _) if lists => "list-of-types-widened",
        (true, _) => "type-generalized",
        (_, true) if lists => "list-of-types-narrowed",
        (_, true) => "type-specialized",
        _ => "type-changed",
    }
}

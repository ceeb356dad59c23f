//! Types, lists, bounds, patterns and defaults.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::super::inclusion::book::Part;
use super::super::inclusion::types::{Type, Types};
use super::view::View;
use super::{Naming, Pair, Subject, Walk, Written};

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
        const KEYWORDS: &[&str] = &["type", "enum", "const", "oneOf", "anyOf"];
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
        // Branches of unions are told one by one.
        let have_unions = !pair.old.unions.is_empty() && !pair.new.unions.is_empty();
        if rest_old != rest_new && !have_unions {
            self.note_here(pair, type_stem(rest_old, rest_new, pair), naming("type"));
            return;
        }
        self.formats(pair);
    }

    /// `format`, and the widths that lowering writes as bounds.
    fn formats(&mut self, pair: &Pair<'_, '_>) {
        const KEYWORDS: &[&str] = &["format", "minimum", "maximum"];
        let is_bounded = |view: &View<'_>| {
            let has = |bound: &str| view.parts.iter().any(|part| part.get(bound).is_some());
            has("minimum") && has("maximum")
        };
        let (old, new) = (formats(pair.old), formats(pair.new));
        // Between two written bounds a width asks nothing and left no trace.
        let is_hidden =
            old.is_empty() && is_bounded(pair.old) || new.is_empty() && is_bounded(pair.new);
        if old == new || is_hidden {
            return;
        }
        let stem = match (old.is_subset(&new), new.is_subset(&old)) {
            _ if is_wider(&new, &old) => "type-generalized",
            _ if is_wider(&old, &new) => "type-specialized",
            (true, _) => "type-specialized",
            (_, true) => "type-generalized",
            _ => "type-changed",
        };
        let at = |view: &View<'_>, names: &BTreeSet<&str>| -> Option<Written> {
            let place = view.first("format").or_else(|| view.shown())?.place;
            let name = names.iter().next().copied().unwrap_or("no format");
            Some(Written { place, value: Value::from(name) })
        };
        let naming = Naming::new(String::new(), "format", KEYWORDS);
        let naming = naming.between(at(pair.old, &old), at(pair.new, &new));
        self.note_here(pair, stem, naming);
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
                let value = part.get(keyword).filter(|value| width_of(value).is_none())?.clone();
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
        let is_text = matches!(self.subject, Subject::Parameter | Subject::Header);
        let spelled = |written: &Written| match &written.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let step = match (&old, &new) {
            (None, None) => return,
            (Some(old), Some(new)) if old.value == new.value => return,
            (Some(old), Some(new)) if is_text && spelled(old) == spelled(new) => return,
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        let mut naming = Naming::new(String::new(), "default", &[]).between(old, new);
        let is_request = matches!(self.subject, Subject::RequestBody | Subject::Parameter);
        if is_request && step != "added" {
            naming = naming.undecided();
        }
        if is_request && step != "removed" {
            naming = naming.undecided_forward();
        }
        self.note_here(pair, &format!("default-value-{step}"), naming);
    }
}

/// The format that lowering wrote as this bound.
fn width_of(bound: &Value) -> Option<&'static str> {
    match bound.as_i64()? {
        limit if limit == i64::from(i32::MIN) || limit == i64::from(i32::MAX) => Some("int32"),
        i64::MIN | i64::MAX => Some("int64"),
        _ => None,
    }
}

fn formats<'d>(view: &View<'d>) -> BTreeSet<&'d str> {
    let written = view.parts.iter().filter_map(|part| part.get("format")?.as_str());
    let widths = view.parts.iter().filter_map(|part| -> Option<&'d str> { width(part) });
    written.chain(widths).collect()
}

fn width(part: &Part<'_>) -> Option<&'static str> {
    let bounds = ["minimum", "maximum"].into_iter();
    bounds.filter_map(|bound| part.get(bound)).find_map(width_of)
}

/// Whether one width of integers holds the other.
fn is_wider(wide: &BTreeSet<&str>, narrow: &BTreeSet<&str>) -> bool {
    wide.contains("int64") && narrow.contains("int32")
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

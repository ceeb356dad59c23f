//! Properties, required names, and what objects allow beside them; items of arrays.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::inclusion::book::{Part, is_marked};
use super::view::View;
use super::{Naming, Pair, Subject, Walk, Written};
use crate::model::problem::pointer;

/// Keywords under which inclusion speaks of a name that may not be there, or must.
const NAMES: &[&str] =
    &["additionalProperties", "unevaluatedProperties", "propertyNames", "properties", "required"];

impl<'d> Walk<'d> {
    pub(super) fn objects(&mut self, pair: &Pair<'_, 'd>) {
        let (old, new) = (pair.old.properties(), pair.new.properties());
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => {
                    self.flags(pair, name, (&old[0], &new[0]));
                    self.later(old.clone(), new.clone(), pointer(pair.path, name));
                }
                (Some(old), None) => self.removed(pair, name, &old[0]),
                (None, Some(new)) => self.added(pair, name, &new[0]),
                (None, None) => {}
            }
        }
        self.required(pair);
        self.extras(pair);
        self.present(pair, "propertyNames", "property-names");
        self.present(pair, "dependentSchemas", "dependent-schema");
        self.present(pair, "unevaluatedProperties", "unevaluated-properties");
        self.dependent(pair);
        self.pattern_properties(pair);
    }

    fn added(&mut self, pair: &Pair<'_, 'd>, name: &str, part: &Part<'d>) {
        let required = pair.new.required().contains(name);
        let optional = if required { "required" } else { "optional" };
        let has_default = part.annotated().is_some_and(|schema| schema.get("default").is_some());
        let label = match self.subject {
            Subject::RequestBody if required && has_default => {
                "new-required-request-property-with-default".to_owned()
            }
            Subject::RequestBody => format!("new-{optional}-request-property"),
            Subject::ResponseBody => response_label(part, optional, "added"),
            Subject::Parameter | Subject::Header => return,
        };
        let mut naming =
            Naming::new(label, "properties", NAMES).about(name).between(None, Some(written(part)));
        if !part.book.is_foreign(part) {
            naming = naming.undecided_forward();
        }
        self.note(pair, pointer(pair.path, name), naming);
    }

    fn removed(&mut self, pair: &Pair<'_, 'd>, name: &str, part: &Part<'d>) {
        let required = pair.old.required().contains(name);
        let optional = if required { "required" } else { "optional" };
        let foreign = part.book.is_foreign(part);
        let label = match self.subject {
            Subject::RequestBody => "request-property-removed".to_owned(),
            Subject::ResponseBody => response_label(part, optional, "removed"),
            Subject::Parameter | Subject::Header => return,
        };
        let mut naming =
            Naming::new(label, "properties", NAMES).about(name).between(Some(written(part)), None);
        // Whether anybody depends on it, no document says. A required one is proven to be missed.
        if !foreign {
            naming = naming.undecided();
        }
        self.note(pair, pointer(pair.path, name), naming);
    }

    fn required(&mut self, pair: &Pair<'_, 'd>) {
        let (old, new) = (pair.old.required(), pair.new.required());
        let (old_names, new_names) = (pair.old.properties(), pair.new.properties());
        let changed: BTreeSet<&str> = old.symmetric_difference(&new).copied().collect();
        for name in changed {
            // A property that came or went is told as such.
            if old_names.contains_key(name) != new_names.contains_key(name) {
                continue;
            }
            let became = if new.contains(name) { "required" } else { "optional" };
            let part = new_names.get(name).or_else(|| old_names.get(name)).map(|parts| &parts[0]);
            let has_default =
                part.and_then(Part::annotated).is_some_and(|s| s.get("default").is_some());
            let label = match self.subject {
                Subject::RequestBody if became == "required" && has_default => {
                    "request-property-became-required-with-default".to_owned()
                }
                Subject::RequestBody => format!("request-property-became-{became}"),
                Subject::ResponseBody if part.is_some_and(|part| part.book.is_foreign(part)) => {
                    format!("response-write-only-property-became-{became}")
                }
                Subject::ResponseBody => format!("response-property-became-{became}"),
                Subject::Parameter | Subject::Header => continue,
            };
            let at = |view: &View<'_>| {
                let mut shown = view.first("required").or_else(|| view.shown())?;
                shown.value = json!(view.required().contains(name));
                Some(shown)
            };
            let naming = Naming::new(label, "required", &["required", "dependentRequired"])
                .about(name)
                .between(at(pair.old), at(pair.new));
            self.note(pair, pointer(pair.path, name), naming);
        }
    }

    /// Flags of a property that both sides have.
    fn flags(&mut self, pair: &Pair<'_, 'd>, name: &str, (old, new): (&Part<'d>, &Part<'d>)) {
        let way = match self.subject {
            Subject::RequestBody => "request",
            Subject::ResponseBody => "response",
            Subject::Parameter | Subject::Header => return,
        };
        let is_required = [&pair.old, &pair.new].iter().any(|view| view.required().contains(name));
        let optional = if is_required { "required" } else { "optional" };
        for (keyword, word) in [("readOnly", "read-only"), ("writeOnly", "write-only")] {
            let (was, is) = (is_marked(old, keyword, 0), is_marked(new, keyword, 0));
            if was == is {
                continue;
            }
            let not = if is { "" } else { "not-" };
            let label = format!("{way}-{optional}-property-became-{not}{word}");
            let keywords: &[&str] =
                if (keyword == "readOnly") == (way == "request") { &["required"] } else { &[] };
            let mut naming = Naming::new(label, keyword, keywords)
                .about(name)
                .between(Some(written(old)), Some(written(new)));
            if !keywords.is_empty() {
                naming = if is { naming.undecided() } else { naming.undecided_forward() };
            }
            self.note(pair, pointer(pair.path, name), naming);
        }
        let deprecated = |part: &Part<'_>| {
            let own = part.annotated().and_then(|schema| schema.get("deprecated"));
            let target = part.resolved();
            own.or(target.annotated().and_then(|schema| schema.get("deprecated")))
                == Some(&Value::Bool(true))
        };
        let (was, is) = (deprecated(old), deprecated(new));
        if was != is {
            let word = if is { "deprecated" } else { "reactivated" };
            let naming = Naming::new(format!("{way}-property-{word}"), "deprecated", &[])
                .between(Some(written(old)), Some(written(new)));
            self.note(pair, pointer(pair.path, name), naming);
        }
    }

    /// Names beside the declared ones.
    fn extras(&mut self, pair: &Pair<'_, 'd>) {
        const KEYWORD: &str = "additionalProperties";
        const KEYWORDS: &[&str] = &[KEYWORD, "unevaluatedProperties"];
        let closed =
            |parts: &[Part<'_>]| parts.iter().any(|part| part.schema == &Value::Bool(false));
        let (old, new) = (pair.old.child(KEYWORD), pair.new.child(KEYWORD));
        let naming = Naming::new(String::new(), KEYWORD, KEYWORDS)
            .between(pair.old.first(KEYWORD), pair.new.first(KEYWORD));
        match (closed(&old), closed(&new)) {
            (false, true) => {
                let naming = match self.subject {
                    Subject::RequestBody if old.is_empty() => naming.undecided(),
                    _ => naming,
                };
                self.note_here(pair, "additional-properties-closed", naming);
            }
            (true, false) => {
                let naming = match self.subject {
                    Subject::RequestBody if new.is_empty() => naming.undecided_forward(),
                    _ => naming,
                };
                self.note_here(pair, "additional-properties-opened", naming);
            }
            (true, true) => {}
            (false, false) if old.is_empty() != new.is_empty() => {
                self.note_here(pair, "additional-properties-changed", naming);
                self.later(old, new, pointer(pair.path, "{}"));
            }
            (false, false) => self.later(old, new, pointer(pair.path, "{}")),
        }
    }

    /// A keyword of which only presence is told.
    pub(super) fn present(&mut self, pair: &Pair<'_, 'd>, keyword: &'static str, stem: &str) {
        const KEYWORDS: &[&str] = &[
            "propertyNames",
            "dependentSchemas",
            "unevaluatedProperties",
            "unevaluatedItems",
            "contains",
            "not",
            "if",
        ];
        let (old, new) = (pair.old.first(keyword), pair.new.first(keyword));
        let step = match (&old, &new) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            _ => return,
        };
        let naming = Naming::new(String::new(), keyword, KEYWORDS).between(old, new);
        self.note_here(pair, &format!("{stem}-{step}"), naming);
    }

    fn dependent(&mut self, pair: &Pair<'_, 'd>) {
        const KEYWORD: &str = "dependentRequired";
        let (old, new) = (pair.old.first(KEYWORD), pair.new.first(KEYWORD));
        let step = match (&old, &new) {
            (None, None) => return,
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(old), Some(new)) if old.value == new.value => return,
            (Some(_), Some(_)) => "changed",
        };
        let naming = Naming::new(String::new(), KEYWORD, &[KEYWORD]).between(old, new);
        self.note_here(pair, &format!("dependent-required-{step}"), naming);
    }

    fn pattern_properties(&mut self, pair: &Pair<'_, 'd>) {
        const KEYWORD: &str = "patternProperties";
        let of = |view: &View<'d>| -> Vec<(String, Part<'d>)> {
            let patterns = view.parts.iter().flat_map(|part| {
                let names = part.get(KEYWORD).and_then(Value::as_object).into_iter().flatten();
                names.filter_map(|(name, _)| Some((name.clone(), part.member(KEYWORD, name)?)))
            });
            patterns.collect()
        };
        let (old, new) = (of(pair.old), of(pair.new));
        for (pattern, part) in &old {
            if let Some((_, other)) = new.iter().find(|(other, _)| other == pattern) {
                self.later(vec![part.clone()], vec![other.clone()], pointer(pair.path, "{}"));
            } else {
                let naming = Naming::new(String::new(), KEYWORD, &[KEYWORD])
                    .between(Some(written(part)), None);
                self.note_here(pair, "pattern-property-removed", naming);
            }
        }
        for (_, part) in new.iter().filter(|(name, _)| !old.iter().any(|(other, _)| other == name))
        {
            let naming =
                Naming::new(String::new(), KEYWORD, &[KEYWORD]).between(None, Some(written(part)));
            self.note_here(pair, "pattern-property-added", naming);
        }
    }

    pub(super) fn arrays(&mut self, pair: &Pair<'_, 'd>) {
        let (old, new) = (pair.old.child("items"), pair.new.child("items"));
        if !old.is_empty() || !new.is_empty() {
            self.later(old, new, pointer(pair.path, "*"));
        }
        let prefix = |view: &View<'d>| -> Vec<Part<'d>> {
            view.parts.iter().flat_map(|part| part.items("prefixItems")).collect()
        };
        let (old, new) = (prefix(pair.old), prefix(pair.new));
        for (old, new) in old.iter().zip(&new) {
            self.later(vec![old.clone()], vec![new.clone()], pointer(pair.path, "*"));
        }
        if old.len() != new.len() {
            let stem =
                if new.len() > old.len() { "prefix-items-added" } else { "prefix-items-removed" };
            let naming = Naming::new(String::new(), "prefixItems", &["type", "prefixItems"])
                .between(pair.old.first("prefixItems"), pair.new.first("prefixItems"));
            self.note_here(pair, stem, naming);
        }
        self.present(pair, "contains", "contains");
        self.present(pair, "unevaluatedItems", "unevaluated-items");
    }
}

fn response_label(part: &Part<'_>, optional: &str, step: &str) -> String {
    let write_only = if part.book.is_foreign(part) { "write-only-" } else { "" };
    format!("response-{optional}-{write_only}property-{step}")
}

fn written(part: &Part<'_>) -> Written {
    Written { place: part.place.clone(), value: part.schema.clone() }
}

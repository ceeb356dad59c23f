//! What a composition declares, seen from its outermost schema.
//!
//! Owns the questions that need `$ref`, `allOf`, `anyOf` and `oneOf` at once: which property names are declared, which of
//! them belong to the other side, and whether closing the object would refuse what somebody declared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::load::documents::Documents;
use super::super::specification::{Dialect, Side};

/// Deepest composition that is looked through.
const DEPTH_MAX: usize = 32;

#[derive(Debug, Default, Clone)]
pub(super) struct Survey {
    /// Declared names; whether the value may be an object or array.
    names: BTreeMap<String, bool>,
    /// Names of the other side: readOnly in requests, writeOnly in responses.
    pub(super) foreign: BTreeSet<String>,
    /// Something in there allows any names: a base class, a branch without properties.
    open: bool,
    /// A nested object is described by two parts: neither knows all of its names.
    pub(super) split: bool,
}

/// Where and for whom to look.
#[derive(Clone, Copy)]
pub(super) struct View<'d> {
    pub(super) documents: &'d Documents,
    pub(super) dialect: Dialect,
    pub(super) side: Side,
}

impl Survey {
    /// Looks at a schema with everything that applies in its place.
    pub(super) fn of(view: View<'_>, schema: &Value, document: usize) -> Self {
        let mut survey = Self::default();
        survey.look(view, schema, document, 0);
        survey
    }

    /// Whether an object with other names than the declared ones says something undocumented.
    pub(super) fn is_record(&self) -> bool {
        !self.names.is_empty() && !self.open
    }

    fn look(&mut self, view: View<'_>, schema: &Value, document: usize, depth: usize) {
        let Some(members) = schema.as_object().filter(|_| depth < DEPTH_MAX) else { return };
        let reference = schema.get("$ref").and_then(Value::as_str);
        if let Some(next) = reference.and_then(|text| view.documents.find(document, text)) {
            let mut part = Self::default();
            part.look(view, next.value, next.document, depth + 1);
            self.join(part, true);
            if view.dialect != Dialect::OpenApi31 {
                return;
            }
        }
        self.look_at_properties(view, schema, document);
        let unions = ["oneOf", "anyOf"].iter().filter_map(|keyword| members.get(*keyword));
        let mut has_union = false;
        for union in unions.filter_map(Value::as_array) {
            has_union = true;
            let mut whole = Self::default();
            for branch in union {
                let mut part = Self::default();
                part.look(view, branch, document, depth + 1);
                part.open |= part.names.is_empty() && may_hold_names(view, branch, document);
                whole.join(part, false);
            }
            self.join(whole, true);
        }
        // A base class without a list of its subtypes: they may add what they like.
        self.open |= members.contains_key("discriminator") && !has_union;
        for part in in_place(schema) {
            let mut found = Self::default();
            found.look(view, part, document, depth + 1);
            self.join(found, true);
        }
    }

    fn look_at_properties(&mut self, view: View<'_>, schema: &Value, document: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if is_foreign(view, property, document) {
                self.foreign.insert(name.clone());
            }
            let nested = may_hold_names(view, property, document);
            self.names.entry(name.clone()).and_modify(|known| *known |= nested).or_insert(nested);
        }
    }

    /// Takes in another part. `together`: both apply at once, so a nested object in both is split.
    fn join(&mut self, part: Self, together: bool) {
        self.open |= part.open;
        self.split |= part.split;
        self.foreign.extend(part.foreign);
        for (name, nested) in part.names {
            match self.names.get_mut(&name) {
                Some(known) => {
                    self.split |= together && nested && *known;
                    *known |= nested;
                }
                None => drop(self.names.insert(name, nested)),
            }
        }
    }
}

/// Whether a property belongs to the other side alone.
pub(super) fn is_foreign(view: View<'_>, property: &Value, document: usize) -> bool {
    let keyword = match view.side {
        Side::Request => "readOnly",
        Side::Response => "writeOnly",
    };
    let says = |schema: &Value| schema.get(keyword).and_then(Value::as_bool).unwrap_or(false);
    says(property) || target(view, property, document).is_some_and(|(schema, _)| says(schema))
}

/// Schemas that apply to the same value as `schema`, other than its reference and its unions.
fn in_place(schema: &Value) -> impl Iterator<Item = &Value> {
    let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let conditional = ["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
    let dependent = schema.get("dependentSchemas").and_then(Value::as_object);
    all.chain(conditional).chain(dependent.into_iter().flatten().map(|(_, schema)| schema))
}

/// Whether a value of the schema may be an object or hold one.
fn may_hold_names(view: View<'_>, schema: &Value, document: usize) -> bool {
    let schema = target(view, schema, document).map_or(schema, |(schema, _)| schema);
    match schema.get("type") {
        Some(Value::String(only)) => matches!(only.as_str(), "object" | "array"),
        Some(Value::Array(several)) => {
            several.iter().any(|one| matches!(one.as_str(), Some("object" | "array")))
        }
        _ => {
            schema.as_bool() != Some(false)
                && schema.get("enum").is_none()
                && schema.get("const").is_none()
        }
    }
}

/// What a reference leads to in the end.
fn target<'d>(view: View<'d>, schema: &Value, document: usize) -> Option<(&'d Value, usize)> {
    let text = schema.get("$ref")?.as_str()?;
    let node = view.documents.follow(view.documents.find(document, text)?);
    Some((node.value, node.document))
}

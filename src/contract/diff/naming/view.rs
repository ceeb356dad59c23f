//! A schema as people see it: references followed, `allOf` merged, a union with null read as nullable.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::inclusion::book::{Part, Place, target};
use super::super::inclusion::branches::required;
use super::super::inclusion::facts::properties;
use super::super::inclusion::types::{Type, Types};
use super::Written;

/// Compositions followed into each other.
const DEPTH_MAX: usize = 32;

/// A `oneOf` or `anyOf` of more than one branch beside null.
pub(super) struct Union<'d> {
    pub(super) keyword: &'static str,
    pub(super) place: Place,
    pub(super) branches: Vec<Part<'d>>,
}

/// What holds of one value.
#[derive(Default)]
pub(super) struct View<'d> {
    pub(super) parts: Vec<Part<'d>>,
    pub(super) unions: Vec<Union<'d>>,
    pub(super) nullable: bool,
}

impl<'d> View<'d> {
    pub(super) fn of(schemas: &[Part<'d>]) -> Self {
        let mut view = Self::default();
        for schema in schemas {
            view.gather(schema, 0);
        }
        view
    }

    fn gather(&mut self, schema: &Part<'d>, depth: usize) {
        let part = schema.resolved();
        if depth > DEPTH_MAX || part.schema == &Value::Bool(true) {
            return;
        }
        self.parts.push(part.clone());
        if let Some(key) = target(part.schema)
            && let Some(definition) = part.book.definition(key)
        {
            self.gather(&definition, depth + 1);
        }
        for branch in part.items("allOf") {
            self.gather(&branch, depth + 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            let branches = part.items(keyword);
            let is_null =
                |branch: &Part<'_>| branch.resolved().get("type") == Some(&Value::from("null"));
            let rest: Vec<Part<'d>> =
                branches.iter().filter(|branch| !is_null(branch)).cloned().collect();
            self.nullable |= rest.len() < branches.len();
            match rest.as_slice() {
                [] => {}
                [only] => self.gather(only, depth + 1),
                _ => self.unions.push(Union { keyword, place: part.place.clone(), branches: rest }),
            }
        }
    }

    /// Types by `type` alone.
    pub(super) fn types(&self) -> Types {
        let of = |part: &Part<'_>| {
            part.get("type")
                .map_or(Types::ANY, |kind| Types::of_schema(&serde_json::json!({"type": kind})))
        };
        let mut types = self.parts.iter().fold(Types::ANY, |types, part| types.and(of(part)));
        if types == Types::ANY {
            types = Types::implied(&self.parts);
        }
        if !self.unions.is_empty() {
            let branches = self.unions.iter().flat_map(|union| &union.branches);
            let either = branches
                .map(|branch| View::of(std::slice::from_ref(branch)).types())
                .fold(Types::ANY.without(Types::ANY), Types::or);
            types = types.and(either);
        }
        if self.nullable { types.or(Types::one(Type::Null)) } else { types }
    }

    /// The first part that has a keyword, and its value.
    pub(super) fn first(&self, keyword: &str) -> Option<Written> {
        let part = self.parts.iter().find(|part| part.get(keyword).is_some())?;
        Some(Written { place: part.place.below(keyword), value: part.get(keyword)?.clone() })
    }

    /// The first schema below a keyword.
    pub(super) fn child(&self, keyword: &str) -> Vec<Part<'d>> {
        self.parts.iter().filter_map(|part| part.child(keyword)).collect()
    }

    /// An annotation, which inclusion does not see.
    pub(super) fn annotation(&self, keyword: &str) -> Option<Written> {
        self.parts.iter().find_map(|part| {
            let value = part.annotated()?.get(keyword)?.clone();
            Some(Written { place: part.place.below(keyword), value })
        })
    }

    /// Properties by name, with every schema that is given to it.
    pub(super) fn properties(&self) -> BTreeMap<&'d str, Vec<Part<'d>>> {
        let mut found: BTreeMap<&str, Vec<Part<'d>>> = BTreeMap::new();
        for (name, property) in self.parts.iter().flat_map(properties) {
            found.entry(name).or_default().push(property);
        }
        found
    }

    pub(super) fn required(&self) -> BTreeSet<&'d str> {
        required(&self.parts)
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let unions = self.unions.iter().map(|union| union.place.clone());
        self.parts.iter().map(|part| part.place.clone()).chain(unions).collect()
    }

    /// The schema itself, for showing.
    pub(super) fn shown(&self) -> Option<Written> {
        let part = self.parts.first()?;
        Some(Written { place: part.place.clone(), value: part.schema.clone() })
    }
}

//! The model between evidence and documents: what is stated, in no dialect.
//!
//! Owns the facts and how sure each one is. Refuses to own their spelling (`write`) and their derivation.

use std::collections::BTreeSet;

use super::xml::Xml;
use crate::infer::monoid::Count;

/// How sure: opportunities, presences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Support {
    pub(super) n: u64,
    pub(super) k: u64,
}

impl Support {
    pub(super) fn of(k: Count, n: Count) -> Self {
        Self { n: u64::from(n.0), k: u64::from(k.0) }
    }

    /// What `n` opportunities without exception prove (8.1).
    pub(super) fn level(self) -> &'static str {
        match self.n {
            0..19 => "seen",
            19..59 => "tentative",
            59..299 => "likely",
            299..2_995 => "firm",
            _ => "settled",
        }
    }
}

/// One document.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) title: String,
    pub(super) servers: Vec<String>,
    /// By template in canonical order, then by method.
    pub(super) operations: Vec<Operation>,
    pub(super) schemes: Vec<(String, Scheme)>,
    /// By name.
    pub(super) components: Vec<(String, Schema)>,
    /// Methods that OpenAPI does not know, by template.
    pub(super) other_methods: Vec<(String, Vec<String>)>,
    pub(super) exchanges: u64,
    /// Times of the first and the last exchange, Unix milliseconds.
    pub(super) window: Option<(i64, i64)>,
    /// Limits at which something was forgotten.
    pub(super) limits: Vec<(&'static str, u64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// Index into `Method::DOCUMENTED`.
    pub(super) method: u16,
    pub(super) template: String,
    pub(super) id: String,
    /// Survives renaming of parameters: a hash of API, method and template without names.
    pub(super) stable_id: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) request: Option<Request>,
    pub(super) responses: Vec<(u16, Response)>,
    /// Other answers are to be expected.
    pub(super) others: bool,
    /// What is spoken here in place of plain HTTP.
    pub(super) protocol: Option<&'static str>,
    /// It was asked for and never granted.
    pub(super) unproven: bool,
    /// Alternatives, each a set of scheme names; none: nothing is stated.
    pub(super) security: Option<Vec<Vec<String>>>,
    pub(super) support: Support,
    pub(super) consumers: u64,
    /// When it was last seen, Unix milliseconds; 0: unknown.
    /// How many segments its one parameter that takes several took.
    pub(super) depths: BTreeSet<usize>,
    pub(super) last_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// How the values of a parameter are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// As is usual at its place; a list is a parameter that is repeated.
    #[default]
    Usual,
    /// A list in one value, with this between its items.
    Joined(char),
    /// Members in brackets: `filter[state]=open`.
    Deep,
    /// Of a path: all segments that are left.
    Greedy,
}

#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) schema: Schema,
    pub(super) style: Style,
    /// It is sometimes given without a value.
    pub(super) may_be_empty: bool,
    pub(super) support: Support,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) required: bool,
    pub(super) content: Vec<(String, Schema)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Response {
    pub(super) headers: Vec<(String, Schema)>,
    pub(super) content: Vec<(String, Schema)>,
    pub(super) support: Support,
}

/// Kinds of JSON values, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds(pub(super) u8);

impl Kinds {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const NUMBER: Self = Self(8);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);

    /// Every kind but null with its name in JSON Schema, in the order in which they are written.
    pub(super) const NAMES: [(Self, &'static str); 6] = [
        (Self::BOOLEAN, "boolean"),
        (Self::INTEGER, "integer"),
        (Self::NUMBER, "number"),
        (Self::STRING, "string"),
        (Self::ARRAY, "array"),
        (Self::OBJECT, "object"),
    ];

    pub(super) fn add(&mut self, kind: Self, holds: bool) {
        if holds {
            self.0 |= kind.0;
        }
    }

    /// The kinds that both have.
    pub(super) fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// What values at a place look like. Without kinds: anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Schema {
    /// The component that says what its objects are.
    pub(super) reference: Option<String>,
    pub(super) kinds: Kinds,
    pub(super) format: Option<&'static str>,
    /// The classes of texts, for the extension.
    pub(super) class: Option<&'static str>,
    /// Sorted; empty: open.
    pub(super) values: Vec<String>,
    /// Values seen, for the extension, where they are no enum.
    pub(super) seen: Vec<String>,
    /// Least and greatest integer seen, for the extension.
    pub(super) range: Option<(i64, i64)>,
    /// Media types of the files that it stands for.
    pub(super) files: Vec<String>,
    /// Texts that it is not.
    pub(super) excluded: Vec<String>,
    /// It is one of several components.
    pub(super) choice: Option<Choice>,
    pub(super) properties: Vec<Property>,
    /// Of members that are not listed.
    pub(super) additional: Option<Box<Schema>>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) xml: Option<Xml>,
    /// Of a stream: what each item is, by the name of its event; the empty name stands for items without one.
    pub(super) stream: Vec<(String, Schema)>,
}

/// One of several components, chosen by the value of a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// The member, where OpenAPI lets it choose: values that are no texts cannot.
    pub(super) tag: Option<String>,
    /// For each of the first components.
    pub(super) values: Vec<String>,
    pub(super) components: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) required: bool,
    /// It was never absent, and that proves too little.
    pub(super) undecided: bool,
    pub(super) access: Access,
    pub(super) schema: Schema,
    pub(super) support: Support,
}

/// In which directions a member of a record that goes both ways is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Access {
    #[default]
    Both,
    ReadOnly,
    WriteOnly,
}

impl Schema {
    pub(super) fn of(kind: Kinds) -> Self {
        Self { kinds: kind, ..Self::default() }
    }

    pub(super) fn text(format: Option<&'static str>) -> Self {
        Self { kinds: Kinds::STRING, format, ..Self::default() }
    }
}

/// How credentials are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    Http { scheme: &'static str, bearer_format: Option<&'static str> },
    Key { place: &'static str, name: String },
}

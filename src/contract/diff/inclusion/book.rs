//! The schemas of one side of a comparison, without what asserts nothing, and which of them are the same on both sides.
//!
//! Owns the definitions that parts borrow from, and following references. Refuses to own what keywords mean.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::super::super::compile::Validators;
use super::super::super::lower::Flavour;
use super::super::super::specification::{SchemaRef, Schemas, Side, Specification};

/// Keywords of lowered schemas that assert nothing.
const SILENT: &[&str] =
    &["default", "examples", "discriminator", "deprecated", "x-driftgate-evidence"];

/// Validators of a specification, indexed when the first value is to be judged.
type Lazy = Rc<OnceCell<Validators>>;

/// The validators that the books of both directions share.
#[derive(Default, Clone)]
pub(crate) struct Judges {
    exact: Lazy,
    tolerant: Lazy,
}

/// One side's schemas of one direction.
pub(crate) struct Book {
    pub(crate) side: Side,
    validators: Lazy,
    /// The same, with `anyOf` for every `oneOf`.
    tolerant: Lazy,
    definitions: BTreeMap<Arc<str>, Value>,
    /// As lowered: with defaults, examples, discriminators.
    full: Arc<Value>,
    schemas: Schemas,
}

/// Where a schema stands: the definition and a pointer below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: Arc<str>,
    pub(crate) pointer: Arc<str>,
}

impl Place {
    pub(crate) fn below(&self, step: &str) -> Self {
        let pointer = crate::model::problem::pointer(&self.pointer, step);
        Self { key: self.key.clone(), pointer: pointer.into() }
    }
}

/// A schema with its book and place.
#[derive(Clone)]
pub(crate) struct Part<'d> {
    pub(crate) schema: &'d Value,
    pub(crate) book: &'d Book,
    pub(crate) place: Place,
}

impl<'d> Part<'d> {
    pub(crate) fn get(&self, keyword: &str) -> Option<&'d Value> {
        self.schema.get(keyword)
    }

    /// The schema below a keyword.
    pub(crate) fn child(&self, keyword: &str) -> Option<Part<'d>> {
        let schema = self.schema.get(keyword)?;
        Some(Part { schema, book: self.book, place: self.place.below(keyword) })
    }

    /// The schema below a member or item of a keyword.
    pub(crate) fn member(&self, keyword: &str, name: &str) -> Option<Part<'d>> {
        let schema = self.schema.get(keyword)?.get(name)?;
        Some(Part { schema, book: self.book, place: self.place.below(keyword).below(name) })
    }

    /// The schemas in the array below a keyword.
    pub(crate) fn items(&self, keyword: &str) -> Vec<Part<'d>> {
        let list = self.schema.get(keyword).and_then(Value::as_array);
        let base = self.place.below(keyword);
        let part = |(index, schema): (usize, &'d Value)| Part {
            schema,
            book: self.book,
            place: base.below(&index.to_string()),
        };
        list.into_iter().flatten().enumerate().map(part).collect()
    }

    /// Follows references until something else stands there; at most 64.
    pub(crate) fn resolved(&self) -> Part<'d> {
        let mut current = self.clone();
        for _ in 0..64 {
            let Some(key) = reference(current.schema) else { break };
            let Some((key, schema)) = self.book.definitions.get_key_value(key) else { break };
            let place = Place { key: key.clone(), pointer: "".into() };
            current = Part { schema, book: self.book, place };
        }
        current
    }

    /// Declared examples and defaults of the very schema, from the lowered document.
    pub(crate) fn samples(&self) -> Vec<&'d Value> {
        let full = self.annotated();
        let listed = full.and_then(|schema| schema.get("examples")).and_then(Value::as_array);
        let default = full.and_then(|schema| schema.get("default"));
        listed.into_iter().flatten().chain(default).take(4).collect()
    }

    /// The schema with its annotations.
    pub(crate) fn annotated(&self) -> Option<&'d Value> {
        self.book.full.get("$defs")?.get(&*self.place.key)?.pointer(&self.place.pointer)
    }

    /// Address, the identity of a schema during one comparison.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }
}

impl Book {
    pub(crate) fn new(specification: &Specification, side: Side, judges: &Judges) -> Self {
        let full = specification.schemas.bundle(side).clone();
        let suffixes = [Flavour::Strict.suffix(), Flavour::Branch.suffix()];
        let mut definitions = BTreeMap::new();
        for (key, schema) in full.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            if !suffixes.iter().any(|suffix| key.ends_with(suffix)) {
                definitions.insert(Arc::from(key.as_str()), plain(schema, Holds::Schema));
            }
        }
        let schemas = specification.schemas.clone();
        let Judges { exact, tolerant } = judges.clone();
        Self { side, validators: exact, tolerant, definitions, full, schemas }
    }

    /// The part that a schema of the specification is.
    pub(crate) fn root(&self, schema: &SchemaRef) -> Option<Part<'_>> {
        self.definition(schema.key())
    }

    /// The definition of a key.
    pub(crate) fn definition(&self, key: &str) -> Option<Part<'_>> {
        let (key, schema) = self.definitions.get_key_value(key)?;
        let place = Place { key: key.clone(), pointer: "".into() };
        Some(Part { schema, book: self, place })
    }

    /// Whether a value is what a schema allows; none where it cannot be said.
    pub(crate) fn accepts(&self, schema: &SchemaRef, value: &Value) -> Option<bool> {
        let validators = self.validators.get_or_init(|| Validators::new(&self.schemas));
        validators.is_valid((self.side, Flavour::Declared), schema, value).ok()
    }

    /// The same where a value that several branches of a `oneOf` accept is welcome.
    pub(crate) fn tolerates(&self, schema: &SchemaRef, value: &Value) -> Option<bool> {
        let validators = self.tolerant.get_or_init(|| {
            let loosened = |bundle: &Value| Arc::new(loose(bundle, Holds::Schema));
            Validators::new(&Schemas {
                request: loosened(&self.schemas.request),
                response: loosened(&self.schemas.response),
                pointers: BTreeMap::new(),
            })
        });
        validators.is_valid((self.side, Flavour::Declared), schema, value).ok()
    }

    /// JSON pointer of a place in the document as written, as well as it is known.
    pub(crate) fn written(&self, place: &Place) -> String {
        let base = self.schemas.pointers.get(&place.key).map_or("", String::as_str);
        format!("{base}{}", place.pointer)
    }

    /// Whether this value may not travel in this direction.
    pub(crate) fn is_foreign(&self, part: &Part<'_>) -> bool {
        let keyword = match self.side {
            Side::Request => "readOnly",
            Side::Response => "writeOnly",
        };
        is_marked(part, keyword, 0)
    }

    /// Definitions that mean the same in both books, whatever they refer to.
    pub(crate) fn common(&self, other: &Self) -> BTreeSet<Arc<str>> {
        self.agreed(|key, schema| other.definitions.get(key) == Some(schema))
    }

    /// Definitions that are the same in both books, down to defaults and examples.
    pub(crate) fn identical(&self, other: &Self) -> BTreeSet<Arc<str>> {
        let written = |book: &Self, key: &str| book.full.get("$defs")?.get(key).cloned();
        self.agreed(|key, _| written(self, key) == written(other, key))
    }

    /// Definitions that agree, and refer to such alone.
    fn agreed(&self, agrees: impl Fn(&str, &Value) -> bool) -> BTreeSet<Arc<str>> {
        let mut same: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut users: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
        let mut changed: Vec<&str> = Vec::new();
        for (key, schema) in &self.definitions {
            if agrees(key, schema) {
                same.insert(key.clone());
                each_reference(schema, &mut |target| users.entry(target).or_default().push(key));
            } else {
                changed.push(key);
            }
        }
        let missing = users.keys().filter(|key| !self.definitions.contains_key(**key));
        changed.extend(missing.copied());
        while let Some(key) = changed.pop() {
            for user in users.get(key).into_iter().flatten() {
                if same.remove(*user) {
                    changed.push(user);
                }
            }
        }
        same
    }
}

/// Whether a schema, or one that it is composed of, bears a flag.
pub(crate) fn is_marked(part: &Part<'_>, keyword: &str, depth: usize) -> bool {
    let flag = |part: &Part<'_>| part.get(keyword) == Some(&Value::Bool(true));
    if flag(part) || depth > 8 {
        return flag(part);
    }
    let resolved = part.resolved();
    flag(&resolved)
        || resolved.items("allOf").iter().any(|branch| is_marked(branch, keyword, depth + 1))
}

/// The definition that a schema refers to, if it does nothing else.
fn reference(schema: &Value) -> Option<&str> {
    let object = schema.as_object()?;
    let only = object.keys().all(|key| key == "$ref" || SILENT.contains(&key.as_str()));
    only.then(|| target(schema)).flatten()
}

/// The definition that `$ref` names.
pub(crate) fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Calls back with every definition that is referred to.
pub(crate) fn each_reference<'v>(value: &'v Value, found: &mut impl FnMut(&'v str)) {
    match value {
        Value::Object(members) => {
            if let Some(key) = target(value) {
                found(key);
            }
            for member in members.values() {
                each_reference(member, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                each_reference(item, found);
            }
        }
        _ => {}
    }
}

/// What stands below a keyword.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Schema,
    Map,
    Data,
}

impl Holds {
    fn below(self, name: &str) -> Self {
        match (self, name) {
            (Self::Map, _) => Self::Schema,
            (Self::Schema, "properties" | "patternProperties" | "dependentSchemas" | "$defs") => {
                Self::Map
            }
            (Self::Data, _) | (_, "enum" | "const" | "dependentRequired") => Self::Data,
            (Self::Schema, _) => Self::Schema,
        }
    }
}

/// A schema with `anyOf` for every `oneOf`.
fn loose(value: &Value, holds: Holds) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| loose(item, holds)).collect(),
        Value::Object(members) => {
            let mut next: Map<String, Value> = members
                .iter()
                .map(|(name, member)| (name.clone(), loose(member, holds.below(name))))
                .collect();
            let union = (holds == Holds::Schema).then(|| next.remove("oneOf")).flatten();
            if let Some(union) = union {
                let all = next.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(all) = all {
                    all.push(serde_json::json!({"anyOf": union}));
                }
            }
            Value::Object(next)
        }
        other => other.clone(),
    }
}

/// A schema without annotations, numbers in one spelling, sets in one order.
fn plain(value: &Value, holds: Holds) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number)),
        Value::Array(items) => items.iter().map(|item| plain(item, holds)).collect(),
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, member) in members {
                if holds == Holds::Schema && SILENT.contains(&name.as_str()) {
                    continue;
                }
                kept.insert(name.clone(), plain(member, holds.below(name)));
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// `1.0` is `1`.
fn whole(number: &Number) -> Number {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be small and whole")]
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            Number::from(float as i64)
        }
        _ => number.clone(),
    }
}

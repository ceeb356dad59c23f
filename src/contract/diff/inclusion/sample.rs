//! Values that schemas accept, small ones first.
//!
//! Owns making candidates. Nothing rests on a candidate being right: the validators are asked about every one.

use serde_json::{Map, Value};

use super::super::super::algebra::Algebra;
use super::book::Part;
use super::branches::{Alternatives, Branch, members, required};
use super::facts::{Shape, scalar_schema};
use super::types::{Type, Types};
use super::{number, text};

/// Nesting of made values.
const DEPTH_MAX: usize = 24;

/// Alternatives tried per schema.
const BRANCHES_MAX: usize = 8;

/// Items made at most.
const ITEMS_MAX: u64 = 32;

/// Makes values.
#[derive(Clone, Copy)]
pub(crate) struct Sampler<'d> {
    algebra: &'d Algebra,
    alternatives: &'d Alternatives<'d>,
    /// Make optional properties as well.
    full: bool,
}

impl<'d> Sampler<'d> {
    pub(crate) fn new(algebra: &'d Algebra, alternatives: &'d Alternatives<'d>) -> Self {
        Self { algebra, alternatives, full: false }
    }

    /// The same, with optional properties.
    pub(crate) fn full(self) -> Self {
        Self { full: true, ..self }
    }

    /// Some values of any type, at most one per type.
    pub(super) fn any(self, parts: &[Part<'d>]) -> Vec<Value> {
        let made = |kind: Type| self.made(parts, kind, 0);
        [
            Type::String,
            Type::Integer,
            Type::Object,
            Type::Array,
            Type::Boolean,
            Type::Null,
            Type::Fraction,
        ]
        .into_iter()
        .filter_map(made)
        .take(2)
        .collect()
    }

    /// Values of one type: from each alternative one.
    pub(super) fn samples(self, parts: &[Part<'d>], kind: Type) -> Vec<Value> {
        let Ok(list) = self.alternatives.of(parts) else { return Vec::new() };
        let made = |branch: &Branch<'d>| self.of_branch(branch, kind, 0);
        list.iter().take(BRANCHES_MAX).filter_map(made).collect()
    }

    /// The first value of one type that can be made.
    pub(super) fn first(self, parts: &[Part<'d>], kind: Type) -> Option<Value> {
        self.made(parts, kind, 0)
    }

    /// Values of every alternative and type, for checking what was proven.
    pub(crate) fn spread(self, parts: &[Part<'d>], most: usize) -> Vec<Value> {
        let Ok(list) = self.alternatives.of(parts) else { return Vec::new() };
        let mut found = Vec::new();
        for branch in list.iter() {
            for kind in Types::of_sender(&branch.parts).iter() {
                if found.len() >= most {
                    return found;
                }
                found.extend(self.of_branch(branch, kind, 0));
                found.extend(self.full().of_branch(branch, kind, 0));
                if matches!(kind, Type::String | Type::Integer | Type::Fraction) {
                    let schema = scalar_schema(&branch.parts);
                    let pool = self.pool(&branch.parts, kind).into_iter();
                    found.extend(pool.filter(|value| self.algebra.accepts(&schema, value)).take(6));
                }
            }
        }
        found.truncate(most);
        found
    }

    fn made(self, parts: &[Part<'d>], kind: Type, depth: usize) -> Option<Value> {
        let list = self.alternatives.of(parts).ok()?;
        list.iter().take(BRANCHES_MAX).find_map(|branch| self.of_branch(branch, kind, depth))
    }

    fn of_branch(self, branch: &Branch<'d>, kind: Type, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX || !Types::of_sender(&branch.parts).has(kind) {
            return None;
        }
        let schema = scalar_schema(&branch.parts);
        if let Some(values) = members(&branch.parts) {
            let fits =
                |value: &&&Value| Type::of(value) == kind && self.algebra.accepts(&schema, value);
            return values.iter().find(fits).map(|value| (*value).clone());
        }
        match kind {
            Type::Null => Some(Value::Null),
            Type::Boolean => Some(Value::Bool(true)),
            Type::String | Type::Integer | Type::Fraction => {
                let fits =
                    |value: &Value| Type::of(value) == kind && self.algebra.accepts(&schema, value);
                self.pool(&branch.parts, kind).into_iter().find(fits)
            }
            Type::Array => self.array(branch, depth),
            Type::Object => self.object(branch, depth),
        }
    }

    /// Scalars of a type near everything that the parts say; collections of the lengths they speak of.
    pub(super) fn pool(self, parts: &[Part<'d>], kind: Type) -> Vec<Value> {
        let declared = parts.iter().flat_map(Part::samples).filter(|value| Type::of(value) == kind);
        let mut found: Vec<Value> = declared.cloned().collect();
        match kind {
            Type::String => {
                let listed = parts.iter().filter_map(|part| part.get("enum")?.as_array()).flatten();
                found.extend(text::pool(parts).into_iter().map(Value::String));
                found.extend(listed.filter(|value| value.is_string()).cloned());
            }
            Type::Integer | Type::Fraction => found.extend(number::pool(parts)),
            Type::Array => found.extend(self.arrays(parts)),
            Type::Object => found.extend(self.objects(parts)),
            Type::Boolean => found.extend([Value::Bool(true), Value::Bool(false)]),
            Type::Null => found.push(Value::Null),
        }
        found
    }

    /// Arrays of the lengths that the parts speak of.
    fn arrays(self, parts: &[Part<'d>]) -> Vec<Value> {
        let Ok(list) = self.alternatives.of(parts) else { return Vec::new() };
        let Some(branch) = list.first() else { return Vec::new() };
        let shape = Shape { branch, algebra: self.algebra };
        let mut lengths = vec![0, 1, 2];
        for keyword in ["minItems", "maxItems"] {
            for part in parts {
                let written = part.get(keyword).and_then(Value::as_u64);
                lengths.extend(written.into_iter().flat_map(|n| [n, n + 1, n.saturating_sub(1)]));
            }
        }
        let filled = |length: u64| self.items(&shape, length, 0).map(Value::Array);
        lengths.into_iter().filter(|length| *length <= ITEMS_MAX).filter_map(filled).collect()
    }

    /// Objects with few and with many members.
    fn objects(self, parts: &[Part<'d>]) -> Vec<Value> {
        let least = self.first(parts, Type::Object);
        least.into_iter().chain(self.full().first(parts, Type::Object)).collect()
    }

    fn items(self, shape: &Shape<'_, 'd>, length: u64, depth: usize) -> Option<Vec<Value>> {
        let unique = shape
            .branch
            .parts
            .iter()
            .any(|part| part.get("uniqueItems") == Some(&Value::Bool(true)));
        let mut items: Vec<Value> = Vec::new();
        for index in 0..usize::try_from(length).ok()? {
            let position = if index < shape.prefix() { index } else { usize::MAX };
            let schemas = shape.item(position);
            let item = if unique {
                let pool = self.spread(&schemas, 32);
                pool.into_iter().find(|item| !items.contains(item))?
            } else {
                self.first_of(&schemas, depth + 1)?
            };
            items.push(item);
        }
        Some(items)
    }

    /// One value of whichever type can be made.
    fn first_of(self, schemas: &[Part<'d>], depth: usize) -> Option<Value> {
        let list = self.alternatives.of(schemas).ok()?;
        list.iter().take(BRANCHES_MAX).find_map(|branch| {
            let types = Types::of_sender(&branch.parts);
            let preferred = [
                Type::String,
                Type::Integer,
                Type::Object,
                Type::Array,
                Type::Boolean,
                Type::Fraction,
                Type::Null,
            ];
            preferred
                .into_iter()
                .filter(|kind| types.has(*kind))
                .find_map(|kind| self.of_branch(branch, kind, depth))
        })
    }

    fn array(self, branch: &Branch<'d>, depth: usize) -> Option<Value> {
        let shape = Shape { branch, algebra: self.algebra };
        let most = shape.count("maxItems").unwrap_or(u64::MAX);
        let least = shape.count("minItems").unwrap_or(0);
        if least > ITEMS_MAX {
            return None;
        }
        let wanted = if self.full { least.max(1).min(most) } else { least };
        let mut items =
            self.items(&shape, wanted, depth).or_else(|| self.items(&shape, least, depth))?;
        for part in &branch.parts {
            if let Some(contained) = part.child("contains") {
                items.extend(self.first_of(&[contained], depth + 1));
            }
        }
        Some(Value::Array(items))
    }

    fn object(self, branch: &Branch<'d>, depth: usize) -> Option<Value> {
        let shape = Shape { branch, algebra: self.algebra };
        let needed = required(&branch.parts);
        let mut object = Map::new();
        for name in &needed {
            object.insert((*name).to_owned(), self.first_of(&shape.property(name), depth + 1)?);
        }
        let least = shape.count("minProperties").unwrap_or(0);
        let most = shape.count("maxProperties").unwrap_or(u64::MAX);
        let more = if self.full && depth < 6 { usize::MAX } else { 0 };
        for name in shape.names() {
            let count = object.len() as u64;
            if count >= most || count >= least && more == 0 {
                break;
            }
            if object.contains_key(name) {
                continue;
            }
            if let Some(value) = self.first_of(&shape.property(name), depth + 1) {
                object.insert(name.to_owned(), value);
            }
        }
        let mut index = 0;
        while (object.len() as u64) < least && index < ITEMS_MAX {
            let extra = shape.extras()?;
            object.insert(format!("key{index}"), self.first_of(&extra, depth + 1)?);
            index += 1;
        }
        Some(Value::Object(object))
    }
}

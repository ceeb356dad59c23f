//! A schema as alternatives: what it is composed of, multiplied out.
//!
//! Owns `$ref`, `allOf`, `anyOf` and `oneOf`, and which branches of a `oneOf` exclude each other. Every other keyword stays in
//! the parts. Refuses to own comparing them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::book::Part;
use super::types::{Type, Types};

/// Alternatives that one schema may have.
const ALTERNATIVES_MAX: usize = 64;

/// Nesting of compositions that is followed.
const DEPTH_MAX: usize = 48;

/// Conjunctions whose alternatives are remembered; beyond it all are forgotten.
const REMEMBERED_MAX: usize = 20_000;

/// One way to be valid: all parts together.
#[derive(Clone, Default)]
pub(crate) struct Branch<'d> {
    pub(crate) parts: Vec<Part<'d>>,
    /// Siblings in an `anyOf`: a value may be valid against them as well, so a sender may use the names they declare.
    pub(crate) siblings: Vec<Part<'d>>,
    /// Siblings in a `oneOf` that could accept the same value, which then is refused.
    pub(crate) rivals: Vec<Part<'d>>,
}

/// There are too many alternatives to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooMany;

type Branches<'d> = Result<Vec<Branch<'d>>, TooMany>;

/// Alternatives that were worked out before. A schema of many branches is met at every place that refers to it, and telling
/// its branches apart takes time with the square of their number.
#[derive(Default)]
pub(crate) struct Alternatives<'d> {
    known: RefCell<HashMap<Vec<usize>, Result<Rc<Vec<Branch<'d>>>, TooMany>>>,
}

impl<'d> Alternatives<'d> {
    /// The alternatives of several schemas that hold together. None: nothing is valid.
    pub(crate) fn of(&self, schemas: &[Part<'d>]) -> Result<Rc<Vec<Branch<'d>>>, TooMany> {
        let key: Vec<usize> = schemas.iter().map(Part::identity).collect();
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let found = together(schemas, 0).map(Rc::new);
        let mut known = self.known.borrow_mut();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(key, found.clone());
        found
    }
}

fn together<'d>(schemas: &[Part<'d>], depth: usize) -> Branches<'d> {
    let mut found = vec![Branch::default()];
    for schema in distinct(schemas) {
        found = product(found, &of_one(schema, depth)?)?;
    }
    Ok(found)
}

/// Schemas without those that say again what another says: twice the same is no more than once, and would multiply.
fn distinct<'s, 'd>(schemas: &'s [Part<'d>]) -> impl Iterator<Item = &'s Part<'d>> {
    let said = |schema: &Part<'_>, others: &[Part<'_>]| {
        let same = |other: &Part<'_>| {
            std::ptr::eq(other.book, schema.book) && other.schema == schema.schema
        };
        others.iter().any(same)
    };
    let with_place = schemas.iter().enumerate();
    with_place.filter(move |(at, schema)| !said(schema, &schemas[..*at])).map(|(_, schema)| schema)
}

fn of_one<'d>(schema: &Part<'d>, depth: usize) -> Branches<'d> {
    if depth > DEPTH_MAX {
        return Err(TooMany);
    }
    let part = schema.resolved();
    match part.schema {
        Value::Bool(true) => return Ok(vec![Branch::default()]),
        Value::Bool(false) => return Ok(Vec::new()),
        _ => {}
    }
    let mut found = vec![Branch { parts: vec![part.clone()], ..Branch::default() }];
    if super::book::target(part.schema).is_some()
        && let Some(target) = beside(&part)
    {
        found = product(found, &of_one(&target, depth + 1)?)?;
    }
    for branch in distinct(&part.items("allOf")) {
        found = product(found, &of_one(branch, depth + 1)?)?;
    }
    if part.get("anyOf").is_some() {
        found = product(found, &any_of(&part.items("anyOf"), depth + 1)?)?;
    }
    if part.get("oneOf").is_some() {
        found = product(found, &one_of(&part, depth + 1)?)?;
    }
    Ok(found)
}

/// The target of a `$ref` that stands beside other keywords.
fn beside<'d>(part: &Part<'d>) -> Option<Part<'d>> {
    let reference = part.book.definition(super::book::target(part.schema)?)?;
    Some(reference.resolved())
}

fn any_of<'d>(list: &[Part<'d>], depth: usize) -> Branches<'d> {
    let mut found = Vec::new();
    for (index, schema) in list.iter().enumerate() {
        for mut branch in of_one(schema, depth)? {
            let others = list.iter().enumerate().filter(|(other, _)| *other != index);
            branch.siblings.extend(others.map(|(_, schema)| schema.clone()));
            found.push(branch);
        }
    }
    bounded(found)
}

fn one_of<'d>(part: &Part<'d>, depth: usize) -> Branches<'d> {
    let list = part.items("oneOf");
    let each: Vec<_> = list.iter().map(|schema| of_one(schema, depth)).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for (index, branches) in each.iter().enumerate() {
        for branch in branches {
            let mut branch = branch.clone();
            for (other, schema) in list.iter().enumerate().filter(|(other, _)| *other != index) {
                let apart = each[other].iter().all(|rival| are_apart(&branch, rival));
                if !apart {
                    branch.rivals.push(schema.clone());
                }
            }
            found.push(branch);
        }
    }
    bounded(found)
}

fn product<'d>(left: Vec<Branch<'d>>, right: &[Branch<'d>]) -> Branches<'d> {
    let mut found = Vec::with_capacity(left.len() * right.len());
    for one in &left {
        for other in right {
            let mut both = one.clone();
            both.parts.extend(other.parts.iter().cloned());
            both.siblings.extend(other.siblings.iter().cloned());
            both.rivals.extend(other.rivals.iter().cloned());
            if !Types::of_parts(&both.parts).is_empty() {
                found.push(both);
            }
        }
        if found.len() > ALTERNATIVES_MAX {
            return Err(TooMany);
        }
    }
    Ok(found)
}

fn bounded(found: Vec<Branch<'_>>) -> Branches<'_> {
    if found.len() > ALTERNATIVES_MAX { Err(TooMany) } else { Ok(found) }
}

/// Whether no value can be valid against both.
fn are_apart(left: &Branch<'_>, right: &Branch<'_>) -> bool {
    let common = Types::of_parts(&left.parts).and(Types::of_parts(&right.parts));
    common.iter().all(|kind| match kind {
        Type::Object => are_objects_apart(&left.parts, &right.parts),
        _ => match (members(&left.parts), members(&right.parts)) {
            (Some(left), Some(right)) => {
                !left.iter().any(|value| Type::of(value) == kind && right.contains(value))
            }
            _ => false,
        },
    })
}

/// Whether a required property is forbidden on the other side, or holds other values there.
fn are_objects_apart(left: &[Part<'_>], right: &[Part<'_>]) -> bool {
    let (needed, other) = (required(left), required(right));
    let differ = needed.intersection(&other).any(|name| {
        match (values_of(left, name), values_of(right, name)) {
            (Some(left), Some(right)) => !left.iter().any(|value| right.contains(value)),
            _ => false,
        }
    });
    let refuses = |parts: &[Part<'_>], name: &str| {
        parts.iter().any(|part| {
            part.get("additionalProperties") == Some(&Value::Bool(false))
                && part.get("patternProperties").is_none()
                && part.member("properties", name).is_none()
        })
    };
    differ
        || needed.iter().any(|name| refuses(right, name))
        || other.iter().any(|name| refuses(left, name))
}

/// The only values that a property may have.
fn values_of<'d>(parts: &[Part<'d>], name: &str) -> Option<Vec<&'d Value>> {
    let own: Vec<Part<'d>> =
        parts.iter().filter_map(|part| part.member("properties", name)).collect();
    let mut found = Vec::new();
    for branch in together(&own, DEPTH_MAX - 4).ok()? {
        found.extend(members(&branch.parts)?);
    }
    Some(found)
}

/// Names that some part requires.
pub(crate) fn required<'d>(parts: &[Part<'d>]) -> BTreeSet<&'d str> {
    let lists = parts.iter().filter_map(|part| part.get("required")?.as_array());
    lists.flatten().filter_map(Value::as_str).collect()
}

/// The only values that the parts allow, if they are listed.
pub(crate) fn members<'d>(parts: &[Part<'d>]) -> Option<Vec<&'d Value>> {
    let mut allowed: Option<Vec<&'d Value>> = None;
    for part in parts {
        let list: Vec<&'d Value> = match (part.get("const"), part.get("enum")) {
            (Some(only), _) => vec![only],
            (None, Some(Value::Array(list))) => list.iter().collect(),
            _ => continue,
        };
        allowed = Some(match allowed {
            None => list,
            Some(known) => known.into_iter().filter(|value| list.contains(value)).collect(),
        });
    }
    allowed
}

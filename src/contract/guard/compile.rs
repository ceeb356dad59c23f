//! Lowered schemas → guard plan.
//!
//! Owns the walk: from the declared and the strict form of a schema, place by place, everything that may apply to the value
//! there, whichever branch of a composition it stands in. Equal sets of schemas are one place, so recursion ends. A keyword that
//! is not in the lists here makes its place blind: nothing is ever proven of a body that has a value there.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::found::{Applied, Found, Set};
use super::test::{EXACT, Tests};
use super::{BLIND, FREE, Node, Plan};
use crate::contract::compile::{Lone, Validators};
use crate::contract::lower::{EVIDENCE, Flavour};
use crate::contract::specification::{SchemaRef, Schemas, Side};

/// Places of one plan; what is beyond proves nothing.
const NODES_MAX: usize = 65_536;

/// Names of one plan, all places together.
const NAMES_MAX: usize = 262_144;

/// Keywords that hold schemas read elsewhere, that kinds and names alone decide, or that say nothing about validity.
const STRUCTURAL: &[&str] = &[
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyName",
    "type",
    "required",
    "dependentRequired",
    "default",
    "examples",
    "readOnly",
    "writeOnly",
    "deprecated",
    EVIDENCE,
];

/// A place cannot be covered for certain.
#[derive(Debug)]
pub(super) struct Unprovable;

impl Plan {
    /// Where the bodies of a schema begin. What it leads to is compiled once for all schemas that share it.
    pub(in crate::contract) fn root(
        &mut self,
        (schemas, validators): (&Schemas, &Validators),
        (side, schema): (Side, &SchemaRef),
    ) -> usize {
        let definitions = schemas.bundle(side).get("$defs").and_then(Value::as_object);
        let Some(definitions) = definitions else { return BLIND };
        let roots: Set<'_> = [Flavour::Declared, Flavour::Strict]
            .iter()
            .filter_map(|flavour| definitions.get(&format!("{}{}", schema.key(), flavour.suffix())))
            .map(Applied)
            .collect();
        let mut compiler = Compiler { plan: self, definitions, validators, waiting: Vec::new() };
        let root = compiler.place(roots);
        while let Some((at, set)) = compiler.waiting.pop() {
            let blind = || Node { blind: true, ..Node::default() };
            let node = compiler.node(&set).unwrap_or_else(|Unprovable| blind());
            if let Some(place) = compiler.plan.nodes.get_mut(at) {
                *place = node;
            }
        }
        root
    }
}

pub(super) struct Compiler<'b, 'p> {
    plan: &'p mut Plan,
    definitions: &'b Map<String, Value>,
    validators: &'b Validators,
    waiting: Vec<(usize, Set<'b>)>,
}

impl<'b> Compiler<'b, '_> {
    /// The place of the values that these schemas apply to.
    fn place(&mut self, schemas: Set<'b>) -> usize {
        let Ok(set) = self.closure(schemas) else { return BLIND };
        if set.is_empty() {
            return FREE;
        }
        let addresses: Box<[usize]> = set.iter().map(Applied::address).collect();
        if let Some(known) = self.plan.known.get(&addresses) {
            return *known;
        }
        let at = self.plan.nodes.len();
        if at >= NODES_MAX {
            return BLIND;
        }
        self.plan.nodes.push(Node::default());
        self.plan.known.insert(addresses, at);
        self.waiting.push((at, set));
        at
    }

    /// These schemas with all that applies in their place; those that say nothing are left out.
    fn closure(&self, schemas: Set<'b>) -> Result<Set<'b>, Unprovable> {
        let mut set = Set::new();
        let mut open: Vec<&'b Value> = schemas.into_iter().map(|schema| schema.0).collect();
        while let Some(schema) = open.pop() {
            let Some(members) = schema.as_object() else { continue };
            if !members.is_empty() && set.insert(Applied(schema)) {
                self.beside(members, &mut open)?;
            }
        }
        Ok(set)
    }

    /// Collects the schemas that apply to the same value as one that holds these keywords.
    fn beside(
        &self,
        members: &'b Map<String, Value>,
        open: &mut Vec<&'b Value>,
    ) -> Result<(), Unprovable> {
        for (keyword, written) in members {
            match keyword.as_str() {
                "$ref" => {
                    let key = written.as_str().and_then(|text| text.strip_prefix("#/$defs/"));
                    open.push(key.and_then(|key| self.definitions.get(key)).ok_or(Unprovable)?);
                }
                "allOf" | "anyOf" | "oneOf" => {
                    open.extend(written.as_array().ok_or(Unprovable)?);
                }
                "not" | "if" | "then" | "else" => open.push(written),
                "dependentSchemas" => {
                    open.extend(written.as_object().ok_or(Unprovable)?.values());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, set: &Set<'b>) -> Result<Node, Unprovable> {
        let mut found = Found::default();
        for Applied(schema) in set {
            let members = schema.as_object().ok_or(Unprovable)?;
            for (keyword, written) in members {
                self.read(keyword, written, &mut found)?;
            }
            found.objects.push(members);
        }
        found.number_members();
        self.plan.names += found.names.len();
        if self.plan.names > NAMES_MAX {
            return Err(Unprovable);
        }
        let mut node = std::mem::take(&mut found.node);
        for name in &found.names {
            let place = self.place(found.of_name(name));
            let hash = self.plan.key.hash(name.as_bytes());
            if node.names.insert(hash, place).is_some() {
                return Err(Unprovable);
            }
        }
        node.others = self.place(found.of_others());
        node.items = self.place(std::mem::take(&mut found.items));
        node.keys = self.keys(&found)?;
        for limits in [&mut node.members, &mut node.counts, &mut node.tests.lengths] {
            limits.sort_unstable();
            limits.dedup();
        }
        node.tests.limits.sort_unstable();
        node.tests.limits.dedup();
        Ok(node)
    }

    /// Reads one keyword of a schema that applies here.
    fn read(
        &mut self,
        keyword: &'b str,
        written: &'b Value,
        found: &mut Found<'b>,
    ) -> Result<(), Unprovable> {
        let tests = &mut found.node.tests;
        match keyword {
            "properties" | "dependentSchemas" => {
                let schemas = written.as_object().ok_or(Unprovable)?;
                found.names.extend(schemas.keys().map(String::as_str));
            }
            "patternProperties" => {
                let schemas = written.as_object().ok_or(Unprovable)?;
                found.patterns.extend(schemas.keys().map(String::as_str));
            }
            "propertyNames" => drop(found.name_schemas.insert(Applied(written))),
            "items" => drop(found.items.insert(Applied(written))),
            "enum" => found.enumerate(written.as_array().ok_or(Unprovable)?, self)?,
            "const" => found.enumerate(std::slice::from_ref(written), self)?,
            "discriminator" => found.discriminate(written),
            // Of a discriminator, which is read at the place of the name that it speaks of.
            "mapping" => {
                let names = written.as_object().ok_or(Unprovable)?.keys();
                names.for_each(|name| found.list(name));
            }
            "minLength" | "maxLength" => tests.lengths.push(count(written)?),
            "minItems" | "maxItems" => found.node.counts.push(count(written)?),
            "minProperties" | "maxProperties" => found.node.members.push(count(written)?),
            "uniqueItems" => found.node.unique |= written.as_bool().ok_or(Unprovable)?,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
                if limit(written).is_some() =>
            {
                tests.limits.extend(limit(written));
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                tests.numbers.push(self.keyword(keyword, written)?);
            }
            "pattern" | "format" => tests.texts.push(self.keyword(keyword, written)?),
            known if STRUCTURAL.contains(&known) => found.name(keyword, written),
            // `contains`, tuples and whatever else depends on positions, or is not known here.
            _ => return Err(Unprovable),
        }
        Ok(())
    }

    /// What the names of a map are asked.
    fn keys(&mut self, found: &Found<'b>) -> Result<Option<Tests>, Unprovable> {
        if found.patterns.is_empty() && found.name_schemas.is_empty() {
            return Ok(None);
        }
        // The schemas of names are read as those of a place, though no value of a body stands there.
        let mut names = Found::default();
        for Applied(schema) in &self.closure(found.name_schemas.clone())? {
            for (keyword, written) in schema.as_object().into_iter().flatten() {
                self.read(keyword, written, &mut names)?;
            }
        }
        names.number_members();
        let mut tests = names.node.tests;
        tests.lengths.sort_unstable();
        tests.lengths.dedup();
        for pattern in &found.patterns {
            let written = Value::String((*pattern).to_owned());
            tests.texts.push(self.keyword("pattern", &written)?);
        }
        Ok(Some(tests))
    }

    /// A keyword by itself, compiled once.
    pub(super) fn keyword(&mut self, name: &str, written: &Value) -> Result<Arc<Lone>, Unprovable> {
        let key = (name.to_owned(), written.to_string());
        if let Some(known) = self.plan.keywords.get(&key) {
            return Ok(Arc::clone(known));
        }
        let lone = Arc::new(self.validators.lone(name, written).ok_or(Unprovable)?);
        self.plan.keywords.insert(key, Arc::clone(&lone));
        Ok(lone)
    }
}

/// The limit of a count.
fn count(written: &Value) -> Result<u64, Unprovable> {
    match (written.as_u64(), written.as_f64()) {
        (Some(count), _) => Ok(count),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in the exact range"
        )]
        (None, Some(count)) if count.fract() == 0.0 && (0.0..EXACT).contains(&count) => {
            Ok(count as u64)
        }
        _ => Err(Unprovable),
    }
}

/// The limit of a number, if it is an integer that compares exactly.
fn limit(written: &Value) -> Option<i64> {
    match (written.as_i64(), written.as_f64()) {
        (Some(limit), _) => Some(limit),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number in the exact range")]
        (None, Some(limit)) if limit.fract() == 0.0 && limit.abs() < EXACT => Some(limit as i64),
        _ => None,
    }
}

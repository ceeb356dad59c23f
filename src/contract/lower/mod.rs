//! Schemas of every dialect → JSON Schema 2020-12, once per side, kept raw.
//!
//! Owns the rules of `spec/contract.md` 1.1 and the bundle: each schema sits below `$defs` under a generated key and every
//! `$ref` reads `#/$defs/<key>`. Only schema positions are walked, so data that looks like keywords stays untouched. Recursion
//! stays as references. Refuses to own compiling (`compile`) and where schemas stand in a document (`load`).

mod formats;
mod keywords;
mod schema;
mod survey;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::problem::{Problem, Problems};

use super::load::documents::{Documents, Node};
use super::specification::{Dialect, SchemaRef, Schemas, Side};

/// What a learned document says about how often each of its facts was seen.
pub(in crate::contract) const EVIDENCE: &str = "x-driftgate-evidence";

/// Which reading of a schema a lowered one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::contract) enum Flavour {
    /// What the document says.
    Declared,
    /// The same with every object closed that is not a map: what it refuses beyond `Declared` is undocumented.
    Strict,
    /// Part of a composition: open itself, since its siblings may declare more, closed further down.
    Branch,
}

impl Flavour {
    /// What the key of the declared form is followed by. No component name may hold a `+`.
    pub(in crate::contract) fn suffix(self) -> &'static str {
        match self {
            Self::Declared => "",
            Self::Strict => "+strict",
            Self::Branch => "+branch",
        }
    }
}

/// How to read schemas.
#[derive(Debug, Clone, Copy)]
pub(in crate::contract) struct Rules {
    pub(in crate::contract) dialect: Dialect,
    /// Follow the text where `nullable` means nothing: beside a composition, beside an enum without null.
    pub(in crate::contract) strict_nullable: bool,
    /// Schema positions that may be lowered.
    pub(in crate::contract) schemas_max: usize,
}

/// Collects the schemas of a specification and lowers them.
pub(in crate::contract) struct Pool<'d> {
    documents: &'d Documents,
    rules: Rules,
    keys: BTreeMap<(usize, String), Arc<str>>,
    pointers: BTreeMap<Arc<str>, String>,
    request: Map<String, Value>,
    response: Map<String, Value>,
    waiting: VecDeque<Job<'d>>,
    scheduled: BTreeSet<(Side, String)>,
    lints: Lints,
}

/// One schema to lower once.
struct Job<'d> {
    name: String,
    schema: Cow<'d, Value>,
    document: usize,
    pointer: String,
    side: Side,
    flavour: Flavour,
}

/// Warnings, each said once however often a schema is lowered.
#[derive(Default)]
struct Lints {
    list: Problems,
    said: BTreeSet<(String, &'static str)>,
}

impl<'d> Pool<'d> {
    pub(in crate::contract) fn new(documents: &'d Documents, rules: Rules) -> Self {
        Self {
            documents,
            rules,
            keys: BTreeMap::new(),
            pointers: BTreeMap::new(),
            request: Map::new(),
            response: Map::new(),
            waiting: VecDeque::new(),
            scheduled: BTreeSet::new(),
            lints: Lints::default(),
        }
    }

    /// Adds the schema at a place; a schema that is only a reference is the one it names.
    pub(in crate::contract) fn add(&mut self, node: Node<'d>, side: Side) -> SchemaRef {
        let documents = self.documents;
        // What stands beside a reference on the way counts, wherever references beside others do.
        let is_bare = |members: &Map<String, Value>| {
            members.len() == 1
                || self.rules.dialect != Dialect::OpenApi31
                    && !["nullable", "x-nullable"].iter().any(|name| members.contains_key(*name))
        };
        let node = documents.follow_while(node, |node| node.value.as_object().is_some_and(is_bare));
        let key = self.key(node.document, &node.pointer);
        self.schedule_uses(&key, &Cow::Borrowed(node.value), (node.document, &node.pointer), side);
        SchemaRef { key }
    }

    /// Adds a schema that stands nowhere as such, made of the object at `pointer`.
    pub(in crate::contract) fn add_made(
        &mut self,
        schema: Value,
        document: usize,
        pointer: &str,
        side: Side,
    ) -> SchemaRef {
        let key = self.key(document, pointer);
        self.schedule_uses(&key, &Cow::Owned(schema), (document, pointer), side);
        SchemaRef { key }
    }

    fn schedule_uses(
        &mut self,
        key: &Arc<str>,
        schema: &Cow<'d, Value>,
        (document, pointer): (usize, &str),
        side: Side,
    ) {
        for flavour in [Flavour::Declared, Flavour::Strict] {
            let name = format!("{key}{}", flavour.suffix());
            self.schedule(Job {
                name,
                schema: schema.clone(),
                document,
                pointer: pointer.to_owned(),
                side,
                flavour,
            });
        }
    }

    fn schedule(&mut self, job: Job<'d>) {
        if self.scheduled.insert((job.side, job.name.clone())) {
            self.waiting.push_back(job);
        }
    }

    /// The key of a place: the component's name, else a hash of the place.
    fn key(&mut self, document: usize, pointer: &str) -> Arc<str> {
        if let Some(key) = self.keys.get(&(document, pointer.to_owned())) {
            return key.clone();
        }
        let component = ["/components/schemas/", "/definitions/"]
            .iter()
            .find_map(|prefix| pointer.strip_prefix(prefix))
            .filter(|name| document == 0 && is_plain_name(name));
        let key: Arc<str> = if let Some(name) = component {
            name.into()
        } else {
            let digest = Sha256::digest(format!("{document}#{pointer}"));
            let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("at+{hex}").into()
        };
        self.keys.insert((document, pointer.to_owned()), key.clone());
        self.pointers.insert(key.clone(), self.documents.shown(document, pointer));
        key
    }

    /// Lowers everything that was added and all that it refers to.
    ///
    /// # Errors
    /// When there are more schemas than allowed.
    pub(in crate::contract) fn finish(mut self) -> Result<(Schemas, Problems), Problem> {
        while let Some(job) = self.waiting.pop_front() {
            if self.scheduled.len() > self.rules.schemas_max {
                let message = format!("more than {} schemas", self.rules.schemas_max);
                return Err(Problem::error("", "spec.too-large", message)
                    .remedy("split the API, or raise `contract.limits.schemas`"));
            }
            let lowered = schema::lower(&mut self, &job);
            let target = match job.side {
                Side::Request => &mut self.request,
                Side::Response => &mut self.response,
            };
            target.insert(job.name, lowered);
        }
        let bundle = |definitions: Map<String, Value>| {
            Arc::new(Value::Object(Map::from_iter([(
                "$defs".to_owned(),
                Value::Object(definitions),
            )])))
        };
        let schemas = Schemas {
            request: bundle(self.request),
            response: bundle(self.response),
            pointers: self.pointers,
        };
        Ok((schemas, self.lints.list))
    }

    fn lint(&mut self, document: usize, pointer: &str, code: &'static str, message: String) {
        let place = self.documents.shown(document, pointer);
        if self.lints.said.insert((place.clone(), code)) {
            self.lints.list.push(Problem::warning(place, code, message));
        }
    }
}

/// Letters, digits, `.`, `-`, `_`: what a component may be called.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

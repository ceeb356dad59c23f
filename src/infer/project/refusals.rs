//! Refusals find their operations: each is routed by the templates and becomes a status of one (`spec/inference.md` 9.2).

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Response, Schema, Support};
use super::paths::{Found, Step};
use super::pools::Direction;
use super::shapes::{self, Context};
use crate::infer::evidence::{Body, Refusal};
use crate::infer::monoid::{Count, Monoid as _};
use crate::infer::shape::{Members, Shape};
use crate::infer::signature::text_hash;

/// Server faults are stated from so many sightings.
const FAULTS_MIN: u32 = 2;

/// A status of an operation as refusals show it.
#[derive(Default)]
pub(super) struct Status<'a> {
    n: Count,
    pub(super) anonymous: Count,
    headers: BTreeSet<String>,
    /// Signatures by media type.
    bodies: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// All refusals by operation (index into the templates found) and status.
#[derive(Default)]
pub(super) struct Routed<'a> {
    by_operation: BTreeMap<usize, BTreeMap<u16, Status<'a>>>,
    /// Refused requests that fit no operation.
    pub(super) unrouted: u64,
}

/// One entry of the table of refusals, taken apart.
struct Record<'a> {
    method: &'a str,
    status: u16,
    media: &'a str,
    signature: &'a str,
    segments: Vec<&'a str>,
}

impl<'a> Record<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.split('\t');
        Some(Self {
            method: parts.next()?,
            status: parts.next()?.parse().ok()?,
            media: parts.next()?,
            signature: parts.next()?,
            segments: parts.collect(),
        })
    }
}

impl<'a> Routed<'a> {
    pub(super) fn new(body: &'a Body, found: &[Found]) -> Self {
        let mut routed = Self::default();
        for entry in body.refusals.iter() {
            let Some(record) = Record::parse(&entry.name) else { continue };
            match route(&record, found) {
                Some(operation) => routed.add(operation, &record, &entry.value),
                None => routed.unrouted += u64::from(entry.value.n.0),
            }
        }
        routed
    }

    fn add(&mut self, operation: usize, record: &Record<'a>, refusal: &Refusal) {
        let statuses = self.by_operation.entry(operation).or_default();
        let status = statuses.entry(record.status).or_default();
        status.n.merge(&refusal.n);
        status.anonymous.merge(&refusal.anonymous);
        status.headers.extend(refusal.headers.iter().map(|entry| entry.name.to_string()));
        if !matches!(record.media, "-" | "?") {
            status.bodies.entry(record.media).or_default().insert(record.signature);
        }
    }

    pub(super) fn of(&self, operation: usize) -> impl Iterator<Item = (u16, &Status<'a>)> {
        self.by_operation
            .get(&operation)
            .into_iter()
            .flatten()
            .map(|(status, counts)| (*status, counts))
    }

    /// Whether requests without credentials were refused for that.
    pub(super) fn challenges(&self, operation: usize) -> bool {
        self.of(operation)
            .any(|(status, counts)| matches!(status, 401 | 403) && counts.anonymous.any())
    }
}

impl<'a> Status<'a> {
    /// The bodies that were looked into, by media type.
    pub(super) fn bodies(
        &self,
        status: u16,
        body: &Body,
    ) -> impl Iterator<Item = (&'a str, Pooled)> {
        self.bodies.iter().filter_map(move |(media, signatures)| {
            Some((*media, Pooled::new(body, status / 100, media, signatures)?))
        })
    }

    /// The response that the pooled bodies support; none while a fault may have been an accident.
    pub(super) fn response(
        &self,
        status: u16,
        body: &Body,
        operation: Count,
        context: Context<'_>,
    ) -> Option<Response> {
        if status >= 500 && self.n.0 < FAULTS_MIN {
            return None;
        }
        let pooled: BTreeMap<&str, Schema> = self
            .bodies(status, body)
            .map(|(media, pooled)| (media, pooled.schema(context)))
            .collect();
        let schemas = self
            .bodies
            .keys()
            .map(|media| {
                let schema = pooled.get(media).cloned();
                ((*media).to_owned(), schema.unwrap_or_else(|| super::bodies::opaque(media)))
            })
            .collect();
        let headers = self.headers.iter().map(|name| (name.clone(), Schema::text(None))).collect();
        Some(Response { headers, content: schemas, support: Support::of(self.n, operation) })
    }
}

/// Bodies of one kind of refusal, taken together.
pub(super) struct Pooled {
    pub(super) shape: Shape,
    /// Members at the top that some refusal of the class lacks: required is only what every one has.
    pub(super) optional: BTreeSet<u64>,
}

impl Pooled {
    fn new(body: &Body, class: u16, media: &str, signatures: &BTreeSet<&str>) -> Option<Self> {
        let prefix = format!("{class}\t{media}\t");
        let mut shape = Shape::default();
        for signature in signatures {
            let name = format!("{prefix}{signature}");
            if let Some(entry) = body.refusal_bodies.get(text_hash(&name)) {
                shape.merge(&entry.value);
            }
        }
        let kin: Vec<&Members> = body
            .refusal_bodies
            .iter()
            .filter(|entry| entry.name.starts_with(&prefix))
            .filter_map(|entry| entry.value.members.as_deref())
            .collect();
        let lacking = |members: &&Members, hash: u64| {
            members.keys.get(hash).is_none_or(|entry| entry.value.k < members.n)
        };
        let names = shape.members.iter().flat_map(|members| members.keys.iter());
        let optional = names
            .map(|entry| entry.hash)
            .filter(|hash| kin.iter().any(|members| lacking(members, *hash)))
            .collect();
        (shape.n() > 0).then_some(Self { shape, optional })
    }

    fn schema(&self, context: Context<'_>) -> Schema {
        let context = Context {
            direction: Direction::Refusal,
            by_identity: false,
            optional: &self.optional,
            ..context
        };
        shapes::schema(&self.shape, context)
    }
}

/// The operation that a refused request was meant for: literals before parameters.
fn route(record: &Record<'_>, found: &[Found]) -> Option<usize> {
    found
        .iter()
        .enumerate()
        .filter(|(_, found)| {
            let method =
                crate::model::observation::Method::DOCUMENTED.get(usize::from(found.method));
            method.is_some_and(|method| method.as_str() == record.method)
                && fits(&found.steps, &record.segments)
        })
        .max_by_key(|(_, found)| literals(&found.steps))
        .map(|(index, _)| index)
}

fn fits(steps: &[Step], segments: &[&str]) -> bool {
    steps.len() == segments.len()
        && steps.iter().zip(segments).all(|(step, segment)| match step {
            Step::Literal(text) => text == segment,
            // A misspelt id was refused for being one: the parameter is still what it was meant for.
            Step::Wildcard(wildcard) => wildcard.has_around(segment),
        })
}

/// Where literals stand, as a number that prefers early ones.
fn literals(steps: &[Step]) -> u64 {
    steps.iter().fold(0, |bits, step| bits << 1 | u64::from(matches!(step, Step::Literal(_))))
}

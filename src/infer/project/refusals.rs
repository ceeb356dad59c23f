//! Refusals find their operations: each is routed by the templates and becomes a status of one (`spec/inference.md` 9.2).

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Response, Schema, Support};
use super::paths::Found;
use super::pools::Direction;
use super::route;
use super::shapes::{self, Context};
use crate::infer::View;
use crate::infer::evidence::{Body, BodyEvidence, Refusal};
use crate::infer::monoid::{Count, Monoid as _};
use crate::infer::shape::{Members, Shape, data_name};
use crate::infer::signature::text_hash;
use crate::infer::table::Table;
use crate::infer::variants::{self, part};
use crate::model::observation::Method;

/// Server faults are stated from so many sightings.
const FAULTS_MIN: u32 = 2;

/// Refusals of bodies that lack one member only, from which it is required.
const DEMANDS_MIN: u64 = 2;

/// A status of an operation as refusals show it.
#[derive(Default)]
pub(super) struct Status<'a> {
    n: Count,
    pub(super) anonymous: Count,
    headers: BTreeSet<String>,
    /// Signatures by media type.
    bodies: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Sums of the member names of refused bodies.
    requests: BTreeMap<u64, u64>,
}

/// All refusals by operation (index into the templates found) and status.
#[derive(Default)]
pub(super) struct Routed<'a> {
    by_operation: BTreeMap<usize, BTreeMap<u16, Status<'a>>>,
    /// Refused requests that fit no operation.
    pub(super) unrouted: u64,
}

/// One entry of the table of refusals, taken apart.
pub(super) struct Record<'a> {
    pub(super) method: &'a str,
    pub(super) status: u16,
    pub(super) media: &'a str,
    signature: &'a str,
    pub(super) segments: Vec<&'a str>,
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
        for (record, refusal) in records(body) {
            match operation_of(&record, found) {
                Some(operation) => {
                    let statuses = routed.by_operation.entry(operation).or_default();
                    statuses.entry(record.status).or_default().add(&record, refusal);
                }
                None => routed.unrouted += u64::from(refusal.n.0),
            }
        }
        routed
    }

    pub(super) fn of(&self, operation: usize) -> impl Iterator<Item = (u16, &Status<'a>)> {
        self.by_operation
            .get(&operation)
            .into_iter()
            .flatten()
            .map(|(status, counts)| (*status, counts))
    }

    /// The members of an operation's request bodies without which requests like accepted ones were refused (8.2).
    pub(super) fn demanded<const K: usize>(
        &self,
        operation: usize,
        bodies: &Table<BodyEvidence, K>,
    ) -> BTreeSet<u64> {
        let mut refused: BTreeMap<u64, u64> = BTreeMap::new();
        for (_, status) in self.of(operation).filter(|(status, _)| matches!(status, 400 | 422)) {
            for (sum, count) in &status.requests {
                *refused.entry(*sum).or_default() += count;
            }
        }
        let objects = bodies.iter().filter_map(|entry| entry.value.shape.members.as_deref());
        objects.flat_map(|members| demanded(members, &refused)).collect()
    }

    /// Whether requests without credentials were refused for that.
    pub(super) fn challenges(&self, operation: usize) -> bool {
        self.of(operation)
            .any(|(status, counts)| matches!(status, 401 | 403) && counts.anonymous.any())
    }
}

/// The members that are never absent from accepted bodies, and alone were absent from enough refused ones; those of objects
/// one level below as [`variants::below`] names them. `refused`: counts by the sums of names.
fn demanded(members: &Members, refused: &BTreeMap<u64, u64>) -> BTreeSet<u64> {
    let count = |sum: u64| refused.get(&sum).copied().unwrap_or_default();
    let mut all = BTreeSet::new();
    all.extend(lacked(members, count));
    for entry in members.keys.iter() {
        let Some(wrapped) = &entry.value.shape.members else { continue };
        let count = |sum: u64| -> u64 {
            let around = members.signatures.iter().map(|around| around.hash);
            around.map(|around| count(variants::nested(around, entry.hash, sum))).sum()
        };
        all.extend(lacked(wrapped, count).map(|hash| variants::below(entry.hash, hash)));
    }
    all
}

/// The members of an object that are never absent, and alone were absent often enough by a count of refused sets of names.
fn lacked(members: &Members, refused: impl Fn(u64) -> u64) -> impl Iterator<Item = u64> {
    let always = members.keys.iter().filter(|entry| entry.value.k == members.n);
    let named = always.filter(|entry| data_name(&entry.name).is_none()).map(|entry| entry.hash);
    named.filter(move |hash| {
        let sums = members.signatures.iter().map(|accepted| accepted.hash);
        let lacking: u64 = sums.map(|sum| refused(sum.wrapping_sub(part(*hash)))).sum();
        lacking >= DEMANDS_MIN
    })
}

impl<'a> Status<'a> {
    /// Counts what one record tells.
    pub(super) fn add(&mut self, record: &Record<'a>, refusal: &Refusal) {
        self.n.merge(&refusal.n);
        self.anonymous.merge(&refusal.anonymous);
        self.headers.extend(refusal.headers.iter().map(|entry| entry.name.to_string()));
        for entry in refusal.requests.iter() {
            *self.requests.entry(entry.hash).or_default() += u64::from(entry.value.0);
        }
        if !matches!(record.media, "-" | "?") {
            self.bodies.entry(record.media).or_default().insert(record.signature);
        }
    }

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
        let accident = status >= 500 && self.n.0 < FAULTS_MIN;
        if accident && context.view == View::Strict {
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

fn records(body: &Body) -> impl Iterator<Item = (Record<'_>, &Refusal)> {
    body.refusals.iter().filter_map(|entry| Some((Record::parse(&entry.name)?, &entry.value)))
}

/// The refusals that no operation fits.
pub(super) fn unrouted<'a, 'f>(
    body: &'a Body,
    found: &'f [Found],
) -> impl Iterator<Item = (Record<'a>, &'a Refusal)> + use<'a, 'f> {
    records(body).filter(|(record, _)| operation_of(record, found).is_none())
}

/// The operation that a refused request was meant for.
fn operation_of(record: &Record<'_>, found: &[Found]) -> Option<usize> {
    let method = Method::DOCUMENTED.iter().position(|known| known.as_str() == record.method)?;
    route::nearest(&record.segments, found, |found| usize::from(found.method) == method)
}

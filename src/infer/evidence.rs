//! All that is counted of one API: a trie of paths with an operation's counts at each node, refusals apart, known ids.
//!
//! Owns the structure. Refuses to own learning (`learn`), growth limits of the trie (`collapse`) and meaning (`project`).

use std::collections::{BTreeMap, BTreeSet};

use super::codec::{Corrupt, Reader, Writer};
use super::error::Error;
use super::generations::Generations;
use super::limits::{Limits, Size};
use super::monoid::{All, Bits64, Capped, Count, Greatest, Monoid, Range, Sum, blocks};
use super::plans::Budget;
use super::shape::Shape;
use super::table::{self, Table};
use super::{collapse, generations, limits, shape::Texts};
use crate::model::observation::KnownId;

/// Ids that are remembered per API.
pub(super) const KNOWN_IDS: usize = 65_536;

/// All that was counted of one API under one hash key.
#[derive(Debug, Clone)]
pub struct Evidence {
    api: Box<str>,
    key_id: [u8; 4],
    pub(super) body: Body,
    pub(super) plans: Budget,
    /// How far the body has grown; worked out, not kept.
    pub(super) size: Size,
}

/// Caches make no difference.
impl PartialEq for Evidence {
    fn eq(&self, other: &Self) -> bool {
        (&self.api, self.key_id, &self.body) == (&other.api, other.key_id, &other.body)
    }
}

impl Evidence {
    /// Nothing counted yet. `key_id` names the hash key of all observations to come.
    #[must_use]
    pub fn new(api: &str, key_id: [u8; 4]) -> Self {
        Self {
            api: api.into(),
            key_id,
            body: Body::default(),
            plans: Budget::default(),
            size: Size::default(),
        }
    }

    /// Brings it into the form that depends on what was learned alone, not on its order. [`merge`] does so too; to be done
    /// before it is written or projected where that matters.
    pub fn settle(&mut self) {
        collapse::settle(&mut self.body.root);
    }

    /// Sets the bounds within which it learns from now on.
    pub fn limit(&mut self, limits: Limits) {
        self.size = Size::of(&self.body, limits);
    }

    /// The same, learning without short cuts for known shapes.
    #[cfg(test)]
    pub(super) fn without_plans(self) -> Self {
        Self { plans: Budget::none(), ..self }
    }

    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The id of the hash key under which it was observed.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// Limits at which something was forgotten, with how often they bit: tables that overflowed, exchanges not learned from.
    #[must_use]
    pub fn limits_hit(&self) -> Vec<(&'static str, u64)> {
        limits::hit(&self.body)
    }

    /// Bounds on the whole at which something gave way, with how often.
    #[must_use]
    pub fn pressure(&self) -> Vec<(&'static str, u64)> {
        limits::pressure(&self.body)
    }

    /// Exchanges that taught something.
    #[must_use]
    pub fn learned(&self) -> u64 {
        self.body.learned.0
    }
}

/// Adds what another evidence counted. Commutes and associates; nothing is lost or counted twice.
///
/// # Errors
/// When the two were learned of different APIs or under different hash keys; nothing is changed then.
pub fn merge(evidence: &mut Evidence, other: &Evidence) -> Result<(), Error> {
    if evidence.key_id != other.key_id {
        return Err(Error::OtherKey { ours: evidence.key_id, theirs: other.key_id });
    }
    if evidence.api != other.api {
        let (ours, theirs) = (evidence.api.clone(), other.api.clone());
        return Err(Error::OtherApi { ours, theirs });
    }
    let body = &mut evidence.body;
    body.merge(&other.body);
    collapse::settle(&mut body.root);
    generations::age(&mut body.root, body.newest.0);
    evidence.size = Size::of(body, evidence.size.limits);
    Ok(())
}

blocks! {
    pub(super) struct Body {
        learned: Sum,
        /// Accepted exchanges among them.
        accepted: Sum,
        noise: BTreeMap<u16, Sum>,
        /// Redirects of a request to its proper spelling.
        corrections: Sum,
        servers: Table<Count, 32>,
        root: Node,
        refusals: Table<Refusal, 8_192>,
        /// Exchanges of other protocols: the name of [`crate::model::observation::Noise`], the method, then the segments.
        protocols: Table<Count, 128>,
        /// The greatest epoch of any exchange; ageing looks back from it.
        newest: Greatest,
        /// Limits that made it forget something, by [`super::limits::Limit`].
        limits: BTreeMap<u16, Sum>,
        /// Bodies of refusals, pooled over all operations.
        refusal_bodies: Table<Shape, 64>,
        known_ids: KnownIds,
        /// Times of the exchanges that taught something, Unix milliseconds.
        times: Range,
    }
}

blocks! {
    /// One path segment, by its text or by its class of data.
    pub(super) struct Node {
        /// `class_code` of its segments.
        class: Greatest,
        /// Hash of the singular of its text.
        word: Greatest,
        visits: Count,
        consumers: Bits64,
        /// Distinct texts, where it stands for many.
        distinct: Bits64,
        /// The same, as the smallest hashes with their visits.
        sample: Table<Count, 32>,
        /// Texts of numbers and dates that could be versions.
        values: Capped<4>,
        /// Id-like keys under which responses repeat the segment: strong, weak.
        strong_echoes: Table<Count, 8>,
        weak_echoes: Table<Count, 8>,
        children: Table<Node, 4_096>,
        /// The soft children that were given up as literals.
        star: Option<Box<Node>>,
        /// By the index of the method in [`crate::model::observation::Method::DOCUMENTED`].
        cells: BTreeMap<u16, Generations>,
        other_methods: Capped<8>,
    }
}

blocks! {
    /// One candidate operation: what accepted exchanges of one epoch showed.
    pub(super) struct Cell {
        n: Count,
        /// Exchanges it stands for, where captures were sampled.
        weight: Sum,
        consumers: Bits64,
        hours: Bits64,
        last_ms: Greatest,
        /// With a trailing slash.
        slashed: Count,
        query: Table<ParameterEvidence, 128>,
        headers: Table<ParameterEvidence, 64>,
        /// Credential sets, as sorted texts; the empty one is anonymous.
        credentials: Capped<16>,
        bodiless: Count,
        request: Table<BodyEvidence, 8>,
        responses: BTreeMap<u16, Response>,
        cookies: Table<ParameterEvidence, 32>,
    }
}

blocks! {
    pub(super) struct ParameterEvidence {
        k: Count,
        consumers: Bits64,
        repeated: Count,
        bare: Count,
        texts: Texts,
        commas: Option<Box<Lists>>,
        pipes: Option<Box<Lists>>,
        spaces: Option<Box<Lists>>,
    }
}

blocks! {
    /// Values that hold a separator.
    pub(super) struct Lists {
        n: Count,
        /// Those whose items are all of one class of data or all keywords.
        uniform: Count,
        /// Classes that all items of the uniform ones share.
        items: All,
        /// How many items a value has.
        lengths: Range,
    }
}

blocks! {
    pub(super) struct Response {
        n: Count,
        bodiless: Count,
        headers: Table<ParameterEvidence, 64>,
        bodies: Table<BodyEvidence, 8>,
    }
}

blocks! {
    /// Bodies of one media type.
    pub(super) struct BodyEvidence {
        n: Count,
        truncated: Count,
        malformed: Count,
        mislabelled: Count,
        skipped: Count,
        /// Bodies that were read.
        read: Count,
        shape: Shape,
        /// Bodies with a name given twice in one object.
        duplicates: Count,
        /// Bodies that are a sequence of items; they have no part in `shape`.
        stream: Option<Box<Stream>>,
    }
}

blocks! {
    /// Items of NDJSON, JSON text sequences and event streams.
    pub(super) struct Stream {
        /// Bodies by [`crate::model::observation::Framing`].
        framings: BTreeMap<u16, Count>,
        items: Count,
        /// Items that are no JSON.
        texts: Count,
        /// By the name of the event; empty for items without one.
        events: Table<Shape, 16>,
    }
}

blocks! {
    /// Refusals of one method, symbolised path, status, media type and body signature: the name of the entry.
    pub(super) struct Refusal {
        n: Count,
        anonymous: Count,
        headers: Table<ParameterEvidence, 16>,
        /// Member names of the refused requests' bodies, as `variants` adds them up: at the root, and one level below.
        requests: Table<Count, 32>,
        /// The newest epoch in which it was seen.
        newest: Greatest,
    }
}

impl BodyEvidence {
    /// What is known of the items, where most bodies are sequences: one odd body does not make the others a sequence.
    pub(super) fn sequence(&self) -> Option<&Stream> {
        let stream = self.stream.as_deref()?;
        let bodies = stream.framings.values().fold(0, |sum, count| sum + u64::from(count.0));
        (bodies > u64::from(self.read.0)).then_some(stream)
    }
}

impl Node {
    /// Whether both answer, or something is below both: a leaf is no sibling of a branch, whatever they are called.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        (self.answers() && other.answers()) || (self.leads_on() && other.leads_on())
    }

    /// Whether paths end here.
    pub(super) fn answers(&self) -> bool {
        !self.cells.is_empty()
    }

    /// Whether paths go on from here.
    pub(super) fn leads_on(&self) -> bool {
        !self.children.is_empty() || self.crowd().next().is_some()
    }

    /// What stands for many children: those given up as literals, and those for which there was no room.
    pub(super) fn crowd(&self) -> impl Iterator<Item = &Self> {
        self.star.as_deref().into_iter().chain(self.children.rest())
    }
}

/// Values seen under id-like keys: the [`KNOWN_IDS`] smallest by hash, so that membership is decidable below the greatest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct KnownIds {
    ids: BTreeSet<KnownId>,
    /// How often its room was halved, where memory ran short.
    halvings: u8,
}

impl KnownIds {
    pub(super) fn see(&mut self, id: KnownId) {
        if self.ids.len() < self.room() {
            self.ids.insert(id);
            return;
        }
        let beyond = self.ids.last().is_some_and(|last| *last < id);
        if !beyond && self.ids.insert(id) {
            self.ids.pop_last();
        }
    }

    fn room(&self) -> usize {
        table::halved(table::room(KNOWN_IDS), self.halvings)
    }

    /// Halves its room, for good.
    pub(super) fn halve(&mut self) {
        self.shrink(self.halvings.saturating_add(1));
    }

    fn shrink(&mut self, halvings: u8) {
        self.halvings = self.halvings.max(halvings).min(table::HALVINGS_MAX);
        while self.ids.len() > self.room() {
            self.ids.pop_last();
        }
    }

    /// Whether some may have been forgotten.
    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= self.room()
    }

    /// All sightings of a value.
    pub(super) fn of(&self, value: u64) -> impl Iterator<Item = &KnownId> {
        let from = KnownId { value, collection: 0, strong: false };
        let to = KnownId { value, collection: u64::MAX, strong: true };
        self.ids.range(from..=to)
    }

    /// Whether absence of a value means that it was never seen.
    pub(super) fn decides(&self, value: u64) -> bool {
        !self.is_full() || self.ids.last().is_some_and(|last| value < last.value)
    }
}

impl Monoid for KnownIds {
    fn merge(&mut self, other: &Self) {
        self.shrink(other.halvings);
        for id in &other.ids {
            self.see(*id);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(table::with_halvings(self.ids.len(), self.halvings));
        for id in &self.ids {
            writer.fixed(id.value);
            writer.fixed(id.collection);
            writer.varint(u64::from(id.strong));
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let (length, halvings) = table::apart(reader.varint()?)?;
        if length > KNOWN_IDS as u64 {
            return Err(Corrupt("known ids"));
        }
        let mut ids = BTreeSet::new();
        for _ in 0..length {
            let (value, collection) = (reader.fixed()?, reader.fixed()?);
            ids.insert(KnownId { value, collection, strong: reader.varint()? != 0 });
        }
        Ok(Self { ids, halvings })
    }
}

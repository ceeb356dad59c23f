//! What is known of heads and bodies by their guarded shapes, so that a shape is judged once (`spec/contract.md` 3.1).
//!
//! Owns the table of proofs of one baseline, the audits that judge one in 64 all the same, and the limit to judging in full
//! where shapes prove too little. Pure but for its memory. Refuses to own shapes (`guard`) and judging (`check`).

mod bucket;
mod heads;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Weak};

use super::baseline::Baseline;
use super::check::Flaw;
use super::guard::{self, Grain, Reading, Shape};
use super::judgement::{Reason, Validity};
use super::specification::{SchemaRef, Side};
use crate::model::hash::{HashKey, Hashed, fold};
use crate::model::observation::Tape;
use crate::model::redaction::Plan;
use bucket::{Bucket, Consumers};
use heads::Head;
pub(super) use heads::{Field, Name as HeadName};
use table::Table;

/// One body in so many of a schema, one head in so many of a message, is judged in full, whatever is known.
const AUDIT_EACH: u64 = 64;

/// Bodies of a schema over which it is decided whether shapes prove enough.
const WINDOW: u32 = 1_000;

/// Proofs of one schema that a new one is compared with, to be kept once.
const RECENT_MAX: usize = 32;

/// Everything that judging said of one head or body, beside its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Proof {
    pub(super) flaws: Vec<Flaw>,
    pub(super) validity: Validity,
    /// Optional fields that could have been there, by pointer: whether they were.
    pub(super) fields: Vec<(Arc<str>, bool)>,
    /// Hash of names and types.
    pub(super) form: u64,
    /// Both forms of the schema accept it as it stands: neither order nor number of anything matters.
    pub(super) plain: bool,
}

/// What became of the heads and bodies that were looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProofCounts {
    /// Known by their shape.
    pub hits: u64,
    /// Judged in full, and known from then on.
    pub misses: u64,
    /// Judged in full, since no shape proves anything of them.
    pub unprovable: u64,
    /// Known, and judged in full all the same.
    pub audits: u64,
    /// Audits that said something else than was known. Never but for a mistake of ours.
    pub mismatches: u64,
    /// Not judged, for too much had to be judged in full.
    pub skipped: u64,
    /// Values that no shape covers, for there were too many in one body.
    pub unchecked_values: u64,
}

/// The proofs of one baseline.
#[derive(Debug)]
pub struct Proofs {
    plan: guard::Plan,
    /// By schema: its slot, and where its bodies begin in the plan.
    index: HashMap<(Side, Arc<str>), (usize, usize)>,
    heads: HashMap<HeadName, Head, BuildHasherDefault<Hashed>>,
    slots: Vec<Slot>,
    table: Table,
    bucket: Bucket,
    consumers: Consumers,
    /// Nobody has seen the consumer of the exchange that is being judged.
    is_newcomer: bool,
    memory: Vec<u64>,
    counts: ProofCounts,
}

/// What is known of one schema, or of one head.
#[derive(Debug, Default)]
struct Slot {
    seen: u64,
    /// Bodies and hits of the current window.
    window: (u32, u32),
    /// In the window before, fewer than half were hits.
    is_cold: bool,
    recent: Vec<Weak<Proof>>,
}

/// One body, and what is known of it before it is read.
pub(super) struct Question<'q> {
    pub(super) side: Side,
    pub(super) schema: &'q SchemaRef,
    pub(super) look: Look<'q>,
    pub(super) body: &'q [u8],
    pub(super) redaction: &'q Plan,
    pub(super) status: u16,
    pub(super) time_ms: i64,
}

/// How the shape of a body is found.
#[derive(Clone, Copy)]
pub(super) enum Look<'q> {
    Tape(&'q Tape),
    /// A form, by whoever reads forms: given the plan and where that of its schema begins.
    Form(&'q dyn Fn(&guard::Plan, usize) -> Option<u64>),
    /// Nothing was observed of it.
    Nothing,
}

/// What to do with a body.
pub(super) enum Advice {
    Known(Arc<Proof>),
    /// To be judged in full; what comes of it is to be given back with the ticket.
    Judge(Ticket),
    /// There is no time for it.
    Skip,
}

/// Says what a full judgement is to be kept as.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    slot: usize,
    coarse: Option<Shape>,
    exact: Option<Shape>,
    /// What was known already.
    known: Option<Arc<Proof>>,
}

impl Proofs {
    /// Nothing is known yet. `key` is that of the observations to come: their tapes hold the hashes of names.
    #[must_use]
    pub fn new(key: HashKey) -> Self {
        Self {
            plan: guard::Plan::new(key),
            index: HashMap::new(),
            heads: HashMap::default(),
            slots: Vec::new(),
            table: Table::default(),
            bucket: Bucket::default(),
            consumers: Consumers::default(),
            is_newcomer: false,
            memory: Vec::new(),
            counts: ProofCounts::default(),
        }
    }

    /// What was counted since the last call.
    pub fn take_counts(&mut self) -> ProofCounts {
        std::mem::take(&mut self.counts)
    }

    /// Begins an exchange: what is asked next is of this consumer.
    pub(super) fn meet(&mut self, consumer: u64) {
        self.is_newcomer = self.consumers.is_new(consumer);
    }

    /// Looks a body up by its shape.
    pub(super) fn ask(&mut self, baseline: &Baseline, question: &Question<'_>) -> Advice {
        let (index, root) = self.slot(baseline, question);
        let (coarse, exact) = self.shapes((index, root), question);
        let mut shapes = [coarse, exact].into_iter().flatten();
        let found = shapes.find_map(|shape| self.table.get(key(index, shape)));
        let slot = &mut self.slots[index];
        slot.count(found.is_some());
        if let Some(known) = found {
            self.counts.unchecked_values += coarse.map_or(0, |shape| u64::from(shape.unchecked));
            if !slot.seen.is_multiple_of(AUDIT_EACH) {
                self.counts.hits += 1;
                return Advice::Known(known);
            }
            self.counts.audits += 1;
            return Advice::Judge(Ticket { slot: index, coarse, exact, known: Some(known) });
        }
        let is_rare = slot.seen < u64::from(WINDOW);
        let is_urgent = is_rare || self.is_newcomer || !(200..300).contains(&question.status);
        let is_limited = slot.is_cold || coarse.is_none();
        if is_limited && !self.bucket.admit(question.time_ms, is_urgent) {
            self.counts.skipped += 1;
            return Advice::Skip;
        }
        if coarse.is_some() {
            self.counts.misses += 1;
        } else {
            self.counts.unprovable += 1;
        }
        Advice::Judge(Ticket { slot: index, coarse, exact, known: None })
    }

    /// Keeps what judging in full said; the same, shared.
    pub(super) fn learn(&mut self, ticket: Ticket, proof: Proof) -> Arc<Proof> {
        let Ticket { slot: index, coarse, exact, known } = ticket;
        let is_covered = coarse.is_some_and(|shape| shape.unchecked == 0);
        if let Some(known) = known {
            if *known == proof {
                return known;
            }
            // What nobody looked at proves nothing against anybody.
            self.counts.mismatches += u64::from(is_covered);
            for shape in [coarse, exact].into_iter().flatten() {
                self.table.remove(key(index, shape));
            }
        }
        let shape = if proof.plain { coarse } else { exact.filter(|_| is_covered) };
        let proof = self.slots[index].share(proof);
        let is_lasting = proof.validity != Validity::Unvalidatable(Reason::Panic);
        if let Some(shape) = shape.filter(|_| is_lasting) {
            self.table.insert(key(index, shape), &proof);
        }
        proof
    }

    /// What cannot be read disproves what was known of its shape.
    pub(super) fn refute(&mut self, ticket: &Ticket) {
        if ticket.known.is_some() {
            self.counts.mismatches += 1;
            for shape in [ticket.coarse, ticket.exact].into_iter().flatten() {
                self.table.remove(key(ticket.slot, shape));
            }
        }
    }

    /// Whether there is time to judge a refused request in full.
    pub(super) fn admit_refused(&mut self, time_ms: i64) -> bool {
        let admitted = self.bucket.admit(time_ms, true);
        self.counts.skipped += u64::from(!admitted);
        admitted
    }

    /// The slot of a schema, and where its bodies begin in the plan.
    fn slot(&mut self, baseline: &Baseline, question: &Question<'_>) -> (usize, usize) {
        let name = (question.side, Arc::clone(&question.schema.key));
        if let Some(known) = self.index.get(&name) {
            return *known;
        }
        let schemas = (&baseline.specification.schemas, &baseline.validators);
        let root = self.plan.root(schemas, (question.side, question.schema));
        self.slots.push(Slot::default());
        let known = (self.slots.len() - 1, root);
        self.index.insert(name, known);
        known
    }

    /// The shape in both grains; the exact one only where the coarse one is not known.
    fn shapes(
        &mut self,
        (index, root): (usize, usize),
        question: &Question<'_>,
    ) -> (Option<Shape>, Option<Shape>) {
        let Question { look, body, redaction, side, .. } = *question;
        let tape = match look {
            Look::Tape(tape) => tape,
            Look::Form(hash) => {
                let shape = hash(&self.plan, root).map(Shape::whole);
                return (shape, shape);
            }
            Look::Nothing => return (None, None),
        };
        let reading = Reading { plan: &self.plan, root, tape, body, redaction };
        // The form of a request is part of what is known of it.
        let grain = Grain::Coarse { names: side == Side::Request };
        let Some(coarse) = reading.shape(grain, &mut self.memory) else { return (None, None) };
        if self.table.get(key(index, coarse)).is_some() {
            return (Some(coarse), None);
        }
        (Some(coarse), reading.shape(Grain::Exact, &mut self.memory))
    }
}

impl Slot {
    fn count(&mut self, hit: bool) {
        self.seen += 1;
        self.window.0 += 1;
        self.window.1 += u32::from(hit);
        if self.window.0 >= WINDOW {
            self.is_cold = self.window.1 * 2 < self.window.0;
            self.window = (0, 0);
        }
    }

    /// The same proof, if one of the last ones was equal.
    fn share(&mut self, proof: Proof) -> Arc<Proof> {
        self.recent.retain(|known| known.strong_count() > 0);
        let known = self.recent.iter().filter_map(Weak::upgrade).find(|known| **known == proof);
        known.unwrap_or_else(|| {
            let proof = Arc::new(proof);
            if self.recent.len() >= RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push(Arc::downgrade(&proof));
            proof
        })
    }
}

fn key(slot: usize, shape: Shape) -> u64 {
    fold(shape.id, slot as u64)
}

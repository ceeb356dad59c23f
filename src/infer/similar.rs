//! Are two parts of the trie alike? Told by what happens below them, not by their names.
//!
//! Owns profiles (per leaf: method, remaining pattern, media type and root kind; the key paths of its bodies to depth 2 and
//! its query names) and their comparison (`spec/inference.md` 6.3). Refuses to own what follows from likeness.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::evidence::{BodyEvidence, Cell, Node};
use super::learn::{Work, cell_of};
use super::novelty::Novelty;
use super::plans::Budget;
use super::shape::Shape;
use super::signature::{key_paths, mix, root_kind, text_hash};
use super::table::Table;
use crate::model::observation::{Body, Method, Observation, Tape, Token};

/// Profiles are not followed deeper than this.
const DEPTH_MAX: usize = 8;

/// Share of common key paths from which two profiles are alike.
const ALIKE: f64 = 0.8;

/// Share below which they differ. Between the two, documents of free form share an envelope: that says nothing.
const DIFFERENT: f64 = 0.5;

/// Leaves with fewer key paths say nothing.
const KEYS_MIN: usize = 2;

/// What happens at and below a node.
#[derive(Debug, Default)]
pub(super) struct Profile {
    leaves: BTreeMap<u64, BTreeSet<u64>>,
    /// Bit per method of the node itself.
    pub(super) methods: u16,
    /// Methods of leaves below, mixed with their pattern.
    pub(super) below: BTreeSet<u64>,
}

/// How two profiles relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Similar,
    Dissimilar,
    /// No leaf in common that says anything, or neither clearly alike nor clearly different.
    Incomparable,
}

impl Profile {
    pub(super) fn of(node: &Node) -> Self {
        let methods = node.cells.keys().fold(0, |bits, method| bits | 1 << (method & 15));
        let mut profile = Self { methods, ..Self::default() };
        profile.descend(node, 0, 0);
        profile
    }

    fn descend(&mut self, node: &Node, pattern: u64, depth: usize) {
        for (method, generations) in &node.cells {
            let place = mix(pattern, u64::from(*method));
            self.below.insert(place);
            generations.cells().for_each(|cell| self.cell(cell, place));
        }
        if depth >= DEPTH_MAX {
            return;
        }
        for entry in node.children.iter() {
            let child = &entry.value;
            // Words may be static below here; whatever else stands there is one step of any name.
            let step = if is_wordy(child.class.0) { entry.hash } else { 1 };
            self.descend(child, mix(pattern, step), depth + 1);
        }
        for crowd in node.crowd() {
            self.descend(crowd, mix(pattern, 1), depth + 1);
        }
    }

    fn cell(&mut self, cell: &Cell, place: u64) {
        let query: Vec<u64> = cell.query.iter().map(|entry| mix(7, entry.hash)).collect();
        self.bodies(&cell.request, mix(place, 1), &query);
        for (status, response) in &cell.responses {
            let place = mix(place, u64::from(status / 100) + 1);
            self.bodies(&response.bodies, place, &query);
        }
    }

    fn bodies<const K: usize>(
        &mut self,
        table: &Table<BodyEvidence, K>,
        place: u64,
        query: &[u64],
    ) {
        for entry in table.iter() {
            let shape = &entry.value.shape;
            let leaf = mix(mix(place, text_hash(&entry.name)), root_kind(shape));
            let keys = self.leaves.entry(leaf).or_default();
            key_paths(shape, 0, keys);
            keys.extend(query);
        }
    }

    /// Compares all leaves that both have and that say something.
    pub(super) fn likeness(&self, other: &Self) -> Likeness {
        let (mut common, mut smaller) = (0, 0);
        for (leaf, keys) in &self.leaves {
            let Some(theirs) = other.leaves.get(leaf) else { continue };
            let least = keys.len().min(theirs.len());
            if least >= KEYS_MIN {
                smaller += least;
                common += keys.intersection(theirs).count();
            }
        }
        if smaller == 0 {
            return Likeness::Incomparable;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of keys are small")]
        let overlap = common as f64 / smaller as f64;
        if overlap >= ALIKE {
            Likeness::Similar
        } else if overlap < DIFFERENT {
            Likeness::Dissimilar
        } else {
            Likeness::Incomparable
        }
    }

    /// What happens at and below either.
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.methods |= other.methods;
        self.below.extend(&other.below);
        for (leaf, keys) in &other.leaves {
            self.leaves.entry(*leaf).or_default().extend(keys);
        }
        self
    }

    /// Whether nothing happens at and below this that does not happen there.
    pub(super) fn is_within(&self, all: &Self) -> bool {
        let known = |(leaf, keys): (&u64, &BTreeSet<u64>)| {
            all.leaves.get(leaf).is_some_and(|known| keys.is_subset(known))
        };
        !self.below.is_empty() && self.below.is_subset(&all.below) && self.leaves.iter().all(known)
    }

    /// Whether both serve some method at the same pattern.
    pub(super) fn shares_operation(&self, other: &Self) -> bool {
        self.below.intersection(&other.below).next().is_some()
    }
}

/// Whether an exchange is unlike those that were counted of its method at a leaf.
pub(super) fn is_unlike(leaf: &Node, observation: &Observation) -> bool {
    let method = cell_of(&observation.method);
    let Some(known) = leaf.cells.get(&method).filter(|_| !is_familiar(leaf, observation)) else {
        return false;
    };
    let mut crowd = Profile::default();
    known.cells().for_each(|cell| crowd.cell(cell, 0));
    let mut alone = Cell::default();
    let mut work = Work { novelty: &mut Novelty::default(), plans: &mut Budget::none() };
    alone.see(observation, observation.method == Method::Head, &mut work);
    let mut own = Profile::default();
    own.cell(&alone, 0);
    own.likeness(&crowd) == Likeness::Dissimilar
}

/// Whether nearly all names in the bodies of an exchange are known at a leaf, so that it need not be compared. Without
/// allocation, since most exchanges are so.
fn is_familiar(leaf: &Node, observation: &Observation) -> bool {
    let cells = leaf.cells.get(&cell_of(&observation.method)).into_iter();
    cells.flat_map(super::generations::Generations::cells).any(|cell| {
        let answers = cell.responses.get(&observation.status).map(|response| &response.bodies);
        let request = names_known(&observation.request, Some(&cell.request));
        let response = names_known(&observation.response, answers);
        let (known, all) = (request.0 + response.0, request.1 + response.1);
        known * 5 >= all * 4
    })
}

/// Names in the first two levels of a body: those that are known, and all.
fn names_known<const K: usize>(
    body: &Body,
    known: Option<&Table<BodyEvidence, K>>,
) -> (usize, usize) {
    let Body::Tape { media, tape } = body else { return (0, 0) };
    let known = known.and_then(|table| table.get(text_hash(media)));
    tape_names_known(tape, known.map(|entry| &entry.value.shape))
}

fn tape_names_known(tape: &Tape, shape: Option<&Shape>) -> (usize, usize) {
    fn items(shape: Option<&Shape>) -> Option<&Shape> {
        Some(&shape?.items.as_ref()?.shape)
    }
    // The open objects and arrays, with what is known of each.
    let mut open: SmallVec<[(bool, Option<&Shape>); 16]> = SmallVec::new();
    let (mut here, mut objects) = (shape, 0);
    let (mut known, mut all) = (0, 0);
    for token in &tape.tokens {
        match token {
            Token::Key(key) => {
                let holder = open.last().and_then(|(_, shape)| shape.as_ref()?.members.as_ref());
                here = holder.and_then(|members| Some(&members.keys.get(key.hash)?.value.shape));
                if objects <= 2 && key.data.is_none() {
                    all += 1;
                    known += usize::from(here.is_some());
                }
            }
            Token::Object { .. } => {
                open.push((false, here));
                objects += 1;
            }
            Token::Array { .. } => {
                open.push((true, here));
                here = items(here);
            }
            Token::End => {
                if open.pop().is_some_and(|(is_array, _)| !is_array) {
                    objects -= 1;
                }
                if let Some((true, shape)) = open.last() {
                    here = items(*shape);
                }
            }
            _ => {}
        }
    }
    (known, all)
}

/// Version, reserved, word, words (see [`super::trie::class_code`]).
fn is_wordy(class: u64) -> bool {
    (1..=4).contains(&class)
}

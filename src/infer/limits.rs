//! The bounds on the growth of one API's evidence, and what gives way (`spec/inference.md` 13).
//!
//! Owns the size of evidence, the order in which room is made, and the names of limits in reports. Bounds of single tables
//! are the tables' own; here they are only told. Up to the global bound evidence does not depend on order; beyond it that is
//! best effort, and the evidence says so.

use std::collections::BTreeMap;

use super::codec;
use super::collapse;
use super::evidence::{Body, BodyEvidence, Node};
use super::monoid::Monoid as _;
use super::plans::Budget;
use super::shape::Shape;
use super::table::Table;
use super::trie;
use crate::model::observation::Observation;

/// Novel exchanges between two weighings.
const NEWS_MAX: u32 = 4_096;

/// Memory that evidence takes, as a multiple of its encoded form.
const BYTES_PER_ENCODED: usize = 2;

/// Most nodes that are collapsed at one go.
const COLLAPSES_MAX: usize = 64;

/// Bounds on what is kept of one API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of the trie of paths.
    pub nodes: usize,
    /// Candidate operations.
    pub cells: usize,
    /// Bytes of memory, as an estimate from the encoded form.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 131_072, cells: 32_768, bytes: 40 << 20 }
    }
}

/// Limits that the evidence itself remembers; the others show in its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// Nodes were collapsed although their children differ, since there were too many nodes.
    Nodes,
    /// Exchanges of operations for which there was no room.
    Unlearned,
    /// Nodes were collapsed since there were too many candidate operations.
    Cells,
    /// Nodes were collapsed, or short cuts given up, since all of it took too much memory.
    Bytes,
}

impl Limit {
    const ALL: [Self; 4] = [Self::Nodes, Self::Unlearned, Self::Cells, Self::Bytes];

    fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Unlearned => "unlearned",
            Self::Cells => "cells",
            Self::Bytes => "evidence_bytes",
        }
    }
}

/// How large evidence is, and may become.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) cells: usize,
    bytes: usize,
    /// Novel exchanges since it was weighed.
    news: u32,
    /// Nothing is left that could give way.
    exhausted: bool,
    pub(super) limits: Limits,
}

impl Size {
    /// Counts and weighs.
    pub(super) fn of(body: &Body, limits: Limits) -> Self {
        let (nodes, cells) = count(&body.root);
        let bytes = codec::weight(body) * BYTES_PER_ENCODED;
        Self { nodes, cells, bytes, news: 0, exhausted: false, limits }
    }

    /// Notes that something new was learned, which takes memory.
    pub(super) fn grew(&mut self, body: &Body) {
        self.news += 1;
        if self.news >= NEWS_MAX {
            *self = Self::of(body, self.limits);
        }
    }

    /// The limit that one more path of so many segments would hit.
    fn hit(self, segments: usize, share: usize) -> Option<Limit> {
        let Limits { nodes, cells, bytes } = self.limits;
        if self.nodes + segments > nodes / 8 * share {
            Some(Limit::Nodes)
        } else if self.cells >= cells / 8 * share {
            Some(Limit::Cells)
        } else {
            (self.bytes > bytes / 8 * share).then_some(Limit::Bytes)
        }
    }
}

/// The nodes and the cells at and below a node.
fn count(node: &Node) -> (usize, usize) {
    let below = node.children.iter().map(|entry| &entry.value).chain(node.crowd());
    below.map(count).fold((1, node.cells.len()), |sum, own| (sum.0 + own.0, sum.1 + own.1))
}

/// Whether there is room for an exchange, made if need be. What is known always has room.
pub(super) fn admit(
    body: &mut Body,
    plans: &mut Budget,
    size: &mut Size,
    (observation, cell): (&Observation, u16),
) -> bool {
    let segments = observation.path.segments.len();
    let Some(limit) = size.hit(segments, 8) else { return true };
    if trie::find(&body.root, observation).is_some_and(|node| node.cells.contains_key(&cell)) {
        return true;
    }
    if !size.exhausted {
        body.limits.entry(limit as u16).or_default().add(1);
        make_room(body, plans, size, segments);
    }
    if size.hit(segments, 8).is_none() {
        return true;
    }
    body.limits.entry(Limit::Unlearned as u16).or_default().add(1);
    false
}

/// No further short cuts, half of the known ids and refusals where memory is short, then the widest nodes, until an eighth of
/// everything is free, or nothing is left that could go.
fn make_room(body: &mut Body, plans: &mut Budget, size: &mut Size, segments: usize) {
    *plans = Budget::none();
    if size.hit(segments, 7) == Some(Limit::Bytes) {
        body.known_ids.halve();
        body.refusals.halve();
        *size = Size::of(body, size.limits);
    }
    for _ in 0..COLLAPSES_MAX {
        let Some(widest) = size.hit(segments, 7).and_then(|_| widest(&mut body.root)) else {
            break;
        };
        collapse::give_all_up(widest);
        *size = Size::of(body, size.limits);
    }
    size.exhausted = size.hit(segments, 8).is_some();
}

/// The node with most children that can be given up as literals, if there are any.
fn widest(root: &mut Node) -> Option<&mut Node> {
    let mut most = 1;
    let mut place = None;
    let mut open: Vec<(&Node, Vec<u64>)> = vec![(root, Vec::new())];
    while let Some((node, path)) = open.pop() {
        let soft = collapse::soft_children(node);
        if soft > most {
            (most, place) = (soft, Some(path.clone()));
        }
        for entry in node.children.iter() {
            let below = path.iter().copied().chain([entry.hash]).collect();
            open.push((&entry.value, below));
        }
    }
    let mut node = root;
    for hash in place? {
        node = node.children.get_mut(hash)?;
    }
    Some(node)
}

/// Which bounds on the whole bit, and how often.
pub(super) fn pressure(body: &Body) -> Vec<(&'static str, u64)> {
    let count = |limit: Limit| body.limits.get(&(limit as u16)).map_or(0, |sum| sum.0);
    let bit = Limit::ALL.into_iter().map(|limit| (limit.as_str(), count(limit)));
    bit.filter(|(_, count)| *count > 0).collect()
}

/// What bit, by name.
pub(super) fn hit(body: &Body) -> Vec<(&'static str, u64)> {
    let mut hit: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut see = |name: &'static str, count: u64| {
        if count > 0 {
            *hit.entry(name).or_default() += count;
        }
    };
    for (name, count) in pressure(body) {
        see(name, count);
    }
    see("errors", u64::from(body.refusals.rest().is_some()));
    see("error_bodies", u64::from(body.refusal_bodies.rest().is_some()));
    see("known_ids", u64::from(body.known_ids.is_full()));
    let mut open = vec![&body.root];
    while let Some(node) = open.pop() {
        see("children", u64::from(node.children.rest().is_some()));
        see("collapsed", u64::from(node.star.is_some()));
        for cell in node.cells.values().flat_map(super::generations::Generations::cells) {
            see("query", u64::from(cell.query.rest().is_some()));
            see("headers", u64::from(cell.headers.rest().is_some()));
            see("cookies", u64::from(cell.cookies.rest().is_some()));
            see_bodies(&cell.request, &mut see);
            for response in cell.responses.values() {
                see_bodies(&response.bodies, &mut see);
            }
        }
        open.extend(node.children.iter().map(|entry| &entry.value).chain(node.crowd()));
    }
    hit.into_iter().collect()
}

fn see_bodies<const K: usize>(
    bodies: &Table<BodyEvidence, K>,
    see: &mut impl FnMut(&'static str, u64),
) {
    see("media_types", u64::from(bodies.rest().is_some()));
    for entry in bodies.iter() {
        see("body_tokens", u64::from(entry.value.skipped.any()));
        see("keys", overflows(&entry.value.shape));
    }
}

/// Objects of a shape with more names than are kept apart.
fn overflows(shape: &Shape) -> u64 {
    let items = shape.items.as_ref().map_or(0, |items| overflows(&items.shape));
    let members = shape.members.as_ref().map_or(0, |members| {
        let below: u64 = members.keys.iter().map(|entry| overflows(&entry.value.shape)).sum();
        below + u64::from(members.keys.rest().is_some_and(|rest| !rest.is_neutral()))
    });
    items + members
}

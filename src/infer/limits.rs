//! The bounds on the growth of one API's evidence, and what gives way (`spec/inference.md` 13).
//!
//! Owns the count of trie nodes, the order in which room is made, and the names of limits in reports. Bounds of single tables
//! are the tables' own; here they are only told. Up to the global bound evidence does not depend on order; beyond it that is
//! best effort, and the evidence says so.

use std::collections::BTreeMap;

use super::collapse;
use super::evidence::{Body, BodyEvidence, Node};
use super::monoid::Monoid as _;
use super::shape::Shape;
use super::table::Table;
use crate::model::observation::Path;

/// Nodes of the trie of one API.
const NODES_MAX: usize = 131_072;

/// Limits that the evidence itself remembers; the others show in its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// Nodes were collapsed although their children differ.
    Nodes,
    /// Exchanges of paths for which there was no room.
    Unlearned,
}

impl Limit {
    const ALL: [Self; 2] = [Self::Nodes, Self::Unlearned];

    fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Unlearned => "unlearned",
        }
    }
}

/// How large a trie is, and may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) nodes_max: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { nodes: 1, nodes_max: NODES_MAX }
    }
}

impl Size {
    /// Counts anew; the bounds stay.
    pub(super) fn of(root: &Node, size: Self) -> Self {
        Self { nodes: count(root), ..size }
    }
}

fn count(node: &Node) -> usize {
    let below = node.children.iter().map(|entry| &entry.value).chain(node.crowd());
    1 + below.map(count).sum::<usize>()
}

/// Whether there is room for a path, made if need be: the widest nodes lose their unknown words, whatever those are like.
pub(super) fn admit(body: &mut Body, size: &mut Size, path: &Path) -> bool {
    if size.nodes + path.segments.len() <= size.nodes_max {
        return true;
    }
    while size.nodes + path.segments.len() > size.nodes_max / 8 * 7 {
        let Some(widest) = widest(&mut body.root) else { break };
        collapse::give_all_up(widest);
        body.limits.entry(Limit::Nodes as u16).or_default().add(1);
        *size = Size::of(&body.root, *size);
    }
    if size.nodes + path.segments.len() <= size.nodes_max || is_known(&body.root, path) {
        return true;
    }
    body.limits.entry(Limit::Unlearned as u16).or_default().add(1);
    false
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

/// Whether all nodes of a path are there.
fn is_known(root: &Node, path: &Path) -> bool {
    let mut node = Some(root);
    for segment in &path.segments {
        node = node.and_then(|node| super::trie::known_child(node, path, segment));
    }
    node.is_some()
}

/// What bit, by name.
pub(super) fn hit(body: &Body) -> Vec<(&'static str, u64)> {
    let mut hit: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut see = |name: &'static str, count: u64| {
        if count > 0 {
            *hit.entry(name).or_default() += count;
        }
    };
    for limit in Limit::ALL {
        see(limit.as_str(), body.limits.get(&(limit as u16)).map_or(0, |sum| sum.0));
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

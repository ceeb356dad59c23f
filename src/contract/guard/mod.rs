//! Guarded shapes: what of a body decides whether it keeps its schema (`spec/contract.md` 3.1).
//!
//! A [`Plan`] is a trie of generalised places with a cheap test for each keyword whose outcome depends on a value; a shape is
//! the hash of names, kinds and outcomes. Bodies of equal shapes have equal validity, so that one of them is judged for all.
//! A body with a value at a place that cannot be covered for certain has no shape. Refuses to own what is known of a shape (`proof`).

mod compile;
mod found;
mod lone;
mod shape;
mod test;
#[cfg(test)]
mod tests;

pub(super) use shape::{Grain, Reading, Shape};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::Lone;
use crate::model::hash::{ByHash, HashKey};
use test::Tests;

/// The place of everything that no schema speaks of.
pub(super) const FREE: usize = 0;

/// The place of what cannot be covered for certain.
const BLIND: usize = 1;

/// What is to be looked at in the bodies of one baseline. Schemas are told by their addresses, so that a plan must not outlive
/// the specification that it is made of.
#[derive(Debug)]
pub(super) struct Plan {
    /// Of the hashes of names, the same that tapes are written with.
    key: HashKey,
    /// Of all other hashes, so that nobody outside can choose two of one hash.
    seed: u64,
    nodes: Vec<Node>,
    /// By the schemas that apply there.
    known: BTreeMap<Box<[usize]>, usize>,
    /// By keyword and what is written there.
    keywords: BTreeMap<(String, String), Arc<Lone>>,
    names: usize,
}

impl Plan {
    pub(super) fn new(key: HashKey) -> Self {
        let blind = Node { blind: true, ..Node::default() };
        Self {
            seed: key.hash(b"shapes"),
            key,
            nodes: vec![Node::default(), blind],
            known: BTreeMap::new(),
            keywords: BTreeMap::new(),
            names: 0,
        }
    }
}

/// One generalised place: all values that the same set of schemas applies to.
#[derive(Debug, Default)]
struct Node {
    /// No body with a value here is known by its shape.
    blind: bool,
    /// Names that some schema tells apart from others, by their hash, each with the place of its value.
    names: ByHash<usize>,
    /// Place of the values under all other names.
    others: usize,
    /// Place of the items.
    items: usize,
    /// Tests of those other names.
    keys: Option<Tests>,
    tests: Tests,
    /// Limits to the number of members, sorted.
    members: Vec<u64>,
    /// Limits to the number of items, sorted.
    counts: Vec<u64>,
    /// Items have to differ.
    unique: bool,
}

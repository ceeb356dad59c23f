//! Records with names: the components of a document (`spec/inference.md` 11.1).
//!
//! Owns the choice of names by vote and the schema of each component. Refuses to own which records are one (`pools`).

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Kinds, Schema};
use super::maps::Maps;
use super::names::pascal;
use super::pools::{Body, Direction, Pool, Pools, last_word};
use super::shapes::{self, Context};
use crate::infer::shape::Members;

/// What the bodies of an API have in common.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) maps: Maps,
    pools: Pools,
    /// By index of the pool.
    names: Vec<String>,
}

impl Shared {
    pub(super) fn of(bodies: &[Body<'_>]) -> Self {
        let mut maps = Maps::default();
        for body in bodies {
            maps.note(&body.shape, "");
        }
        let pools = Pools::of(bodies, &maps);
        let names = names(&pools.pools);
        Self { maps, pools, names }
    }

    /// The component of a record, if it is one.
    pub(super) fn reference(&self, members: &Members, context: Context<'_>) -> Option<String> {
        let Context { direction, name, .. } = context;
        let pool = self.pools.find(direction, name, members, &self.maps)?;
        self.names.get(pool).cloned()
    }

    /// All components by name. `context`: that of an operation of which nothing is known.
    pub(super) fn components(&self, context: Context<'_>) -> Vec<(String, Schema)> {
        let mut components: Vec<(String, Schema)> = self
            .pools
            .pools
            .iter()
            .zip(&self.names)
            .map(|(pool, name)| (name.clone(), component(pool, context)))
            .collect();
        components.sort_by(|left, right| left.0.cmp(&right.0));
        components
    }
}

fn component(pool: &Pool, context: Context<'_>) -> Schema {
    let mut schema = Schema::of(Kinds::OBJECT);
    let context = Context {
        direction: pool.direction,
        by_identity: pool.by_identity,
        consumers: pool.consumers,
        optional: &pool.optional,
        ..context
    };
    shapes::record(&mut schema, &pool.members, false, context);
    schema
}

/// A name for each pool, distinct: what most places call it, if need be with what is around it.
fn names(pools: &[Pool]) -> Vec<String> {
    let mut order: Vec<(usize, &Pool)> = pools.iter().enumerate().collect();
    // Answers name themselves first; what was seen in more places has the first choice.
    order.sort_by_key(|(at, pool)| (pool.direction, std::cmp::Reverse(pool.places.len()), *at));
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for (at, pool) in order {
        let wanted = wanted(pool);
        let free = wanted.iter().find(|name| !taken.contains(*name)).cloned();
        let name = free.unwrap_or_else(|| numbered(wanted.first(), &taken));
        taken.insert(name.clone());
        names.insert(at, name);
    }
    names.into_values().collect()
}

fn numbered(wanted: Option<&String>, taken: &BTreeSet<String>) -> String {
    let wanted = wanted.map_or("Object", String::as_str);
    let mut number = 2;
    loop {
        let name = format!("{wanted}{number}");
        if !taken.contains(&name) {
            return name;
        }
        number += 1;
    }
}

/// The names that a pool may have, best first.
fn wanted(pool: &Pool) -> Vec<String> {
    let ending = if pool.direction == Direction::Request { "Input" } else { "" };
    let spell = |words: &[&str]| {
        let name = pascal(words);
        if name.ends_with("Request") { name } else { format!("{name}{ending}") }
    };
    let mut wanted = Vec::new();
    // `billing_address` and `shipping_address` are both an address.
    let words: BTreeSet<String> = own_names(pool).map(last_word).collect();
    let own: BTreeSet<&str> = own_names(pool).collect();
    if let (1, Some(word), 2..) = (words.len(), words.first(), own.len()) {
        wanted.push(spell(&[word]));
    }
    let mut votes: Vec<(&Vec<String>, usize)> =
        pool.names.iter().map(|(names, votes)| (names, *votes)).collect();
    votes.sort_by_key(|(names, votes)| (std::cmp::Reverse(*votes), names.len(), *names));
    let most =
        best_of(votes.iter().filter_map(|(names, votes)| Some((names.last()?.as_str(), *votes))));
    wanted.extend(most.map(|name| spell(&[name])));
    for (names, _) in &votes {
        if let [.., around, own] = names.as_slice() {
            wanted.push(spell(&[around, own]));
        }
    }
    wanted
}

fn own_names(pool: &Pool) -> impl Iterator<Item = &str> {
    pool.names.keys().filter_map(|names| names.last()).map(String::as_str)
}

/// The name with most votes, the shorter and then the smaller one of equals.
fn best_of<'a>(votes: impl Iterator<Item = (&'a str, usize)>) -> Option<&'a str> {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    votes.for_each(|(name, votes)| *sums.entry(name).or_default() += votes);
    sums.into_iter()
        .min_by_key(|(name, votes)| (std::cmp::Reverse(*votes), name.len(), *name))
        .map(|(name, _)| name)
}

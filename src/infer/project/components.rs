//! Records with names: the components of a document (`spec/inference.md` 11.1).
//!
//! Owns the choice of names by vote and the schema of each component. Refuses to own which records are one (`pools`).

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Access, Choice, Kinds, Schema};
use super::maps::Maps;
use super::names::pascal;
use super::pools::{Body, Direction, Pool, Pools, last_word};
use super::shapes::{self, Context};
use super::unions::{self, Union};
use crate::infer::View;
use crate::infer::shape::Members;
use crate::model::observation::Method;

/// What the bodies of an API have in common.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) maps: Maps,
    pools: Pools,
    /// By index of the pool.
    names: Vec<String>,
}

impl Shared {
    pub(super) fn of(bodies: &[Body<'_>], view: View) -> Self {
        let mut maps = Maps::default();
        for body in bodies {
            maps.note(&body.shape, "");
        }
        let pools = Pools::of(bodies, &maps, view);
        let names = names(&pools.pools);
        Self { maps, pools, names }
    }

    /// The component of a record, if it is one.
    pub(super) fn reference(&self, members: &Members, context: Context<'_>) -> Option<String> {
        let pool = self.pools.find((context.direction, context.called), members, &self.maps)?;
        self.names.get(pool).cloned()
    }

    /// All components by name. `context`: that of an operation of which nothing is known.
    pub(super) fn components(&self, context: Context<'_>) -> Vec<(String, Schema)> {
        let mut taken: BTreeSet<String> = self.names.iter().cloned().collect();
        let mut components: Vec<(String, Schema)> = Vec::new();
        for (pool, name) in self.pools.pools.iter().zip(&self.names) {
            let context = context_of(pool, context);
            let mut schema = Schema::of(Kinds::OBJECT);
            shapes::record(&mut schema, &pool.members, false, context);
            lead_back(&mut schema, pool, name);
            set_access(&mut schema, pool);
            let union = unions::of(&pool.members, context).filter(|_| context.view == View::Strict);
            if let Some(union) = union {
                let variants = variants(pool, &schema, &union, context);
                let names = unions::names(&union, name, &mut taken);
                schema = united(&union, &names);
                components.extend(names.into_iter().zip(variants));
            }
            components.push((name.clone(), schema));
        }
        components.sort_by(|left, right| left.0.cmp(&right.0));
        components
    }
}

fn context_of<'a>(pool: &'a Pool, context: Context<'a>) -> Context<'a> {
    Context {
        direction: pool.direction,
        called: &pool.called,
        by_identity: pool.by_identity,
        consumers: pool.consumers,
        optional: &pool.optional,
        demanded: &pool.demanded,
        answered: &pool.answered,
        ..context
    }
}

/// Lets members that hold records of the pool's own kind refer to it.
fn lead_back(schema: &mut Schema, pool: &Pool, name: &str) {
    let leads = pool.members.keys.iter().filter(|entry| pool.leads.contains(&entry.hash));
    let leads: BTreeSet<&str> = leads.map(|entry| &*entry.name).collect();
    for property in &mut schema.properties {
        if leads.contains(&*property.name) {
            refer(&mut property.schema, name);
        }
    }
}

/// Makes the objects of a value, or of its items, those of a component.
fn refer(schema: &mut Schema, name: &str) {
    if schema.kinds.has(Kinds::OBJECT) {
        schema.reference = Some(name.to_owned());
    } else if let Some(items) = &mut schema.items {
        refer(items, name);
    }
}

/// States in which direction each member is sent, of a record that goes both ways.
fn set_access(schema: &mut Schema, pool: &Pool) {
    let Some(sent) = &pool.sent else { return };
    for property in &mut schema.properties {
        let hash = pool.members.keys.iter().find(|entry| *entry.name == *property.name);
        let Some(hash) = hash.map(|entry| entry.hash) else { continue };
        if sent.read_only.contains(&hash) {
            property.access = Access::ReadOnly;
        } else if sent.write_only.contains(&hash) {
            property.access = Access::WriteOnly;
            property.required = sent.required.contains(&hash);
        }
    }
}

/// The records of all variants of a union, in order, and at last that of all others.
fn variants(pool: &Pool, record: &Schema, union: &Union<'_>, context: Context<'_>) -> Vec<Schema> {
    let needed = shapes::needed(context);
    let known = union
        .variants
        .iter()
        .map(|variant| unions::variant(record, &pool.members, union, *variant, needed));
    known.chain(union.open.then(|| unions::other(record, union))).collect()
}

/// The choice between components.
fn united(union: &Union<'_>, names: &[String]) -> Schema {
    let values = union.variants.iter().map(|(value, _)| (*value).to_owned());
    let choice = Choice {
        tag: (!union.boolean).then(|| union.tag.name.to_string()),
        values: values.collect(),
        components: names.to_vec(),
    };
    Schema { choice: Some(choice), ..Schema::of(Kinds::OBJECT) }
}

/// A name for each pool, distinct: what most places call it, if need be with what is around it.
fn names(pools: &[Pool]) -> Vec<String> {
    let mut order: Vec<(usize, &Pool)> = pools.iter().enumerate().collect();
    // Answers name themselves first; what was seen in more places has the first choice.
    order.sort_by_key(|(at, pool)| (pool.direction, std::cmp::Reverse(pool.places.len()), *at));
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for (at, pool) in order {
        let name = free(&wanted(pool), &mut taken);
        names.insert(at, name);
    }
    names.into_values().collect()
}

/// The first name that is free, which it then is no more; else the first with a number.
pub(super) fn free(wanted: &[String], taken: &mut BTreeSet<String>) -> String {
    let first = wanted.first().filter(|name| !name.is_empty());
    let first = first.map_or("Object", String::as_str);
    let numbered = (2..).map(|number: u32| format!("{first}{number}"));
    let mut all = wanted.iter().filter(|name| !name.is_empty()).cloned().chain(numbered);
    let name = all.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
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
    wanted.extend(verb(pool).zip(most).map(|(verb, name)| pascal(&[verb, name])));
    for (names, _) in &votes {
        if let [.., around, own] = names.as_slice() {
            wanted.push(spell(&[around, own]));
        }
    }
    wanted
}

/// What requests of one method do to what they are about, which sets them apart from other requests about it.
fn verb(pool: &Pool) -> Option<&'static str> {
    let mut methods =
        pool.methods.iter().map(|method| Method::DOCUMENTED.get(usize::from(*method)));
    match (methods.next().flatten()?, methods.next()) {
        (Method::Post, None) => Some("create"),
        (Method::Put | Method::Patch, None) => Some("update"),
        _ => None,
    }
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

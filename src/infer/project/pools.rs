//! Records that stand in several places of an API, with their evidence taken together (`spec/inference.md` 11.1).
//!
//! Owns likeness of records and which of them are one. Refuses to own names (`components`) and what the pooled counts say
//! (`shapes`). All comparison is of names and kinds; nothing depends on the order of traffic.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::directions::{self, Sent};
use super::maps::{Maps, kinds_of};
use super::recursion;
use crate::infer::View;
use crate::infer::monoid::{Bits64, Monoid as _};
use crate::infer::shape::{Members, Shape, data_name};
use crate::infer::signature::mix;
use crate::infer::variants::below;
use crate::model::words::{singular, split};

/// Members that a record needs to be worth a name.
const MEMBERS_MIN: usize = 2;

/// Levels of names that are compared.
const DEPTH_MAX: usize = 6;

/// Share of common names from which two records are one, in tenths.
const NEAR_TENTHS: usize = 9;

/// The same for records that stand under one name.
const NEAR_NAMED_TENTHS: usize = 8;

/// Which way a body goes: records are pooled within one direction, since what they require differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Direction {
    Answer,
    Request,
    Refusal,
}

/// A body that is looked through for records.
pub(super) struct Body<'a> {
    pub(super) direction: Direction,
    pub(super) shape: Cow<'a, Shape>,
    /// Of a request: its method, as in `Method::DOCUMENTED`.
    pub(super) method: Option<u16>,
    /// What it is about: the words of its path in the singular, the nearest last.
    pub(super) nouns: Vec<String>,
    pub(super) by_identity: bool,
    pub(super) consumers: Bits64,
    /// Members at its top that are never stated as required.
    pub(super) optional: BTreeSet<u64>,
    /// Members at its top without which requests were refused.
    pub(super) demanded: BTreeSet<u64>,
    /// Of a request: the names of all members that are answered.
    pub(super) answered: BTreeSet<u64>,
}

/// Names and kinds of a record, at all levels: kinds by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Print(BTreeMap<u64, u8>);

/// What records must have in common to be one without a closer look: the direction, names and kinds; few names could be
/// anything's, so that what they are called must agree as well.
type Key = (Direction, String, Print);

/// Records that are one.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) direction: Direction,
    pub(super) members: Members,
    /// Of the requests that it stands in.
    pub(super) methods: BTreeSet<u16>,
    /// The bodies that it stands in, by their number.
    pub(super) places: BTreeSet<usize>,
    pub(super) by_identity: bool,
    pub(super) consumers: Bits64,
    pub(super) optional: BTreeSet<u64>,
    pub(super) demanded: BTreeSet<u64>,
    pub(super) answered: BTreeSet<u64>,
    /// Members that lead to records of its own kind.
    pub(super) leads: BTreeSet<u64>,
    /// Of a record of answers that is sent as well.
    pub(super) sent: Option<Sent>,
    /// What it may be called, with votes: its own name last, before it what is around it.
    pub(super) names: BTreeMap<Vec<String>, usize>,
    /// What it is called where it stands, before anything says that it only wraps.
    pub(super) called: String,
    /// The last words of its own names, in the singular: asked of every two pools, so worked out once.
    words: BTreeSet<String>,
    print: Print,
}

/// All pools that deserve a name.
#[derive(Default)]
pub(super) struct Pools {
    pub(super) pools: Vec<Pool>,
    by_key: BTreeMap<Key, usize>,
}

impl Pools {
    /// Pools the records of all bodies.
    pub(super) fn of(bodies: &[Body<'_>], maps: &Maps, view: View) -> Self {
        let mut equal: BTreeMap<Key, Pool> = BTreeMap::new();
        for (number, body) in bodies.iter().enumerate() {
            let mut see = |site: Pool| match equal.entry(site.key()) {
                Entry::Occupied(mut known) => known.get_mut().merge(&site),
                Entry::Vacant(free) => {
                    free.insert(site);
                }
            };
            Around::of(body, number, maps).collect(&body.shape, &mut see);
        }
        let mut pools = Self::default();
        // The richest first, so that poorer ones join them.
        let mut order: Vec<(Key, Pool)> = equal.into_iter().collect();
        order.sort_by_key(|(_, pool)| std::cmp::Reverse((pool.print.0.len(), pool.places.len())));
        for (key, pool) in order {
            pools.admit(key, pool);
        }
        // What clients send without need is stated where everything is, and stays apart from what is answered.
        if view == View::Strict {
            pools.unite_directions(maps);
        }
        pools.keep_shared();
        pools
    }

    /// Joins a pool with the first that is near, else lets it stand.
    fn admit(&mut self, key: Key, pool: Pool) {
        let near = self.pools.iter().position(|other| other.is_near(&pool));
        let at = near.unwrap_or(self.pools.len());
        match self.pools.get_mut(at) {
            Some(other) => other.merge(&pool),
            None => self.pools.push(pool),
        }
        self.by_key.insert(key, at);
    }

    /// Lets what is asked for be what is answered, where that is one record.
    fn unite_directions(&mut self, maps: &Maps) {
        for (request, answer) in directions::unite(&mut self.pools, maps) {
            for at in self.by_key.values_mut().filter(|at| **at == request) {
                *at = answer;
            }
            if let Some(pool) = self.pools.get_mut(request) {
                // Nothing refers to it any more.
                pool.places.clear();
                pool.leads.clear();
                pool.members = Members::default();
            }
        }
    }

    /// Leaves those that stand in one place only, where they are.
    fn keep_shared(&mut self) {
        let mut kept: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, pool) in std::mem::take(&mut self.pools).into_iter().enumerate() {
            let alone = pool.direction == Direction::Refusal || !pool.leads.is_empty();
            if alone || pool.places.len() >= 2 || super::unions::is_tagged(&pool.members) {
                kept.insert(at, self.pools.len());
                self.pools.push(pool);
            }
        }
        self.by_key = std::mem::take(&mut self.by_key)
            .into_iter()
            .filter_map(|(key, at)| kept.get(&at).map(|at| (key, *at)))
            .collect();
        for (at, pool) in self.pools.iter().enumerate() {
            self.by_key.insert(pool.key(), at);
        }
    }

    /// The pool that a record belongs to, which goes that way and is called so where it stands.
    pub(super) fn find(
        &self,
        (direction, called): (Direction, &str),
        members: &Members,
        maps: &Maps,
    ) -> Option<usize> {
        if self.pools.is_empty() || members.keys.len() < MEMBERS_MIN {
            return None;
        }
        let key = key(direction, called, Print::of(members, maps));
        self.by_key
            .get(&key)
            .copied()
            .or_else(|| self.pools.iter().position(|pool| pool.resembles(&key, members)))
    }
}

/// Records of so few members are one only where they are called alike.
const FEW_MEMBERS: usize = 4;

fn key(direction: Direction, name: &str, print: Print) -> Key {
    (direction, telling_name(direction, name, &print), print)
}

/// What a record must be called to be one with others: nothing in particular, unless its members are few.
fn telling_name(direction: Direction, name: &str, print: &Print) -> String {
    let few = print.0.len() < FEW_MEMBERS && direction != Direction::Refusal;
    if few { last_word(name) } else { String::new() }
}

/// The last word of a name, in the singular.
pub(super) fn last_word(name: &str) -> String {
    let words = split(name);
    let last = words.last().copied().unwrap_or_default().to_ascii_lowercase();
    singular(&last).into_owned()
}

impl Pool {
    fn key(&self) -> Key {
        (self.direction, self.telling_name(), self.print.clone())
    }

    fn telling_name(&self) -> String {
        telling_name(self.direction, &self.called, &self.print)
    }

    /// Whether a record, which was pooled with no other as it is, is one of these.
    fn resembles(&self, key: &Key, members: &Members) -> bool {
        let (direction, name, print) = key;
        if self.direction != *direction {
            return false;
        }
        if self.direction == Direction::Refusal {
            return is_one_refusal(&self.members, members);
        }
        self.print.is_near(print, NEAR_TENTHS)
            && self.telling_name() == *name
            && self.explains(members)
    }

    /// Whether all that a record has is known here, and it has all that is believed to be always there.
    fn explains(&self, members: &Members) -> bool {
        members.keys.iter().all(|entry| self.members.keys.get(entry.hash).is_some())
            && keeps(&self.members, members)
    }

    fn merge(&mut self, other: &Self) {
        self.members.merge(&other.members);
        self.places.extend(&other.places);
        self.methods.extend(&other.methods);
        self.by_identity &= other.by_identity;
        self.consumers.merge(&other.consumers);
        self.optional.extend(&other.optional);
        self.demanded.extend(&other.demanded);
        self.answered.extend(&other.answered);
        self.leads.extend(&other.leads);
        self.words.extend(other.words.iter().cloned());
        for (names, votes) in &other.names {
            *self.names.entry(names.clone()).or_default() += votes;
        }
        for (path, kinds) in &other.print.0 {
            *self.print.0.entry(*path).or_default() |= kinds;
        }
    }

    /// Whether two pools are one record: nearly the same names, no contradiction, and no belief lost.
    fn is_near(&self, other: &Self) -> bool {
        if self.direction != other.direction {
            return false;
        }
        if self.direction == Direction::Refusal {
            return is_one_refusal(&self.members, &other.members);
        }
        let tenths = if self.is_called_like(other) { NEAR_NAMED_TENTHS } else { NEAR_TENTHS };
        self.print.is_near(&other.print, tenths)
            && self.telling_name() == other.telling_name()
            && keeps(&self.members, &other.members)
            && keeps(&other.members, &self.members)
    }

    pub(super) fn is_called_like(&self, other: &Self) -> bool {
        !self.words.is_disjoint(&other.words)
    }
}

/// Whether two refusals are one: most names of the poorer one are those of the other. An API has one way to refuse, with
/// more or fewer details.
fn is_one_refusal(left: &Members, right: &Members) -> bool {
    let least = left.keys.len().min(right.keys.len());
    let mut common = 0;
    for entry in left.keys.iter() {
        let Some(other) = right.keys.get(entry.hash) else { continue };
        let (kinds, others) = (kinds_of(&entry.value.shape), kinds_of(&other.value.shape));
        if kinds != 0 && others != 0 && kinds & others == 0 {
            return false;
        }
        common += 1;
    }
    common * 10 >= least * NEAR_NAMED_TENTHS
}

/// Whether what is believed to be always in one is always in the other.
fn keeps(believed: &Members, other: &Members) -> bool {
    const BELIEVED: u32 = 19;
    believed.n.0 < BELIEVED
        || believed
            .keys
            .iter()
            .filter(|entry| entry.value.k == believed.n)
            .all(|entry| other.keys.get(entry.hash).is_some_and(|entry| entry.value.k == other.n))
}

impl Print {
    pub(super) fn of(members: &Members, maps: &Maps) -> Self {
        let mut print = Self::default();
        print.members(members, maps, 1, 0);
        print
    }

    fn members(&mut self, members: &Members, maps: &Maps, prefix: u64, depth: usize) {
        for entry in members.keys.iter().filter(|entry| data_name(&entry.name).is_none()) {
            self.value(&entry.value.shape, &entry.name, maps, (mix(prefix, entry.hash), depth));
        }
    }

    fn value(&mut self, shape: &Shape, name: &str, maps: &Maps, (path, depth): (u64, usize)) {
        *self.0.entry(path).or_default() |= kinds_of(shape);
        if depth >= DEPTH_MAX {
            return;
        }
        if let Some(items) = &shape.items {
            self.value(&items.shape, name, maps, (mix(path, 2), depth));
        }
        match &shape.members {
            // Which keys a map happens to have tells nothing.
            Some(members) if maps.is_map(members, name) => {
                self.0.insert(mix(path, 3), 0);
            }
            Some(members) => {
                let folded = recursion::fold(members);
                let members = folded.as_ref().map_or(&**members, |folded| &folded.members);
                self.members(members, maps, path, depth + 1);
            }
            None => {}
        }
    }

    /// Whether so many tenths of all names are common and no common one is of another kind.
    fn is_near(&self, other: &Self, tenths: usize) -> bool {
        // Most are told apart by how many they are: all of the fewer would have to be common.
        let (fewer, more) = (self.0.len().min(other.0.len()), self.0.len().max(other.0.len()));
        if fewer * 10 < more * tenths {
            return false;
        }
        let mut common = 0;
        for (path, kinds) in &self.0 {
            let Some(others) = other.0.get(path) else { continue };
            if *kinds != 0 && *others != 0 && kinds & others == 0 {
                return false;
            }
            common += 1;
        }
        let all = self.0.len() + other.0.len() - common;
        all > 0 && common * 10 >= all * tenths
    }
}

/// A name with its last word in the singular.
fn singular_name(name: &str) -> String {
    let words = split(name);
    let last = words.last().copied().unwrap_or_default();
    let head = name.strip_suffix(last).unwrap_or_default();
    format!("{head}{}", singular(last))
}

/// What is around the values of a body on the way down.
struct Around<'b> {
    body: &'b Body<'b>,
    number: usize,
    maps: &'b Maps,
    names: Vec<String>,
    /// The name under which the value stands; empty at the top and in maps.
    name: &'b str,
    top: bool,
    /// The member of the body's top that holds the value.
    under: Option<u64>,
    by_identity: bool,
}

impl<'b> Around<'b> {
    fn of(body: &'b Body<'b>, number: usize, maps: &'b Maps) -> Self {
        let (names, by_identity) = (body.nouns.clone(), body.by_identity);
        Self { body, number, maps, names, name: "", top: true, under: None, by_identity }
    }

    fn collect(&self, shape: &Shape, see: &mut impl FnMut(Pool)) {
        if let Some(items) = &shape.items {
            let mut names = self.names.clone();
            if let Some(last) = names.last_mut() {
                *last = singular_name(last);
            }
            let inner = Self { names, by_identity: true, top: false, under: None, ..*self };
            inner.collect(&items.shape, see);
        }
        let Some(members) = &shape.members else { return };
        let map = self.maps.is_map(members, self.name);
        let folded = if map { None } else { recursion::fold(members) };
        let members = folded.as_ref().map_or(&**members, |folded| &folded.members);
        if !map && members.keys.len() >= MEMBERS_MIN {
            let leads = folded.as_ref().map(|folded| folded.leads.clone()).unwrap_or_default();
            see(Pool { leads, ..self.site(members) });
        }
        // Below its top a refusal repeats what was sent.
        let repeats = self.body.direction == Direction::Refusal;
        for entry in members.keys.iter().filter(|_| !repeats) {
            let mut names = self.names.clone();
            let name = if map || data_name(&entry.name).is_some() { "" } else { &*entry.name };
            if !says_nothing(name) {
                names.push(name.to_owned());
            }
            let by_identity = map || self.by_identity;
            let under = self.top.then_some(entry.hash);
            let below = Around { names, name, by_identity, top: false, under, ..*self };
            below.collect(&entry.value.shape, see);
        }
    }

    /// The members of an object here without which requests were refused, and those one level below.
    fn demanded(&self, members: &Members) -> BTreeSet<u64> {
        if self.top {
            return self.body.demanded.clone();
        }
        let Some(under) = self.under else { return BTreeSet::new() };
        let hashes = members.keys.iter().map(|entry| entry.hash);
        hashes.filter(|hash| self.body.demanded.contains(&below(under, *hash))).collect()
    }

    fn site(&self, members: &Members) -> Pool {
        let mut names = self.names.clone();
        let called = names.last().cloned().unwrap_or_default();
        if let (true, Some(last)) = (self.top, names.last_mut()) {
            last.push_str(envelope_suffix(self.body.direction, members));
        }
        Pool {
            direction: self.body.direction,
            members: members.clone(),
            places: BTreeSet::from([self.number]),
            methods: self.body.method.into_iter().collect(),
            by_identity: self.by_identity,
            consumers: self.body.consumers,
            optional: if self.top { self.body.optional.clone() } else { BTreeSet::new() },
            demanded: self.demanded(members),
            answered: self.body.answered.clone(),
            leads: BTreeSet::new(),
            sent: None,
            words: names.last().map(|name| last_word(name)).into_iter().collect(),
            names: BTreeMap::from([(names, 1)]),
            called,
            print: Print::of(members, self.maps),
        }
    }
}

/// What the name of an object gets that only wraps what it is about.
fn envelope_suffix(direction: Direction, members: &Members) -> &'static str {
    let mut wrapped = members.keys.iter().filter(|entry| is_envelope(&entry.name));
    match wrapped.find(|entry| entry.value.shape.members.is_some() || entry.value.shape.array.any())
    {
        Some(entry) if entry.value.shape.array.any() => "List",
        Some(_) if direction == Direction::Request => "Request",
        Some(_) => "Response",
        None => "",
    }
}

/// Whether a member's name tells nothing of what it holds; empty: it is data.
pub(super) fn says_nothing(name: &str) -> bool {
    name.is_empty() || data_name(name).is_some() || is_envelope(name)
}

/// Names of members that say nothing about what they hold.
fn is_envelope(name: &str) -> bool {
    const ENVELOPES: &[&str] = &[
        "attributes",
        "content",
        "data",
        "entries",
        "item",
        "items",
        "list",
        "objects",
        "payload",
        "records",
        "response",
        "result",
        "results",
        "rows",
        "value",
        "values",
    ];
    ENVELOPES.contains(&name)
}

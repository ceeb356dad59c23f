//! Records that are sent and answered: one component for both directions where nothing is lost (`spec/inference.md` 8.8).
//!
//! Owns when a record of requests is one of answers: all that only answers have is told to be set by the server, all that only
//! requests have is never shown, and what both have is required in both or in neither. Otherwise a request keeps a record of
//! its own (11.1), since one set of required members cannot speak for two directions that differ.

use std::collections::BTreeSet;

use super::maps::{Maps, kinds_of};
use super::pools::{Direction, Pool};
use super::shapes::{REQUIRED_LIKELY, REQUIRED_RESPONSE, per_instance};
use crate::infer::monoid::Monoid as _;
use crate::infer::shape::{Member, Shape};
use crate::infer::table::{Entry, Name};

/// Bodies without a member from which it is never sent that way.
const ABSENCES_MIN: u64 = 19;

/// Presences from which a member of a request is no junk.
const PRESENCES_MIN: u64 = 3;

/// What a record of answers is where it is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    /// Members that no request has.
    pub(super) read_only: BTreeSet<u64>,
    /// Members that no answer has.
    pub(super) write_only: BTreeSet<u64>,
    /// Those of them that requests need.
    pub(super) required: BTreeSet<u64>,
}

/// Lets records of answers stand for those of requests that they explain; gives the places of both, the request's first.
pub(super) fn unite(pools: &mut [Pool], maps: &Maps) -> Vec<(usize, usize)> {
    let mut united = Vec::new();
    for request in 0..pools.len() {
        let Some((answer, sent)) = partner(pools, request, maps) else { continue };
        let Some(asked) = pools.get(request).cloned() else { continue };
        if let Some(pool) = pools.get_mut(answer) {
            pool.receive(&asked, sent);
            united.push((request, answer));
        }
    }
    united
}

/// The record of answers that a record of requests is, with what sets them apart.
fn partner(pools: &[Pool], request: usize, maps: &Maps) -> Option<(usize, Sent)> {
    let asked = pools.get(request).filter(|pool| pool.direction == Direction::Request)?;
    pools
        .iter()
        .enumerate()
        .filter(|(_, pool)| pool.direction == Direction::Answer && pool.is_called_like(asked))
        .filter(|(_, pool)| pool.sent.is_none() && pool.leads.is_empty() && asked.leads.is_empty())
        .filter_map(|(at, pool)| Some((at, sent(pools, pool, asked, maps)?)))
        .max_by_key(|(at, sent)| (std::cmp::Reverse(sent.read_only.len()), std::cmp::Reverse(*at)))
}

/// What sets a request apart from the answer; none if they are two records.
fn sent(pools: &[Pool], answer: &Pool, asked: &Pool, maps: &Maps) -> Option<Sent> {
    if super::unions::is_tagged(&answer.members) || super::unions::is_tagged(&asked.members) {
        return None;
    }
    let (answered, sent) = (names(answer), names(asked));
    let read_only: BTreeSet<u64> = answered.difference(&sent).copied().collect();
    let write_only: BTreeSet<u64> = sent.difference(&answered).copied().collect();
    let common = answered.len() - read_only.len();
    let kin = |direction: Direction| {
        pools.iter().filter(move |pool| pool.direction == direction && pool.is_called_like(answer))
    };
    let apart = read_only.iter().all(|hash| is_absent(kin(Direction::Request), *hash))
        && write_only.iter().all(|hash| is_absent(kin(Direction::Answer), *hash));
    let (needed, demanded) = (needed(answer), needed(asked));
    let agrees = stated(asked).all(|entry| {
        let Some(known) = answer.members.keys.get(entry.hash) else { return true };
        needed.contains(&entry.hash) == demanded.contains(&entry.hash)
            && is_within(&entry.value.shape, &known.value.shape, &entry.name, maps)
    });
    // A password beside two members more makes two records of what few names hold together.
    let few = common >= 2 + write_only.len() && common >= read_only.len();
    let required = write_only.intersection(&demanded).copied().collect();
    (apart && agrees && few).then_some(Sent { read_only, write_only, required })
}

/// The members that belong to a record: clients send junk.
fn stated(pool: &Pool) -> impl Iterator<Item = &Entry<Member>> {
    let members = &pool.members;
    let is_junk = |entry: &&Entry<Member>| {
        let presences = entry.value.presences();
        (presences < PRESENCES_MIN || presences * 100 < members.total())
            && !pool.answered.contains(&entry.hash)
    };
    let sent = pool.direction == Direction::Request;
    members.keys.iter().filter(move |entry| !(sent && is_junk(entry)))
}

fn names(pool: &Pool) -> BTreeSet<u64> {
    stated(pool).map(|entry| entry.hash).collect()
}

/// Whether a member is in none of these records, and that is told by enough bodies.
fn is_absent<'a>(mut pools: impl Iterator<Item = &'a Pool>, hash: u64) -> bool {
    let absences = pools.try_fold(0_u64, |sum, pool| {
        let absent = pool.members.keys.iter().all(|entry| entry.hash != hash);
        absent.then(|| sum + u64::from(pool.members.n.0))
    });
    absences.is_some_and(|absences| absences >= ABSENCES_MIN)
}

/// The members that a record is required to have.
fn needed(pool: &Pool) -> BTreeSet<u64> {
    let members = &pool.members;
    let n = f64::from(members.n.0);
    let effective = if pool.by_identity { n.min(per_instance(members.instances)) } else { n };
    let sure = if pool.direction == Direction::Request {
        let varied = members.keys.iter().any(|entry| entry.value.k < members.n);
        effective >= REQUIRED_LIKELY && (varied || pool.consumers.at_least(3))
    } else {
        effective >= REQUIRED_RESPONSE
    };
    let always = members.keys.iter().filter(|entry| entry.value.k == members.n);
    always.map(|entry| entry.hash).filter(|hash| sure || pool.demanded.contains(hash)).collect()
}

/// Whether what is said of an answered value holds of a sent one.
fn is_within(asked: &Shape, answered: &Shape, name: &str, maps: &Maps) -> bool {
    if kinds_of(asked) & !kinds_of(answered) != 0 || asked.null.any() && !answered.null.any() {
        return false;
    }
    let items = match (&asked.items, &answered.items) {
        (Some(asked), Some(answered)) => is_within(&asked.shape, &answered.shape, name, maps),
        _ => true,
    };
    let (Some(asked), Some(answered)) = (&asked.members, &answered.members) else { return items };
    if maps.is_map(asked, name) || maps.is_map(answered, name) {
        return items && maps.is_map(asked, name) == maps.is_map(answered, name);
    }
    let same = asked.keys.len() == answered.keys.len();
    let alike = answered.keys.iter().all(|entry| {
        let always = entry.value.k == answered.n;
        asked.keys.get(entry.hash).is_some_and(|twin| {
            always == (twin.value.k == asked.n)
                && (!always || f64::from(asked.n.0) >= REQUIRED_LIKELY)
                && is_within(&twin.value.shape, &entry.value.shape, &entry.name, maps)
        })
    });
    items && same && alike
}

impl Pool {
    /// Takes a record of requests over: values are one set, presences stay those of answers.
    fn receive(&mut self, asked: &Self, sent: Sent) {
        for entry in stated(asked) {
            let Entry { hash, rank, name: text, value } = entry;
            let (member, new) = self.members.keys.slot(Name { hash: *hash, rank: *rank, text });
            member.shape.merge(&value.shape);
            if new {
                member.order.merge(&value.order);
            }
        }
        self.places.extend(&asked.places);
        self.sent = Some(sent);
    }
}

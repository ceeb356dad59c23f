//! Records that hold records of their own kind: trees, threads of replies (`spec/inference.md` 11.1).
//!
//! Owns which members lead back to the record, and the counts of all its levels taken together. Refuses circles over several
//! records: their levels are told apart.

use std::collections::BTreeSet;

use super::maps::kinds_of;
use crate::infer::monoid::Monoid as _;
use crate::infer::shape::{Members, Shape, data_name};

/// Share of common names from which a record is of the kind of the one that holds it, in tenths.
const NEAR_TENTHS: usize = 8;

/// A record with what was counted of it on all levels.
pub(super) struct Folded {
    pub(super) members: Members,
    /// Members that lead back to it; nothing stands below them any more.
    pub(super) leads: BTreeSet<u64>,
}

/// The levels of a record taken together, if it holds records of its own kind.
pub(super) fn fold(members: &Members) -> Option<Folded> {
    let leads = members
        .keys
        .iter()
        .filter(|entry| data_name(&entry.name).is_none())
        .filter(|entry| {
            let below = records(&entry.value.shape);
            below
                .is_some_and(|below| below.keys.get(entry.hash).is_some() && is_kin(members, below))
        })
        .map(|entry| entry.hash);
    let leads: BTreeSet<u64> = leads.collect();
    if leads.is_empty() {
        return None;
    }
    let mut members = members.clone();
    // Each turn takes one level away, of which bodies have few.
    while let Some(below) = leads.iter().find_map(|lead| take(&mut members, *lead)) {
        members.merge(&below);
    }
    Some(Folded { members, leads })
}

/// The records that a value is, or that its items are.
fn records(shape: &Shape) -> Option<&Members> {
    match (&shape.members, &shape.items) {
        (Some(members), _) => Some(members),
        (None, Some(items)) => records(&items.shape),
        (None, None) => None,
    }
}

/// Takes away what stands below a member.
fn take(members: &mut Members, lead: u64) -> Option<Members> {
    let mut shape = &mut members.keys.get_mut(lead)?.shape;
    while shape.members.is_none() {
        shape = &mut shape.items.as_mut()?.shape;
    }
    shape.members.take().map(|members| *members)
}

/// Whether two records have nearly the same names, of kinds that agree.
fn is_kin(one: &Members, other: &Members) -> bool {
    let mut common = 0;
    for entry in one.keys.iter() {
        let Some(twin) = other.keys.get(entry.hash) else { continue };
        let (kinds, others) = (kinds_of(&entry.value.shape), kinds_of(&twin.value.shape));
        if kinds != 0 && others != 0 && kinds & others == 0 {
            return false;
        }
        common += 1;
    }
    let all = one.keys.len() + other.keys.len() - common;
    common >= 2 && common * 10 >= all * NEAR_TENTHS
}

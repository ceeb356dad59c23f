//! The bound on the growth of the trie: many alike children become one wildcard (`spec/inference.md` 6.3).
//!
//! Owns when that is tested and which children go. It moves literals to the wildcard and never back, so that it absorbs; words
//! of the lexicon stay literal here, since `project` can still tell them for values. Refuses to decide templates.

use super::evidence::Node;
use super::monoid::{Count, Monoid as _};
use super::similar::{Likeness, Profile};
use super::table::Name;
use super::trie::class_code;
use crate::model::observation::SegmentClass;

/// Children that may stay literal whatever they are like. A growing node is tested beyond them, and at each doubling.
const LITERAL_MAX: usize = 64;

/// Comparable children that a collapse needs.
const COMPARABLE_MIN: usize = 32;

/// From here on the proof is reversed: collapse unless most comparable children differ.
const REVERSED_FROM: usize = 1_024;

/// Children that are compared with each other; a sample is enough to tell a crowd.
const SAMPLE: usize = 48;

/// Whether children of this class can be given up as literals.
pub(super) fn gives_up(class: SegmentClass) -> bool {
    is_soft_code(class_code(class))
}

/// Unknown words, words with digits, host names, others, improbable ones.
fn is_soft_code(class: u64) -> bool {
    (5..32).contains(&class)
}

/// Tests a node that is about to get one more child.
pub(super) fn growing(node: &mut Node) {
    let children = node.children.len();
    if children > LITERAL_MAX && (children - 1).is_power_of_two() {
        collapse(node);
    }
}

/// Brings a trie into the form that does not depend on when its nodes were tested: from the root down, since what is given up
/// adds to what stands below the wildcard.
pub(super) fn settle(node: &mut Node) {
    collapse(node);
    for child in node.children.values_mut().chain(node.star.as_deref_mut()) {
        settle(child);
    }
}

/// How many children can be given up as literals.
pub(super) fn soft_children(node: &Node) -> usize {
    soft(node).count()
}

/// Collapses all that can be, whatever it is like.
pub(super) fn give_all_up(node: &mut Node) {
    for hash in soft(node).collect::<Vec<u64>>() {
        give_up(node, hash);
    }
}

/// The hashes of the children that can be given up as literals.
fn soft(node: &Node) -> impl Iterator<Item = u64> {
    let soft = node.children.iter().filter(|entry| is_soft_code(entry.value.class.0));
    soft.map(|entry| entry.hash)
}

/// Collapses what is alike, if enough of it is; once there is a wildcard, all that stands on a level with it and is not unlike
/// it. What joins the wildcard makes it like more, so that this goes on until nothing moves.
fn collapse(node: &mut Node) {
    if node.star.is_none() && soft_children(node) > LITERAL_MAX {
        found(node);
    }
    while let Some(star) = node.star.as_deref().filter(|_| soft_children(node) > 0) {
        let crowd = Profile::of(star);
        let joins = |child: &Node| {
            star.is_level_with(child) && Profile::of(child).likeness(&crowd) != Likeness::Dissimilar
        };
        let alike: Vec<u64> = soft(node)
            .filter(|hash| node.children.get(*hash).is_some_and(|entry| joins(&entry.value)))
            .collect();
        if alike.is_empty() {
            break;
        }
        for hash in alike {
            give_up(node, hash);
        }
    }
}

/// Makes the wildcard of those children that most others are like, if these are nearly all that can be compared; in a flood,
/// also of those that cannot be.
fn found(node: &mut Node) {
    let profile = |hash: u64| node.children.get(hash).map(|entry| Profile::of(&entry.value));
    let profiles: Vec<(u64, Profile)> =
        soft(node).filter_map(|hash| Some((hash, profile(hash)?))).collect();
    let crowd: Vec<&Profile> = profiles.iter().map(|(_, own)| own).take(SAMPLE).collect();
    let verdicts: Vec<(u64, Likeness)> =
        profiles.iter().map(|(hash, own)| (*hash, against(own, &crowd))).collect();
    let of = |likeness| verdicts.iter().filter(move |(_, verdict)| *verdict == likeness);
    let (similar, dissimilar) = (of(Likeness::Similar).count(), of(Likeness::Dissimilar).count());
    let comparable = similar + dissimilar;
    let crowded = comparable >= COMPARABLE_MIN && similar * 10 >= comparable * 9;
    let flooded = verdicts.len() >= REVERSED_FROM && dissimilar * 2 <= comparable;
    if crowded || flooded {
        let seeds = if similar > 0 { Likeness::Similar } else { Likeness::Incomparable };
        for (hash, _) in of(seeds) {
            give_up(node, *hash);
        }
    }
}

/// What most of a crowd says about a profile; the profile itself may be among them.
fn against(own: &Profile, crowd: &[&Profile]) -> Likeness {
    let (mut similar, mut dissimilar) = (0_usize, 0_usize);
    for other in crowd {
        match own.likeness(other) {
            Likeness::Similar => similar += 1,
            Likeness::Dissimilar => dissimilar += 1,
            Likeness::Incomparable => {}
        }
    }
    // One likeness is that with itself.
    match (similar, dissimilar) {
        (0 | 1, 0) => Likeness::Incomparable,
        _ if similar > dissimilar => Likeness::Similar,
        _ => Likeness::Dissimilar,
    }
}

/// Moves a literal child into the wildcard.
fn give_up(node: &mut Node, hash: u64) {
    let Some(entry) = node.children.take(hash) else { return };
    let star = node.star.get_or_insert_default();
    let name = Name { hash, rank: 0, text: "" };
    star.sample.slot(name).0.merge(&Count(entry.value.visits.0));
    star.merge(&entry.value);
}

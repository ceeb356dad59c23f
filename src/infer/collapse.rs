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

/// Children from which a collapse is tested, and again at each doubling.
const TESTED_FROM: usize = 64;

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
    if children >= TESTED_FROM && children.is_power_of_two() && node.star.is_none() {
        test(node);
    }
}

/// Brings a merged trie into the form that learning in one go would have given it.
pub(super) fn canonicalise(node: &mut Node) {
    for entry in node.children.iter_mut() {
        canonicalise(&mut entry.value);
    }
    if let Some(star) = &mut node.star {
        canonicalise(star);
    }
    if node.star.is_some() || node.children.len() > TESTED_FROM {
        test(node);
    }
}

/// How many children can be given up as literals.
pub(super) fn soft_children(node: &Node) -> usize {
    node.children.iter().filter(|entry| is_soft_code(entry.value.class.0)).count()
}

/// Collapses all that can be, whatever it is like.
pub(super) fn give_all_up(node: &mut Node) {
    let soft: Vec<u64> = node
        .children
        .iter()
        .filter(|entry| is_soft_code(entry.value.class.0))
        .map(|entry| entry.hash)
        .collect();
    for hash in soft {
        give_up(node, hash);
    }
}

/// Collapses what is alike, if enough of it is.
fn test(node: &mut Node) {
    let soft: Vec<u64> = node
        .children
        .iter()
        .filter(|entry| is_soft_code(entry.value.class.0))
        .map(|entry| entry.hash)
        .collect();
    let collapsed = node.star.is_some();
    if soft.is_empty() || (soft.len() < TESTED_FROM && !collapsed) {
        return;
    }
    let profile = |hash: &u64| node.children.get(*hash).map(|entry| Profile::of(&entry.value));
    let mut crowd: Vec<Profile> = soft.iter().take(SAMPLE).filter_map(profile).collect();
    crowd.extend(node.star.as_deref().map(Profile::of));
    let verdicts: Vec<(u64, Likeness)> = soft
        .iter()
        .filter_map(|hash| profile(hash).map(|own| (*hash, against(&own, &crowd))))
        .collect();
    let count = |likeness| verdicts.iter().filter(|(_, verdict)| *verdict == likeness).count();
    let (similar, dissimilar) = (count(Likeness::Similar), count(Likeness::Dissimilar));
    let comparable = similar + dissimilar;
    let crowded = comparable >= COMPARABLE_MIN && similar * 10 >= comparable * 9;
    let flooded = soft.len() >= REVERSED_FROM && dissimilar * 2 <= comparable;
    if crowded || flooded || collapsed {
        for (hash, _) in verdicts.iter().filter(|(_, verdict)| *verdict != Likeness::Dissimilar) {
            give_up(node, *hash);
        }
    }
}

/// What most of a crowd says about a profile; the profile itself may be among them.
fn against(own: &Profile, crowd: &[Profile]) -> Likeness {
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

//! The log-odds that a soft path segment is a value (`spec/inference.md` 6.4): the table of weights, and what feeds it.

use std::collections::BTreeMap;

use super::super::similar::{Likeness, Profile};
use crate::infer::evidence::{KnownIds, Node};
use crate::infer::table::Entry;
use crate::infer::trie::class_code;
use crate::model::observation::{Method, SegmentClass};

/// Siblings that one child is compared with; more are extrapolated.
const SAMPLE: usize = 64;

/// Where a child stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) depth: usize,
    /// Only versions and fixed words before it.
    pub(super) root: bool,
    /// Hash of the singular of the nearest static segment.
    pub(super) word: u64,
    /// Its parent is a parameter.
    pub(super) below_parameter: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self { depth: 0, root: true, word: 0, below_parameter: false }
    }
}

/// How sure a child is an id, by ids seen in bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    No,
    Weakly,
    Elsewhere,
    Here,
}

/// The soft children of one node with what is needed to compare them.
pub(super) struct Children<'a> {
    ids: &'a KnownIds,
    soft: Vec<(&'a Entry<Node>, Profile)>,
    /// What stands for many values at sight or by collapse: profile and estimated values.
    crowds: Vec<(Profile, f64)>,
    median_visits: u32,
}

/// What siblings say about a child.
#[derive(Default)]
struct Siblings {
    similar: f64,
    dissimilar: f64,
    incomparable_alike: f64,
    seen_once: usize,
    counted: usize,
    known: usize,
    decidable: usize,
    methods: u16,
}

impl<'a> Children<'a> {
    pub(super) fn of(node: &'a Node, ids: &'a KnownIds) -> Self {
        let is_soft = |entry: &&Entry<Node>| (3..32).contains(&entry.value.class.0);
        let soft: Vec<_> = node
            .children
            .iter()
            .filter(is_soft)
            .map(|entry| (entry, Profile::of(&entry.value)))
            .collect();
        let data = node.children.iter().filter(|entry| entry.value.class.0 >= 32);
        let crowds = data
            .map(|entry| &entry.value)
            .chain(node.star.as_deref())
            .map(|crowd| (Profile::of(crowd), crowd.distinct.estimate().min(260.0)))
            .collect();
        let mut visits: Vec<u32> = soft.iter().map(|(entry, _)| entry.value.visits.0).collect();
        visits.sort_unstable();
        let median_visits = visits.get(visits.len() / 2).copied().unwrap_or(0);
        Self { ids, soft, crowds, median_visits }
    }

    /// The sum of all weights for each soft child, by hash; a value if positive.
    pub(super) fn all_odds(&self, place: Place) -> BTreeMap<u64, f64> {
        let alone: BTreeMap<u64, f64> =
            self.soft.iter().map(|(entry, _)| (entry.hash, self.odds(entry, place))).collect();
        let company = Company::of(self, &alone);
        let with = |(entry, profile): &(&Entry<Node>, Profile)| {
            let odds = alone.get(&entry.hash).copied().unwrap_or(0.0);
            let company = if odds > 0.0 { 0.0 } else { company.weight(profile) };
            (entry.hash, odds + company)
        };
        self.soft.iter().map(with).collect()
    }

    /// Whether a fixed word is a value all the same: its own answers say that this is their name, and it is like siblings
    /// that are values. A queue may be called `batch`.
    pub(super) fn is_named_so(&self, entry: &Entry<Node>, odds: &BTreeMap<u64, f64>) -> bool {
        const ALIKE_MIN: usize = 2;
        let named = !entry.value.strong_echoes.is_empty() || !entry.value.weak_echoes.is_empty();
        let is_value = |hash| odds.get(&hash).is_some_and(|odds| *odds > 0.0);
        named && {
            let own = Profile::of(&entry.value);
            let alike = |(sibling, profile): &&(&Entry<Node>, Profile)| {
                is_value(sibling.hash) && own.likeness(profile) == Likeness::Similar
            };
            let soft = self.soft.iter().filter(alike).take(ALIKE_MIN).count();
            let crowd = |(profile, _): &(Profile, f64)| own.likeness(profile) == Likeness::Similar;
            soft >= ALIKE_MIN || self.crowds.iter().any(crowd)
        }
    }

    /// The sum of all weights for one child but for the company that it keeps.
    fn odds(&self, entry: &Entry<Node>, place: Place) -> f64 {
        let Some((_, profile)) = self.soft.iter().find(|(soft, _)| soft.hash == entry.hash) else {
            return 0.0;
        };
        let siblings = self.siblings(entry, profile, place);
        let mut odds = -1.0 + of_place(entry, place) + of_class(entry.value.class.0);
        odds += self.of_identity(entry, place);
        odds += siblings.weight(profile);
        if self.soft.len() >= 3
            && entry.value.visits.0 > self.median_visits.saturating_mul(20)
            && entry.value.consumers.at_least(8)
        {
            odds -= 1.5;
        }
        odds
    }

    fn of_identity(&self, entry: &Entry<Node>, place: Place) -> f64 {
        let echo = if !entry.value.strong_echoes.is_empty() {
            3.0
        } else if !entry.value.weak_echoes.is_empty() {
            1.0
        } else {
            0.0
        };
        echo + match self.known(entry.hash, place) {
            Known::Here => 4.0,
            Known::Elsewhere => 2.0,
            Known::Weakly => 0.5,
            Known::No => 0.0,
        }
    }

    fn known(&self, hash: u64, place: Place) -> Known {
        self.ids
            .of(hash)
            .map(|id| match (id.strong, id.collection == place.word) {
                (true, true) => Known::Here,
                (true, false) => Known::Elsewhere,
                (false, _) => Known::Weakly,
            })
            .max()
            .unwrap_or(Known::No)
    }

    fn siblings(&self, entry: &Entry<Node>, profile: &Profile, place: Place) -> Siblings {
        let mut found = Siblings::default();
        let mut compared = 0_usize;
        for (sibling, other) in
            self.soft.iter().filter(|(soft, _)| soft.hash != entry.hash).take(SAMPLE)
        {
            compared += 1;
            match profile.likeness(other) {
                Likeness::Similar => {
                    found.similar += 1.0;
                    found.count(sibling, other, self.known(sibling.hash, place), self.ids);
                }
                Likeness::Dissimilar => found.dissimilar += 1.0,
                Likeness::Incomparable if profile.methods == other.methods => {
                    found.incomparable_alike += 1.0;
                }
                Likeness::Incomparable => {}
            }
        }
        let total = self.soft.len().saturating_sub(1);
        if compared > 0 && total > compared {
            #[expect(clippy::cast_precision_loss, reason = "at most 4,096 children")]
            let factor = total as f64 / compared as f64;
            found.similar *= factor;
            found.incomparable_alike *= factor;
        }
        for (crowd, values) in &self.crowds {
            match profile.likeness(crowd) {
                Likeness::Similar => {
                    found.similar += values;
                    found.methods |= crowd.methods;
                }
                Likeness::Incomparable if profile.shares_operation(crowd) => {
                    found.incomparable_alike += values;
                }
                Likeness::Incomparable => {}
                Likeness::Dissimilar => found.dissimilar += values,
            }
        }
        found
    }
}

/// What the children do that are values by themselves, if those are nearly all.
struct Company(Option<Profile>);

impl Company {
    fn of(children: &Children<'_>, odds: &BTreeMap<u64, f64>) -> Self {
        const VALUES_MIN: usize = 3;
        let is_value = |hash| odds.get(&hash).is_some_and(|odds| *odds > 0.0);
        let values = children.soft.iter().filter(|(entry, _)| is_value(entry.hash));
        let values: Vec<&Profile> = values.map(|(_, profile)| profile).collect();
        let prevail = values.len() >= VALUES_MIN && values.len() * 4 >= children.soft.len() * 3;
        Self(prevail.then(|| values.into_iter().fold(Profile::default(), Profile::with)))
    }

    /// What the company tells of a child that does nothing but what the others do.
    fn weight(&self, profile: &Profile) -> f64 {
        const WEIGHT: f64 = 2.5;
        let joins = self.0.as_ref().is_some_and(|all| profile.is_within(all));
        if joins { WEIGHT } else { 0.0 }
    }
}

impl Siblings {
    /// Takes a similar sibling into account.
    fn count(&mut self, sibling: &Entry<Node>, profile: &Profile, known: Known, ids: &KnownIds) {
        self.counted += 1;
        self.methods |= profile.methods;
        self.seen_once += usize::from(sibling.value.visits.0 == 1);
        if ids.decides(sibling.hash) {
            self.decidable += 1;
            self.known += usize::from(known >= Known::Elsewhere);
        }
    }

    fn weight(&self, profile: &Profile) -> f64 {
        let mut weight = 0.0;
        let crowd = self.similar + self.incomparable_alike / 4.0;
        if crowd >= 1.0 {
            weight += (crowd + 1.0).log2().min(4.0) - 1.0;
        }
        if self.decidable > 0 && self.known * 2 >= self.decidable {
            weight += 2.0;
        }
        if self.counted > 0 && self.seen_once * 2 >= self.counted {
            weight += 1.0;
        }
        if self.dissimilar >= 2.0 && self.similar < 1.0 {
            weight -= 3.0;
        }
        if self.counted > 0 && profile.methods & !self.methods != 0 {
            weight -= 1.0;
        }
        weight
    }
}

fn of_place(entry: &Entry<Node>, place: Place) -> f64 {
    let post = Method::DOCUMENTED.iter().position(|method| *method == Method::Post);
    let only_post = entry.value.children.is_empty()
        && !entry.value.cells.is_empty()
        && entry.value.cells.keys().all(|method| Some(usize::from(*method)) == post);
    let mut odds = 0.0;
    if place.root {
        odds -= 2.0;
    }
    if place.below_parameter {
        odds -= 1.5;
        if only_post {
            odds -= 1.0;
        }
    }
    odds
}

fn of_class(class: u64) -> f64 {
    let is = |wanted| class == class_code(wanted);
    if is(SegmentClass::Word) {
        -1.0
    } else if is(SegmentClass::Words) {
        -0.5
    } else if is(SegmentClass::WordDigits) {
        0.5
    } else if is(SegmentClass::Dotted) {
        1.5
    } else if is(SegmentClass::Other) {
        1.0
    } else if is(SegmentClass::Improbable) {
        2.0
    } else {
        0.0
    }
}

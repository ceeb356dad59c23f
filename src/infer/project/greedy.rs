//! Nodes below which everything is one parameter, however many segments it has (`spec/inference.md` 6.4).
//!
//! Owns the proof: whatever stands below such a node answers alike, at several depths in a row, so that no segment explains
//! anything. It is sought in the trie as it is, before segments are told for literals or values, since the words of a tree of
//! files are those of routes. Refuses to take the root of an API for one; an envelope that all answers share proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::odds::Place;
use crate::infer::evidence::{Cell, Node};
use crate::infer::generations::Generations;
use crate::infer::monoid::Monoid;
use crate::infer::shape::Shape;
use crate::infer::signature::mix;

/// Depths in a row that answer alike.
const DEPTHS_MIN: usize = 3;

/// Values at each of them where a tree is told by nothing else.
const VALUES_MIN: f64 = 3.0;

/// Values at each of only two depths.
const VALUES_OF_TWO: f64 = 5.0;

/// Places from which a text at the end stands behind a parameter rather than being one of its values.
const RECURRING_MIN: usize = 3;

/// Names that an answer must have to tell anything.
const NAMES_MIN: usize = 3;

/// Share of common names from which two answers are alike.
const ALIKE: f64 = 0.8;

/// Answers of one depth that are compared with each other; a sample is enough to tell a crowd.
const SAMPLE: usize = 12;

/// Numbers of segments, by method.
pub(super) type Depths = BTreeMap<u16, BTreeSet<usize>>;

/// What becomes one parameter below a node.
pub(super) struct Greedy<'a> {
    /// Everything that ends in the parameter.
    pub(super) trunk: Together,
    /// Everything at and below a word behind it.
    pub(super) suffixes: BTreeMap<&'a str, Behind>,
    /// Children that are something else.
    pub(super) beside: BTreeSet<u64>,
}

impl<'a> Greedy<'a> {
    /// The parameter below a node, if its answers prove one.
    pub(super) fn of(node: &'a Node, place: Place) -> Option<Self> {
        if place.root {
            return None;
        }
        let mut leaves = Leaf::all(node);
        let deepest = leaves.iter().map(Leaf::depth).max().unwrap_or(0);
        if deepest < 2 {
            return None;
        }
        let beside = beside(&leaves);
        leaves.retain(|leaf| !beside.contains(&leaf.first()));
        let (behind, trunk) = split_suffixes(leaves);
        let own = Answers::of(node);
        if !(is_echo(&own, &trunk) || is_tree(&trunk)) {
            return None;
        }
        Some(Self { trunk: Together::of(&trunk), suffixes: Behind::all(&behind), beside })
    }

    /// Everything below a node but words that somebody pinned, since somebody says so.
    pub(super) fn pinned(node: &'a Node, is_word: impl Fn(&str) -> bool) -> Self {
        let words = node.children.iter().filter(|entry| is_word(&entry.name));
        let beside: BTreeSet<u64> = words.map(|entry| entry.hash).collect();
        let mut leaves = Leaf::all(node);
        leaves.retain(|leaf| !beside.contains(&leaf.first()));
        Self { trunk: Together::of(&leaves), suffixes: BTreeMap::new(), beside }
    }
}

/// The operations of several nodes.
#[derive(Default)]
pub(super) struct Together {
    pub(super) node: Node,
    /// Segments that the parameter took.
    pub(super) depths: Depths,
}

impl Together {
    fn of(leaves: &[Leaf<'_>]) -> Self {
        let mut all = Self::default();
        for leaf in leaves {
            all.add(leaf.node, leaf.depth());
        }
        all
    }

    fn add(&mut self, node: &Node, depth: usize) {
        Monoid::merge(&mut self.node.cells, &node.cells);
        for method in node.cells.keys() {
            self.depths.entry(*method).or_default().insert(depth);
        }
    }
}

/// What stands at and below a word behind the parameter.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) node: Node,
    /// Segments that the parameter took.
    pub(super) depths: BTreeSet<usize>,
}

impl Behind {
    /// By word, from where leaves part from the trunk.
    fn all<'a>(behind: &[(Leaf<'a>, usize)]) -> BTreeMap<&'a str, Self> {
        let mut all: BTreeMap<&str, Self> = BTreeMap::new();
        let mut taken: BTreeSet<u64> = BTreeSet::new();
        for (leaf, at) in behind {
            let Some(word) = leaf.trail.get(*at) else { continue };
            // Of a word that several leaves pass, everything is taken with the first.
            if taken.insert(leaf.place(at + 1)) {
                let one = all.entry(word.text).or_default();
                Monoid::merge(&mut one.node, word.node);
                one.depths.insert(*at);
            }
        }
        all
    }
}

/// One segment below the node.
#[derive(Debug, Clone, Copy)]
struct Segment<'a> {
    node: &'a Node,
    text: &'a str,
    hash: u64,
    /// Class code; [`crate::infer::trie::class_code`].
    class: u64,
    /// Texts that could be anything; none of data and fixed words.
    values: f64,
}

/// A node below with operations.
#[derive(Debug, Clone)]
struct Leaf<'a> {
    node: &'a Node,
    /// The segments that lead to it, at least one.
    trail: Vec<Segment<'a>>,
}

impl<'a> Leaf<'a> {
    fn all(node: &'a Node) -> Vec<Self> {
        let mut leaves = Vec::new();
        Self::collect(node, &mut Vec::new(), &mut leaves);
        leaves
    }

    fn collect(node: &'a Node, trail: &mut Vec<Segment<'a>>, leaves: &mut Vec<Self>) {
        let children = node.children.iter().map(|entry| (&*entry.name, entry.hash, &entry.value));
        for (text, hash, child) in children.chain(node.crowd().map(|crowd| ("", 0, crowd))) {
            let class = child.class.0;
            let values = match (class, text) {
                (1 | 2 | 32.., _) => 0.0,
                (_, "") => child.distinct.estimate().min(260.0),
                _ => 1.0,
            };
            trail.push(Segment { node: child, text, hash, class, values });
            if !child.cells.is_empty() {
                leaves.push(Self { node: child, trail: trail.clone() });
            }
            Self::collect(child, trail, leaves);
            trail.pop();
        }
    }

    fn depth(&self) -> usize {
        self.trail.len()
    }

    fn last(&self) -> Segment<'a> {
        let none = Segment { node: self.node, text: "", hash: 0, class: 0, values: 0.0 };
        self.trail.last().copied().unwrap_or(none)
    }

    fn first(&self) -> u64 {
        self.trail.first().map_or(0, |segment| segment.hash)
    }

    /// The place to which so many segments lead.
    fn place(&self, segments: usize) -> u64 {
        self.trail.iter().take(segments).fold(1, |hash, segment| mix(hash, segment.hash))
    }

    /// The place of its parent.
    fn parent(&self) -> u64 {
        self.place(self.trail.len().saturating_sub(1))
    }
}

/// Words that are never a value, right below the node, and answer otherwise than the rest.
fn beside(leaves: &[Leaf<'_>]) -> BTreeSet<u64> {
    let fixed = |leaf: &&Leaf<'_>| leaf.trail.first().is_some_and(|first| first.class <= 2);
    let rest = Answers::union(leaves.iter().filter(|leaf| !fixed(leaf)));
    leaves
        .iter()
        .filter(fixed)
        .filter(|leaf| !Answers::of(leaf.node).fits(&rest, Likeness::Strict))
        .map(Leaf::first)
        .collect()
}

/// Parts the leaves at and below a recurring word that answers otherwise than the rest from the rest, with the place of that
/// word on their trail.
fn split_suffixes(leaves: Vec<Leaf<'_>>) -> (Vec<(Leaf<'_>, usize)>, Vec<Leaf<'_>>) {
    let mut parents: BTreeMap<u64, BTreeSet<(usize, u64)>> = BTreeMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.depth() >= 2 && leaf.last().class < 32) {
        let place = (leaf.depth(), leaf.parent());
        parents.entry(leaf.last().hash).or_default().insert(place);
    }
    parents.retain(|hash, places| {
        let depths: BTreeSet<usize> = places.iter().map(|(depth, _)| *depth).collect();
        *hash != 0 && places.len() >= RECURRING_MIN && depths.len() >= 2
    });
    let recurs = |leaf: &Leaf<'_>| leaf.depth() >= 2 && parents.contains_key(&leaf.last().hash);
    let rest = Answers::union(leaves.iter().filter(|leaf| !recurs(leaf)));
    let mut differing: BTreeSet<u64> = parents.keys().copied().collect();
    differing.retain(|hash| {
        let own = leaves.iter().filter(|leaf| recurs(leaf) && leaf.last().hash == *hash);
        !rest.is_silent() && !Answers::union(own).fits(&rest, Likeness::Loose)
    });
    let (mut behind, mut trunk) = (Vec::new(), Vec::new());
    for leaf in leaves {
        let words = leaf.trail.iter().enumerate().skip(1);
        let word = words.map(|(at, word)| (at, word.hash)).find(|word| differing.contains(&word.1));
        match word {
            Some((at, _)) => behind.push((leaf, at)),
            None => trunk.push(leaf),
        }
    }
    (behind, trunk)
}

/// Whether a node answers for whatever stands below it as it does itself.
fn is_echo(own: &Answers, leaves: &[Leaf<'_>]) -> bool {
    const FIRSTS_MIN: usize = 3;
    let firsts: BTreeSet<u64> = leaves.iter().map(Leaf::first).collect();
    let depths: BTreeSet<usize> = leaves.iter().map(Leaf::depth).collect();
    let in_a_row = (1..=depths.len()).take_while(|depth| depths.contains(depth)).count();
    !own.faces.is_empty()
        && firsts.len() >= FIRSTS_MIN
        && in_a_row + 1 >= DEPTHS_MIN
        && are_alike(leaves, Some(own), Likeness::Strict)
}

/// Whether leaves at several depths are told apart by nothing: values of all sorts, one kind of answer.
fn is_tree(leaves: &[Leaf<'_>]) -> bool {
    let mut depths: BTreeMap<usize, Vec<&Leaf<'_>>> = BTreeMap::new();
    for leaf in leaves {
        depths.entry(leaf.depth()).or_default().push(leaf);
    }
    let values = |depth: usize| depths.get(&depth).map_or(0.0, |leaves| values_of(leaves));
    let in_a_row =
        |least: f64| (1..=depths.len()).take_while(|depth| values(*depth) >= least).count();
    let is_deep = in_a_row(VALUES_MIN) >= DEPTHS_MIN;
    let is_two = in_a_row(VALUES_OF_TWO) == 2 && !is_hierarchy(depths.get(&1));
    is_deep && are_alike(leaves, None, Likeness::Loose)
        || is_two && are_alike(leaves, None, Likeness::Strict)
}

/// Distinct texts at the end of some leaves.
fn values_of(leaves: &[&Leaf<'_>]) -> f64 {
    let last: BTreeMap<u64, f64> =
        leaves.iter().map(|leaf| (leaf.last().hash, leaf.last().values)).collect();
    last.values().sum()
}

/// Whether what answers at a depth is also what leads further down: `/weather/{country}` and `/weather/{country}/{city}`.
fn is_hierarchy(leaves: Option<&Vec<&Leaf<'_>>>) -> bool {
    let leads = |leaf: &&&Leaf<'_>| {
        let node = leaf.node;
        !node.children.is_empty() || node.crowd().next().is_some()
    };
    leaves.is_some_and(|leaves| leaves.iter().filter(leads).count() * 2 >= leaves.len())
}

/// Whether all answers are of one kind, shown by requests without bodies at two depths: what a request brought may come back
/// in its answer.
fn are_alike(leaves: &[Leaf<'_>], own: Option<&Answers>, likeness: Likeness) -> bool {
    let mut groups: BTreeMap<(usize, u64), Answers> = BTreeMap::new();
    for leaf in leaves {
        groups.entry((leaf.depth(), leaf.first())).or_default().add(leaf.node);
    }
    if groups.values().all(|answers| answers.faces.is_empty()) {
        return own.is_none() && groups.values().all(|answers| answers.opaque) && are_files(leaves);
    }
    if groups.values().any(|answers| answers.opaque) {
        return false;
    }
    let mut by_method: BTreeMap<u16, Vec<(usize, &Face)>> = BTreeMap::new();
    let mut taken: BTreeMap<(u16, usize), usize> = BTreeMap::new();
    let all = groups.iter().map(|((depth, _), answers)| (*depth, answers));
    for (depth, answers) in own.map(|own| (0, own)).into_iter().chain(all) {
        for (method, face) in &answers.faces {
            let taken = taken.entry((*method, depth)).or_default();
            *taken += 1;
            if *taken <= SAMPLE {
                by_method.entry(*method).or_default().push((depth, face));
            }
        }
    }
    let bodiless = by_method.values().flatten().filter(|(_, face)| !face.asked);
    let depths: BTreeSet<usize> = bodiless.map(|(depth, _)| *depth).collect();
    depths.len() >= 2
        && by_method.values().all(|faces| {
            let faces: Vec<&Face> = faces.iter().map(|(_, face)| *face).collect();
            let pairs = |(index, face): (usize, &&Face)| {
                faces.iter().skip(index + 1).all(|other| face.is_like(other, likeness))
            };
            faces.iter().enumerate().all(pairs)
        })
}

/// Whether most of what answers with opaque bodies is named as no route is.
fn are_files(leaves: &[Leaf<'_>]) -> bool {
    let named = leaves.iter().filter(|leaf| leaf.last().class >= 5).count();
    named * 2 > leaves.len()
}

/// What accepted requests were answered, by method.
#[derive(Debug, Clone, Default)]
struct Answers {
    /// Of bodies that tell enough.
    faces: BTreeMap<u16, Face>,
    /// Methods with answers that tell too little.
    silent: BTreeSet<u16>,
    /// Some body cannot be looked into.
    opaque: bool,
}

impl Answers {
    fn of(node: &Node) -> Self {
        let mut answers = Self::default();
        answers.add(node);
        answers
    }

    fn union<'a>(leaves: impl Iterator<Item = &'a Leaf<'a>>) -> Self {
        let mut answers = Self::default();
        leaves.for_each(|leaf| answers.add(leaf.node));
        answers
    }

    fn add(&mut self, node: &Node) {
        for (method, generations) in &node.cells {
            let mut face = Face::default();
            for cell in Generations::cells(generations) {
                self.opaque |= face.add(cell);
            }
            if face.names.len() > NAMES_MIN {
                self.faces.entry(*method).or_default().merge(&face);
            } else {
                self.silent.insert(*method);
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.faces.is_empty() && !self.opaque
    }

    /// Whether these could be answers of the same kind: alike where both tell, and no method that tells is new.
    fn fits(&self, others: &Self, likeness: Likeness) -> bool {
        let alike = |(method, face): (&u16, &Face)| {
            others.faces.get(method).is_some_and(|other| face.is_like(other, likeness))
        };
        if self.faces.is_empty() {
            let silent = others.opaque || self.silent.is_subset(&others.silent);
            return self.opaque == others.opaque && silent;
        }
        self.faces.iter().all(alike)
    }
}

/// How closely answers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// Down to the last name: records of one kind stand at two depths of many APIs.
    Strict,
    /// What a file holds depends on the file.
    Loose,
}

/// What answers look like: the kinds seen at their names down to the second level, and at their root.
#[derive(Debug, Clone, Default)]
struct Face {
    names: BTreeMap<u64, u8>,
    below: BTreeMap<u64, u8>,
    /// Requests had bodies.
    asked: bool,
}

impl Face {
    /// Adds what was counted; whether some body is opaque.
    fn add(&mut self, cell: &Cell) -> bool {
        self.asked |= !cell.request.is_empty();
        let good = cell.responses.iter().filter(|(status, _)| (200..300).contains(*status));
        let mut opaque = false;
        for entry in good.flat_map(|(_, response)| response.bodies.iter()) {
            opaque |= !entry.value.read.any() && entry.value.stream.is_none();
            if entry.value.read.any() {
                self.see(&entry.value.shape, 0, 0);
            }
        }
        opaque
    }

    /// Adds a shape; arrays are looked through but for their kind.
    fn see(&mut self, shape: &Shape, place: u64, depth: usize) {
        let kinds = kinds(shape);
        let names = if depth < 2 { &mut self.names } else { &mut self.below };
        *names.entry(place).or_default() |= kinds;
        self.members(shape, place, depth);
    }

    fn members(&mut self, shape: &Shape, place: u64, depth: usize) {
        if let Some(items) = &shape.items {
            self.members(&items.shape, place, depth);
        }
        let members = shape.members.iter().filter(|_| depth < 2);
        for entry in members.flat_map(|members| members.keys.iter()) {
            if crate::infer::shape::data_name(&entry.name).is_none() {
                self.see(&entry.value.shape, mix(place, entry.hash), depth + 1);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.asked |= other.asked;
        for (own, theirs) in [(&mut self.names, &other.names), (&mut self.below, &other.below)] {
            for (name, kinds) in theirs {
                *own.entry(*name).or_default() |= kinds;
            }
        }
    }

    /// Whether most names are common and none of those is of other kinds. What requests brought is not compared.
    fn is_like(&self, other: &Self, likeness: Likeness) -> bool {
        /// Names that are more than an envelope.
        const RICH: usize = 8;
        /// One common name in so many may hold something else.
        const ODD: usize = 10;
        let mut all = vec![(&self.names, &other.names)];
        let loose = likeness == Likeness::Loose;
        let rich = loose && self.names.len().min(other.names.len()) > RICH;
        if !self.asked && !other.asked && !rich {
            all.push((&self.below, &other.below));
        }
        let (mut common, mut smaller, mut odd) = (0_usize, 0_usize, 0_usize);
        for (ours, theirs) in all {
            smaller += ours.len().min(theirs.len());
            for (name, kinds) in ours {
                let Some(others) = theirs.get(name) else { continue };
                odd += usize::from(kinds & others == 0 && *kinds != 0 && *others != 0);
                common += 1;
            }
        }
        if odd > 0 && (!loose || odd * ODD > common) {
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of names are small")]
        let share = common as f64 / smaller.max(1) as f64;
        share >= ALIKE
    }
}

/// A bit for each kind seen but null; numbers are one.
fn kinds(shape: &Shape) -> u8 {
    let Shape { boolean, integer, float, text, object, array, .. } = shape;
    let number = integer.any() || float.any();
    [boolean.any(), number, text.any(), object.any(), array.any()]
        .into_iter()
        .fold(0, |bits, seen| bits << 1 | u8::from(seen))
}

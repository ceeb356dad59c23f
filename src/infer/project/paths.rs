//! The trie to templates: which segments are literals, which are parameters (`spec/inference.md` 6.4).
//!
//! Owns the decision, top-down, by log-odds per soft child. It can be made anew at any time, since the trie keeps literals
//! apart. Refuses to own names and what is said of an operation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::greedy::{Depths, Greedy};
use super::odds::{Children, Place};
use super::pins::PathPins;
use super::{identity, names};
use crate::infer::evidence::{Cell, KnownIds, Node};
use crate::infer::monoid::Monoid as _;
use crate::infer::published::{Decision, Published};
use crate::infer::table::Entry;
use crate::infer::trie;
use crate::model::observation::SegmentClass;

/// One step of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Canonically escaped text.
    Literal(String),
    Wildcard(Wildcard),
}

/// A path parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Wildcard {
    /// The name that people gave it.
    pub(super) pinned: Option<String>,
    /// Class codes of what stood there.
    pub(super) classes: Vec<u64>,
    /// The key under which responses repeat it, if that names it.
    pub(super) echoed: Option<String>,
    /// What stands before and after it within its segment.
    pub(super) prefix: String,
    pub(super) suffix: String,
    /// Further parameters of the same segment, between this one and the suffix.
    pub(super) further: Vec<Further>,
    /// It takes all segments that are left, at least one.
    pub(super) greedy: bool,
    /// Its values are told to be ids.
    pub(super) identifies: bool,
    /// It chooses a version, from these.
    pub(super) version: bool,
    pub(super) values: Vec<String>,
}

/// A parameter behind another one in the same segment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Further {
    /// What stands before it, back to the parameter before.
    pub(super) between: String,
    pub(super) classes: Vec<u64>,
}

impl Wildcard {
    /// Parameters with nothing known of their values, by what stands before, between and behind them.
    pub(super) fn around_of(around: &[&str]) -> Self {
        let text_at = |place: usize| around.get(place).copied().unwrap_or_default().to_owned();
        let last = around.len().saturating_sub(1);
        let further =
            |between: &&str| Further { between: (*between).to_owned(), classes: Vec::new() };
        let betweens = around.get(1..last).unwrap_or_default();
        Self {
            prefix: text_at(0),
            suffix: text_at(last),
            further: betweens.iter().map(further).collect(),
            ..Self::default()
        }
    }

    /// Whether a segment, by its text or symbol, has around its data what this parameter has.
    pub(super) fn has_around(&self, segment: &str) -> bool {
        if let Some((_, around)) = trie::parts(segment) {
            return around == self.around();
        }
        let inner = segment.strip_prefix(&*self.prefix).and_then(|rest| {
            let end = rest.strip_suffix(&*self.suffix)?;
            self.further.iter().try_fold(end, |rest, further| {
                rest.split_once(&*further.between).map(|(_, rest)| rest)
            })
        });
        inner.is_some()
    }

    /// What stands before, between and behind the parameters of its segment.
    pub(super) fn around(&self) -> Vec<&str> {
        let further = self.further.iter().map(|further| &*further.between);
        std::iter::once(&*self.prefix).chain(further).chain([&*self.suffix]).collect()
    }

    /// The segment, its parameters written by a function of their place among them.
    pub(super) fn segment(&self, mut parameter: impl FnMut(usize) -> String) -> String {
        let mut segment = self.prefix.clone();
        for (index, behind) in self.around().into_iter().skip(1).enumerate() {
            segment.push_str(&parameter(index));
            segment.push_str(behind);
        }
        segment
    }
}

/// Everything counted under one template and method.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) steps: Vec<Step>,
    pub(super) method: u16,
    pub(super) cell: Cell,
    /// How many segments a greedy parameter took.
    pub(super) depths: BTreeSet<usize>,
}

/// All templates of a trie, in no particular order, and the decisions that led to them.
pub(super) fn expand(
    root: &Node,
    ids: &KnownIds,
    pins: &PathPins,
    former: Option<&Published>,
) -> (Vec<Found>, Decided) {
    let (steps, found, decided) = (Vec::new(), Vec::new(), Decided::default());
    let mut walk = Walk { ids, pins, former, steps, found, decided, taken: BTreeSet::new() };
    walk.node(root, Place::default());
    (walk.found, walk.decided)
}

/// What was decided on the way.
#[derive(Default)]
pub(super) struct Decided {
    /// As it is to be published.
    pub(super) next: Published,
    /// Pinned segments that the evidence takes for something else.
    pub(super) against: Vec<String>,
}

struct Walk<'a> {
    ids: &'a KnownIds,
    pins: &'a PathPins,
    former: Option<&'a Published>,
    steps: Vec<Step>,
    found: Vec<Found>,
    decided: Decided,
    /// Segments that a greedy parameter before took.
    taken: BTreeSet<usize>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, place: Place) {
        self.cells(node, &Depths::new());
        let ahead = self.pins.after(&self.steps);
        let greedy = match ahead.greedy {
            Some(_) => Some(Greedy::pinned(node, |text| ahead.is_value(text) == Some(false))),
            None if ahead.is_empty() && self.taken.is_empty() => Greedy::of(node, place),
            None => None,
        };
        if let Some(greedy) = greedy {
            self.greedy(node, &greedy, place);
            return;
        }
        let children = Children::of(node, self.ids);
        let odds = children.all_odds(place);
        let mut values: Vec<&Entry<Node>> = Vec::new();
        for entry in node.children.iter() {
            let is_value = match entry.value.class.0 {
                1 => false,
                2 => {
                    children.is_named_so(entry, &odds) && ahead.is_value(&entry.name) != Some(false)
                }
                32.. => {
                    if let Some(text) = version_text(&entry.value, place) {
                        self.literal(text, entry, place);
                        continue;
                    }
                    true
                }
                _ => {
                    let odds = odds.get(&entry.hash).copied().unwrap_or(0.0);
                    match ahead.is_value(&entry.name) {
                        Some(pinned) => self.pin(pinned, entry, odds),
                        None => self.decide(entry, odds),
                    }
                }
            };
            if is_value {
                values.push(entry);
            } else {
                self.literal(&entry.name, entry, place);
            }
        }
        self.wildcards(node, &values, place);
    }

    /// Whether a child is a value, by the sum of its odds. What was published turns only on clear evidence that came since.
    fn decide(&mut self, entry: &Entry<Node>, sum: f64) -> bool {
        const CLEAR: f64 = 1.5;
        const SINCE_MIN: u32 = 20;
        let place = identity::erased(&self.steps);
        let visits = entry.value.visits.0;
        let former = self.former.and_then(|former| former.decision(&place, entry.hash));
        let fresh = Decision { is_value: sum > 0.0, visits };
        let decision = former
            .filter(|former| {
                let is_new = visits.saturating_sub(former.visits) >= SINCE_MIN;
                former.is_value == fresh.is_value || sum.abs() < CLEAR || !is_new
            })
            .unwrap_or(fresh);
        self.decided.next.decide(&place, entry.hash, decision);
        decision.is_value
    }

    /// Whether a child is a value, since somebody says so; what the evidence has to say is noted.
    fn pin(&mut self, is_value: bool, entry: &Entry<Node>, sum: f64) -> bool {
        if (sum > 0.0) != is_value {
            let [pinned, seen] =
                if is_value { ["a value", "a word"] } else { ["a word", "a value"] };
            let place = identity::erased(&self.steps);
            self.decided.against.push(format!(
                "`{place}/{}` is pinned as {pinned}; {} exchanges look like {seen}",
                entry.name, entry.value.visits.0
            ));
        }
        is_value
    }

    /// What stands around data makes a template of its own: `{id}` beside `{id}.json`.
    fn wildcards(&mut self, node: &Node, values: &[&Entry<Node>], place: Place) {
        let mut by_affix: BTreeMap<Vec<&str>, Vec<&Entry<Node>>> = BTreeMap::new();
        for entry in values {
            let around = trie::parts(&entry.name).map_or_else(|| vec!["", ""], |parts| parts.1);
            by_affix.entry(around).or_default().push(entry);
        }
        by_affix.entry(vec!["", ""]).or_default();
        for (around, values) in by_affix {
            let crowd = if around == ["", ""] { node.crowd().collect() } else { Vec::new() };
            self.wildcard(&values, &crowd, &around, place);
        }
    }

    /// Everything below a node is one parameter, but for words behind it and what stands beside it.
    fn greedy(&mut self, node: &Node, greedy: &Greedy<'_>, place: Place) {
        for entry in node.children.iter().filter(|entry| greedy.beside.contains(&entry.hash)) {
            self.literal(&entry.name, entry, place);
        }
        let pinned = self.pins.after(&self.steps).greedy.map(str::to_owned);
        self.steps.push(Step::Wildcard(Wildcard { pinned, greedy: true, ..Wildcard::default() }));
        self.cells(&greedy.trunk.node, &greedy.trunk.depths);
        for (text, behind) in &greedy.suffixes {
            self.steps.push(Step::Literal((*text).to_owned()));
            let depth = self.steps.len();
            self.taken.clone_from(&behind.depths);
            let word = behind.node.word.0;
            self.node(&behind.node, Place { depth, root: false, word, below_parameter: false });
            self.taken.clear();
            self.steps.pop();
        }
        self.steps.pop();
    }

    /// The operations of a node, with the depths at which a greedy parameter met them.
    fn cells(&mut self, node: &Node, depths: &Depths) {
        for (method, generations) in &node.cells {
            let depths = depths.get(method).unwrap_or(&self.taken);
            self.found.push(Found {
                steps: self.steps.clone(),
                method: *method,
                cell: generations.live().into_owned(),
                depths: depths.clone(),
            });
        }
    }

    fn literal(&mut self, text: &str, entry: &Entry<Node>, place: Place) {
        self.steps.push(Step::Literal(text.to_owned()));
        // What stands before the first word of the API's own is as good as the root.
        let fixed = matches!(entry.value.class.0, 1 | 32..) || names::is_base(text);
        self.node(
            &entry.value,
            Place {
                depth: place.depth + 1,
                root: place.root && fixed,
                word: entry.value.word.0,
                below_parameter: false,
            },
        );
        self.steps.pop();
    }

    /// All values of a node are one parameter; what lies below them is merged.
    fn wildcard(
        &mut self,
        values: &[&Entry<Node>],
        crowd: &[&Node],
        around: &[&str],
        place: Place,
    ) {
        let parts: Vec<&Node> =
            values.iter().map(|entry| &entry.value).chain(crowd.iter().copied()).collect();
        let merged = match parts.as_slice() {
            [] => return,
            [only] => Cow::Borrowed(*only),
            [first, others @ ..] => {
                let mut merged = (*first).clone();
                for other in others {
                    merged.merge(other);
                }
                Cow::Owned(merged)
            }
        };
        let mut classes: Vec<u64> = values.iter().map(|entry| entry.value.class.0).collect();
        // What had no room may be of several classes, of which only the greatest is known.
        let other = trie::class_code(SegmentClass::Other);
        classes.extend(crowd.iter().map(|crowd| crowd.class.0.min(other)));
        classes.sort_unstable();
        classes.dedup();
        let texts = &merged.values;
        let version = is_version_place(&merged, place) && !texts.open && texts.items.len() >= 2;
        let versions = texts.items.iter().map(|(text, _)| text.to_string());
        let pinned = self.pins.after(&self.steps).parameter.map(str::to_owned);
        let mut wildcard = Wildcard::around_of(around);
        for (index, further) in wildcard.further.iter_mut().enumerate() {
            further.classes = classes_of_part(values, index + 1);
        }
        self.steps.push(Step::Wildcard(Wildcard {
            pinned,
            echoed: names::echoed(&merged),
            identifies: names::identifies(&merged, &classes, self.ids)
                || values.iter().any(|entry| self.ids.of(entry.hash).any(|id| id.strong)),
            classes,
            version,
            values: if version { versions.collect() } else { Vec::new() },
            ..wildcard
        }));
        self.node(
            &merged,
            Place { depth: place.depth + 1, root: false, word: place.word, below_parameter: true },
        );
        self.steps.pop();
    }
}

/// Class codes of what stood at one part of segments that have several.
fn classes_of_part(values: &[&Entry<Node>], part: usize) -> Vec<u64> {
    let parts = values.iter().filter_map(|entry| trie::parts(&entry.name));
    let classes = parts.filter_map(|(classes, _)| classes.get(part).copied());
    let codes = classes.map(|class| trie::class_code(SegmentClass::Data(class)));
    codes.collect::<BTreeSet<u64>>().into_iter().collect()
}

/// Numbers and dates near the root with static children below them are versions of the API.
fn is_version_place(node: &Node, place: Place) -> bool {
    const STATIC_MIN: usize = 3;
    let fixed = node.children.iter().filter(|entry| entry.value.class.0 < 32).count();
    place.depth < 3 && fixed >= STATIC_MIN
}

/// The only text of a version-like child: then it is a literal.
fn version_text(node: &Node, place: Place) -> Option<&str> {
    match node.values.items.as_slice() {
        [(text, _)] if !node.values.open && is_version_place(node, place) => Some(text),
        _ => None,
    }
}

/// Whether what an operation is about is chosen by its path.
pub(super) fn is_by_identity(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Wildcard(_)))
}

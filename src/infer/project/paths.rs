//! The trie to templates: which segments are literals, which are parameters (`spec/inference.md` 6.4).
//!
//! Owns the decision, top-down, by log-odds per soft child. It can be made anew at any time, since the trie keeps literals
//! apart. Refuses to own names and what is said of an operation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::names;
use super::odds::{Children, Place};
use super::pins::Pins;
use crate::infer::evidence::{Cell, KnownIds, Node};
use crate::infer::monoid::Monoid as _;
use crate::infer::table::Entry;
use crate::infer::trie;

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
    /// Its values are told to be ids.
    pub(super) identifies: bool,
    /// It chooses a version, from these.
    pub(super) version: bool,
    pub(super) values: Vec<String>,
}

impl Wildcard {
    /// Whether a segment, by its text or symbol, has around its data what this parameter has.
    pub(super) fn has_around(&self, segment: &str) -> bool {
        match trie::affixes(segment) {
            Some(around) => around == (&*self.prefix, &*self.suffix),
            None => segment.starts_with(&self.prefix) && segment.ends_with(&self.suffix),
        }
    }
}

/// Everything counted under one template and method.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) steps: Vec<Step>,
    pub(super) method: u16,
    pub(super) cell: Cell,
}

/// All templates of a trie, in no particular order.
pub(super) fn expand(root: &Node, ids: &KnownIds, pins: &Pins) -> Vec<Found> {
    let mut walk = Walk { ids, pins, steps: Vec::new(), found: Vec::new() };
    walk.node(root, Place::default());
    walk.found
}

struct Walk<'a> {
    ids: &'a KnownIds,
    pins: &'a Pins,
    steps: Vec<Step>,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, place: Place) {
        for (method, generations) in &node.cells {
            self.found.push(Found {
                steps: self.steps.clone(),
                method: *method,
                cell: generations.live().into_owned(),
            });
        }
        let children = Children::of(node, self.ids);
        let ahead = self.pins.after(&self.steps);
        let mut values: Vec<&Entry<Node>> = Vec::new();
        for entry in node.children.iter() {
            let is_value = match entry.value.class.0 {
                1 | 2 => false,
                32.. => {
                    if let Some(text) = version_text(&entry.value, place) {
                        self.literal(text, entry, place);
                        continue;
                    }
                    true
                }
                _ => {
                    let pinned = ahead.is_value(&entry.name);
                    pinned.unwrap_or_else(|| children.odds(entry, place) > 0.0)
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

    /// What stands around data makes a template of its own: `{id}` beside `{id}.json`.
    fn wildcards(&mut self, node: &Node, values: &[&Entry<Node>], place: Place) {
        let mut by_affix: BTreeMap<(&str, &str), Vec<&Entry<Node>>> = BTreeMap::new();
        for entry in values {
            let around = trie::affixes(&entry.name).unwrap_or_default();
            by_affix.entry(around).or_default().push(entry);
        }
        let plain = by_affix.remove(&("", "")).unwrap_or_default();
        let crowd: Vec<&Node> = node.crowd().collect();
        self.wildcard(&plain, &crowd, ("", ""), place);
        for (around, values) in by_affix {
            self.wildcard(&values, &[], around, place);
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
        around: (&str, &str),
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
        classes.extend(crowd.iter().map(|crowd| crowd.class.0));
        classes.sort_unstable();
        classes.dedup();
        let texts = &merged.values;
        let version = is_version_place(&merged, place) && !texts.open && texts.items.len() >= 2;
        let versions = texts.items.iter().map(|(text, _)| text.to_string());
        let pinned = self.pins.after(&self.steps).parameter.map(str::to_owned);
        self.steps.push(Step::Wildcard(Wildcard {
            pinned,
            echoed: names::echoed(&merged),
            prefix: around.0.to_owned(),
            suffix: around.1.to_owned(),
            identifies: names::identifies(&merged, &classes, self.ids)
                || values.iter().any(|entry| self.ids.of(entry.hash).any(|id| id.strong)),
            classes,
            version,
            values: if version { versions.collect() } else { Vec::new() },
        }));
        self.node(
            &merged,
            Place { depth: place.depth + 1, root: false, word: place.word, below_parameter: true },
        );
        self.steps.pop();
    }
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

//! What changed in a schema, keyword by keyword, with one label each.
//!
//! Owns the walk over two schemas side by side. Each pair of schemas is walked once per message, at its shortest path. Refuses
//! to own verdicts: what a change means is asked of `inclusion`.

mod composition;
mod objects;
mod scalars;
mod view;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::inclusion::Doubt;
use super::inclusion::book::{Part, Place, each_reference};
use super::inclusion::suspect::Suspect;
use super::labels;
use crate::model::finding::Verdict;
use view::View;

/// Changes named per message.
const NAMED_MAX: usize = 2_000;

/// What the walked schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    RequestBody,
    ResponseBody,
    Parameter,
    Header,
}

impl Subject {
    /// The first words of its labels.
    pub(crate) fn prefix(self, path: &str) -> &'static str {
        match (self, path.is_empty()) {
            (Self::RequestBody, true) => "request-body",
            (Self::RequestBody, false) => "request-property",
            (Self::ResponseBody, true) => "response-body",
            (Self::ResponseBody, false) => "response-property",
            (Self::Parameter, true) => "request-parameter",
            (Self::Parameter, false) => "request-parameter-property",
            (Self::Header, _) => "response-header",
        }
    }

    /// The first words of labels about the whole.
    pub(crate) fn whole(self) -> &'static str {
        self.prefix("")
    }

    pub(crate) fn is_request(self) -> bool {
        matches!(self, Self::RequestBody | Self::Parameter)
    }
}

/// A place and what stands there.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// One named change.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) label: String,
    /// Into the value, `*` for items and `{}` for keys.
    pub(crate) path: String,
    /// The keyword whose value changed.
    pub(crate) keyword: &'static str,
    /// Keywords under which inclusion may speak of it.
    pub(crate) keywords: &'static [&'static str],
    /// The property it is about.
    pub(crate) detail: Option<String>,
    pub(crate) old: Option<Written>,
    pub(crate) new: Option<Written>,
    /// Places of all schemas that hold together, for finding the suspect.
    pub(crate) old_places: Vec<Place>,
    pub(crate) new_places: Vec<Place>,
    /// A verdict that documents alone cannot go below (`spec/contract.md` 6).
    pub(crate) at_least: Option<Verdict>,
    /// The same for the other direction.
    pub(crate) forward_at_least: Option<Verdict>,
}

impl Named {
    /// Whether a suspect speaks of this change; the receiver is the new document or the old one.
    pub(crate) fn explains(&self, suspect: &Suspect, receiver_is_new: bool) -> bool {
        let places = if receiver_is_new { &self.new_places } else { &self.old_places };
        let keyword = self.keywords.contains(&suspect.keyword.as_str());
        let detail = self.detail.is_none() || self.detail == suspect.detail;
        // A branch too many is found on the side that has it, whatever the name says.
        let sided = suspect.doubt == Doubt::Overlap
            || labels::refusing(&self.label).is_none_or(|is_new| is_new == receiver_is_new);
        keyword && detail && sided && (places.contains(&suspect.place) || self.path == suspect.path)
    }

    /// Whether a suspect is about a property that only the receiver declares: what it asks of that name is part of this.
    pub(crate) fn declares(&self, suspect: &Suspect, receiver_is_new: bool) -> bool {
        let is_receivers = self.keyword == "properties"
            && (receiver_is_new && self.old.is_none() || !receiver_is_new && self.new.is_none());
        let below = suspect.path.strip_prefix(&self.path);
        is_receivers && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a suspect stands at or below what changed.
    pub(crate) fn encloses(&self, suspect: &Suspect, receiver_is_new: bool) -> bool {
        let places = if receiver_is_new { &self.new_places } else { &self.old_places };
        let below = |path: &str, base: &str| {
            path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        below(&suspect.path, &self.path) && self.detail.is_none()
            || places.iter().any(|place| {
                place.key == suspect.place.key && below(&suspect.place.pointer, &place.pointer)
            })
    }
}

/// A pair still to be walked.
struct Task<'d> {
    old: Vec<Part<'d>>,
    new: Vec<Part<'d>>,
    path: String,
}

pub(crate) struct Walk<'d> {
    subject: Subject,
    same: &'d BTreeSet<Arc<str>>,
    waiting: VecDeque<Task<'d>>,
    seen: HashSet<(Vec<usize>, Vec<usize>)>,
    found: Vec<Named>,
}

/// Everything that changed between two schemas. `same` holds the definitions that did not change at all.
pub(crate) fn name<'d>(
    subject: Subject,
    old: &Part<'d>,
    new: &Part<'d>,
    same: &'d BTreeSet<Arc<str>>,
) -> Vec<Named> {
    let mut walk =
        Walk { subject, same, waiting: VecDeque::new(), seen: HashSet::new(), found: Vec::new() };
    walk.later(vec![old.clone()], vec![new.clone()], String::new());
    while let Some(task) = walk.waiting.pop_front() {
        if walk.found.len() >= NAMED_MAX {
            break;
        }
        walk.pair(&task);
    }
    walk.found
}

impl<'d> Walk<'d> {
    /// Puts a pair in the queue, unless nothing can have changed in it or it was walked already.
    fn later(&mut self, old: Vec<Part<'d>>, new: Vec<Part<'d>>, path: String) {
        if let ([old], [new]) = (old.as_slice(), new.as_slice())
            && self.is_unchanged(old, new)
        {
            return;
        }
        let ids =
            |parts: &[Part<'d>]| parts.iter().map(|part| part.resolved().identity()).collect();
        if self.seen.insert((ids(&old), ids(&new))) {
            self.waiting.push_back(Task { old, new, path });
        }
    }

    /// Whether two schemas are the same, annotations included.
    fn is_unchanged(&self, old: &Part<'d>, new: &Part<'d>) -> bool {
        let mut same = old.schema == new.schema && old.annotated() == new.annotated();
        if same {
            each_reference(old.schema, &mut |key| same &= self.same.contains(key));
        }
        same
    }

    fn pair(&mut self, task: &Task<'d>) {
        let old = View::of(&task.old);
        let new = View::of(&task.new);
        let pair = Pair { old: &old, new: &new, path: &task.path };
        if old.unions.is_empty() != new.unions.is_empty() {
            self.union_alone(&pair);
            return;
        }
        self.scalars(&pair);
        self.objects(&pair);
        self.arrays(&pair);
        self.compositions(&pair);
    }
}

/// Two schemas, taken together, at one path.
pub(crate) struct Pair<'v, 'd> {
    old: &'v View<'d>,
    new: &'v View<'d>,
    path: &'v str,
}

impl Pair<'_, '_> {
    fn places(&self) -> (Vec<Place>, Vec<Place>) {
        (self.old.places(), self.new.places())
    }
}

/// What a change is called, before it is filled in.
pub(crate) struct Naming {
    label: String,
    keyword: &'static str,
    keywords: &'static [&'static str],
    detail: Option<String>,
    old: Option<Written>,
    new: Option<Written>,
    at_least: Option<Verdict>,
    forward_at_least: Option<Verdict>,
}

impl Naming {
    fn new(label: String, keyword: &'static str, keywords: &'static [&'static str]) -> Self {
        Self {
            label,
            keyword,
            keywords,
            detail: None,
            old: None,
            new: None,
            at_least: None,
            forward_at_least: None,
        }
    }

    fn between(mut self, old: Option<Written>, new: Option<Written>) -> Self {
        self.old = old;
        self.new = new;
        self
    }

    fn about(mut self, name: &str) -> Self {
        self.detail = Some(name.to_owned());
        self
    }

    /// Documents do not say whether old clients depend on what this takes away.
    fn undecided(mut self) -> Self {
        self.at_least = Some(Verdict::PotentiallyBreaking);
        self
    }

    /// The same of new clients and an old server.
    fn undecided_forward(mut self) -> Self {
        self.forward_at_least = Some(Verdict::PotentiallyBreaking);
        self
    }
}

impl Walk<'_> {
    /// Writes down a change at the schemas of the pair.
    fn note(&mut self, pair: &Pair<'_, '_>, path: String, naming: Naming) {
        let (old_places, new_places) = pair.places();
        let Naming { label, keyword, keywords, detail, old, new, .. } = naming;
        self.found.push(Named {
            label,
            path,
            keyword,
            keywords,
            detail,
            old,
            new,
            old_places,
            new_places,
            at_least: naming.at_least,
            forward_at_least: naming.forward_at_least,
        });
    }

    /// A change of the schemas themselves: `<site>-<stem>`.
    fn note_here(&mut self, pair: &Pair<'_, '_>, stem: &str, naming: Naming) {
        let label = format!("{}-{stem}", self.subject.prefix(pair.path));
        self.note(pair, pair.path.to_owned(), Naming { label, ..naming });
    }
}

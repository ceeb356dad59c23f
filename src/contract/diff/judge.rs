//! One message of the old document against one of the new: every named change with its verdict.
//!
//! Owns joining names (`naming`) and proofs (`inclusion`): a change is breaking when a confirmed witness speaks of it,
//! undecided when a suspect does, and proven harmless when nothing does. Results are remembered per pair of schemas.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::super::algebra::Algebra;
use super::super::specification::{SchemaRef, Side, Specification};
use super::change::Fragment;
use super::inclusion::book::{Book, Judges};
use super::inclusion::{Alternatives, Comparer, End, Inclusion, Proven, prove};
use super::labels::Labels;
use super::naming::{self, Named, Subject, Written};
use crate::model::finding::Verdict;

/// A change inside a message, before it is put at an operation.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) label: String,
    pub(crate) path: String,
    pub(crate) keyword: String,
    /// The old value of the keyword, which the fingerprint holds.
    pub(crate) expected: Value,
    pub(crate) verdict: Verdict,
    pub(crate) forward: Verdict,
    pub(crate) old: Option<Fragment>,
    pub(crate) new: Option<Fragment>,
    pub(crate) witness: Option<Arc<Value>>,
    pub(crate) reason: Option<String>,
}

/// The schemas of one document, for both directions.
pub(crate) struct Volume {
    request: Book,
    response: Book,
}

impl Volume {
    pub(crate) fn new(specification: &Specification) -> Self {
        let judges = Judges::default();
        Self {
            request: Book::new(specification, Side::Request, &judges),
            response: Book::new(specification, Side::Response, &judges),
        }
    }

    fn book(&self, subject: Subject) -> &Book {
        if subject.is_request() { &self.request } else { &self.response }
    }
}

/// Definitions that both documents share, per direction.
pub(crate) struct Shared {
    common: [BTreeSet<Arc<str>>; 2],
    identical: [BTreeSet<Arc<str>>; 2],
}

impl Shared {
    pub(crate) fn new(old: &Volume, new: &Volume) -> Self {
        Self {
            common: [old.request.common(&new.request), old.response.common(&new.response)],
            identical: [old.request.identical(&new.request), old.response.identical(&new.response)],
        }
    }
}

/// How the values of a message are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Spelling {
    /// As JSON, where a number is no text.
    Json,
    /// Some of it as text: the parts of a multipart body.
    Mixed,
    /// As text: parameters, headers, urlencoded forms.
    Text,
}

type Memory = HashMap<(Subject, Spelling, Arc<str>, Arc<str>), Rc<Vec<Judged>>>;

/// Judges messages.
pub(crate) struct Desk<'d> {
    old: &'d Volume,
    new: &'d Volume,
    shared: &'d Shared,
    /// For requests and responses; those behind them for what is written as text.
    comparers: [RefCell<Comparer<'d>>; 4],
    known: RefCell<Memory>,
    labels: &'d Labels,
    notes: RefCell<Vec<String>>,
}

impl<'d> Desk<'d> {
    pub(crate) fn new(
        old: &'d Volume,
        new: &'d Volume,
        shared: &'d Shared,
        (algebra, alternatives): (&'d Algebra, &'d Alternatives<'d>),
        labels: &'d Labels,
    ) -> Self {
        let of = |side: usize| Comparer::new(algebra, alternatives, &shared.common[side]);
        Self {
            old,
            new,
            shared,
            comparers: [of(0), of(1), of(0).on_the_wire(), of(1).on_the_wire()].map(RefCell::new),
            known: RefCell::default(),
            labels,
            notes: RefCell::default(),
        }
    }

    /// Proofs that a generated value overruled.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// Changes between two schemas of one subject.
    pub(crate) fn message(
        &self,
        (subject, spelling): (Subject, Spelling),
        old: &'d SchemaRef,
        new: &'d SchemaRef,
    ) -> Rc<Vec<Judged>> {
        let slot = (subject, spelling, Arc::from(old.key()), Arc::from(new.key()));
        if let Some(known) = self.known.borrow().get(&slot) {
            return known.clone();
        }
        let judged = self.judge((subject, spelling), old, new).unwrap_or_default();
        let judged = Rc::new(judged);
        self.known.borrow_mut().insert(slot, judged.clone());
        judged
    }

    fn judge(
        &self,
        (subject, spelling): (Subject, Spelling),
        old: &'d SchemaRef,
        new: &'d SchemaRef,
    ) -> Option<Vec<Judged>> {
        let index = usize::from(!subject.is_request());
        let (old_book, new_book) = (self.old.book(subject), self.new.book(subject));
        let (before, after) = (old_book.root(old)?, new_book.root(new)?);
        let identical = &self.shared.identical[index];
        if old.key() == new.key() && identical.contains(old.key()) {
            return None;
        }
        let mut named = naming::name(subject, &before, &after, identical);
        named.retain(|named| self.labels.contains_key(&named.label));
        let behind = if spelling == Spelling::Text { 2 } else { 0 };
        let mut comparer = self.comparers[index + behind].borrow_mut();
        let (old_end, new_end) =
            (End { book: old_book, schema: old }, End { book: new_book, schema: new });
        let wire = spelling != Spelling::Json;
        let onward = prove(&mut comparer, old_end, new_end, wire);
        let back = prove(&mut comparer, new_end, old_end, wire);
        let is_changed = !comparer.is_equal(&before, &after);
        for (proof, way) in [(&onward, "onward"), (&back, "back")] {
            if let Some(witness) = &proof.contradiction {
                let (old, new) = (old_book.written(&before.place), new_book.written(&after.place));
                let note = format!("{old} and {new}: a proof ({way}) was overruled by {witness}");
                self.notes.borrow_mut().push(note);
            }
        }
        let case = Case { subject, books: (old_book, new_book), onward, back };
        Some(case.settle(&named, is_changed))
    }
}

/// Names and proofs of one message.
struct Case<'d> {
    subject: Subject,
    books: (&'d Book, &'d Book),
    /// Is what the old document allows accepted by the new one?
    onward: Inclusion,
    back: Inclusion,
}

impl Case<'_> {
    fn settle(&self, named: &[Named], is_changed: bool) -> Vec<Judged> {
        let (harm, forward) = self.directions();
        let settled = harm.is_proven() && forward.is_proven();
        let harmless = |named: &Named| named.at_least.is_none() && named.forward_at_least.is_none();
        if settled && named.iter().all(harmless) && named.iter().all(|one| !is_annotation(one)) {
            return if is_changed { vec![self.whole("refactored", harm)] } else { Vec::new() };
        }
        let (mut harm_told, mut forward_told) = (BTreeSet::new(), BTreeSet::new());
        let mut found: Vec<Judged> = named
            .iter()
            .map(|named| {
                let told = self.told(named, harm, self.subject.is_request(), &mut harm_told);
                let (forward, _) =
                    self.told(named, forward, !self.subject.is_request(), &mut forward_told);
                self.judged(named, told, forward)
            })
            .collect();
        let rest = self.rest(harm, &harm_told, !named.is_empty());
        if rest.is_empty() && forward_told.len() < forward.suspects.len() {
            // What only new clients meet.
            let step = if self.subject.is_request() { "widened" } else { "narrowed" };
            found.push(self.whole(step, &Inclusion::default()));
        }
        found.extend(rest);
        found
    }

    /// The inclusion that hurts when it fails, and the one of the other direction.
    fn directions(&self) -> (&Inclusion, &Inclusion) {
        if self.subject.is_request() {
            (&self.onward, &self.back)
        } else {
            (&self.back, &self.onward)
        }
    }

    /// The verdict that the suspects give a change, with the proof that speaks of it.
    fn told<'i>(
        &self,
        named: &Named,
        inclusion: &'i Inclusion,
        receiver_is_new: bool,
        told: &mut BTreeSet<usize>,
    ) -> (Verdict, Option<&'i Proven>) {
        let mut verdict = Verdict::Compatible;
        let mut speaker: Option<&Proven> = None;
        let exact = |proven: &Proven| named.explains(&proven.suspect, receiver_is_new);
        let near = |proven: &Proven| {
            is_whole(named) && named.encloses(&proven.suspect, receiver_is_new)
                || named.declares(&proven.suspect, receiver_is_new)
        };
        for (index, proven) in inclusion.suspects.iter().enumerate() {
            if !exact(proven) && !near(proven) {
                continue;
            }
            told.insert(index);
            let own = match proven.witness {
                Some(_) => Verdict::Breaking,
                None => Verdict::PotentiallyBreaking,
            };
            if own > verdict {
                verdict = own;
                speaker = Some(proven);
            }
        }
        (verdict, speaker)
    }

    fn judged(&self, named: &Named, told: (Verdict, Option<&Proven>), forward: Verdict) -> Judged {
        let (verdict, speaker) = told;
        let least = named.at_least.unwrap_or(Verdict::Cosmetic);
        let reason = match speaker {
            Some(proven) if proven.witness.is_none() => {
                Some(proven.suspect.doubt.sentence().to_owned())
            }
            None if least > verdict => Some("documents do not say who depends on it".to_owned()),
            _ => None,
        };
        let (old, new) = (&named.old, &named.new);
        let expected = match named.keyword {
            "required" => Value::from(named.detail.clone().unwrap_or_default()),
            _ => old.as_ref().map_or(Value::Null, |written| written.value.clone()),
        };
        Judged {
            label: named.label.clone(),
            path: named.path.clone(),
            keyword: named.keyword.to_owned(),
            expected,
            verdict: verdict.max(least),
            forward: forward.max(named.forward_at_least.unwrap_or(Verdict::Cosmetic)),
            old: old.as_ref().map(|written| shown(self.books.0, written)),
            new: new.as_ref().map(|written| shown(self.books.1, written)),
            witness: speaker.and_then(|proven| proven.witness.clone()),
            reason,
        }
    }

    /// What no name accounts for.
    fn rest(&self, harm: &Inclusion, told: &BTreeSet<usize>, has_names: bool) -> Vec<Judged> {
        let untold = |proven: &&Proven| {
            let index = harm.suspects.iter().position(|other| std::ptr::eq(other, *proven));
            index.is_none_or(|index| !told.contains(&index))
        };
        let changed = if self.subject.is_request() { "narrowed" } else { "widened" };
        let mut found = Vec::new();
        let rest: Vec<&Proven> = harm.suspects.iter().filter(untold).collect();
        if let Some(proven) = rest.iter().find(|proven| proven.witness.is_some()) {
            found.push(self.blamed(changed, Verdict::Breaking, proven));
        } else if harm.contradiction.is_some() {
            let mut whole = self.whole(changed, harm);
            whole.verdict = Verdict::Breaking;
            whole.witness.clone_from(&harm.contradiction);
            found.push(whole);
        } else if let Some(proven) = rest.first() {
            found.push(self.blamed("undecided", Verdict::PotentiallyBreaking, proven));
        } else if !has_names && harm.is_proven() {
            let other = if self.subject.is_request() { "widened" } else { "narrowed" };
            let mut whole = self.whole(other, harm);
            whole.verdict = Verdict::Compatible;
            found.push(whole);
        }
        found
    }

    /// A change of the whole, with the suspect that stands for it.
    fn blamed(&self, step: &str, verdict: Verdict, proven: &Proven) -> Judged {
        let receiver = if self.subject.is_request() { self.books.1 } else { self.books.0 };
        let at = Fragment {
            pointer: receiver.written(&proven.suspect.place),
            position: None,
            value: Value::Null,
        };
        let (old, new) =
            if self.subject.is_request() { (None, Some(at)) } else { (Some(at), None) };
        let reason = proven.witness.is_none().then(|| proven.suspect.doubt.sentence().to_owned());
        Judged {
            path: proven.suspect.path.clone(),
            keyword: proven.suspect.keyword.clone(),
            verdict,
            witness: proven.witness.clone(),
            reason,
            old,
            new,
            ..self.whole(step, &Inclusion::default())
        }
    }

    fn whole(&self, step: &str, harm: &Inclusion) -> Judged {
        let forward = match self.directions().1 {
            forward if forward.is_proven() => Verdict::Compatible,
            forward if forward.witness().is_some() => Verdict::Breaking,
            _ => Verdict::PotentiallyBreaking,
        };
        let cosmetic = step == "refactored";
        Judged {
            label: format!("{}-{step}", self.subject.whole()),
            path: String::new(),
            keyword: String::new(),
            expected: Value::Null,
            verdict: if cosmetic { Verdict::Cosmetic } else { Verdict::Compatible },
            forward: if cosmetic { Verdict::Cosmetic } else { forward },
            old: None,
            new: None,
            witness: harm.witness().cloned(),
            reason: None,
        }
    }
}

/// Whether a change is told even though both documents allow the same.
fn is_annotation(named: &Named) -> bool {
    named.keywords.is_empty() && !is_whole(named)
        || matches!(named.keyword, "readOnly" | "writeOnly" | "properties")
}

/// Whether a change is about all that stands below it.
fn is_whole(named: &Named) -> bool {
    named.keywords.is_empty() && matches!(named.keyword, "oneOf" | "anyOf")
}

fn shown(book: &Book, written: &Written) -> Fragment {
    Fragment { pointer: book.written(&written.place), position: None, value: written.value.clone() }
}

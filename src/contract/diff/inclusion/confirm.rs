//! Suspects into verdicts: a counterexample counts when both validators of the whole message confirm it.
//!
//! Owns the last two steps of the ladder: lifting with verified witnesses, and the cross-check of what was proven.

use std::sync::Arc;

use serde_json::Value;

use super::super::super::algebra::Algebra;
use super::super::super::specification::SchemaRef;
use super::book::{Book, Part};
use super::closed::keeps_to_names;
use super::compare::Comparer;
use super::suspect::{Candidate, Doubt, Suspect};
use super::wire;

/// Candidates asked of the validators per message.
const ATTEMPTS_MAX: usize = 400;

/// Generated values that check an inclusion which was proven.
const CHECKS: usize = 32;

/// A suspect and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) suspect: Suspect,
    /// A whole message that the sender's schema accepts and the receiver's refuses.
    pub(crate) witness: Option<Arc<Value>>,
}

/// Whether all that one side sends is accepted by the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inclusion {
    /// Empty: proven included.
    pub(crate) suspects: Vec<Proven>,
    /// A witness found only when what was proven was checked: the proof is overruled.
    pub(crate) contradiction: Option<Arc<Value>>,
}

impl Inclusion {
    pub(crate) fn is_proven(&self) -> bool {
        self.suspects.is_empty() && self.contradiction.is_none()
    }

    /// Any witness.
    pub(crate) fn witness(&self) -> Option<&Arc<Value>> {
        let found = self.suspects.iter().find_map(|proven| proven.witness.as_ref());
        found.or(self.contradiction.as_ref())
    }
}

/// One end: its book and the schema of the message.
#[derive(Clone, Copy)]
pub(crate) struct End<'d> {
    pub(crate) book: &'d Book,
    pub(crate) schema: &'d SchemaRef,
}

impl<'d> End<'d> {
    fn accepts(self, value: &Value) -> Option<bool> {
        self.book.accepts(self.schema, value)
    }

    fn part(self) -> Option<Part<'d>> {
        self.book.root(self.schema)
    }
}

/// Asks whether everything that `sender` accepts with the names it declares is accepted by `receiver`.
/// With `wire` the values travel as text, so that a value counts as refused only if no reading of its text is accepted.
pub(crate) fn prove<'d>(
    comparer: &mut Comparer<'d>,
    sender: End<'d>,
    receiver: End<'d>,
    wire: bool,
) -> Inclusion {
    let (Some(from), Some(to)) = (sender.part(), receiver.part()) else {
        return Inclusion::default();
    };
    comparer.refill();
    let found = comparer.compare(std::slice::from_ref(&from), std::slice::from_ref(&to));
    let judge =
        Judge { ends: (sender, receiver), parts: (&from, &to), algebra: comparer.algebra, wire };
    let mut attempts = ATTEMPTS_MAX;
    let mut suspects: Vec<Proven> = found
        .iter()
        .map(|suspect| {
            let tried = suspect.candidates.iter().take(attempts).map(Candidate::value);
            let proven = judge.proven(suspect, tried);
            attempts = attempts.saturating_sub(suspect.candidates.len());
            proven
        })
        .collect();
    let doubt = |doubt: Doubt| Proven {
        suspect: Suspect::new(to.place.clone(), "", Vec::new()).because(doubt),
        witness: None,
    };
    if comparer.is_unsure() {
        suspects.push(doubt(Doubt::OverBudget));
    }
    let mut contradiction = None;
    if suspects.is_empty() && !comparer.is_equal(&from, &to) {
        let values = comparer.sampler().spread(std::slice::from_ref(&from), CHECKS);
        for value in values {
            match judge.told(&value) {
                Told::Refused => contradiction = Some(Arc::new(value)),
                Told::Ambiguous => suspects.push(doubt(Doubt::Overlap)),
                Told::Nothing => continue,
            }
            break;
        }
    }
    Inclusion { suspects, contradiction }
}

/// Asks both validators about values.
struct Judge<'j, 'd> {
    ends: (End<'d>, End<'d>),
    parts: (&'j Part<'d>, &'j Part<'d>),
    algebra: &'d Algebra,
    wire: bool,
}

/// What a value says of an inclusion.
enum Told {
    Nothing,
    /// The receiver refuses it, though only because several branches of a `oneOf` accept it.
    Ambiguous,
    Refused,
}

impl Judge<'_, '_> {
    fn proven(&self, suspect: &Suspect, tried: impl Iterator<Item = Value>) -> Proven {
        let mut suspect = suspect.clone();
        for value in tried {
            match self.told(&value) {
                Told::Refused => return Proven { suspect, witness: Some(Arc::new(value)) },
                Told::Ambiguous => suspect.doubt = Doubt::Overlap,
                Told::Nothing => {}
            }
        }
        Proven { suspect, witness: None }
    }

    fn told(&self, value: &Value) -> Told {
        let (sender, receiver) = self.ends;
        if sender.accepts(value) != Some(true) || receiver.accepts(value) != Some(false) {
            return Told::Nothing;
        }
        let from = std::slice::from_ref(self.parts.0);
        if self.wire && self.is_read(value) || !keeps_to_names(self.algebra, from, value) {
            return Told::Nothing;
        }
        match receiver.book.tolerates(receiver.schema, value) {
            Some(false) => Told::Refused,
            _ => Told::Ambiguous,
        }
    }

    /// Whether the receiver accepts some reading of the text that the value is written as.
    fn is_read(&self, value: &Value) -> bool {
        let coerced = wire::coerced(std::slice::from_ref(self.parts.1), value, 0);
        let mut readings = wire::readings(value).into_iter().chain([coerced]);
        // A null is not written at all.
        value.is_null() || readings.any(|read| self.ends.1.accepts(&read) == Some(true))
    }
}

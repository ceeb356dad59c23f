//! Suspects into verdicts: a counterexample counts when both validators of the whole message confirm it.
//!
//! Owns the last two steps of the ladder: lifting with verified witnesses, and the cross-check of what was proven.

use std::sync::Arc;

use serde_json::Value;

use super::super::super::specification::SchemaRef;
use super::book::{Book, Part};
use super::compare::Comparer;
use super::sample::Sampler;
use super::suspect::{Candidate, Doubt, Suspect};

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
    if wire && takes_any_text(&to) {
        return Inclusion::default();
    }
    comparer.refill();
    let found = comparer.compare(std::slice::from_ref(&from), std::slice::from_ref(&to));
    let refuted = |value: &Value| {
        sender.accepts(value) == Some(true)
            && receiver.accepts(value) == Some(false)
            && (!wire || !readings(value).iter().any(|read| receiver.accepts(read) == Some(true)))
    };
    let mut attempts = ATTEMPTS_MAX;
    let mut suspects = Vec::new();
    for suspect in found.iter() {
        let tried = suspect.candidates.iter().take(attempts).map(Candidate::value);
        let witness = tried.into_iter().find(|value| refuted(value)).map(Arc::new);
        attempts = attempts.saturating_sub(suspect.candidates.len());
        suspects.push(Proven { suspect: suspect.clone(), witness });
    }
    if comparer.is_unsure() {
        let suspect = Suspect::new(to.place.clone(), "", Vec::new()).because(Doubt::OverBudget);
        suspects.push(Proven { suspect, witness: None });
    }
    let contradiction = if suspects.is_empty() && !comparer.is_equal(&from, &to) {
        let sampler = Sampler::new(comparer.algebra);
        let values = sampler.spread(std::slice::from_ref(&from), CHECKS);
        values.into_iter().find(refuted).map(Arc::new)
    } else {
        None
    };
    Inclusion { suspects, contradiction }
}

/// Whether a schema asks for a text and nothing else of it: whatever travels as text is one.
fn takes_any_text(part: &Part<'_>) -> bool {
    let resolved = part.resolved();
    resolved.get("type").and_then(Value::as_str) == Some("string")
        && resolved.schema.as_object().is_some_and(|members| members.len() == 1)
}

/// What a value could be read as after it travelled as text.
fn readings(value: &Value) -> Vec<Value> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        _ => None,
    };
    let mut found = Vec::new();
    match value {
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            if let Some(texts) = texts {
                found.push(Value::String(texts.join(",")));
                found.push(texts.iter().map(|text| Value::String(text.clone())).collect());
            }
            if let [only] = items.as_slice() {
                found.push(only.clone());
                found.extend(readings(only));
            }
        }
        scalar => {
            if let Some(text) = text(scalar) {
                let read = crate::model::document::plain(&text);
                found.extend([Value::Array(vec![read.clone()]), read]);
                found.push(Value::Array(vec![Value::String(text.clone())]));
                found.push(Value::String(text));
            }
        }
    }
    found
}

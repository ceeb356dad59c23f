//! What judging one exchange against a baseline says.
//!
//! Owns the words of the answer. Refuses to own how it is found (`check`) and what becomes of it (`drift`).

use std::sync::Arc;

use serde_json::Value;
use smallvec::SmallVec;

use crate::model::finding::{Direction, Location, Severity, Verdict};
use crate::model::kind::Kind;

use super::proof::Proof;
use super::slot::Slot;

/// The result of judging one exchange.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Why it was not judged at all.
    pub skipped: Option<Skip>,
    /// Index into `Specification::operations`; none where no operation is documented.
    pub operation: Option<usize>,
    pub method: Arc<str>,
    /// As documented, or the path with ids replaced by `{}`.
    pub template: Arc<str>,
    /// Index into `Operation::responses`.
    pub response: Option<usize>,
    /// Whether the request keeps the contract.
    pub request: Validity,
    /// Whether the response does.
    pub reply: Validity,
    /// What the answer says about the request.
    pub effect: Effect,
    /// Grouped: at most one per kind and place.
    pub deviations: Vec<Deviation>,
    /// What drift counts besides.
    pub(super) tally: Tally,
}

impl Judgement {
    /// The operation of a request that keeps the contract and was refused as if it did not: what that would mean if it went
    /// on. One refusal alone proves nothing.
    #[must_use]
    pub fn refusal(&self) -> Option<&Deviation> {
        self.tally.refusal.as_ref()
    }
}

/// What counting needs to know of an exchange; dropped with the judgement.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// The parts of the contract that the exchange was an opportunity to deviate from.
    pub(super) slots: SmallVec<[Slot; 5]>,
    /// Redacted bodies, to tell whether the parent of a field was there.
    pub(super) request: Seen,
    pub(super) response: Seen,
    /// Hash of what makes two exchanges the same.
    pub(super) payload: u64,
    /// Hash of the form of the request, without its values.
    pub(super) request_shape: u64,
    /// What to raise if a valid request of this form is refused often enough.
    pub(super) refusal: Option<Deviation>,
    /// What is known of the answer's body: which optional fields could have been there and were.
    pub(super) fields: Option<Arc<Proof>>,
    /// Which of the documented contents of the answer its body is.
    pub(super) content: Option<usize>,
    /// Hash of the form of an answer that says there is no such operation.
    pub(super) answer: Option<u64>,
}

/// A body as far as counting needs it.
#[derive(Debug, Clone, Default)]
pub(super) enum Seen {
    /// There is none, or it cannot be read as a value.
    #[default]
    Nothing,
    Value(Value),
    /// Its shape was known, so that nobody read it.
    Unread,
    /// The same of a form, which is an object of scalars.
    Scalars,
}

impl Seen {
    /// The value, if it was read.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Unread | Self::Scalars => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// A verified request of our own contract tests.
    OwnTest,
    /// A CORS pre-flight.
    Preflight,
    /// The exchange did not complete.
    Incomplete,
}

/// Whether a message keeps the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Validity {
    #[default]
    Valid,
    Invalid,
    /// Could not be judged; never a finding.
    Unvalidatable(Reason),
}

/// Why something could not be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    Truncated,
    /// Over 1 MiB.
    TooLarge,
    /// Nested over 128.
    TooDeep,
    /// Unknown or broken coding, or never kept.
    Undecodable,
    /// An endless body: events, lines.
    Streaming,
    Binary,
    /// A pattern ran out of its steps.
    Regex,
    /// The schema could not be compiled.
    Schema,
    /// Listing what is wrong would take too long.
    TooComplex,
    /// A text that several documented types could have produced.
    Ambiguous,
    /// A panic was caught.
    Panic,
    /// Too much had to be judged in full.
    Skipped,
}

impl Reason {
    pub const ALL: &'static [Self] = &[
        Self::Truncated,
        Self::TooLarge,
        Self::TooDeep,
        Self::Undecodable,
        Self::Streaming,
        Self::Binary,
        Self::Regex,
        Self::Schema,
        Self::TooComplex,
        Self::Ambiguous,
        Self::Panic,
        Self::Skipped,
    ];

    /// As metrics label it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::Undecodable => "undecodable",
            Self::Streaming => "streaming",
            Self::Binary => "binary",
            Self::Regex => "regex",
            Self::Schema => "schema",
            Self::TooComplex => "too_complex",
            Self::Ambiguous => "ambiguous",
            Self::Panic => "panic",
            Self::Skipped => "skipped",
        }
    }
}

/// What the answer means for the request (the outcome oracle of `spec/contract.md` 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effect {
    /// 2xx, 3xx: the server took it.
    Accepted,
    /// A valid request refused by 400, 415 or 422: the server is stricter than the contract.
    Refused,
    /// An invalid request refused: the contract is enforced.
    Confirmed,
    /// Authentication, state, load, failure: nothing is said about the request.
    #[default]
    Silent,
}

/// One deviation from the baseline in one exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    pub kind: Kind,
    pub direction: Direction,
    pub severity: Severity,
    pub verdict: Verdict,
    pub location: Location,
    /// What the contract says there; never a value from traffic.
    pub expected: Value,
    /// The shape of what was seen; never a value from traffic.
    pub observed: Value,
    /// `spec/contract.md` 8.
    pub fingerprint: String,
    /// On a learned baseline: from how many opportunities the violated fact was learned.
    pub prior: Option<u64>,
    /// Where opportunities for it are counted.
    pub(super) slot: Slot,
}

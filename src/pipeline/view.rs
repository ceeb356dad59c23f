//! What the pipeline shows of itself: plain snapshots, made when asked for.

use std::sync::Arc;

use crate::infer::{Dialect, View};
use crate::model::revision::{Origin, RevisionId};

/// One API as it stands.
#[derive(Debug, Clone)]
pub struct ApiView {
    pub name: Arc<str>,
    pub exchanges: Counts,
    /// Operations stated by the strict view, and seen too seldom for it.
    pub operations: usize,
    pub unproven: usize,
    pub baseline: BaselineView,
    /// Open findings from `info` to `critical`.
    pub findings: [usize; 5],
    pub last_seen_ms: i64,
    /// Exchanges left out of learning, by reason.
    pub left_out: Vec<(&'static str, u64)>,
}

/// Exchanges of one API since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken from the queue.
    pub seen: u64,
    /// Folded into evidence.
    pub learned: u64,
    /// Judged against a baseline.
    pub judged: u64,
    /// Of our own contract tests: neither learned nor judged.
    pub own_tests: u64,
    /// Not a whole, successful exchange (aborted, tunnel, generated answer).
    pub unfit: u64,
    /// Head or body that could not be read.
    pub unreadable: u64,
}

/// What an API is held to, and how far it is from there.
#[derive(Debug, Clone)]
pub struct BaselineView {
    pub state: BaselineState,
    pub revision: Option<RevisionId>,
    pub origin: Option<Origin>,
    pub since_ms: i64,
}

/// `spec/contract.md` 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineState {
    Predefined,
    Learning,
    /// Learning, and settled enough to be frozen.
    Candidate,
    Frozen,
}

impl BaselineState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Predefined => "predefined",
            Self::Learning => "learning",
            Self::Candidate => "candidate",
            Self::Frozen => "frozen",
        }
    }
}

/// Which document of an API is wanted.
#[derive(Debug, Clone)]
pub struct Question {
    pub which: Which,
    pub dialect: Dialect,
    pub view: View,
    pub extensions: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Projected now from what was learned.
    Current,
    /// The newest learned revision, as kept.
    Newest,
    Baseline,
    /// A kept revision, by its id or at least six of its first digits.
    Revision(String),
}

/// A document with the id of its content.
#[derive(Debug, Clone)]
pub struct Answer {
    pub revision: RevisionId,
    pub origin: Origin,
    pub body: AnswerBody,
}

#[derive(Debug, Clone)]
pub enum AnswerBody {
    /// Projected: still a tree, to be written as YAML or JSON.
    Tree(serde_json::Value),
    /// Kept: the text as it was written.
    Text(Arc<str>),
}

/// One operation of an API: learned, documented or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationView {
    pub id: String,
    pub method: String,
    pub template: String,
    pub learned: bool,
    pub documented: bool,
    /// Accepted exchanges counted.
    pub n: u64,
    /// Response keys.
    pub statuses: Vec<String>,
}

/// What a freeze made.
#[derive(Debug, Clone)]
pub struct Frozen {
    pub revision: RevisionId,
    pub operations: usize,
    /// Operations that are not baseline-ready and were frozen all the same.
    pub forced: Vec<String>,
}

/// What a promotion made.
#[derive(Debug, Clone)]
pub struct Promoted {
    pub revision: RevisionId,
    /// Fingerprints of the findings that it explains.
    pub explained: Vec<String>,
    /// What changed of the baseline before, RFC 6902.
    pub patch: Vec<serde_json::Value>,
}

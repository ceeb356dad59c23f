//! Findings: one deviation from the baseline, counted and judged (`spec/contract.md` 8).
//!
//! Owns the record and its closed sets. Refuses to own thresholds and the life cycle (`contract::drift`, `contract::finding`).

use std::sync::Arc;

use serde_json::Value;

use super::kind::Kind;
use super::revision::{Origin, RevisionId};

/// How bad, for people and policies; ordered from `Info` to `Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const ALL: &'static [Self] =
        &[Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == text)
    }

    /// One step milder; `Info` stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Info => Self::Info,
        }
    }
}

/// Which way the deviating message went; structural findings concern neither body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    Request,
    Response,
    Structure,
}

impl Direction {
    pub const ALL: &'static [Self] = &[Self::Request, Self::Response, Self::Structure];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|direction| direction.as_str() == text)
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Structure => "structure",
        }
    }
}

/// What a deviation means for clients that rely on the contract (`spec/contract.md` 6): a statement about documents and
/// traffic that no policy moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// No set of values differs.
    Cosmetic,
    /// Proven harmless.
    Compatible,
    /// Neither proven.
    PotentiallyBreaking,
    /// Harm is proven.
    Breaking,
}

impl Verdict {
    pub const ALL: &'static [Self] =
        &[Self::Cosmetic, Self::Compatible, Self::PotentiallyBreaking, Self::Breaking];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Compatible => "compatible",
            Self::PotentiallyBreaking => "potentially-breaking",
            Self::Breaking => "breaking",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.as_str() == text)
    }
}

/// Where a finding is in its life (`spec/contract.md` 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingState {
    Candidate,
    Open,
    Acknowledged,
    Muted,
    Accepted,
    Rejected,
    Resolved,
}

impl FindingState {
    pub const ALL: &'static [Self] = &[
        Self::Candidate,
        Self::Open,
        Self::Acknowledged,
        Self::Muted,
        Self::Accepted,
        Self::Rejected,
        Self::Resolved,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Muted => "muted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Resolved => "resolved",
        }
    }

    /// Whether nothing is left to be done about it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Accepted | Self::Resolved)
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// Where the baseline is left: response status and media type as documented, a generalised pointer, the violated keyword.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Documented response key, or the exact status for `status.*`; empty for requests and structure.
    pub status: String,
    pub media_type: String,
    /// JSON pointer with `*` for array indices and `{}` for map keys; for parameters `in/name`.
    pub pointer: String,
    pub keyword: String,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Opportunities: the parent was present.
    pub n: u64,
    /// Occurrences.
    pub k: u64,
    /// Distinct five-minute windows with an occurrence.
    pub windows: u32,
    /// Distinct consumers with an occurrence, estimated.
    pub consumers: u32,
}

/// One deviation. Equal deviations are one finding, told by `fingerprint`.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// 32 hexadecimal digits, equal for drift, diff and contract tests at one place.
    pub fingerprint: String,
    pub api: Arc<str>,
    /// Version of the API it was judged as; empty for the only one.
    pub version: String,
    pub kind: Kind,
    /// Nearest label of the specification diff.
    pub label: String,
    pub state: FindingState,
    pub verdict: Verdict,
    pub severity: Severity,
    /// 0-1: how sure (`spec/contract.md` 5).
    pub confidence: f64,
    pub direction: Direction,
    pub method: String,
    pub template: String,
    pub location: Location,
    /// Shapes, never values.
    pub expected: Value,
    pub observed: Value,
    pub statistics: Statistics,
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    pub spec_revision: RevisionId,
    pub spec_origin: Origin,
    /// Learned revision that holds what was seen.
    pub event_specification: Option<RevisionId>,
    pub reopened: u32,
}

//! Findings: their wire form, and the way from the record of the model to it.
//!
//! Owns the id that the API calls a finding by. Refuses values: expected and seen are shapes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Time;
use crate::model::finding as model;
use crate::model::id;

/// One deviation from the baseline.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Finding {
    /// `fnd_` and 26 characters.
    pub id: String,
    pub fingerprint: String,
    pub api: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Such as `field.required-missing`.
    pub kind: &'static str,
    /// The nearest label of a specification diff.
    pub label: String,
    pub state: FindingState,
    /// breaking, potentially-breaking, compatible or cosmetic.
    pub verdict: &'static str,
    pub severity: Severity,
    /// How sure, 0-1.
    pub confidence: f64,
    /// request, response or structure.
    pub direction: &'static str,
    pub operation: OperationName,
    pub location: Location,
    /// A shape, never values.
    pub expected: Value,
    /// A shape, never values.
    pub observed: Value,
    pub statistics: Statistics,
    pub first_seen: Time,
    pub last_seen: Time,
    pub message: String,
    pub remedy: String,
    /// The baseline it was judged with.
    pub spec_revision: String,
    pub spec_origin: &'static str,
    /// The learned revision that holds what was seen.
    pub event_specification: Option<String>,
    pub reopened: u32,
}

/// `METHOD template`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OperationName {
    pub method: String,
    pub path: String,
}

/// Where the baseline is left.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Location {
    pub status: String,
    pub media_type: String,
    pub pointer: String,
    pub keyword: String,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Statistics {
    /// Opportunities.
    pub n: u64,
    /// Occurrences.
    pub k: u64,
    /// k / n.
    pub rate: f64,
    /// Distinct five-minute windows.
    pub windows: u32,
    /// Distinct consumers, estimated.
    pub consumers: u32,
}

/// Declares an enum of the wire with the names of a closed set of the model, and both conversions.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident of $model:path { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl From<$model> for $name {
            fn from(model: $model) -> Self {
                match model { $(<$model>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $model {
            fn from(name: $name) -> Self {
                match name { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(super) use mirror;

mirror! {
    /// Where a finding is in its life.
    FindingState of model::FindingState {
        Candidate, Open, Acknowledged, Muted, Accepted, Rejected, Resolved,
    }
}

mirror! {
    /// How bad, mildest first.
    Severity of model::Severity { Info, Low, Medium, High, Critical }
}

/// Which findings. One parameter repeated is *or*, several are *and*.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FindingsQuery {
    pub api: Vec<String>,
    /// All but candidates when absent.
    pub state: Vec<FindingState>,
    pub severity: Vec<Severity>,
    pub kind: Vec<String>,
    /// Items on a page; default 50.
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// A decision about a finding, as `app` carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Acknowledge,
    /// Until a time; none: until the next baseline.
    Mute(Option<Time>),
    /// The API is wrong; where that is followed, empty for nowhere.
    Reject {
        url: String,
    },
    Reopen,
}

/// Why something is decided.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// For the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// Says nothing of a finding for a while.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MuteOrder {
    /// RFC 3339, or `revision`: until the next baseline, which is the default.
    pub until: Option<String>,
    /// For the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// The contract is to allow it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptOrder {
    /// Which of its suggested patches, from 0.
    #[schemars(range(max = 2))]
    pub patch: u8,
    /// The baseline that was seen, or at least six of its digits; another one in force refuses.
    pub base: Option<String>,
    /// For the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// The API is wrong, not its contract.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RejectOrder {
    /// Where the bug is followed.
    #[schemars(length(max = 2_048))]
    pub url: Option<String>,
    /// For the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// The id of a finding: equal wherever API, version and fingerprint are.
#[must_use]
pub fn finding_id(finding: &model::Finding) -> String {
    id::object("fnd", &finding.api, &format!("{}/{}", finding.version, finding.fingerprint))
}

impl From<model::Finding> for Finding {
    fn from(finding: model::Finding) -> Self {
        let model::Statistics { n, k, windows, consumers } = finding.statistics;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = if n == 0 { 0.0 } else { k as f64 / n as f64 };
        let id = finding_id(&finding);
        let location = finding.location;
        Self {
            id,
            fingerprint: finding.fingerprint,
            api: finding.api.as_ref().to_owned(),
            version: finding.version,
            kind: finding.kind.as_str(),
            label: finding.label,
            state: finding.state.into(),
            verdict: finding.verdict.as_str(),
            severity: finding.severity.into(),
            confidence: finding.confidence,
            direction: finding.direction.as_str(),
            operation: OperationName { method: finding.method, path: finding.template },
            location: Location {
                status: location.status,
                media_type: location.media_type,
                pointer: location.pointer,
                keyword: location.keyword,
            },
            expected: finding.expected,
            observed: finding.observed,
            statistics: Statistics { n, k, rate, windows, consumers },
            first_seen: Time(finding.first_seen_ms),
            last_seen: Time(finding.last_seen_ms),
            message: finding.message,
            remedy: finding.remedy,
            spec_revision: finding.spec_revision.to_string(),
            spec_origin: finding.spec_origin.as_str(),
            event_specification: finding.event_specification.map(|id| id.to_string()),
            reopened: finding.reopened,
        }
    }
}

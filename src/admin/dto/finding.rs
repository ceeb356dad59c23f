//! Findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Time;

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
    pub kind: String,
    /// The nearest label of a specification diff.
    pub label: String,
    pub state: String,
    /// breaking, potentially-breaking, compatible or cosmetic.
    pub verdict: String,
    pub severity: String,
    /// How sure, 0-1.
    pub confidence: f64,
    /// request, response or structure.
    pub direction: String,
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
    pub spec_origin: String,
    /// The learned revision that holds what was seen.
    pub event_specification: Option<String>,
    pub reopened: u32,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OperationName {
    pub method: String,
    pub path: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Location {
    pub status: String,
    pub media_type: String,
    pub pointer: String,
    pub keyword: String,
}

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

/// Which findings. One parameter repeated is *or*, several are *and*.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FindingsQuery {
    pub api: Vec<String>,
    pub state: Vec<String>,
    pub severity: Vec<String>,
    pub kind: Vec<String>,
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

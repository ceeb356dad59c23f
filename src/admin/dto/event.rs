//! Events, event types, webhooks, actions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which events. One parameter repeated is *or*, several are *and*.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Exact names or patterns, `contract.*`.
    #[serde(rename = "type")]
    pub kind: Vec<String>,
    pub api: Vec<String>,
    /// RFC 3339, or `-15m`.
    pub since: Option<String>,
    /// RFC 3339, or `-15m`.
    pub until: Option<String>,
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// A type of events that driftgate knows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventType {
    #[serde(rename = "type")]
    pub kind: String,
    pub display_name: String,
    /// resource, contract, action or operational.
    pub class: String,
    /// JSON Schema of `data`.
    pub data_schema: Value,
    /// An example of `data`.
    pub sample: Value,
}

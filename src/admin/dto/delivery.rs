//! Deliveries and their attempts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// One event for one destination.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Delivery {
    pub id: String,
    pub destination: String,
    /// created, retrying, success, failed or cancelled.
    pub state: String,
    /// Why it is not attempted although it is due.
    pub hold: Option<String>,
    /// Why it is final.
    pub end: Option<String>,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next attempt is due; null once final.
    pub due: Option<Time>,
    pub created: Time,
    pub last_outcome: Option<String>,
    pub last_status: Option<u16>,
}

/// One try at a delivery: what was sent, what came back.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Attempt {
    pub number: u32,
    /// schedule, manual, probe or deadline.
    pub trigger: String,
    pub started: Time,
    pub duration_ms: u64,
    pub outcome: String,
    pub error: Option<String>,
    pub request: AttemptRequest,
    /// Absent when no response came.
    pub response: Option<AttemptResponse>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptRequest {
    pub method: String,
    pub url: String,
    /// The address dialled.
    pub address: Option<String>,
    /// Version of the destination that the attempt began with.
    pub target_version: u64,
    /// Secrets are masked.
    pub headers: Vec<(String, String)>,
    pub body_sha256: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// At most 16 KiB; what is not UTF-8 is replaced.
    pub body: String,
}

/// Which deliveries. One parameter repeated is *or*, several are *and*.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveriesQuery {
    pub destination: Vec<String>,
    /// created, retrying, success, failed or cancelled.
    pub state: Vec<String>,
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// Attempts a delivery now.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOrder {
    /// Two orders with one nonce are one attempt; made when absent.
    #[schemars(length(min = 1, max = 128))]
    pub nonce: Option<String>,
}

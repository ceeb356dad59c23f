//! Destinations, deliveries and their attempts.
//!
//! Owns their wire form, and the way from the records of the model to it. Secrets and credentials have no field here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::mirror;
use super::{CloudEvent, Time};
use crate::model::delivery as model;
use crate::model::event::Event;

/// Who is told about events. Secrets are not shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Webhook {
    /// `whk_` and 26 characters.
    pub id: String,
    pub name: String,
    pub version: u64,
    /// `file` or `api`.
    pub origin: &'static str,
    /// Without credentials.
    pub url: String,
    /// Types and patterns.
    pub events: Vec<String>,
    /// Only events of this API.
    pub api: Option<String>,
    pub active: bool,
    pub format: String,
    /// Its deliveries by state.
    pub deliveries: BTreeMap<String, u64>,
}

/// What runs on events. Secrets are not shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Action {
    /// `act_` and 26 characters.
    pub id: String,
    pub name: String,
    pub description: String,
    /// custom or managed.
    pub kind: &'static str,
    /// `file` or `api`.
    pub origin: &'static str,
    /// Types and patterns.
    pub events: Vec<String>,
    /// Only events of this API.
    pub api: Option<String>,
    pub active: bool,
    /// Its invocations by state.
    pub deliveries: BTreeMap<String, u64>,
}

mirror! {
    /// The five states of a delivery; created and retrying are open.
    DeliveryState of model::State { Created, Retrying, Success, Failed, Cancelled }
}

/// One event for one destination.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Delivery {
    /// `dlv_` and 26 characters.
    pub id: String,
    pub destination: String,
    /// Null when the destination is gone.
    pub destination_name: Option<String>,
    /// Null when retention took it.
    pub event: Option<EventName>,
    pub state: DeliveryState,
    /// Why it is not attempted although it is due.
    pub hold: Option<&'static str>,
    /// Why it is final.
    pub end: Option<&'static str>,
    /// Attempts begun.
    pub attempt_count: u32,
    /// When the next attempt is due; null once final.
    pub due: Option<Time>,
    pub created: Time,
    pub last_outcome: Option<&'static str>,
    pub last_status: Option<u16>,
}

/// Which event it was.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventName {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: Option<String>,
    pub time: Time,
}

/// A delivery with the event and every attempt.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeliveryDetail {
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The event; null when retention took it.
    pub payload: Option<CloudEvent>,
    /// First to last.
    pub attempts: Vec<Attempt>,
}

/// One try at a delivery: what was sent, what came back.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Attempt {
    pub number: u32,
    /// schedule, manual, probe or deadline.
    pub trigger: &'static str,
    pub started: Time,
    pub duration_ms: u64,
    /// False: begun, and its outcome is not known.
    pub ended: bool,
    pub outcome: &'static str,
    pub error: Option<String>,
    pub request: AttemptRequest,
    /// Null when no response came.
    pub response: Option<AttemptResponse>,
}

/// What was sent: the body is the event as the destination formats it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptRequest {
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

/// Which deliveries.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveriesQuery {
    /// Id or name of a webhook or action.
    pub destination: Option<String>,
    pub state: Option<DeliveryState>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// RFC 3339, or `-15m`: not created before.
    pub since: Option<String>,
    /// RFC 3339, or `-15m`: created before.
    pub until: Option<String>,
    /// Items on a page; default 50.
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

impl From<&Event> for EventName {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind.clone(),
            subject: event.subject.clone(),
            time: Time(event.time_ms),
        }
    }
}

impl Delivery {
    /// `event` and `destination_name` are looked up by the caller.
    #[must_use]
    pub fn of(
        delivery: &model::Delivery,
        event: Option<EventName>,
        destination_name: Option<String>,
    ) -> Self {
        Self {
            id: delivery.id.clone(),
            destination: delivery.destination.clone(),
            destination_name,
            event,
            state: delivery.state.into(),
            hold: delivery.hold.map(model::Hold::as_str),
            end: delivery.end.map(model::End::as_str),
            attempt_count: delivery.attempt,
            due: delivery.state.is_open().then_some(Time(delivery.due_ms)),
            created: Time(delivery.created_ms),
            last_outcome: delivery.last_outcome.map(model::OutcomeKind::as_str),
            last_status: delivery.last_status,
        }
    }
}

impl Attempt {
    #[must_use]
    pub fn of(attempt: model::Attempt, ended: bool) -> Self {
        let response = attempt.status.map(|status| AttemptResponse {
            status,
            headers: attempt.response_headers,
            body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
        });
        Self {
            number: attempt.number,
            trigger: attempt.trigger.as_str(),
            started: Time(attempt.started_ms),
            duration_ms: attempt.duration_ms,
            ended,
            outcome: attempt.outcome.as_str(),
            error: attempt.error,
            request: AttemptRequest {
                url: attempt.url,
                address: attempt.address,
                target_version: attempt.target_version,
                headers: attempt.request_headers,
                body_sha256: attempt.body_sha256,
            },
            response,
        }
    }
}

//! Events, their types, and what became of them.
//!
//! Owns their wire form. An event itself is a `CloudEvent` as every consumer gets it, its data byte for byte.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Delivery, Time};
use crate::events::cloudevent;
use crate::model::event::Event;

/// An event in the structured form of CloudEvents 1.0, its data byte for byte.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct CloudEvent(Box<RawValue>);

impl CloudEvent {
    /// # Errors
    /// When what was stored is not JSON.
    pub fn of(event: &Event) -> Result<Self, serde_json::Error> {
        RawValue::from_string(cloudevent::structured(event)).map(Self)
    }
}

impl JsonSchema for CloudEvent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CloudEvent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string" });
        json_schema!({
            "type": "object",
            "description": "An event in the structured form of CloudEvents 1.0",
            "required": ["specversion", "id", "source", "type", "time"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": text,
                "source": text,
                "type": text,
                "subject": text,
                "time": { "type": "string", "format": "date-time" },
                "recordedtime": { "type": "string", "format": "date-time" },
                "dataschema": text,
                "severitytext": text,
                "exchangeid": text,
                "correlationid": text,
                "causationid": text,
                "data": {}
            }
        })
    }
}

/// An event with everything that became of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventDetail {
    pub event: CloudEvent,
    pub deliveries: Vec<Delivery>,
    /// Destinations that name its type and did not get it.
    pub skips: Vec<Skip>,
    /// Skips beyond the first hundred, by reason.
    pub further_skips: BTreeMap<String, u64>,
}

/// Why a destination that names the type of an event did not get it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Skip {
    pub destination: String,
    pub destination_name: Option<String>,
    /// `inactive`, `triggers_off`, `out_of_scope`, `filter_false`, `filter_error`, `self` or `limit`.
    pub reason: &'static str,
    pub detail: String,
}

/// Which events.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuery {
    /// Exact name or pattern, `contract.*`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub api: Option<String>,
    /// Id of an event, or the correlation, causation or exchange id that events carry.
    pub id: Option<String>,
    /// Text within type, subject or data.
    pub q: Option<String>,
    /// RFC 3339, or `-15m`: not before.
    pub since: Option<String>,
    /// RFC 3339, or `-15m`: before.
    pub until: Option<String>,
    /// Items on a page; default 50.
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// Which ended contract tests.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestsQuery {
    pub api: Option<String>,
    /// RFC 3339, or `-15m`: not before.
    pub since: Option<String>,
    /// RFC 3339, or `-15m`: before.
    pub until: Option<String>,
    /// Items on a page; default 50.
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// Which of the events with one id.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventQuery {
    /// `source` of the event, where several have the id.
    pub source: Option<String>,
}

/// What became of events from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accepted {
    /// Stored now.
    pub accepted: usize,
    /// Stored already, byte for byte; nothing was raised.
    pub duplicates: usize,
}

/// A type of events that driftgate raises.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventType {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub display_name: &'static str,
    /// resource, contract, action or operational.
    pub class: &'static str,
    /// When it is raised.
    pub description: &'static str,
    /// The `dataschema` of its events.
    pub dataschema: String,
    /// JSON Schema of `data`.
    pub schema: Value,
    /// An example of `data`.
    pub sample: Value,
}

/// The end of a contract test, as its event tells it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Test {
    /// Id of the run.
    pub id: String,
    /// passed, failed, inconclusive or errored.
    pub result: String,
    pub api: Option<String>,
    pub time: Time,
    /// Id of the event.
    pub event: String,
    /// What the event says: target, specification, counts, score, findings.
    pub data: Value,
}

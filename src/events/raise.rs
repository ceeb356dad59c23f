//! Building the envelope of what driftgate raises (`spec/delivery.md` 2).
//!
//! Owns the attributes that follow from type, API and cause. Refuses to own time (an argument), ids (injected, since they need
//! randomness) and what only a commit can know: sequence, instance, time of record.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::event::Event;
use crate::model::limits::EVENT_DATA_BYTES_MAX;

use super::catalogue;

/// Makes an id for an event of this time (Unix milliseconds).
pub type Ids = dyn Fn(i64) -> String + Send + Sync;

/// Raises events of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct Raise {
    deployment: Arc<str>,
    ids: Arc<Ids>,
}

impl Raise {
    /// `deployment` is the same on all replicas; `ids` makes UUIDv7 texts.
    #[must_use]
    pub fn new(deployment: &str, ids: Arc<Ids>) -> Self {
        Self { deployment: deployment.into(), ids }
    }

    /// The `source` of events about an API, or about the deployment itself.
    #[must_use]
    pub fn source(&self, api: Option<&str>) -> String {
        match api {
            Some(api) => format!("/{}/apis/{api}", self.deployment),
            None => format!("/{}", self.deployment),
        }
    }

    /// A root event: the first of its chain. The ordering key is the API, else the type; set `subject`, `partitionkey`,
    /// `severitytext` and the like on what comes back. Data over 256 KiB is replaced by a note of its size.
    #[must_use]
    pub fn event(&self, kind: &str, api: Option<&str>, time_ms: i64, data: &Value) -> Event {
        let id = (self.ids)(time_ms);
        Event {
            source: self.source(api),
            kind: kind.to_owned(),
            subject: None,
            time_ms,
            recorded_ms: 0,
            dataschema: catalogue::find(kind).map(catalogue::EventType::schema_path),
            partitionkey: api.unwrap_or(kind).to_owned(),
            sequence: 0,
            instance: String::new(),
            correlationid: id.clone(),
            causationid: None,
            chaindepth: 0,
            chainpath: String::new(),
            traceparent: None,
            exchangeid: None,
            severitytext: None,
            eventcode: None,
            testevent: false,
            data: text_of(data).into(),
            id,
        }
    }
}

fn text_of(data: &Value) -> String {
    let text = data.to_string();
    if text.len() <= EVENT_DATA_BYTES_MAX {
        return text;
    }
    json!({ "omitted": format!("{} bytes, more than an event may hold", text.len()) }).to_string()
}

/// The event as a direct consequence of another: same chain, one hop further.
#[must_use]
pub fn caused_by(event: Event, cause: &Event) -> Event {
    Event {
        correlationid: cause.correlationid.clone(),
        causationid: Some(cause.id.clone()),
        chaindepth: cause.chaindepth.saturating_add(1),
        chainpath: cause.chainpath.clone(),
        traceparent: event.traceparent.or_else(|| cause.traceparent.clone()),
        exchangeid: event.exchangeid.or_else(|| cause.exchangeid.clone()),
        testevent: event.testevent || cause.testevent,
        ..event
    }
}

/// The events of one change, in its order: all but the first are consequences of the first.
#[must_use]
pub fn one_change(events: Vec<Event>) -> Vec<Event> {
    let mut events = events.into_iter();
    let Some(first) = events.next() else { return Vec::new() };
    let mut chain = vec![first];
    for event in events {
        chain.push(caused_by(event, &chain[0]));
    }
    chain
}

impl fmt::Debug for Raise {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Raise")
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}

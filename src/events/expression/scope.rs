//! The variables of one evaluation.
//!
//! Owns how an event looks to expressions. Parsed values answer conditions; the raw text answers bare paths, so that numbers
//! keep their spelling.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, json};

use crate::events::cloudevent::{data_of, rfc3339};
use crate::model::event::Event;

/// What filters and templates of webhooks and actions see.
pub const EVENT_ROOTS: &[&str] = &["event", "data"];

/// Variables by name.
#[derive(Debug, Default)]
pub struct Scope {
    values: BTreeMap<&'static str, Value>,
    /// JSON texts of those variables that have one.
    raw: BTreeMap<&'static str, String>,
}

impl Scope {
    /// `event` with every attribute and `event.api`, and `data`. Data that no number type can hold is left out of the values:
    /// asking for it is then an error, and copying it by a bare path still works.
    #[must_use]
    pub fn of_event(event: &Event) -> Self {
        let mut scope = Self::default();
        scope.set("event", &attributes(event));
        scope.set_raw("data", data_of(event));
        scope
    }

    /// Sets a variable to a JSON value.
    pub fn set(&mut self, name: &'static str, value: &serde_json::Value) {
        self.values.insert(name, Value::from(Serde(value)));
    }

    /// Sets a variable to a JSON text.
    pub fn set_raw(&mut self, name: &'static str, text: &str) {
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
            self.set(name, &value);
        }
        self.raw.insert(name, text.to_owned());
    }

    pub(super) fn context(&self) -> Value {
        Value::from_pairs(self.values.iter().map(|(name, value)| (*name, value.clone())))
    }

    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.raw.get(name).map(String::as_str)
    }
}

fn attributes(event: &Event) -> serde_json::Value {
    let mut map = Map::new();
    for (name, value) in [
        ("id", json!(event.id)),
        ("source", json!(event.source)),
        ("type", json!(event.kind)),
        ("time", json!(rfc3339(event.time_ms))),
        ("recordedtime", json!(rfc3339(event.recorded_ms))),
        ("partitionkey", json!(event.partitionkey)),
        ("sequence", json!(format!("{:020}", event.sequence))),
        ("instance", json!(event.instance)),
        ("correlationid", json!(event.correlationid)),
        ("chaindepth", json!(event.chaindepth)),
        ("chainpath", json!(event.chainpath)),
        ("testevent", json!(event.testevent)),
    ] {
        map.insert(name.to_owned(), value);
    }
    for (name, value) in [
        ("subject", event.subject.as_deref()),
        ("dataschema", event.dataschema.as_deref()),
        ("causationid", event.causationid.as_deref()),
        ("traceparent", event.traceparent.as_deref()),
        ("exchangeid", event.exchangeid.as_deref()),
        ("severitytext", event.severitytext.as_deref()),
        ("eventcode", event.eventcode.as_deref()),
        ("api", event.api()),
    ] {
        if let Some(value) = value {
            map.insert(name.to_owned(), json!(value));
        }
    }
    serde_json::Value::Object(map)
}

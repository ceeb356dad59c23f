//! The event envelope: CloudEvents 1.0 with driftgate's extensions (`spec/delivery.md` 2).
//!
//! Owns the attributes and the identity of an event. Refuses to own the wire forms (`events::cloudevent`) and the catalogue
//! of types (`events::catalogue`).

use std::sync::Arc;

/// One event. Its identity is (`source`, `id`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// UUID text for own events; 1-128 visible ASCII characters from outside.
    pub id: String,
    /// `/<deployment>/apis/<api>` or `/<deployment>`.
    pub source: String,
    /// Catalogue name or custom name.
    pub kind: String,
    /// `<METHOD> <template>` or the object's name.
    pub subject: Option<String>,
    /// When it happened, Unix milliseconds.
    pub time_ms: i64,
    /// When it was committed; 0 until then. Starts every deadline.
    pub recorded_ms: i64,
    pub dataschema: Option<String>,
    /// Ordering key: API and operation, else the object's id.
    pub partitionkey: String,
    /// Counter of the raising instance; 0 until committed.
    pub sequence: u64,
    pub instance: String,
    /// First event of the chain; itself at a root.
    pub correlationid: String,
    pub causationid: Option<String>,
    /// 0 at a root, one more per hop.
    pub chaindepth: u32,
    /// Ids of the workflows and actions passed, separated by spaces.
    pub chainpath: String,
    pub traceparent: Option<String>,
    pub exchangeid: Option<String>,
    /// info, low, medium, high or critical; on findings.
    pub severitytext: Option<String>,
    pub eventcode: Option<String>,
    pub testevent: bool,
    /// JSON text, at most 256 KiB, kept byte for byte.
    pub data: Arc<str>,
}

impl Event {
    /// The API that the source names, if it names one.
    #[must_use]
    pub fn api(&self) -> Option<&str> {
        self.source.split_once("/apis/").map(|(_, api)| api)
    }
}

//! What the tap may keep and what must not be read (`spec/proxy.md` 3, 9, 10, 14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems};
use crate::model::redaction::Plan;
use crate::model::units::Size;

/// Budget and caps of captures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Bytes that captures on their way to analysis may hold in all; beyond it bodies are dropped and counted.
    pub memory: Size,
    /// Exchanges that may wait for analysis, per data thread; a further one is dropped and counted.
    pub queue: usize,
    /// Kept prefix of a request body.
    pub request_body: Size,
    /// Kept prefix of a response body.
    pub response_body: Size,
}

/// What is captured of an API's exchanges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Heads and bodies.
    #[default]
    All,
    /// Heads alone.
    Heads,
    /// Nothing: traffic passes unseen.
    Off,
}

/// What must not be read, besides the names that are secret anyway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// Header names.
    pub headers: Vec<String>,
    /// Query parameter and cookie names.
    pub query: Vec<String>,
    /// Places in JSON bodies: `card.number`, `items.*.card`, or `*.password` for any depth.
    pub body: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: Size(32 << 20),
            queue: 8_192,
            request_body: Size(64 << 10),
            response_body: Size(256 << 10),
        }
    }
}

impl Options {
    /// Reports what is wrong with the values; pointers begin below the section.
    pub fn check(&self, problems: &mut Problems) {
        if self.queue == 0 || self.queue > 1 << 20 {
            let message = format!("{} exchanges are not between 1 and 1048576", self.queue);
            problems.push(Problem::error("/queue", "config.bad-queue", message));
        }
        for (pointer, size) in
            [("/request_body", self.request_body), ("/response_body", self.response_body)]
        {
            if size.0 > 16 << 20 {
                let message = format!("{size} is more than the 16MiB that one body may hold");
                problems.push(Problem::error(pointer, "config.cap-too-large", message));
            }
        }
    }
}

impl Redact {
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan::new(&self.headers, &self.query, &self.body)
    }
}

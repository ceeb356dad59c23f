//! The wire types of the admin API: what the OpenAPI document shows is made from them.
//!
//! Owns names, types and docs of everything that crosses the border as JSON. Refuses to own where it comes from.

mod delivery;
mod event;
mod finding;
mod inventory;
mod process;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

pub use delivery::*;
pub use event::*;
pub use finding::*;
pub use inventory::*;
pub use process::*;

/// A moment in Unix milliseconds, written as RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl std::fmt::Display for Time {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(formatter, "{time:.3}"),
            Err(_) => write!(formatter, "{}", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "examples": ["2026-03-01T10:00:00.125Z"]
        })
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Cursor of the page after this one; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Cursor of what is newer than this page, which may be nothing yet; absent when the list is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// How many there are in all, exact to 10000, then null.
    pub total: Option<u64>,
    /// False when a search was cut short.
    pub complete: bool,
    /// When the page was read.
    pub as_of: Time,
}

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Items on a page.
    #[schemars(range(min = 1, max = 250))]
    pub limit: Option<u32>,
    /// `next` or `prev` of an earlier page of the same question.
    pub cursor: Option<String>,
}

/// No members.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

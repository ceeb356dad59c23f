//! Findings as event data and sentences (`spec/contract.md` 8).
//!
//! Owns wording. Refuses to own facts: it only says what a finding holds.

use serde_json::Value;

use crate::model::finding::Finding;

/// The `data` of `contract.drift.*` and `contract.violation.*` events.
#[must_use]
pub fn event_data(_finding: &Finding) -> Value {
    Value::Null
}

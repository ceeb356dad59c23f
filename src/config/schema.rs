//! Our own JSON Schema of the configuration file.
//!
//! Owns its making; it comes from the types alone, so that file, admin API and editor agree.

use serde_json::Value;

use super::Config;

/// The schema (2020-12) with descriptions, defaults and limits, as `driftgate check --schema` prints it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "driftgate configuration".into());
    }
    schema
}

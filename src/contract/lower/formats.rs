//! Formats: which are asserted, which become bounds, which say nothing.
//!
//! Owns the list of `spec/contract.md` 1.1. Refuses to own checking them.

use serde_json::{Map, Value, json};

/// Formats that a lowered schema keeps, because validation asserts them.
const ASSERTED: &[&str] = &["date", "date-time", "time", "uuid", "ipv4", "ipv6", "uri", "email"];

/// Writes what `format` asserts into a lowered schema.
pub(super) fn assert_format(format: &str, lowered: &mut Map<String, Value>) {
    match format {
        "int32" => bound(lowered, i64::from(i32::MIN), i64::from(i32::MAX)),
        "int64" => bound(lowered, i64::MIN, i64::MAX),
        known if ASSERTED.contains(&known) => {
            lowered.insert("format".to_owned(), json!(known));
        }
        _ => {}
    }
}

/// Narrows the written bounds, if there are any, to those of the format.
fn bound(lowered: &mut Map<String, Value>, least: i64, greatest: i64) {
    #[expect(clippy::cast_precision_loss, reason = "only compared with bounds of any precision")]
    let (low, high) = (least as f64, greatest as f64);
    let written = |name: &str| lowered.get(name).and_then(Value::as_f64);
    let (minimum, maximum) = (written("minimum"), written("maximum"));
    if minimum.is_none_or(|bound| bound < low) {
        lowered.insert("minimum".to_owned(), json!(least));
    }
    if maximum.is_none_or(|bound| bound > high) {
        lowered.insert("maximum".to_owned(), json!(greatest));
    }
}

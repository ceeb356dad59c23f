//! Tests of the memory: what is stored reads back, and chance alone tells nothing.

use super::*;
use crate::contract::testing::{Build, baseline, exchange};

const DOCUMENT: &str = "
openapi: 3.1.0
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema:
    {type: object, properties: {x: {type: integer}, y: {type: integer}}}}}}}}}
";

fn seen(baseline: &Baseline, watch: &mut Watch, time_ms: i64, with_y: bool) -> Noticed {
    let body = if with_y { json!({"x": time_ms, "y": 1}) } else { json!({"x": time_ms}) };
    let exchange = exchange("GET /a", 200).answered(&body).at(time_ms);
    watch.see(baseline, &exchange, &baseline.judge(&exchange))
}

#[test]
fn memory_survives_being_stored() {
    let baseline = baseline(DOCUMENT);
    let mut watch = Watch::default();
    for time in 0..400 {
        seen(&baseline, &mut watch, time, time < 20);
    }
    assert!(watch.fields.iter().any(|(_, presence)| presence.told.is_some()));
    let stored = watch.moved().expect("something to store");
    assert_eq!(watch.moved(), None);
    let read = Watch::decode(&stored);
    assert_eq!(read.operations, watch.operations);
    assert!(read.fields.iter().eq(watch.fields.iter()));
    let mut again = read;
    again.moved = true;
    assert_eq!(again.moved(), Some(stored));
    assert!(Watch::decode(&json!({"operations": [1, {}], "fields": "x"})).operations.is_empty());
}

#[test]
fn a_field_seen_by_chance_does_not_vanish_and_one_that_comes_back_is_taken_back() {
    let baseline = baseline(DOCUMENT);
    let mut watch = Watch::default();
    // One in a hundred, with gaps that habit explains.
    for time in 0..5_000 {
        assert!(seen(&baseline, &mut watch, time, time % 100 == 0).missing.is_empty(), "{time}");
    }
    let told = (5_000..7_000)
        .find(|time| !seen(&baseline, &mut watch, *time, false).missing.is_empty())
        .expect("told");
    assert!((5_800..6_000).contains(&told), "{told}");
    assert_eq!(seen(&baseline, &mut watch, 8_000, true).back.len(), 1);
}

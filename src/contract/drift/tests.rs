//! Tests of counting: exchanges in, transitions out.

use serde_json::json;

use super::room::SLOT_FINDINGS_MAX;
use super::*;
use crate::contract::render::event_data;
use crate::contract::testing::{Build, baseline, exchange};
use crate::model::kind::Kind;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

const ORDERS: &str = "
openapi: 3.1.0
paths:
  /orders/{orderId}:
    get:
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
  /orders:
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
      responses: {'201': {description: made}, '422': {description: wrong}}
components:
  schemas:
    Order:
      type: object
      required: [total]
      properties: {total: {type: number}, note: {type: string}, state: {type: string, enum: [new, paid]}}
";

/// A drift and its baseline, fed one exchange after the other.
struct Scene {
    baseline: Baseline,
    drift: Drift,
    sent: u64,
}

impl Scene {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let drift = Drift::new("orders".into(), options);
        Self { baseline: baseline(ORDERS), drift, sent: 0 }
    }

    /// Each exchange has another path, so that none is a repetition.
    fn answer(&mut self, body: &Value, consumer: u64, time_ms: i64) -> Vec<Transition> {
        self.sent += 1;
        let line = format!("GET /orders/{}", self.sent);
        self.feed(&exchange(&line, 200).answered(body).by(consumer).at(time_ms))
    }

    fn feed(&mut self, exchange: &Exchange) -> Vec<Transition> {
        let judgement = self.baseline.judge(exchange);
        self.drift.count(&self.baseline, exchange, &judgement)
    }

    /// Changes of an answer repeated so often by two consumers.
    fn answers(&mut self, body: &Value, count: u64, from_ms: i64) -> Vec<Change> {
        (0..count)
            .flat_map(|index| self.answer(body, index % 2, from_ms))
            .map(|transition| transition.change)
            .collect()
    }
}

fn good() -> Value {
    json!({"total": 1})
}

fn bad() -> Value {
    json!({"total": "1"})
}

#[test]
fn equal_deviations_are_one_finding_that_opens_once() {
    let mut scene = Scene::new();
    scene.answers(&good(), 10, 0);
    assert_eq!(scene.answers(&bad(), 2, 0), []);
    let opened = scene.answer(&bad(), 2, 0);
    assert_eq!(opened.len(), 1);
    let finding = &opened[0].finding;
    assert_eq!((opened[0].change, finding.kind), (Change::Opened, Kind::TypeChanged));
    assert_eq!((finding.statistics.n, finding.statistics.k), (13, 3));
    assert_eq!(
        finding.message,
        "`GET /orders/{orderId}` 200: `total` is a string in 3 of 13 answers; the baseline says number"
    );
    assert_eq!(scene.answers(&bad(), 10_000, 1_000), []);
    assert_eq!(scene.drift.findings().count(), 1);
}

#[test]
fn updates_come_at_most_once_an_hour() {
    let mut scene = Scene::new();
    assert_eq!(scene.answers(&bad(), 3, 0), [Change::Opened]);
    let mut updates = 0;
    for minute in 0..300 {
        updates += scene.answers(&bad(), 1, minute * MINUTE).len();
    }
    assert_eq!(updates, 4);
    let fingerprint = scene.drift.findings().next().expect("one").fingerprint.clone();
    scene.drift.decide(&fingerprint, Decision::Acknowledge, 5 * HOUR).expect("allowed");
    assert_eq!(scene.answers(&bad(), 1, 10 * HOUR), []);
    assert_eq!(scene.answers(&bad(), 1, 30 * HOUR), [Change::Updated]);
}

#[test]
fn a_finding_is_resolved_when_gone_and_reopens_at_half() {
    let mut scene = Scene::new();
    assert_eq!(scene.answers(&bad(), 3, 0), [Change::Opened]);
    assert_eq!(scene.answers(&good(), 298, HOUR), []);
    assert_eq!(scene.answers(&good(), 1, HOUR), [Change::Resolved]);
    assert_eq!(scene.answers(&good(), 1_000, HOUR), []);
    assert_eq!(scene.answers(&bad(), 1, 2 * HOUR), []);
    assert_eq!(scene.answers(&bad(), 2, 2 * HOUR), [Change::Reopened]);
    assert_eq!(scene.drift.findings().next().map(|finding| finding.reopened), Some(1));
}

#[test]
fn an_absent_parent_is_no_opportunity() {
    let text = "
openapi: 3.1.0
paths: {/t: {get: {responses: {'200': {description: ok, content: {application/json: {schema:
  {type: object, properties: {items: {type: array, items: {type: object, required: [sku], properties: {sku: {}}}}}}}}}}}}}
";
    let mut scene = Scene {
        baseline: baseline(text),
        drift: Drift::new("t".into(), Options::default()),
        sent: 0,
    };
    for index in 0..30_u64 {
        let body = match index % 3 {
            0 => json!({"items": [{}], "i": index}),
            1 => json!({"items": [], "i": index}),
            _ => json!({"items": [{"sku": 1}], "i": index}),
        };
        scene.feed(&exchange("GET /t", 200).answered(&body).by(index));
    }
    let finding = scene.drift.findings().find(|finding| finding.kind == Kind::FieldRequiredMissing);
    let mut statistics = finding.expect("open").statistics;
    let changed = scene.drift.changed();
    for (finding, _) in
        changed.iter().filter(|(finding, _)| finding.kind == Kind::FieldRequiredMissing)
    {
        statistics = finding.statistics;
    }
    assert_eq!((statistics.n, statistics.k), (20, 10));
}

#[test]
fn polling_inflates_nothing() {
    let mut scene = Scene::new();
    let polled = exchange("GET /orders/1", 200).answered(&bad());
    for second in 0..299 {
        assert_eq!(scene.feed(&polled.clone().at(second * 1_000)), []);
    }
    // One sighting per window: the third window brings the third.
    assert_eq!(scene.feed(&polled.clone().at(300_000)), []);
    assert_eq!(scene.feed(&polled.at(600_000)).len(), 1);
}

#[test]
fn refused_though_valid_is_told_when_it_was_accepted_before() {
    let mut scene = Scene::new();
    let post = |status: u16, note: u64| {
        exchange("POST /orders", status).sent(&json!({"total": note})).by(note % 2).at(1)
    };
    for note in 0..5 {
        assert_eq!(scene.feed(&post(201, note)), []);
    }
    let mut told = Vec::new();
    for note in 10..15 {
        told.extend(scene.feed(&post(422, note)));
    }
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].change, told[0].finding.kind), (Change::Opened, Kind::RequestRefused));

    let mut scene = Scene::new();
    let mut told = Vec::new();
    for note in 0..10 {
        let error = json!({"errors": {"note": ["is required"]}});
        told.extend(scene.feed(&post(422, note).answered(&error)));
    }
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].finding.kind, Kind::FieldRequiredMissing);
    assert_eq!(told[0].finding.location.pointer, "/note");
    assert!(told[0].finding.message.contains("requests without `note` are refused"));
}

#[test]
fn a_restart_neither_opens_again_nor_forgets() {
    let mut scene = Scene::new();
    assert_eq!(scene.answers(&bad(), 3, 0), [Change::Opened]);
    // A candidate with two of its three occurrences.
    assert_eq!(scene.answers(&json!({"total": 1, "note": null}), 2, 0), []);
    let stored = scene.drift.changed();
    assert_eq!(stored.len(), 2);
    assert!(scene.drift.changed().is_empty());
    scene.drift = Drift::restore("orders".into(), Options::default(), stored);
    scene.drift.payloads = Payloads::default();
    assert_eq!(scene.drift.findings().count(), 1);
    assert_eq!(scene.answers(&bad(), 5, 0), []);
    assert_eq!(scene.answers(&json!({"total": 1, "note": null}), 1, 0), [Change::Opened]);
}

#[test]
fn a_new_baseline_resolves_what_it_explains() {
    let mut scene = Scene::new();
    assert_eq!(scene.answers(&bad(), 3, 0), [Change::Opened]);
    assert_eq!(scene.answers(&json!({"total": 1, "state": "sent"}), 3, 0), [Change::Opened]);
    for index in 0..3 {
        scene.feed(&exchange(&format!("GET /users/{index}"), 200));
        scene.feed(&exchange(&format!("GET /orders/7{index}"), 202));
    }
    assert_eq!(scene.drift.findings().count(), 4);
    let same = scene.drift.on_new_baseline(&baseline(ORDERS), 1);
    assert_eq!(same, []);
    let wider = ORDERS
        .replace("total: {type: number}", "total: {type: [number, string]}")
        .replace("'200':", "'202': {description: later}\n        '200':")
        .replace("  /orders:", "  /users/{id}: {get: {responses: {}}}\n  /orders:");
    let resolved = scene.drift.on_new_baseline(&baseline(&wider), 2);
    let kinds: BTreeSet<Kind> = resolved.iter().map(|transition| transition.finding.kind).collect();
    let expected = [Kind::EndpointUndocumented, Kind::StatusUndocumented, Kind::TypeChanged];
    assert_eq!(kinds, BTreeSet::from(expected));
    assert!(resolved.iter().all(|transition| transition.change == Change::Resolved));
}

#[test]
fn decisions_are_idempotent_and_illegal_ones_say_what_is_allowed() {
    let mut scene = Scene::new();
    scene.answers(&bad(), 3, 0);
    let fingerprint = scene.drift.findings().next().expect("one").fingerprint.clone();
    let drift = &mut scene.drift;
    assert_eq!(drift.decide(&fingerprint, Decision::Mute(Until::Time(HOUR)), 0), Ok(Vec::new()));
    assert_eq!(
        drift.decide(&fingerprint, Decision::Mute(Until::Time(2 * HOUR)), 0),
        Ok(Vec::new())
    );
    let refused = drift.decide(&fingerprint, Decision::Acknowledge, 0).expect_err("muted");
    assert_eq!(refused.allowed, ["accept", "reject", "reopen"]);
    drift.tick(None, HOUR);
    assert_eq!(drift.findings().next().map(|finding| finding.state), Some(FindingState::Muted));
    drift.tick(None, 2 * HOUR);
    assert_eq!(drift.findings().next().map(|finding| finding.state), Some(FindingState::Open));
    let accepted = drift.decide(&fingerprint, Decision::Accept, 0).expect("allowed");
    assert_eq!(accepted[0].change, Change::Resolved);
    assert_eq!(drift.decide("unknown", Decision::Accept, 0), Err(Illegal { allowed: Vec::new() }));
}

#[test]
fn findings_are_bounded_and_a_storm_is_one_report() {
    let mut scene = Scene::with(Options { findings: 100, ..Options::default() });
    let mut spoke = 0;
    for path in 0..500 {
        let letters: String =
            format!("{path:03}").bytes().map(|digit| char::from(digit + 49)).collect();
        for time in 0..3 {
            let line = format!("GET /{letters}?{time}");
            let told = scene.feed(&exchange(&line, 200).at(time));
            spoke += told
                .iter()
                .filter(|transition| transition.change == Change::Opened && !transition.silent)
                .count();
        }
    }
    assert_eq!(scene.drift.tracked.len(), 100);
    assert_eq!(spoke, 20);
    assert!(scene.drift.storm(3).is_some_and(|storm| storm.count >= 80));
    assert!(scene.drift.dropped() >= 400);
}

#[test]
fn a_server_that_answers_every_path_stays_cheap() {
    let mut scene = Scene::new();
    for path in 0..2_000 {
        let letters: String =
            format!("{path:04}").bytes().map(|digit| char::from(digit + 49)).collect();
        scene.feed(&exchange(&format!("GET /{letters}"), 200).at(path));
    }
    assert!(scene.drift.tracked.len() <= SLOT_FINDINGS_MAX);
    assert!(scene.drift.by_slot.values().all(|list| list.len() <= SLOT_FINDINGS_MAX));
}

#[test]
fn old_candidates_and_resolved_findings_are_forgotten() {
    let mut scene = Scene::new();
    scene.answers(&bad(), 1, 0);
    scene.drift.tick(None, 7 * DAY_MS);
    assert_eq!(scene.drift.tracked.len(), 1);
    scene.drift.tick(None, 7 * DAY_MS + 1);
    assert_eq!(scene.drift.tracked.len(), 0);
    assert_eq!(scene.drift.forgotten().len(), 1);
}

#[test]
fn event_data_holds_what_the_page_names() {
    let mut scene = Scene::new();
    scene.answers(&bad(), 2, 1_700_000_000_000);
    let transition = scene.answer(&bad(), 3, 1_700_000_000_000).pop().expect("opened");
    let data = event_data(&transition.finding);
    for (pointer, expected) in [
        ("/kind", json!("type.changed")),
        ("/state", json!("open")),
        ("/verdict", json!("breaking")),
        ("/severity", json!("high")),
        ("/operation/path", json!("/orders/{orderId}")),
        ("/location/pointer", json!("/total")),
        ("/location/keyword", json!("type")),
        ("/expected", json!({"type": "number"})),
        ("/observed", json!({"type": "string"})),
        ("/statistics/n", json!(3)),
        ("/statistics/k", json!(3)),
        ("/statistics/rate", json!(1.0)),
        ("/first_seen", json!("2023-11-14T22:13:20.000Z")),
        ("/spec_origin", json!("predefined")),
    ] {
        assert_eq!(data.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(data["fingerprint"].as_str().map(str::len), Some(32));
    assert!(data["remedy"].as_str().is_some_and(|text| !text.is_empty()));
}

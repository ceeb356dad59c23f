//! A proof says what judging says: over random contracts and random exchanges nothing tells the two apart.

mod dice;
mod heads;
mod silence;

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::dice::Dice;
use crate::contract::{self, Baseline, Drift, LoadOptions, ProofCounts, Proofs};
use crate::model::capture::Outcome;
use crate::model::exchange::{Body, Exchange, Message};
use crate::model::hash::HashKey;
use crate::model::kind::Kind;
use crate::model::media::MediaType;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, RevisionId};
use crate::observe::{Lens, Observer};

/// Exchanges of one contract.
const EXCHANGES: u64 = 150;

/// Kinds that are judged where they are asked for.
const ALSO: [Kind; 3] =
    [Kind::HeaderUndocumented, Kind::ReadWriteViolated, Kind::ParamUndocumented];

fn baseline(document: &Value) -> Baseline {
    let loaded = contract::load(&document.to_string(), &LoadOptions::default());
    let (specification, _) = loaded.unwrap_or_else(|problems| panic!("{problems}\n{document}"));
    let revision = RevisionId::of(&specification.document);
    Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/")
}

/// A document with one operation that takes and gives random things.
fn document(dice: &mut Dice) -> Value {
    let schema = dice.schema(3);
    let content = json!({"application/json": {"schema": schema}});
    let mut taken = content.clone();
    taken["application/x-www-form-urlencoded"] = json!({"schema": dice.object(1)});
    json!({
        "openapi": "3.1.0",
        "paths": {"/things/{id}": {"post": {
            "parameters": heads::parameters(dice),
            "security": heads::security(dice),
            "requestBody": {"content": taken},
            "responses": {"200":
                {"description": "", "headers": heads::headers(dice), "content": content}}}}},
        "components": {"securitySchemes": heads::schemes(), "schemas": {
            "Thing": dice.object(2),
            "Tree": {"type": "object", "properties": {
                "name": dice.schema(0),
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}}}
    })
}

fn message(body: &Value) -> Message {
    let bytes = Bytes::from(body.to_string());
    Message {
        media: MediaType::parse("application/json"),
        wire_bytes: bytes.len() as u64,
        body: Body::Bytes { bytes, truncated: false },
        ..Message::default()
    }
}

fn exchange(dice: &mut Dice, number: u64, (sent, answered): (&Value, &Value)) -> Exchange {
    let statuses = [200, 200, 200, 200, 200, 200, 400, 404, 422, 500];
    Exchange {
        id: format!("{number:032}"),
        api: "things".into(),
        time_ms: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0) * 20_000,
        duration_us: 1_000,
        outcome: Outcome::Ok,
        own_test: false,
        weight: 1,
        consumer: dice.below(4),
        secure: false,
        host: None,
        authority: None,
        method: "POST".to_owned(),
        path: "/things".to_owned(),
        query: None,
        credentials: Vec::new(),
        request: message(sent),
        status: statuses[usize::try_from(dice.below(10)).unwrap_or(0)],
        response: message(answered),
        plan: Arc::new(Plan::new(&[], &[], &["*.note".to_owned(), "name.id".to_owned()])),
    }
}

/// Everything that drift would store.
fn state(drift: &mut Drift) -> String {
    format!("{:?}\n{:?}", drift.changed(), drift.memory())
}

/// Judges the exchanges of one random contract both ways, with random heads or all of one; what became of the proofs.
fn compare(seed: u64, dress: bool) -> ProofCounts {
    let mut dice = Dice(seed);
    let document = document(&mut dice);
    let baseline = baseline(&document).also(if dice.one_in(3) { &ALSO } else { &[] });
    let schema = document
        .pointer("/paths/~1things~1{id}/post/requestBody/content/application~1json/schema")
        .cloned()
        .unwrap_or_default();
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let mut proofs = Proofs::new(HashKey::OFFLINE);
    let options = contract::Options::default();
    let mut proven = Drift::new("things".into(), options.clone());
    let mut full = Drift::new("things".into(), options);
    let bodies: Vec<Value> = (0..24).map(|_| dice.value(&document, &schema, 5)).collect();
    for number in 0..EXCHANGES {
        let mut draw = || {
            let at = usize::try_from(dice.below(24)).unwrap_or(0);
            if dice.one_in(3) { dice.value(&document, &schema, 5) } else { bodies[at].clone() }
        };
        let (sent, answered) = (draw(), draw());
        let mut exchange = exchange(&mut dice, number, (&sent, &answered));
        if dress {
            heads::dress(&mut dice, &mut exchange);
        } else {
            "/things/7".clone_into(&mut exchange.path);
        }
        let observation = observer.observe(&exchange);
        let by_proof = baseline.judge_observed(&exchange, observation, &mut proofs);
        let in_full = baseline.judge(&exchange);
        let told = |judgement: &contract::Judgement| {
            let contract::Judgement { request, reply, effect, deviations, .. } = judgement;
            format!("{request:?} {reply:?} {effect:?} {:?} {deviations:#?}", judgement.refusal())
        };
        assert_eq!(
            told(&by_proof),
            told(&in_full),
            "seed {seed}, exchange {number}\n{document}\n{exchange:?}"
        );
        let transitions = (
            proven.count_observed(&baseline, (&exchange, observation), &by_proof),
            full.count(&baseline, &exchange, &in_full),
        );
        assert_eq!(transitions.0, transitions.1, "seed {seed}, exchange {number}\n{document}");
    }
    assert_eq!(state(&mut proven), state(&mut full), "seed {seed}\n{document}");
    proofs.take_counts()
}

proptest! {
    // `PROPTEST_CASES=54000` judges a million exchanges.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_proof_says_what_judging_says(seed in any::<u64>()) {
        let counts = compare(seed, true);
        prop_assert_eq!(counts.mismatches, 0, "seed {}", seed);
        prop_assert_eq!(counts.skipped, 0);
    }
}

#[test]
fn most_bodies_are_known_by_their_shape() {
    let mut all = ProofCounts::default();
    for seed in 0..16 {
        let counts = compare(seed, false);
        all.hits += counts.hits;
        all.misses += counts.misses;
    }
    assert!(all.hits > 2 * all.misses, "{all:?}");
}

/// A place where bodies of one schema are judged by what is known.
struct Scene {
    baseline: Baseline,
    observer: Observer,
    proofs: Proofs,
    dice: Dice,
}

impl Scene {
    fn new(schema: Value) -> Self {
        let content = json!({"application/json": {"schema": schema}});
        let baseline = baseline(&json!({"openapi": "3.1.0", "paths": {"/things": {"post":
            {"responses": {"200": {"description": "", "content": content}}}}}}));
        let observer = Observer::new(HashKey::OFFLINE, Lens::default());
        Self { baseline, observer, proofs: Proofs::new(HashKey::OFFLINE), dice: Dice(1) }
    }

    fn judge_at(&mut self, answered: &Value, time_ms: i64) -> contract::Judgement {
        let mut exchange = exchange(&mut self.dice, 0, (&Value::Null, answered));
        (exchange.status, exchange.time_ms, exchange.consumer) = (200, time_ms, 1);
        exchange.request = Message::default();
        self.baseline.judge_observed(&exchange, self.observer.observe(&exchange), &mut self.proofs)
    }

    /// What became of bodies judged one after the other, and whether all are valid.
    fn judge(&mut self, bodies: &[Value]) -> (ProofCounts, bool) {
        let valid = bodies.iter().filter(|body| {
            let judgement = self.judge_at(body, 0);
            judgement.reply == contract::Validity::Valid && judgement.deviations.is_empty()
        });
        let valid = valid.count() == bodies.len();
        (self.proofs.take_counts(), valid)
    }

    /// Whether the second body is known by the first one.
    fn is_known(&mut self, first: Value, second: Value) -> bool {
        let (counts, _) = self.judge(&[first, second]);
        counts.hits == 1
    }
}

#[test]
fn only_what_a_keyword_asks_about_is_told_apart() {
    let item = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer", "minimum": 0},
        "state": {"enum": ["new", "paid"]},
        "name": {"type": "string", "maxLength": 5},
        "at": {"type": "string", "format": "date-time"},
        "free": {},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}}}});
    let schema = json!({"type": "array", "items": item, "maxItems": 70});
    for (first, second, known) in [
        (json!([{"id": 1}]), json!([{"id": 2}, {"id": 3}]), true),
        (json!([{"id": 1}]), json!([{"id": -1}]), false),
        (json!([{"id": 1}]), json!([{"id": 1.5}]), false),
        (json!([{"id": 1, "state": "new"}]), json!([{"state": "paid", "id": 1}]), true),
        (json!([{"id": 1, "state": "new"}]), json!([{"id": 1, "state": "sent"}]), false),
        (json!([{"id": 1, "name": "a"}]), json!([{"id": 1, "name": "größe"}]), false),
        (json!([{"id": 1, "name": "abc"}]), json!([{"id": 1, "name": "öä"}]), true),
        (json!([{"id": 1, "name": "abc"}]), json!([{"id": 1, "name": "abcdef"}]), false),
        (json!([{"id": 1, "at": "2024-01-01T00:00:00Z"}]), json!([{"id": 1, "at": "no"}]), false),
        (json!([{"id": 1, "free": [1, {"x": 2}]}]), json!([{"id": 1, "free": "y"}]), true),
        (json!([{"id": 1, "map": {"a": 1, "b": 2}}]), json!([{"id": 1, "map": {"c": 3}}]), true),
        (json!([{"id": 1, "map": {"a": 1}}]), json!([{"id": 1, "map": {"a": "1"}}]), false),
        (json!([{"id": 1}]), json!([{"id": 1, "more": 1}]), false),
        (json!([{"id": 1, "password": 1}]), json!([{"id": 1, "password": "2"}]), false),
    ] {
        let mut scene = Scene::new(schema.clone());
        let told = format!("{first} {second}");
        assert_eq!(scene.is_known(first, second), known, "{told}");
    }
}

#[test]
fn withheld_values_count_by_their_kind_alone() {
    let mut scene = Scene::new(json!({"type": "object", "properties":
        {"password": {"type": "string", "minLength": 4}}}));
    assert!(scene.is_known(json!({"password": "x"}), json!({"password": "a long one"})));
}

#[test]
fn what_deviates_is_known_by_its_exact_form() {
    let mut scene = Scene::new(json!({"type": "array", "items": {"type": "integer"}}));
    let (counts, valid) = scene.judge(&[json!([1, "a"]), json!([2, "b"]), json!(["b", 2])]);
    assert_eq!((counts.hits, counts.misses, valid), (1, 2, false));
    let told = scene.judge_at(&json!([7, "z"]), 0);
    assert_eq!(told.deviations.len(), 1);
    assert_eq!(told.reply, contract::Validity::Invalid);
}

#[test]
fn of_long_arrays_every_eighth_item_is_tested_and_the_rest_is_counted() {
    let mut scene =
        Scene::new(json!({"type": "array", "items": {"type": "integer", "minimum": 0}}));
    let list = |count: i64, bad: Option<i64>| -> Value {
        (0..count).map(|item| if Some(item) == bad { json!(-1) } else { json!(item) }).collect()
    };
    let (counts, valid) = scene.judge(&[list(1_000, None), list(1_000, None)]);
    assert!(valid);
    assert_eq!((counts.misses, counts.hits, counts.unchecked_values), (1, 1, 819));
    // What was left untested proves nothing against what was tested.
    let (counts, valid) = scene.judge(&[list(1_000, Some(64)), list(1_000, None)]);
    assert!(!valid);
    assert_eq!((counts.misses, counts.hits, counts.mismatches), (1, 1, 0));
}

#[test]
fn one_body_in_sixty_four_is_judged_all_the_same() {
    let mut scene = Scene::new(json!({"type": "array", "items": {"type": "integer"}}));
    let bodies: Vec<Value> = (0..640).map(|number| json!([number])).collect();
    let (counts, valid) = scene.judge(&bodies);
    assert!(valid);
    assert_eq!((counts.misses, counts.audits, counts.hits, counts.mismatches), (1, 10, 629, 0));
}

#[test]
fn what_shapes_do_not_prove_is_judged_as_time_allows() {
    let mut scene = Scene::new(json!({"type": "array", "contains": {"type": "integer"}}));
    // A thousand bodies are rare enough for all of the bucket; behind them half of it is kept.
    let body = json!([1]);
    for _ in 0..5_000 {
        scene.judge_at(&body, 1_000);
    }
    let counts = scene.proofs.take_counts();
    assert_eq!(counts.unprovable + counts.skipped, 5_000);
    assert!((1_000..=2_000).contains(&counts.unprovable), "{counts:?}");
    let skipped = scene.judge_at(&body, 1_000).reply;
    assert_eq!(skipped, contract::Validity::Unvalidatable(contract::Reason::Skipped));
    assert_eq!(scene.judge_at(&body, 3_000).reply, contract::Validity::Valid);
}

//! What keeps its contract is never told: random contracts, and exchanges made to keep them, with the noise of real traffic.
//!
//! A [`Kept`] holds a schema with a maker of values that keep it by construction, so that nothing judges itself.

use std::sync::Arc;

use proptest::prelude::ProptestConfig;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::{baseline, exchange, message};
use crate::contract::{self, Drift, Proofs};
use crate::model::exchange::{
    Credential, CredentialKind, CredentialPlace, Exchange, Field, Message, Text,
};
use crate::model::hash::HashKey;
use crate::model::redaction::Plan;
use crate::observe::{Lens, Observer};

/// Exchanges of one contract: 1,024, and 10,000 with `PROPTEST_CASES=2500`.
fn exchanges() -> u64 {
    u64::from(ProptestConfig::default().cases) * 4
}

type Maker = Box<dyn Fn(&mut Dice) -> Value>;

/// A schema, and values that keep it.
struct Kept {
    schema: Value,
    make: Maker,
}

fn kept(schema: Value, make: impl Fn(&mut Dice) -> Value + 'static) -> Kept {
    Kept { schema, make: Box::new(make) }
}

fn scalar(dice: &mut Dice) -> Kept {
    match dice.below(9) {
        0 => kept(json!({"type": "integer", "minimum": 1, "maximum": 90}), |dice| {
            json!(1 + dice.below(90))
        }),
        1 => kept(json!({"type": "number", "multipleOf": 0.5}), |dice| {
            json!(f64::from(u32::try_from(dice.below(99)).unwrap_or(0)) / 2.0)
        }),
        2 => kept(json!({"type": "string", "minLength": 1, "maxLength": 5}), |dice| {
            json!(dice.pick(&["a", "größe", "abcde", "9"]))
        }),
        3 => kept(json!({"type": "string", "format": "date"}), |dice| {
            json!(dice.pick(&["2024-02-29", "1999-12-31"]))
        }),
        4 => kept(json!({"type": "string", "format": "uuid"}), |dice| {
            json!(format!("0190f5c0-0000-7000-8000-{:012x}", dice.below(1 << 40)))
        }),
        5 => kept(json!({"type": "string", "pattern": "^[a-z]+-[0-9]+$"}), |dice| {
            json!(format!("sku-{}", dice.below(1_000)))
        }),
        6 => kept(json!({"enum": ["new", "paid", "sent"]}), |dice| {
            json!(dice.pick(&["new", "paid", "sent"]))
        }),
        7 => kept(json!({"type": "boolean"}), |dice| json!(dice.one_in(2))),
        _ => kept(json!({"type": ["string", "null"]}), |dice| {
            if dice.one_in(2) { Value::Null } else { json!("text") }
        }),
    }
}

fn value(dice: &mut Dice, depth: u64) -> Kept {
    match dice.below(if depth == 0 { 1 } else { 6 }) {
        0 => scalar(dice),
        1 => {
            let Kept { schema, make } = value(dice, depth - 1);
            kept(json!({"type": "array", "items": schema, "maxItems": 30}), move |dice| {
                let count = if dice.one_in(9) { 30 } else { dice.below(4) };
                (0..count).map(|_| make(dice)).collect()
            })
        }
        2 => {
            let Kept { schema, make } = value(dice, depth - 1);
            kept(json!({"type": "object", "additionalProperties": schema}), move |dice| {
                let count = dice.below(4);
                (0..count).map(|_| (format!("key {}", dice.below(999)), make(dice))).collect()
            })
        }
        3 => tagged(dice, depth),
        _ => object(dice, depth),
    }
}

/// One of two objects, told apart by `kind`.
fn tagged(dice: &mut Dice, depth: u64) -> Kept {
    let (cat, dog) = (value(dice, depth - 1), value(dice, depth - 1));
    let branch = |tag: &str, inner: &Kept| {
        json!({"type": "object", "required": ["kind"], "properties":
            {"kind": {"const": tag}, format!("of {tag}"): inner.schema}})
    };
    let schema = json!({"oneOf": [branch("cat", &cat), branch("dog", &dog)]});
    kept(schema, move |dice| {
        let (tag, inner) = if dice.one_in(2) { ("cat", &cat) } else { ("dog", &dog) };
        let mut made = json!({"kind": tag});
        if dice.one_in(2) {
            made[format!("of {tag}")] = (inner.make)(dice);
        }
        made
    })
}

/// An object in two parts of an `allOf`, with a password that nobody reads.
fn object(dice: &mut Dice, depth: u64) -> Kept {
    let names = ["id", "note", "state", "owner"];
    let fields: Vec<(&str, bool, Kept)> =
        names.map(|name| (name, dice.one_in(2), value(dice, depth - 1))).into();
    let part = |fields: &[(&str, bool, Kept)]| {
        let properties: Map<String, Value> =
            fields.iter().map(|(name, _, of)| ((*name).to_owned(), of.schema.clone())).collect();
        let required: Vec<&str> =
            fields.iter().filter(|(_, required, _)| *required).map(|(name, ..)| *name).collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let secret = json!({"properties": {"password": {"type": "string", "minLength": 8}}});
    let schema = json!({"allOf": [part(&fields[..2]), part(&fields[2..]), secret]});
    kept(schema, move |dice| {
        let mut made = Map::new();
        for (name, required, of) in &fields {
            if *required || dice.one_in(2) {
                made.insert((*name).to_owned(), (of.make)(dice));
            }
        }
        if dice.one_in(4) {
            made.insert("password".to_owned(), json!("correct horse"));
        }
        Value::Object(made)
    })
}

/// A contract, and what makes exchanges that keep it.
struct Contract {
    document: Value,
    sent: Kept,
    answered: Kept,
    parameter: Kept,
}

impl Contract {
    fn new(dice: &mut Dice) -> Self {
        let (sent, answered, parameter) = (value(dice, 3), value(dice, 4), scalar(dice));
        let content = |of: &Kept| json!({"application/json": {"schema": of.schema}});
        let document = json!({"openapi": "3.1.0", "paths": {"/things/{id}": {"post": {
            "security": [{"login": []}],
            "parameters": [
                {"in": "path", "name": "id", "required": true, "schema": {"type": "integer"}},
                {"in": "query", "name": "by", "required": true, "schema": parameter.schema},
                {"in": "query", "name": "filter", "style": "deepObject", "schema":
                    {"type": "object", "properties": {"a": {"type": "integer"}}}},
                {"in": "header", "name": "X-Shop", "schema": {"type": "integer"}}],
            "requestBody": {"content": content(&sent)},
            "responses": {
                "200": {"description": "", "content": content(&answered),
                    "headers": {"X-Total": {"required": true, "schema": {"type": "integer"}}}},
                "422": {"description": ""}}}}},
            "components": {"securitySchemes": {"login": {"type": "http", "scheme": "bearer"}}}});
        Self { document, sent, answered, parameter }
    }

    fn exchange(&self, dice: &mut Dice, number: u64) -> Exchange {
        let (sent, answered) = ((self.sent.make)(dice), (self.answered.make)(dice));
        let mut made = exchange(dice, number, (&sent, &answered));
        made.path = format!("/things/{}", dice.below(10_000));
        let by = match (self.parameter.make)(dice) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let filter = ["", "&filter[a]=7", "&filter%5Ba%5D=8", "&utm_source=x&_=17"];
        made.query = Some(format!("by={by}{}", dice.pick(&filter)));
        made.status = 200;
        made.request.fields = fields(&[("x-shop", "7"), ("x-vendor-thing", "a")]);
        made.response.fields = fields(&[("x-total", "12"), ("x-amzn-trace", "b"), ("server", "c")]);
        made.credentials = vec![Credential {
            kind: CredentialKind::Bearer,
            place: CredentialPlace::Header,
            name: "authorization".into(),
        }];
        made.plan = Arc::new(Plan::default());
        self.disturb(dice, &mut made);
        made
    }

    /// What happens in every API and is nobody's drift.
    fn disturb(&self, dice: &mut Dice, made: &mut Exchange) {
        match dice.below(20) {
            0 => (made.status, made.response) = (404, Message::default()),
            1 => {
                (made.status, made.response) = (401, Message::default());
                made.credentials.clear();
            }
            2 => (made.status, made.response) = (429, Message::default()),
            3 => (made.status, made.response) = (503, message(&json!("busy"))),
            // A client that is wrong and is told so.
            4 => {
                (made.status, made.response) = (422, message(&json!({"detail": "no"})));
                made.path = "/things/first".to_owned();
            }
            5 => (made.status, made.response) = (304, Message::default()),
            6 => made.path = format!("/.env.{}", dice.below(9)),
            _ => {}
        }
        if made.path.starts_with("/.env") {
            (made.status, made.response) = (404, Message::default());
        }
    }
}

fn fields(list: &[(&str, &str)]) -> Vec<Field> {
    let field = |(name, value): &(&str, &str)| Field {
        name: (*name).into(),
        value: Text::Plain((*value).into()),
    };
    list.iter().map(field).collect()
}

#[test]
fn exchanges_that_keep_their_contract_give_no_finding() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let contract = Contract::new(&mut dice);
        let baseline = baseline(&contract.document);
        let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
        let mut proofs = Proofs::new(HashKey::OFFLINE);
        let mut drift = Drift::new("things".into(), contract::Options::default());
        for number in 0..exchanges() {
            let exchange = contract.exchange(&mut dice, number);
            let observation = observer.observe(&exchange);
            let judgement = baseline.judge_observed(&exchange, observation, &mut proofs);
            let told = &judgement.deviations;
            assert!(told.is_empty(), "seed {seed}, {number}: {told:#?}\n{}", contract.document);
            drift.count_observed(&baseline, (&exchange, observation), &judgement);
        }
        assert_eq!(drift.changed(), [], "seed {seed}: nothing is known, not even candidates");
        assert_eq!(proofs.take_counts().mismatches, 0);
    }
}

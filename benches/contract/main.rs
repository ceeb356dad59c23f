//! What it costs to hold one exchange against its contract (`spec/contract.md` 3.1).
//!
//! `cargo bench --bench contract`, case `contract_hot`: exchanges of ten operations in two hundred shapes, with parameters, headers
//! and a credential, bodies of 1 to 4 KiB, one thread, from having the observation to having counted it. Every 64th body of a
//! schema, and every 64th head of a message, is judged in full all the same and is part of the mean; figures without those
//! audits stand beside it. `-- --test` runs a few and fails if a proof was wrong
//! or what is known costs allocations.

#![expect(clippy::disallowed_methods, reason = "a bench meets the world itself")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use driftgate::contract::{self, Baseline, Drift, LoadOptions, Proofs};
use driftgate::model::capture::Outcome;
use driftgate::model::exchange::{
    Body, Credential, CredentialKind, CredentialPlace, Exchange, Field, Message, Text,
};
use driftgate::model::hash::HashKey;
use driftgate::model::media::MediaType;
use driftgate::model::redaction::Plan;
use driftgate::model::revision::{Origin, RevisionId};
use driftgate::observe::{Lens, Observer};
use driftgate_counting::{Counting, allocations};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const OPERATIONS: usize = 10;
const SHAPES: usize = 200;

/// Ten lists of things with twelve optional fields each.
fn document() -> Value {
    let fields = (0..12).map(|field| {
        let schema = match field % 4 {
            0 => json!({"type": "string", "maxLength": 64}),
            1 => json!({"type": "integer", "minimum": 0}),
            2 => json!({"enum": ["new", "paid", "sent"]}),
            _ => json!({"type": "array", "items": {"type": "number"}}),
        };
        (format!("field{field}"), schema)
    });
    let thing = json!({"type": "object", "required": ["id"], "properties":
        fields.chain([("id".to_owned(), json!({"type": "integer"}))]).collect::<serde_json::Map<_, _>>()});
    let operation = |_| {
        json!({"get": {
            "security": [{"login": []}],
            "parameters": [
                {"in": "path", "name": "id", "required": true, "schema": {"type": "integer"}},
                {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 1000}},
                {"in": "query", "name": "order", "schema": {"enum": ["up", "down"]}},
                {"in": "header", "name": "X-Shop", "schema": {"type": "string", "maxLength": 20}}],
            "responses": {"200": {"description": "",
                "headers": {"X-Total": {"required": true, "schema": {"type": "integer"}}},
                "content": {"application/json":
                    {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}}}}})
    };
    let paths: serde_json::Map<String, Value> =
        (0..OPERATIONS).map(|index| (format!("/things{index}/{{id}}"), operation(index))).collect();
    json!({"openapi": "3.1.0", "paths": paths, "components": {
        "securitySchemes": {"login": {"type": "http", "scheme": "bearer"}}, "schemas": {"Thing": thing}}})
}

/// Fields as clients and servers send them.
fn fields(list: &[(&str, &str)]) -> Vec<Field> {
    let field = |(name, value): &(&str, &str)| Field {
        name: (*name).into(),
        value: Text::Plain((*value).into()),
    };
    list.iter().map(field).collect()
}

/// The shape decides which fields there are and how many things; the number decides the values.
fn body(shape: usize, number: usize) -> Value {
    let thing = |index: usize| {
        let mut thing = json!({"id": number + index});
        for field in (0..12_usize).filter(|field| !(shape + field).is_multiple_of(3)) {
            thing[format!("field{field}")] = match field % 4 {
                0 => json!(format!("a text about thing {number}")),
                1 => json!(number),
                2 => json!("paid"),
                _ => json!([1.5, number]),
            };
        }
        thing
    };
    Value::Array((0..6 + shape % 10).map(thing).collect())
}

fn exchange(number: usize) -> Exchange {
    let shape = number % SHAPES;
    let bytes = Bytes::from(body(shape, number).to_string());
    let response = Message {
        media: MediaType::parse("application/json"),
        wire_bytes: bytes.len() as u64,
        body: Body::Bytes { bytes, truncated: false },
        fields: fields(&[
            ("content-type", "application/json"),
            ("date", "Tue, 01 Oct 2024 10:00:00 GMT"),
            ("server", "things"),
            ("x-total", &number.to_string()),
            ("vary", "accept"),
        ]),
        ..Message::default()
    };
    let request = Message {
        fields: fields(&[
            ("host", "things.example"),
            ("user-agent", "bench"),
            ("accept", "application/json"),
            ("x-shop", "north"),
            ("authorization", ""),
        ]),
        ..Message::default()
    };
    let credential = Credential {
        kind: CredentialKind::Bearer,
        place: CredentialPlace::Header,
        name: "authorization".into(),
    };
    Exchange {
        id: format!("{number:032}"),
        api: "things".into(),
        time_ms: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0) * 10,
        duration_us: 1_000,
        outcome: Outcome::Ok,
        own_test: false,
        weight: 1,
        consumer: (number % 7) as u64,
        secure: false,
        host: None,
        authority: None,
        method: "GET".to_owned(),
        path: format!("/things{}/{number}", shape % OPERATIONS),
        query: Some(format!("limit={}&order=up", number % 1_000)),
        credentials: vec![credential],
        request,
        status: 200,
        response,
        plan: Arc::new(Plan::default()),
    }
}

/// What one exchange took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    allocations: u64,
    /// A body or a head was judged in full.
    audited: bool,
}

/// Judges and counts so many exchanges, the first `warm` ones unmeasured; how many proofs were wrong.
fn run(warm: usize, count: usize) -> (Vec<Cost>, u64) {
    let loaded = contract::load(&document().to_string(), &LoadOptions::default());
    let Ok((specification, _)) = loaded else { return (Vec::new(), 1) };
    let revision = RevisionId::of(&specification.document);
    let baseline = Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/");
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let mut proofs = Proofs::new(HashKey::OFFLINE);
    let mut drift = Drift::new("things".into(), contract::Options::default());
    let mut costs = Vec::with_capacity(count);
    let mut mismatches = 0;
    for number in 0..warm + count {
        let exchange = exchange(number);
        let observation = observer.observe(&exchange);
        let before = allocations();
        let begun = Instant::now();
        let judgement = baseline.judge_observed(&exchange, observation, &mut proofs);
        let told = drift.count_observed(&baseline, (&exchange, observation), &judgement);
        drop(judgement);
        let time = begun.elapsed();
        let counts = proofs.take_counts();
        mismatches += counts.mismatches;
        if number >= warm {
            let audited = counts.audits + counts.misses + counts.unprovable > 0;
            costs.push(Cost { time, allocations: allocations() - before, audited });
        }
        assert!(told.is_empty(), "what is documented is told: {told:?}");
    }
    (costs, mismatches)
}

/// Prints one line of the table.
fn tell(name: &str, costs: &[Cost]) {
    let mut times: Vec<Duration> = costs.iter().map(|cost| cost.time).collect();
    times.sort_unstable();
    let at = |part: usize| {
        let time = times.get((times.len().max(1) - 1) * part / 100).copied().unwrap_or_default();
        time.as_secs_f64() * 1e6
    };
    let each = f64::from(u32::try_from(costs.len().max(1)).unwrap_or(u32::MAX));
    let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e6 / each;
    let allocations: u64 = costs.iter().map(|cost| cost.allocations).sum();
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    let allocations = allocations as f64 / each;
    println!(
        "{name:28} {:>7} exchanges, mean {mean:>6.2} us, p50 {:>6.2} us, p99 {:>6.2} us, {allocations:>7.2} allocations",
        costs.len(),
        at(50),
        at(99)
    );
}

fn main() -> ExitCode {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (warm, count) = if is_test { (1_000, 2_000) } else { (20_000, 100_000) };
    let (costs, mismatches) = run(warm, count);
    let (audited, known): (Vec<Cost>, Vec<Cost>) = costs.iter().partition(|cost| cost.audited);
    tell("contract_hot", &costs);
    tell("contract_hot: known", &known);
    tell("contract_hot: judged in full", &audited);
    let allocations: u64 = known.iter().map(|cost| cost.allocations).sum();
    if mismatches > 0 || known.len() * 10 < costs.len() * 9 {
        println!("{mismatches} proofs were wrong, {} of {} known", known.len(), costs.len());
        return ExitCode::FAILURE;
    }
    // The tables of windows and payloads grow now and then.
    if allocations * 100 > known.len() as u64 {
        println!("{allocations} allocations for {} known exchanges", known.len());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

//! What it costs to hold one exchange against its contract (`spec/contract.md` 3.1).
//!
//! `cargo bench --bench contract` judges and counts exchanges of ten operations in two hundred shapes, bodies of 1 to 4 KiB,
//! one thread. Owns the figures and nothing else: the page names what they should be. `-- --test` runs a few.

#![expect(clippy::disallowed_methods, reason = "a bench meets the world itself")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use driftgate::contract::{self, Baseline, Drift, LoadOptions};
use driftgate::model::capture::Outcome;
use driftgate::model::exchange::{Body, Exchange, Message};
use driftgate::model::media::MediaType;
use driftgate::model::redaction::Plan;
use driftgate::model::revision::{Origin, RevisionId};
use serde_json::{Value, json};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        json!({"get": {"responses": {"200": {"description": "", "content": {"application/json":
            {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}}}}})
    };
    let paths: serde_json::Map<String, Value> =
        (0..OPERATIONS).map(|index| (format!("/things{index}/{{id}}"), operation(index))).collect();
    json!({"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"Thing": thing}}})
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
        ..Message::default()
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
        query: None,
        credentials: Vec::new(),
        request: Message::default(),
        status: 200,
        response,
        plan: Arc::new(Plan::default()),
    }
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (warm, count) = if is_test { (200, 400) } else { (5_000, 100_000) };
    let loaded = contract::load(&document().to_string(), &LoadOptions::default());
    let Ok((specification, _)) = loaded else { return println!("the document does not load") };
    let revision = RevisionId::of(&specification.document);
    let baseline = Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/");
    let mut drift = Drift::new("things".into(), contract::Options::default());
    let mut spent: Vec<Duration> = Vec::with_capacity(count);
    for number in 0..warm + count {
        let exchange = exchange(number);
        let begun = Instant::now();
        let judgement = baseline.judge(&exchange);
        let told = drift.count(&baseline, &exchange, &judgement);
        if number >= warm {
            spent.push(begun.elapsed());
        }
        assert!(told.is_empty(), "what is documented is told: {told:?}");
    }
    spent.sort_unstable();
    let total: Duration = spent.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a count of exchanges")]
    let mean = total.as_secs_f64() * 1e6 / count as f64;
    let at = |part: usize| spent[(count - 1) * part / 100].as_secs_f64() * 1e6;
    println!(
        "contract_hot: {count} exchanges, mean {mean:.1} us, p50 {:.1} us, p99 {:.1} us",
        at(50),
        at(99)
    );
}

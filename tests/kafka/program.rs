//! The whole program over a real broker: killed at random twenty times while the broker goes away twice, and no event that
//! it acknowledged is missing from the topic.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::process::http::try_request;
use super::process::sidecar::{Builder, Sidecar};
use super::process::upstream::{Upstream, answer};
use super::support::broker::Broker;
use super::support::reader::{Topic, read};

const EVENTS: usize = 10_000;
const BATCH: usize = 50;
const KILLS: usize = 20;
/// Orders, and so keys, of the events.
const KEYS: usize = 25;

fn event(number: usize) -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("event-{number}"),
        "source": "/shop",
        "type": "order_placed",
        "partitionkey": format!("order-{}", number % KEYS),
        "time": "2026-03-01T10:00:00Z",
        "data": { "number": number },
    })
}

fn token(sidecar: &Sidecar) -> String {
    let text = std::fs::read_to_string(sidecar.data().join("admin-token")).expect("the token");
    format!("Bearer {}", text.trim())
}

/// Posts batches until the program is gone or everything is posted; the numbers that were acknowledged.
fn post(sidecar: &Sidecar, next: &AtomicUsize, stop: &AtomicBool) -> Vec<usize> {
    let bearer = token(sidecar);
    let fields = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/cloudevents-batch+json"),
    ];
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let from = next.fetch_add(BATCH, Ordering::Relaxed);
        if from >= EVENTS {
            return acknowledged;
        }
        let numbers = from..from + BATCH;
        let batch = Value::Array(numbers.clone().map(event).collect()).to_string();
        loop {
            match try_request(sidecar.admin, "POST", "/v1/events", &fields, batch.as_bytes()) {
                Ok(reply) if reply.status() == 202 => {
                    acknowledged.extend(numbers);
                    break;
                }
                // Over the rate of the intake: the same batch again, as any client would.
                Ok(reply) if reply.status() == 429 => std::thread::sleep(Duration::from_millis(50)),
                Ok(reply) => panic!("refused with {}: {}", reply.status(), reply.text()),
                Err(_) => return acknowledged,
            }
        }
    }
    acknowledged
}

fn config(upstream: &str, broker: &str) -> String {
    format!(
        "apis:\n  - {{ name: api, upstream: \"{upstream}\" }}\n\
         kafka: {{ brokers: [\"{broker}\"], topic_prefix: \"program.\" }}\n"
    )
}

fn start(folder: Option<&Sidecar>, config: &str) -> Sidecar {
    let builder = Builder::bare().section(config);
    match folder {
        Some(former) => builder.in_folder(&former.folder).start(),
        None => builder.start(),
    }
}

/// Ten thousand events; the broker is killed and started again twice, driftgate is killed twenty times.
#[test]
fn p3_no_acknowledged_event_is_missing_over_twenty_kills_and_two_outages_of_the_broker() {
    let mut broker = Broker::start();
    let upstream = Upstream::start(|_| answer(200, &[], &[]));
    let config = config(&upstream.url(), &broker.address());
    let next = AtomicUsize::new(0);
    let mut acknowledged = Vec::new();
    let mut sidecar = start(None, &config);
    for round in 0..KILLS {
        match round {
            4 | 12 => broker.kill(),
            8 | 16 => broker.run(),
            _ => {}
        }
        let stop = AtomicBool::new(false);
        // How much passes before the kill differs by round, and so does what the kill interrupts.
        let goal = next.load(Ordering::Relaxed) + 300 + round * 17 % 150;
        std::thread::scope(|scope| {
            let poster = scope.spawn(|| post(&sidecar, &next, &stop));
            super::process::eventually("events are posted", || {
                (next.load(Ordering::Relaxed) >= goal.min(EVENTS)).then_some(())
            });
            sidecar.signal(rustix::process::Signal::KILL);
            acknowledged.extend(poster.join().expect("the poster"));
            stop.store(true, Ordering::Release);
        });
        sidecar.kill();
        sidecar = start(Some(&sidecar), &config);
    }
    acknowledged.extend(post(&sidecar, &next, &AtomicBool::new(false)));
    let topic = drained(&sidecar, &broker, acknowledged.len());
    complete(&topic, &acknowledged);
    println!(
        "{} events acknowledged, {} records, none missing",
        acknowledged.len(),
        topic.records.len()
    );
}

/// The topic once the relay has nothing left to send.
fn drained(sidecar: &Sidecar, broker: &Broker, events: usize) -> Topic {
    super::support::eventually(
        "the relay has sent everything",
        Duration::from_secs(120),
        || sidecar.get("/v1/health").to_string(),
        |health| {
            let health: Value = serde_json::from_str(health).unwrap_or_default();
            let parts = health["parts"].as_array().cloned().unwrap_or_default();
            parts.iter().any(|part| {
                part["name"] == "bus" && part["state"] == "ok" && part["numbers"]["lag_events"] == 0
            })
        },
    );
    let topic = read(&broker.address(), "program.events");
    assert!(topic.records.len() >= events, "{} records for {events} events", topic.records.len());
    topic
}

/// Every acknowledged event is there with its key and attributes.
fn complete(topic: &Topic, acknowledged: &[usize]) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, record) in topic.records.iter().enumerate() {
        if let Some(id) = record.header("ce_id") {
            found.insert(id, index);
        }
    }
    for number in acknowledged {
        let id = format!("event-{number}");
        let record = found.get(id.as_str()).map(|index| &topic.records[*index]);
        let record = record.unwrap_or_else(|| panic!("{id} was acknowledged and is missing"));
        assert_eq!(
            record.key.as_deref(),
            Some(format!("order-{}", number % KEYS).as_str()),
            "{id}"
        );
        assert_eq!(
            Some(record.partition),
            record.belongs,
            "{id}: Java's producers choose another partition"
        );
        for (name, value) in
            [("ce_type", "order_placed"), ("ce_source", "/shop"), ("ce_specversion", "1.0")]
        {
            assert_eq!(record.header(name), Some(value), "{id}: {name}");
        }
        assert_eq!(
            record.value.as_deref(),
            Some(format!("{{\"number\":{number}}}").as_str()),
            "{id}"
        );
    }
}

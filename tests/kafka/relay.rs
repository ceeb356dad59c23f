//! The relay over a broker that is not there yet, stopped, killed and started again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use driftgate::bus::kafka::{Handle as Relay, Start, start};
use driftgate::bus::{Handle as Bus, KafkaOptions, Matcher};
use driftgate::events::cloudevent::{Binding, headers};
use driftgate::model::event::Event;
use driftgate::runtime::clock::Clock;
use driftgate::runtime::shutdown::Stage;
use driftgate::runtime::supervise::Panics;
use driftgate::store;
use tempfile::TempDir;

use super::support::broker::Broker;
use super::support::eventually;
use super::support::reader::{Topic, read};

/// Operations, and so keys, of the events.
const KEYS: usize = 40;

/// Store, bus and relay of one process.
struct Sidecar {
    _folder: TempDir,
    store: store::Handle,
    bus: Bus,
    relay: Relay,
    stage: Stage,
    clock: Clock,
    options: KafkaOptions,
}

impl Sidecar {
    fn new(broker: &str, prefix: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::real();
        let options = store::Options::default();
        let (store, _service) =
            store::open(folder.path(), &options, clock.clone(), Panics::default()).expect("opened");
        let nobody: Vec<Arc<dyn Matcher>> = Vec::new();
        let bus = Bus::new(store.clone(), clock.clone(), "one", Arc::new(nobody));
        let options = KafkaOptions {
            brokers: vec![broker.to_owned()],
            topic_prefix: prefix.to_owned(),
            ..KafkaOptions::default()
        };
        let stage = Stage::default();
        let relay = relay(&store, &options, &clock, &stage);
        Self { _folder: folder, store, bus, relay, stage, clock, options }
    }

    /// Publishes events number `from` to `to` (exclusive), a hundred in each commit.
    fn publish(&self, from: usize, to: usize) {
        let numbers: Vec<usize> = (from..to).collect();
        for chunk in numbers.chunks(100) {
            let events = chunk.iter().map(|number| event(*number)).collect();
            self.bus.publish_blocking(events, Vec::new()).expect("published");
        }
    }

    fn until_relayed(&self) {
        let look = || self.relay.health();
        eventually("everything is relayed", Duration::from_mins(2), look, |health| {
            health.lag_events == 0 && health.reachable && health.problem.is_none()
        });
    }

    /// Stops the relay and starts another on the same store.
    fn restart_relay(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let stage = std::mem::take(&mut self.stage);
        runtime
            .expect("a runtime")
            .block_on(stage.finish(&self.clock, Duration::from_secs(20)))
            .expect("the relay ends in time");
        self.relay = relay(&self.store, &self.options, &self.clock, &self.stage);
    }

    /// What was committed, row by row.
    fn committed(&self) -> Vec<Event> {
        let rows = self.store.read_blocking(|reader| reader.events_after(0, 100_000));
        rows.expect("read").into_iter().map(|row| row.event).collect()
    }
}

fn relay(store: &store::Handle, options: &KafkaOptions, clock: &Clock, stage: &Stage) -> Relay {
    start(Start {
        store: store.clone(),
        options,
        clock: clock.clone(),
        panics: Panics::default(),
        shutdown: stage.watch(),
        guard: stage.guard("relay"),
    })
    .expect("started")
}

fn event(number: usize) -> Event {
    let subject = format!("GET /orders/{}", number % KEYS);
    Event {
        id: format!("event-{number}"),
        source: "/driftgate/apis/orders".to_owned(),
        kind: "contract.drift.opened".to_owned(),
        subject: Some(subject.clone()),
        time_ms: 1_700_000_000_000,
        recorded_ms: 0,
        dataschema: Some("/v1/schemas/contract.drift.opened/1".to_owned()),
        partitionkey: format!("orders {subject}"),
        sequence: 0,
        instance: String::new(),
        correlationid: format!("event-{number}"),
        causationid: None,
        chaindepth: 0,
        chainpath: String::new(),
        traceparent: None,
        exchangeid: Some(format!("exchange-{number}")),
        severitytext: Some("high".to_owned()),
        eventcode: None,
        testevent: false,
        data: format!("{{ \"number\":{number}, \"b\":1.0,\"a\":1e400, \"t\":\"Ü😀\" }}").into(),
    }
}

/// Every committed event is there with its key, its CloudEvents headers and its data byte for byte, where its key belongs.
fn assert_complete(committed: &[Event], topic: &Topic) {
    let known: BTreeMap<&str, &Event> =
        committed.iter().map(|event| (event.id.as_str(), event)).collect();
    let mut seen = BTreeSet::new();
    for record in &topic.records {
        let id = record.header("ce_id").expect("an id");
        let event = known.get(id).expect("one of ours");
        assert_eq!(record.key.as_deref(), Some(event.partitionkey.as_str()));
        assert_eq!(Some(record.partition), record.belongs, "where Java's producers would put it");
        assert_eq!(record.value.as_deref(), Some(&*event.data), "byte for byte");
        assert_eq!(record.headers, headers(event, Binding::Kafka));
        assert_eq!(record.header("ce_specversion"), Some("1.0"));
        assert_eq!(record.header("ce_type"), Some(event.kind.as_str()));
        assert_eq!(record.header("content-type"), Some("application/json"));
        seen.insert(id);
    }
    let missing: Vec<_> = known.keys().filter(|id| !seen.contains(*id)).take(5).collect();
    assert!(
        missing.is_empty(),
        "{} of {} missing: {missing:?}",
        known.len() - seen.len(),
        known.len()
    );
}

/// Of each key the events come in the order of their commits; an event that comes again counts where it came first.
fn assert_ordered(topic: &Topic) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for record in &topic.records {
        let sequence: u64 = record.header("ce_sequence").expect("there").parse().expect("digits");
        if seen.insert(sequence) {
            let before = last.insert(record.key.as_deref().expect("a key"), sequence);
            assert!(before < Some(sequence), "{before:?} before {sequence}");
        }
    }
}

#[test]
fn no_event_is_lost_or_out_of_order_while_the_broker_is_away_stopped_and_killed() {
    let mut broker = Broker::prepare();
    // Nobody is there yet: driftgate starts all the same and says so.
    let sidecar = Sidecar::new(&broker.address(), "outage.");
    sidecar.publish(0, 500);
    let named = |health: &driftgate::bus::kafka::RelayHealth| {
        health.problem.as_ref().is_some_and(|problem| problem.contains(&broker.address()))
    };
    eventually("the broker is missed", Duration::from_secs(30), || sidecar.relay.health(), named);
    broker.run();
    sidecar.until_relayed();

    sidecar.publish(500, 1_000);
    broker.suspend();
    sidecar.publish(1_000, 6_000);
    assert!(sidecar.relay.health().lag_events > 0, "it could not have got there");
    broker.resume();
    sidecar.publish(6_000, 6_500);

    broker.kill();
    sidecar.publish(6_500, 9_500);
    assert!(sidecar.relay.health().lag_events >= 3_000, "it could not have got there");
    broker.run();
    sidecar.publish(9_500, 10_000);
    sidecar.until_relayed();

    let topic = read(&broker.address(), "outage.events");
    assert_eq!(topic.partitions, 12);
    let committed = sidecar.committed();
    assert_eq!(committed.len(), 10_000);
    assert_complete(&committed, &topic);
    assert_ordered(&topic);
}

#[test]
fn another_relay_goes_on_where_the_former_one_stopped() {
    let broker = Broker::start();
    let mut sidecar = Sidecar::new(&broker.address(), "handover.");
    for round in 0..4 {
        // The relay is stopped wherever it happens to be.
        sidecar.publish(round * 700, (round + 1) * 700);
        sidecar.restart_relay();
    }
    sidecar.until_relayed();
    let topic = read(&broker.address(), "handover.events");
    assert_complete(&sidecar.committed(), &topic);
    assert_ordered(&topic);
    assert_eq!(topic.records.len(), 2_800, "an orderly stop repeats nothing");
}

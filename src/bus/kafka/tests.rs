//! The window against a model; the relay against librdkafka's mock cluster, which proves faults and neither loss nor volume.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::window::Window;
use super::*;
use crate::bus::RELAY_CURSOR;
use crate::bus::tests::{event, store_in};
use crate::model::delivery::Matches;
use crate::runtime::shutdown::Stage;
use crate::store::Change;

proptest! {
    #[test]
    fn the_cursor_is_the_highest_row_before_which_all_are_acknowledged(
        gaps in proptest::collection::vec(1..3_i64, 1..60),
        order in proptest::collection::vec(any::<(prop::sample::Index, bool)>(), 0..120),
    ) {
        let rows: Vec<i64> = gaps.iter().scan(10, |row, gap| { *row += gap; Some(*row) }).collect();
        let mut window = Window::after(10);
        for row in &rows {
            window.sent(*row, *row);
        }
        let (mut acknowledged, mut answered) = (BTreeSet::new(), BTreeSet::new());
        for (index, refuse) in order {
            let row = *index.get(&rows);
            if refuse {
                window.refused(row);
            } else {
                window.acknowledged(row);
            }
            // The first answer counts.
            if answered.insert(row) && !refuse {
                acknowledged.insert(row);
            }
            let whole = rows.iter().take_while(|row| acknowledged.contains(row)).last();
            prop_assert_eq!(window.cursor(), *whole.unwrap_or(&10));
            prop_assert_eq!(window.unanswered(), rows.len() - answered.len());
        }
    }
}

/// A relay to a cluster, over a store of its own.
struct Fixture {
    _folder: tempfile::TempDir,
    store: store::Handle,
    relay: Handle,
    stage: Stage,
    clock: Clock,
}

impl Fixture {
    fn new(brokers: &str, create_topics: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::real();
        let store = store_in(folder.path(), clock.clone());
        let options = KafkaOptions {
            brokers: vec![brokers.to_owned()],
            create_topics,
            properties: [("reconnect.backoff.max.ms".to_owned(), "100".to_owned())].into(),
            ..KafkaOptions::default()
        };
        let stage = Stage::default();
        let relay = start(Start {
            store: store.clone(),
            options: &options,
            clock: clock.clone(),
            panics: Panics::default(),
            shutdown: stage.watch(),
            guard: stage.guard("relay"),
        })
        .expect("it starts whether or not a broker is there");
        Self { _folder: folder, store, relay, stage, clock }
    }

    fn publish(&self, count: usize) {
        let changes = (0..count).map(|number| {
            let event = event(&format!("{number}"), &format!("whk_{}", number % 7));
            Change::event(event, Matches::default())
        });
        self.store.commit_blocking(changes.collect()).expect("committed");
    }

    /// Waits until the relay is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&RelayHealth) -> bool) {
        let begun = self.clock.monotonic_ns();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        while !wanted(&self.relay.health()) {
            let health = self.relay.health();
            assert!(self.clock.monotonic_ns() - begun < 30_000_000_000, "{what}: {health:?}");
            runtime.block_on(self.clock.sleep(Duration::from_millis(10)));
        }
    }

    fn stop(self) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime
            .block_on(self.stage.finish(&self.clock, Duration::from_secs(20)))
            .expect("the relay ends in time");
        runtime.block_on(self.store.close());
    }
}

fn cluster() -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic("driftgate.events", 4, 1).expect("a topic");
    cluster
}

#[test]
fn without_a_broker_it_starts_and_says_so_in_one_sentence() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let nobody = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let fixture = Fixture::new(&nobody, true);
    fixture.publish(3);
    let named =
        |health: &RelayHealth| health.problem.as_ref().is_some_and(|it| it.contains(&nobody));
    fixture.until("the problem names the address", named);
    let health = fixture.relay.health();
    assert!(!health.reachable && health.lag_events == 3, "{health:?}");
    assert!(health.problem.is_some_and(|it| it.contains("start it or correct `kafka.brokers`")));
    fixture.stop();
}

#[test]
fn events_are_relayed_and_the_cursor_follows() {
    let cluster = cluster();
    let fixture = Fixture::new(&cluster.bootstrap_servers(), false);
    fixture.publish(1_000);
    fixture.until("all are relayed", |health| health.lag_events == 0);
    let health = fixture.relay.health();
    assert!(health.reachable && health.problem.is_none() && health.lag_ms == 0, "{health:?}");
    let store = fixture.store.clone();
    let cursor = || store.read_blocking(|reader| reader.cursor(RELAY_CURSOR)).expect("read");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("one");
    runtime
        .block_on(fixture.stage.finish(&fixture.clock, Duration::from_secs(20)))
        .expect("the relay ends in time");
    assert_eq!(cursor(), Some(1_000));
    runtime.block_on(store.close());
}

#[test]
fn what_is_refused_once_is_sent_again() {
    let cluster = cluster();
    let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 2];
    cluster.request_errors(RDKafkaApiKey::Produce, &refusals);
    let fixture = Fixture::new(&cluster.bootstrap_servers(), false);
    fixture.publish(500);
    fixture.until("all are relayed after all", |health| health.lag_events == 0);
    fixture.stop();
}

#[test]
fn a_broker_that_goes_and_comes_back_costs_time_alone() {
    let cluster = cluster();
    let fixture = Fixture::new(&cluster.bootstrap_servers(), false);
    fixture.publish(10);
    fixture.until("the first are relayed", |health| health.lag_events == 0);
    cluster.broker_down(1).expect("down");
    fixture.until("it is noticed", |health| !health.reachable && health.problem.is_some());
    let more = (0..10)
        .map(|number| Change::event(event(&format!("late-{number}"), "whk_a"), Matches::default()));
    fixture.store.commit_blocking(more.collect()).expect("committed");
    cluster.broker_up(1).expect("up");
    fixture.until("the rest is relayed", |health| health.lag_events == 0 && health.reachable);
    fixture.stop();
}

#[test]
fn a_missing_topic_that_may_not_be_created_is_named() {
    let cluster: MockCluster<'static, rdkafka::producer::DefaultProducerContext> =
        MockCluster::new(1).expect("a mock cluster");
    let fixture = Fixture::new(&cluster.bootstrap_servers(), false);
    let named = |health: &RelayHealth| {
        health.problem.as_ref().is_some_and(|it| it.contains("`driftgate.events` does not exist"))
    };
    fixture.until("the topic is named", named);
    cluster.create_topic("driftgate.events", 4, 1).expect("a topic");
    fixture.publish(10);
    fixture.until("it goes on once it is there", |health| health.lag_events == 0);
    fixture.stop();
}

#[test]
fn librdkafka_is_asked_about_properties() {
    let properties = [
        ("linger.ms".to_owned(), "soon".to_owned()),
        ("no.such.setting".to_owned(), "1".to_owned()),
        ("security.protocol".to_owned(), "SASL_SSL".to_owned()),
        ("sasl.mechanism".to_owned(), "SCRAM-SHA-512".to_owned()),
    ];
    let mut problems = Problems::default();
    check_properties(&properties.into(), &mut problems);
    let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(places, ["/properties/linger.ms", "/properties/no.such.setting"]);
}

#[test]
fn binding_settings_win_over_everything() {
    let properties =
        [("acks".to_owned(), "0".to_owned()), ("linger.ms".to_owned(), "9".to_owned())];
    let options = KafkaOptions { properties: properties.into(), ..KafkaOptions::default() };
    let settings = client::settings(&options);
    assert_eq!(settings.get("acks"), Some("all"));
    assert_eq!(settings.get("message.timeout.ms"), Some("0"));
    assert_eq!(settings.get("linger.ms"), Some("9"));
    assert_eq!(settings.get("compression.type"), Some("zstd"));
}

//! Publishing: stamped, matched, committed together; and the options of the relay.

use std::path::Path;

use super::*;
use crate::model::delivery::State;
use crate::model::problem::Problems;
use crate::runtime::supervise::Panics;
use crate::store::{Stored, open};

const NOW_MS: i64 = 1_700_000_000_000;

/// Sends events whose subject names a destination to it, and skips its own name otherwise.
struct Named(&'static str);

impl Matcher for Named {
    fn matches(&self, event: &Event) -> Matches {
        assert_eq!((event.recorded_ms, event.instance.as_str()), (NOW_MS, "one"), "stamped first");
        if event.subject.as_deref().is_some_and(|subject| subject.contains(self.0)) {
            return Matches { deliveries: vec![self.0.to_owned()], skips: Vec::new() };
        }
        let skip = Skip {
            destination: self.0.to_owned(),
            reason: SkipReason::FilterFalse,
            detail: String::new(),
        };
        Matches { deliveries: Vec::new(), skips: vec![skip] }
    }
}

pub(super) fn store_in(folder: &Path, clock: Clock) -> store::Handle {
    open(folder, &store::Options::default(), clock, Panics::default()).expect("opened").0
}

pub(super) fn event(id: &str, subject: &str) -> Event {
    Event {
        id: id.to_owned(),
        source: "/driftgate/apis/orders".to_owned(),
        kind: "contract.drift.opened".to_owned(),
        subject: Some(subject.to_owned()),
        time_ms: 7,
        recorded_ms: 0,
        dataschema: None,
        partitionkey: format!("orders {subject}"),
        sequence: 0,
        instance: String::new(),
        correlationid: id.to_owned(),
        causationid: None,
        chaindepth: 0,
        chainpath: String::new(),
        traceparent: None,
        exchangeid: None,
        severitytext: None,
        eventcode: None,
        testevent: false,
        data: "{\"z\":1, \"a\":1.0}".into(),
    }
}

#[tokio::test]
async fn events_are_stamped_matched_and_committed_with_what_goes_with_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (clock, _hands) = Clock::standing_at(NOW_MS);
    let store = store_in(folder.path(), clock.clone());
    let both: Vec<Arc<dyn Matcher>> = vec![Arc::new(Named("whk_a")), Arc::new(Named("act_b"))];
    let bus = Handle::new(store.clone(), clock, "one", Arc::new(both));
    let mut committed = bus.committed();

    let also = vec![Change::Cursor { name: "test", position: 4 }];
    let events = vec![event("1", "whk_a act_b"), event("2", "act_b")];
    let receipt = bus.publish(events, also).await.expect("published");
    assert_eq!(receipt.events, [Stored::New(1), Stored::New(2)]);
    assert_eq!(*committed.borrow_and_update(), 2);
    store
        .read(|reader| {
            let fates = [reader.fate(1)?, reader.fate(2)?];
            assert_eq!(fates.each_ref().map(|fate| fate.deliveries.len()), [2, 1]);
            assert_eq!(fates.each_ref().map(|fate| fate.skips.len()), [0, 1]);
            let delivery = &fates[1].deliveries[0];
            assert_eq!(delivery.destination, "act_b");
            assert_eq!((delivery.state, delivery.due_ms), (State::Created, NOW_MS));
            let stored = reader.event(2)?.expect("there").event;
            assert_eq!((stored.sequence, stored.recorded_ms), (2, NOW_MS));
            assert_eq!(reader.cursor("test")?, Some(4));
            Ok(())
        })
        .await
        .expect("read");

    // A conflict takes everything that was to go with it.
    let conflict = Event { data: "{}".into(), ..event("1", "whk_a act_b") };
    let also = vec![Change::Cursor { name: "test", position: 9 }];
    let refused = bus.publish(vec![event("3", ""), conflict], also).await;
    assert!(matches!(refused, Err(store::Error::Conflict { .. })), "{refused:?}");
    assert!(!committed.has_changed().expect("open"));
    let cursor = store.read(|reader| reader.cursor("test")).await.expect("read");
    assert_eq!(cursor, Some(4));
}

#[tokio::test]
async fn history_is_not_kept_for_a_relay_that_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (clock, _hands) = Clock::standing_at(NOW_MS);
    let store = store_in(folder.path(), clock.clone());
    let bus = Handle::new(store.clone(), clock, "one", Arc::new(Vec::new()));
    let cursor = Change::Cursor { name: RELAY_CURSOR, position: 0 };
    store.commit(vec![cursor]).await.expect("committed");
    bus.without_relay().await.expect("forgotten");
    let cursor = store.read(|reader| reader.cursor(RELAY_CURSOR)).await.expect("read");
    assert_eq!(cursor, None);
}

#[test]
fn wrong_kafka_options_are_problems_with_a_place_and_a_remedy() {
    let yaml = r#"{
        "brokers": ["kafka:9092", "kafka", ":1", "a:b"],
        "topic_prefix": "drift gate.",
        "properties": {
            "acks": "1", "request.required.acks": "1", "message.timeout.ms": "5000",
            "group.id": "mine", "enable.auto.commit": "true", "linger.ms": "20"
        }
    }"#;
    let options: KafkaOptions = serde_json::from_str(yaml).expect("well formed");
    let mut problems = Problems::default();
    options.check(&mut problems);
    let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
    let expected = [
        "/brokers/1",
        "/brokers/2",
        "/brokers/3",
        "/topic_prefix",
        "/properties/acks",
        "/properties/enable.auto.commit",
        "/properties/group.id",
        "/properties/message.timeout.ms",
        "/properties/request.required.acks",
    ];
    let own: Vec<_> = places.into_iter().filter(|place| !place.is_empty()).collect();
    assert_eq!(own, expected);
    assert!(problems.0.iter().all(|problem| !problem.remedy.is_empty()));
}

#[test]
fn the_values_of_properties_are_not_shown() {
    let properties = [("sasl.password".to_owned(), "hunter2".to_owned())].into();
    let options = KafkaOptions { properties, ..KafkaOptions::default() };
    let shown = format!("{options:?}");
    assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
}

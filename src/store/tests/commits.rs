//! What a commit promises: all or nothing, in groups, durable before anybody hears of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;
use crate::model::delivery::{Skip, SkipReason};

#[test]
fn an_event_its_deliveries_and_what_goes_with_it_are_one_transaction() {
    let fixture = Fixture::new();
    let row = fixture.store_event("1", 5, &["whk_a", "whk_b"]);
    let fate = fixture.read(|reader| reader.fate(row));
    let destinations: Vec<_> = fate.deliveries.iter().map(|it| it.destination.as_str()).collect();
    assert_eq!(destinations, ["whk_a", "whk_b"]);
    assert!(fate.deliveries.iter().all(|it| it.state == State::Created && it.due_ms == 5));

    // A delivery of an event that does not exist fails the whole commit.
    let orphan = Delivery { event_sequence: 999, id: "dlv_x".into(), ..fate.deliveries[0].clone() };
    let refused = fixture.store.commit_blocking(vec![
        Change::event(event("2", 6), to(&["whk_a"])),
        Change::Cursor { name: "test", position: 7 },
        Change::Delivery(orphan),
    ]);
    assert!(matches!(refused, Err(Error::Sqlite { .. })), "{refused:?}");
    fixture.read(|reader| {
        assert_eq!(reader.event_of("/driftgate/apis/orders", "2")?, None);
        assert_eq!(reader.cursor("test")?, None);
        Ok(())
    });
    assert_eq!(fixture.store.health().problem, None, "the store itself is well");
}

#[test]
fn an_operation_that_fails_leaves_its_batch_alone() {
    let fixture = Fixture::new();
    fixture.store_event("1", 5, &[]);
    let (release, wait) = mpsc::sync_channel::<()>(0);
    fixture.on_writer(move |_| wait.recv().expect("released"));
    let commit = |changes| {
        let (reply, answer) = oneshot::channel();
        let operation = Operation::Commit { changes, reply: Some(reply) };
        fixture.store.queue.send_blocking(operation).expect("queued");
        answer
    };
    let other = Event { data: "[1]".into(), ..event("1", 5) };
    let answers = [
        commit(vec![Change::event(event("2", 6), to(&[]))]),
        commit(vec![Change::event(other, to(&[]))]),
        commit(vec![Change::event(event("3", 7), to(&[]))]),
    ];
    release.send(()).expect("the writer waits");
    let results = answers.map(|answer| answer.blocking_recv().expect("answered"));
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(results[1], Err(Error::Conflict { .. })), "{:?}", results[1]);
}

#[test]
fn what_waits_is_committed_in_groups_of_at_most_512() {
    let fixture = Fixture::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let (release, wait) = mpsc::sync_channel::<()>(0);
    let counter = Arc::clone(&commits);
    fixture.on_writer(move |connection| {
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.commit_hook(Some(count)).expect("hooked");
        wait.recv().expect("released");
    });
    for position in 0..1_000 {
        let changes = vec![Change::Cursor { name: "test", position }];
        let operation = Operation::Commit { changes, reply: None };
        fixture.store.queue.send_blocking(operation).expect("queued");
    }
    release.send(()).expect("the writer waits");
    fixture.commit(Vec::new());
    assert_eq!(commits.load(Ordering::Relaxed), 2, "512 + 488 and the one that waited");
    assert_eq!(fixture.read(|reader| reader.cursor("test")), Some(999));
}

#[test]
fn large_operations_make_small_groups() {
    let fixture = Fixture::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let (release, wait) = mpsc::sync_channel::<()>(0);
    let counter = Arc::clone(&commits);
    fixture.on_writer(move |connection| {
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.commit_hook(Some(count)).expect("hooked");
        wait.recv().expect("released");
    });
    for index in 0..4 {
        let change = Change::Evidence { api: format!("{index}").into(), bytes: vec![7; 600 << 10] };
        let operation = Operation::Commit { changes: vec![change], reply: None };
        fixture.store.queue.send_blocking(operation).expect("queued");
    }
    release.send(()).expect("the writer waits");
    fixture.commit(Vec::new());
    assert_eq!(commits.load(Ordering::Relaxed), 3, "two by two, and the one that waited");
    assert_eq!(
        fixture.read(|reader| reader.evidence("3")).map(|bytes| bytes.len()),
        Some(600 << 10)
    );
}

#[test]
fn an_equal_event_is_a_duplicate_and_another_content_a_conflict() {
    let fixture = Fixture::new();
    let row = fixture.store_event("1", 5, &["whk_a"]);
    // A repetition is matched anew, but raises nothing, even if the destinations have changed since.
    let again = Event { recorded_ms: 99, instance: "two".into(), ..event("1", 5) };
    let receipt = fixture.commit(vec![
        Change::event(again, to(&["whk_a", "whk_b"])),
        Change::Cursor { name: "test", position: 1 },
    ]);
    assert_eq!(receipt.events, [Stored::Duplicate(row)]);
    assert_eq!(fixture.read(|reader| reader.fate(row)).deliveries.len(), 1);
    assert_eq!(fixture.read(|reader| reader.cursor("test")), Some(1));

    for other in [
        Event { data: "{ }".into(), ..event("1", 5) },
        Event { kind: "contract.drift.updated".into(), ..event("1", 5) },
        Event { time_ms: 6, ..event("1", 5) },
    ] {
        let result = fixture.store.commit_blocking(vec![Change::event(other, to(&[]))]);
        assert!(matches!(result, Err(Error::Conflict { .. })), "{result:?}");
    }
    // The same id of another source is another event.
    let foreign = Event { source: "/elsewhere".into(), ..event("1", 5) };
    let receipt = fixture.commit(vec![Change::event(foreign, to(&[]))]);
    assert!(matches!(receipt.events[..], [Stored::New(_)]));
    assert_eq!(fixture.read(|reader| reader.events_with_id("1")).len(), 2);
}

#[test]
fn an_event_comes_back_as_it_went_in_its_data_byte_for_byte() {
    let fixture = Fixture::new();
    let data = "{ \"b\":1e400,\"a\" : 1.0,\"a\":2, \"\\u00e9\":\"\u{1f600}\\ud83d\\ude00\"}\n";
    let given = Event {
        data: data.into(),
        causationid: Some("0".into()),
        chaindepth: 3,
        chainpath: "act_1 wfl_2".into(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        eventcode: Some("JOBS_REQUEST.CREATED".into()),
        testevent: true,
        subject: None,
        dataschema: None,
        exchangeid: None,
        severitytext: None,
        ..event("1", 5)
    };
    let receipt = fixture.commit(vec![Change::event(given.clone(), to(&[]))]);
    let row = receipt.events[0].row();
    let found = fixture.read(|reader| reader.event(row)).expect("there");
    assert_eq!(found.event, Event { sequence: row.unsigned_abs(), ..given });
    assert_eq!(&*found.event.data, data);
}

#[test]
fn sequences_grow_and_the_watch_tells_the_newest() {
    let fixture = Fixture::new();
    let mut committed = fixture.store.committed();
    assert_eq!(*committed.borrow_and_update(), 0);
    let rows = [1, 2, 3].map(|number| fixture.store_event(&number.to_string(), number, &[]));
    assert!(rows.is_sorted() && committed.has_changed().expect("the writer lives"));
    assert_eq!(*committed.borrow_and_update(), rows[2]);
    fixture.commit(vec![Change::Cursor { name: "test", position: 1 }]);
    assert!(!committed.has_changed().expect("the writer lives"), "no event, no news");
    let after = fixture.read(|reader| reader.events_after(rows[0], 1));
    assert_eq!(after.iter().map(|row| row.row).collect::<Vec<_>>(), [rows[1]]);
}

#[test]
fn skips_are_kept_in_detail_up_to_a_hundred_and_then_counted() {
    let fixture = Fixture::new();
    let skips = (0..150)
        .map(|number| Skip {
            destination: format!("whk_{number:03}"),
            reason: if number % 2 == 0 { SkipReason::FilterError } else { SkipReason::Inactive },
            detail: "unknown name `dat` at 1:4".into(),
        })
        .collect::<Vec<_>>();
    let matches = Matches { deliveries: Vec::new(), skips: skips.clone() };
    let row = fixture.commit(vec![Change::event(event("1", 5), matches)]).events[0].row();
    let fate = fixture.read(|reader| reader.fate(row));
    assert_eq!(fate.skips, skips[..100]);
    let expected = [(SkipReason::FilterError, 25), (SkipReason::Inactive, 25)];
    assert_eq!(fate.further_skips, expected);
}

#[test]
fn an_outcome_is_never_covered_by_the_mark_of_its_beginning() {
    let fixture = Fixture::new();
    let row = fixture.store_event("1", 5, &["whk_a"]);
    let delivery = fixture.read(|reader| reader.fate(row)).deliveries.remove(0);
    let begun = |number| Change::AttemptBegun(attempt(&delivery, number, OutcomeKind::Unknown));
    let ended = |number| Change::Attempt(attempt(&delivery, number, OutcomeKind::ServerError));
    fixture.commit(vec![begun(1), ended(1), ended(2), begun(2), begun(3)]);
    let log = fixture.read(|reader| reader.attempts(&delivery.id));
    let ends: Vec<_> = log.iter().map(|row| (row.attempt.number, row.ended)).collect();
    assert_eq!(ends, [(1, true), (2, true), (3, false)]);
    assert_eq!(log[0].attempt, *attempt(&delivery, 1, OutcomeKind::ServerError));
    let unfinished = fixture.read(Reader::unfinished_attempts);
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].attempt.number, 3);
}

#[tokio::test]
async fn queued_changes_keep_their_order_before_a_later_commit() {
    let fixture = Fixture::new();
    let store = fixture.store.clone();
    store.enqueue(vec![Change::Cursor { name: "test", position: 1 }]).await.expect("queued");
    let receipt = store.commit(vec![Change::Cursor { name: "other", position: 2 }]).await;
    assert_eq!(receipt.expect("committed"), Receipt::default());
    let first = store.read(|reader| reader.cursor("test")).await.expect("read");
    assert_eq!(first, Some(1));
}

#[test]
fn a_panic_fails_its_batch_and_nothing_else() {
    let fixture = Fixture::new();
    let changes = vec![Change::event(event("1", 5), to(&[])), Change::Bug];
    let failed = fixture.store.commit_blocking(changes);
    assert!(matches!(failed, Err(Error::Closed)), "{failed:?}");
    fixture.store_event("2", 6, &[]);
    assert_eq!(fixture.read(|reader| reader.events_with_id("1")), []);
}

#[test]
fn a_full_disk_fails_commits_loses_nothing_and_is_told_until_there_is_room() {
    let fixture = Fixture::new();
    let kept = fixture.store_event("kept", 5, &["whk_a"]);
    let pages = |connection: &mut rusqlite::Connection, pages: i64| {
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .expect("limited");
    };
    fixture.on_writer(move |connection| pages(connection, 1));
    let data: Arc<str> = format!("\"{}\"", "x".repeat(200_000)).into();
    let large = |id| Event { data: Arc::clone(&data), ..event(id, 6) };
    let refused = fixture.store.commit_blocking(vec![Change::event(large("lost"), to(&["whk_a"]))]);
    assert!(matches!(refused, Err(Error::DiskFull)), "{refused:?}");
    let problem = fixture.store.health().problem.expect("health is red");
    assert!(problem.contains("disk is full"), "{problem}");

    fixture.on_writer(move |connection| pages(connection, 1_000_000));
    fixture.commit(vec![Change::event(large("late"), to(&["whk_a"]))]);
    assert_eq!(fixture.store.health().problem, None, "health is green again");
    fixture.read(|reader| {
        assert_eq!(reader.events_with_id("lost")?, []);
        assert_eq!(reader.fate(kept)?.deliveries.len(), 1);
        Ok(())
    });
}

#[test]
fn a_full_disk_gets_the_reserve_back() {
    let fixture = Fixture::new();
    let reserve = fixture.folder.path().join("driftgate.reserve");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(fixture.service.round()).expect("a round");
    assert!(reserve.exists(), "the first round sets it aside");
    fixture.on_writer(|connection| {
        connection.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(())).expect("limited");
    });
    let large = Event { data: format!("\"{}\"", "x".repeat(200_000)).into(), ..event("1", 6) };
    let refused = fixture.store.commit_blocking(vec![Change::event(large, to(&[]))]);
    assert!(matches!(refused, Err(Error::DiskFull)), "{refused:?}");
    assert!(!reserve.exists(), "given back");
    runtime.block_on(fixture.service.round()).expect("a round");
    assert_eq!((reserve.exists(), fixture.store.health().problem), (true, None), "room again");
}

//! The scheduler over a real store: what a destination sees, what the disk says, what a crash leaves.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::support::{Act, START_MS, Scripted, World, eventually};
use crate::deliver::{Effect, Error};
use crate::model::delivery::{End, Hold, OutcomeKind, State, Trigger};
use crate::store::{EventFilter, Page};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn told(world: &World, kind: &str) -> Vec<serde_json::Value> {
    let filter = EventFilter { kind: Some(kind.to_owned()), ..EventFilter::default() };
    let read = world.store.read(move |reader| reader.events(&filter, &Page::default())).await;
    let rows = read.expect("read").items;
    rows.iter().map(|row| serde_json::from_str(&row.event.data).expect("JSON")).collect()
}

#[tokio::test]
async fn an_event_is_delivered_once_and_logged() {
    let (folder, ok) = (folder(), Scripted::new(Act::Give(OutcomeKind::Ok)));
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&ok))]);
    let ids = world.publish(&["whk_a"]).await;
    let delivery = world.until(&ids[0], "success", |d| d.state == State::Success).await;
    assert_eq!((delivery.attempt, delivery.end), (1, Some(End::Delivered)));
    let rows = world.attempts(&ids[0]).await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].ended && rows[0].attempt.outcome == OutcomeKind::Ok);
    assert_eq!(rows[0].attempt.trigger, Trigger::Schedule);
    assert_eq!(ok.calls.lock()[0].event.data.as_ref(), r#"{"n":1.0}"#);
    world.stop().await;
    assert_eq!(ok.count(), 1);
}

#[tokio::test]
async fn ten_days_of_failure_are_51_retries_and_one_at_the_deadline() {
    let (folder, bad) = (folder(), Scripted::new(Act::Give(OutcomeKind::ServerError)));
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&bad))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    let mut waits = Vec::new();
    let last = loop {
        let tries = bad.count();
        let record = world
            .until(&id, "another attempt", |d| {
                !d.state.is_open() || d.due_ms > world.clock.now_ms()
            })
            .await;
        if !record.state.is_open() {
            break record;
        }
        waits.push(record.due_ms - world.clock.now_ms());
        world.hands.advance(record.due_ms - world.clock.now_ms());
        eventually("the attempt", || async { (bad.count() > tries).then_some(()) }).await;
    };
    assert_eq!((last.state, last.end), (State::Failed, Some(End::Expired)));
    assert_eq!(world.clock.now_ms(), START_MS + 10 * DAY_MS);
    assert_eq!(waits[..4], [5_000, 10_000, 20_000, 40_000]);
    assert_eq!(waits[13..51], [6 * 3_600_000; 38]);
    assert_eq!((waits.len(), last.attempt), (52, 53));
    let attempts = world.attempts(&id).await;
    assert_eq!(attempts.last().expect("attempts").attempt.trigger, Trigger::Deadline);
    assert_eq!(told(&world, "delivery.failing").await.len(), 1);
    let exhausted = told(&world, "delivery.exhausted").await;
    assert_eq!(exhausted[0]["attempts"], 53);
    world.stop().await;
}

#[tokio::test]
async fn cancel_beats_every_later_result_but_a_success() {
    for (outcome, state) in
        [(OutcomeKind::Ok, State::Success), (OutcomeKind::ServerError, State::Cancelled)]
    {
        let (folder, slow) = (folder(), Scripted::new(Act::Give(outcome)));
        slow.open.send_replace(false);
        let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&slow))]);
        let id = world.publish(&["whk_a"]).await.remove(0);
        eventually("the attempt", || async { (slow.count() == 1).then_some(()) }).await;
        let effect = world.handle.cancel(&id).await.expect("cancelled");
        assert_eq!(effect.delivery().state, State::Cancelled);
        assert_eq!(world.delivery(&id).await.state, State::Cancelled);
        slow.open.send_replace(true);
        world.until(&id, "its outcome", |d| d.last_outcome == Some(outcome)).await;
        assert_eq!(world.delivery(&id).await.state, state);
        let again = world.handle.cancel(&id).await;
        match state {
            State::Success => assert!(matches!(again, Err(Error::AlreadyFinal { .. }))),
            _ => assert_eq!(again.expect("as before").delivery().state, state),
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn two_clicks_are_two_attempts_one_after_the_other_and_a_nonce_counts_once() {
    let (folder, bad) = (folder(), Scripted::new(Act::Give(OutcomeKind::ServerError)));
    bad.open.send_replace(false);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&bad))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    eventually("the attempt", || async { (bad.count() == 1).then_some(()) }).await;
    let clicks = async {
        tokio::join!(
            world.handle.retry(&id, "one"),
            world.handle.retry(&id, "two"),
            world.handle.retry(&id, "one"),
        )
    };
    let ((one, two, again), ()) = tokio::join!(clicks, async {
        world.until(&id, "the commands", |d| d.generation == 2).await;
        bad.open.send_replace(true);
    });
    for effect in [one, two] {
        assert!(matches!(effect.expect("taken"), Effect::Done(_)));
    }
    assert!(again.is_ok());
    let record = world.until(&id, "the schedule", |d| d.due_ms > START_MS && d.attempt == 3).await;
    assert_eq!((record.state, record.step, record.due_ms), (State::Retrying, 3, START_MS + 20_000));
    assert_eq!((bad.count(), bad.most_at_once.load(Ordering::SeqCst)), (3, 1));
    let triggers: Vec<_> =
        world.attempts(&id).await.iter().map(|row| row.attempt.trigger).collect();
    assert_eq!(triggers, [Trigger::Schedule, Trigger::Manual, Trigger::Manual]);
    world.stop().await;
}

#[tokio::test]
async fn retry_reopens_what_is_final_and_replays_what_succeeded() {
    let folder = folder();
    let refusing = Scripted::new(Act::Give(OutcomeKind::Ok)).then(&[Act::Refuse]);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&refusing))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    let failed = world.until(&id, "failed", |d| d.state == State::Failed).await;
    assert_eq!(failed.end, Some(End::Refused));
    let Ok(Effect::Done(done)) = world.handle.retry(&id, "1").await else { panic!("not done") };
    assert_eq!((done.state, done.attempt), (State::Success, 2));
    refusing.script.lock().push_back(Act::Give(OutcomeKind::ServerError));
    let Ok(Effect::Done(replayed)) = world.handle.retry(&id, "2").await else { panic!("not done") };
    assert_eq!((replayed.state, replayed.attempt), (State::Success, 3));
    assert_eq!(replayed.last_outcome, Some(OutcomeKind::ServerError));
    assert!(matches!(world.handle.retry("dlv_none", "3").await, Err(Error::NotFound { .. })));
    world.stop().await;
}

#[tokio::test]
async fn p3_an_attempt_that_a_crash_cut_is_repeated_at_once() {
    let (folder, hanging) = (folder(), Scripted::new(Act::Give(OutcomeKind::Ok)));
    hanging.open.send_replace(false);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&hanging))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    eventually("the mark on disk", || async {
        (!world.attempts(&id).await.is_empty()).then_some(())
    })
    .await;
    world.kill().await;
    let ok = Scripted::new(Act::Give(OutcomeKind::Ok));
    let world = World::start(folder.path(), START_MS + 1, &[("whk_a", Arc::clone(&ok))]);
    let delivery = world.until(&id, "success", |d| d.state == State::Success).await;
    assert_eq!((delivery.attempt, delivery.step), (2, 0));
    let outcomes: Vec<_> =
        world.attempts(&id).await.iter().map(|row| row.attempt.outcome).collect();
    assert_eq!(outcomes, [OutcomeKind::Unknown, OutcomeKind::Ok]);
    assert_eq!(ok.calls.lock()[0].delivery.id, hanging.calls.lock()[0].delivery.id);
    world.stop().await;
}

#[tokio::test]
async fn p3_what_was_committed_before_a_crash_is_delivered_after_it() {
    let folder = folder();
    let world = World::start(folder.path(), START_MS, &[]);
    world.kill().await;
    let (mut ids, slow) = (Vec::new(), Scripted::new(Act::Give(OutcomeKind::Ok)));
    slow.open.send_replace(false);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&slow))]);
    for _ in 0..300 {
        ids.extend(world.publish(&["whk_a"]).await);
    }
    world.kill().await;
    let ok = Scripted::new(Act::Give(OutcomeKind::Ok));
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&ok))]);
    for id in &ids {
        world.until(id, "success", |d| d.state == State::Success).await;
    }
    assert_eq!(ok.count(), ids.len());
    world.stop().await;
}

#[tokio::test]
async fn p4_a_dead_destination_does_not_delay_another() {
    let folder = folder();
    let (dead, ok) =
        (Scripted::new(Act::Give(OutcomeKind::Ok)), Scripted::new(Act::Give(OutcomeKind::Ok)));
    dead.open.send_replace(false);
    let destinations = [("whk_dead", Arc::clone(&dead)), ("whk_ok", Arc::clone(&ok))];
    let world = World::start(folder.path(), START_MS, &destinations);
    for _ in 0..400 {
        world.publish(&["whk_dead"]).await;
    }
    let id = world.publish(&["whk_ok"]).await.remove(0);
    world.until(&id, "success", |d| d.state == State::Success).await;
    assert_eq!(dead.count(), 8);
    assert_eq!(world.handle.health().in_flight, 8);
    dead.open.send_replace(true);
    eventually("the backlog", || async { (dead.count() == 400).then_some(()) }).await;
    assert_eq!(dead.most_at_once.load(Ordering::SeqCst), 8);
    world.stop().await;
}

#[tokio::test]
async fn nothing_is_sent_while_held_and_the_clock_runs_on() {
    let (folder, held) = (folder(), Scripted::new(Act::Give(OutcomeKind::Ok)));
    held.hold(Some(Hold::Inactive));
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&held))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    let record = world.until(&id, "the hold", |d| d.hold == Some(Hold::Inactive)).await;
    assert_eq!((record.state, record.attempt), (State::Created, 0));
    assert!(matches!(world.handle.retry(&id, "1").await, Err(Error::Inactive)));
    held.hold(None);
    world.handle.wake();
    let record = world.until(&id, "success", |d| d.state == State::Success).await;
    assert_eq!((record.hold, record.step), (None, 0));
    held.hold(Some(Hold::Inactive));
    let id = world.publish(&["whk_a"]).await.remove(0);
    world.until(&id, "the hold", |d| d.hold == Some(Hold::Inactive)).await;
    world.hands.advance(10 * DAY_MS);
    let record = world.until(&id, "its end", |d| d.state == State::Failed).await;
    assert_eq!((record.end, record.hold), (Some(End::Expired), Some(Hold::Inactive)));
    assert_eq!(held.count(), 1);
    world.stop().await;
}

#[tokio::test]
async fn deliveries_of_a_deleted_destination_are_cancelled() {
    let (folder, bad) = (folder(), Scripted::new(Act::Give(OutcomeKind::ServerError)));
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&bad))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    world.until(&id, "a retry to come", |d| d.due_ms > START_MS).await;
    world.table.all.lock().clear();
    let record = eventually("cancelled", || async {
        // A sweep passes over what is still being written; the next one, a minute later, would find it.
        world.handle.wake();
        Some(world.delivery(&id).await).filter(|delivery| delivery.state == State::Cancelled)
    })
    .await;
    assert_eq!(record.end, Some(End::WebhookDeleted));
    assert!(matches!(world.handle.retry(&id, "1").await, Err(Error::DestinationDeleted)));
    world.stop().await;
}

#[tokio::test]
async fn what_becomes_due_while_others_begin_does_not_wait_for_the_sweep() {
    let folder = folder();
    let late = Scripted::new(Act::Give(OutcomeKind::Ok));
    let late = late.then(&[Act::Give(OutcomeKind::ServerError)]);
    let other = Scripted::new(Act::Give(OutcomeKind::Ok));
    let destinations = [("whk_a", Arc::clone(&late)), ("whk_b", other)];
    let world = World::start(folder.path(), START_MS, &destinations);
    let id = world.publish(&["whk_a"]).await.remove(0);
    let retrying = world.until(&id, "its retry", |d| d.state == State::Retrying).await;
    let (hands, wait_ms) = (world.hands.clone(), retrying.due_ms - START_MS);
    *world.table.meanwhile.lock() = Some(Box::new(move || hands.advance(wait_ms)));
    world.publish(&["whk_b"]).await;
    world.until(&id, "success", |d| d.state == State::Success).await;
    world.stop().await;
}

#[tokio::test]
async fn a_throttled_receiver_is_left_alone_as_a_whole() {
    let folder = folder();
    let busy = Scripted::new(Act::Give(OutcomeKind::Ok)).then(&[Act::Busy(429, 5 * MINUTE_MS)]);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&busy))]);
    let first = world.publish(&["whk_a"]).await.remove(0);
    let record = world.until(&first, "its retry", |d| d.state == State::Retrying).await;
    assert_eq!(record.due_ms, START_MS + 5 * MINUTE_MS);
    let second = world.publish(&["whk_a"]).await.remove(0);
    eventually("the second waits", || async { (world.handle.health().waiting == 1).then_some(()) })
        .await;
    world.hands.advance(4 * MINUTE_MS);
    assert_eq!(busy.count(), 1);
    world.hands.advance(MINUTE_MS);
    for id in [first, second] {
        world.until(&id, "success", |d| d.state == State::Success).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_panic_in_an_attempt_is_an_unknown_outcome_and_nothing_more() {
    let folder = folder();
    let odd = Scripted::new(Act::Give(OutcomeKind::Ok)).then(&[Act::Panic]);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&odd))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    let record = world.until(&id, "its retry", |d| d.state == State::Retrying).await;
    assert_eq!(record.last_outcome, Some(OutcomeKind::Unknown));
    world.hands.advance(5_000);
    world.until(&id, "success", |d| d.state == State::Success).await;
    world.stop().await;
}

#[tokio::test]
async fn recovery_is_told_once_after_trouble() {
    let folder = folder();
    let bad = Act::Give(OutcomeKind::Connect);
    let odd = Scripted::new(Act::Give(OutcomeKind::Ok)).then(&[
        bad.clone(),
        bad.clone(),
        bad.clone(),
        bad,
    ]);
    let world = World::start(folder.path(), START_MS, &[("whk_a", Arc::clone(&odd))]);
    let id = world.publish(&["whk_a"]).await.remove(0);
    for _ in 0..4 {
        let record = world.until(&id, "a retry", |d| d.due_ms > world.clock.now_ms()).await;
        world.hands.advance(record.due_ms - world.clock.now_ms());
    }
    world.until(&id, "success", |d| d.state == State::Success).await;
    let again = world.publish(&["whk_a"]).await.remove(0);
    world.until(&again, "success", |d| d.state == State::Success).await;
    assert_eq!(told(&world, "delivery.failing").await.len(), 1);
    assert_eq!(told(&world, "delivery.recovered").await.len(), 1);
    world.stop().await;
}

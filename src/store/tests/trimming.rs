//! What history goes, when, and what never does.

use super::*;
use crate::model::units::{Size, Span};

const DAY_MS: i64 = 86_400_000;

fn round(fixture: &Fixture) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(fixture.service.round()).expect("a round of trimming")
}

fn ids(fixture: &Fixture) -> Vec<String> {
    let rows = fixture.read(|reader| reader.events_after(0, 10_000));
    rows.into_iter().map(|row| row.event.id).collect()
}

#[test]
fn old_events_go_with_their_finished_deliveries_and_outlive_open_ones() {
    let fixture = Fixture::new();
    let done = fixture.store_event("done", START_MS, &["whk_a"]);
    fixture.store_event("open", START_MS, &["whk_a"]);
    fixture.store_event("none", START_MS, &[]);
    fixture.store_event("young", START_MS + DAY_MS, &[]);
    let delivery = fixture.read(|reader| reader.fate(done)).deliveries.remove(0);
    fixture.commit(vec![
        Change::Delivery(delivered(&delivery)),
        Change::Attempt(attempt(&delivery, 1, OutcomeKind::Ok)),
    ]);
    assert_eq!(round(&fixture), 0, "nothing is old yet");

    fixture.hands.advance(14 * DAY_MS + 1);
    assert_eq!(round(&fixture), 2);
    assert_eq!(ids(&fixture), ["open", "young"]);
    assert_eq!(fixture.read(|reader| reader.delivery(&delivery.id)), None);
    assert_eq!(fixture.read(|reader| reader.attempts(&delivery.id)).len(), 1, "kept for 30 d");

    fixture.hands.advance(16 * DAY_MS);
    round(&fixture);
    assert_eq!(fixture.read(|reader| reader.attempts(&delivery.id)).len(), 0);
    assert_eq!(ids(&fixture), ["open"]);
}

#[test]
fn what_a_consumer_of_the_log_has_not_passed_is_kept_until_it_has_or_is_gone() {
    let fixture = Fixture::new();
    let rows = ["1", "2", "3"].map(|id| fixture.store_event(id, START_MS, &[]));
    fixture.commit(vec![
        Change::Cursor { name: "slow", position: rows[0] },
        Change::Cursor { name: "fast", position: rows[2] },
    ]);
    fixture.hands.advance(15 * DAY_MS);
    round(&fixture);
    assert_eq!(ids(&fixture), ["2", "3"]);
    // A cursor never moves back.
    fixture.commit(vec![
        Change::Cursor { name: "slow", position: rows[1] },
        Change::Cursor { name: "slow", position: 0 },
    ]);
    round(&fixture);
    assert_eq!(ids(&fixture), ["3"]);
    fixture.commit(vec![Change::CursorGone { name: "slow" }]);
    round(&fixture);
    assert!(ids(&fixture).is_empty());
    assert_eq!(fixture.store_event("4", START_MS, &[]), rows[2] + 1, "rows are never used again");
}

#[test]
fn thousands_of_old_events_go_step_by_step_around_those_held() {
    let fixture = Fixture::new();
    let changes = (0..1_600).map(|number: i64| {
        let destinations: &[&str] = if number % 4 == 0 { &["whk_a"] } else { &[] };
        Change::event(event(&number.to_string(), START_MS), to(destinations))
    });
    fixture.commit(changes.collect());
    fixture.hands.advance(15 * DAY_MS);
    assert_eq!(round(&fixture), 1_200);
    assert_eq!(ids(&fixture).len(), 400);
}

#[test]
fn the_quota_trims_finished_history_refuses_events_and_never_drops_open_deliveries() {
    let options = Options { max_bytes: Size(3 << 20), ..Options::default() };
    let fixture = Fixture::with(&options);
    let data: Arc<str> = format!("\"{}\"", "x".repeat(20_000)).into();
    let large = |id: String| Event { data: Arc::clone(&data), ..event(&id, START_MS) };
    // Finished history makes room for as much as anybody likes.
    for number in 0..400 {
        fixture.commit(vec![Change::event(large(format!("free-{number}")), to(&[]))]);
    }
    assert!(fixture.store.health().bytes <= 3 << 20, "{:?}", fixture.store.health());
    assert!(!ids(&fixture).contains(&"free-0".to_owned()));

    // Open deliveries do not: beyond the quota events are refused.
    let mut acknowledged = Vec::new();
    let refusal = loop {
        let id = format!("held-{}", acknowledged.len());
        let change = Change::event(large(id.clone()), to(&["whk_a"]));
        match fixture.store.commit_blocking(vec![change]) {
            Ok(_) => acknowledged.push(id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1_000, "the quota never bit");
    };
    assert!(matches!(refusal, Error::QuotaReached { .. }), "{refusal:?}");
    assert!(fixture.store.health().problem.is_some_and(|problem| problem.contains("quota")));
    let open = fixture.read(|reader| reader.due(i64::MAX, 1_000));
    assert_eq!(open.len(), acknowledged.len());

    // Deliveries can still end, and then there is room again.
    for delivery in &open {
        fixture.commit(vec![Change::Delivery(delivered(delivery))]);
    }
    round(&fixture);
    fixture.commit(vec![Change::event(large("late".into()), to(&["whk_a"]))]);
    assert_eq!(fixture.store.health().problem, None);
}

#[test]
fn audit_entries_have_their_own_time() {
    let retention = Retention { audit: Span::seconds(3_600), ..Retention::default() };
    let fixture = Fixture::with(&Options { retention, ..Options::default() });
    let entry = |time_ms| Audit {
        time_ms,
        actor: "admin".into(),
        action: "webhook.update".into(),
        target: "whk_a".into(),
        before: "{}".into(),
        after: "{\"active\":false}".into(),
    };
    fixture
        .commit(vec![Change::Audit(entry(START_MS)), Change::Audit(entry(START_MS + 3_600_000))]);
    fixture.hands.advance(3_600_001);
    assert_eq!(round(&fixture), 1);
    assert_eq!(fixture.read(|reader| reader.audit(10)), [entry(START_MS + 3_600_000)]);
}

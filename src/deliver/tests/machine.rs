//! Every row of the table of `spec/delivery.md` 7.

use crate::deliver::machine::{self, Due, News, Now, Outcome, Refusal};
use crate::deliver::schedule::Policy;
use crate::model::delivery::{Delivery, End, Hold, OutcomeKind, State, Trigger};

const CREATED: i64 = 1_000_000;
const POLICY: Policy =
    Policy { base_ms: 5_000, cap_ms: 21_600_000, jitter: 0.0, deadline_ms: 864_000_000 };
const DEADLINE: i64 = CREATED + POLICY.deadline_ms;

fn at(ms: i64) -> Now<'static> {
    Now { ms, policy: &POLICY, chance: 0.5 }
}

fn delivery(state: State) -> Delivery {
    let end = match state {
        State::Success => Some(End::Delivered),
        State::Failed => Some(End::Expired),
        State::Cancelled => Some(End::Cancelled),
        State::Created | State::Retrying => None,
    };
    Delivery {
        id: "dlv_a".into(),
        destination: "whk_a".into(),
        event_sequence: 1,
        state,
        generation: 0,
        attempt: u32::from(state != State::Created),
        step: u32::from(state == State::Retrying),
        due_ms: CREATED,
        created_ms: CREATED,
        hold: None,
        end,
        last_outcome: None,
        last_status: None,
    }
}

fn came(kind: OutcomeKind) -> Outcome {
    Outcome { generation: 0, kind, status: None, retry_after_ms: None, refused: false }
}

const OPEN: [State; 2] = [State::Created, State::Retrying];
const FINAL: [State; 3] = [State::Success, State::Failed, State::Cancelled];

fn failures() -> impl Iterator<Item = OutcomeKind> {
    OutcomeKind::ALL.iter().copied().filter(|kind| *kind != OutcomeKind::Ok)
}

#[test]
fn open_and_a_2xx_head_is_success() {
    for state in OPEN {
        for now_ms in [CREATED, DEADLINE, DEADLINE + 1] {
            let (next, news) =
                machine::outcome(&delivery(state), came(OutcomeKind::Ok), at(now_ms));
            assert_eq!((next.state, next.end), (State::Success, Some(End::Delivered)));
            assert_eq!(news, Some(News::Delivered));
        }
    }
}

#[test]
fn open_and_any_other_outcome_before_the_deadline_is_retrying_after_a_wait() {
    for state in OPEN {
        for kind in failures() {
            let before = delivery(state);
            let (next, _) = machine::outcome(&before, came(kind), at(CREATED + 10));
            let plain = 5_000 << before.step;
            let overloaded = matches!(
                kind,
                OutcomeKind::TimeoutConnect
                    | OutcomeKind::TimeoutHead
                    | OutcomeKind::TimeoutTotal
                    | OutcomeKind::Throttled
            );
            let wait = if overloaded { 60_000 } else { plain };
            assert_eq!(next.state, State::Retrying, "{kind:?}");
            assert_eq!(next.due_ms, CREATED + 10 + wait, "{kind:?}");
            assert_eq!((next.step, next.last_outcome), (before.step + 1, Some(kind)));
        }
    }
}

#[test]
fn a_wait_that_would_cross_the_deadline_is_cut_to_one_last_attempt_there() {
    let now_ms = DEADLINE - 1_000;
    let (next, _) =
        machine::outcome(&delivery(State::Retrying), came(OutcomeKind::Closed), at(now_ms));
    assert_eq!((next.state, next.due_ms), (State::Retrying, DEADLINE));
    let Due::Attempt(last, trigger) = machine::due(&next, None, at(DEADLINE)) else {
        panic!("no last attempt")
    };
    assert_eq!(trigger, Trigger::Deadline);
    let (ended, news) = machine::outcome(&last, came(OutcomeKind::Closed), at(DEADLINE + 20_000));
    assert_eq!((ended.state, ended.end), (State::Failed, Some(End::Expired)));
    assert_eq!(news, Some(News::Exhausted));
}

#[test]
fn a_deadline_that_passes_while_held_ends_it_where_nothing_may_be_sent() {
    for hold in Hold::ALL.iter().copied() {
        for state in OPEN {
            let due = machine::due(&delivery(state), Some(hold), at(DEADLINE));
            match (hold, due) {
                (Hold::Inactive | Hold::TriggersOff | Hold::Circuit, Due::Expired(next)) => {
                    assert_eq!((next.state, next.end), (State::Failed, Some(End::Expired)));
                    assert_eq!(next.hold, Some(hold));
                }
                (Hold::Inactive | Hold::TriggersOff | Hold::Circuit, other) => {
                    panic!("{hold:?}: {other:?}")
                }
                // The others end by themselves; then comes the last attempt.
                (_, Due::Held(next)) => assert_eq!(next.state, state),
                (_, other) => panic!("{hold:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn held_before_the_deadline_nothing_is_sent_and_no_step_is_used() {
    for hold in Hold::ALL.iter().copied() {
        let before = delivery(State::Retrying);
        let Due::Held(held) = machine::due(&before, Some(hold), at(CREATED)) else {
            panic!("{hold:?} does not hold")
        };
        assert_eq!(held, Delivery { hold: Some(hold), ..before.clone() });
        let Due::Attempt(begun, trigger) = machine::due(&held, None, at(CREATED)) else {
            panic!("not released")
        };
        assert_eq!((begun.hold, begun.step, trigger), (None, before.step, Trigger::Schedule));
    }
}

#[test]
fn cancel_of_what_is_open_beats_every_later_result_but_a_2xx() {
    for state in OPEN {
        let cancelled = machine::cancel(&delivery(state)).expect("cancelled");
        assert_eq!((cancelled.state, cancelled.end), (State::Cancelled, Some(End::Cancelled)));
        assert_eq!(cancelled.generation, 1);
        for kind in failures() {
            let (next, _) = machine::outcome(&cancelled, came(kind), at(CREATED));
            assert_eq!((next.state, next.end), (State::Cancelled, Some(End::Cancelled)));
        }
        let (next, _) = machine::outcome(&cancelled, came(OutcomeKind::Ok), at(CREATED));
        assert_eq!((next.state, next.end), (State::Success, Some(End::Delivered)));
    }
}

#[test]
fn cancel_of_what_is_final_changes_nothing_or_is_refused() {
    let cancelled = delivery(State::Cancelled);
    assert_eq!(machine::cancel(&cancelled), Ok(cancelled));
    for state in [State::Success, State::Failed] {
        assert_eq!(machine::cancel(&delivery(state)), Err(Refusal::AlreadyFinal));
    }
}

#[test]
fn retry_of_what_is_open_replaces_the_timer_and_failure_goes_on_with_the_next_step() {
    for state in OPEN {
        let mut before = delivery(state);
        before.due_ms = CREATED + 1_000_000;
        let retried = machine::retry(&before, CREATED + 7).expect("taken");
        assert_eq!(
            (retried.state, retried.due_ms, retried.step),
            (state, CREATED + 7, before.step)
        );
        // The result of an attempt that was under way does not move the due time of the command.
        let (next, _) = machine::outcome(&retried, came(OutcomeKind::Closed), at(CREATED + 8));
        assert_eq!((next.state, next.due_ms), (State::Retrying, CREATED + 7));
        // The attempt asked for does.
        let own = Outcome { generation: 1, ..came(OutcomeKind::Closed) };
        let (next, _) = machine::outcome(&next, own, at(CREATED + 9));
        assert_eq!(next.due_ms, CREATED + 9 + (5_000 << (before.step + 1)));
    }
}

#[test]
fn retry_of_failed_and_cancelled_is_retrying_until_its_outcome() {
    for state in [State::Failed, State::Cancelled] {
        for (now_ms, ended) in [(CREATED + 1, State::Retrying), (DEADLINE + 1, State::Failed)] {
            let retried = machine::retry(&delivery(state), now_ms).expect("taken");
            assert_eq!((retried.state, retried.end), (State::Retrying, None));
            let begun = machine::begin(&retried);
            let own = Outcome { generation: retried.generation, ..came(OutcomeKind::Closed) };
            let (next, _) = machine::outcome(&begun, own, at(now_ms));
            assert_eq!(next.state, ended);
            let own = Outcome { generation: retried.generation, ..came(OutcomeKind::Ok) };
            let (next, _) = machine::outcome(&begun, own, at(now_ms));
            assert_eq!(next.state, State::Success);
        }
    }
}

#[test]
fn a_replay_never_leaves_success() {
    let replayed = machine::retry(&delivery(State::Success), CREATED).expect("taken");
    assert_eq!((replayed.state, replayed.generation), (State::Success, 1));
    for kind in OutcomeKind::ALL.iter().copied() {
        let own = Outcome { generation: 1, ..came(kind) };
        let (next, _) = machine::outcome(&machine::begin(&replayed), own, at(CREATED));
        assert_eq!((next.state, next.end), (State::Success, Some(End::Delivered)));
        assert_eq!(next.last_outcome, Some(kind));
    }
}

#[test]
fn a_deleted_destination_cancels_what_is_open_and_refuses_retry() {
    for state in OPEN {
        let next = machine::deleted(&delivery(state));
        assert_eq!((next.state, next.end), (State::Cancelled, Some(End::WebhookDeleted)));
        assert_eq!(machine::retry(&next, CREATED), Err(Refusal::DestinationDeleted));
    }
    for state in FINAL {
        assert_eq!(machine::deleted(&delivery(state)), delivery(state));
    }
}

#[test]
fn a_payload_that_is_gone_fails_what_is_open_and_refuses_retry() {
    let next = machine::payload_gone(&delivery(State::Retrying));
    assert_eq!((next.state, next.end), (State::Failed, Some(End::PayloadGone)));
    assert_eq!(machine::retry(&next, CREATED), Err(Refusal::PayloadGone));
    assert_eq!(machine::payload_gone(&delivery(State::Success)), delivery(State::Success));
}

#[test]
fn a_crash_repeats_the_attempt_at_once_without_using_up_a_step() {
    for state in OPEN {
        let before = delivery(state);
        let next = machine::interrupted(&before, before.attempt + 1, CREATED + 3);
        assert_eq!((next.state, next.due_ms, next.step), (state, CREATED + 3, before.step));
        assert_eq!(next.attempt, before.attempt + 1);
        assert_eq!(next.last_outcome, Some(OutcomeKind::Unknown));
    }
    for state in FINAL {
        let next = machine::interrupted(&delivery(state), 2, CREATED);
        assert_eq!((next.state, next.end), (state, delivery(state).end));
    }
}

#[test]
fn what_no_attempt_can_change_fails_at_once() {
    let refused = Outcome { refused: true, ..came(OutcomeKind::Render) };
    let (next, news) = machine::outcome(&delivery(State::Created), refused, at(CREATED));
    assert_eq!((next.state, next.end), (State::Failed, Some(End::Refused)));
    assert_eq!(news, Some(News::Exhausted));
}

#[test]
fn the_fourth_failed_attempt_is_news() {
    let mut record = delivery(State::Created);
    let mut told = Vec::new();
    for _ in 0..6 {
        record = machine::begin(&record);
        let (next, news) = machine::outcome(&record, came(OutcomeKind::Connect), at(CREATED));
        told.push(news);
        record = next;
    }
    assert_eq!(told, [None, None, None, Some(News::Failing), None, None]);
}

#[test]
fn a_retry_after_moves_the_due_time_but_not_past_cap_and_deadline() {
    for (asked, expected) in [
        (0, CREATED + 60_000),
        (90_000, CREATED + 90_000),
        (i64::MAX, CREATED + POLICY.cap_ms),
        (-5, CREATED + 60_000),
    ] {
        let busy = Outcome { retry_after_ms: Some(asked), ..came(OutcomeKind::Throttled) };
        let (next, _) = machine::outcome(&delivery(State::Created), busy, at(CREATED));
        assert_eq!(next.due_ms, expected, "{asked}");
    }
    let busy = Outcome { retry_after_ms: Some(90_000), ..came(OutcomeKind::Throttled) };
    let (next, _) = machine::outcome(&delivery(State::Created), busy, at(DEADLINE - 10));
    assert_eq!(next.due_ms, DEADLINE);
}

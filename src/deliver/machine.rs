//! The states of a delivery and what moves it (`spec/delivery.md` 7). Pure: a record and an input give a record.
//!
//! Owns every row of the table. Refuses to own timers, slots and sending (`service`); what follows from a transition comes
//! back as [`News`].

use crate::model::delivery::{Delivery, End, Hold, OutcomeKind, State, Trigger};

use super::schedule::{Failure, Policy};

/// The failed attempt after which operators are told.
const FAILING_ATTEMPT: u32 = 4;

/// What the world adds to a transition.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    pub ms: i64,
    pub policy: &'a Policy,
    /// In `[0, 1)`, for the jitter.
    pub chance: f64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Commands that had been applied when the attempt began.
    pub generation: u32,
    pub kind: OutcomeKind,
    pub status: Option<u16>,
    /// Milliseconds that the receiver asked us to wait.
    pub retry_after_ms: Option<i64>,
    /// The destination says that no attempt can succeed.
    pub refused: bool,
}

/// What operators should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum News {
    Failing,
    Exhausted,
    Delivered,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    AlreadyFinal,
    DestinationDeleted,
    PayloadGone,
}

/// What comes of a due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Begin an attempt; the record says its number.
    Attempt(Delivery, Trigger),
    /// Nothing is sent; the record says why. Equal to the one before when it was held already.
    Held(Delivery),
    /// It ran out of time while held.
    Expired(Delivery),
}

/// The due time of an open delivery has come.
#[must_use]
pub fn due(delivery: &Delivery, hold: Option<Hold>, now: Now<'_>) -> Due {
    let late = now.ms >= now.policy.deadline(delivery.created_ms);
    match hold {
        None => {
            let trigger = if late { Trigger::Deadline } else { Trigger::Schedule };
            Due::Attempt(begin(delivery), trigger)
        }
        Some(Hold::Inactive | Hold::TriggersOff | Hold::Circuit) if late => {
            Due::Expired(Delivery { hold, ..ended(delivery, State::Failed, End::Expired) })
        }
        Some(_) => Due::Held(Delivery { hold, ..delivery.clone() }),
    }
}

/// The record of a delivery whose next attempt begins now.
#[must_use]
pub fn begin(delivery: &Delivery) -> Delivery {
    Delivery { attempt: delivery.attempt.saturating_add(1), hold: None, ..delivery.clone() }
}

/// An attempt has ended.
#[must_use]
pub fn outcome(delivery: &Delivery, outcome: Outcome, now: Now<'_>) -> (Delivery, Option<News>) {
    let told = Delivery {
        last_outcome: Some(outcome.kind),
        last_status: outcome.status,
        ..delivery.clone()
    };
    if outcome.kind == OutcomeKind::Ok {
        return (ended(&told, State::Success, End::Delivered), Some(News::Delivered));
    }
    // What is final stays so: only a 2xx of an attempt that was under way can still change it.
    if !delivery.state.is_open() {
        return (told, None);
    }
    if outcome.refused {
        return (ended(&told, State::Failed, End::Refused), Some(News::Exhausted));
    }
    let retried =
        Delivery { state: State::Retrying, step: delivery.step.saturating_add(1), ..told };
    // A command that came meanwhile has set the due time; this result is older.
    if outcome.generation < delivery.generation {
        return (retried, None);
    }
    if now.ms >= now.policy.deadline(delivery.created_ms) {
        return (ended(&retried, State::Failed, End::Expired), Some(News::Exhausted));
    }
    let failure = Failure {
        step: retried.step,
        outcome: outcome.kind,
        retry_after_ms: outcome.retry_after_ms,
        chance: now.chance,
    };
    let due_ms = now.policy.next_due(&failure, now.ms, delivery.created_ms);
    let news = (retried.attempt == FAILING_ATTEMPT).then_some(News::Failing);
    (Delivery { due_ms, ..retried }, news)
}

/// Somebody asks for an attempt now. It replaces the timer of an open delivery and reopens a final one; of one that
/// succeeded the state stays.
///
/// # Errors
/// When there is nothing to send or nobody to send it to.
pub fn retry(delivery: &Delivery, now_ms: i64) -> Result<Delivery, Refusal> {
    match delivery.end {
        Some(End::WebhookDeleted) => return Err(Refusal::DestinationDeleted),
        Some(End::PayloadGone) => return Err(Refusal::PayloadGone),
        _ => {}
    }
    let mut retried =
        Delivery { generation: delivery.generation.saturating_add(1), ..delivery.clone() };
    if retried.state != State::Success {
        retried.due_ms = now_ms;
        retried.hold = None;
    }
    if matches!(retried.state, State::Failed | State::Cancelled) {
        retried.state = State::Retrying;
        retried.end = None;
    }
    Ok(retried)
}

/// Somebody gives the delivery up. Cancelling twice changes nothing.
///
/// # Errors
/// When it is final in another way.
pub fn cancel(delivery: &Delivery) -> Result<Delivery, Refusal> {
    match delivery.state {
        State::Cancelled => Ok(delivery.clone()),
        State::Success | State::Failed => Err(Refusal::AlreadyFinal),
        State::Created | State::Retrying => {
            let cancelled = ended(delivery, State::Cancelled, End::Cancelled);
            Ok(Delivery { generation: delivery.generation.saturating_add(1), ..cancelled })
        }
    }
}

/// The destination was deleted.
#[must_use]
pub fn deleted(delivery: &Delivery) -> Delivery {
    give_up(delivery, State::Cancelled, End::WebhookDeleted)
}

/// The event was trimmed by retention.
#[must_use]
pub fn payload_gone(delivery: &Delivery) -> Delivery {
    give_up(delivery, State::Failed, End::PayloadGone)
}

/// The process ended during attempt `number`: its outcome is unknown, and it is repeated at once without using up a step.
#[must_use]
pub fn interrupted(delivery: &Delivery, number: u32, now_ms: i64) -> Delivery {
    let mut repeated = Delivery {
        attempt: delivery.attempt.max(number),
        last_outcome: Some(OutcomeKind::Unknown),
        last_status: None,
        ..delivery.clone()
    };
    if repeated.state.is_open() {
        repeated.due_ms = now_ms;
    }
    repeated
}

fn give_up(delivery: &Delivery, state: State, end: End) -> Delivery {
    if delivery.state.is_open() { ended(delivery, state, end) } else { delivery.clone() }
}

fn ended(delivery: &Delivery, state: State, end: End) -> Delivery {
    Delivery { state, end: Some(end), hold: None, ..delivery.clone() }
}

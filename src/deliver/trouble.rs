//! What operators hear of failing deliveries: `delivery.failing`, `.exhausted`, `.recovered` (`spec/delivery.md` 3.1).
//!
//! Owns how often each is told. Refuses to own whether an event may be raised at all: a delivery of an operational event
//! raises none, or they would feed themselves.

use std::collections::HashMap;

use serde_json::json;

use crate::events::Raise;
use crate::model::delivery::{Delivery, OutcomeKind};
use crate::model::event::Event;

use super::machine::News;

/// Deliveries that failed for good are told at most this often for each destination.
const EXHAUSTED_EVERY_MS: i64 = 3_600_000;

#[derive(Debug, Default)]
pub(super) struct Trouble(HashMap<String, State>);

#[derive(Debug, Default)]
struct State {
    exhausted_told_ms: Option<i64>,
    /// Deliveries that failed since it was told last.
    exhausted: u64,
}

/// An event to raise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    kind: &'static str,
    count: u64,
}

impl Trouble {
    /// What to tell of this news, if anything.
    pub(super) fn note(&mut self, news: News, delivery: &Delivery, now_ms: i64) -> Option<Told> {
        match news {
            News::Failing => {
                self.0.entry(delivery.destination.clone()).or_default();
                Some(Told { kind: "delivery.failing", count: 1 })
            }
            News::Exhausted => self.exhausted(delivery, now_ms),
            News::Delivered => {
                self.0.remove(&delivery.destination)?;
                Some(Told { kind: "delivery.recovered", count: 1 })
            }
        }
    }

    pub(super) fn exhausted(&mut self, delivery: &Delivery, now_ms: i64) -> Option<Told> {
        let state = self.0.entry(delivery.destination.clone()).or_default();
        state.exhausted += 1;
        if state.exhausted_told_ms.is_some_and(|told| now_ms - told < EXHAUSTED_EVERY_MS) {
            return None;
        }
        state.exhausted_told_ms = Some(now_ms);
        Some(Told { kind: "delivery.exhausted", count: std::mem::take(&mut state.exhausted) })
    }
}

impl Told {
    pub(super) fn event(&self, raise: &Raise, delivery: &Delivery, now_ms: i64) -> Event {
        let data = json!({
            "destination": delivery.destination,
            "delivery": delivery.id,
            "attempts": delivery.attempt,
            "outcome": delivery.last_outcome.map(OutcomeKind::as_str),
            "count": self.count,
        });
        let mut event = raise.event(self.kind, None, now_ms, &data);
        event.subject = Some(delivery.destination.clone());
        event.partitionkey.clone_from(&delivery.destination);
        event
    }
}

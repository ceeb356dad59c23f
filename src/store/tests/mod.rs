//! Tests of the store: a temporary folder, a standing clock, and a model to compare with.

mod commits;
mod crash;
mod folder;
mod lists;
mod property;
mod trimming;

use std::sync::Arc;

use tempfile::TempDir;

use super::writer::Operation;
use super::*;
use crate::model::delivery::{Attempt, Delivery, Matches, OutcomeKind, State, Trigger};
use crate::model::event::Event;
use crate::runtime::clock::Hands;

/// Where the standing clock starts.
pub(super) const START_MS: i64 = 1_700_000_000_000;

/// An open store in its own folder.
pub(super) struct Fixture {
    pub(super) folder: TempDir,
    pub(super) store: Handle,
    pub(super) service: Service,
    pub(super) hands: Hands,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(&Options::default())
    }

    pub(super) fn with(options: &Options) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (clock, hands) = Clock::standing_at(START_MS);
        let (store, service) =
            open(folder.path(), options, clock, Panics::default()).expect("the store opens");
        Self { folder, store, service, hands }
    }

    pub(super) fn commit(&self, changes: Vec<Change>) -> Receipt {
        self.store.commit_blocking(changes).expect("committed")
    }

    pub(super) fn read<T>(&self, query: impl FnOnce(&Reader) -> Result<T, Error>) -> T {
        self.store.read_blocking(query).expect("read")
    }

    /// Stores an event for some destinations and gives its row.
    pub(super) fn store_event(&self, id: &str, time_ms: i64, destinations: &[&str]) -> i64 {
        self.commit(vec![Change::event(event(id, time_ms), to(destinations))]).events[0].row()
    }

    /// Runs something on the writer's own connection.
    pub(super) fn on_writer(&self, work: impl FnOnce(&mut rusqlite::Connection) + Send + 'static) {
        self.store.queue.send_blocking(Operation::Break(Box::new(work))).expect("queued");
    }
}

impl Stored {
    pub(super) fn row(self) -> i64 {
        match self {
            Self::New(row) | Self::Duplicate(row) => row,
        }
    }
}

pub(super) fn event(id: &str, time_ms: i64) -> Event {
    Event {
        id: id.to_owned(),
        source: "/driftgate/apis/orders".to_owned(),
        kind: "contract.drift.opened".to_owned(),
        subject: Some("GET /orders/{orderId}".to_owned()),
        time_ms,
        recorded_ms: time_ms,
        dataschema: Some("/v1/schemas/contract.drift.opened/1".to_owned()),
        partitionkey: "orders GET /orders/{orderId}".to_owned(),
        sequence: 0,
        instance: "one".to_owned(),
        correlationid: id.to_owned(),
        causationid: None,
        chaindepth: 0,
        chainpath: String::new(),
        traceparent: None,
        exchangeid: Some(format!("exchange-{id}")),
        severitytext: Some("high".to_owned()),
        eventcode: None,
        testevent: false,
        data: "{}".into(),
    }
}

pub(super) fn to(destinations: &[&str]) -> Matches {
    let deliveries = destinations.iter().map(|id| (*id).to_owned()).collect();
    Matches { deliveries, skips: Vec::new() }
}

pub(super) fn attempt(delivery: &Delivery, number: u32, outcome: OutcomeKind) -> Box<Attempt> {
    Box::new(Attempt {
        delivery: delivery.id.clone(),
        number,
        trigger: Trigger::Schedule,
        started_ms: START_MS,
        duration_ms: 12,
        target_version: 3,
        url: "https://example.com/hook".to_owned(),
        address: Some("203.0.113.7:443".to_owned()),
        request_headers: vec![
            ("webhook-id".to_owned(), delivery.id.clone()),
            ("x-a".to_owned(), "1".to_owned()),
            ("x-a".to_owned(), "2".to_owned()),
        ],
        body_sha256: "00".repeat(32),
        status: Some(500),
        response_headers: Vec::new(),
        response_body: vec![0, 255, 7],
        outcome,
        error: Some("the receiver answered 500".to_owned()),
    })
}

/// The delivery, ended.
pub(super) fn delivered(delivery: &Delivery) -> Delivery {
    Delivery { state: State::Success, attempt: 1, ..delivery.clone() }
}

//! One session of the relay: read, produce, follow the acknowledgements.
//!
//! Owns the order: after a refusal nothing is sent until all that was sent is answered; then the next session begins at the
//! cursor, so that the refused event and all after it come (some of them again) in the order of their rows.

use std::collections::VecDeque;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::error::Error;
use super::relay::Relay;
use super::window::Window;
use crate::bus::RELAY_CURSOR;
use crate::events::cloudevent::{Binding, data_of, headers};
use crate::store::{Change, EventRow};

/// Events in flight.
const FLIGHT_MAX: usize = 5_000;
/// Rows read at once.
const READ_ROWS: usize = 500;
/// How long one look at the client's answers takes while events are in flight.
const POLL: Duration = Duration::from_millis(10);
/// How long an idle relay sleeps at most, so that the client's callbacks are served.
const IDLE: Duration = Duration::from_millis(200);
/// How long the shutdown waits for answers.
const SETTLE: Duration = Duration::from_secs(10);
/// From one write of the cursor to the next, while events keep coming.
const SAVE_NS: u64 = 200_000_000;

pub(super) struct Session<'r> {
    relay: &'r Relay,
    topic: String,
    runtime: &'r Runtime,
    committed: watch::Receiver<i64>,
    window: Window,
    /// Read and not yet taken by the client, whose queue may be full.
    waiting: VecDeque<EventRow>,
    /// The last row read.
    read_to: i64,
    saved: i64,
    saved_ns: u64,
}

impl<'r> Session<'r> {
    pub(super) fn new(
        relay: &'r Relay,
        topic: String,
        position: i64,
        runtime: &'r Runtime,
    ) -> Self {
        // Answers to a former session's events concern nobody any more.
        drop(relay.producer.context().take_answers());
        Self {
            relay,
            topic,
            runtime,
            committed: relay.store.committed(),
            window: Window::after(position),
            waiting: VecDeque::new(),
            read_to: position,
            saved: position,
            saved_ns: relay.clock.monotonic_ns(),
        }
    }

    /// Relays until the shutdown, which is no error, or a failure.
    pub(super) fn run(mut self) -> Result<(), Error> {
        while !self.relay.shutdown.has_begun() {
            self.read()?;
            self.send()?;
            self.look()?;
        }
        let begun_ns = self.relay.clock.monotonic_ns();
        let settle_ns = u64::try_from(SETTLE.as_nanos()).unwrap_or(u64::MAX);
        while self.window.unanswered() > 0 && self.relay.clock.monotonic_ns() - begun_ns < settle_ns
        {
            self.look()?;
        }
        self.save()
    }

    fn read(&mut self) -> Result<(), Error> {
        let newest = *self.committed.borrow_and_update();
        if !self.waiting.is_empty()
            || self.read_to >= newest
            || self.window.unanswered() >= FLIGHT_MAX
        {
            return Ok(());
        }
        let after = self.read_to;
        let rows = self
            .relay
            .store
            .read_blocking(|reader| reader.events_after(after, READ_ROWS))
            .map_err(|source| Error::Store { source })?;
        // Rows may have gone that were trimmed before the relay had a cursor.
        self.read_to = rows.last().map_or(newest, |last| last.row);
        self.waiting.extend(rows);
        Ok(())
    }

    fn send(&mut self) -> Result<(), Error> {
        while let Some(row) = self.waiting.front() {
            match self.produce(row) {
                Ok(()) => {}
                // Its queue empties as the brokers answer.
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => return Ok(()),
                Err(source) => {
                    let row = row.row;
                    self.settle()?;
                    return Err(Error::Refused { row, source });
                }
            }
            self.window.sent(row.row, row.event.recorded_ms);
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Hands one event to the client in CloudEvents binary mode; it copies what it sends. The message gets the time of its
    /// sending: the topic's retention begins when consumers can see it.
    fn produce(&self, row: &EventRow) -> Result<(), KafkaError> {
        let event = &row.event;
        let named = headers(event, Binding::Kafka);
        let mut fields = OwnedHeaders::new_with_capacity(named.len());
        for (key, value) in &named {
            fields = fields.insert(Header { key, value: Some(value) });
        }
        let opaque = usize::try_from(row.row).unwrap_or(usize::MAX);
        let record = BaseRecord::with_opaque_to(&self.topic, opaque)
            .key(&event.partitionkey)
            .payload(data_of(event))
            .headers(fields);
        self.relay.producer.send(record).map_err(|(error, _)| error)
    }

    /// Follows the answers that are there or come soon; sleeps when nothing is under way.
    fn look(&mut self) -> Result<(), Error> {
        let idle = self.window.unanswered() == 0 && self.waiting.is_empty();
        if idle {
            self.save()?;
            self.sleep();
        }
        self.relay.producer.poll(if idle { Duration::ZERO } else { POLL });
        if let Some((row, source)) = self.follow() {
            self.settle()?;
            return Err(Error::Refused { row, source });
        }
        if self.relay.clock.monotonic_ns() - self.saved_ns >= SAVE_NS {
            self.save()?;
        }
        Ok(())
    }

    /// Takes the answers into the window; the first refusal among them.
    fn follow(&mut self) -> Option<(i64, KafkaError)> {
        let mut first = None;
        for answer in self.relay.producer.context().take_answers() {
            match answer.refused {
                None => self.window.acknowledged(answer.row),
                Some(error) => {
                    self.window.refused(answer.row);
                    first = first.or(Some((answer.row, error)));
                }
            }
        }
        self.relay.status.set_progress(self.window.cursor(), self.window.oldest_ms());
        first
    }

    /// After a failure: waits until all that was sent is answered, for as long as the brokers are away.
    fn settle(&mut self) -> Result<(), Error> {
        while self.window.unanswered() > 0 && !self.relay.shutdown.has_begun() {
            self.relay.producer.poll(POLL);
            drop(self.follow());
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), Error> {
        self.saved_ns = self.relay.clock.monotonic_ns();
        let position = self.window.cursor();
        if position == self.saved {
            return Ok(());
        }
        let moved = Change::Cursor { name: RELAY_CURSOR, position };
        self.relay.store.commit_blocking(vec![moved]).map_err(|source| Error::Store { source })?;
        self.saved = position;
        Ok(())
    }

    /// Until an event is committed, the shutdown begins, or the client should be served.
    fn sleep(&mut self) {
        let mut shutdown = self.relay.shutdown.clone();
        let (committed, read_to) = (&mut self.committed, self.read_to);
        self.runtime.block_on(async {
            tokio::select! {
                _ = committed.wait_for(|newest| *newest > read_to) => {}
                () = shutdown.begun() => {}
                () = self.relay.clock.sleep(IDLE) => {}
            }
        });
    }
}

//! The border between data plane and analysis (layer 3).
//!
//! Owns the bounded hand-over of captures (`spec/proxy.md` 9), what happens to them when analysis is slow, stuck or gone
//! (section 11), and their parsing, decoding and redaction (section 10). Refuses to own learning and judging.
//!
//! ```text
//! data threads ── Handle::offer ──► bounded queues ── Intake::next_batch ──► Border::open ──► Exchange
//!                 never waits        one per worker    the analysis thread     redacts, decodes
//! ```

mod border;
mod breaker;
mod budget;
mod decode;
pub mod har;
mod head;
pub mod ndjson;
pub mod options;
pub mod recorded;
pub mod records;
mod redact;
mod service;
mod shed;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

pub use border::{Border, OwnTest};
pub use decode::gunzip;
pub use options::{Mode, Options, Redact};
pub use service::{BATCH_MAX, Intake, channel};
pub use shed::{Level, slot};

use crate::model::capture::Capture;
use service::Shared;

/// Why a capture was given up. Each is counted apart, as `tap_dropped_total{reason}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The queue was full.
    Queue,
    /// The budget was spent.
    Bytes,
    /// The tap panicked, now or so often that it is off.
    Breaker,
    /// Analysis gave no sign of life for a minute.
    Stalled,
    /// Analysis has not begun yet and the queue is full.
    Starting,
    /// Analysis is over: the process is stopping.
    Draining,
}

impl Dropped {
    pub const ALL: [Self; 6] =
        [Self::Queue, Self::Bytes, Self::Breaker, Self::Stalled, Self::Starting, Self::Draining];

    /// The label value in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Bytes => "bytes",
            Self::Breaker => "breaker",
            Self::Stalled => "stalled",
            Self::Starting => "starting",
            Self::Draining => "draining",
        }
    }
}

/// Numbers of the hand-over at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Records handed over: parts `whole` and `head`.
    pub captures: u64,
    /// Bodies in them, by how much was kept, in the order of [`BodyState`](crate::model::capture::BodyState).
    pub bodies: [u64; 5],
    /// By reason, in the order of [`Dropped::ALL`].
    pub dropped: [u64; 6],
    pub queue_length: usize,
    pub bytes_in_flight: u64,
    pub level: u8,
    /// Whether new exchanges are captured.
    pub enabled: bool,
    pub panics: u64,
    /// Age of the last sign of life of the analysis, nanoseconds.
    pub heartbeat_age_ns: u64,
    /// How far analysis is behind: age of the oldest record that waits, nanoseconds.
    pub lag_ns: u64,
}

/// The data plane's end. Cheap to clone; nothing here waits or takes a lock.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Asks whether an exchange that begins at `now_ns` is to be captured, and how much of it. A refusal is counted.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, now_ns: u64) -> Result<Level, Dropped> {
        self.0.admit(now_ns).inspect_err(|reason| self.0.count(*reason))
    }

    /// The number of the next capture.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.0.sequence.fetch_add(1, Relaxed)
    }

    /// Takes `bytes` from the budget; false when they are not there.
    #[must_use]
    pub fn charge(&self, bytes: usize) -> bool {
        self.0.budget.charge(bytes)
    }

    /// Gives back what [`Handle::charge`] took for something that is not offered after all.
    pub fn release(&self, bytes: usize) {
        self.0.budget.release(bytes);
    }

    /// Hands a capture over, or drops and counts it. `charged` is what was taken from the budget for it so far; the rest of
    /// its cost is taken here, and all of it is given back when analysis is done with it or it is dropped.
    #[expect(clippy::must_use_candidate, reason = "a drop is counted here; few callers care")]
    pub fn offer(&self, capture: Box<Capture>, charged: usize) -> bool {
        self.0.offer(capture, charged)
    }

    /// Longest kept prefix of a request body and of a response body.
    #[must_use]
    pub fn caps(&self) -> (usize, usize) {
        (self.0.request_cap, self.0.response_cap)
    }

    /// Whether analysis has said that bodies of this kind of exchange teach it nothing new ([`slot`]).
    #[must_use]
    pub fn is_settled(&self, slot: usize) -> bool {
        self.0.settled.is_settled(slot)
    }

    /// Notes that the tap panicked at `now_ns` and lost its capture; enough of them switch it off for a while.
    pub fn panicked(&self, now_ns: u64) {
        self.0.breaker.panicked(now_ns);
        self.0.count(Dropped::Breaker);
    }

    /// Notes that an exchange was tapped to its end: ends the trial after a pause of the breaker.
    pub fn survived(&self) {
        self.0.breaker.survived();
    }

    /// Refuses further captures; those queued are still read. For shutdown.
    pub fn close(&self) {
        self.0.close();
    }

    #[must_use]
    pub fn snapshot(&self, now_ns: u64) -> Snapshot {
        self.0.snapshot(now_ns)
    }

    /// How many queues there are; [`Capture::worker`] counts below it.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.0.queues.len()
    }

    /// Whether analysis has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.state.load(Acquire) == service::CLOSED
    }
}

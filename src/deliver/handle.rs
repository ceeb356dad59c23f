//! What the rest of driftgate holds of the scheduler: commands and how it fares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::model::delivery::Delivery;
use crate::runtime::clock::Clock;
use crate::runtime::queue;

use super::Error;

/// How long a command waits for its effect.
const EFFECT_WAIT: Duration = Duration::from_secs(2);

/// What a command came to within two seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The delivery as it is now.
    Done(Delivery),
    /// Taken and stored; the attempt is still under way.
    Pending(Delivery),
}

impl Effect {
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        match self {
            Self::Done(delivery) | Self::Pending(delivery) => delivery,
        }
    }
}

pub(super) type Applied = oneshot::Sender<Result<Delivery, Error>>;

#[derive(Debug)]
pub(super) enum Command {
    /// `settled` hears of the attempt's end.
    Retry {
        id: String,
        nonce: String,
        applied: Applied,
        settled: oneshot::Sender<Delivery>,
    },
    Cancel {
        id: String,
        applied: Applied,
    },
}

/// How the scheduler fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Since the scheduler last went round.
    pub beat_age: Duration,
    /// Attempts in flight.
    pub in_flight: usize,
    /// Due deliveries in memory that wait for a slot.
    pub waiting: usize,
    /// The store takes no outcomes: nothing is attempted (hold `store`).
    pub store_holds: bool,
}

#[derive(Debug, Default)]
pub(super) struct Pulse {
    pub(super) beat_ns: AtomicU64,
    pub(super) in_flight: AtomicUsize,
    pub(super) waiting: AtomicUsize,
    pub(super) store_holds: AtomicBool,
}

/// Commands to the scheduler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) commands: queue::Sender<Command>,
    pub(super) changed: Arc<Notify>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: Clock,
}

impl Handle {
    /// Attempts a delivery now, whatever its state. A nonce that was seen with this delivery changes nothing.
    ///
    /// # Errors
    /// When there is no such delivery, its destination is gone or inactive, or its event was trimmed.
    pub async fn retry(&self, id: &str, nonce: &str) -> Result<Effect, Error> {
        let (applied, taken) = oneshot::channel();
        let (settled, ended) = oneshot::channel();
        let (id, nonce) = (id.to_owned(), nonce.to_owned());
        self.send(Command::Retry { id, nonce, applied, settled }).await?;
        let delivery = taken.await.map_err(|_| Error::Stopped)??;
        tokio::select! {
            ended = ended => Ok(ended.map_or(Effect::Pending(delivery), Effect::Done)),
            () = self.clock.sleep(EFFECT_WAIT) => Ok(Effect::Pending(delivery)),
        }
    }

    /// Gives a delivery up. Cancelling twice changes nothing.
    ///
    /// # Errors
    /// When there is no such delivery or it is final already.
    pub async fn cancel(&self, id: &str) -> Result<Effect, Error> {
        let (applied, taken) = oneshot::channel();
        self.send(Command::Cancel { id: id.to_owned(), applied }).await?;
        taken.await.map_err(|_| Error::Stopped)?.map(Effect::Done)
    }

    /// Destinations or deliveries have changed: looks at all of them again.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    #[must_use]
    pub fn health(&self) -> Health {
        let beat_ns = self.pulse.beat_ns.load(Ordering::Relaxed);
        let age_ns = self.clock.monotonic_ns().saturating_sub(beat_ns);
        Health {
            beat_age: Duration::from_nanos(age_ns),
            in_flight: self.pulse.in_flight.load(Ordering::Relaxed),
            waiting: self.pulse.waiting.load(Ordering::Relaxed),
            store_holds: self.pulse.store_holds.load(Ordering::Relaxed),
        }
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Stopped)
    }
}

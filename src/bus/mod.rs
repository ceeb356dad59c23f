//! The durable log that events go through (layer 3).
//!
//! Owns publishing: an event is stamped, matched and committed with its deliveries in one transaction before anybody hears
//! of it; and the relay of the log to Kafka. Refuses to own knowing webhooks or actions: they are [`Matcher`]s to it.

#[cfg(feature = "kafka")]
pub mod kafka;
mod options;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;

pub use options::KafkaOptions;

pub use crate::model::delivery::{Matches, Skip, SkipReason};
use crate::model::event::Event;
use crate::runtime::clock::Clock;
use crate::store::{self, Change, Receipt};

/// The cursor of the relay in the event log: history after it is kept.
pub(crate) const RELAY_CURSOR: &str = "kafka-relay";

/// Says which destinations an event goes to. Pure and quick: it runs within publishing.
pub trait Matcher: Send + Sync {
    fn matches(&self, event: &Event) -> Matches;
}

/// Several matchers as one: each knows its own destinations.
impl Matcher for Vec<Arc<dyn Matcher>> {
    fn matches(&self, event: &Event) -> Matches {
        let mut matches = Matches::default();
        for matcher in self {
            matches.extend(matcher.matches(event));
        }
        matches
    }
}

/// Publishes events. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    store: store::Handle,
    clock: Clock,
    instance: Arc<str>,
    matcher: Arc<dyn Matcher>,
}

impl Handle {
    /// `instance` is the name of this process among its replicas, stamped on what it raises.
    #[must_use]
    pub fn new(
        store: store::Handle,
        clock: Clock,
        instance: &str,
        matcher: Arc<dyn Matcher>,
    ) -> Self {
        Self { store, clock, instance: instance.into(), matcher }
    }

    /// Stamps the events (instance, time of record; their sequence is the row they get), matches them and commits them, their
    /// deliveries and `also` in one transaction. Answers once all of it is durable.
    ///
    /// # Errors
    /// When anything of it cannot be written; then nothing is.
    pub async fn publish(
        &self,
        events: Vec<Event>,
        also: Vec<Change>,
    ) -> Result<Receipt, store::Error> {
        self.store.commit(self.changes(events, also)).await
    }

    /// [`Handle::publish`] for a thread that is no runtime's.
    ///
    /// # Errors
    /// As [`Handle::publish`].
    pub fn publish_blocking(
        &self,
        events: Vec<Event>,
        also: Vec<Change>,
    ) -> Result<Receipt, store::Error> {
        self.store.commit_blocking(self.changes(events, also))
    }

    /// The row of the newest committed event; changes with every one.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.store.committed()
    }

    /// Forgets the relay of a configuration that names no Kafka any more, so that history is not kept for it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn without_relay(&self) -> Result<(), store::Error> {
        let gone = Change::CursorGone { name: RELAY_CURSOR };
        self.store.commit(vec![gone]).await.map(drop)
    }

    fn changes(&self, events: Vec<Event>, also: Vec<Change>) -> Vec<Change> {
        let recorded_ms = self.clock.now_ms();
        let stamped = events.into_iter().map(|mut event| {
            event.recorded_ms = recorded_ms;
            self.instance.as_ref().clone_into(&mut event.instance);
            let matches = self.matcher.matches(&event);
            Change::event(event, matches)
        });
        stamped.chain(also).collect()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").field("instance", &self.instance).finish_non_exhaustive()
    }
}

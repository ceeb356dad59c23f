//! The relay of the event log to Kafka, and the only user of rdkafka.
//!
//! Owns that every committed event reaches the topic `events` at least once, in order per key, however long the brokers are
//! away: rows are read after a cursor, produced, and the cursor follows the highest row before which all are acknowledged.
//! Refuses to own the events: they are durable before they come here.

mod client;
mod error;
mod health;
mod relay;
mod session;
#[cfg(test)]
mod tests;
mod topics;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use rdkafka::ClientConfig;

pub use error::Error;
pub use health::RelayHealth;

use self::client::Connection;
use self::health::Status;
use self::relay::Relay;
use super::KafkaOptions;
use crate::model::problem::{Problem, Problems, pointer};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown;
use crate::runtime::supervise::{self, Panics};
use crate::store;

/// What the relay needs.
pub struct Start<'a> {
    pub store: store::Handle,
    pub options: &'a KafkaOptions,
    pub clock: Clock,
    pub panics: Panics,
    pub shutdown: shutdown::Watch,
    /// Held until what is in flight is settled, for at most ten seconds.
    pub guard: shutdown::Guard,
}

/// What the rest of driftgate sees of the relay. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    status: Arc<Status>,
    store: store::Handle,
    clock: Clock,
}

impl Handle {
    /// Whether the brokers can be reached, and how far the relay lags behind the log.
    #[must_use]
    pub fn health(&self) -> RelayHealth {
        self.status.read(*self.store.committed().borrow(), self.clock.now_ms())
    }
}

/// Starts the relay on a thread of its own. It starts whether or not a broker is there.
///
/// # Errors
/// When librdkafka refuses the options or the system another thread.
pub fn start(start: Start<'_>) -> Result<Handle, Error> {
    let status = Arc::new(Status::new(start.clock.now_ms()));
    let connection = Connection::new(Arc::clone(&status), start.clock.clone());
    let producer = client::producer(start.options, connection)?;
    let relay = Relay {
        store: start.store.clone(),
        options: start.options.clone(),
        producer,
        status: Arc::clone(&status),
        clock: start.clock.clone(),
        shutdown: start.shutdown,
    };
    let guard = start.guard;
    supervise::thread("dg-relay", &start.panics, move || {
        relay.run();
        drop(guard);
    })
    .map_err(|source| Error::Thread { source })?;
    Ok(Handle { status, store: start.store, clock: start.clock })
}

/// Asks librdkafka about each property; contacts nobody.
pub(super) fn check_properties(properties: &BTreeMap<String, String>, problems: &mut Problems) {
    for (name, value) in properties {
        let mut config = ClientConfig::new();
        config.set(name, value);
        if let Err(rdkafka::error::KafkaError::ClientConfig(_, reason, ..)) =
            config.create_native_config().map(drop)
        {
            let message = format!("librdkafka refuses `{name}`: {}", reason.trim_end_matches('.'));
            problems.push(
                Problem::error(pointer("/properties", name), "kafka.unusable-setting", message)
                    .remedy("see librdkafka's CONFIGURATION.md"),
            );
        }
    }
}

//! The client of librdkafka: its settings, and what it calls back.
//!
//! Owns that binding settings come last and cannot be overridden. Callbacks only write down what happened; they run where
//! the relay polls.

use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, ProducerContext};
use rdkafka::{ClientConfig, Statistics};

use super::error::Error;
use super::health::Status;
use crate::bus::KafkaOptions;
use crate::bus::options::PRODUCER_BINDING;
use crate::runtime::clock::Clock;

/// Settings that `kafka.properties` may override.
const DEFAULTS: &[(&str, &str)] = &[
    ("queue.buffering.max.kbytes", "16384"),
    ("queue.buffering.max.messages", "20000"),
    ("linger.ms", "5"),
    ("compression.type", "zstd"),
    ("statistics.interval.ms", "5000"),
    ("socket.keepalive.enable", "true"),
    ("client.id", "driftgate"),
];

pub(super) type Producer = BaseProducer<Connection>;

/// What the callbacks write down.
#[derive(Clone)]
pub(super) struct Connection {
    status: Arc<Status>,
    clock: Clock,
    answers: Arc<Mutex<Vec<Answer>>>,
}

/// What Kafka said to the event of a row.
pub(super) struct Answer {
    pub(super) row: i64,
    pub(super) refused: Option<KafkaError>,
}

/// Makes a producer; it connects when it can.
pub(super) fn producer(options: &KafkaOptions, connection: Connection) -> Result<Producer, Error> {
    settings(options).create_with_context(connection).map_err(|source| Error::Settings { source })
}

/// Defaults, then what the user set, then what is not up to him.
pub(super) fn settings(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in DEFAULTS {
        config.set(*name, *value);
    }
    for (name, value) in &options.properties {
        config.set(name, value);
    }
    for (name, value) in PRODUCER_BINDING {
        config.set(*name, *value);
    }
    config.set("bootstrap.servers", options.brokers.join(","));
    config
}

impl Connection {
    pub(super) fn new(status: Arc<Status>, clock: Clock) -> Self {
        Self { status, clock, answers: Arc::default() }
    }

    /// The answers since the last call.
    pub(super) fn take_answers(&self) -> Vec<Answer> {
        std::mem::take(&mut *self.answers.lock())
    }

    pub(super) fn answered(&self) {
        self.status.set_reachable(true, self.clock.now_ms());
    }
}

impl ClientContext for Connection {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn stats(&self, statistics: Statistics) {
        let up = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.status.set_reachable(up, self.clock.now_ms());
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(error = %error, reason, "librdkafka reports an error");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.status.set_reachable(false, self.clock.now_ms());
        }
    }
}

impl ProducerContext for Connection {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, row: usize) {
        let refused = result.as_ref().err().map(|(error, _)| error.clone());
        if refused.is_none() {
            self.answered();
        }
        if let Ok(message) = result {
            tracing::trace!(row, partition = message.partition(), "event relayed");
        }
        self.answers.lock().push(Answer { row: i64::try_from(row).unwrap_or(i64::MAX), refused });
    }
}

//! What can go wrong with Kafka, whose fault it is, and whether trying again can help.

use std::io;

use rdkafka::error::KafkaError;

use crate::model::fault::{Fault, Retry};
use crate::store;

/// Milliseconds after which a cluster is worth another try.
const RETRY_MS: u64 = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("librdkafka refuses the settings; correct `kafka.properties`")]
    Settings {
        #[source]
        source: KafkaError,
    },
    #[error("the system refuses to start the relay thread; raise its limit of threads")]
    Thread {
        #[source]
        source: io::Error,
    },
    #[error(
        "no Kafka broker answers at `{brokers}`; start it or correct `kafka.brokers` (events are kept and follow later)"
    )]
    Unreachable {
        brokers: String,
        #[source]
        source: KafkaError,
    },
    #[error("the topic `{topic}` does not exist; create it or set `kafka.create_topics`")]
    NoTopic { topic: String },
    #[error(
        "the topic `{topic}` cannot be created; create it by hand or give this user the right to"
    )]
    Create {
        topic: String,
        #[source]
        source: KafkaError,
    },
    #[error("the event of row {row} was refused by Kafka; it is sent again")]
    Refused {
        row: i64,
        #[source]
        source: KafkaError,
    },
    #[error("the store cannot be read or written; the relay goes on when it can")]
    Store {
        #[source]
        source: store::Error,
    },
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store { source } => source.fault(),
            _ => Fault::Operator,
        }
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Settings { .. } | Self::Thread { .. } => Retry::No,
            _ => Retry::After(RETRY_MS),
        }
    }
}

//! The topics: found, or created as the layout says (`spec/delivery.md` 10.2).

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::client::{Producer, settings};
use super::error::Error;
use crate::bus::KafkaOptions;

const PARTITIONS: i32 = 12;
const RETENTION_MS: &str = "1209600000";
const REPLICAS_MAX: usize = 3;
/// How long the cluster may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// The name of the public stream of events.
pub(super) fn events(options: &KafkaOptions) -> String {
    format!("{}events", options.topic_prefix)
}

/// Makes sure that the topic of events exists. Blocks for at most ten seconds.
pub(super) fn ensure(
    producer: &Producer,
    options: &KafkaOptions,
    runtime: &tokio::runtime::Runtime,
) -> Result<(), Error> {
    let topic = events(options);
    // Asking for one topic could create it with the broker's own defaults, so all are asked for.
    let metadata = producer
        .client()
        .fetch_metadata(None, ANSWER)
        .map_err(|source| Error::Unreachable { brokers: options.brokers.join(","), source })?;
    if metadata.topics().iter().any(|known| known.name() == topic) {
        return Ok(());
    }
    if !options.create_topics {
        return Err(Error::NoTopic { topic });
    }
    let replicas = metadata.brokers().len().clamp(1, REPLICAS_MAX);
    runtime.block_on(create(options, &topic, replicas))
}

async fn create(options: &KafkaOptions, topic: &str, replicas: usize) -> Result<(), Error> {
    let failed = |source| Error::Create { topic: topic.to_owned(), source };
    let admin: AdminClient<DefaultClientContext> =
        settings(options).create().map_err(|source| Error::Settings { source })?;
    let in_sync = (replicas - 1).max(1).to_string();
    let replication = TopicReplication::Fixed(i32::try_from(replicas).unwrap_or(1));
    let new = NewTopic::new(topic, PARTITIONS, replication)
        .set("cleanup.policy", "delete")
        .set("retention.ms", RETENTION_MS)
        .set("min.insync.replicas", &in_sync);
    let limits = AdminOptions::new().operation_timeout(Some(ANSWER)).request_timeout(Some(ANSWER));
    let results = admin.create_topics([&new], &limits).await.map_err(failed)?;
    for result in results {
        match result {
            // Another instance was quicker.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(KafkaError::AdminOp(code))),
        }
    }
    Ok(())
}

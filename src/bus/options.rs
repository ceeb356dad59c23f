//! The `kafka:` section. There with and without the feature, so that a configuration is understood by either build.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems, pointer};

/// Settings of producers on which "no event is lost" rests, with the value each has.
pub(super) const PRODUCER_BINDING: &[(&str, &str)] = &[
    ("enable.idempotence", "true"),
    ("acks", "all"),
    // Finite values have lost messages of idempotent producers after stalls of a broker; the cursor bounds us.
    ("message.timeout.ms", "0"),
    ("partitioner", "murmur2_random"),
];

/// The same of consumers.
const CONSUMER_BINDING: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
];

/// Settings that only we can know.
const OURS: &[(&str, &str)] = &[
    ("bootstrap.servers", "name the brokers in `brokers`"),
    ("metadata.broker.list", "name the brokers in `brokers`"),
    ("group.id", "it is chosen by the role of each consumer"),
    ("transactional.id", "delivery needs no transactions"),
];

/// Other names that librdkafka has for binding settings.
const ALIASES: &[(&str, &str)] =
    &[("request.required.acks", "acks"), ("delivery.timeout.ms", "message.timeout.ms")];

/// Longest topic prefix: a topic name has at most 249 characters.
const PREFIX_MAX: usize = 200;

/// A Kafka cluster that the event log is relayed to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaOptions {
    /// Addresses to find the cluster by, `host:port` each; at least one.
    pub brokers: Vec<String>,
    /// Put before the name of every topic. Letters, digits, `.`, `_` and `-`.
    pub topic_prefix: String,
    /// Whether topics that are missing are created.
    pub create_topics: bool,
    /// Further settings of librdkafka, such as `security.protocol`, `sasl.mechanism` or `ssl.ca.location`. Those on which
    /// delivery rests (idempotence, acknowledgements, time-outs of messages) are refused.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            topic_prefix: "driftgate.".to_owned(),
            create_topics: true,
            properties: BTreeMap::new(),
        }
    }
}

/// Values of properties may be secrets, so only their names are shown.
impl fmt::Debug for KafkaOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("topic_prefix", &self.topic_prefix)
            .field("create_topics", &self.create_topics)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl KafkaOptions {
    /// Reports what cannot work, pointers relative to this section. Asks librdkafka where it is built in; contacts nobody.
    pub fn check(&self, problems: &mut Problems) {
        self.check_brokers(problems);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !self.topic_prefix.bytes().all(plain) || self.topic_prefix.len() > PREFIX_MAX {
            problems.push(
                Problem::error(
                    "/topic_prefix",
                    "kafka.bad-prefix",
                    format!("`{}` cannot begin the name of a topic", self.topic_prefix),
                )
                .remedy("use at most 200 letters, digits, `.`, `_` and `-`"),
            );
        }
        for name in self.properties.keys() {
            if let Some(problem) = refuse(name) {
                problems.push(problem);
            }
        }
        #[cfg(feature = "kafka")]
        super::kafka::check_properties(&self.properties, problems);
        #[cfg(not(feature = "kafka"))]
        problems.push(
            Problem::error("", "kafka.not-built-in", "this build has no Kafka client")
                .remedy("use a build with the feature `kafka`, or remove the section"),
        );
    }

    fn check_brokers(&self, problems: &mut Problems) {
        if self.brokers.is_empty() {
            problems.push(
                Problem::error("/brokers", "kafka.no-brokers", "no broker is named")
                    .remedy("name at least one as `host:port`"),
            );
        }
        for (index, broker) in self.brokers.iter().enumerate() {
            let address = broker.rsplit_once(':');
            let named = address.is_some_and(|(host, port)| {
                !host.is_empty() && !broker.contains(',') && port.parse::<u16>().is_ok()
            });
            if !named {
                problems.push(
                    Problem::error(
                        format!("/brokers/{index}"),
                        "kafka.bad-broker",
                        format!("`{broker}` is not a broker's address"),
                    )
                    .remedy("write `host:port`"),
                );
            }
        }
    }
}

/// Why a property may not be set.
fn refuse(name: &str) -> Option<Problem> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, name)| *name);
    let mut all = PRODUCER_BINDING.iter().chain(CONSUMER_BINDING);
    let binding = all.find(|(known, _)| *known == alias.unwrap_or(name));
    let ours = OURS.iter().find(|(known, _)| *known == name).map(|(_, remedy)| *remedy);
    let remedy = match (binding, ours) {
        (Some((known, value)), _) => {
            format!("remove it; `{known}` is always `{value}`, or events could be lost")
        }
        (None, Some(remedy)) => format!("remove it; {remedy}"),
        (None, None) => return None,
    };
    let place = pointer("/properties", name);
    Some(
        Problem::error(place, "kafka.setting-refused", format!("`{name}` cannot be set"))
            .remedy(remedy),
    )
}

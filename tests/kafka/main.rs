//! Tests against a real Apache Kafka broker, read by a client that is not librdkafka.
//!
//! Named explicitly (`cargo test --test kafka`), since they need Java 17 and Maven; without them they fail with the command
//! that installs them.

mod relay;
mod support;

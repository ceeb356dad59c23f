//! Tests against a real Apache Kafka broker, read by a client that is not librdkafka.
//!
//! Named explicitly (`cargo test --test kafka`), since they need Java 17 and Maven; without them they fail with the command
//! that installs them.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests stand outside of the program: they use files, threads and clocks of their own"
)]

#[path = "../it/support/mod.rs"]
#[expect(dead_code, reason = "shared with the process tests, which use the rest")]
mod process;
mod program;
mod relay;
mod support;

//! Tests of delivery: pure tables, a scripted destination over a real store with a standing clock, hostile sockets.

mod guard;
mod hostile;
mod machine;
mod schedule;
mod scheduler;
mod sign;
pub(crate) mod support;

/// Failures of properties are kept beside the source.
pub(crate) fn properties() -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, FileFailurePersistence};
    let persistence = FileFailurePersistence::WithSource("regressions");
    Config { failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}

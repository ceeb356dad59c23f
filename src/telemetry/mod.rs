//! What operators see: log lines and metrics (layer 1).
//!
//! Owns the subscriber that every log line goes through, the registry of metrics, and `signals`: one struct for each notable
//! occurrence, which owns its log line. Refuses paths, ids and captured values as metric labels.

mod init;
mod metrics;
pub mod signals;

pub use init::{Format, Options, init};
pub use metrics::Metrics;

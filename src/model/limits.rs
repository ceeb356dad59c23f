//! Limits that more than one folder must agree on, each with its reason. Limits of one folder live there.

/// Largest `data` of an event, bytes: fits a Kafka message of 1 MiB with headers, and SQLite rows stay small.
pub const EVENT_DATA_BYTES_MAX: usize = 256 * 1024;

/// Deepest JSON nesting that is read as a tree; beyond it a body is counted and not judged.
pub const JSON_DEPTH_MAX: usize = 128;

/// Largest text of a configuration file, bytes.
pub const CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Largest text of a specification document, bytes.
pub const SPECIFICATION_BYTES_MAX: u64 = 32 * 1024 * 1024;

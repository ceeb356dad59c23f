//! The only user of SQLite (layer 3).
//!
//! Owns durable state: events, deliveries, attempts, findings, revisions, evidence. Refuses to own deciding what to store.

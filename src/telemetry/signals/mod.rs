//! One struct for each notable occurrence: it owns the log line, so that wording and fields stand in one place.
//!
//! A file per folder that tells; each struct has `tell(self)`. Log lines are fixed messages with fields; nothing captured
//! and no secret is ever a field.

pub mod actions;
pub mod admin;
pub mod app;
pub mod bus;
pub mod deliver;
pub mod pipeline;
pub mod proxy;
pub mod store;
pub mod webhooks;

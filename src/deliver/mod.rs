//! Due deliveries to attempts (layer 3).
//!
//! Owns the delivery state machine, its schedule, and the one guarded HTTP client. Refuses to own what a destination means:
//! `webhooks` and `actions` say that through [`Destination`].

mod attempt;
pub mod auth;
pub mod client;
mod command;
mod error;
pub mod guard;
mod handle;
mod ledger;
pub mod machine;
mod metrics;
pub mod options;
mod ready;
pub mod schedule;
pub mod service;
pub mod sign;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod trouble;

pub use error::Error;
pub use handle::{Effect, Handle, Health};

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::delivery::{Delivery, Hold, OutcomeKind, Trigger};
use crate::model::event::Event;

/// What the scheduler must know of a destination before each attempt. Read anew each time, so that edits are live at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub retry: schedule::Policy,
    /// Attempts in flight at most, 1-64.
    pub concurrency: usize,
    /// Nothing is sent while there is one; the clock of each delivery runs on.
    pub hold: Option<Hold>,
}

/// One try at a delivery, as its destination sees it.
#[derive(Debug, Clone)]
pub struct Context {
    pub delivery: Delivery,
    pub event: Arc<Event>,
    /// From 1.
    pub number: u32,
    pub trigger: Trigger,
    /// Unix milliseconds.
    pub started_ms: i64,
}

/// What an attempt came to. Becomes a `model::delivery::Attempt` and the input of the state machine.
#[derive(Debug, Clone)]
pub struct Report {
    pub outcome: OutcomeKind,
    /// One sentence, none on success.
    pub error: Option<String>,
    /// Version of the destination object that the attempt began with.
    pub target_version: u64,
    pub url: String,
    pub address: Option<String>,
    /// Secrets masked.
    pub request_headers: Vec<(String, String)>,
    /// Hexadecimal SHA-256 of the body sent; empty when none was rendered.
    pub body_sha256: String,
    pub status: Option<u16>,
    pub response_headers: Vec<(String, String)>,
    pub response_body: Vec<u8>,
    /// Milliseconds from now that the receiver asked us to wait.
    pub retry_after_ms: Option<i64>,
    /// No attempt can ever succeed: the delivery fails at once (end `refused`).
    pub refused: bool,
}

impl Report {
    /// An attempt that did not get as far as sending.
    #[must_use]
    pub fn unsent(outcome: OutcomeKind, error: impl Into<String>) -> Self {
        Self {
            outcome,
            error: Some(error.into()),
            target_version: 0,
            url: String::new(),
            address: None,
            request_headers: Vec::new(),
            body_sha256: String::new(),
            status: None,
            response_headers: Vec::new(),
            response_body: Vec::new(),
            retry_after_ms: None,
            refused: false,
        }
    }
}

/// Where deliveries go: a webhook, an action.
#[async_trait]
pub trait Destination: Send + Sync {
    fn policy(&self) -> Policy;

    /// One try. Must end by itself in bounded time; a panic counts as outcome `unknown`.
    async fn attempt(&self, context: Context) -> Report;
}

/// All destinations of one kind, or of all kinds.
pub trait Destinations: Send + Sync {
    /// The destination of this id as it is now; none when it was deleted.
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>>;
}

/// Several kinds of destinations as one: the first that knows the id answers.
pub struct Composed(pub Vec<Arc<dyn Destinations>>);

impl Destinations for Composed {
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>> {
        self.0.iter().find_map(|kind| kind.find(id))
    }
}

/// Puts credentials on a request: what an auth provider does.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Adds headers or query parameters.
    ///
    /// # Errors
    /// One sentence, without secrets, when no credential could be had; the attempt then ends with outcome `auth`.
    async fn authorise(&self, request: &mut client::Request) -> Result<(), String>;

    /// The target answered 401: forget what is cached. True when another try with a fresh credential makes sense.
    fn refused(&self) -> bool {
        false
    }
}

//! What the admin API tells: where it listens, and what it had to refuse or could not answer.

use std::error::Error;

use tracing::{debug, error, info, warn};

/// The listener is bound.
pub struct Listening<'a> {
    pub address: &'a str,
    pub health_address: &'a str,
}

impl Listening<'_> {
    pub fn tell(self) {
        info!(
            address = self.address,
            health_address = self.health_address,
            "the admin API listens"
        );
    }
}

/// A connection could not be accepted; the listener goes on.
pub struct AcceptFailed<'a> {
    pub error: &'a std::io::Error,
}

impl AcceptFailed<'_> {
    pub fn tell(self) {
        warn!(error = %self.error, "the admin API could not accept a connection");
    }
}

/// One connection too many.
pub struct ConnectionRefused {
    pub limit: usize,
}

impl ConnectionRefused {
    pub fn tell(self) {
        debug!(limit = self.limit, "the admin API has all its connections in use");
    }
}

/// A client neither finished its request head nor took its answer.
pub struct ConnectionStalled;

impl ConnectionStalled {
    pub fn tell(self) {
        debug!("a connection of the admin API stalled and was closed");
    }
}

/// An answer could not be made; the client got the trace id alone.
pub struct AnswerFailed<'a> {
    pub trace_id: &'a str,
    pub route: &'static str,
    pub error: &'a (dyn Error + 'static),
}

impl AnswerFailed<'_> {
    pub fn tell(self) {
        let mut chain = self.error.to_string();
        let mut source = self.error.source();
        while let Some(error) = source {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            source = error.source();
        }
        error!(
            trace_id = self.trace_id,
            route = self.route,
            error = chain,
            "the admin API could not answer"
        );
    }
}

/// Somebody changed something through the API.
pub struct Changed<'a> {
    pub actor: &'a str,
    pub action: &'static str,
    pub target: &'a str,
    pub trace_id: &'a str,
}

impl Changed<'_> {
    pub fn tell(self) {
        info!(
            actor = self.actor,
            action = self.action,
            target_object = self.target,
            trace_id = self.trace_id,
            "changed through the admin API"
        );
    }
}

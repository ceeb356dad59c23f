//! What came of a call, told by the types of errors, never by their texts.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::model::delivery::OutcomeKind;

use super::resolve::Refusal;

/// A call without a whole answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    pub outcome: OutcomeKind,
    /// One sentence: what happened, without secrets.
    pub error: String,
}

impl Failure {
    #[must_use]
    pub fn new(outcome: OutcomeKind, error: impl Into<String>) -> Self {
        Self { outcome, error: error.into() }
    }

    pub(super) fn late(outcome: OutcomeKind, limit: Duration) -> Self {
        let waited = match outcome {
            OutcomeKind::TimeoutHead => "no answer",
            OutcomeKind::TimeoutConnect => "no connection",
            _ => "no end of the answer",
        };
        Self::new(outcome, format!("{waited} within {} ms", limit.as_millis()))
    }

    pub(super) fn bad_response(error: String) -> Self {
        Self::new(OutcomeKind::BadResponse, error)
    }

    /// Classifies an error of the HTTP client.
    pub(super) fn of(error: &reqwest::Error, connect: Duration) -> Self {
        if let Some(refusal) = find::<Refusal>(error) {
            return refusal.into();
        }
        if error.is_connect() && (error.is_timeout() || timed_out(error)) {
            return Self::late(OutcomeKind::TimeoutConnect, connect);
        }
        let outcome = if error.is_connect() {
            let tls = find::<openssl::ssl::Error>(error).is_some()
                || find::<openssl::error::ErrorStack>(error).is_some()
                || find::<native_tls::Error>(error).is_some();
            if tls { OutcomeKind::Tls } else { OutcomeKind::Connect }
        } else if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            OutcomeKind::BadResponse
        } else if error.is_builder() || error.is_redirect() {
            OutcomeKind::Render
        } else {
            OutcomeKind::Closed
        };
        // The URL may hold a secret; whoever reads the attempt knows it anyway.
        Self::new(outcome, chain(error))
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let outcome = match refusal {
            Refusal::Blocked { .. } => OutcomeKind::Blocked,
            Refusal::Lookup { .. } | Refusal::Late { .. } | Refusal::Empty { .. } => {
                OutcomeKind::Dns
            }
        };
        Self::new(outcome, chain(refusal))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::from(&refusal)
    }
}

/// What a final status means for a delivery.
#[must_use]
pub fn of_status(status: u16) -> OutcomeKind {
    match status {
        200..=299 => OutcomeKind::Ok,
        300..=399 => OutcomeKind::Redirect,
        410 => OutcomeKind::Gone,
        429 => OutcomeKind::Throttled,
        400..=499 => OutcomeKind::ClientError,
        500..=599 => OutcomeKind::ServerError,
        _ => OutcomeKind::BadResponse,
    }
}

/// The first error of this type in the chain.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<E>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

fn timed_out(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// The causes below the client's own words ("error sending request for url …"), outermost first.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let outermost = (!error.is::<reqwest::Error>()).then_some(error);
    let mut next = outermost.or_else(|| error.source());
    while let Some(current) = next {
        let part = current.to_string();
        if !text.ends_with(&part) {
            let joint = if text.is_empty() { "" } else { ": " };
            text.extend([joint, &part]);
        }
        next = current.source();
    }
    if text.is_empty() { "the call failed".to_owned() } else { text }
}

//! What one exchange carries from hook to hook.
//!
//! Owns the stamps, the route taken, the attempts and the verdict on how it ended. Small on purpose: pingora moves it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use pingora::{Error, ErrorSource};

use super::answer::Failure;
use super::conn::Connection;
use super::forward::Forwarding;
use super::metrics::{ApiCounters, Counters};
use super::tap::Tap;
use super::upstream::Client;
use super::view::{Api, Live};
use crate::capture;
use crate::model::capture::Outcome;

/// The state of one exchange.
pub(super) struct Context {
    pub(super) started_ns: u64,
    pub(super) sent_ns: u64,
    /// When the API's last body byte came in; 0 while it has not.
    pub(super) received_ns: u64,
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) routed: Option<Routed>,
    pub(super) tap: Option<Box<Tap>>,
    pub(super) attempts: u8,
    /// Index of the address to try.
    pub(super) address: usize,
    pub(super) reused: bool,
    /// Whether the API has sent a final response head.
    pub(super) responded: bool,
    pub(super) upgraded: bool,
    pub(super) failure: Option<Failure>,
    pub(super) client: Client,
    /// Bytes of the request body so far, counted when they are limited.
    pub(super) request_bytes: u64,
    _in_flight: InFlight,
}

/// Where an exchange goes. Keeps the view it was routed by alive to its end.
pub(super) struct Routed {
    pub(super) live: Arc<Live>,
    pub(super) index: usize,
    pub(super) forwarding: Arc<Forwarding>,
}

impl Routed {
    pub(super) fn api(&self) -> Option<(&Api, &Arc<ApiCounters>)> {
        self.live.api(self.index)
    }
}

/// Counts an exchange for as long as it exists, however it ends.
struct InFlight(Arc<Counters>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Context {
    pub(super) fn new(counters: &Arc<Counters>, started_ns: u64) -> Self {
        counters.in_flight.fetch_add(1, Relaxed);
        Self {
            started_ns,
            sent_ns: 0,
            received_ns: 0,
            connection: None,
            routed: None,
            tap: None,
            attempts: 0,
            address: 0,
            reused: false,
            responded: false,
            upgraded: false,
            failure: None,
            client: Client::Http1,
            request_bytes: 0,
            _in_flight: InFlight(Arc::clone(counters)),
        }
    }

    /// Lets the tap do something. A panic ends the tap of this exchange and nothing else.
    pub(super) fn tap(
        &mut self,
        handle: &capture::Handle,
        now_ns: impl Fn() -> u64,
        work: impl FnOnce(&mut Tap),
    ) {
        let Some(tap) = &mut self.tap else { return };
        if catch_unwind(AssertUnwindSafe(|| work(tap))).is_err() {
            handle.panicked(now_ns());
            tap.discard();
            self.tap = None;
        }
    }

    /// How the exchange ended; `error` as pingora reports it at the end.
    pub(super) fn outcome(&self, error: Option<&Error>) -> Outcome {
        let failure = self.failure.or_else(|| error.and_then(Failure::of));
        match (failure, error) {
            (Some(failure), _) => outcome_of(failure),
            (None, Some(error)) if *error.esource() == ErrorSource::Downstream => {
                if self.upgraded {
                    Outcome::Tunnel
                } else {
                    Outcome::ClientAbort
                }
            }
            (None, Some(_)) => Outcome::Aborted,
            (None, None) if self.upgraded => Outcome::Tunnel,
            (None, None) => Outcome::Ok,
        }
    }
}

fn outcome_of(failure: Failure) -> Outcome {
    match failure {
        Failure::Unresolved
        | Failure::Refused
        | Failure::Unroutable
        | Failure::ConnectTimeout
        | Failure::Tls
        | Failure::Certificate => Outcome::ConnectFailed,
        Failure::ResponseTimeout => Outcome::Timeout,
        Failure::Closed => Outcome::UpstreamAbort,
        Failure::Protocol => Outcome::ProtocolError,
        Failure::NoApi
        | Failure::HeadTooLarge
        | Failure::BodyTooLarge
        | Failure::BodyStalled
        | Failure::BadRequest
        | Failure::Defect => Outcome::Generated,
    }
}

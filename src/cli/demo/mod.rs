//! `driftgate demo`: a real API behind the proxy, traffic, a release that breaks its promise, and who is told.
//!
//! Owns the story and everything in it that is not driftgate: the orders API, its clients, the receiver. driftgate itself is
//! the same `app` as in `driftgate run`, on a configuration in a temporary folder, and is asked over its admin API like any
//! other instance.

mod orders;
mod receiver;
mod serve;
mod traffic;

use crate::runtime::clock::Clock;

/// RFC 3339, UTC, milliseconds.
fn now(clock: &Clock) -> String {
    jiff::Timestamp::from_millisecond(clock.now_ms())
        .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

//! How the relay is: reachable since when, how far behind, and what is wrong, in one sentence.

use parking_lot::Mutex;

use crate::telemetry::signals::bus::{Reachable, Unreachable};

/// The state of the relay at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayHealth {
    /// Whether a broker answers.
    pub reachable: bool,
    /// Since when, Unix milliseconds.
    pub since_ms: i64,
    /// Events that are committed and not yet acknowledged by Kafka.
    pub lag_events: u64,
    /// Age of the oldest of them that was sent, milliseconds; 0 when none waits.
    pub lag_ms: u64,
    /// What keeps it from relaying, with a remedy; none: nothing does.
    pub problem: Option<String>,
}

/// What the relay and the callbacks of its client write down.
#[derive(Debug)]
pub(super) struct Status(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    reachable: bool,
    since_ms: i64,
    /// The highest row before which all are acknowledged.
    cursor: i64,
    /// When the oldest event in flight was recorded.
    oldest_ms: Option<i64>,
    problem: Option<String>,
}

impl Status {
    /// Unreachable until a broker has answered.
    pub(super) fn new(now_ms: i64) -> Self {
        Self(Mutex::new(Inner {
            reachable: false,
            since_ms: now_ms,
            cursor: 0,
            oldest_ms: None,
            problem: None,
        }))
    }

    pub(super) fn set_reachable(&self, reachable: bool, now_ms: i64) {
        let mut inner = self.0.lock();
        if inner.reachable == reachable {
            return;
        }
        let was_for_ms = now_ms - inner.since_ms;
        (inner.reachable, inner.since_ms) = (reachable, now_ms);
        drop(inner);
        if reachable {
            Reachable { away_ms: was_for_ms }.tell();
        } else {
            Unreachable.tell();
        }
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.0.lock().problem = problem;
    }

    pub(super) fn set_progress(&self, cursor: i64, oldest_ms: Option<i64>) {
        let mut inner = self.0.lock();
        (inner.cursor, inner.oldest_ms) = (cursor, oldest_ms);
    }

    pub(super) fn read(&self, committed: i64, now_ms: i64) -> RelayHealth {
        let inner = self.0.lock();
        let lag = |from: i64, to: i64| u64::try_from(to - from).unwrap_or(0);
        let away = "no Kafka broker answers; start it or correct `kafka.brokers` \
                    (events are kept and follow later)";
        RelayHealth {
            reachable: inner.reachable,
            since_ms: inner.since_ms,
            lag_events: lag(inner.cursor, committed),
            lag_ms: inner.oldest_ms.map_or(0, |oldest| lag(oldest, now_ms)),
            problem: inner.problem.clone().or_else(|| (!inner.reachable).then(|| away.to_owned())),
        }
    }
}

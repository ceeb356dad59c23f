//! How the process is, gathered from what every part already knows; asking never waits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::admin::{self, Probe, dto};
use crate::runtime::clock::Clock;
use crate::{capture, deliver, proxy, store};

/// A data thread that was silent for longer is stuck.
const DATA_SILENCE_MAX: Duration = Duration::from_secs(10);
/// Analysis that was silent for longer, with captures waiting, is stalled.
const ANALYSIS_SILENCE_MAX: Duration = Duration::from_secs(10);

/// The scheduler looks at everything once a minute at the latest.
const DELIVER_SILENCE_MAX: Duration = Duration::from_secs(120);

/// Answers for the admin API.
pub(super) struct Health {
    pub(super) proxy: proxy::Handle,
    pub(super) capture: capture::Handle,
    pub(super) store: store::Handle,
    pub(super) deliver: deliver::Handle,
    pub(super) bus: Arc<dyn BusHealth>,
    pub(super) clock: Clock,
}

/// Whether events reach the public stream.
pub(super) trait BusHealth: Send + Sync {
    /// One sentence when not.
    fn problem(&self) -> Option<String>;

    /// Events that wait to be relayed; none without a broker.
    fn lag(&self) -> Option<u64>;

    /// Since when no broker answers, Unix milliseconds; none: one does, or none is needed.
    fn away_since_ms(&self) -> Option<i64>;
}

/// The embedded bus is the store itself.
pub(super) struct Embedded;

impl BusHealth for Embedded {
    fn problem(&self) -> Option<String> {
        None
    }

    fn lag(&self) -> Option<u64> {
        None
    }

    fn away_since_ms(&self) -> Option<i64> {
        None
    }
}

#[cfg(feature = "kafka")]
impl BusHealth for crate::bus::kafka::Handle {
    fn problem(&self) -> Option<String> {
        self.health().problem
    }

    fn lag(&self) -> Option<u64> {
        Some(self.health().lag_events)
    }

    fn away_since_ms(&self) -> Option<i64> {
        let health = self.health();
        (!health.reachable).then_some(health.since_ms)
    }
}

impl Health {
    fn data_plane(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let silent = self.proxy.heartbeat_age();
        if silent > DATA_SILENCE_MAX {
            reasons.push(format!("a data thread gave no sign of life for {} s", silent.as_secs()));
        }
        reasons
    }

    fn deliveries(&self) -> Option<String> {
        let silent = self.deliver.health().beat_age;
        (silent > DELIVER_SILENCE_MAX)
            .then(|| format!("the scheduler gave no sign of life for {} s", silent.as_secs()))
    }

    fn analysis(&self) -> Option<String> {
        let snapshot = self.capture.snapshot(self.clock.monotonic_ns());
        let silent = Duration::from_nanos(snapshot.heartbeat_age_ns);
        let stalled = silent > ANALYSIS_SILENCE_MAX && snapshot.queue_length > 0;
        if stalled {
            return Some(format!(
                "the analysis gave no sign of life for {} s; traffic flows",
                silent.as_secs()
            ));
        }
        (!snapshot.enabled)
            .then(|| "the tap is off; traffic flows, nothing is learned or judged".to_owned())
    }
}

impl admin::Health for Health {
    fn failing(&self, probe: Probe) -> Vec<String> {
        match probe {
            Probe::Live => self.data_plane(),
            Probe::Ready => {
                let mut reasons = self.data_plane();
                if !self.proxy.ready() {
                    reasons.push("draining, or not accepting yet".to_owned());
                }
                reasons
            }
            Probe::Control => {
                let parts = [
                    self.analysis(),
                    self.store.health().problem,
                    self.bus.problem(),
                    self.deliveries(),
                ];
                parts.into_iter().flatten().collect()
            }
        }
    }

    fn parts(&self) -> Vec<dto::Part> {
        let tap = self.capture.snapshot(self.clock.monotonic_ns());
        let store = self.store.health();
        vec![
            part(
                "data-plane",
                self.data_plane().pop(),
                "data.stuck",
                json!({ "in_flight": self.proxy.in_flight() }),
            ),
            part(
                "analysis",
                self.analysis(),
                "analysis.stalled",
                json!({
                    "queue": tap.queue_length, "captures": tap.captures, "dropped": tap.dropped.iter().sum::<u64>(),
                    "bytes_in_flight": tap.bytes_in_flight, "shed_level": tap.level, "panics": tap.panics,
                }),
            ),
            part(
                "store",
                store.problem,
                "store.refuses",
                json!({
                    "bytes": store.bytes, "max_bytes": store.max_bytes, "queued": store.queued,
                }),
            ),
            part("deliver", self.deliveries(), "deliver.stalled", {
                let health = self.deliver.health();
                json!({ "in_flight": health.in_flight, "waiting": health.waiting })
            }),
            part(
                "bus",
                self.bus.problem(),
                "bus.unreachable",
                json!({ "lag_events": self.bus.lag() }),
            ),
        ]
    }
}

/// A part is well without a problem; a problem says its own remedy.
fn part(name: &str, problem: Option<String>, code: &str, numbers: Value) -> dto::Part {
    let numbers = match numbers {
        Value::Object(numbers) => numbers,
        _ => Map::new(),
    };
    dto::Part {
        name: name.to_owned(),
        state: if problem.is_some() { dto::PartState::Degraded } else { dto::PartState::Ok },
        code: if problem.is_some() { code.to_owned() } else { String::new() },
        since: None,
        detail: problem.unwrap_or_default(),
        remedy: String::new(),
        numbers,
    }
}

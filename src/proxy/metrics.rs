//! What the data plane counts (`spec/proxy.md` 13): atomics in arrays, added to without a lock and read when scraped.
//!
//! Owns names and labels of the metrics of proxy and tap. Labels are enums and configured names, never anything that was
//! sent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::answer::Failure;
use crate::capture::{self, Dropped};
use crate::model::capture::{BodyState, Outcome, Protocol};
use crate::runtime::clock::Clock;

const PROTOCOLS: [(Protocol, &str); 3] =
    [(Protocol::Http10, "http/1.0"), (Protocol::Http11, "http/1.1"), (Protocol::Http2, "h2")];
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
const OUTCOMES: [Outcome; 9] = [
    Outcome::Ok,
    Outcome::ClientAbort,
    Outcome::ConnectFailed,
    Outcome::UpstreamAbort,
    Outcome::Timeout,
    Outcome::ProtocolError,
    Outcome::Generated,
    Outcome::Tunnel,
    Outcome::Aborted,
];
const BODY_STATES: [(BodyState, &str); 5] = [
    (BodyState::None, "none"),
    (BodyState::Complete, "complete"),
    (BodyState::Truncated, "truncated"),
    (BodyState::Opaque, "opaque"),
    (BodyState::Dropped, "dropped"),
];

/// Upper bounds of exchange durations, microseconds.
const DURATIONS_US: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];
/// Upper bounds of what we add, microseconds.
const ADDED_US: &[u64] =
    &[5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000];

/// A counter for each of a few cases.
#[derive(Debug)]
pub(super) struct Counts<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }
}

impl<const N: usize> Counts<N> {
    pub(super) fn add(&self, index: usize) {
        if let Some(counter) = self.0.get(index) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn get(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |counter| counter.load(Relaxed))
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|counter| counter.load(Relaxed))
    }
}

/// Counts of durations below fixed bounds.
#[derive(Debug)]
pub(super) struct Durations {
    bounds_us: &'static [u64],
    buckets: Counts<18>,
    sum_ns: AtomicU64,
}

impl Durations {
    fn new(bounds_us: &'static [u64]) -> Self {
        Self { bounds_us, buckets: Counts::default(), sum_ns: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, ns: u64) {
        let us = ns / 1_000;
        let slot = self.bounds_us.iter().take_while(|bound| us > **bound).count();
        self.buckets.add(slot);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds_us.iter().map(|bound| seconds(bound.saturating_mul(1_000)));
        let bounds = bounds.chain([f64::MAX]);
        bounds.enumerate().map(|(index, bound)| (bound, self.buckets.get(index))).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are doubles")]
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// What is counted for one API. It outlives reloads: the name is the key.
#[derive(Debug)]
pub(super) struct ApiCounters {
    name: Arc<str>,
    exchanges: Counts<{ PROTOCOLS.len() * CLASSES.len() * OUTCOMES.len() }>,
    pub(super) duration: Durations,
    /// From the parsed head to its way upstream, and from the upstream's last byte to ours.
    pub(super) added_request: Durations,
    pub(super) added_response: Durations,
    /// In the order of [`Failure::ALL`], and one more for success.
    connects: Counts<{ Failure::ALL.len() + 1 }>,
    pub(super) reused: AtomicU64,
    pub(super) retries: AtomicU64,
    answers: Counts<{ Failure::ALL.len() }>,
}

impl ApiCounters {
    fn new(name: &Arc<str>) -> Self {
        Self {
            name: Arc::clone(name),
            exchanges: Counts::default(),
            duration: Durations::new(DURATIONS_US),
            added_request: Durations::new(ADDED_US),
            added_response: Durations::new(ADDED_US),
            connects: Counts::default(),
            reused: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            answers: Counts::default(),
        }
    }

    pub(super) fn exchange(&self, protocol: Protocol, status: u16, outcome: Outcome) {
        self.exchanges.add(exchange_slot(protocol, status, outcome));
    }

    pub(super) fn connected(&self, failure: Option<Failure>) {
        self.connects.add(failure.map_or(Failure::ALL.len(), |failure| failure as usize));
    }

    pub(super) fn answered(&self, failure: Failure) {
        self.answers.add(failure as usize);
    }
}

fn exchange_slot(protocol: Protocol, status: u16, outcome: Outcome) -> usize {
    let class = usize::from(status / 100).min(CLASSES.len() - 1);
    (protocol as usize * CLASSES.len() + class) * OUTCOMES.len() + outcome as usize
}

/// The inverse of [`exchange_slot`].
fn exchange_labels(api: &str, slot: usize) -> [(&'static str, String); 4] {
    let (rest, outcome) = (slot / OUTCOMES.len(), slot % OUTCOMES.len());
    let (protocol, class) = (rest / CLASSES.len(), rest % CLASSES.len());
    [
        ("api", api.to_owned()),
        ("protocol", PROTOCOLS[protocol % PROTOCOLS.len()].1.to_owned()),
        ("status_class", CLASSES[class].to_owned()),
        ("outcome", OUTCOMES[outcome].label().to_owned()),
    ]
}

/// Why a connection was refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refused {
    Limit,
}

/// In which phase a connection ran out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimedOut {
    Head,
    Idle,
    Write,
}

const REFUSED: [&str; 1] = ["limit"];
const TIMED_OUT: [&str; 3] = ["head", "idle", "write"];

/// Everything that is counted for the whole data plane.
pub(super) struct Counters {
    apis: RwLock<Vec<Arc<ApiCounters>>>,
    /// Name of each listener and its open connections.
    pub(super) connections: Vec<(Arc<str>, AtomicU64)>,
    refused: Counts<1>,
    timed_out: Counts<3>,
    pub(super) heads_rejected: AtomicU64,
    pub(super) in_flight: AtomicU64,
    /// Answers to requests of no API.
    pub(super) unrouted: AtomicU64,
    pub(super) generation: AtomicU64,
    capture: capture::Handle,
    clock: Clock,
}

impl Counters {
    pub(super) fn new(listeners: Vec<Arc<str>>, capture: capture::Handle, clock: Clock) -> Self {
        Self {
            apis: RwLock::default(),
            connections: listeners.into_iter().map(|name| (name, AtomicU64::new(0))).collect(),
            refused: Counts::default(),
            timed_out: Counts::default(),
            heads_rejected: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            unrouted: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            capture,
            clock,
        }
    }

    /// The counters of an API, made when it is new. Called on loading a view only.
    pub(super) fn api(&self, name: &Arc<str>) -> Arc<ApiCounters> {
        let mut apis = self.apis.write();
        if let Some(known) = apis.iter().find(|known| known.name == *name) {
            return Arc::clone(known);
        }
        let counters = Arc::new(ApiCounters::new(name));
        apis.push(Arc::clone(&counters));
        counters
    }

    pub(super) fn refuse(&self, reason: Refused) {
        self.refused.add(reason as usize);
    }

    pub(super) fn time_out(&self, phase: TimedOut) {
        self.timed_out.add(phase as usize);
    }

    /// Connections open on all listeners.
    pub(super) fn open(&self) -> u64 {
        self.connections.iter().map(|(_, open)| open.load(Relaxed)).sum()
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("proxy::Counters")
    }
}

/// Registered once; reads the counters when scraped.
#[derive(Debug)]
pub(super) struct Scrape(pub(super) Arc<Counters>);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut sink = Sink(&mut encoder);
        let apis = self.0.apis.read();
        exchanges(&mut sink, &apis)?;
        upstreams(&mut sink, &apis)?;
        durations(&mut sink, &apis)?;
        connections(&mut sink, &self.0)?;
        tap(&mut sink, &self.0)
    }
}

/// Writes one family after the other.
struct Sink<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Sink<'_, '_> {
    fn counters<const L: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = ([(&'static str, String); L], u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in rows {
            family
                .encode_family(&labels)?
                .encode_counter::<[(&str, &str); 0], _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }
}

fn exchanges(sink: &mut Sink<'_, '_>, apis: &[Arc<ApiCounters>]) -> fmt::Result {
    let rows = apis.iter().flat_map(|api| {
        let counted = api.exchanges.iter().enumerate().filter(|(_, count)| *count > 0);
        counted.map(|(slot, count)| (exchange_labels(&api.name, slot), count))
    });
    sink.counters("exchanges", "Exchanges that ended", rows)
}

fn upstreams(sink: &mut Sink<'_, '_>, apis: &[Arc<ApiCounters>]) -> fmt::Result {
    let connects = apis.iter().flat_map(|api| {
        let failures = Failure::ALL.iter().map(|failure| failure.label());
        failures.chain(["ok"]).enumerate().filter_map(move |(index, result)| {
            let count = api.connects.get(index);
            let labels = [("api", api.name.to_string()), ("result", result.to_owned())];
            (count > 0).then_some((labels, count))
        })
    });
    sink.counters("upstream_connects", "Connections tried towards the API", connects)?;
    let each = |read: fn(&ApiCounters) -> u64| {
        apis.iter().map(move |api| ([("api", api.name.to_string())], read(api)))
    };
    sink.counters(
        "upstream_reused",
        "Exchanges that went over a pooled connection",
        each(|api| api.reused.load(Relaxed)),
    )?;
    sink.counters(
        "upstream_retries",
        "Attempts after the first one of an exchange",
        each(|api| api.retries.load(Relaxed)),
    )?;
    let answers = apis.iter().flat_map(|api| {
        Failure::ALL.iter().filter_map(move |failure| {
            let count = api.answers.get(*failure as usize);
            let labels = [("api", api.name.to_string()), ("code", failure.code().to_owned())];
            (count > 0).then_some((labels, count))
        })
    });
    sink.counters("answers_generated", "Answers that driftgate made itself", answers)
}

fn durations(sink: &mut Sink<'_, '_>, apis: &[Arc<ApiCounters>]) -> fmt::Result {
    let help = "From the request head to the last byte of the answer";
    let mut family =
        sink.0.encode_descriptor("exchange_duration_seconds", help, None, MetricType::Histogram)?;
    for api in apis {
        let labels = [("api", &*api.name)];
        histogram(&mut family.encode_family(&labels)?, &api.duration)?;
    }
    let help = "What driftgate itself took";
    let mut family =
        sink.0.encode_descriptor("added_latency_seconds", help, None, MetricType::Histogram)?;
    for api in apis {
        for (side, durations) in
            [("request", &api.added_request), ("response", &api.added_response)]
        {
            let labels = [("api", &*api.name), ("side", side)];
            histogram(&mut family.encode_family(&labels)?, durations)?;
        }
    }
    Ok(())
}

fn histogram(
    metric: &mut prometheus_client::encoding::MetricEncoder<'_>,
    durations: &Durations,
) -> fmt::Result {
    let buckets = durations.buckets();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let sum = seconds(durations.sum_ns.load(Relaxed));
    metric.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)
}

fn connections(sink: &mut Sink<'_, '_>, counters: &Counters) -> fmt::Result {
    let help = "Open connections of clients";
    let mut family = sink.0.encode_descriptor("connections", help, None, MetricType::Gauge)?;
    for (listener, open) in &counters.connections {
        let labels = [("listener", &**listener)];
        family.encode_family(&labels)?.encode_gauge(&open.load(Relaxed))?;
    }
    let rows =
        |label: &'static str, names: &'static [&'static str], count: &dyn Fn(usize) -> u64| {
            let row = |(index, name): (usize, &&str)| ([(label, (*name).to_owned())], count(index));
            names.iter().enumerate().map(row).collect::<Vec<_>>()
        };
    sink.counters(
        "connections_refused",
        "Connections that were closed as soon as accepted",
        rows("reason", &REFUSED, &|index| counters.refused.get(index)),
    )?;
    sink.counters(
        "connections_timed_out",
        "Connections of clients that took too long",
        rows("phase", &TIMED_OUT, &|index| counters.timed_out.get(index)),
    )?;
    let rejected = counters.heads_rejected.load(Relaxed);
    sink.counter("heads_rejected", "Heads that never became an exchange", rejected)?;
    let unrouted = counters.unrouted.load(Relaxed);
    sink.counter("exchanges_unrouted", "Requests that belong to no API", unrouted)?;
    let generation = counters.generation.load(Relaxed);
    sink.gauge("config_generation", "How often a configuration was loaded", number(generation))
}

fn tap(sink: &mut Sink<'_, '_>, counters: &Counters) -> fmt::Result {
    let now = counters.capture.snapshot(counters.clock.monotonic_ns());
    sink.counter("tap_captures", "Captures handed over to analysis", now.captures)?;
    let bodies = BODY_STATES.iter().zip(now.bodies);
    let bodies = bodies.map(|((_, name), count)| ([("state", (*name).to_owned())], count));
    sink.counters("tap_bodies", "Bodies in captures by how much of them was kept", bodies)?;
    let dropped = Dropped::ALL.iter().zip(now.dropped);
    let dropped = dropped.map(|(reason, count)| ([("reason", reason.label().to_owned())], count));
    sink.counters("tap_dropped", "Exchanges that were not captured", dropped)?;
    sink.counter("tap_panics", "Panics of the tap", now.panics)?;
    let gauges = [
        ("tap_bytes_in_flight", "Bytes that captures hold", number(now.bytes_in_flight)),
        ("tap_queue_length", "Captures that wait", number(now.queue_length as u64)),
        ("tap_shed_level", "How much is given up, 0 to 3", f64::from(now.level)),
        ("tap_enabled", "Whether exchanges are captured", f64::from(u8::from(now.enabled))),
        ("analysis_lag_seconds", "Age of the oldest capture that waits", seconds(now.lag_ns)),
        (
            "analysis_heartbeat_age_seconds",
            "Age of the last sign of life of the analysis",
            seconds(now.heartbeat_age_ns),
        ),
    ];
    gauges.into_iter().try_for_each(|(name, help, value)| sink.gauge(name, help, value))
}

#[expect(clippy::cast_precision_loss, reason = "metrics are doubles")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_stands_at_the_index_of_its_case() {
        for (index, outcome) in OUTCOMES.iter().enumerate() {
            assert_eq!(*outcome as usize, index);
        }
        for (index, (protocol, _)) in PROTOCOLS.iter().enumerate() {
            assert_eq!(*protocol as usize, index);
        }
        for (index, (state, _)) in BODY_STATES.iter().enumerate() {
            assert_eq!(*state as usize, index);
        }
        for (index, failure) in Failure::ALL.iter().enumerate() {
            assert_eq!(*failure as usize, index);
        }
    }

    #[test]
    fn an_exchange_is_shown_as_it_was_counted() {
        let slot = exchange_slot(Protocol::Http2, 503, Outcome::Timeout);
        let shown = exchange_labels("a", slot).map(|(_, value)| value);
        assert_eq!(shown, ["a", "h2", "5xx", "timeout"]);
    }

    #[test]
    fn a_duration_falls_below_its_bound() {
        let durations = Durations::new(ADDED_US);
        for us in [1, 5, 6, 2_000_000] {
            durations.add(us * 1_000);
        }
        let counts: Vec<u64> = durations.buckets().iter().map(|(_, count)| *count).collect();
        assert_eq!((counts[0], counts[1], counts[14]), (2, 1, 1));
    }
}

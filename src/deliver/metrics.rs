//! What the scheduler counts.

use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::model::delivery::{OutcomeKind, State};
use crate::telemetry::Metrics;

use super::Handle;

/// Upper bounds of the attempt durations, seconds: from a receiver next door to the longest time-out.
const SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 5.0, 15.0, 60.0];

#[derive(Debug)]
pub(super) struct Counters {
    attempts: Family<OutcomeLabel, Counter>,
    states: Family<StateLabel, Counter>,
    seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

impl Counters {
    pub(super) fn new(metrics: &Metrics, handle: &Handle) -> Self {
        let counters = Self {
            attempts: Family::default(),
            states: Family::default(),
            seconds: Histogram::new(SECONDS),
        };
        metrics.register("delivery_attempts", "Attempts by outcome", &counters.attempts);
        metrics.register("delivery_states", "Deliveries that entered a state", &counters.states);
        metrics.register("delivery_seconds", "Duration of attempts", &counters.seconds);
        metrics.collect(Box::new(Gauges(handle.clone())));
        counters
    }

    pub(super) fn attempted(&self, outcome: OutcomeKind, duration_ms: u64) {
        self.attempts.get_or_create(&OutcomeLabel { outcome: outcome.as_str() }).inc();
        #[expect(clippy::cast_precision_loss, reason = "an attempt is shorter than 2^53 ms")]
        self.seconds.observe(duration_ms as f64 / 1_000.0);
    }

    pub(super) fn entered(&self, state: State) {
        self.states.get_or_create(&StateLabel { state: state.as_str() }).inc();
    }
}

/// What is read off the scheduler when asked for.
#[derive(Debug)]
struct Gauges(Handle);

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let pulse = &self.0.pulse;
        let rows = [
            ("delivery_in_flight", "Attempts in flight", &pulse.in_flight),
            ("delivery_due", "Due deliveries in memory that wait for a slot", &pulse.waiting),
        ];
        for (name, help, value) in rows {
            let gauge = ConstGauge::new(i64::try_from(value.load(Ordering::Relaxed)).unwrap_or(0));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}

//! The registry of metrics: explicit, one for each running instance, no global.
//!
//! Owns names (`driftgate_` is added here), uniqueness and the text form. Refuses to own values: parts keep their counters
//! as atomics and register them once.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};

/// Shared registry. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Registry::with_prefix("driftgate"))))
    }
}

impl Metrics {
    /// Registers a metric and hands it back. `name` without the `driftgate_` prefix and, for counters, without `_total`,
    /// which the text format adds.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: &M) {
        self.0.lock().register(name, help, metric.clone());
    }

    /// Registers what is computed when asked for.
    pub fn collect(&self, collector: Box<dyn Collector>) {
        self.0.lock().register_collector(collector);
    }

    /// The `OpenMetrics` text of everything registered.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.0.lock()) {
            Ok(()) => text,
            // Writing into a String cannot fail; a collector that does would leave a text that scrapers misread.
            Err(_) => "# a collector failed\n# EOF\n".to_owned(),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn registered_metrics_appear_with_their_prefix() {
        let metrics = Metrics::default();
        let counter: Counter = Counter::default();
        metrics.register("tap_captures", "Captures handed over", &counter);
        counter.inc_by(3);
        assert!(metrics.text().contains("driftgate_tap_captures_total 3"));
    }
}

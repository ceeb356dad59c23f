//! What the analysis counts for operators.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::telemetry::Metrics;

/// Label set of `analysis_exchanges_total`: a configured name and a closed word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exchange {
    api: String,
    result: &'static str,
}

/// Counters of the analysis thread. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    exchanges: Family<Exchange, Counter>,
    /// Turns that ended by a panic and were begun anew.
    pub(super) restarts: Counter,
    /// Captures that made the analysis panic.
    pub(super) skipped: Counter,
}

/// The counters of one API, looked up once.
#[derive(Debug, Clone)]
pub(super) struct ApiCounters {
    pub(super) learned: Counter,
    pub(super) own_test: Counter,
    pub(super) unfit: Counter,
    pub(super) unreadable: Counter,
}

impl Counters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counters = Self::default();
        let help = "Captures taken by the analysis, by what became of them";
        metrics.register("analysis_exchanges", help, &counters.exchanges);
        let help = "Turns of the analysis that ended by a panic";
        metrics.register("analysis_restarts", help, &counters.restarts);
        let help = "Captures skipped because they made the analysis panic";
        metrics.register("analysis_panics", help, &counters.skipped);
        counters
    }

    pub(super) fn of(&self, api: &str) -> ApiCounters {
        let counter = |result| {
            self.exchanges.get_or_create(&Exchange { api: api.to_owned(), result }).clone()
        };
        ApiCounters {
            learned: counter("learned"),
            own_test: counter("own_test"),
            unfit: counter("unfit"),
            unreadable: counter("unreadable"),
        }
    }
}

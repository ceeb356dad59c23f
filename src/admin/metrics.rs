//! What the admin API counts of itself.
//!
//! Owns the counters and their labels. Refuses paths, ids and messages as labels.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::telemetry::Metrics;

/// Counters of the admin API. Labels are names of the table of routes and of limits, never a path.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    requests: Family<RequestLabels, Counter>,
    auth_failures: Family<ReasonLabel, Counter>,
    limit_hits: Family<LimitLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status_class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

impl Counters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counters = Self::default();
        let help = "Requests to the admin API, by route and class of the answer";
        metrics.register("admin_requests", help, &counters.requests);
        let help = "Calls refused before they reached a route, by reason";
        metrics.register("admin_auth_failures", help, &counters.auth_failures);
        let help = "Times that a limit of the admin API was reached";
        metrics.register("admin_limit_hits", help, &counters.limit_hits);
        counters
    }

    pub(super) fn answered(&self, route: &'static str, status: u16) {
        let status_class = match status {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&RequestLabels { route, status_class }).inc();
    }

    /// `code` is that of the refusal.
    pub(super) fn refused(&self, code: &'static str) {
        self.auth_failures.get_or_create(&ReasonLabel { reason: code }).inc();
    }

    pub(super) fn limit_hit(&self, limit: &'static str) {
        self.limit_hits.get_or_create(&LimitLabel { limit }).inc();
    }
}

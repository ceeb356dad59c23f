//! What the analysis counts for operators.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::contract::{ProofCounts, Reason};
use crate::model::finding::Direction;
use crate::telemetry::Metrics;

/// Label set of `analysis_exchanges_total`: a configured name and a closed word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exchange {
    api: String,
    result: &'static str,
}

/// Label set of `analysis_unvalidatable_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Unvalidatable {
    api: String,
    direction: &'static str,
    reason: &'static str,
}

/// Label set of `proof_lookups_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lookup {
    api: String,
    result: &'static str,
}

/// Label set of what is counted per API alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfApi {
    api: String,
}

/// Counters of the analysis thread. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    exchanges: Family<Exchange, Counter>,
    unvalidatable: Family<Unvalidatable, Counter>,
    dropped: Family<OfApi, Counter>,
    lookups: Family<Lookup, Counter>,
    mismatches: Family<OfApi, Counter>,
    unchecked: Family<OfApi, Counter>,
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
    /// Deviations that found no room.
    pub(super) dropped: Counter,
    proofs: Proofs,
}

/// What became of bodies that were looked up by their shapes.
#[derive(Debug, Clone)]
struct Proofs {
    hits: Counter,
    misses: Counter,
    unprovable: Counter,
    audits: Counter,
    skipped: Counter,
    mismatches: Counter,
    unchecked: Counter,
}

impl ApiCounters {
    pub(super) fn count_proofs(&self, counts: ProofCounts) {
        let proofs = &self.proofs;
        for (counter, count) in [
            (&proofs.hits, counts.hits),
            (&proofs.misses, counts.misses),
            (&proofs.unprovable, counts.unprovable),
            (&proofs.audits, counts.audits),
            (&proofs.skipped, counts.skipped),
            (&proofs.mismatches, counts.mismatches),
            (&proofs.unchecked, counts.unchecked_values),
        ] {
            counter.inc_by(count);
        }
    }
}

impl Counters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counters = Self::default();
        let help = "Captures taken by the analysis, by what became of them";
        metrics.register("analysis_exchanges", help, &counters.exchanges);
        let help = "Messages that could not be judged, by direction and reason";
        metrics.register("analysis_unvalidatable", help, &counters.unvalidatable);
        let help = "Deviations that found no room among the findings of their API";
        metrics.register("findings_dropped", help, &counters.dropped);
        let help = "Bodies looked up by their shape: hit (known), miss (judged, known from now on), unprovable \
            (judged), audit (known and judged all the same), skipped (not judged: too many at once)";
        metrics.register("proof_lookups", help, &counters.lookups);
        let help = "Audited bodies of which a proof said something wrong; never but for a mistake of driftgate";
        metrics.register("proof_mismatch", help, &counters.mismatches);
        let help = "Values that no proof covers, being too many in one body";
        metrics.register("proof_unchecked_values", help, &counters.unchecked);
        let help = "Turns of the analysis that ended by a panic";
        metrics.register("analysis_restarts", help, &counters.restarts);
        let help = "Captures skipped because they made the analysis panic";
        metrics.register("analysis_panics", help, &counters.skipped);
        counters
    }

    /// Counts a message that could not be judged.
    pub(super) fn unvalidatable(&self, api: &str, direction: Direction, reason: Reason) {
        let labels = Unvalidatable {
            api: api.to_owned(),
            direction: direction.as_str(),
            reason: reason.as_str(),
        };
        self.unvalidatable.get_or_create(&labels).inc();
    }

    pub(super) fn of(&self, api: &str) -> ApiCounters {
        let counter = |result| {
            self.exchanges.get_or_create(&Exchange { api: api.to_owned(), result }).clone()
        };
        let lookup =
            |result| self.lookups.get_or_create(&Lookup { api: api.to_owned(), result }).clone();
        let of_api = |family: &Family<OfApi, Counter>| {
            family.get_or_create(&OfApi { api: api.to_owned() }).clone()
        };
        ApiCounters {
            learned: counter("learned"),
            own_test: counter("own_test"),
            unfit: counter("unfit"),
            unreadable: counter("unreadable"),
            dropped: of_api(&self.dropped),
            proofs: Proofs {
                hits: lookup("hit"),
                misses: lookup("miss"),
                unprovable: lookup("unprovable"),
                audits: lookup("audit"),
                skipped: lookup("skipped"),
                mismatches: of_api(&self.mismatches),
                unchecked: of_api(&self.unchecked),
            },
        }
    }
}

//! A deviation as the finding that it becomes.
//!
//! Owns filling the record once, from what was judged. Counters and life are `drift`'s; a contract test that reports a
//! violation uses this alone.

use std::sync::Arc;

use crate::model::finding::{Finding, FindingState, Severity, Statistics};
use crate::model::revision::Origin;

use super::baseline::Baseline;
use super::judgement::{Deviation, Effect, Judgement};
use super::{kinds, render};

/// Opportunities from which a learned fact is held in full.
const FIRM: u64 = 299;

/// The finding of one deviation, a candidate seen once.
#[must_use]
pub fn found(
    api: &Arc<str>,
    baseline: &Baseline,
    judgement: &Judgement,
    deviation: &Deviation,
    time_ms: i64,
) -> Finding {
    let accepted = judgement.effect == Effect::Accepted;
    let mut finding = Finding {
        fingerprint: deviation.fingerprint.clone(),
        api: api.clone(),
        version: String::new(),
        kind: deviation.kind,
        label: kinds::label(deviation.kind, deviation.direction, accepted).to_owned(),
        state: FindingState::Candidate,
        verdict: deviation.verdict,
        severity: severity(baseline, deviation),
        confidence: 0.5,
        direction: deviation.direction,
        method: judgement.method.to_string(),
        template: judgement.template.to_string(),
        location: deviation.location.clone(),
        expected: deviation.expected.clone(),
        observed: deviation.observed.clone(),
        statistics: Statistics { n: 1, k: 1, windows: 1, consumers: 1 },
        first_seen_ms: time_ms,
        last_seen_ms: time_ms,
        message: String::new(),
        remedy: render::remedy(deviation.kind, deviation.direction).to_owned(),
        spec_revision: baseline.revision.clone(),
        spec_origin: baseline.origin,
        event_specification: None,
        reopened: 0,
    };
    finding.message = render::message(&finding);
    finding
}

/// A deviation from a fact that was learned from few cases weighs one step less.
pub(super) fn severity(baseline: &Baseline, deviation: &Deviation) -> Severity {
    let is_firm = baseline.origin != Origin::Learned
        || deviation.prior.is_some_and(|learned_from| learned_from >= FIRM);
    if is_firm { deviation.severity } else { deviation.severity.lowered() }
}

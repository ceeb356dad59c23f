//! Deviations counted into findings, per API.
//!
//! Owns counters, thresholds, the life cycle and what survives a restart. Refuses to own judging (`check`) and telling
//! (`events`): it returns transitions.

use std::sync::Arc;

use serde_json::Value;

use crate::model::exchange::Exchange;
use crate::model::finding::Finding;

use super::baseline::Baseline;
use super::judgement::Judgement;
use super::options::Options;

/// What happened to a finding that somebody may want to hear of.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub finding: Finding,
    pub change: Change,
    /// Opened beyond the storm limit: kept and shown, but no event of its own.
    pub silent: bool,
    /// Exchange that caused it; none when time did.
    pub exchange: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened,
    Updated,
    Resolved,
    Reopened,
}

/// A decision of a person about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Acknowledge,
    /// Until a time, Unix milliseconds.
    Mute(i64),
    /// The baseline is to be changed to allow it.
    Accept,
    /// The API is wrong.
    Reject,
}

/// A finding does not allow a decision in its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    /// Names of those that it does allow.
    pub allowed: Vec<&'static str>,
}

/// The findings of one API and their counters.
#[derive(Debug)]
pub struct Drift {
    api: Arc<str>,
    options: Options,
}

impl Drift {
    #[must_use]
    pub fn new(api: Arc<str>, options: Options) -> Self {
        Self { api, options }
    }

    /// Rebuilds the state from stored findings, each with what [`Drift::changed`] gave beside it.
    #[must_use]
    pub fn restore(api: Arc<str>, options: Options, _stored: Vec<(Finding, Value)>) -> Self {
        Self::new(api, options)
    }

    /// Counts one judged exchange.
    pub fn count(
        &mut self,
        _baseline: &Baseline,
        _exchange: &Exchange,
        _judgement: &Judgement,
    ) -> Vec<Transition> {
        let _ = (&self.api, &self.options);
        Vec::new()
    }

    /// Lets time pass: expiries.
    pub fn tick(&mut self, _now_ms: i64) -> Vec<Transition> {
        Vec::new()
    }

    /// Holds the findings against a new baseline: what it explains is resolved.
    pub fn on_new_baseline(&mut self, _baseline: &Baseline, _now_ms: i64) -> Vec<Transition> {
        Vec::new()
    }

    /// Applies a decision.
    ///
    /// # Errors
    /// The decisions that the finding's state allows; none at all for an unknown fingerprint.
    pub fn decide(
        &mut self,
        _fingerprint: &str,
        _decision: Decision,
        _now_ms: i64,
    ) -> Result<Vec<Transition>, Illegal> {
        Err(Illegal { allowed: Vec::new() })
    }

    /// All findings but candidates, by fingerprint.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::empty()
    }

    /// Takes the findings (candidates too) whose counters moved since the last call, each with its opaque state to store.
    pub fn changed(&mut self) -> Vec<(Finding, Value)> {
        Vec::new()
    }
}

//! One finding with its counters.
//!
//! Owns keeping the two in step and the form in which counters are stored. Refuses to own when something is due.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::exchange::Exchange;
use crate::model::finding::{Direction, Finding, FindingState, Statistics};
use crate::model::revision::Origin;
use crate::model::units::Span;

use super::super::check::is_anonymous;
use super::super::judgement::Deviation;
use super::super::kinds::{self, Rule};
use super::super::render;
use super::super::slot::Slot;
use super::episode::Episode;
use super::life::{Cause, step};
use super::opportunity::Parents;
use super::{Change, Sighting, Transition, Until, statistics};

#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) fingerprint: Arc<str>,
    pub(super) finding: Finding,
    pub(super) episode: Episode,
    pub(super) rule: Rule,
    pub(super) slot: Slot,
    prior: Option<u64>,
    /// When it was last spoken of, Unix milliseconds.
    pub(super) spoke_ms: i64,
    pub(super) muted_until: Until,
}

impl Tracked {
    pub(super) fn new(finding: Finding, deviation: &Deviation, opportunities_before: u64) -> Self {
        let slot = deviation.slot;
        Self::with(finding, Episode::new(opportunities_before), slot, deviation.prior)
    }

    /// From a stored finding and what [`Self::encode`] wrote beside it.
    pub(super) fn restore(finding: Finding, state: &Value) -> Self {
        let place = (finding.method.as_str(), finding.template.as_str());
        let slot = Slot::of(finding.kind, finding.direction, place, &finding.location);
        let episode = Episode::decode(state);
        let time = |name: &str| state.get(name).and_then(Value::as_i64).unwrap_or(0);
        let spoke_ms = time("spoke");
        let muted_until = match state.get("muted") {
            Some(Value::String(_)) => Until::Revision,
            _ => Until::Time(time("muted")),
        };
        let prior = state.get("prior").and_then(Value::as_u64);
        Self { spoke_ms, muted_until, ..Self::with(finding, episode, slot, prior) }
    }

    fn with(finding: Finding, episode: Episode, slot: Slot, prior: Option<u64>) -> Self {
        let rule =
            kinds::rule(finding.kind, finding.direction, finding.verdict, &finding.location.status);
        let fingerprint = finding.fingerprint.as_str().into();
        let muted_until = Until::Time(0);
        Self { fingerprint, finding, episode, rule, slot, prior, spoke_ms: 0, muted_until }
    }

    pub(super) fn encode(&self) -> Value {
        let mut state = self.episode.encode();
        state["spoke"] = json!(self.spoke_ms);
        state["muted"] = match self.muted_until {
            Until::Time(time_ms) => json!(time_ms),
            Until::Revision => json!("revision"),
        };
        state["prior"] = json!(self.prior);
        state
    }

    /// Counts an occurrence; a repeated payload only shows that it is still there.
    pub(super) fn occur(&mut self, is_new: bool, consumer: u64, now_ms: i64) {
        if self.was_open() && self.episode.raised_after > 0 {
            // It was over: what happens now is judged by itself.
            self.episode = Episode::new(0);
        }
        if is_new {
            self.episode.occur(consumer, now_ms);
        } else {
            self.episode.touch(now_ms);
        }
        self.finding.last_seen_ms = self.finding.last_seen_ms.max(now_ms);
    }

    /// Takes in an absence that was noticed over so many opportunities.
    pub(super) fn miss(&mut self, opportunities: u64, now_ms: i64) {
        self.episode.opportunities = opportunities;
        self.episode.occurrences = opportunities;
        self.episode.touch(now_ms);
        self.finding.last_seen_ms = self.finding.last_seen_ms.max(now_ms);
    }

    /// Takes a step of life; what is told of it.
    pub(super) fn step(&mut self, cause: Cause) -> Option<Change> {
        let (state, change) = step(self.finding.state, cause)?;
        self.finding.state = state;
        match change {
            Some(Change::Opened) => self.episode.raised_after = self.episode.since_first.max(1),
            Some(Change::Reopened) => {
                self.episode.raised_after = self.episode.since_first.max(1);
                self.finding.reopened = self.finding.reopened.saturating_add(1);
            }
            _ => {}
        }
        change
    }

    pub(super) fn transition(&mut self, change: Change, exchange: Option<&Exchange>) -> Transition {
        self.refresh();
        Transition {
            finding: self.finding.clone(),
            change,
            silent: false,
            exchange: exchange.map(|exchange| exchange.id.clone()),
        }
    }

    /// Writes the counters into the finding.
    pub(super) fn refresh(&mut self) {
        let episode = &self.episode;
        self.finding.statistics = Statistics {
            n: episode.opportunities,
            k: episode.occurrences,
            windows: episode.windows,
            consumers: episode.consumers(),
        };
        self.finding.confidence = match self.rule {
            Rule::Absence => statistics::ABSENT * statistics::trust(self.trust()),
            _ => statistics::confidence(episode.pairs(), self.trust()),
        };
        self.finding.message = render::message(&self.finding);
    }

    /// Whether it was over or accepted, so that half the thresholds reopen it.
    pub(super) fn was_open(&self) -> bool {
        matches!(self.finding.state, FindingState::Resolved | FindingState::Accepted)
    }

    /// Whether opportunities matter: of what is over, only if it has occurred again; an absence ends by being seen.
    pub(super) fn is_counted(&self) -> bool {
        self.rule != Rule::Absence && (!self.was_open() || self.episode.raised_after == 0)
    }

    /// Whether the exchange could have shown the deviation: what holds it was there.
    pub(super) fn had_opportunity(&self, sighting: &Sighting<'_>, parents: &mut Parents) -> bool {
        // Who presents credentials cannot show that strangers are refused.
        if self.rule == Rule::Closed && !is_anonymous(sighting.exchange) {
            return false;
        }
        let (direction, pointer) = (self.finding.direction, &self.finding.location.pointer);
        // Pointers that are no places in a body (`query/limit`) always have their parent.
        direction == Direction::Structure
            || !pointer.starts_with('/')
            || parents.hold(sighting, direction, pointer)
    }

    pub(super) fn is_muted_no_more(&self, now_ms: i64) -> bool {
        matches!(self.muted_until, Until::Time(until_ms) if now_ms >= until_ms)
    }

    pub(super) fn is_silent_for(&self, interval: Span, now_ms: i64) -> bool {
        now_ms - self.spoke_ms >= interval.as_ms()
    }

    /// Opportunities behind a learned fact, where they are known.
    pub(super) fn learned_from(&self) -> Option<u64> {
        self.prior.filter(|_| self.finding.spec_origin == Origin::Learned)
    }

    /// The same, one where they are not.
    fn trust(&self) -> Option<u64> {
        (self.finding.spec_origin == Origin::Learned).then(|| self.prior.unwrap_or(1))
    }
}

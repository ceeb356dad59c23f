//! Deviations counted into findings, per API.
//!
//! Owns counters, thresholds, the life cycle and what survives a restart. Everything is bounded: findings, the forms of
//! requests, the payloads of a window. Refuses to own judging (`check`) and telling (`events`): it returns transitions.

mod decide;
mod episode;
mod explain;
#[cfg(test)]
mod kinds_tests;
mod life;
mod opportunity;
mod refusals;
mod room;
pub(super) mod statistics;
mod storm;
#[cfg(test)]
mod tests;
mod threshold;
mod tracked;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use serde_json::Value;

use crate::model::exchange::Exchange;
use crate::model::finding::{Direction, Finding, FindingState};
use crate::model::hash::Hashed;
use crate::model::observation::Observation;
use crate::model::revision::RevisionId;
use crate::model::units::Span;

use super::baseline::Baseline;
use super::judgement::{Deviation, Effect, Judgement};
use super::options::Options;
use super::slot::Slot;
pub use decide::{Decision, Illegal, Until};
use episode::WINDOW_MS;
use life::Cause;
use opportunity::{Body, Parents};
use refusals::Refusals;
use storm::Bucket;
pub use storm::Storm;
use tracked::Tracked;
use watch::Watch;

/// Payloads remembered per window; further ones count as new.
const PAYLOADS_MAX: usize = 65_536;

/// Parts of the contract that totals are kept of.
const SLOTS_MAX: usize = 50_000;

const DAY_MS: i64 = 86_400_000;

/// A candidate that was not seen again for so long is dropped.
const CANDIDATE_MS: i64 = 7 * DAY_MS;

/// A resolved finding is remembered for so long, to be reopened rather than opened.
const RESOLVED_MS: i64 = 90 * DAY_MS;

/// What happened to a finding that somebody may want to hear of.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub finding: Finding,
    pub change: Change,
    /// Opened beyond the storm limit: kept and shown, but no event of its own.
    pub silent: bool,
    /// Exchange that caused it; none when time or a person did.
    pub exchange: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened,
    Updated,
    Resolved,
    Reopened,
}

/// The findings of one API and their counters.
#[derive(Debug)]
pub struct Drift {
    api: Arc<str>,
    options: Options,
    tracked: BTreeMap<Arc<str>, Tracked>,
    by_slot: BySlot<Vec<Arc<str>>>,
    /// Opportunities per part since the baseline came into force.
    totals: BySlot<u64>,
    payloads: Payloads,
    refusals: Refusals,
    watch: Watch,
    storm: Bucket,
    changed: BTreeSet<Arc<str>>,
    forgotten: Vec<String>,
    dropped: u64,
}

/// Payloads seen in the current window, so that polling inflates nothing.
#[derive(Debug, Default)]
struct Payloads {
    window: i64,
    seen: HashSet<u64, BuildHasherDefault<Hashed>>,
}

/// A map by parts of the contract, which are hashes already.
type BySlot<V> = HashMap<Slot, V, BuildHasherDefault<Hashed>>;

impl Payloads {
    fn is_new(&mut self, time_ms: i64, payload: u64) -> bool {
        let window = time_ms.div_euclid(WINDOW_MS);
        if window > self.window {
            self.window = window;
            self.seen.clear();
        }
        self.seen.len() >= PAYLOADS_MAX || self.seen.insert(payload)
    }
}

impl Drift {
    #[must_use]
    pub fn new(api: Arc<str>, options: Options) -> Self {
        Self {
            api,
            options,
            tracked: BTreeMap::new(),
            by_slot: BySlot::default(),
            totals: BySlot::default(),
            payloads: Payloads::default(),
            refusals: Refusals::default(),
            watch: Watch::default(),
            storm: Bucket::default(),
            changed: BTreeSet::new(),
            forgotten: Vec::new(),
            dropped: 0,
        }
    }

    /// Rebuilds the state from stored findings, each with what [`Drift::changed`] gave beside it. Nothing opens again by that.
    #[must_use]
    pub fn restore(api: Arc<str>, options: Options, stored: Vec<(Finding, Value)>) -> Self {
        let mut drift = Self::new(api, options);
        for (finding, state) in stored {
            drift.insert(Tracked::restore(finding, &state));
        }
        drift
    }

    /// Takes other thresholds: from the next exchange on. What is open stays open.
    pub fn configure(&mut self, options: Options) {
        self.options = options;
    }

    /// Puts back what [`Drift::memory`] gave.
    pub fn remember(&mut self, memory: &Value) {
        self.watch = Watch::decode(memory);
    }

    /// What is to be stored beside the findings, if it changed since the last call: without it nothing that is gone could be
    /// missed after a restart.
    pub fn memory(&mut self) -> Option<Value> {
        self.watch.moved()
    }

    /// Counts one judged exchange.
    pub fn count(
        &mut self,
        baseline: &Baseline,
        exchange: &Exchange,
        judgement: &Judgement,
    ) -> Vec<Transition> {
        self.sight(baseline, (exchange, None), judgement)
    }

    /// Counts one exchange that was judged with what was observed of it ([`Baseline::judge_observed`]).
    pub fn count_observed(
        &mut self,
        baseline: &Baseline,
        (exchange, observation): (&Exchange, &Observation),
        judgement: &Judgement,
    ) -> Vec<Transition> {
        self.sight(baseline, (exchange, Some(observation)), judgement)
    }

    fn sight(
        &mut self,
        baseline: &Baseline,
        (exchange, observation): (&Exchange, Option<&Observation>),
        judgement: &Judgement,
    ) -> Vec<Transition> {
        let mut transitions = Vec::new();
        if judgement.skipped.is_some() {
            return transitions;
        }
        let sighting = Sighting {
            baseline,
            exchange,
            observation,
            judgement,
            is_new: self.payloads.is_new(exchange.time_ms, judgement.tally.payload),
        };
        if sighting.is_new {
            self.pass(&sighting, &mut transitions);
        }
        for deviation in &judgement.deviations {
            transitions.extend(self.occur(&sighting, deviation, Grounds::Counters));
        }
        transitions.extend(self.weigh_refusal(&sighting));
        if sighting.is_new {
            self.miss(&sighting, &mut transitions);
        }
        transitions
    }

    /// Tells what is seen no more, and takes back what is seen again.
    fn miss(&mut self, sighting: &Sighting<'_>, transitions: &mut Vec<Transition>) {
        let Sighting { baseline, exchange, judgement, .. } = *sighting;
        let noticed = self.watch.see(baseline, exchange, judgement);
        for (deviation, count) in noticed.missing {
            transitions.extend(self.occur(sighting, &deviation, Grounds::Missed(count)));
        }
        for fingerprint in noticed.back {
            let Some(tracked) = self.tracked.get_mut(&fingerprint) else { continue };
            if let Some(change) = tracked.step(Cause::Over) {
                self.changed.insert(fingerprint);
                transitions.push(tracked.transition(change, Some(exchange)));
            }
        }
    }

    /// Counts the opportunities of findings that did not occur, and resolves those that are over.
    fn pass(&mut self, sighting: &Sighting<'_>, transitions: &mut Vec<Transition>) {
        let judgement = sighting.judgement;
        let mut parents = Parents::default();
        for slot in &judgement.tally.slots {
            if self.totals.len() < SLOTS_MAX || self.totals.contains_key(slot) {
                *self.totals.entry(*slot).or_default() += 1;
            }
            for fingerprint in self.by_slot.get(slot).into_iter().flatten() {
                let Some(tracked) = self.tracked.get_mut(fingerprint) else { continue };
                let occurs = judgement
                    .deviations
                    .iter()
                    .chain(&judgement.tally.refusal)
                    .any(|deviation| *deviation.fingerprint == **fingerprint);
                if occurs
                    || !tracked.is_counted()
                    || !tracked.had_opportunity(sighting, &mut parents)
                {
                    continue;
                }
                tracked.episode.pass();
                self.changed.insert(fingerprint.clone());
                if threshold::is_over(&tracked.episode)
                    && let Some(change) = tracked.step(Cause::Over)
                {
                    transitions.push(tracked.transition(change, Some(sighting.exchange)));
                }
            }
        }
    }

    /// Counts one occurrence.
    fn occur(
        &mut self,
        sighting: &Sighting<'_>,
        deviation: &Deviation,
        grounds: Grounds,
    ) -> Option<Transition> {
        let Sighting { baseline, exchange, judgement, is_new, .. } = *sighting;
        let now = exchange.time_ms;
        let tracked = self.track((baseline, judgement), deviation, now)?;
        match grounds {
            Grounds::Missed(count) => tracked.miss(count, now),
            Grounds::Counters | Grounds::Rule => tracked.occur(is_new, exchange.consumer, now),
        }
        let (fingerprint, halved) = (tracked.fingerprint.clone(), tracked.was_open());
        let (rule, learned_from) = (tracked.rule, tracked.learned_from());
        let thresholds = &self.options.thresholds;
        let episode = &self.tracked.get(&fingerprint)?.episode;
        let is_due = grounds != Grounds::Counters
            || threshold::is_due(rule, episode, thresholds, halved, learned_from);
        self.advance(&fingerprint, is_due, (now, Some(exchange)))
    }

    /// The counters of a deviation, new ones if there is room.
    fn track(
        &mut self,
        (baseline, judgement): (&Baseline, &Judgement),
        deviation: &Deviation,
        now_ms: i64,
    ) -> Option<&mut Tracked> {
        let fingerprint = &*deviation.fingerprint;
        let found = || super::finding::found(&self.api, baseline, judgement, deviation, now_ms);
        if !self.tracked.contains_key(fingerprint) {
            let before = self.totals.get(&deviation.slot).copied().unwrap_or(1).saturating_sub(1);
            let tracked = Tracked::new(found(), deviation, before);
            self.make_room(deviation.slot)?;
            self.insert(tracked);
        }
        let tracked = self.tracked.get_mut(fingerprint)?;
        // What was announced may have come to pass meanwhile: a sunset, a rate of failures.
        let severity = super::finding::severity(baseline, deviation);
        tracked.finding.severity = tracked.finding.severity.max(severity);
        self.changed.insert(tracked.fingerprint.clone());
        Some(tracked)
    }

    /// Takes the step that is due, if any.
    fn advance(
        &mut self,
        fingerprint: &str,
        is_due: bool,
        (now, exchange): (i64, Option<&Exchange>),
    ) -> Option<Transition> {
        let tracked = self.tracked.get_mut(fingerprint)?;
        let cause = match tracked.finding.state {
            FindingState::Candidate if is_due => Cause::Due,
            FindingState::Resolved | FindingState::Accepted if is_due => Cause::DueAgain,
            FindingState::Open if tracked.is_silent_for(self.options.update_interval, now) => {
                Cause::StillThere
            }
            FindingState::Acknowledged
                if tracked.is_silent_for(Span::millis(DAY_MS.unsigned_abs()), now) =>
            {
                Cause::StillThere
            }
            _ => return None,
        };
        let change = tracked.step(cause)?;
        tracked.spoke_ms = now;
        let opens = matches!(change, Change::Opened | Change::Reopened);
        let silent = opens && !self.storm.admit(&tracked.finding, now);
        Some(Transition { silent, ..tracked.transition(change, exchange) })
    }

    /// A valid request refused, or accepted: counted by its form.
    fn weigh_refusal(&mut self, sighting: &Sighting<'_>) -> Option<Transition> {
        let (exchange, judgement) = (sighting.exchange, sighting.judgement);
        if judgement.operation.is_none() || !sighting.is_new {
            return None;
        }
        let shape = judgement.tally.request_shape;
        match (&judgement.effect, &judgement.tally.refusal) {
            (Effect::Accepted, _) => {
                self.refusals.accepted(shape, exchange.time_ms);
                None
            }
            (Effect::Refused, Some(deviation)) => {
                let (consumer, now) = (exchange.consumer, exchange.time_ms);
                let due = self.refusals.refused(shape, consumer, now, &self.options.thresholds);
                let grounds = if due { Grounds::Rule } else { Grounds::Counters };
                self.occur(sighting, deviation, grounds)
            }
            _ => None,
        }
    }

    /// Lets time pass: operations fall silent, candidates and resolved findings that nobody saw again are forgotten, mutings
    /// end.
    pub fn tick(&mut self, baseline: Option<&Baseline>, now_ms: i64) -> Vec<Transition> {
        let mut old = Vec::new();
        for (fingerprint, tracked) in &mut self.tracked {
            let age = now_ms - tracked.finding.last_seen_ms;
            match tracked.finding.state {
                FindingState::Candidate if age > CANDIDATE_MS => old.push(fingerprint.clone()),
                FindingState::Resolved if age > RESOLVED_MS => old.push(fingerprint.clone()),
                FindingState::Muted if tracked.is_muted_no_more(now_ms) => {
                    tracked.step(Cause::MuteExpired);
                    self.changed.insert(fingerprint.clone());
                }
                _ => {}
            }
        }
        for fingerprint in old {
            self.forget(&fingerprint);
        }
        baseline.map(|baseline| self.fall_silent(baseline, now_ms)).unwrap_or_default()
    }

    fn fall_silent(&mut self, baseline: &Baseline, now_ms: i64) -> Vec<Transition> {
        let mut transitions = Vec::new();
        for (judgement, deviation, count) in self.watch.fall_silent() {
            let tracked = self.track((baseline, &judgement), &deviation, now_ms);
            let Some(tracked) = tracked else { continue };
            tracked.miss(count, now_ms);
            transitions.extend(self.advance(&deviation.fingerprint, true, (now_ms, None)));
        }
        transitions
    }

    /// Names the learned revision that holds what a finding saw.
    pub fn specify(&mut self, fingerprint: &str, revision: &RevisionId) {
        if let Some(tracked) = self.tracked.get_mut(fingerprint) {
            tracked.finding.event_specification = Some(revision.clone());
            self.changed.insert(tracked.fingerprint.clone());
        }
    }

    /// One finding, candidates too.
    #[must_use]
    pub fn finding(&self, fingerprint: &str) -> Option<&Finding> {
        self.tracked.get(fingerprint).map(|tracked| &tracked.finding)
    }

    /// All findings but candidates, by fingerprint.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.tracked
            .values()
            .map(|tracked| &tracked.finding)
            .filter(|finding| finding.state != FindingState::Candidate)
    }

    /// Takes the findings (candidates too) whose counters moved since the last call, each with its opaque state to store.
    pub fn changed(&mut self) -> Vec<(Finding, Value)> {
        let mut list = Vec::new();
        for fingerprint in std::mem::take(&mut self.changed) {
            if let Some(tracked) = self.tracked.get_mut(&fingerprint) {
                tracked.refresh();
                list.push((tracked.finding.clone(), tracked.encode()));
            }
        }
        list
    }

    /// Takes the fingerprints that are not kept any more, so that the store can drop them.
    pub fn forgotten(&mut self) -> Vec<String> {
        std::mem::take(&mut self.forgotten)
    }

    /// What opened silently since the last report, at most every ten minutes.
    pub fn storm(&mut self, now_ms: i64) -> Option<Storm> {
        self.storm.report(now_ms)
    }

    /// Deviations that found no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn insert(&mut self, tracked: Tracked) {
        let fingerprint = tracked.fingerprint.clone();
        self.by_slot.entry(tracked.slot).or_default().push(fingerprint.clone());
        self.tracked.insert(fingerprint, tracked);
    }

    fn forget(&mut self, fingerprint: &str) {
        if let Some(tracked) = self.tracked.remove(fingerprint) {
            if let Some(list) = self.by_slot.get_mut(&tracked.slot) {
                list.retain(|known| **known != *fingerprint);
            }
            self.changed.remove(fingerprint);
            self.forgotten.push(fingerprint.to_owned());
        }
    }
}

/// Why an occurrence may open its finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grounds {
    /// When the counters say so.
    Counters,
    /// Another rule has said so.
    Rule,
    /// It is an absence, noticed over so many opportunities.
    Missed(u64),
}

/// One judged exchange on its way through the counters.
#[derive(Clone, Copy)]
struct Sighting<'a> {
    baseline: &'a Baseline,
    exchange: &'a Exchange,
    observation: Option<&'a Observation>,
    judgement: &'a Judgement,
    /// Not the same payload as before in this window.
    is_new: bool,
}

impl<'a> Sighting<'a> {
    fn body(&self, direction: Direction) -> Body<'a> {
        Body::of(direction, (self.exchange, self.observation), self.judgement)
    }
}

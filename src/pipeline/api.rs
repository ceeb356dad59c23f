//! One API on the analysis thread: its evidence, its baseline, its findings, and what one exchange does to them.

use std::sync::Arc;

use serde_json::Value;

use crate::capture::{self, Border};
use crate::contract::{self, Baseline, Drift, Proofs, Specification, Transition, Validity, patch};
use crate::infer::{self, Evidence, ProjectOptions, Published};
use crate::model::capture::{Capture, Outcome, Part};
use crate::model::document;
use crate::model::exchange::Exchange;
use crate::model::finding::{Direction, FindingState, Severity};
use crate::model::hash::HashKey;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::model::units::Span;
use crate::observe::Observer;
use crate::store::Change;

use super::effects::Effects;
use super::limited::Limited;
use super::metrics::ApiCounters;
use super::operations::Inventory;
use super::options::Inference;
use super::revise;
use super::service::World;
use super::view::{ApiView, BaselineState, BaselineView, Counts};

/// Least time between two writings of what drift remembers of absent things.
const MEMORY_INTERVAL_MS: i64 = 60_000;

/// Without anything new for so long, what was learned may be frozen.
const SETTLED_MS: i64 = 3 * 3_600_000;

/// What the configuration says of one API, checked and loaded.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    pub name: Arc<str>,
    pub plan: Arc<Plan>,
    /// Of its scope; `/` for none.
    pub path_prefix: String,
    /// What people decided about its learned specification.
    pub pins: Arc<infer::Pins>,
    pub drift: contract::Options,
    pub inference: Inference,
    /// APIs that share the memory for what is learned.
    pub apis: usize,
    pub baseline: BaselineSetting,
}

/// What the API is to be held to.
#[derive(Debug, Clone)]
pub enum BaselineSetting {
    Predefined { specification: Arc<Specification>, revision: Revision },
    Learn { freeze_after: Option<Span> },
}

/// The state of one API.
pub(super) struct Api {
    pub(super) settings: ApiSettings,
    observer: Observer,
    pub(super) evidence: Evidence,
    pub(super) baseline: Option<Held>,
    pub(super) drift: Drift,
    /// Deviations that found no room, as counted so far.
    dropped: u64,
    memory_ms: i64,
    pub(super) counts: Counts,
    counters: ApiCounters,
    last_seen_ms: i64,
    pub(super) begun_ms: i64,
    /// The newest learned revision.
    pub(super) learned: Option<RevisionId>,
    pub(super) learned_ms: i64,
    /// The operations that it describes.
    pub(super) operations: Inventory,
    /// What was said in it: decisions and names that later ones keep.
    pub(super) published: Arc<Published>,
    /// Something new was learned since that revision.
    pub(super) novel: bool,
    /// When something new was last learned.
    pub(super) novel_ms: i64,
    /// What was told of the bounds of learning.
    limited: Limited,
    /// Evidence has moved since it was last written.
    dirty: bool,
    key: HashKey,
}

/// A baseline in force.
pub(super) struct Held {
    pub(super) baseline: Baseline,
    /// What is known of bodies by their shapes.
    proofs: Proofs,
    pub(super) text: Arc<str>,
    pub(super) since_ms: i64,
}

impl Api {
    /// An API of which nothing is known yet.
    pub(super) fn new(settings: ApiSettings, world: &World, now_ms: i64) -> Self {
        let mut api = Self {
            observer: observer(&settings, &world.key),
            evidence: Evidence::new(&settings.name, world.key.id()),
            baseline: None,
            drift: Drift::new(Arc::clone(&settings.name), settings.drift.clone()),
            dropped: 0,
            memory_ms: now_ms,
            counts: Counts::default(),
            counters: world.counters.of(&settings.name),
            last_seen_ms: 0,
            begun_ms: now_ms,
            learned: None,
            learned_ms: now_ms - revise::REVISION_INTERVAL_MS,
            operations: Inventory::default(),
            published: Arc::default(),
            novel: false,
            novel_ms: now_ms,
            limited: Limited::default(),
            dirty: false,
            key: world.key.clone(),
            settings,
        };
        api.bound();
        api.hold_predefined(now_ms);
        api
    }

    /// Keeps what is learned within the bounds of the settings.
    fn bound(&mut self) {
        self.evidence.limit(self.settings.inference.bounds(self.settings.apis));
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// Takes over what the store kept: evidence, findings, the newest learned revision and what was said in it.
    pub(super) fn adopt(
        &mut self,
        evidence: Option<Evidence>,
        drift: Drift,
        learned: Option<&Revision>,
        published: Published,
    ) {
        self.published = Arc::new(published);
        if let Some(evidence) = evidence {
            self.limited = Limited::of(&evidence);
            self.evidence = evidence;
            self.bound();
            // What was learned last may not have been written down.
            self.novel = true;
        }
        self.drift = drift;
        self.learned = learned.map(|revision| revision.id.clone());
        self.learned_ms = learned.map_or(self.learned_ms, |revision| revision.created_ms);
        let document = learned.map(|revision| document::plain(&revision.text));
        self.operations = document.as_ref().map(Inventory::of).unwrap_or_default();
    }

    /// Takes new settings over. A changed file is a new baseline; evidence stays unless the prefix changed, for then every
    /// path means something else.
    pub(super) fn configure(
        &mut self,
        settings: ApiSettings,
        key: &HashKey,
        now_ms: i64,
    ) -> Vec<Transition> {
        if settings.path_prefix != self.settings.path_prefix {
            self.evidence = Evidence::new(&settings.name, self.evidence.key_id());
            self.published = Arc::default();
            self.limited = Limited::default();
            self.dirty = true;
        }
        self.observer = observer(&settings, key);
        // What was withheld when a shape was proven may be read now, and the other way round.
        if settings.plan != self.settings.plan {
            self.tell_proofs();
            if let Some(held) = &mut self.baseline {
                held.proofs = Proofs::new(self.key.clone());
            }
        }
        let former = std::mem::replace(&mut self.settings, settings);
        self.bound();
        if former.path_prefix != self.settings.path_prefix || former.drift != self.settings.drift {
            self.drift.configure(self.settings.drift.clone());
            self.hold_anew();
        }
        let same_file = match (&former.baseline, &self.settings.baseline) {
            (
                BaselineSetting::Predefined { revision: former, .. },
                BaselineSetting::Predefined { revision, .. },
            ) => former.id == revision.id,
            _ => false,
        };
        match (&self.settings.baseline, &self.baseline) {
            // What was promoted counts while the file is what it was.
            (_, Some(_)) if same_file => Vec::new(),
            (BaselineSetting::Learn { .. }, Some(held))
                if held.baseline.origin == Origin::Predefined =>
            {
                self.baseline = None;
                Vec::new()
            }
            _ => {
                self.hold_predefined(now_ms);
                self.rejudge(now_ms)
            }
        }
    }

    /// Holds the API to what the configuration names, if it names a document.
    pub(super) fn hold_predefined(&mut self, now_ms: i64) {
        if let BaselineSetting::Predefined { specification, revision } = &self.settings.baseline {
            let (specification, revision) = (Arc::clone(specification), revision.clone());
            self.hold(specification, &revision, now_ms);
        }
    }

    /// Holds the API to a revision from now on.
    pub(super) fn hold(
        &mut self,
        specification: Arc<Specification>,
        revision: &Revision,
        since_ms: i64,
    ) {
        self.tell_proofs();
        let prefix = &self.settings.path_prefix;
        let baseline = Baseline::new(specification, revision.id.clone(), revision.origin, prefix)
            .also(&self.settings.drift.also());
        let baseline = match &self.baseline {
            Some(former) => baseline.after(&former.baseline),
            None => baseline,
        };
        let (proofs, text) = (Proofs::new(self.key.clone()), Arc::clone(&revision.text));
        self.baseline = Some(Held { baseline, proofs, text, since_ms });
    }

    /// Holds the API to the same document, routed and judged by the settings as they are now.
    fn hold_anew(&mut self) {
        self.tell_proofs();
        if let Some(Held { baseline: former, text, since_ms, .. }) = self.baseline.take() {
            let (specification, revision) = (&former.specification, former.revision.clone());
            let prefix = &self.settings.path_prefix;
            let baseline =
                Baseline::new(Arc::clone(specification), revision, former.origin, prefix)
                    .also(&self.settings.drift.also())
                    .after(&former);
            let proofs = Proofs::new(self.key.clone());
            self.baseline = Some(Held { baseline, proofs, text, since_ms });
        }
    }

    /// Judges the open findings again under the baseline in force.
    pub(super) fn rejudge(&mut self, now_ms: i64) -> Vec<Transition> {
        match &self.baseline {
            Some(held) => self.drift.on_new_baseline(&held.baseline, now_ms),
            None => Vec::new(),
        }
    }

    /// One capture: opened, learned from, judged. What kind of exchange it was and whether it taught anything; none for what
    /// is left out.
    pub(super) fn take(
        &mut self,
        capture: &Capture,
        border: &Border,
        world: &World,
        effects: &mut Effects,
    ) -> Option<(usize, bool)> {
        self.counts.seen += 1;
        self.last_seen_ms = self.last_seen_ms.max(capture.wall_ms);
        if capture.outcome != Outcome::Ok || capture.part == Part::End {
            self.counts.unfit += 1;
            self.counters.unfit.inc();
            return None;
        }
        let Some(exchange) = border.open(capture, &self.settings.plan) else {
            self.counts.unreadable += 1;
            self.counters.unreadable.inc();
            return None;
        };
        if exchange.own_test {
            self.counts.own_tests += 1;
            self.counters.own_test.inc();
            return None;
        }
        let mut is_new = self.learn(&exchange);
        let (transitions, deviates) = self.judge(&exchange, world);
        is_new |= deviates;
        self.tell_all(transitions, world, effects);
        let slot = capture::slot(self.name(), &exchange.method, exchange.status, &exchange.path);
        Some((slot, is_new))
    }

    /// Whether it was new.
    fn learn(&mut self, exchange: &Exchange) -> bool {
        let is_new = infer::learn(&mut self.evidence, self.observer.observe(exchange)).is_some();
        self.counts.learned += 1;
        self.counters.learned.inc();
        self.dirty = true;
        self.novel |= is_new;
        if is_new {
            self.novel_ms = self.novel_ms.max(exchange.time_ms);
        }
        is_new
    }

    /// What it did to the findings, and whether it deviates at all.
    fn judge(&mut self, exchange: &Exchange, world: &World) -> (Vec<Transition>, bool) {
        let Some(held) = &mut self.baseline else { return (Vec::new(), false) };
        let (baseline, observation) = (&held.baseline, self.observer.observation());
        let judgement = baseline.judge_observed(exchange, observation, &mut held.proofs);
        self.counts.judged += 1;
        for (direction, validity) in
            [(Direction::Request, judgement.request), (Direction::Response, judgement.reply)]
        {
            if let Validity::Unvalidatable(reason) = validity {
                world.counters.unvalidatable(&self.settings.name, direction, reason);
            }
        }
        let deviates = !judgement.deviations.is_empty() || judgement.refusal().is_some();
        (self.drift.count_observed(baseline, (exchange, observation), &judgement), deviates)
    }

    /// Hands what became of proofs over to the counters.
    fn tell_proofs(&mut self) {
        if let Some(held) = &mut self.baseline {
            self.counters.count_proofs(held.proofs.take_counts());
        }
    }

    /// Raises what happened to a finding. One that opens names the learned revision that holds what was seen, made now.
    fn tell(&mut self, mut transition: Transition, world: &World, effects: &mut Effects) {
        let opens =
            matches!(transition.change, contract::Change::Opened | contract::Change::Reopened);
        if opens && !transition.silent {
            let now = world.clock.now_ms();
            self.revise(now, "a finding opened", &world.raise, effects);
        }
        if let Some(learned) = self.learned.clone().filter(|_| opens) {
            self.drift.specify(&transition.finding.fingerprint, &learned);
            transition.finding.event_specification = Some(learned);
        }
        let patches = match &self.baseline {
            Some(held) => {
                patch::suggest(&held.baseline.specification.document, &transition.finding)
            }
            None => Vec::new(),
        };
        effects.transition(transition, &patches, (world.clock.now_ms(), &world.raise));
        self.flush_findings(effects);
    }

    /// What is due by time.
    pub(super) fn tick(&mut self, now_ms: i64, world: &World, effects: &mut Effects) {
        let baseline = self.baseline.as_ref().map(|held| &held.baseline);
        let transitions = self.drift.tick(baseline, now_ms);
        self.tell_all(transitions, world, effects);
        if let Some(storm) = self.drift.storm(now_ms) {
            effects.storm(&self.settings.name, &storm, (now_ms, &world.raise));
        }
        let dropped = self.drift.dropped();
        self.counters.dropped.inc_by(dropped - self.dropped);
        self.dropped = dropped;
        self.tell_proofs();
        self.revise_when_due(now_ms, &world.raise, effects);
        if let Some(limit) = self.limited.news(self.evidence.pressure(), now_ms) {
            let value = self.settings.inference.limits.value(limit);
            effects.limited(&self.settings.name, (limit, value), (now_ms, &world.raise));
        }
    }

    /// Raises what happened to findings.
    pub(super) fn tell_all(
        &mut self,
        transitions: Vec<Transition>,
        world: &World,
        effects: &mut Effects,
    ) {
        for transition in transitions {
            self.tell(transition, world, effects);
        }
    }

    /// Hands evidence and counters that moved over to be written; the memory of what there was too, now and then and at `last`.
    pub(super) fn flush(&mut self, (now_ms, last): (i64, bool), effects: &mut Effects) {
        if std::mem::take(&mut self.dirty) {
            self.evidence.settle();
            let bytes = infer::encode(&self.evidence);
            effects.changes.push(Change::Evidence { api: Arc::clone(&self.settings.name), bytes });
        }
        self.flush_findings(effects);
        if last || now_ms - self.memory_ms >= MEMORY_INTERVAL_MS {
            self.memory_ms = now_ms;
            if let Some(memory) = self.drift.memory() {
                effects.memory(&self.settings.name, &memory, now_ms);
            }
        }
    }

    pub(super) fn flush_findings(&mut self, effects: &mut Effects) {
        for (finding, state) in self.drift.changed() {
            effects.finding(finding, &state);
        }
        for fingerprint in self.drift.forgotten() {
            effects.forgotten(&self.settings.name, fingerprint);
        }
    }

    /// How a document of this API is to be written: with the templates and texts of the one that it is held to by
    /// configuration.
    pub(super) fn project_options(&self) -> ProjectOptions {
        let extends = match &self.settings.baseline {
            BaselineSetting::Predefined { specification, .. } => {
                Some(Arc::clone(&specification.document))
            }
            BaselineSetting::Learn { .. } => None,
        };
        let prefix = &self.settings.path_prefix;
        ProjectOptions {
            templates: extends
                .iter()
                .flat_map(|document| infer::templates(document, prefix))
                .collect(),
            extends,
            pins: Arc::clone(&self.settings.pins),
            path_prefix: self.settings.path_prefix.clone(),
            published: Some(Arc::clone(&self.published)),
            ..ProjectOptions::default()
        }
    }

    pub(super) fn view(&self) -> ApiView {
        let infer::Projection { document, report, .. } =
            infer::project(&self.evidence, &self.project_options());
        let mut findings = [0; Severity::ALL.len()];
        for finding in self.drift.findings().filter(|finding| finding.state == FindingState::Open) {
            findings[finding.severity as usize] += 1;
        }
        ApiView {
            name: Arc::clone(&self.settings.name),
            exchanges: self.counts,
            operations: report.operations,
            unproven: report.unproven,
            baseline: self.baseline_view(&document),
            findings,
            last_seen_ms: self.last_seen_ms,
            left_out: report.left_out,
        }
    }

    /// Whether nothing new was learned for so long that what is known may be all there is.
    fn is_settled(&self) -> bool {
        self.last_seen_ms - self.novel_ms >= SETTLED_MS
    }

    fn baseline_view(&self, learned: &Value) -> BaselineView {
        match &self.baseline {
            None => BaselineView {
                state: if self.is_settled() && revise::is_mostly_ready(learned) {
                    BaselineState::Candidate
                } else {
                    BaselineState::Learning
                },
                revision: None,
                origin: None,
                since_ms: self.begun_ms,
            },
            Some(held) => BaselineView {
                state: match held.baseline.origin {
                    Origin::Predefined => BaselineState::Predefined,
                    Origin::Learned | Origin::Promoted => BaselineState::Frozen,
                },
                revision: Some(held.baseline.revision.clone()),
                origin: Some(held.baseline.origin),
                since_ms: held.since_ms,
            },
        }
    }
}

/// Looks at exchanges as the settings say; what it makes of them ages.
fn observer(settings: &ApiSettings, key: &HashKey) -> Observer {
    Observer::new(key.clone(), settings.inference.lens(&settings.path_prefix))
}

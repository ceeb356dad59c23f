//! The analysis thread: takes captures in batches, answers questions between them, writes what came of it.
//!
//! One turn: a batch of captures, the questions that wait, the clock, then one transaction with everything the turn
//! raised. A panic costs the capture it came from; a panic elsewhere costs the turn, and the thread goes on after a wait
//! that grows from 1 to 30 seconds. When the store does not take a transaction it is kept and tried again: until then no
//! captures are taken, so the queue fills, sheds and drops, and traffic goes on.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::api::{Api, ApiSettings};
use super::effects::Effects;
use super::hold;
use super::metrics::Counters;
use super::options::Analysis;
use super::revise::Candidate;
use super::settle::Settling;
use super::{COMMANDS_MAX, Command, Handle};
use crate::bus;
use crate::capture::{Border, Intake};
use crate::contract::Decision;
use crate::events::Raise;
use crate::infer::View;
use crate::model::capture::Capture;
use crate::model::finding::Finding;
use crate::model::hash::HashKey;
use crate::model::revision::RevisionId;
use crate::runtime::clock::Clock;
use crate::runtime::queue::{self, Receiver};
use crate::runtime::shutdown;
use crate::runtime::supervise::{self, Panics};
use crate::store;
use crate::telemetry::Metrics;
use crate::telemetry::signals::pipeline as signals;

/// How often the clock is looked at for what is due by time.
const TICK_MS: i64 = 1_000;
/// Longest wait between two attempts to write a transaction that the store refused.
const RETRY_MAX: Duration = Duration::from_secs(5);
const RESTART_MAX: Duration = Duration::from_secs(30);

/// What the analysis works with.
pub struct Parts {
    pub intake: Intake,
    pub border: Border,
    pub key: HashKey,
    pub bus: bus::Handle,
    pub store: store::Handle,
    pub raise: Raise,
    pub options: Analysis,
    pub apis: Vec<ApiSettings>,
    pub metrics: Metrics,
    pub clock: Clock,
    pub panics: Panics,
}

/// Starts the thread. It ends when the stage of `shutdown` begins and the queue is empty, or a grace period has passed.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    parts: Parts,
    shutdown: shutdown::Watch,
    guard: shutdown::Guard,
) -> io::Result<(Handle, JoinHandle<()>)> {
    let (commands, questions) = queue::bounded(COMMANDS_MAX);
    let paused = Arc::new(AtomicBool::new(parts.options.paused));
    let handle = Handle { commands, paused: Arc::clone(&paused) };
    let panics = parts.panics.clone();
    let mut service = Service::new(parts, questions, paused, shutdown);
    let thread = supervise::thread("dg-analysis", &panics.clone(), move || {
        let _guard = guard;
        supervise::lower_priority();
        let mut wait = Duration::from_secs(1);
        while supervise::caught("analysis", &panics, || service.work()).is_none() {
            service.world.counters.restarts.inc();
            rest(wait);
            wait = (wait * 2).min(RESTART_MAX);
        }
    })?;
    Ok((handle, thread))
}

/// What every API works in.
pub(super) struct World {
    pub(super) key: HashKey,
    pub(super) clock: Clock,
    pub(super) raise: Raise,
    pub(super) counters: Counters,
}

struct Service {
    intake: Intake,
    border: Border,
    world: World,
    bus: bus::Handle,
    store: store::Handle,
    options: Analysis,
    /// In the order of the configuration.
    apis: Vec<Api>,
    index: HashMap<Arc<str>, usize>,
    effects: Effects,
    settling: Settling,
    questions: Receiver<Command>,
    paused: Arc<AtomicBool>,
    shutdown: shutdown::Watch,
    panics: Panics,
    last_tick_ms: i64,
    last_flush_ms: i64,
}

impl Service {
    fn new(
        parts: Parts,
        questions: Receiver<Command>,
        paused: Arc<AtomicBool>,
        shutdown: shutdown::Watch,
    ) -> Self {
        let mut service = Self {
            intake: parts.intake,
            border: parts.border,
            world: World {
                key: parts.key,
                clock: parts.clock,
                raise: parts.raise,
                counters: Counters::new(&parts.metrics),
            },
            bus: parts.bus,
            store: parts.store,
            options: parts.options,
            apis: Vec::new(),
            index: HashMap::new(),
            effects: Effects::default(),
            settling: Settling::default(),
            questions,
            paused,
            shutdown,
            panics: parts.panics,
            last_tick_ms: 0,
            last_flush_ms: 0,
        };
        service.configure(parts.apis);
        service
    }

    /// Turns until the hand-over is closed and empty.
    fn work(&mut self) {
        let mut batch = Vec::new();
        loop {
            if self.paused.load(Ordering::Acquire) && !self.shutdown.has_begun() {
                rest(Duration::from_millis(20));
                continue;
            }
            let begun = self.world.clock.monotonic_ns();
            let more = self.intake.next_batch(&mut batch);
            for capture in &batch {
                self.take(capture);
            }
            self.answer();
            self.tick(!more);
            self.write();
            if !more {
                return;
            }
            self.pace(begun, batch.is_empty());
        }
    }

    fn take(&mut self, capture: &Capture) {
        let Some(index) = self.index.get(&capture.api) else { return };
        let Some(api) = self.apis.get_mut(*index) else { return };
        let (border, world, effects) = (&self.border, &self.world, &mut self.effects);
        // A capture that makes us panic is skipped, named by its number; what was counted before it stays.
        let taken = supervise::caught("analysis of one exchange", &self.panics, || {
            api.take(capture, border, world, effects)
        });
        match taken {
            None => {
                self.world.counters.skipped.inc();
                signals::Skipped { sequence: capture.sequence, api: &capture.api }.tell();
            }
            Some(None) => {}
            Some(Some((slot, is_new))) => {
                if let Some(settled) = self.settling.count(slot, is_new) {
                    self.intake.settle(slot, settled);
                }
            }
        }
    }

    /// What is due by time: findings that are over, learned revisions, freezes, and the flush.
    fn tick(&mut self, last: bool) {
        let now = self.world.clock.now_ms();
        if !last && now - self.last_tick_ms < TICK_MS {
            return;
        }
        self.last_tick_ms = now;
        let flush = last || now - self.last_flush_ms >= self.options.flush_interval.as_ms();
        if flush {
            self.last_flush_ms = now;
        }
        let mut due = Vec::new();
        for api in &mut self.apis {
            api.tick(now, &self.world, &mut self.effects);
            if api.freeze_is_due(now) {
                due.push(Arc::clone(api.name()));
            }
            if flush {
                api.flush((now, last), &mut self.effects);
            }
        }
        for api in due {
            self.freeze_by_time(&api);
        }
    }

    /// Freezes what was learned in the configured time, ready or not. With nothing learned it is tried again next time.
    fn freeze_by_time(&mut self, api: &str) {
        let order = super::FreezeOrder {
            api: api.to_owned(),
            reason: "the learning time of the configuration has passed".to_owned(),
            by: "configuration".to_owned(),
            force: true,
            view: View::Strict,
        };
        match self.freeze(&order) {
            Ok(_) | Err(super::Error::NothingLearned { .. }) => {}
            Err(error) => signals::FreezeFailed { api, error: &error }.tell(),
        }
    }

    /// Commits what the turn raised. A refusal is told once; the transaction is kept until it is taken or shutdown comes.
    fn write(&mut self) {
        let raised = self.effects.take();
        let Some((events, changes)) = raised else { return };
        let mut wait = Duration::from_millis(50);
        let mut told = false;
        loop {
            let Err(error) = self.bus.publish_blocking(events.clone(), changes.clone()) else {
                if told {
                    signals::StoreBack.tell();
                }
                return;
            };
            if !told {
                signals::StoreRefused { error: &error }.tell();
                told = true;
            }
            if self.shutdown.has_begun() {
                signals::Lost { events: events.len() }.tell();
                return;
            }
            // The heart goes on beating: it is not the analysis that hangs, and the queue sheds by its fill alone.
            self.intake.beat();
            self.answer();
            rest(wait);
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    fn answer(&mut self) {
        for _ in 0..COMMANDS_MAX {
            let Some(command) = self.questions.try_recv() else { return };
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Apis(to) => reply(to, self.apis.iter().map(Api::view).collect()),
            Command::Operations(name, to) => {
                reply(to, self.api(&name).map(|api| api.operation_views()));
            }
            Command::Specification(name, question, to) => {
                let store = self.store.clone();
                reply(to, self.api(&name).and_then(|api| api.specification(&question, &store)));
            }
            Command::Freeze(order, to) => reply(to, self.freeze(&order)),
            Command::Decide(order, to) => {
                let decided = self.decide(&order);
                reply(to, decided);
            }
            Command::Promote(order, to) => {
                let promoted = self.promote(&order);
                reply(to, promoted);
            }
            Command::Hold(order, to) => {
                let held = self.hold(&order);
                reply(to, held);
            }
            Command::Configure(settings, to) => {
                self.configure(settings);
                reply(to, ());
            }
            Command::Flush(to) => {
                let now = self.world.clock.now_ms();
                for api in &mut self.apis {
                    api.flush((now, true), &mut self.effects);
                }
                self.write();
                reply(to, ());
            }
        }
    }

    /// A decision is answered after it was written.
    fn decide(&mut self, order: &super::DecideOrder) -> Result<Finding, super::Error> {
        let mut effects = Effects::default();
        let index = self.index.get(order.api.as_str()).copied();
        let api = index.and_then(|index| self.apis.get_mut(index));
        let api = api.ok_or_else(|| super::Error::NoSuchApi(order.api.clone()))?;
        let finding = api.decide(order, &self.world, &mut effects)?;
        if let Some((events, changes)) = effects.take()
            && let Err(error) = self.bus.publish_blocking(events.clone(), changes.clone())
        {
            // It is in force; what the store refused now goes with the next turn.
            self.effects.events.extend(events);
            self.effects.changes.extend(changes);
            return Err(super::Error::Store(error));
        }
        Ok(finding)
    }

    fn freeze(&mut self, order: &super::FreezeOrder) -> Result<super::Frozen, super::Error> {
        let now = self.world.clock.now_ms();
        let (candidate, frozen) = self.api(&order.api)?.candidate(order, now)?;
        self.replace((&order.api, &order.by), "contract.baseline.frozen", candidate)?;
        Ok(frozen)
    }

    fn promote(&mut self, order: &super::PromoteOrder) -> Result<super::Promoted, super::Error> {
        let now = self.world.clock.now_ms();
        let api = self.api(&order.api)?;
        let (candidate, mut promoted) = api.promotion(order, now)?;
        let before = api.open_findings();
        self.replace((&order.api, &order.by), "contract.baseline.promoted", candidate)?;
        let drift = &self.api(&order.api)?.drift;
        let is_over = |finding: &Finding| {
            drift.finding(&finding.fingerprint).is_none_or(|now| now.state.is_over())
        };
        let explained = before.into_iter().filter(is_over);
        promoted.explained = explained.map(|finding| finding.fingerprint).collect();
        Ok(promoted)
    }

    fn hold(&mut self, order: &super::HoldOrder) -> Result<RevisionId, super::Error> {
        let now = self.world.clock.now_ms();
        let store = self.store.clone();
        let candidate = self.api(&order.api)?.chosen(order, &store, now)?;
        let revision = candidate.revision.id.clone();
        self.replace((&order.api, &order.by), "contract.baseline.promoted", candidate)?;
        Ok(revision)
    }

    /// Holds an API to another revision. Nothing is held to before the store has it.
    fn replace(
        &mut self,
        (name, by): (&str, &str),
        kind: &'static str,
        candidate: Candidate,
    ) -> Result<(), super::Error> {
        let index = self.index.get(name).copied();
        let api = index.and_then(|index| self.apis.get_mut(index));
        let api = api.ok_or_else(|| super::Error::NoSuchApi(name.to_owned()))?;
        let former = api.baseline.as_ref().map(|held| held.baseline.revision.clone());
        let mut effects = Effects::default();
        hold::tell(&mut effects, (kind, &candidate), former.as_ref(), (by, &self.world.raise));
        effects.changes.extend(api.baseline_changes(&candidate.revision));
        if let Some((events, changes)) = effects.take() {
            self.bus.publish_blocking(events, changes).map_err(super::Error::Store)?;
        }
        let now = self.world.clock.now_ms();
        api.hold(candidate.specification, &candidate.revision, now);
        let mut transitions = Vec::new();
        for fingerprint in &candidate.accepts {
            // One that is over by itself needs no accepting.
            let accepted = api.drift.decide(fingerprint, Decision::Accept, now);
            transitions.extend(accepted.unwrap_or_default());
        }
        transitions.extend(api.rejudge(now));
        api.tell_all(transitions, &self.world, &mut self.effects);
        Ok(())
    }

    fn api(&mut self, name: &str) -> Result<&mut Api, super::Error> {
        let index = self.index.get(name).copied();
        index
            .and_then(|index| self.apis.get_mut(index))
            .ok_or_else(|| super::Error::NoSuchApi(name.to_owned()))
    }

    fn configure(&mut self, settings: Vec<ApiSettings>) {
        let now = self.world.clock.now_ms();
        let mut known: HashMap<Arc<str>, Api> =
            self.apis.drain(..).map(|api| (Arc::clone(api.name()), api)).collect();
        for settings in settings {
            let api = if let Some(mut api) = known.remove(&settings.name) {
                let former = api.baseline.as_ref().map(|held| held.baseline.revision.clone());
                let transitions = api.configure(settings, &self.world.key, now);
                self.effects.changes.extend(api.named_baseline(former.as_ref()));
                api.tell_all(transitions, &self.world, &mut self.effects);
                api
            } else {
                super::restore::api(settings, &self.world, &self.store, now)
            };
            self.apis.push(api);
        }
        for api in known.values_mut() {
            api.flush((now, true), &mut self.effects);
        }
        let named = self.apis.iter().enumerate();
        self.index = named.map(|(index, api)| (Arc::clone(api.name()), index)).collect();
    }

    /// Keeps to the configured share of a core by resting in proportion to the work done. An empty turn has rested already.
    fn pace(&self, begun_ns: u64, idle: bool) {
        if idle || self.options.cpu >= 1.0 {
            return;
        }
        let worked = self.world.clock.monotonic_ns().saturating_sub(begun_ns);
        #[expect(clippy::cast_precision_loss, reason = "a turn lasts milliseconds")]
        let seconds = worked as f64 / 1e9 * (1.0 / self.options.cpu - 1.0);
        rest(Duration::from_secs_f64(seconds));
    }
}

/// Answers whoever asked; one that has gone meanwhile misses nothing.
fn reply<T>(to: oneshot::Sender<T>, value: T) {
    drop(to.send(value).err());
}

/// Waits on this thread, which nobody but the analysis uses; a wake-up may end it early.
fn rest(wait: Duration) {
    std::thread::park_timeout(wait);
}

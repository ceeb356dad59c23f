//! The scheduler: one task that owns all timers, turns and records of deliveries under way.
//!
//! Owns when an attempt begins and that its outcome reaches the disk. Everything that changes a delivery goes through this
//! one task, so no two attempts of one delivery ever overlap. Refuses to own the transitions (`machine`) and the sending
//! (`Destination`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;

use crate::bus;
use crate::events::Raise;
use crate::model::delivery::{Delivery, Trigger};
use crate::runtime::clock::Clock;
use crate::runtime::queue;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown;
use crate::runtime::supervise::{self, Panics};
use crate::store::{self, Change};
use crate::telemetry::Metrics;
use crate::telemetry::signals::deliver as signals;

use super::attempt::{self, Ended, Plan};
use super::handle::{Command, Handle, Pulse};
use super::ledger::{Ledger, Receipts};
use super::machine::{self, Due, Now};
use super::metrics::Counters;
use super::ready::{PAGE, Ready};
use super::trouble::Trouble;
use super::{Destination, Destinations, Policy};

/// Attempts in flight at most, over all destinations.
pub const SLOTS: usize = 1_024;
/// Outcomes that wait for the disk, beyond which no attempt begins.
pub(super) const UNWRITTEN_MAX: usize = 1_000;
/// Longest time between two looks at everything.
const SWEEP_MS: i64 = 60_000;
/// How long attempts in flight may go on once the process is to end.
const DRAIN_MS: i64 = 10_000;
const COMMANDS: usize = 1_024;

/// Everything that the scheduler works with.
pub struct Parts {
    pub store: store::Handle,
    pub bus: bus::Handle,
    pub destinations: Arc<dyn Destinations>,
    pub raise: Raise,
    pub clock: Clock,
    pub rng: Rng,
    pub panics: Panics,
    pub metrics: Metrics,
}

/// The running part; nothing happens until [`Service::run`].
pub struct Service {
    pub(super) parts: Parts,
    pub(super) counters: Counters,
    pub(super) ready: Ready,
    pub(super) ledger: Ledger,
    pub(super) trouble: Trouble,
    pub(super) nonces: super::command::Nonces,
    commands: queue::Receiver<Command>,
    changed: Arc<Notify>,
    news: (queue::Sender<Incoming>, queue::Receiver<Incoming>),
    pulse: Arc<Pulse>,
    committing: bool,
    /// The pages in memory may lack something.
    pub(super) stale: bool,
    next_due_ms: Option<i64>,
    sweep_ms: i64,
    /// Until when a destination asked to be left alone (429, 503 with `Retry-After`).
    quiet: HashMap<String, i64>,
    /// When the process stops waiting for attempts in flight.
    ends_ms: Option<i64>,
}

/// What tasks tell the scheduler.
enum Incoming {
    Ended(Box<Ended>),
    Written { receipts: Receipts, error: Option<store::Error> },
}

/// Makes the scheduler of a store and the handle to it.
#[must_use]
pub fn new(parts: Parts) -> (Handle, Service) {
    let (sender, commands) = queue::bounded(COMMANDS);
    let changed = Arc::new(Notify::new());
    let pulse = Arc::new(Pulse::default());
    let handle = Handle {
        commands: sender,
        changed: Arc::clone(&changed),
        pulse: Arc::clone(&pulse),
        clock: parts.clock.clone(),
    };
    let service = Service {
        counters: Counters::new(&parts.metrics, &handle),
        parts,
        ready: Ready::default(),
        ledger: Ledger::default(),
        trouble: Trouble::default(),
        nonces: super::command::Nonces::default(),
        commands,
        changed,
        // One message for each attempt in flight, and one for the commit.
        news: queue::bounded(SLOTS + 1),
        pulse,
        committing: false,
        stale: true,
        next_due_ms: None,
        sweep_ms: 0,
        quiet: HashMap::new(),
        ends_ms: None,
    };
    (handle, service)
}

impl Service {
    /// Works until the stage of `shutdown` begins, then until the attempts in flight have ended, at most 10 s.
    pub async fn run(mut self, mut shutdown: shutdown::Watch) {
        self.recover().await;
        let mut committed = self.parts.store.committed();
        loop {
            self.pulse.beat_ns.store(self.parts.clock.monotonic_ns(), Ordering::Relaxed);
            match self.ends_ms {
                None => self.fire().await,
                Some(at) if self.is_idle() || self.now_ms() >= at => return,
                Some(_) => {}
            }
            self.flush();
            self.report();
            let pause = self.pause();
            let ending = self.ends_ms.is_some();
            tokio::select! {
                Some(incoming) = self.news.1.recv() => self.take(incoming),
                Some(command) = self.commands.recv() => self.obey(command).await,
                Ok(()) = committed.changed(), if !ending => self.stale = true,
                () = self.changed.notified(), if !ending => {
                    self.stale = true;
                    self.sweep_ms = 0;
                }
                () = shutdown.begun(), if !ending => {
                    self.ends_ms = Some(self.now_ms().saturating_add(DRAIN_MS));
                }
                () = self.parts.clock.sleep(pause) => self.stale = true,
            }
            while let Some(incoming) = self.news.1.try_recv() {
                self.take(incoming);
            }
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.parts.clock.now_ms()
    }

    fn is_idle(&self) -> bool {
        self.ledger.is_idle() && !self.committing
    }

    fn report(&self) {
        self.pulse.in_flight.store(self.ledger.in_flight_total(), Ordering::Relaxed);
        self.pulse.waiting.store(self.ready.len(), Ordering::Relaxed);
    }

    /// Until something is due by itself; what became due since it was looked for is so at once.
    fn pause(&self) -> Duration {
        let quiet = self.quiet.values().copied().min();
        let next = match self.ends_ms {
            Some(at) => at,
            None => [self.next_due_ms, quiet].into_iter().flatten().fold(self.sweep_ms, i64::min),
        };
        Duration::from_millis(u64::try_from(next - self.now_ms()).unwrap_or(0))
    }

    /// Begins whatever may begin now.
    async fn fire(&mut self) {
        let now_ms = self.now_ms();
        self.quiet.retain(|_, until| *until > now_ms);
        if self.sweep_ms <= now_ms {
            self.sweep_ms = now_ms + SWEEP_MS;
            self.sweep().await;
        }
        if self.stale || self.ready.wants_more() {
            self.refill().await;
        }
        if self.pulse.store_holds.load(Ordering::Relaxed) {
            return;
        }
        for id in self.ledger.asked_for() {
            self.begin_asked(&id).await;
        }
        while self.has_room() {
            let (ledger, destinations) = (&self.ledger, &self.parts.destinations);
            let quiet = &self.quiet;
            let next = self.ready.next(|name| {
                let concurrency = destinations.find(name).map(|found| found.policy().concurrency);
                !quiet.contains_key(name)
                    && concurrency.is_none_or(|most| ledger.in_flight(name) < most)
            });
            match next {
                Some(delivery) if self.ledger.is_busy(&delivery.id) => {}
                Some(delivery) => self.fire_one(delivery).await,
                None => return,
            }
        }
    }

    fn has_room(&self) -> bool {
        self.ledger.in_flight_total() < SLOTS && self.ledger.unwritten() < UNWRITTEN_MAX
    }

    /// Reads the pages of what is due, and when the next one will be.
    async fn refill(&mut self) {
        let now_ms = self.now_ms();
        let read = self
            .parts
            .store
            .read(move |reader| Ok((reader.due(now_ms, PAGE)?, reader.next_due(now_ms)?)))
            .await;
        match read {
            Ok((rows, next_due_ms)) => {
                let ledger = &self.ledger;
                self.ready.replace(rows, |id| ledger.is_busy(id));
                self.next_due_ms = next_due_ms;
                self.stale = false;
            }
            Err(error) => {
                signals::Unreadable { error: &error }.tell();
                self.next_due_ms = Some(now_ms + 1_000);
            }
        }
    }

    /// The due time of an open delivery has come.
    async fn fire_one(&mut self, delivery: Delivery) {
        let Some(destination) = self.parts.destinations.find(&delivery.destination) else {
            self.ledger.write(machine::deleted(&delivery), Vec::new());
            return;
        };
        let policy = destination.policy();
        let due = machine::due(&delivery, policy.hold, self.now(&policy));
        match due {
            Due::Attempt(delivery, trigger) => self.begin(delivery, destination, trigger).await,
            Due::Held(held) if held == delivery => {}
            Due::Held(held) => self.ledger.write(held, Vec::new()),
            Due::Expired(failed) => self.expire(failed),
        }
    }

    /// Gives a delivery up that was held until its deadline.
    pub(super) fn expire(&mut self, failed: Delivery) {
        let told = self.trouble.exhausted(&failed, self.now_ms());
        self.tell(told, &failed);
        self.ledger.write(failed, Vec::new());
    }

    /// Begins an attempt that was asked for by hand; it passes holds that are not its destination's own.
    async fn begin_asked(&mut self, id: &str) {
        let Some(busy) = self.ledger.get(id) else { return };
        let delivery = machine::begin(&busy.delivery);
        let Some(destination) = self.parts.destinations.find(&delivery.destination) else { return };
        if let Some(busy) = self.ledger.get_mut(id) {
            busy.waiter = Some(busy.manual.remove(0));
        }
        self.begin(delivery, destination, Trigger::Manual).await;
    }

    async fn begin(
        &mut self,
        delivery: Delivery,
        destination: Arc<dyn Destination>,
        trigger: Trigger,
    ) {
        let plan = Plan { delivery, destination, trigger, started_ms: self.now_ms() };
        self.ledger.begin(&plan.delivery);
        let mark = Change::AttemptBegun(Box::new(attempt::mark(&plan)));
        // Queued before the request leaves, not awaited: an outcome that comes first replaces it.
        if self.parts.store.enqueue(vec![mark]).await.is_err() {
            self.pulse.store_holds.store(true, Ordering::Relaxed);
        }
        let (store, clock) = (self.parts.store.clone(), self.parts.clock.clone());
        let (panics, news) = (self.parts.panics.clone(), self.news.0.clone());
        supervise::task("delivery", &self.parts.panics, async move {
            let ended = attempt::run(plan, store, clock, panics).await;
            // A scheduler that is gone needs no outcome: the mark tells the next one.
            news.send(Incoming::Ended(Box::new(ended))).await.unwrap_or_default();
        });
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Ended(ended) => self.conclude(*ended),
            Incoming::Written { receipts, error } => {
                self.committing = false;
                if let Some(error) = error {
                    signals::OutcomesLost { error: &error }.tell();
                    self.stale = true;
                }
                let ids = receipts.tell();
                let due_ms = self.ledger.written(ids);
                self.watch_for(due_ms);
            }
        }
    }

    /// An attempt has ended: its record, its row of the log and its news go to the disk together.
    fn conclude(&mut self, ended: Ended) {
        let Some((delivery, waiter)) = self.ledger.end(&ended.delivery.id) else { return };
        let Some(made) = ended.result else {
            self.ledger.write(machine::payload_gone(&delivery), Vec::new());
            return;
        };
        let policy = self.policy_of(&delivery);
        let report = &made.report;
        self.counters.attempted(report.outcome, made.duration_ms);
        let outcome = machine::Outcome {
            generation: ended.delivery.generation,
            kind: report.outcome,
            status: report.status,
            retry_after_ms: report.retry_after_ms,
            refused: report.refused,
        };
        let (next, news) = machine::outcome(&delivery, outcome, self.now(&policy));
        self.leave_alone(&next, outcome);
        if !made.operational
            && let Some(news) = news
        {
            let told = self.trouble.note(news, &next, self.now_ms());
            self.tell(told, &next);
        }
        if next.state != delivery.state {
            self.counters.entered(next.state);
        }
        if let Some(waiter) = waiter {
            self.ledger.settle(waiter, next.clone());
        }
        let row = Change::Attempt(Box::new(made.row(&ended.delivery)));
        self.ledger.write(next, vec![row]);
    }

    /// A delivery that was under way is on disk again: what is due of it by now, no page has yet.
    fn watch_for(&mut self, due_ms: Option<i64>) {
        self.stale |= due_ms.is_some_and(|at| at <= self.now_ms());
        self.next_due_ms = self.next_due_ms.into_iter().chain(due_ms).min();
    }

    /// A receiver that is overloaded and says for how long is left alone as a whole.
    fn leave_alone(&mut self, delivery: &Delivery, outcome: machine::Outcome) {
        let overloaded = matches!(outcome.status, Some(429 | 503));
        if let Some(wait_ms) = outcome.retry_after_ms.filter(|_| overloaded) {
            let cap_ms = self.policy_of(delivery).retry.cap_ms;
            let until = self.now_ms().saturating_add(wait_ms.clamp(0, cap_ms));
            self.quiet.insert(delivery.destination.clone(), until);
        }
    }

    pub(super) fn tell(&mut self, told: Option<super::trouble::Told>, delivery: &Delivery) {
        if let Some(told) = told {
            let event = told.event(&self.parts.raise, delivery, self.now_ms());
            self.ledger.raise(event);
        }
    }

    /// The destination's policy, or the default of one that was deleted meanwhile.
    fn policy_of(&self, delivery: &Delivery) -> Policy {
        self.parts.destinations.find(&delivery.destination).map_or_else(
            || Policy { retry: super::schedule::Policy::default(), concurrency: 1, hold: None },
            |destination| destination.policy(),
        )
    }

    pub(super) fn now<'a>(&self, policy: &'a Policy) -> Now<'a> {
        Now { ms: self.now_ms(), policy: &policy.retry, chance: self.parts.rng.unit() }
    }

    /// Hands what has come together to the disk, one batch after the other.
    fn flush(&mut self) {
        if self.committing {
            return;
        }
        let Some((events, changes, receipts)) = self.ledger.take() else { return };
        self.committing = true;
        let (bus, clock) = (self.parts.bus.clone(), self.parts.clock.clone());
        let (pulse, news) = (Arc::clone(&self.pulse), self.news.0.clone());
        supervise::task("delivery outcomes", &self.parts.panics, async move {
            let error = loop {
                match bus.publish(events.clone(), changes.clone()).await {
                    Ok(_) => break None,
                    Err(error) => match error.retry() {
                        crate::model::fault::Retry::After(ms) => {
                            pulse.store_holds.store(true, Ordering::Relaxed);
                            clock.sleep(Duration::from_millis(ms)).await;
                        }
                        _ => break Some(error),
                    },
                }
            };
            pulse.store_holds.store(false, Ordering::Relaxed);
            // Likewise: what is on disk needs nobody to hear of it.
            news.send(Incoming::Written { receipts, error }).await.unwrap_or_default();
        });
    }

    /// The newest record of a delivery.
    pub(super) async fn record(&self, id: &str) -> Option<Delivery> {
        if let Some(busy) = self.ledger.get(id) {
            return Some(busy.delivery.clone());
        }
        let id = id.to_owned();
        self.parts.store.read(move |reader| reader.delivery(&id)).await.ok().flatten()
    }
}

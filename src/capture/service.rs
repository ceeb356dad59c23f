//! The hand-over itself: bounded lock-free queues, the budget, and the reader on the analysis thread.
//!
//! Owns who may put in, who is woken and when, and what counts as a sign of life. A producer makes no system call unless a
//! queue is more than a quarter full: one wake-up for each exchange would cost more than everything else the tap does.

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::thread::{self, Thread, ThreadId};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use crossbeam_queue::ArrayQueue;

use super::breaker::Breaker;
use super::budget::{Budget, RECORD_BYTES};
use super::options::Options;
use super::shed::{Level, Settled, Shed};
use super::{Dropped, Handle, Snapshot};
use crate::model::capture::{Capture, Part};
use crate::runtime::clock::Clock;

/// Most captures in one batch.
pub const BATCH_MAX: usize = 256;

const PARK_MIN: Duration = Duration::from_millis(1);
const PARK_MAX: Duration = Duration::from_millis(20);
/// No sign of life for so long with captures waiting: all bodies are shed, then the tap is off.
const STALL_SHED_NS: u64 = 10_000_000_000;
const STALL_OFF_NS: u64 = 60_000_000_000;
/// Lag that counts as full pressure.
const LAG_FULL_NS: u64 = 1_000_000_000;

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
pub(super) const CLOSED: u8 = 2;

pub(super) struct Shared {
    pub(super) queues: Box<[ArrayQueue<Box<Capture>>]>,
    pub(super) budget: Budget,
    pub(super) breaker: Breaker,
    pub(super) settled: Settled,
    pub(super) sequence: AtomicU64,
    pub(super) state: AtomicU8,
    pub(super) request_cap: usize,
    pub(super) response_cap: usize,
    shed: Shed,
    captures: AtomicU64,
    bodies: [AtomicU64; 5],
    dropped: [AtomicU64; Dropped::ALL.len()],
    /// When analysis last asked for a batch.
    beat_ns: AtomicU64,
    /// Everything that ended before this moment has been taken out.
    drained_ns: AtomicU64,
    parked: AtomicBool,
    reader: ArcSwapOption<Thread>,
}

/// Makes the hand-over for `workers` data threads.
#[must_use]
pub fn channel(options: &Options, workers: usize, clock: &Clock) -> (Handle, Intake) {
    let queue = |_| ArrayQueue::new(options.queue.max(1));
    let shared = Arc::new(Shared {
        queues: (0..workers.max(1)).map(queue).collect(),
        budget: Budget::new(options.memory.0),
        breaker: Breaker::default(),
        settled: Settled::default(),
        sequence: AtomicU64::new(0),
        state: AtomicU8::new(STARTING),
        request_cap: options.request_body.as_len(),
        response_cap: options.response_body.as_len(),
        shed: Shed::default(),
        captures: AtomicU64::new(0),
        bodies: Default::default(),
        dropped: Default::default(),
        beat_ns: AtomicU64::new(clock.monotonic_ns()),
        drained_ns: AtomicU64::new(clock.monotonic_ns()),
        parked: AtomicBool::new(false),
        reader: ArcSwapOption::empty(),
    });
    let intake = Intake {
        shared: Arc::clone(&shared),
        clock: clock.clone(),
        turn: 0,
        held: 0,
        park: PARK_MIN,
        reader: None,
    };
    (Handle(shared), intake)
}

impl Shared {
    pub(super) fn admit(&self, now_ns: u64) -> Result<Level, Dropped> {
        let state = self.state.load(Acquire);
        if state == CLOSED {
            return Err(Dropped::Draining);
        }
        let length = self.length();
        let silent_ns = now_ns.saturating_sub(self.beat_ns.load(Relaxed));
        if state == RUNNING && length > 0 && silent_ns > STALL_OFF_NS {
            return Err(Dropped::Stalled);
        }
        if !self.breaker.allows(now_ns) {
            return Err(Dropped::Breaker);
        }
        Ok(self.shed.update(self.pressure(state, length, silent_ns, now_ns), now_ns))
    }

    /// Fill of queue and budget and the lag, whichever is worst, in thousandths. Lag alone never drops a record.
    fn pressure(&self, state: u8, length: usize, silent_ns: u64, now_ns: u64) -> u64 {
        let capacity = self.queues.iter().map(ArrayQueue::capacity).sum::<usize>().max(1);
        let queue = (length * 1000 / capacity) as u64;
        let fill = queue.max(self.budget.fill());
        if state == STARTING || length == 0 {
            return fill;
        }
        let lag = if silent_ns > STALL_SHED_NS {
            1000
        } else {
            now_ns.saturating_sub(self.drained_ns.load(Relaxed)).min(LAG_FULL_NS) / 1_000_000
        };
        fill.max(lag)
    }

    pub(super) fn offer(&self, capture: Box<Capture>, charged: usize) -> bool {
        let cost = cost(&capture);
        self.budget.release(charged.saturating_sub(cost));
        let charged = charged.min(cost);
        let counted = capture.part != Part::End;
        let states = [capture.request.state, capture.response.state];
        if let Err(reason) = self.push(capture, cost - charged) {
            self.budget.release(charged);
            if counted {
                self.count(reason);
            }
            return false;
        }
        if counted {
            self.captures.fetch_add(1, Relaxed);
            for state in states {
                self.bodies[state as usize].fetch_add(1, Relaxed);
            }
        }
        true
    }

    fn push(&self, capture: Box<Capture>, missing: usize) -> Result<(), Dropped> {
        let state = self.state.load(Acquire);
        if state == CLOSED {
            return Err(Dropped::Draining);
        }
        if !self.budget.charge(missing) {
            return Err(Dropped::Bytes);
        }
        let Some(queue) = self.queues.get(usize::from(capture.worker) % self.queues.len()) else {
            return Err(Dropped::Queue);
        };
        if queue.push(capture).is_err() {
            self.budget.release(missing);
            return Err(if state == STARTING { Dropped::Starting } else { Dropped::Queue });
        }
        if queue.len() > queue.capacity() / 4 {
            self.wake();
        }
        Ok(())
    }

    /// Wakes the reader if it sleeps.
    fn wake(&self) {
        if self.parked.swap(false, Relaxed)
            && let Some(reader) = &*self.reader.load()
        {
            reader.unpark();
        }
    }

    pub(super) fn count(&self, reason: Dropped) {
        if let Some(counter) = self.dropped.get(reason as usize) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn close(&self) {
        self.state.store(CLOSED, Release);
        self.wake();
    }

    fn length(&self) -> usize {
        self.queues.iter().map(ArrayQueue::len).sum()
    }

    pub(super) fn snapshot(&self, now_ns: u64) -> Snapshot {
        let length = self.length();
        let silent_ns = now_ns.saturating_sub(self.beat_ns.load(Relaxed));
        let drained_ns = self.drained_ns.load(Relaxed);
        let state = self.state.load(Acquire);
        let stalled = state == RUNNING && length > 0 && silent_ns > STALL_OFF_NS;
        Snapshot {
            captures: self.captures.load(Relaxed),
            bodies: self.bodies.each_ref().map(|counter| counter.load(Relaxed)),
            dropped: self.dropped.each_ref().map(|counter| counter.load(Relaxed)),
            queue_length: length,
            bytes_in_flight: self.budget.held(),
            level: self.shed.level() as u8,
            enabled: state != CLOSED && !stalled && self.breaker.is_on(),
            panics: self.breaker.panics(),
            heartbeat_age_ns: silent_ns,
            lag_ns: if length == 0 { 0 } else { now_ns.saturating_sub(drained_ns) },
        }
    }
}

/// What a capture takes from the budget.
fn cost(capture: &Capture) -> usize {
    RECORD_BYTES + capture.heads.len() + capture.request.kept + capture.response.kept
}

/// The analysis thread's end. Dropping it closes the hand-over, which makes traffic cheaper.
pub struct Intake {
    shared: Arc<Shared>,
    clock: Clock,
    /// Queue to begin with, so that no worker is starved.
    turn: usize,
    /// What the last batch takes from the budget.
    held: usize,
    park: Duration,
    /// The thread that is woken; a restarted analysis is another one.
    reader: Option<ThreadId>,
}

impl Intake {
    /// Takes up to [`BATCH_MAX`] captures into `batch`, which is cleared first; the budget of the former batch is given back
    /// and the call counts as a sign of life. With nothing there it waits 1 to 20 ms and may come back empty. False when
    /// everything has been taken and nothing more will come.
    pub fn next_batch(&mut self, batch: &mut Vec<Box<Capture>>) -> bool {
        batch.clear();
        self.shared.budget.release(std::mem::take(&mut self.held));
        self.begin();
        if self.take(batch) == 0 {
            if self.shared.state.load(Acquire) == CLOSED {
                // What was pushed before the close is seen by now.
                return self.take(batch) > 0;
            }
            self.wait();
            self.take(batch);
        }
        true
    }

    /// A sign of life in the middle of long work.
    pub fn beat(&self) {
        self.shared.beat_ns.store(self.clock.monotonic_ns(), Relaxed);
    }

    /// Tells the data plane whether bodies of this kind of exchange teach nothing new ([`super::slot`]).
    pub fn settle(&self, slot: usize, settled: bool) {
        self.shared.settled.set(slot, settled);
    }

    fn begin(&self) {
        self.beat();
        // What is closed stays closed.
        self.shared.state.fetch_max(RUNNING, AcqRel);
    }

    #[expect(clippy::vec_box, reason = "captures move from queue to reader by pointer")]
    fn take(&mut self, batch: &mut Vec<Box<Capture>>) -> usize {
        let now_ns = self.clock.monotonic_ns();
        let queues = &self.shared.queues;
        self.turn = (self.turn + 1) % queues.len();
        let mut drained_ns = now_ns;
        for queue in queues.iter().cycle().skip(self.turn).take(queues.len()) {
            while batch.len() < BATCH_MAX
                && let Some(capture) = queue.pop()
            {
                self.held += cost(&capture);
                batch.push(capture);
            }
            if !queue.is_empty() {
                drained_ns = batch.last().map_or(0, |capture| capture.stamps.end.min(now_ns));
            }
        }
        if !batch.is_empty() {
            self.park = PARK_MIN;
        }
        self.shared.drained_ns.store(drained_ns, Relaxed);
        batch.len()
    }

    /// Sleeps until woken or for the current pause, which doubles while nothing comes.
    fn wait(&mut self) {
        let here = thread::current();
        if self.reader != Some(here.id()) {
            self.reader = Some(here.id());
            self.shared.reader.store(Some(Arc::new(here)));
        }
        self.shared.parked.store(true, Relaxed);
        thread::park_timeout(self.park);
        self.shared.parked.store(false, Relaxed);
        self.park = (self.park * 2).min(PARK_MAX);
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.shared.close();
        self.shared.budget.release(std::mem::take(&mut self.held));
        for queue in &self.shared.queues {
            while let Some(capture) = queue.pop() {
                self.shared.budget.release(cost(&capture));
            }
        }
    }
}

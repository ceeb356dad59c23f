//! One run at a time for an action and its target: later triggers wait as one, and the newest wins.
//!
//! Owns who may run and who is replaced. Refuses to own running.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::runtime::clock::Clock;

/// As good as for ever: whoever ends a run says so.
const LONG: Duration = Duration::from_hours(1);

/// The lanes of all actions, by action id and target.
#[derive(Default)]
pub(in crate::actions) struct Lanes(Mutex<BTreeMap<(String, String), Arc<Lane>>>);

impl Lanes {
    pub(super) fn lane(&self, action: &str, target: &str) -> Arc<Lane> {
        let name = (action.to_owned(), target.to_owned());
        Arc::clone(self.0.lock().entry(name).or_default())
    }
}

pub(super) struct Lane {
    state: Mutex<State>,
    /// Changes whenever somebody may have to look again.
    changed: watch::Sender<u64>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::channel(0).0 }
    }
}

#[derive(Default)]
struct State {
    running: bool,
    /// The trigger that runs next: its row among the events.
    waiting: Option<i64>,
    /// Event ids that it replaced.
    replaced: Vec<String>,
    /// Monotonic nanoseconds before which no run begins.
    not_before_ns: u64,
}

/// What became of a trigger.
pub(super) enum Turn {
    /// It runs; the lane is free again when this is dropped.
    Mine(Running),
    /// A newer trigger runs in its place.
    Replaced,
}

/// The right to run.
pub(super) struct Running {
    lane: Arc<Lane>,
    clock: Clock,
    min_interval: Duration,
    /// Ids of the events that this run also stands for.
    pub(super) replaced: Vec<String>,
}

impl Lane {
    /// Waits for the turn of a trigger: `row` of its event among the events, `event` its id.
    pub(super) async fn turn(
        self: &Arc<Self>,
        row: i64,
        event: &str,
        clock: &Clock,
        min_interval: Duration,
    ) -> Turn {
        let mut changed = self.changed.subscribe();
        if !self.queue(row, event) {
            return Turn::Replaced;
        }
        // A trigger whose attempt is given up must not keep the place.
        let mut place = Place { lane: self, row, kept: true };
        loop {
            changed.borrow_and_update();
            let wait = match self.look(row, clock) {
                Look::Replaced => {
                    place.kept = false;
                    return Turn::Replaced;
                }
                Look::Begin(replaced) => {
                    place.kept = false;
                    let (lane, clock) = (Arc::clone(self), clock.clone());
                    return Turn::Mine(Running { lane, clock, min_interval, replaced });
                }
                Look::Wait(wait) => wait,
            };
            tokio::select! {
                _ = changed.changed() => {}
                () = clock.sleep(wait) => {}
            }
        }
    }

    /// Takes the waiting place, unless a newer trigger has it.
    fn queue(&self, row: i64, event: &str) -> bool {
        let mut state = self.state.lock();
        let is_newest = state.waiting.is_none_or(|waiting| waiting <= row);
        if state.waiting.is_some() {
            state.replaced.push(event.to_owned());
        }
        if is_newest {
            state.waiting = Some(row);
        }
        drop(state);
        self.tell();
        is_newest
    }

    fn look(&self, row: i64, clock: &Clock) -> Look {
        let mut state = self.state.lock();
        if state.waiting != Some(row) {
            return Look::Replaced;
        }
        let left_ns = state.not_before_ns.saturating_sub(clock.monotonic_ns());
        if state.running {
            return Look::Wait(LONG);
        }
        if left_ns > 0 {
            return Look::Wait(Duration::from_nanos(left_ns));
        }
        state.running = true;
        state.waiting = None;
        Look::Begin(std::mem::take(&mut state.replaced))
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

enum Look {
    Replaced,
    Begin(Vec<String>),
    Wait(Duration),
}

/// The waiting place, given back when its holder goes away.
struct Place<'a> {
    lane: &'a Lane,
    row: i64,
    kept: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            let mut state = self.lane.state.lock();
            if state.waiting == Some(self.row) {
                state.waiting = None;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let interval_ns = u64::try_from(self.min_interval.as_nanos()).unwrap_or(u64::MAX);
        let mut state = self.lane.state.lock();
        state.running = false;
        state.not_before_ns = self.clock.monotonic_ns().saturating_add(interval_ns);
        drop(state);
        self.lane.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_trigger_runs_for_all_that_came_while_one_ran() {
        let (clock, hands) = Clock::standing_at(0);
        let lane = Lanes::default().lane("act_a", "http://api");
        let second = Duration::from_secs(1);
        let Turn::Mine(first) = lane.turn(1, "e1", &clock, second).await else {
            panic!("the lane was free");
        };
        let turn = |row: i64| {
            let (lane, clock) = (Arc::clone(&lane), clock.clone());
            async move { lane.turn(row, &format!("e{row}"), &clock, second).await }
        };
        let end = async {
            assert!(matches!(turn(2).await, Turn::Replaced), "older than the one that waits");
            drop(first);
            hands.advance(1_000);
        };
        // The third waits first, so that the second finds it there.
        let (third, ()) = tokio::join!(biased; turn(3), end);
        let Turn::Mine(third) = third else { panic!("the newest runs") };
        assert_eq!(third.replaced, ["e2"]);
    }

    #[tokio::test]
    async fn a_run_waits_out_the_interval_after_the_last() {
        let (clock, hands) = Clock::standing_at(0);
        let lane = Lanes::default().lane("act_a", "http://api");
        let minute = Duration::from_mins(1);
        drop(lane.turn(1, "e1", &clock, minute).await);
        let moving = async {
            hands.advance(59_999);
            tokio::task::yield_now().await;
            let early = clock.now_ms();
            hands.advance(1);
            early
        };
        let began = async {
            let turn = lane.turn(2, "e2", &clock, minute).await;
            assert!(matches!(turn, Turn::Mine(_)));
            clock.now_ms()
        };
        let (began, early) = tokio::join!(biased; began, moving);
        assert_eq!((began, early), (60_000, 59_999));
    }

    #[tokio::test]
    async fn a_trigger_that_is_given_up_leaves_its_place() {
        let clock = Clock::real();
        let lane = Lanes::default().lane("act_a", "http://api");
        let first = lane.turn(1, "e1", &clock, Duration::ZERO).await;
        {
            let waiting = lane.turn(9, "e9", &clock, Duration::ZERO);
            let mut waiting = std::pin::pin!(waiting);
            let poll = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
            });
            assert!(poll.await);
        }
        drop(first);
        assert!(matches!(lane.turn(2, "e2", &clock, Duration::ZERO).await, Turn::Mine(_)));
    }
}

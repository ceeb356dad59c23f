//! The only reader of time.
//!
//! Owns wall clock, monotonic clock and sleeping behind one handle, real or virtual. A virtual clock stands still until a
//! test advances it; sleepers wake in the order of their deadlines.

#![expect(clippy::disallowed_methods, reason = "this file is the one home of time")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Time as every component sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Real { origin: Instant },
    Virtual(Arc<Virtual>),
}

#[derive(Debug)]
struct Virtual {
    start_ms: i64,
    elapsed_ms: AtomicI64,
    moved: watch::Sender<i64>,
}

/// Moves a virtual clock.
#[derive(Debug, Clone)]
pub struct Hands(Arc<Virtual>);

impl Clock {
    #[must_use]
    pub fn real() -> Self {
        Self(Inner::Real { origin: Instant::now() })
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) until its hands are moved.
    #[must_use]
    pub fn standing_at(start_ms: i64) -> (Self, Hands) {
        let (moved, _) = watch::channel(0);
        let inner = Arc::new(Virtual { start_ms, elapsed_ms: AtomicI64::new(0), moved });
        (Self(Inner::Virtual(Arc::clone(&inner))), Hands(inner))
    }

    /// Unix milliseconds, UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Inner::Real { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Inner::Virtual(inner) => inner.start_ms + inner.elapsed_ms.load(Ordering::Acquire),
        }
    }

    /// Monotonic nanoseconds since this clock was made.
    #[must_use]
    pub fn monotonic_ns(&self) -> u64 {
        match &self.0 {
            Inner::Real { origin } => {
                u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
            }
            Inner::Virtual(inner) => u64::try_from(inner.elapsed_ms.load(Ordering::Acquire))
                .unwrap_or(0)
                .saturating_mul(1_000_000),
        }
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Inner::Real { .. } => tokio::time::sleep(duration).await,
            Inner::Virtual(inner) => {
                let mut moved = inner.moved.subscribe();
                let wait = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                let deadline = inner.elapsed_ms.load(Ordering::Acquire).saturating_add(wait);
                // The sender lives in `inner`, which this borrow keeps alive: the wait cannot end with an error.
                drop(moved.wait_for(|elapsed| *elapsed >= deadline).await);
            }
        }
    }
}

impl Hands {
    /// Moves the clock forward (or back, as an operator might) and wakes whoever is due.
    pub fn advance(&self, by_ms: i64) {
        let elapsed = self.0.elapsed_ms.fetch_add(by_ms, Ordering::AcqRel) + by_ms;
        self.0.moved.send_replace(elapsed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_standing_clock_wakes_its_sleepers_when_moved() {
        let (clock, hands) = Clock::standing_at(1_000);
        let sleeper = {
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(5)).await;
                clock.now_ms()
            }
        };
        let (woken, ()) = tokio::join!(sleeper, async { hands.advance(5_000) });
        assert_eq!(woken, 6_000);
    }
}

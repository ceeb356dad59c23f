//! Switches a tap that keeps panicking off for a while, then tries it once (`spec/proxy.md` 11). Atomics only: it is asked at
//! the start of every exchange.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Panics within [`WINDOW_NS`] that switch the tap off.
const PANICS_MAX: u32 = 5;
const WINDOW_NS: u64 = 60_000_000_000;
const PAUSE_NS: u64 = 600_000_000_000;

/// `until_ns` of a tap that is on.
const ON: u64 = 0;
/// `until_ns` while the one exchange of a trial is under way.
const TRIAL: u64 = u64::MAX;

#[derive(Debug, Default)]
pub(super) struct Breaker {
    until_ns: AtomicU64,
    window_ns: AtomicU64,
    recent: AtomicU32,
    panics: AtomicU64,
}

impl Breaker {
    /// Whether an exchange that begins at `now_ns` may be tapped. After the pause exactly one may, until it has ended.
    pub(super) fn allows(&self, now_ns: u64) -> bool {
        match self.until_ns.load(Relaxed) {
            ON => true,
            TRIAL => false,
            until if now_ns < until => false,
            until => self.until_ns.compare_exchange(until, TRIAL, Relaxed, Relaxed).is_ok(),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.until_ns.load(Relaxed) == ON
    }

    pub(super) fn panicked(&self, now_ns: u64) {
        self.panics.fetch_add(1, Relaxed);
        if now_ns.saturating_sub(self.window_ns.load(Relaxed)) > WINDOW_NS {
            self.window_ns.store(now_ns, Relaxed);
            self.recent.store(0, Relaxed);
        }
        let recent = self.recent.fetch_add(1, Relaxed) + 1;
        if recent >= PANICS_MAX || self.until_ns.load(Relaxed) == TRIAL {
            self.until_ns.store(now_ns.saturating_add(PAUSE_NS), Relaxed);
        }
    }

    /// An exchange was tapped to its end.
    pub(super) fn survived(&self) {
        if self.until_ns.load(Relaxed) == TRIAL {
            self.until_ns.store(ON, Relaxed);
            self.recent.store(0, Relaxed);
        }
    }

    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_panics_in_a_minute_switch_off_and_one_survivor_switches_on() {
        let breaker = Breaker::default();
        for second in 0..4 {
            breaker.panicked(second * 1_000_000_000);
        }
        assert!(breaker.allows(5_000_000_000), "four are borne");
        breaker.panicked(5_000_000_000);
        let end = 5_000_000_000 + PAUSE_NS;
        assert!(!breaker.allows(end - 1));
        assert!(breaker.allows(end), "one trial");
        assert!(!breaker.allows(end), "and only one");
        breaker.panicked(end);
        assert!(!breaker.allows(end + PAUSE_NS - 1), "a failed trial pauses again");
        assert!(breaker.allows(end + PAUSE_NS));
        breaker.survived();
        assert!(breaker.allows(end + PAUSE_NS) && breaker.is_on());
    }

    #[test]
    fn rare_panics_are_borne_for_ever() {
        let breaker = Breaker::default();
        for minute in 0..100 {
            breaker.panicked(minute * (WINDOW_NS + 1));
            assert!(breaker.is_on());
        }
    }
}

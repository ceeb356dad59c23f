//! What is given up first when analysis cannot follow (`spec/proxy.md` 9): bodies of exchanges that teach nothing new, then
//! all bodies, then records.
//!
//! Owns the levels and their hysteresis, and the table in which analysis says what is settled. Refuses to own what pressure
//! is made of: that is [`super::service`]'s.

use std::hash::Hasher;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};

use siphasher::sip::SipHasher13;

/// Pressure (thousandths) from which a level holds, and how far below it must fall to end.
const SETTLED_FROM: u64 = 750;
const BODIES_FROM: u64 = 900;
const HYSTERESIS: u64 = 100;
/// One level down per second at most.
const STEP_DOWN_NS: u64 = 1_000_000_000;

const SLOTS: usize = 4_096;

/// How much is given up. Level 1 of the specification, sampling of settled bodies, is not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Everything is captured.
    #[default]
    Nothing = 0,
    /// Bodies of settled exchanges.
    Settled = 2,
    /// All bodies.
    Bodies = 3,
}

impl Level {
    fn of(pressure: u64) -> Self {
        match pressure {
            BODIES_FROM.. => Self::Bodies,
            SETTLED_FROM.. => Self::Settled,
            _ => Self::Nothing,
        }
    }

    fn read(value: u8) -> Self {
        match value {
            3 => Self::Bodies,
            2 => Self::Settled,
            _ => Self::Nothing,
        }
    }

    fn lower(self) -> Self {
        if self == Self::Bodies { Self::Settled } else { Self::Nothing }
    }
}

/// The level that holds, kept over time.
#[derive(Debug, Default)]
pub(super) struct Shed {
    level: AtomicU8,
    changed_ns: AtomicU64,
}

impl Shed {
    /// Up at once, down one level a second and only when the pressure is clearly below.
    pub(super) fn update(&self, pressure: u64, now_ns: u64) -> Level {
        let held = self.level();
        let asked = Level::of(pressure);
        let next = if asked > held {
            asked
        } else if held > Level::Nothing
            && Level::of(pressure + HYSTERESIS) < held
            && now_ns.saturating_sub(self.changed_ns.load(Relaxed)) >= STEP_DOWN_NS
        {
            held.lower()
        } else {
            return held;
        };
        self.level.store(next as u8, Relaxed);
        self.changed_ns.store(now_ns, Relaxed);
        next
    }

    pub(super) fn level(&self) -> Level {
        Level::read(self.level.load(Relaxed))
    }
}

/// What analysis has said about kinds of exchanges: one bit of knowledge for each slot, read on data threads.
#[derive(Debug)]
pub(super) struct Settled(Box<[AtomicU8]>);

impl Default for Settled {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| AtomicU8::new(0)).collect())
    }
}

impl Settled {
    pub(super) fn is_settled(&self, slot: usize) -> bool {
        self.0.get(slot).is_some_and(|value| value.load(Relaxed) != 0)
    }

    pub(super) fn set(&self, slot: usize, settled: bool) {
        if let Some(value) = self.0.get(slot) {
            value.store(u8::from(settled), Relaxed);
        }
    }
}

/// The slot of a kind of exchange: API, method, status class and path with its digit-bearing segments as one. Different
/// kinds may share a slot; then both count as settled when one is.
#[must_use]
pub fn slot(api: &str, method: &str, status: u16, path: &str) -> usize {
    let mut hasher = SipHasher13::new();
    for part in [api, method] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    hasher.write_u16(status / 100);
    for segment in path.split('/') {
        let varies = segment.bytes().any(|byte| byte.is_ascii_digit());
        hasher.write(if varies { b"*" } else { segment.as_bytes() });
        hasher.write_u8(b'/');
    }
    usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn levels_rise_at_once_and_fall_one_a_second_well_below_their_threshold() {
        let shed = Shed::default();
        assert_eq!(shed.update(749, 0), Level::Nothing);
        assert_eq!(shed.update(950, 1), Level::Bodies);
        assert_eq!(shed.update(0, 2), Level::Bodies, "not within the second");
        assert_eq!(shed.update(850, 2 * SECOND), Level::Bodies, "not within the band");
        assert_eq!(shed.update(0, 2 * SECOND), Level::Settled);
        assert_eq!(shed.update(0, 3 * SECOND), Level::Nothing);
    }

    #[test]
    fn slots_do_not_depend_on_numbers_in_the_path_or_on_the_last_two_digits_of_the_status() {
        assert_eq!(slot("a", "GET", 200, "/orders/17"), slot("a", "GET", 204, "/orders/4711"));
        assert_ne!(slot("a", "GET", 200, "/orders/x"), slot("a", "GET", 200, "/users/x"));
    }
}

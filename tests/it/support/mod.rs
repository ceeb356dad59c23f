//! What the process tests share: the program as a child, raw HTTP on both sides of it, waiting on states.

pub(crate) mod har;
pub(crate) mod http;
pub(crate) mod sidecar;
pub(crate) mod upstream;

use std::time::{Duration, Instant};

/// How long a state may take to come about.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Waits until `state` gives something, and gives that. Level-triggered: it asks again and again, so that no edge is missed.
///
/// Panics after [`DEADLINE`], naming what was waited for.
pub(crate) fn eventually<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = state() {
            return value;
        }
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

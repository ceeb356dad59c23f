//! What tests against a real broker share: the broker, a reader that is not ours, waiting for a state.

#![expect(clippy::disallowed_methods, reason = "tests wait and read as no part of driftgate may")]
#![expect(clippy::panic, reason = "a helper that cannot help fails its test")]

pub(crate) mod broker;
pub(crate) mod jars;
pub(crate) mod reader;

use std::time::{Duration, Instant};

/// Waits until `state` holds, looking again and again; fails with `what` and the last description after `deadline`.
pub(crate) fn eventually<T: std::fmt::Debug>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> T,
    state: impl Fn(&T) -> bool,
) {
    let begun = Instant::now();
    loop {
        let seen = look();
        if state(&seen) {
            return;
        }
        assert!(begun.elapsed() < deadline, "not in {deadline:?}: {what}; last seen: {seen:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

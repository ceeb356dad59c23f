//! The time that the main thread has been on a processor, so that neighbours on the machine do not count.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// On Linux what `/proc/thread-self/schedstat` says, in steps of the scheduler's tick; else wall clock.
pub(crate) fn on_processor() -> Duration {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let begun = BEGUN.get_or_init(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    nanoseconds.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

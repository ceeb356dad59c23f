//! Retry arithmetic (`spec/delivery.md` 7): how long to wait after which failure. Pure: time and randomness are arguments.
//!
//! Owns waits, jitter, `Retry-After` and the cut at the deadline. Refuses to own states (`machine`) and timers (`service`).

/// How failures of one destination are retried. All spans in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Wait of the first step, 1 s-1 h.
    pub base_ms: i64,
    /// Longest wait, at most 24 h.
    pub cap_ms: i64,
    /// Relative spread of each wait, 0-1.
    pub jitter: f64,
    /// From the event's commit until nothing is tried any more, 1 min-30 d.
    pub deadline_ms: i64,
}

impl Default for Policy {
    /// 5 s, doubling up to 6 h, for 10 days.
    fn default() -> Self {
        Self { base_ms: 5_000, cap_ms: 21_600_000, jitter: 0.2, deadline_ms: 864_000_000 }
    }
}

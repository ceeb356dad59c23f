//! Retry arithmetic (`spec/delivery.md` 7): how long to wait after which failure. Pure: time and randomness are arguments.
//!
//! Owns waits, jitter, `Retry-After` and the cut at the deadline. Refuses to own states (`machine`) and timers (`service`).

use crate::model::delivery::OutcomeKind;

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

/// Shortest wait after a time-out or a 429: whoever is overloaded is not helped by seconds.
const OVERLOAD_WAIT_MS: i64 = 60_000;

impl Policy {
    /// When the last attempt is due, for a delivery created at `created_ms`.
    #[must_use]
    pub fn deadline(&self, created_ms: i64) -> i64 {
        created_ms.saturating_add(self.deadline_ms)
    }

    /// The wait of step `step` (from 1), spread by `chance` in `[0, 1)`.
    #[must_use]
    pub fn wait_ms(&self, step: u32, outcome: OutcomeKind, chance: f64) -> i64 {
        let doubled = 1_i64.checked_shl(step.saturating_sub(1)).filter(|factor| *factor > 0);
        let plain = doubled
            .and_then(|factor| self.base_ms.checked_mul(factor))
            .unwrap_or(i64::MAX)
            .min(self.cap_ms);
        let factor = 1.0 + self.jitter * (2.0 * chance - 1.0);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "waits stay below 2^53 ms, and a fraction of one does not matter"
        )]
        let spread = (plain as f64 * factor) as i64;
        let overloaded = matches!(
            outcome,
            OutcomeKind::TimeoutConnect
                | OutcomeKind::TimeoutHead
                | OutcomeKind::TimeoutTotal
                | OutcomeKind::Throttled
        );
        if overloaded { spread.max(OVERLOAD_WAIT_MS) } else { spread }
    }

    /// When to try again after a failure at `now_ms`: what the schedule says or the receiver asked for, whichever is later;
    /// never further than the deadline.
    #[must_use]
    pub fn next_due(&self, failure: &Failure, now_ms: i64, created_ms: i64) -> i64 {
        let wait = self.wait_ms(failure.step, failure.outcome, failure.chance);
        let asked = failure.retry_after_ms.unwrap_or(0).clamp(0, self.cap_ms);
        now_ms.saturating_add(wait.max(asked)).min(self.deadline(created_ms))
    }
}

/// A failed attempt, as the schedule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Step of the schedule that follows it, from 1.
    pub step: u32,
    pub outcome: OutcomeKind,
    pub retry_after_ms: Option<i64>,
    /// In `[0, 1)`.
    pub chance: f64,
}

/// Reads `Retry-After` (RFC 9110 10.2.3): seconds or a date, as milliseconds from now.
#[must_use]
pub fn retry_after(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to read is a very long wait.
        return Some(value.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1_000));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    let at_ms = i64::try_from(since_epoch.as_millis()).ok()?;
    Some(at_ms.saturating_sub(now_ms).max(0))
}

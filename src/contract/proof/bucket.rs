//! How much is judged in full where shapes prove too little.
//!
//! Owns the token bucket and the memory of consumers. The second half of the bucket is kept for what is rare, new or refused:
//! that is where a contract is left first.

/// Bodies judged in full per millisecond.
const RATE_PER_MS: i64 = 2;

/// Bodies that may be judged in full at once: those of one second.
const CAPACITY: i64 = 1_000 * RATE_PER_MS;

/// Consumers that are remembered, each at the one place that its hash gives it.
const CONSUMERS_MAX: usize = 1_024;

#[derive(Debug)]
pub(super) struct Bucket {
    tokens: i64,
    time_ms: i64,
}

/// Time by which exchanges may come out of order.
const OUT_OF_ORDER_MS: i64 = 60_000;

impl Default for Bucket {
    fn default() -> Self {
        Self { tokens: CAPACITY, time_ms: i64::MIN }
    }
}

impl Bucket {
    /// Whether one more body may be judged in full at this time.
    pub(super) fn admit(&mut self, time_ms: i64, urgent: bool) -> bool {
        // Exchanges out of order are a matter of seconds; a clock that was set back begins anew.
        if time_ms < self.time_ms.saturating_sub(OUT_OF_ORDER_MS) {
            self.time_ms = time_ms;
        }
        if time_ms > self.time_ms {
            let passed = time_ms.saturating_sub(self.time_ms);
            self.tokens =
                self.tokens.saturating_add(passed.saturating_mul(RATE_PER_MS)).min(CAPACITY);
            self.time_ms = time_ms;
        }
        let least = if urgent { 0 } else { CAPACITY / 2 };
        let admitted = self.tokens > least;
        self.tokens -= i64::from(admitted);
        admitted
    }
}

/// Who was seen of late.
#[derive(Debug, Default)]
pub(super) struct Consumers(Vec<u64>);

impl Consumers {
    /// Whether a consumer is not among those remembered; it is from now on.
    pub(super) fn is_new(&mut self, consumer: u64) -> bool {
        if self.0.is_empty() {
            self.0.resize(CONSUMERS_MAX, 0);
        }
        let place = usize::try_from(consumer % CONSUMERS_MAX as u64).unwrap_or(0);
        let known = self.0.get_mut(place);
        known.is_some_and(|known| std::mem::replace(known, consumer) != consumer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_keeps_half_for_what_is_urgent() {
        let mut bucket = Bucket::default();
        let common = (0..5_000).filter(|_| bucket.admit(1_000, false)).count();
        let urgent = (0..5_000).filter(|_| bucket.admit(1_000, true)).count();
        assert_eq!((common, urgent), (1_000, 1_000));
        assert!(!bucket.admit(1_100, false), "half empty");
        assert!(bucket.admit(1_100, true));
        assert!(bucket.admit(1_700, false));
    }

    #[test]
    fn two_thousand_a_second_are_judged_in_full() {
        let mut bucket = Bucket::default();
        let admitted = (0..100_000_i64).filter(|number| bucket.admit(number / 10, true)).count();
        assert!((20_000..=22_000).contains(&admitted), "{admitted}");
    }

    #[test]
    fn consumers_are_new_once() {
        let mut consumers = Consumers::default();
        assert!(consumers.is_new(7));
        assert!(!consumers.is_new(7));
        assert!(consumers.is_new(7 + 1_024));
    }
}

//! The limit on openings: after a bad deployment one event says how many findings there are, instead of all of them speaking.
//!
//! Owns a bucket of 20 openings per API, refilled once a minute. Findings beyond it open silently.

const BUCKET: i64 = 20;
const REFILL_MS: i64 = 60_000;

/// Least time between two reports.
const REPORT_MS: i64 = 600_000;

/// Findings that opened silently since the last report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    pub count: u64,
    /// Fingerprints of the first and the last.
    pub first: String,
    pub last: String,
}

#[derive(Debug)]
pub(super) struct Bucket {
    left: i64,
    refilled_ms: i64,
    reported_ms: i64,
    waiting: Option<Storm>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { left: BUCKET, refilled_ms: 0, reported_ms: i64::MIN / 2, waiting: None }
    }
}

impl Bucket {
    /// Whether an opening may speak.
    pub(super) fn admit(&mut self, fingerprint: &str, now_ms: i64) -> bool {
        if self.left >= BUCKET {
            self.refilled_ms = now_ms;
        }
        let minutes = (now_ms - self.refilled_ms).max(0) / REFILL_MS;
        self.left = (self.left + minutes).min(BUCKET);
        self.refilled_ms += minutes * REFILL_MS;
        if self.left > 0 {
            self.left -= 1;
            return true;
        }
        let storm = self.waiting.get_or_insert_with(|| Storm {
            count: 0,
            first: fingerprint.to_owned(),
            last: String::new(),
        });
        storm.count += 1;
        fingerprint.clone_into(&mut storm.last);
        false
    }

    /// What opened silently, at most every ten minutes.
    pub(super) fn report(&mut self, now_ms: i64) -> Option<Storm> {
        if now_ms - self.reported_ms < REPORT_MS {
            return None;
        }
        let storm = self.waiting.take()?;
        self.reported_ms = now_ms;
        Some(storm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_at_once_are_twenty_and_one_report() {
        let mut bucket = Bucket::default();
        let spoke = (0..500).filter(|index| bucket.admit(&index.to_string(), 5_000)).count();
        assert_eq!(spoke, 20);
        let storm = bucket.report(5_000).expect("a report");
        assert_eq!((storm.count, &*storm.first, &*storm.last), (480, "20", "499"));
        assert_eq!(bucket.report(5_000), None);
        assert!(!bucket.admit("500", 64_999) && bucket.admit("501", 65_000));
        assert_eq!(bucket.report(604_999), None);
        assert_eq!(bucket.report(605_000).map(|storm| storm.count), Some(1));
    }
}

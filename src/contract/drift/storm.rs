//! The limit on openings: after a bad deployment one event says how many findings there are, instead of all of them speaking.
//!
//! Owns a bucket of 20 openings per API, refilled once a minute. Findings beyond it open silently.

use std::collections::BTreeMap;

use crate::model::finding::Finding;
use crate::model::revision::RevisionId;

const BUCKET: i64 = 20;
const REFILL_MS: i64 = 60_000;

/// Least time between two reports.
const REPORT_MS: i64 = 600_000;

/// Operations that are told apart in one storm.
const OPERATIONS_MAX: usize = 1_000;

/// Findings that opened silently since the last report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    pub count: u64,
    /// Fingerprints of the first and the last.
    pub first: String,
    pub last: String,
    /// What most of them have in common; none when they have nothing.
    pub cause: Option<String>,
    /// The baseline that they were judged with.
    pub revision: RevisionId,
}

#[derive(Debug)]
pub(super) struct Bucket {
    left: i64,
    refilled_ms: i64,
    reported_ms: i64,
    waiting: Option<Waiting>,
}

/// A storm while it gathers.
#[derive(Debug)]
struct Waiting {
    count: u64,
    first: String,
    last: String,
    revision: RevisionId,
    /// How many each kind and each operation brought.
    kinds: BTreeMap<&'static str, u64>,
    operations: BTreeMap<String, u64>,
}

impl Waiting {
    fn new(finding: &Finding) -> Self {
        Self {
            count: 0,
            first: finding.fingerprint.clone(),
            last: String::new(),
            revision: finding.spec_revision.clone(),
            kinds: BTreeMap::new(),
            operations: BTreeMap::new(),
        }
    }

    fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.last.clone_from(&finding.fingerprint);
        *self.kinds.entry(finding.kind.as_str()).or_default() += 1;
        let operation = format!("{} {}", finding.method, finding.template);
        if self.operations.len() < OPERATIONS_MAX || self.operations.contains_key(&operation) {
            *self.operations.entry(operation).or_default() += 1;
        }
    }

    /// The operation or the kind that at least half of the findings share.
    fn cause(&self) -> Option<String> {
        let is_common = |count: u64| count * 2 >= self.count;
        let operation = self.operations.iter().find(|(_, count)| is_common(**count));
        let kind = self.kinds.iter().find(|(_, count)| is_common(**count));
        operation
            .map(|(name, _)| format!("operation {name}"))
            .or_else(|| kind.map(|(name, _)| format!("kind {name}")))
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self { left: BUCKET, refilled_ms: 0, reported_ms: i64::MIN / 2, waiting: None }
    }
}

impl Bucket {
    /// Whether an opening may speak.
    pub(super) fn admit(&mut self, finding: &Finding, now_ms: i64) -> bool {
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
        self.waiting.get_or_insert_with(|| Waiting::new(finding)).add(finding);
        false
    }

    /// What opened silently, at most every ten minutes.
    pub(super) fn report(&mut self, now_ms: i64) -> Option<Storm> {
        if now_ms - self.reported_ms < REPORT_MS {
            return None;
        }
        let waiting = self.waiting.take()?;
        self.reported_ms = now_ms;
        let cause = waiting.cause();
        let Waiting { count, first, last, revision, .. } = waiting;
        Some(Storm { count, first, last, cause, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::found;
    use crate::contract::testing::{baseline, exchange};

    /// The finding of `GET /<letters>` on a document without paths.
    fn finding(index: u32) -> Finding {
        let baseline = baseline("openapi: 3.1.0\npaths: {}");
        let letters: String =
            format!("{index:03}").bytes().map(|digit| char::from(digit + 49)).collect();
        let judgement = baseline.judge(&exchange(&format!("GET /{letters}"), 200));
        let deviation = judgement.deviations.first().expect("undocumented");
        found(&"api".into(), &baseline, &judgement, deviation, 0)
    }

    #[test]
    fn five_hundred_at_once_are_twenty_and_one_report() {
        let mut bucket = Bucket::default();
        let findings: Vec<Finding> = (0..502).map(finding).collect();
        let spoke = (0..500).filter(|index| bucket.admit(&findings[*index], 5_000)).count();
        assert_eq!(spoke, 20);
        let storm = bucket.report(5_000).expect("a report");
        let ends = (findings[20].fingerprint.clone(), findings[499].fingerprint.clone());
        assert_eq!((storm.count, (storm.first, storm.last)), (480, ends));
        assert_eq!(storm.cause.as_deref(), Some("kind endpoint.undocumented"));
        assert_eq!(bucket.report(5_000), None);
        assert!(!bucket.admit(&findings[500], 64_999) && bucket.admit(&findings[501], 65_000));
        assert_eq!(bucket.report(604_999), None);
        assert_eq!(bucket.report(605_000).map(|storm| storm.count), Some(1));
    }
}

//! One change with its verdict, and the report of all.
//!
//! Plain data. Refuses to own how it is shown (`report`).

use std::sync::Arc;

use serde_json::Value;

use crate::model::finding::{Direction, Location, Severity, Verdict};
use crate::model::kind::Kind;
use crate::model::problem::Position;

/// A place in a document as written, and what stands there.
#[derive(Debug, Clone, PartialEq)]
pub struct Fragment {
    pub pointer: String,
    /// Filled in by whoever has the text.
    pub position: Option<Position>,
    pub value: Value,
}

/// The operation that a change concerns; empty for the document as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    pub method: Arc<str>,
    pub template: Arc<str>,
    pub id: Option<String>,
    pub tags: Vec<String>,
}

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// 32 hexadecimal digits, as those of findings.
    pub fingerprint: String,
    pub label: String,
    /// Nearest kind of drift, where there is one.
    pub kind: Option<Kind>,
    pub family: &'static str,
    pub direction: Direction,
    pub verdict: Verdict,
    /// The verdict with sides swapped: can a new client talk to an old server?
    pub forward: Verdict,
    pub severity: Severity,
    pub operation: Subject,
    pub location: Location,
    pub old: Option<Fragment>,
    pub new: Option<Fragment>,
    /// A message that one document allows and the other refuses.
    pub witness: Option<Arc<Value>>,
    /// Why nothing is proven, where nothing is.
    pub reason: Option<String>,
    /// What changed, one sentence without a full stop.
    pub text: String,
    /// Why a rule of the policy leaves it out; it stays in the report.
    pub ignored: Option<String>,
}

impl Change {
    /// Who is hurt, and what to do about it.
    #[must_use]
    pub fn advice(&self) -> (&'static str, &'static str) {
        super::sentence::advice(self)
    }
}

/// Number of changes per verdict, ignored ones left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub breaking: usize,
    pub potentially_breaking: usize,
    pub compatible: usize,
    pub cosmetic: usize,
    pub ignored: usize,
    /// Inclusions that were proven and then refuted by a generated value: a fault of the prover, told openly.
    pub contradicted: usize,
}

/// All changes between two documents, worst first.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub changes: Vec<Change>,
    /// Changes beyond the limit, which are not listed.
    pub truncated: usize,
    pub contradicted: usize,
    /// What was not compared, as sentences.
    pub notes: Vec<String>,
}

impl Report {
    /// Changes that count: not ignored.
    pub fn counted(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.ignored.is_none())
    }

    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { contradicted: self.contradicted, ..Summary::default() };
        for change in &self.changes {
            let count = match (change.ignored.is_some(), change.verdict) {
                (true, _) => &mut summary.ignored,
                (_, Verdict::Breaking) => &mut summary.breaking,
                (_, Verdict::PotentiallyBreaking) => &mut summary.potentially_breaking,
                (_, Verdict::Compatible) => &mut summary.compatible,
                (_, Verdict::Cosmetic) => &mut summary.cosmetic,
            };
            *count += 1;
        }
        summary
    }

    /// The worst verdict that counts.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.counted().map(|change| change.verdict).max().unwrap_or(Verdict::Cosmetic)
    }

    /// The worst severity that counts.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.counted().map(|change| change.severity).max()
    }

    /// Orders by severity, path, method, place and label, and keeps at most `most`.
    pub fn settle(&mut self, most: usize) {
        self.changes.sort_by(|left, right| {
            let key = |change: &Change| {
                (std::cmp::Reverse(change.severity), std::cmp::Reverse(change.verdict))
            };
            key(left)
                .cmp(&key(right))
                .then_with(|| left.operation.template.cmp(&right.operation.template))
                .then_with(|| left.operation.method.cmp(&right.operation.method))
                .then_with(|| left.location.cmp(&right.location))
                .then_with(|| left.label.cmp(&right.label))
                .then_with(|| left.text.cmp(&right.text))
        });
        self.changes.dedup_by(|left, right| {
            left.fingerprint == right.fingerprint
                && left.label == right.label
                && left.text == right.text
        });
        self.truncated += self.changes.len().saturating_sub(most);
        self.changes.truncate(most);
    }
}

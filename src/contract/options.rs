//! What may be configured of the contract: limits of documents and the thresholds of drift (`spec/contract.md` 1, 5, 8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems};
use crate::model::units::Span;

/// `drift`: when deviations become findings, and how often a finding speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How many occurrences open a finding.
    pub thresholds: Thresholds,
    /// Least time between two `updated` events of one finding.
    pub update_interval: Span,
    /// Findings kept per API, 10-10,000; beyond it the oldest candidates go first, counted.
    pub findings: usize,
}

/// `drift.thresholds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Occurrences of a contradiction (type, required, null, enum, ...), from two consumers or in two five-minute windows.
    pub contradiction: u64,
    /// Occurrences of a success without credentials on a secured operation.
    pub unauthenticated: u64,
    /// Occurrences of an undocumented field or parameter, spread over at least two minutes.
    pub undocumented_field: u64,
    /// Occurrences of an undocumented endpoint, status or media type.
    pub undocumented: u64,
    /// Refusals of a request that the contract allows, by two consumers, if it used to be accepted.
    pub refused: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            thresholds: Thresholds::default(),
            update_interval: Span::seconds(3_600),
            findings: 10_000,
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            contradiction: 3,
            unauthenticated: 2,
            undocumented_field: 5,
            undocumented: 3,
            refused: 5,
        }
    }
}

impl Options {
    /// Reports values out of range, pointers relative to `drift`.
    pub fn check(&self, problems: &mut Problems) {
        let thresholds = &self.thresholds;
        for (name, count) in [
            ("contradiction", thresholds.contradiction),
            ("unauthenticated", thresholds.unauthenticated),
            ("undocumented_field", thresholds.undocumented_field),
            ("undocumented", thresholds.undocumented),
            ("refused", thresholds.refused),
        ] {
            if count == 0 {
                let pointer = format!("/thresholds/{name}");
                let problem =
                    Problem::error(pointer, "config.out-of-range", "a threshold is at least 1");
                problems.push(problem.remedy("use 1 to hear of every single occurrence"));
            }
        }
        if !(10..=10_000).contains(&self.findings) {
            let message = format!("{} findings are not between 10 and 10000", self.findings);
            problems.push(Problem::error("/findings", "config.out-of-range", message));
        }
    }
}

//! What may be configured of the contract: limits of documents and the thresholds of drift (`spec/contract.md` 1, 5, 8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::kind::Kind;
use crate::model::problem::{Problem, Problems, nearest};
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
    /// Kinds that are judged only if named here: `header.undocumented`, `param.undocumented` (of headers; queries are always
    /// judged), `read-write.violated` (of requests; responses are always judged).
    pub also: Vec<String>,
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
            also: Vec::new(),
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

/// What `drift.also` may name.
const OFF_BY_DEFAULT: &[Kind] =
    &[Kind::HeaderUndocumented, Kind::ParamUndocumented, Kind::ReadWriteViolated];

impl Options {
    /// The kinds that `also` names.
    #[must_use]
    pub fn also(&self) -> Vec<Kind> {
        self.also.iter().filter_map(|name| Kind::parse(name)).collect()
    }

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
        for (index, name) in self.also.iter().enumerate() {
            if !OFF_BY_DEFAULT.iter().any(|kind| kind.as_str() == name) {
                let message = format!("`{name}` is no kind that is off by default");
                let pointer = format!("/also/{index}");
                let problem = Problem::error(pointer, "config.unknown-kind", message);
                let known = OFF_BY_DEFAULT.iter().map(|kind| kind.as_str());
                let near = nearest(name, known.clone()).map(str::to_owned);
                let names = || known.collect::<Vec<_>>().join(", ");
                let remedy = near.map_or_else(
                    || format!("name one of {}", names()),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.push(problem.remedy(remedy));
            }
        }
        if !(10..=10_000).contains(&self.findings) {
            let message = format!("{} findings are not between 10 and 10000", self.findings);
            problems.push(Problem::error("/findings", "config.out-of-range", message));
        }
    }
}

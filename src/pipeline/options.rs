//! What may be configured of the analysis: baselines, learning, its share of the processor.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems};
use crate::model::units::Span;

/// `apis[].baseline`: what the API is held to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Baseline {
    /// A specification file (OpenAPI 3.0, 3.1 or Swagger 2.0; YAML or JSON), relative to the configuration file.
    File(PathBuf),
    /// Learn from traffic, then hold the API to what was learned.
    Learn(Learn),
}

impl Default for Baseline {
    fn default() -> Self {
        Self::Learn(Learn::default())
    }
}

/// `apis[].baseline.learn`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Learn {
    /// Freeze what was learned after this time, if anything was proven by then. Absent: only by hand.
    pub freeze_after: Option<Span>,
}

/// `analysis`: how the analysis thread works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {
    /// Share of one processor core that analysis may use, 0.05-1.0. Beyond it captures wait, then are shed.
    pub cpu: f64,
    /// How often evidence and finding counters are written to the store.
    pub flush_interval: Span,
    /// Holds the analysis still, as if it hung: captures queue, then are dropped and counted; traffic goes on. For
    /// rehearsing an overload.
    pub paused: bool,
}

impl Default for Analysis {
    fn default() -> Self {
        Self { cpu: 1.0, flush_interval: Span::seconds(5), paused: false }
    }
}

impl Analysis {
    /// Reports values out of range, pointers relative to `analysis`.
    pub fn check(&self, problems: &mut Problems) {
        if !(0.05..=1.0).contains(&self.cpu) {
            problems.push(
                Problem::error(
                    "/cpu",
                    "config.out-of-range",
                    "the share must lie between 0.05 and 1.0",
                )
                .remedy("use 1.0 for a whole core, or 0.5 on a single-core host"),
            );
        }
        if self.flush_interval.as_ms() < 100 {
            problems.push(
                Problem::error(
                    "/flush_interval",
                    "config.out-of-range",
                    "the interval is shorter than 100ms",
                )
                .remedy("use 5s unless a shorter loss window is worth the writes"),
            );
        }
    }
}

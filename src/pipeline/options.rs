//! What may be configured of the analysis: baselines, learning and its bounds, its share of the processor.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::infer;
use crate::model::problem::{Problem, Problems};
use crate::model::units::{Size, Span};
use crate::observe::Lens;

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

/// `inference`: how specifications are learned from traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Inference {
    /// Whether cookies that are no credentials are stated as parameters.
    pub include_cookies: bool,
    /// Bounds on what is read and kept.
    pub limits: InferenceLimits,
}

/// `inference.limits`: bounds on what is read of an exchange and kept of an API. Beyond one the specification says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceLimits {
    /// Values read of one body, 100-1,000,000; those behind are counted only.
    pub body_tokens: usize,
    /// Levels read of one body, 1-64; what lies deeper is an object or array of anything.
    pub body_depth: usize,
    /// Longest path, 64-8,192 bytes; longer ones are noise.
    pub path_bytes: usize,
    /// Most segments of a path, 1-32; longer ones are noise.
    pub path_segments: usize,
    /// Nodes in the tree of paths of one API, at least 1,024. Beyond it unknown words are taken for values.
    pub nodes: usize,
    /// Candidate operations of one API, at least 256. Beyond it no further one is learned.
    pub cells: usize,
    /// Memory for what was learned of all APIs together, at least 1MiB.
    pub evidence_bytes: Size,
}

impl Default for InferenceLimits {
    fn default() -> Self {
        let (lens, limits) = (Lens::default(), infer::Limits::default());
        Self {
            body_tokens: lens.body_tokens_max,
            body_depth: lens.body_depth_max,
            path_bytes: lens.path_bytes_max,
            path_segments: lens.path_segments_max,
            nodes: limits.nodes,
            cells: limits.cells,
            evidence_bytes: Size(limits.bytes as u64),
        }
    }
}

impl InferenceLimits {
    /// The value of a bound on the whole, by its name.
    pub(super) fn value(&self, limit: &str) -> Option<u64> {
        match limit {
            "nodes" => Some(self.nodes as u64),
            "cells" => Some(self.cells as u64),
            "evidence_bytes" => Some(self.evidence_bytes.0),
            _ => None,
        }
    }
}

impl Inference {
    /// Reports values out of range, pointers relative to `inference`.
    pub fn check(&self, problems: &mut Problems) {
        let limits = &self.limits;
        let ranges = [
            ("body_tokens", limits.body_tokens, 100..=1_000_000),
            ("body_depth", limits.body_depth, 1..=64),
            ("path_bytes", limits.path_bytes, 64..=8_192),
            ("path_segments", limits.path_segments, 1..=32),
            ("nodes", limits.nodes, 1_024..=usize::MAX),
            ("cells", limits.cells, 256..=usize::MAX),
            ("evidence_bytes", limits.evidence_bytes.as_len(), 1 << 20..=usize::MAX),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                let remedy = if most == usize::MAX {
                    format!("use at least {least}")
                } else {
                    format!("use {least} to {most}")
                };
                let message = format!("{value} is out of range");
                problems.push(
                    Problem::error(format!("/limits/{name}"), "config.out-of-range", message)
                        .remedy(remedy),
                );
            }
        }
    }

    /// How exchanges of an API are looked at; what it makes of them ages.
    pub(super) fn lens(&self, path_prefix: &str) -> Lens {
        Lens {
            path_prefix: path_prefix.into(),
            body_tokens_max: self.limits.body_tokens,
            body_depth_max: self.limits.body_depth,
            path_bytes_max: self.limits.path_bytes,
            path_segments_max: self.limits.path_segments,
            epochs: true,
            include_cookies: self.include_cookies,
        }
    }

    /// What may be kept of one API, the memory being shared by so many.
    pub(super) fn bounds(&self, apis: usize) -> infer::Limits {
        infer::Limits {
            nodes: self.limits.nodes,
            cells: self.limits.cells,
            bytes: self.limits.evidence_bytes.as_len() / apis.max(1),
        }
    }
}

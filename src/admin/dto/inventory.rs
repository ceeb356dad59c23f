//! APIs, operations, specifications, baselines.
//!
//! Owns their wire form, which `app` fills from the pipeline. Documents are texts and pass through as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// An API of the inventory.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Api {
    pub id: String,
    pub name: String,
    /// Where it is defined: `file`, or `api`.
    pub origin: String,
    /// Empty: any host.
    pub hosts: Vec<String>,
    pub path_prefix: String,
    /// Without credentials.
    pub upstream: Option<String>,
    pub baseline: Baseline,
    pub operations: OperationCounts,
    pub exchanges: ExchangeCounts,
    /// Exchanges left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Open findings, by severity.
    pub findings: BTreeMap<String, u64>,
    pub last_seen: Option<Time>,
}

/// Exchanges of an API since the process started.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct ExchangeCounts {
    /// Captured and looked at.
    pub seen: u64,
    /// Learned from.
    pub learned: u64,
    /// Judged against the baseline.
    pub judged: u64,
}

/// Operations of an API by state.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct OperationCounts {
    /// Seen, not yet often enough to be part of a baseline.
    pub draft: u64,
    /// Ready to be frozen.
    pub ready: u64,
    /// Known, not seen for long.
    pub silent: u64,
}

/// One operation of an API.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Operation {
    pub id: String,
    pub method: String,
    /// Path template.
    pub template: String,
    pub state: OperationState,
    /// How it stands to the baseline; absent without one.
    pub relation: Option<Relation>,
    /// Exchanges seen.
    pub n: u64,
    /// Response statuses seen.
    pub statuses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    Draft,
    Ready,
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Documented,
    /// Seen in traffic, not documented.
    Undocumented,
    /// Documented, never seen.
    Orphan,
}

/// OpenAPI version of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Dialect {
    #[default]
    #[serde(rename = "3.0")]
    V30,
    #[serde(rename = "3.1")]
    V31,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Yaml,
    Json,
}

/// How closed the learned schemas are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    #[default]
    Strict,
    Permissive,
}

/// Which document of an API, and how it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpecificationQuery {
    /// `current` (what was learned; the default), `baseline`, or the digits of a hash, at least six.
    pub revision: Option<String>,
    pub openapi: Option<Dialect>,
    pub format: Option<Format>,
    pub view: Option<View>,
    /// Whether learned documents carry `x-driftgate-*` members; default true.
    pub extensions: Option<bool>,
    /// `false` takes the newest revision that was kept, as it was written then; otherwise what is known now is written down.
    pub live: Option<bool>,
    /// Answer with a file name, so that a browser saves the document.
    pub download: bool,
}

/// A document as asked for. Not JSON on the wire: its text is the body.
#[derive(Debug, Clone)]
pub struct Document {
    /// `sha256:...` of the revision.
    pub revision: String,
    pub origin: &'static str,
    pub dialect: Dialect,
    pub format: Format,
    pub text: Arc<str>,
    /// What the dialect could not express.
    pub losses: Vec<String>,
}

/// An immutable document of an API.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Revision {
    /// `sha256:` and 64 digits.
    pub id: String,
    /// predefined, learned or promoted.
    pub origin: String,
    pub created: Time,
    pub reason: String,
    pub parent: Option<String>,
    /// Whether the API is held to it now.
    pub baseline: bool,
}

/// What an API is held to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Baseline {
    pub state: BaselineState,
    /// The revision in force, if any.
    pub revision: Option<String>,
    /// predefined, learned or promoted.
    pub origin: Option<String>,
    pub since: Option<Time>,
    /// Operations that are ready to be frozen, of those seen.
    pub ready: u64,
    pub seen: u64,
    /// What is missing for the next state, for people; empty when nothing is.
    pub lacks: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaselineState {
    /// From a file.
    Predefined,
    /// Nothing is held yet.
    Learning,
    /// Enough is known to freeze.
    Candidate,
    Frozen,
}

/// Makes what was learned the baseline.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FreezeOrder {
    /// What of the evidence becomes part of it; default strict.
    pub view: Option<View>,
    /// Freeze operations too that are not ready.
    pub force: bool,
    /// Why, for the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// What was frozen.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Frozen {
    pub revision: String,
    /// Operations in the new baseline.
    pub operations: u64,
    /// Those that were not ready, as `METHOD template`.
    pub forced: Vec<String>,
}

/// Makes suggested patches of findings part of the baseline, all or none.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromoteOrder {
    /// Findings of this API, applied in this order.
    #[schemars(length(min = 1, max = 100))]
    pub findings: Vec<Promotion>,
    /// The baseline that was seen, or at least six of its digits; another one in force refuses.
    pub base: Option<String>,
    /// Why, for the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// One finding of a promotion.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Promotion {
    /// Id or fingerprint.
    pub id: String,
    /// Which of its suggested patches, from 0.
    #[schemars(range(max = 2))]
    pub patch: u8,
}

/// What a promotion made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Promoted {
    pub revision: String,
    /// Ids of the findings that it explains.
    pub explained: Vec<String>,
    /// What changed, RFC 6902 against the former baseline as written.
    pub patch: Vec<serde_json::Value>,
}

/// Holds an API to a revision that is kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HoldOrder {
    /// At least six digits of it.
    pub revision: String,
    /// Why, for the history.
    #[schemars(length(max = 500))]
    pub reason: Option<String>,
}

/// A document as it was understood.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Uploaded {
    pub revision: String,
    pub operations: u64,
    /// What is odd about it, each with its place; nothing of it stands in the way.
    pub lints: Vec<String>,
}

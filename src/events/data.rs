//! The `data` of each event type, as schemas (`/v1/schemas/<type>/1`, JSON Schema 2020-12).
//!
//! Owns what a receiver may rely on: required members stay, optional ones may be added. Whoever raises an event may say more
//! than its schema asks for. Refuses to own the values: they come from whoever raises.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// An object that was created, updated or deleted.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Resource {
    /// The object as it is now, or was last.
    pub object: BTreeMap<String, Value>,
    /// JSON pointers to what changed in it; absent when it was created or deleted.
    #[serde(default)]
    pub changed: Vec<String>,
    /// Who did it: `traffic`, `config`, or the name of a token.
    #[serde(default)]
    pub actor: Option<String>,
    /// The revision that holds now.
    #[serde(default)]
    pub spec_revision: Option<String>,
    /// The learned revision that holds what was seen.
    #[serde(default)]
    pub event_specification: Option<String>,
}

/// A deviation from the baseline.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Finding {
    /// Equal for equal deviations, whoever found them: 32 hexadecimal digits.
    pub fingerprint: String,
    /// What kind of deviation, `field.required-missing` for example.
    pub kind: String,
    /// info, low, medium, high or critical.
    pub severity: String,
    /// One sentence for people.
    pub message: String,
    /// The revision it was judged with.
    pub spec_revision: String,
    /// The learned revision that holds what was seen.
    #[serde(default)]
    pub event_specification: Option<String>,
    /// The operation that deviates.
    pub operation: Operation,
    /// Where in it.
    #[serde(default)]
    pub location: Option<Location>,
    /// breaking, potentially-breaking, compatible or cosmetic.
    #[serde(default)]
    pub verdict: Option<String>,
    /// How sure, 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// What the baseline promises, as a shape.
    #[serde(default)]
    pub expected: Option<Value>,
    /// What was seen, as a shape; never a captured value.
    #[serde(default)]
    pub observed: Option<Value>,
    /// What to do about it.
    #[serde(default)]
    pub remedy: Option<String>,
}

/// Method and path template of an API.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Operation {
    pub method: String,
    pub path: String,
}

/// Where the baseline is left.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Location {
    /// Documented response key; empty for requests.
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub media_type: String,
    /// JSON pointer with `*` for indices and `{}` for map keys.
    #[serde(default)]
    pub pointer: String,
    /// The violated keyword.
    #[serde(default)]
    pub keyword: String,
}

/// More findings opened at once than are told one by one.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Storm {
    /// Findings that opened without an event of their own.
    pub count: u64,
    /// What most of them have in common.
    #[serde(default)]
    pub cause: Option<String>,
    pub first_fingerprint: String,
    pub last_fingerprint: String,
    /// The revision they were judged with.
    pub spec_revision: String,
}

/// What an API is held to has changed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The revision that is the baseline now.
    pub spec_revision: String,
    /// The one before, if any.
    #[serde(default)]
    pub previous_revision: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who did it.
    #[serde(default)]
    pub actor: Option<String>,
}

/// The end of a contract test.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ContractTest {
    /// Id of the run.
    pub run: String,
    /// Base URL or endpoint that was tested.
    pub target: String,
    /// The revision it was tested against; absent when none could be had.
    #[serde(default)]
    pub spec_revision: Option<String>,
    /// Name of the action that ran it; absent for a run from the shell.
    #[serde(default)]
    pub action: Option<String>,
    /// Checks by result.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// 0-100.
    #[serde(default)]
    pub score: Option<f64>,
    /// Why it could not run or decide.
    #[serde(default)]
    pub reason: Option<String>,
    /// At most 20.
    #[serde(default)]
    pub findings: Vec<Value>,
}

/// An action has ended.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Action {
    /// Name of the action.
    pub action: String,
    /// The delivery that ran it.
    #[serde(default)]
    pub delivery: Option<String>,
    /// succeeded or failed.
    pub status: String,
    /// What came of it, for people.
    #[serde(default)]
    pub message: Option<String>,
}

/// A finding that an action posted back.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ActionFinding {
    /// Name of the action.
    pub action: String,
    pub fingerprint: String,
    pub title: String,
    /// info, low, medium, high or critical.
    pub severity: String,
}

/// A webhook was changed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Id of the webhook, `whk_…`.
    pub webhook: String,
    pub name: String,
    /// Why it became inactive: user, gone, failing, `no_consent` or `api_removed`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How deliveries to one destination fare.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Id of the destination.
    pub destination: String,
    /// Id of the delivery that told it.
    pub delivery: String,
    /// Attempts made of it.
    pub attempts: u32,
    /// What came of the last one, `timeout_head` for example.
    #[serde(default)]
    pub outcome: Option<String>,
    /// How many deliveries the event stands for.
    #[serde(default)]
    pub count: Option<u64>,
}

/// The broker.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Bus {
    /// Since when it is or was out of reach, RFC 3339.
    pub since: String,
    /// Events that wait to be relayed.
    #[serde(default)]
    pub waiting: Option<u64>,
}

/// The store.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Store {
    /// Bytes in use.
    pub bytes: u64,
    /// The quota.
    pub max_bytes: u64,
}

/// A limit of learning was reached: the specification is incomplete from here on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Limited {
    /// Name of the limit.
    pub limit: String,
    /// Its value.
    #[serde(default)]
    pub value: Option<u64>,
}

//! The types of events that driftgate itself raises (`spec/delivery.md` 3.1): name, class, what it means, data, sample.
//!
//! Owns the table, from which documentation, samples and schemas are made. Refuses to own when an event is raised. Types of
//! workflows come with the part that raises them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::data;

/// What kind of news a type is. Patterns match operational types only when they name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    Resource,
    Contract,
    Action,
    Operational,
}

impl Class {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Contract => "contract",
            Self::Action => "action",
            Self::Operational => "operational",
        }
    }
}

/// One type.
#[derive(Debug)]
pub struct EventType {
    pub name: &'static str,
    pub display_name: &'static str,
    pub class: Class,
    /// One sentence: when it is raised.
    pub description: &'static str,
    schema: fn() -> Schema,
    reads: fn(&Value) -> Result<(), serde_json::Error>,
    sample: fn() -> Value,
}

impl EventType {
    /// Path of the data schema, the `dataschema` of its events.
    #[must_use]
    pub fn schema_path(&self) -> String {
        format!("/v1/schemas/{}/1", self.name)
    }

    /// JSON Schema 2020-12 of `data`.
    #[must_use]
    pub fn schema(&self) -> Value {
        (self.schema)().to_value()
    }

    /// A believable `data`, for documentation and test events.
    #[must_use]
    pub fn sample(&self) -> Value {
        (self.sample)()
    }

    /// Whether `data` has everything that a receiver may rely on.
    ///
    /// # Errors
    /// The first member that lacks or has another type.
    pub fn check(&self, data: &Value) -> Result<(), String> {
        (self.reads)(data).map_err(|error| error.to_string())
    }
}

/// The type of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static EventType> {
    CATALOGUE.iter().find(|known| known.name == name)
}

/// Whether a pattern must name the type to match it.
#[must_use]
pub fn is_operational(name: &str) -> bool {
    find(name).is_some_and(|known| known.class == Operational)
}

const fn row<D: JsonSchema + DeserializeOwned>(
    (class, name): (Class, &'static str),
    display_name: &'static str,
    description: &'static str,
    sample: fn() -> Value,
) -> EventType {
    EventType {
        name,
        display_name,
        class,
        description,
        schema: schema::<D>,
        reads: reads::<D>,
        sample,
    }
}

fn schema<D: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<D>()
}

fn reads<D: DeserializeOwned>(value: &Value) -> Result<(), serde_json::Error> {
    serde_json::from_value::<D>(value.clone()).map(drop)
}

use Class::{Action, Contract, Operational, Resource};

/// Every type, in the order of the documentation.
pub const CATALOGUE: &[EventType] = &[
    row::<data::Resource>(
        (Resource, "api.created"),
        "API Created",
        "An API was added to the inventory.",
        sample_api,
    ),
    row::<data::Resource>(
        (Resource, "api.updated"),
        "API Updated",
        "Settings of an API have changed.",
        sample_api,
    ),
    row::<data::Resource>(
        (Resource, "api.deleted"),
        "API Deleted",
        "An API was removed from the inventory.",
        sample_api,
    ),
    row::<data::Resource>(
        (Resource, "api_version.created"),
        "API Version Created",
        "An API serves under a version for the first time.",
        sample_version,
    ),
    row::<data::Resource>(
        (Resource, "api_version.updated"),
        "API Version Updated",
        "An API changed under its version.",
        sample_version,
    ),
    row::<data::Resource>(
        (Resource, "api_version.deleted"),
        "API Version Deleted",
        "An API serves under this version no more.",
        sample_version,
    ),
    row::<data::Resource>(
        (Resource, "base_url.created"),
        "Base URL Created",
        "Requests to an API are sent to this address from now on.",
        sample_base_url,
    ),
    row::<data::Resource>(
        (Resource, "base_url.updated"),
        "Base URL Updated",
        "The address that requests to an API are sent to has changed.",
        sample_base_url,
    ),
    row::<data::Resource>(
        (Resource, "base_url.deleted"),
        "Base URL Deleted",
        "Requests to an API are sent to this address no more.",
        sample_base_url,
    ),
    row::<data::Resource>(
        (Resource, "operation.created"),
        "API Endpoint Created",
        "Traffic confirmed an operation that was not known before.",
        sample_operation,
    ),
    row::<data::Resource>(
        (Resource, "operation.updated"),
        "API Endpoint Updated",
        "The learned shape of an operation has changed.",
        sample_operation,
    ),
    row::<data::Resource>(
        (Resource, "operation.deleted"),
        "API Endpoint Deleted",
        "An operation fell silent or was removed.",
        sample_operation,
    ),
    row::<data::Resource>(
        (Resource, "documentation.created"),
        "Documentation Created",
        "An API has its first specification.",
        sample_documentation,
    ),
    row::<data::Resource>(
        (Resource, "documentation.updated"),
        "Documentation Updated",
        "An API has a newer specification.",
        sample_documentation,
    ),
    row::<data::Resource>(
        (Resource, "documentation.deleted"),
        "Documentation Deleted",
        "An API has no specification any more.",
        sample_documentation,
    ),
    row::<data::Finding>(
        (Contract, "contract.drift.opened"),
        "Drift Opened",
        "Traffic shows that an API has left its contract.",
        sample_finding,
    ),
    row::<data::Finding>(
        (Contract, "contract.drift.updated"),
        "Drift Updated",
        "An open drift goes on; at most one event an hour.",
        sample_finding,
    ),
    row::<data::Finding>(
        (Contract, "contract.drift.resolved"),
        "Drift Resolved",
        "A drift is no longer seen, or a new baseline explains it.",
        sample_finding,
    ),
    row::<data::Finding>(
        (Contract, "contract.drift.reopened"),
        "Drift Reopened",
        "A resolved drift is seen again.",
        sample_finding,
    ),
    row::<data::Storm>(
        (Contract, "contract.drift.storm"),
        "Drift Storm",
        "So many findings opened at once that they are told as one.",
        sample_storm,
    ),
    row::<data::Baseline>(
        (Contract, "contract.baseline.frozen"),
        "Baseline Frozen",
        "What was learned has become what the API is held to.",
        sample_baseline,
    ),
    row::<data::Baseline>(
        (Contract, "contract.baseline.promoted"),
        "Baseline Promoted",
        "A newer revision was accepted as the baseline.",
        sample_baseline,
    ),
    row::<data::Baseline>(
        (Contract, "contract.baseline.superseded"),
        "Baseline Superseded",
        "A changed file has replaced the baseline.",
        sample_baseline,
    ),
    row::<data::ContractTest>(
        (Contract, "contract.test.passed"),
        "Contract Test Passed",
        "The API does what the specification says.",
        sample_test,
    ),
    row::<data::ContractTest>(
        (Contract, "contract.test.failed"),
        "Contract Test Failed",
        "The API does not do what the specification says.",
        sample_test,
    ),
    row::<data::ContractTest>(
        (Contract, "contract.test.inconclusive"),
        "Contract Test Inconclusive",
        "Too little could be tested to decide.",
        sample_test,
    ),
    row::<data::ContractTest>(
        (Contract, "contract.test.errored"),
        "Contract Test Errored",
        "The test could not run.",
        sample_test,
    ),
    row::<data::Finding>(
        (Contract, "contract.violation.opened"),
        "Violation Opened",
        "A contract test found a deviation.",
        sample_finding,
    ),
    row::<data::Finding>(
        (Contract, "contract.violation.resolved"),
        "Violation Resolved",
        "A contract test no longer finds a deviation.",
        sample_finding,
    ),
    row::<data::Action>(
        (Action, "action.completed"),
        "Action Completed",
        "An action has done its work.",
        || json!({"action": "verify-contract", "delivery": SAMPLE_DELIVERY, "status": "succeeded"}),
    ),
    row::<data::Action>(
        (Action, "action.failed"),
        "Action Failed",
        "An action has ended without doing its work.",
        || json!({"action": "verify-contract", "status": "failed", "message": "no specification"}),
    ),
    row::<data::ActionFinding>(
        (Action, "action.finding"),
        "Action Finding",
        "An action reported something it found.",
        || {
            json!({"action": "scan", "fingerprint": SAMPLE_FINGERPRINT, "severity": "high",
                   "title": "stack trace in an error answer"})
        },
    ),
    row::<data::Webhook>(
        (Operational, "webhook.created"),
        "Webhook Created",
        "A webhook was added.",
        sample_webhook,
    ),
    row::<data::Webhook>(
        (Operational, "webhook.updated"),
        "Webhook Updated",
        "Settings of a webhook have changed.",
        sample_webhook,
    ),
    row::<data::Webhook>(
        (Operational, "webhook.deleted"),
        "Webhook Deleted",
        "A webhook was removed.",
        sample_webhook,
    ),
    row::<data::Webhook>(
        (Operational, "webhook.activated"),
        "Webhook Activated",
        "A webhook is executed again.",
        sample_webhook,
    ),
    row::<data::Webhook>(
        (Operational, "webhook.deactivated"),
        "Webhook Deactivated",
        "A webhook is no longer executed.",
        || json!({"webhook": SAMPLE_WEBHOOK, "name": "slack", "reason": "gone"}),
    ),
    row::<data::Delivery>(
        (Operational, "delivery.failing"),
        "Delivery Failing",
        "The fourth attempt of a delivery has failed.",
        sample_delivery,
    ),
    row::<data::Delivery>(
        (Operational, "delivery.exhausted"),
        "Delivery Exhausted",
        "A delivery has failed for good.",
        sample_delivery,
    ),
    row::<data::Delivery>(
        (Operational, "delivery.recovered"),
        "Delivery Recovered",
        "A delivery succeeded after deliveries to its destination had failed.",
        sample_delivery,
    ),
    row::<data::Bus>(
        (Operational, "bus.unreachable"),
        "Bus Unreachable",
        "The broker has been out of reach for more than 30 seconds.",
        sample_bus,
    ),
    row::<data::Bus>(
        (Operational, "bus.recovered"),
        "Bus Recovered",
        "The broker is back.",
        sample_bus,
    ),
    row::<data::Store>(
        (Operational, "store.nearly_full"),
        "Store Nearly Full",
        "The store has used 90 % of its quota.",
        sample_store,
    ),
    row::<data::Store>(
        (Operational, "store.full"),
        "Store Full",
        "The store takes no events until there is room.",
        sample_store,
    ),
    row::<data::Store>(
        (Operational, "store.recovered"),
        "Store Recovered",
        "The store is below 80 % of its quota again.",
        sample_store,
    ),
    row::<data::Limited>(
        (Operational, "inference.limited"),
        "Inference Limited",
        "A limit of learning was reached; one event an API and day.",
        || json!({"limit": "operations", "value": 2000}),
    ),
];

const SAMPLE_REVISION: &str =
    "sha256:3f2a9c1d7b804e5fa6c2d1e0b9f8a7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0";
const SAMPLE_FINGERPRINT: &str = "9a3f0c5b7d1e4826a1b2c3d4e5f60718";
const SAMPLE_DELIVERY: &str = "dlv_6gr2x4k8vqz1m3n5p7s9t0w2yb";
const SAMPLE_WEBHOOK: &str = "whk_3k7m9p1r5t8w0x2z4b6d8f1h3j";

fn sample_api() -> Value {
    json!({"object": {"name": "orders", "path_prefix": "/"}, "actor": "config"})
}

fn sample_version() -> Value {
    json!({"object": {"api": "orders", "version": "1.2.0"}, "actor": "config"})
}

fn sample_base_url() -> Value {
    json!({"object": {"api": "orders", "base_url": "http://orders:8080"}, "actor": "config"})
}

fn sample_operation() -> Value {
    json!({
        "object": {"api": "orders", "method": "GET", "template": "/orders/{orderId}"},
        "actor": "traffic",
        "spec_revision": SAMPLE_REVISION,
    })
}

fn sample_documentation() -> Value {
    json!({
        "object": {"api": "orders", "operations": 6},
        "actor": "traffic",
        "spec_revision": SAMPLE_REVISION,
        "event_specification": SAMPLE_REVISION,
    })
}

fn sample_finding() -> Value {
    json!({
        "fingerprint": SAMPLE_FINGERPRINT,
        "kind": "field.required-missing",
        "severity": "high",
        "verdict": "breaking",
        "confidence": 0.98,
        "operation": {"method": "GET", "path": "/orders/{orderId}"},
        "location": {
            "status": "200",
            "media_type": "application/json",
            "pointer": "/currency",
            "keyword": "required",
        },
        "expected": {"type": "string", "required": true},
        "observed": {"present": false},
        "message": "`currency` is required and was missing in 41 of 41 answers",
        "remedy": "bring the field back, or promote the new shape as the baseline",
        "spec_revision": SAMPLE_REVISION,
    })
}

fn sample_storm() -> Value {
    json!({
        "count": 37,
        "cause": "answers of status 500",
        "first_fingerprint": SAMPLE_FINGERPRINT,
        "last_fingerprint": SAMPLE_FINGERPRINT,
        "spec_revision": SAMPLE_REVISION,
    })
}

fn sample_baseline() -> Value {
    json!({"spec_revision": SAMPLE_REVISION, "reason": "frozen after 24h", "actor": "config"})
}

fn sample_test() -> Value {
    json!({
        "run": "0198f1c2-7d3e-7a10-9b5c-2f6e8d4a1c30",
        "action": "verify-contract",
        "target": "http://127.0.0.1:3000",
        "spec_revision": SAMPLE_REVISION,
        "counts": {"passed": 21, "failed": 1, "inconclusive": 0},
        "score": 95.5,
        "findings": [{"fingerprint": SAMPLE_FINGERPRINT, "kind": "field.required-missing"}],
    })
}

fn sample_webhook() -> Value {
    json!({"webhook": SAMPLE_WEBHOOK, "name": "slack"})
}

fn sample_delivery() -> Value {
    json!({
        "destination": SAMPLE_WEBHOOK,
        "delivery": SAMPLE_DELIVERY,
        "attempts": 4,
        "outcome": "timeout_head",
        "count": 1,
    })
}

fn sample_bus() -> Value {
    json!({"since": "2026-01-02T03:04:05.678Z", "waiting": 120})
}

fn sample_store() -> Value {
    json!({"bytes": 3_865_470_566_u64, "max_bytes": 4_294_967_296_u64})
}

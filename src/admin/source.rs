//! What the admin API asks of the running process, as a few small traits that `app` implements.
//!
//! Owns the questions. Refuses to own the answers: inventory and specifications are the pipeline's, health is gathered from
//! all parts, the configuration belongs to whoever loaded it. Events and deliveries are read from their own handles.

use async_trait::async_trait;
use serde_json::Value;

use super::dto;
use super::problem::Refusal;

/// What is known of the APIs behind the proxy.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// All APIs, in the order of the configuration.
    async fn apis(&self) -> Vec<dto::Api>;

    /// All operations known of one API: learned and documented, ordered by template and method. None: no such API.
    async fn operations(&self, api: &str) -> Result<Vec<dto::Operation>, Refusal>;

    /// A document of one API.
    ///
    /// Refusals: [`Refusal::missing`] with `spec.nothing-learned` (with counts in the detail) or `spec.no-such-revision`.
    async fn specification(
        &self,
        api: &str,
        question: &dto::SpecificationQuery,
    ) -> Result<dto::Document, Refusal>;

    /// Newest first.
    async fn revisions(&self, api: &str) -> Result<Vec<dto::Revision>, Refusal>;

    async fn baseline(&self, api: &str) -> Result<dto::Baseline, Refusal>;

    /// Applies a decision about a finding, named by API and fingerprint; reason and name of the token go into the history.
    ///
    /// Refusals: [`Refusal::missing`] with `finding.not-found`; [`Refusal::conflict`] with `finding.not-allowed` and the
    /// decisions that its state allows.
    async fn decide(
        &self,
        finding: (&str, &str),
        decision: &dto::Decision,
        history: (&str, &str),
    ) -> Result<dto::Finding, Refusal>;

    /// Makes suggested patches part of the baseline. The findings of the order are fingerprints by now.
    ///
    /// Refusals: [`Refusal::conflict`] with `baseline.changed` or `baseline.patch-refused`; `finding.not-found`.
    async fn promote(
        &self,
        api: &str,
        order: &dto::PromoteOrder,
        by: &str,
    ) -> Result<dto::Promoted, Refusal>;

    /// Makes a kept revision the baseline.
    ///
    /// Refusals: `spec.no-such-revision`.
    async fn hold(
        &self,
        api: &str,
        order: &dto::HoldOrder,
        by: &str,
    ) -> Result<dto::Baseline, Refusal>;

    /// Keeps a document, as written.
    ///
    /// Refusals: [`Refusal::invalid`] with `spec.invalid` and every problem; then nothing is kept.
    async fn upload(&self, api: &str, text: String, by: &str) -> Result<dto::Uploaded, Refusal>;

    /// Makes what was learned the baseline. `by` is the name of the token.
    ///
    /// Refusals: [`Refusal::conflict`] with `baseline.not-ready`, naming what each operation lacks.
    async fn freeze(
        &self,
        api: &str,
        order: &dto::FreezeOrder,
        by: &str,
    ) -> Result<dto::Frozen, Refusal>;
}

/// One of the three questions that a probe can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Should the process be restarted? Data plane alone.
    Live,
    /// Should it get traffic? Data plane alone.
    Ready,
    /// Do store, bus and analysis work?
    Control,
}

/// How the process is. Asked often; answers from what is already known and never waits.
pub trait Health: Send + Sync {
    /// One short sentence for each reason to say no; none: yes.
    fn failing(&self, probe: Probe) -> Vec<String>;

    /// Every part with its state.
    fn parts(&self) -> Vec<dto::Part>;
}

/// Where deliveries go, as configured now. Counts of deliveries are left empty: they are filled in from the store.
pub trait Directory: Send + Sync {
    fn webhooks(&self) -> Vec<dto::Webhook>;

    fn actions(&self) -> Vec<dto::Action>;
}

/// The configuration in force.
#[async_trait]
pub trait Configuration: Send + Sync {
    /// The effective tree, each leaf `{value, origin}`, secrets masked.
    fn effective(&self) -> Value;

    /// Reads the file again and takes it over, or leaves everything as it was.
    ///
    /// Refusals: [`Refusal::invalid`] with all problems.
    async fn reload(&self) -> Result<dto::Reloaded, Refusal>;
}

//! Drives the pure folders over live traffic (layer 4).
//!
//! Owns the live evidence, baselines and findings of every API, on one thread named `dg-analysis` that nobody waits for but
//! whoever asks it something. Refuses to own the data plane: captures come to it, and when it is slow, stuck or gone they
//! are dropped and counted there.
//!
//! ```text
//! Intake ─► Border::open ─► observe ─► learn          per exchange, in `api.rs`
//!                      └──► Baseline::judge ─► Drift
//! findings, revisions, evidence ─► bus, in one transaction per turn, in `service.rs`
//! ```

mod api;
mod decide;
mod effects;
mod error;
mod hold;
mod limited;
mod metrics;
mod operations;
pub mod options;
#[cfg(test)]
mod proof_tests;
mod restore;
mod revise;
mod service;
mod settle;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use crate::contract::Decision;
use crate::infer::View;
use crate::model::finding::Finding;
use crate::model::revision::RevisionId;
use crate::runtime::queue;

pub use api::{ApiSettings, BaselineSetting};
pub use error::Error;
pub use revise::READY_EXCHANGES;
pub use service::{Parts, start};
pub use view::{
    Answer, AnswerBody, ApiView, BaselineState, BaselineView, Counts, Frozen, OperationView,
    Promoted, Question, Which,
};

/// Questions and orders for the analysis thread; answered between two batches.
enum Command {
    Apis(oneshot::Sender<Vec<ApiView>>),
    Operations(String, oneshot::Sender<Result<Vec<OperationView>, Error>>),
    Specification(String, Question, oneshot::Sender<Result<Answer, Error>>),
    Freeze(Box<FreezeOrder>, oneshot::Sender<Result<Frozen, Error>>),
    Decide(Box<DecideOrder>, oneshot::Sender<Result<Finding, Error>>),
    Promote(Box<PromoteOrder>, oneshot::Sender<Result<Promoted, Error>>),
    Hold(Box<HoldOrder>, oneshot::Sender<Result<RevisionId, Error>>),
    Configure(Vec<ApiSettings>, oneshot::Sender<()>),
    Flush(oneshot::Sender<()>),
}

/// What was learned is to become the baseline.
#[derive(Debug, Clone)]
pub struct FreezeOrder {
    pub api: String,
    pub reason: String,
    pub by: String,
    /// Also what is not settled enough for it.
    pub force: bool,
    pub view: View,
}

/// Findings whose suggested patches are to become part of the baseline.
#[derive(Debug, Clone)]
pub struct PromoteOrder {
    pub api: String,
    /// Fingerprints, each with which of its patches.
    pub findings: Vec<(String, usize)>,
    /// The revision that the caller saw in force, or some of its digits; none: whichever.
    pub base: Option<String>,
    pub reason: String,
    /// Name of the token.
    pub by: String,
}

/// A kept revision that is to be the baseline.
#[derive(Debug, Clone)]
pub struct HoldOrder {
    pub api: String,
    /// At least six digits of it.
    pub revision: String,
    pub reason: String,
    /// Name of the token.
    pub by: String,
}

/// What somebody decided about a finding.
#[derive(Debug, Clone)]
pub struct DecideOrder {
    pub api: String,
    pub fingerprint: String,
    pub decision: Decision,
    /// Why, for the history.
    pub reason: String,
    /// Where the API's bug is followed; empty for none.
    pub url: String,
    /// Name of the token.
    pub by: String,
}

/// How many questions may wait at once.
const COMMANDS_MAX: usize = 64;

/// What the rest of driftgate holds of the pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    commands: queue::Sender<Command>,
    paused: Arc<AtomicBool>,
}

impl Handle {
    /// All APIs in the order of the configuration.
    ///
    /// # Errors
    /// When the analysis has stopped.
    pub async fn apis(&self) -> Result<Vec<ApiView>, Error> {
        self.ask(Command::Apis).await
    }

    /// The operations of one API, by template and method.
    ///
    /// # Errors
    /// When there is no such API, or the analysis has stopped.
    pub async fn operations(&self, api: &str) -> Result<Vec<OperationView>, Error> {
        self.ask(|reply| Command::Operations(api.to_owned(), reply)).await?
    }

    /// A document of one API.
    ///
    /// # Errors
    /// When there is no such API, revision or baseline, or nothing was learned yet.
    pub async fn specification(&self, api: &str, question: Question) -> Result<Answer, Error> {
        self.ask(|reply| Command::Specification(api.to_owned(), question, reply)).await?
    }

    /// Makes what was learned the baseline.
    ///
    /// # Errors
    /// When there is no such API, nothing was learned, something is not ready, or the store did not take it.
    pub async fn freeze(&self, order: FreezeOrder) -> Result<Frozen, Error> {
        self.ask(|reply| Command::Freeze(Box::new(order), reply)).await?
    }

    /// Applies a decision about a finding; the finding as it is afterwards, stored before this answers.
    ///
    /// # Errors
    /// When there is no such API or finding, its state does not allow the decision, or the analysis has stopped.
    pub async fn decide(&self, order: DecideOrder) -> Result<Finding, Error> {
        self.ask(|reply| Command::Decide(Box::new(order), reply)).await?
    }

    /// Makes the suggested patches of some findings part of the baseline, all or none.
    ///
    /// # Errors
    /// When there is no such API, baseline, finding or patch, a patch does not fit, or the store did not take it.
    pub async fn promote(&self, order: PromoteOrder) -> Result<Promoted, Error> {
        self.ask(|reply| Command::Promote(Box::new(order), reply)).await?
    }

    /// Makes a kept revision the baseline.
    ///
    /// # Errors
    /// When there is no such API or revision, it does not read back, or the store did not take it.
    pub async fn hold(&self, order: HoldOrder) -> Result<RevisionId, Error> {
        self.ask(|reply| Command::Hold(Box::new(order), reply)).await?
    }

    /// Takes new settings over: APIs that stay keep what they know, new ones begin, others are put down.
    ///
    /// # Errors
    /// When the analysis has stopped.
    pub async fn configure(&self, apis: Vec<ApiSettings>) -> Result<(), Error> {
        self.ask(|reply| Command::Configure(apis, reply)).await
    }

    /// Writes evidence and counters to the store now.
    ///
    /// # Errors
    /// When the analysis has stopped.
    pub async fn flush(&self) -> Result<(), Error> {
        self.ask(Command::Flush).await
    }

    /// Holds the analysis still, as if it hung, until told otherwise: a rehearsal of overload. Traffic must not notice.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("pipeline::Handle")
    }
}

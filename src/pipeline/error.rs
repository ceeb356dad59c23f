//! Why the pipeline could not do what it was asked.

use crate::contract::patch;
use crate::model::fault::{Fault, Retry};
use crate::model::finding::FindingState;
use crate::model::revision::RevisionId;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no API named `{0}`")]
    NoSuchApi(String),
    #[error("nothing was learned yet: {seen} exchanges seen, {learned} learned from")]
    NothingLearned { seen: u64, learned: u64 },
    #[error("no revision of this API begins with `{0}`")]
    NoSuchRevision(String),
    #[error(
        "this API has no baseline yet; freeze what was learned, or name a file in `apis[].baseline`"
    )]
    NoBaseline,
    /// Operations and what each lacks.
    #[error("{} operations are not ready to be a baseline", .0.len())]
    NotReady(Vec<String>),
    #[error("no finding of this API has the fingerprint `{0}`")]
    NoSuchFinding(String),
    #[error("no change of the document is known that would allow what `{0}` saw")]
    NoSuchPatch(String),
    #[error("the patch of `{fingerprint}` does not fit: its operation {} at `{}`", .failed.index, .failed.path)]
    Unfit { fingerprint: String, failed: patch::Failed },
    #[error("the baseline is {0} by now")]
    BaselineChanged(RevisionId),
    #[error("a finding that is {} does not allow that", .state.as_str())]
    NotAllowed { state: FindingState, allowed: Vec<&'static str> },
    #[error("the learned document cannot serve as a baseline: {0}")]
    Unusable(String),
    #[error("the store did not take it")]
    Store(#[source] crate::store::Error),
    #[error("the analysis has stopped")]
    Stopped,
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoSuchApi(_)
            | Self::NoSuchRevision(_)
            | Self::NotReady(_)
            | Self::NoSuchFinding(_)
            | Self::NotAllowed { .. }
            | Self::NoSuchPatch(_)
            | Self::Unfit { .. }
            | Self::BaselineChanged(_)
            | Self::NoBaseline
            | Self::NothingLearned { .. } => Fault::Client,
            Self::Store(_) => Fault::Operator,
            Self::Unusable(_) | Self::Stopped => Fault::Bug,
        }
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store(_) | Self::NothingLearned { .. } => Retry::After(1_000),
            _ => Retry::No,
        }
    }
}

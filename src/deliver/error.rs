//! What can go wrong with a command to a delivery.

use crate::model::delivery::State;
use crate::model::fault::{Fault, Retry};
use crate::store;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no delivery `{id}`; look it up in `/v1/deliveries`")]
    NotFound { id: String },
    /// Code `delivery.already-final`.
    #[error("the delivery is already final (`{}`); a new attempt needs retry", state.as_str())]
    AlreadyFinal { state: State },
    /// Code `webhook.inactive`.
    #[error("the destination is inactive; activate it, or test it")]
    Inactive,
    /// Code `webhook.deleted`.
    #[error("the destination was deleted; nothing can be sent to it")]
    DestinationDeleted,
    /// Code `delivery.payload-gone`.
    #[error("the event was trimmed by retention; nothing is left to send")]
    PayloadGone,
    #[error("the scheduler has stopped")]
    Stopped,
    #[error("the store did not take it")]
    Store(#[source] store::Error),
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Stopped => Fault::Operator,
            Self::Store(error) => error.fault(),
            _ => Fault::Client,
        }
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::Stopped => Retry::After(1_000),
            _ => Retry::No,
        }
    }

    /// The stable code of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "delivery.not-found",
            Self::AlreadyFinal { .. } => "delivery.already-final",
            Self::Inactive => "webhook.inactive",
            Self::DestinationDeleted => "webhook.deleted",
            Self::PayloadGone => "delivery.payload-gone",
            Self::Stopped => "delivery.stopped",
            Self::Store(_) => "delivery.store",
        }
    }
}

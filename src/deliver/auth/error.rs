//! Why no credential could be had. No message holds a secret.

use crate::model::fault::{Fault, Retry};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the credential holds characters that no header may carry")]
    Unsendable,
    #[error("the token URL cannot be read")]
    BadUrl,
    #[error("the token endpoint cannot be reached: {0}")]
    Unreachable(String),
    #[error("the token endpoint answered {status}{}", code.as_ref().map_or(String::new(), |code| format!(" `{code}`")))]
    Refused {
        status: u16,
        /// `error` of RFC 6749 section 5.2, where it is one.
        code: Option<String>,
    },
    #[error("the token endpoint's answer is not that of RFC 6749: {0}")]
    Malformed(&'static str),
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unsendable | Self::BadUrl => Fault::Operator,
            Self::Refused { status, .. } if *status < 500 => Fault::Operator,
            _ => Fault::Destination,
        }
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unsendable | Self::BadUrl => Retry::No,
            _ => Retry::After(5_000),
        }
    }
}

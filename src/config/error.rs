//! Why there is no configuration.

use super::report::Report;
use crate::model::fault::{Fault, Retry};
use crate::runtime::files;

/// Why a configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the configuration cannot be read")]
    Unreadable(#[source] files::Error),
    #[error("the configuration is invalid: {}", .0.summary())]
    Invalid(Report),
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Operator
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::No
    }

    /// Everything there is to say to the person who wrote the file.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::Unreadable(error) => {
                let cause = super::load::chain(error);
                format!("error[config.unreadable]: {cause}\n  = name the file with `--config FILE`")
            }
            Self::Invalid(report) => report.to_string(),
        }
    }
}

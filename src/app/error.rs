//! Why the process could not start.

use std::path::PathBuf;

use crate::model::fault::{Fault, Retry};
use crate::runtime::files;
use crate::{admin, proxy, store};

/// Each names the thing; the chain of sources says what the system answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "cannot use the data folder; name another one in `data_dir`, or make this one writable"
    )]
    Folder(#[source] files::Error),
    #[error("`{}` is not a key: expected {expected}; restore it, or remove it to begin with a new one", path.display())]
    Key { path: PathBuf, expected: &'static str },
    #[error("the configuration cannot be put in force: {0}")]
    Configuration(crate::model::problem::Problems),
    #[error("the store does not open")]
    Store(#[source] store::Error),
    #[error("the data plane does not start")]
    Proxy(#[source] proxy::Error),
    #[error("the admin API does not start")]
    Admin(#[source] admin::Error),
    #[cfg(feature = "kafka")]
    #[error("the relay to Kafka does not start")]
    Bus(#[source] crate::bus::kafka::Error),
    #[error("the system refuses another thread")]
    Thread(#[source] std::io::Error),
    #[error("the log cannot be set up: {0}")]
    Log(String),
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
}

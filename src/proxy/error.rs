//! Why the data plane could not start or could not take a new view.

use std::io;

use crate::model::fault::{Fault, Retry};

/// What went wrong, naming the address where there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on `{address}`")]
    Bind {
        address: String,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is there and is no socket that we may replace")]
    SocketTaken { path: String },
    #[error("cannot set up TLS for the listener `{listener}`: {reason}")]
    Tls { listener: String, reason: String },
    #[error("cannot start the threads of the data plane")]
    Threads(#[source] io::Error),
    #[error("listeners can only change with a restart: `{listener}` is new, gone or moved")]
    ListenersChanged { listener: String },
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

//! What can keep the admin API from starting.
//!
//! Refuses to own answers to clients (`problem`).

use std::io;
use std::path::PathBuf;

use crate::model::fault::{Fault, Retry};
use crate::runtime::files;

/// Why the admin API did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on `{address}` for the admin API; {remedy}")]
    Listen {
        address: String,
        remedy: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("cannot read the tokens of the admin API")]
    Tokens(#[source] files::Error),
    #[error("{} tokens in `{}`: {problem}", scope, path.display())]
    BadTokens { scope: &'static str, path: PathBuf, problem: String },
    #[error("cannot keep the key of cursors")]
    Key(#[source] files::Error),
    #[error("`{}` is not a key of 32 bytes; remove it, a new one is made", path.display())]
    BadKey { path: PathBuf },
    #[error("cannot start the threads of the admin API")]
    Threads(#[source] io::Error),
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

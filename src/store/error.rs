//! What can go wrong with the store, whose fault it is, and whether trying again can help.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::fault::{Fault, Retry};
use crate::runtime::files;

/// Milliseconds after which a full disk is worth another try.
const FULL_RETRY_MS: u64 = 5_000;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The data folder or a file in it cannot be made, read or written.
    #[error("the data folder `{}` cannot be used; give `data_dir` a folder that this user may write", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: Arc<files::Error>,
    },
    /// The database file is there and refuses to be written.
    #[error("`{}` cannot be opened for writing; give this user the right to, or give another `data_dir`", file.display())]
    Unwritable { file: PathBuf },
    /// Another process works on the same folder.
    #[error("another driftgate uses the data folder `{}`; stop it or give this one its own `data_dir`", folder.display())]
    InUse { folder: PathBuf },
    /// Locks and flushes of network file systems cannot be trusted.
    #[error("the data folder `{}` lies on a network file system ({kind}); give `data_dir` a folder on a local disk", folder.display())]
    NetworkFolder { folder: PathBuf, kind: &'static str },
    /// The file was written by a newer driftgate.
    #[error("`{}` has schema {found}, this driftgate knows {known}; run the newer driftgate again or give it another `data_dir`", file.display())]
    NewerSchema { file: PathBuf, found: i64, known: i64 },
    /// The file is damaged.
    #[error("`{}` is damaged ({finding}); restore a copy, or move it away to begin anew", file.display())]
    Damaged { file: PathBuf, finding: String },
    /// No room on the disk: nothing of the commit was written.
    #[error("the disk is full; free some space")]
    DiskFull,
    /// The quota is used up by open deliveries and unrelayed events.
    #[error(
        "the store has reached its quota of {max_bytes} bytes; raise `store.max_bytes` or let deliveries end"
    )]
    QuotaReached { max_bytes: u64 },
    /// The identity is taken by an event with other content.
    #[error("an event `{id}` of `{origin}` with other content is already stored")]
    Conflict { origin: String, id: String },
    /// A read took longer than a second and was cut.
    #[error("the query took too long; narrow it")]
    Cut,
    /// The system refuses another thread.
    #[error("the system refuses to start the writer thread; raise its limit of threads")]
    Thread {
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else that SQLite says.
    #[error("cannot {doing}")]
    Sqlite {
        doing: &'static str,
        #[source]
        source: Arc<rusqlite::Error>,
    },
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Folder { .. }
            | Self::Unwritable { .. }
            | Self::InUse { .. }
            | Self::NetworkFolder { .. }
            | Self::NewerSchema { .. }
            | Self::Damaged { .. }
            | Self::DiskFull
            | Self::Thread { .. }
            | Self::QuotaReached { .. } => Fault::Operator,
            Self::Conflict { .. } | Self::Cut => Fault::Client,
            Self::Closed | Self::Sqlite { .. } => Fault::Bug,
        }
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::DiskFull | Self::QuotaReached { .. } => Retry::After(FULL_RETRY_MS),
            _ => Retry::No,
        }
    }
}

//! The only user of SQLite (layer 3).
//!
//! Owns durable state: events with their deliveries and attempts, findings, revisions, baselines, evidence, objects, cursors.
//! One thread writes and commits in groups; four connections read. Refuses to own deciding what to store: whoever decides
//! hands over [`Change`]s, and all changes of one [`Handle::commit`] are one transaction.

mod attempts;
mod change;
mod connection;
mod deliveries;
mod error;
mod events;
mod findings;
mod folder;
mod listing;
mod names;
mod objects;
mod options;
mod outbox;
mod query;
mod reader;
mod retention;
mod revisions;
mod service;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot, watch};

pub use change::{
    Audit, Baseline, Change, FindingRecord, NewEvent, Object, ObjectOrigin, Receipt, Stored,
};
pub use error::Error;
pub use options::{Options, Retention, SyncMode};
pub use query::{
    AttemptRow, Bookmark, DeliveryCount, DeliveryFilter, EventFate, EventFilter, EventRow,
    FindingFilter, Listing, PAGE_MAX, Page, RevisionSummary,
};
pub use reader::Reader;
pub use service::Service;

use self::folder::Folder;
use self::reader::Pool;
use self::writer::{Operation, Writer};
use crate::runtime::clock::Clock;
use crate::runtime::queue;
use crate::runtime::supervise::{self, Panics};

/// Operations that wait for the writer; beyond them the caller waits.
const QUEUE_MAX: usize = 10_000;

/// Opens (or makes) `driftgate.db` in `folder` and starts the writer thread. The [`Service`] trims history; run it.
///
/// # Errors
/// When the folder cannot be used, is used by another process or lies on a network file system; when the file is damaged
/// or of a newer schema. Nothing is ever recreated silently.
pub fn open(
    folder: &Path,
    options: &Options,
    clock: Clock,
    panics: Panics,
) -> Result<(Handle, Service), Error> {
    let folder = Folder::open(folder)?;
    let connection = connection::open_writer(&folder, options)?;
    let pool = Arc::new(Pool::open(&folder, &clock)?);
    let newest = pool.read(Reader::newest_event)?;
    let (committed, committed_watch) = watch::channel(newest);
    let (health, health_watch) = watch::channel(Health {
        bytes: connection::bytes_used(&connection)?,
        max_bytes: options.max_bytes.0,
        ..Health::default()
    });
    let (sender, receiver) = queue::bounded(QUEUE_MAX);
    let writer = Writer {
        connection,
        folder,
        retention: retention::Retention::new(options),
        pool: Arc::clone(&pool),
        committed,
        health,
        clock: clock.clone(),
        panics: panics.clone(),
    };
    supervise::thread("dg-store", &panics, move || writer.run(receiver))
        .map_err(|source| Error::Thread { source: Arc::new(source) })?;
    let store = Handle {
        queue: sender,
        pool,
        reads: Arc::new(Semaphore::new(reader::READERS)),
        committed: committed_watch,
        health: health_watch,
        panics,
    };
    Ok((store.clone(), Service { store, clock }))
}

/// What the rest of driftgate holds of the store. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    queue: queue::Sender<Operation>,
    pool: Arc<Pool>,
    /// Keeps waiting reads from taking up the runtime's blocking threads.
    reads: Arc<Semaphore>,
    committed: watch::Receiver<i64>,
    health: watch::Receiver<Health>,
    panics: Panics,
}

/// Whether the store can take events, and how full it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why the last commit failed, with its remedy; none: it did not.
    pub problem: Option<String>,
    /// Bytes in use, without free pages.
    pub bytes: u64,
    /// The quota.
    pub max_bytes: u64,
    /// Operations waiting for the writer.
    pub queued: usize,
}

impl Handle {
    /// Writes all changes in one transaction and answers once they are durable.
    ///
    /// # Errors
    /// When one of them fails; then none of them is written.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<Receipt, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Operation::Commit { changes, reply: Some(reply) }).await?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// [`Handle::commit`] for a thread that is no runtime's.
    ///
    /// # Errors
    /// As [`Handle::commit`].
    pub fn commit_blocking(&self, changes: Vec<Change>) -> Result<Receipt, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send_blocking(Operation::Commit { changes, reply: Some(reply) })
            .map_err(|_| Error::Closed)?;
        answer.blocking_recv().map_err(|_| Error::Closed)?
    }

    /// Hands the changes over, in order with all others of this caller, without waiting for the disk.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn enqueue(&self, changes: Vec<Change>) -> Result<(), Error> {
        self.send(Operation::Commit { changes, reply: None }).await
    }

    /// Runs queries on one consistent view of the store, cut after one second:
    /// `store.read(move |reader| reader.events(&filter, &page)).await`.
    ///
    /// # Errors
    /// What the queries answer, and when the store is closed.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| Error::Closed)?;
        let pool = Arc::clone(&self.pool);
        let work = move || {
            let answer = pool.read(query);
            drop(permit);
            answer
        };
        supervise::blocking("store read", &self.panics, work).await.unwrap_or(Err(Error::Closed))
    }

    /// [`Handle::read`] for a thread that is no runtime's.
    ///
    /// # Errors
    /// As [`Handle::read`].
    pub fn read_blocking<T>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.pool.read(query)
    }

    /// The row of the newest committed event; changes with every one.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    #[must_use]
    pub fn health(&self) -> Health {
        Health { queued: self.queue.len(), ..self.health.borrow().clone() }
    }

    /// Writes what is queued, closes the file and releases the folder. Clones answer [`Error::Closed`] from then on.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.send(Operation::Close { reply }).await.is_ok() {
            // An error means that the writer has ended already: closed either way.
            drop(closed.await);
        }
    }

    async fn send(&self, operation: Operation) -> Result<(), Error> {
        self.queue.send(operation).await.map_err(|_| Error::Closed)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").field("health", &self.health()).finish_non_exhaustive()
    }
}

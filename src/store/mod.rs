//! The only user of SQLite (layer 3).
//!
//! Owns durable state: events with their deliveries and attempts, findings, revisions, baselines, evidence, objects, cursors.
//! One thread writes and commits in groups; four connections read. Refuses to own deciding what to store: whoever decides
//! hands over [`Change`]s, and all changes of one [`Handle::commit`] are one transaction.

mod change;
mod error;
mod options;
mod query;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

pub use change::{
    Audit, Baseline, Change, FindingRecord, NewEvent, Object, ObjectOrigin, Receipt, Stored,
};
pub use error::Error;
pub use options::{Options, Retention, SyncMode};
pub use query::{
    AttemptRow, Bookmark, DeliveryCount, DeliveryFilter, EventFate, EventFilter, EventRow,
    FindingFilter, Listing, PAGE_MAX, Page, RevisionSummary,
};

use crate::model::delivery::Delivery;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown;
use crate::runtime::supervise::Panics;

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
    let _ = (folder, options, clock, panics);
    Err(Error::Closed)
}

/// What the rest of driftgate holds of the store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    committed: watch::Receiver<i64>,
    health: watch::Receiver<Health>,
}

/// Cuts history by age and quota, and looks whether a full disk has room again.
#[derive(Debug)]
pub struct Service {}

impl Service {
    /// Works until the stage of `shutdown` begins.
    pub async fn run(self, mut shutdown: shutdown::Watch) {
        shutdown.begun().await;
    }
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
        drop(changes);
        std::future::ready(Err(Error::Closed)).await
    }

    /// [`Handle::commit`] for a thread that is no runtime's.
    ///
    /// # Errors
    /// As [`Handle::commit`].
    pub fn commit_blocking(&self, changes: Vec<Change>) -> Result<Receipt, Error> {
        drop(changes);
        Err(Error::Closed)
    }

    /// Hands the changes over, in order with all others of this caller, without waiting for the disk.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn enqueue(&self, changes: Vec<Change>) -> Result<(), Error> {
        drop(changes);
        std::future::ready(Err(Error::Closed)).await
    }

    /// Runs queries on one consistent view of the store, cut after one second:
    /// `store.read(move |reader| reader.events(&filter, &page)).await`.
    ///
    /// # Errors
    /// What the queries answer, and when the store is closed.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        drop(query);
        std::future::ready(Err(Error::Closed)).await
    }

    /// [`Handle::read`] for a thread that is no runtime's.
    ///
    /// # Errors
    /// As [`Handle::read`].
    pub fn read_blocking<T>(
        &self,
        query: impl FnOnce(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        drop(query);
        Err(Error::Closed)
    }

    /// The row of the newest committed event; changes with every one.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.inner.committed.clone()
    }

    #[must_use]
    pub fn health(&self) -> Health {
        self.inner.health.borrow().clone()
    }

    /// Writes what is queued, closes the file and releases the folder. Clones answer [`Error::Closed`] from then on.
    pub async fn close(&self) {
        std::future::ready(()).await;
    }
}

/// One consistent view of the store, for the length of one [`Handle::read`].
#[derive(Debug)]
pub struct Reader<'a> {
    marker: std::marker::PhantomData<&'a ()>,
}

impl Reader<'_> {
    /// Events that pass the filter, newest first.
    ///
    /// # Errors
    /// When the file cannot be read in time.
    pub fn events(&self, filter: &EventFilter, page: &Page) -> Result<Listing<EventRow>, Error> {
        let _ = (filter, page);
        Err(Error::Closed)
    }

    /// The event of a row.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn event(&self, row: i64) -> Result<Option<EventRow>, Error> {
        let _ = row;
        Err(Error::Closed)
    }

    /// The event of an identity.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn event_of(&self, source: &str, id: &str) -> Result<Option<EventRow>, Error> {
        let _ = (source, id);
        Err(Error::Closed)
    }

    /// Events with this id, whatever their source.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_with_id(&self, id: &str) -> Result<Vec<EventRow>, Error> {
        let _ = id;
        Err(Error::Closed)
    }

    /// Up to `limit` events after a row, in the order of their rows.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_after(&self, row: i64, limit: usize) -> Result<Vec<EventRow>, Error> {
        let _ = (row, limit);
        Err(Error::Closed)
    }

    /// Deliveries and skips of the event of a row.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn fate(&self, event: i64) -> Result<EventFate, Error> {
        let _ = event;
        Err(Error::Closed)
    }

    /// Deliveries that pass the filter, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: &Page,
    ) -> Result<Listing<Delivery>, Error> {
        let _ = (filter, page);
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn delivery(&self, id: &str) -> Result<Option<Delivery>, Error> {
        let _ = id;
        Err(Error::Closed)
    }

    /// How many deliveries each destination has in each state.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn delivery_counts(&self) -> Result<Vec<DeliveryCount>, Error> {
        Err(Error::Closed)
    }

    /// Open deliveries due at `now_ms`: of each destination the `limit_each` that are due longest, so that one with a
    /// million of them costs no more than another. Ordered by destination, due time, id.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn due(&self, now_ms: i64, limit_each: usize) -> Result<Vec<Delivery>, Error> {
        let _ = (now_ms, limit_each);
        Err(Error::Closed)
    }

    /// When the first open delivery is due that is due after `after_ms`.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn next_due(&self, after_ms: i64) -> Result<Option<i64>, Error> {
        let _ = after_ms;
        Err(Error::Closed)
    }

    /// The attempts of a delivery, first to last.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn attempts(&self, delivery: &str) -> Result<Vec<AttemptRow>, Error> {
        let _ = delivery;
        Err(Error::Closed)
    }

    /// Attempts that were begun and have no outcome: what a crash left behind.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn unfinished_attempts(&self) -> Result<Vec<AttemptRow>, Error> {
        Err(Error::Closed)
    }

    /// Findings that pass the filter, last seen first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn findings(&self, filter: &FindingFilter) -> Result<Vec<FindingRecord>, Error> {
        let _ = filter;
        Err(Error::Closed)
    }

    /// Findings with this fingerprint, of any API.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn findings_of(&self, fingerprint: &str) -> Result<Vec<FindingRecord>, Error> {
        let _ = fingerprint;
        Err(Error::Closed)
    }

    /// The revisions of an API, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn revisions(&self, api: &str) -> Result<Vec<RevisionSummary>, Error> {
        let _ = api;
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn revision(&self, api: &str, id: &RevisionId) -> Result<Option<Revision>, Error> {
        let _ = (api, id);
        Err(Error::Closed)
    }

    /// The newest revision of an API with this origin.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn latest_revision(&self, api: &str, origin: Origin) -> Result<Option<Revision>, Error> {
        let _ = (api, origin);
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn baseline(&self, api: &str) -> Result<Option<Baseline>, Error> {
        let _ = api;
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn evidence(&self, api: &str) -> Result<Option<Vec<u8>>, Error> {
        let _ = api;
        Err(Error::Closed)
    }

    /// Objects of a kind by name.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn objects(&self, kind: &'static str) -> Result<Vec<Object>, Error> {
        let _ = kind;
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn object(&self, kind: &'static str, id: &str) -> Result<Option<Object>, Error> {
        let _ = (kind, id);
        Err(Error::Closed)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn cursor(&self, name: &str) -> Result<Option<i64>, Error> {
        let _ = name;
        Err(Error::Closed)
    }

    /// The newest entries of the audit log, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn audit(&self, limit: usize) -> Result<Vec<Audit>, Error> {
        let _ = limit;
        Err(Error::Closed)
    }
}

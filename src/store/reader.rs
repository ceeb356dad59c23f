//! Reading: four connections, a consistent view for each query, cut after a second.
//!
//! Owns the pool and the cut: a reader that goes on for long keeps the log from being moved into the file, which then grows.
//! Refuses to own the queries: each table family adds its own to [`Reader`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, Params, Row};

use super::Error;
use super::connection::{failed, open_reader};
use super::folder::Folder;
use crate::runtime::clock::Clock;

/// Connections that read.
pub(super) const READERS: usize = 4;
/// Nanoseconds that one read may take.
const READ_NS_MAX: u64 = 1_000_000_000;
/// Instructions of `SQLite` between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 4_000;

/// One connection; within [`super::Handle::read`] one consistent view of the store.
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) clock: Clock,
    /// When the current read is cut.
    deadline_ns: Arc<AtomicU64>,
}

impl Reader {
    fn open(folder: &Folder, clock: &Clock) -> Result<Self, Error> {
        let mut connection = open_reader(folder)?;
        let deadline_ns = Arc::new(AtomicU64::new(u64::MAX));
        let (watch, deadline) = (clock.clone(), Arc::clone(&deadline_ns));
        let late = move || watch.monotonic_ns() > deadline.load(Ordering::Relaxed);
        connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(late))
            .map_err(failed("limit the time of reads"))?;
        Ok(Self { connection, clock: clock.clone(), deadline_ns })
    }

    /// All rows of a statement.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(values, read)?.collect())
            .map_err(failed("read rows"))
    }
}

/// The connections that are not in use.
pub(super) struct Pool {
    /// None: closed.
    idle: Mutex<Option<Vec<Reader>>>,
    returned: Condvar,
}

impl Pool {
    pub(super) fn open(folder: &Folder, clock: &Clock) -> Result<Self, Error> {
        let idle = (0..READERS).map(|_| Reader::open(folder, clock)).collect::<Result<_, _>>()?;
        Ok(Self { idle: Mutex::new(Some(idle)), returned: Condvar::new() })
    }

    /// Runs queries on one view, waiting for a connection if all are in use.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let lent = Lent { reader: Some(self.take()?), pool: self };
        let Some(reader) = &lent.reader else { return Err(Error::Closed) };
        let deadline = reader.clock.monotonic_ns().saturating_add(READ_NS_MAX);
        reader.deadline_ns.store(deadline, Ordering::Relaxed);
        let view = reader
            .connection
            .unchecked_transaction()
            .map_err(failed("begin to read the database"))?;
        let answer = query(reader);
        drop(view);
        answer
    }

    fn take(&self) -> Result<Reader, Error> {
        let mut idle = self.idle.lock();
        loop {
            match idle.as_mut().map(Vec::pop) {
                None => return Err(Error::Closed),
                Some(Some(reader)) => return Ok(reader),
                Some(None) => self.returned.wait(&mut idle),
            }
        }
    }

    /// Closes what is idle now and the rest as it comes back.
    pub(super) fn close(&self) {
        *self.idle.lock() = None;
        self.returned.notify_all();
    }
}

/// A connection on its way; comes back however the query ends.
struct Lent<'p> {
    reader: Option<Reader>,
    pool: &'p Pool,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        reader.deadline_ns.store(u64::MAX, Ordering::Relaxed);
        if let Some(idle) = self.pool.idle.lock().as_mut() {
            idle.push(reader);
        }
        self.pool.returned.notify_one();
    }
}

//! Writing: one thread, one connection, group commit.
//!
//! What is queued is committed at once as one batch, what arrives meanwhile is the next. Each operation has a savepoint: one
//! that fails is rolled back alone. Whoever waits hears after the commit. Refuses to own what is written.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::change::{Change, Receipt, Stored};
use super::connection::{bytes_used, failed, number};
use super::folder::Folder;
use super::reader::Pool;
use super::retention::{Level, Retention, Step};
use super::{Error, Health, attempts, deliveries, findings, objects, outbox, revisions};
use crate::runtime::clock::Clock;
use crate::runtime::queue::Receiver;
use crate::runtime::supervise::{Panics, caught};
use crate::telemetry::signals::store::{CommitFailed, Recovered, ReserveFailed, UnawaitedFailed};

/// Operations of one batch.
const BATCH_OPERATIONS_MAX: usize = 512;
/// Bytes of one batch, roughly.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Where the result of a commit goes; none: nobody waits.
pub(super) type Reply = Option<oneshot::Sender<Result<Receipt, Error>>>;

/// What the writer is asked to do.
pub(super) enum Operation {
    Commit {
        changes: Vec<Change>,
        reply: Reply,
    },
    /// One step of trimming; `begin` starts at the oldest row again.
    Trim {
        begin: bool,
        reply: oneshot::Sender<Result<Step, Error>>,
    },
    /// Write what was queued before, close the file, release the folder.
    Close {
        reply: oneshot::Sender<()>,
    },
    /// Lets a test break things.
    #[cfg(test)]
    Break(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// The thread's own things.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) folder: Folder,
    pub(super) retention: Retention,
    pub(super) pool: Arc<Pool>,
    pub(super) committed: watch::Sender<i64>,
    pub(super) health: watch::Sender<Health>,
    pub(super) clock: Clock,
    pub(super) panics: Panics,
}

/// The operations that are committed together, with what each of them waits for.
#[derive(Default)]
struct Batch {
    work: Vec<(Vec<Change>, Reply)>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, changes: Vec<Change>, reply: Reply) {
        self.bytes += changes.iter().map(Change::weight).sum::<usize>();
        self.work.push((changes, reply));
    }

    fn is_full(&self) -> bool {
        self.work.len() >= BATCH_OPERATIONS_MAX || self.bytes >= BATCH_BYTES_MAX
    }
}

impl Writer {
    /// Works until it is closed or every handle is gone.
    pub(super) fn run(mut self, mut queue: Receiver<Operation>) {
        let mut next = queue.recv_blocking();
        while let Some(operation) = next.take() {
            match operation {
                Operation::Commit { changes, reply } => {
                    let mut batch = Batch::default();
                    batch.push(changes, reply);
                    next = gather(&mut batch, &mut queue);
                    self.commit(batch);
                }
                Operation::Trim { begin, reply } => {
                    // Whoever asked may have gone; the step is done all the same.
                    drop(reply.send(self.trim(begin)));
                }
                Operation::Close { reply } => {
                    queue.close();
                    self.close();
                    // Nobody may be waiting any more.
                    reply.send(()).unwrap_or_default();
                    return;
                }
                #[cfg(test)]
                Operation::Break(work) => work(&mut self.connection),
            }
            next = next.or_else(|| queue.recv_blocking());
        }
        self.close();
    }

    /// Commits a batch and tells everybody. A panic in one batch fails that batch alone.
    fn commit(&mut self, batch: Batch) {
        let (work, replies): (Vec<_>, Vec<_>) = batch.work.into_iter().unzip();
        let panics = self.panics.clone();
        let written =
            caught("store writer", &panics, || self.write(&work)).unwrap_or(Err(Error::Closed));
        self.judge(written.as_ref().err());
        let results = written.unwrap_or_else(|error| vec![Err(error); replies.len()]);
        self.publish(&results);
        for (reply, result) in replies.into_iter().zip(results) {
            match (reply, result) {
                (Some(reply), result) => drop(reply.send(result)),
                (None, Err(error)) => UnawaitedFailed { error: &error }.tell(),
                (None, Ok(_)) => {}
            }
        }
    }

    /// Writes all operations in one transaction; the result of each, or why none of them was written.
    fn write(&mut self, work: &[Vec<Change>]) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let level = self.make_room()?;
        let max_bytes = self.retention.max_bytes();
        let mut transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("begin to write"))?;
        let mut results = Vec::with_capacity(work.len());
        for changes in work {
            let raises = changes.iter().any(|change| matches!(change, Change::Event(_)));
            if raises && level == Level::Full {
                results.push(Err(Error::QuotaReached { max_bytes }));
                continue;
            }
            let savepoint = transaction.savepoint().map_err(failed("begin an operation"))?;
            let applied = apply_all(&savepoint, changes);
            // Some failures, a full disk among them, take the whole transaction back at once.
            if savepoint.is_autocommit() {
                return Err(applied.err().unwrap_or(Error::DiskFull));
            }
            match applied {
                Ok(receipt) => {
                    savepoint.commit().map_err(failed("end an operation"))?;
                    results.push(Ok(receipt));
                }
                Err(error @ Error::DiskFull) => return Err(error),
                Err(error) => {
                    savepoint.finish().map_err(failed("take an operation back"))?;
                    results.push(Err(error));
                }
            }
        }
        transaction.commit().map_err(failed("commit"))?;
        Ok(results)
    }

    /// How full the store is, after one step of trimming if it is nearly full.
    fn make_room(&mut self) -> Result<Level, Error> {
        let level = self.retention.level(bytes_used(&self.connection)?);
        if level == Level::Roomy {
            return Ok(level);
        }
        self.retention.step(&mut self.connection, self.clock.now_ms())?;
        Ok(self.retention.level(bytes_used(&self.connection)?))
    }

    fn publish(&self, results: &[Result<Receipt, Error>]) {
        let receipts = results.iter().flatten();
        let newest =
            receipts.flat_map(|receipt| &receipt.events).filter_map(|stored| match stored {
                Stored::New(row) => Some(*row),
                Stored::Duplicate(_) => None,
            });
        if let Some(newest) = newest.max() {
            self.committed.send_replace(newest);
        }
    }

    /// Turns health red when the store itself failed or is full, and green with the first batch after that. One operation
    /// that fails alone is its caller's matter.
    fn judge(&mut self, error: Option<&Error>) {
        let bytes = bytes_used(&self.connection).unwrap_or(0);
        let max_bytes = self.retention.max_bytes();
        let full = (self.retention.level(bytes) == Level::Full)
            .then_some(Error::QuotaReached { max_bytes });
        let error = error.or(full.as_ref());
        let was_well = self.health.borrow().problem.is_none();
        match error {
            Some(error) if was_well => CommitFailed { error }.tell(),
            None if !was_well => Recovered.tell(),
            _ => {}
        }
        if was_well && matches!(error, Some(Error::DiskFull)) {
            self.free_reserve();
        }
        let problem = error.map(ToString::to_string);
        self.health.send_modify(|health| {
            health.problem = problem;
            health.bytes = bytes;
        });
    }

    /// Gives the reserve back, so that what is under way can be written down while new work is held.
    fn free_reserve(&self) {
        if let Err(error) = self.folder.free_reserve() {
            ReserveFailed { error: &error }.tell();
        }
    }

    fn trim(&mut self, begin: bool) -> Result<Step, Error> {
        if begin {
            self.retention.rewind();
            match self.folder.fill_reserve() {
                Ok(()) => self.prove(),
                Err(error) => ReserveFailed { error: &error }.tell(),
            }
        }
        let now_ms = self.clock.now_ms();
        let step = self.retention.step(&mut self.connection, now_ms);
        if begin && let Err(error) = &step {
            self.judge(Some(error));
        }
        step
    }

    /// After a failure: an empty batch that succeeds proves that the store can be written again.
    fn prove(&mut self) {
        if self.health.borrow().problem.is_some() {
            let version = number(&self.connection, "user_version");
            let written = version.and_then(|version| {
                self.connection
                    .pragma_update(None, "user_version", version)
                    .map_err(failed("write to the database"))
            });
            self.judge(written.as_ref().err());
        }
    }

    /// Closes every connection, the writing one last: it moves the log into the file.
    fn close(self) {
        self.pool.close();
        if let Err((_, error)) = self.connection.close() {
            let error = failed("close the database")(error);
            CommitFailed { error: &error }.tell();
        }
        drop(self.folder);
    }
}

/// Adds what is queued already to the batch; the first operation that does not belong into it comes back.
fn gather(batch: &mut Batch, queue: &mut Receiver<Operation>) -> Option<Operation> {
    while !batch.is_full() {
        match queue.try_recv()? {
            Operation::Commit { changes, reply } => batch.push(changes, reply),
            other => return Some(other),
        }
    }
    None
}

fn apply_all(connection: &Connection, changes: &[Change]) -> Result<Receipt, Error> {
    let mut receipt = Receipt::default();
    for change in changes {
        if let Change::Event(new) = change {
            receipt.events.push(outbox::insert(connection, new)?);
        } else {
            apply(connection, change)?;
        }
    }
    Ok(receipt)
}

fn apply(connection: &Connection, change: &Change) -> Result<(), Error> {
    match change {
        Change::Event(new) => outbox::insert(connection, new).map(drop),
        Change::Delivery(delivery) => deliveries::put(connection, delivery),
        Change::AttemptBegun(attempt) => attempts::begin(connection, attempt),
        Change::Attempt(attempt) => attempts::end(connection, attempt),
        Change::Finding(record) => findings::put(connection, record),
        Change::FindingGone { api, version, fingerprint } => {
            findings::remove(connection, api, version, fingerprint)
        }
        Change::Revision(revision) => revisions::insert(connection, revision),
        Change::Baseline(baseline) => revisions::put_baseline(connection, baseline),
        Change::Evidence { api, bytes } => revisions::put_evidence(connection, api, bytes),
        Change::Object(object) => objects::put(connection, object),
        Change::ObjectGone { kind, id } => objects::remove(connection, kind, id),
        Change::Cursor { name, position } => objects::move_cursor(connection, name, *position),
        Change::CursorGone { name } => objects::remove_cursor(connection, name),
        Change::Audit(audit) => objects::append_audit(connection, audit),
        #[cfg(test)]
        Change::Bug => panic!("a bug"),
    }
}

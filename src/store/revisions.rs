//! Spec revisions, baselines and evidence: what is known of each API.
//!
//! Owns the tables of the same names. A revision never changes once stored. Refuses to own documents and evidence as
//! anything but texts and bytes.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::connection::failed;
use super::{Baseline, Error, Reader, RevisionSummary};
use crate::model::revision::{Origin, Revision, RevisionId};

const SELECT: &str = "SELECT api, id, origin, parent, reason, created_ms, text FROM revisions";

pub(super) fn insert(connection: &Connection, revision: &Revision) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO revisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (api, id) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                &*revision.api,
                revision.id,
                revision.origin,
                revision.parent,
                revision.reason,
                revision.created_ms,
                &*revision.text,
            ])
        })
        .map(drop)
        .map_err(failed("store a revision"))
}

pub(super) fn put_baseline(connection: &Connection, baseline: &Baseline) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO baselines VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut statement| {
            statement.execute(params![
                &*baseline.api,
                baseline.revision,
                baseline.since_ms,
                baseline.file_hash,
                baseline.reason,
            ])
        })
        .map(drop)
        .map_err(failed("store a baseline"))
}

pub(super) fn put_evidence(connection: &Connection, api: &str, bytes: &[u8]) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO evidence VALUES (?1, ?2)")
        .and_then(|mut statement| statement.execute(params![api, bytes]))
        .map(drop)
        .map_err(failed("store evidence"))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revision> {
    Ok(Revision {
        id: row.get("id")?,
        api: row.get::<_, String>("api")?.into(),
        origin: row.get("origin")?,
        text: row.get::<_, String>("text")?.into(),
        created_ms: row.get("created_ms")?,
        parent: row.get("parent")?,
        reason: row.get("reason")?,
    })
}

impl Reader {
    /// The revisions of an API, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn revisions(&self, api: &str) -> Result<Vec<RevisionSummary>, Error> {
        self.all(
            "SELECT api, id, origin, parent, reason, created_ms, octet_length(text) \
             FROM revisions WHERE api = ?1 ORDER BY created_ms DESC, rowid DESC",
            [api],
            |row| {
                Ok(RevisionSummary {
                    api: row.get::<_, String>(0)?.into(),
                    id: row.get(1)?,
                    origin: row.get(2)?,
                    parent: row.get(3)?,
                    reason: row.get(4)?,
                    created_ms: row.get(5)?,
                    bytes: row.get::<_, i64>(6)?.unsigned_abs(),
                })
            },
        )
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn revision(&self, api: &str, id: &RevisionId) -> Result<Option<Revision>, Error> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE api = ?1 AND id = ?2"))
            .and_then(|mut statement| statement.query_row(params![api, id], read).optional())
            .map_err(failed("find a revision"))
    }

    /// The newest revision of an API with this origin.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn latest_revision(&self, api: &str, origin: Origin) -> Result<Option<Revision>, Error> {
        let sql = format!(
            "{SELECT} WHERE api = ?1 AND origin = ?2 ORDER BY created_ms DESC, rowid DESC LIMIT 1"
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row(params![api, origin], read).optional())
            .map_err(failed("find a revision"))
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn baseline(&self, api: &str) -> Result<Option<Baseline>, Error> {
        self.connection
            .prepare_cached(
                "SELECT revision, since_ms, file_hash, reason FROM baselines WHERE api = ?1",
            )
            .and_then(|mut statement| {
                let read = |row: &Row<'_>| {
                    Ok(Baseline {
                        api: api.into(),
                        revision: row.get(0)?,
                        since_ms: row.get(1)?,
                        file_hash: row.get(2)?,
                        reason: row.get(3)?,
                    })
                };
                statement.query_row([api], read).optional()
            })
            .map_err(failed("find a baseline"))
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn evidence(&self, api: &str) -> Result<Option<Vec<u8>>, Error> {
        self.connection
            .prepare_cached("SELECT bytes FROM evidence WHERE api = ?1")
            .and_then(|mut statement| statement.query_row([api], |row| row.get(0)).optional())
            .map_err(failed("find evidence"))
    }
}

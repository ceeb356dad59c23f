//! Objects by kind and id, cursors of consumers, and the audit log.
//!
//! Owns their tables. Refuses to own what an object means: its body is a text.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::connection::failed;
use super::{Audit, Error, Object, Reader};

pub(super) fn put(connection: &Connection, object: &Object) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, id) \
             DO UPDATE SET name = ?3, origin = ?4, version = ?5, body = ?6, updated_ms = ?7",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                object.kind,
                object.id,
                object.name,
                object.origin,
                i64::try_from(object.version).unwrap_or(i64::MAX),
                object.body,
                object.updated_ms,
            ])
        })
        .map(drop)
        .map_err(failed("store an object"))
}

pub(super) fn remove(connection: &Connection, kind: &str, id: &str) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM objects WHERE kind = ?1 AND id = ?2")
        .and_then(|mut statement| statement.execute([kind, id]))
        .map(drop)
        .map_err(failed("remove an object"))
}

/// A cursor only ever moves forward.
pub(super) fn move_cursor(connection: &Connection, name: &str, to: i64) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO cursors VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET position = max(position, ?2)",
        )
        .and_then(|mut statement| statement.execute(params![name, to]))
        .map(drop)
        .map_err(failed("move a cursor"))
}

pub(super) fn remove_cursor(connection: &Connection, name: &str) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM cursors WHERE name = ?1")
        .and_then(|mut statement| statement.execute([name]))
        .map(drop)
        .map_err(failed("remove a cursor"))
}

pub(super) fn append_audit(connection: &Connection, audit: &Audit) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO audit (time_ms, actor, action, target, before, after) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                audit.time_ms,
                audit.actor,
                audit.action,
                audit.target,
                audit.before,
                audit.after,
            ])
        })
        .map(drop)
        .map_err(failed("append to the audit log"))
}

fn read(kind: &'static str, row: &Row<'_>) -> rusqlite::Result<Object> {
    Ok(Object {
        kind,
        id: row.get("id")?,
        name: row.get("name")?,
        origin: row.get("origin")?,
        version: row.get::<_, i64>("version")?.unsigned_abs(),
        body: row.get("body")?,
        updated_ms: row.get("updated_ms")?,
    })
}

impl Reader {
    /// Objects of a kind by name.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn objects(&self, kind: &'static str) -> Result<Vec<Object>, Error> {
        self.all("SELECT * FROM objects WHERE kind = ?1 ORDER BY name, id", [kind], |row| {
            read(kind, row)
        })
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn object(&self, kind: &'static str, id: &str) -> Result<Option<Object>, Error> {
        self.connection
            .prepare_cached("SELECT * FROM objects WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| {
                statement.query_row([kind, id], |row| read(kind, row)).optional()
            })
            .map_err(failed("find an object"))
    }

    /// How far a consumer of the event log has come.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn cursor(&self, name: &str) -> Result<Option<i64>, Error> {
        self.connection
            .prepare_cached("SELECT position FROM cursors WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(failed("find a cursor"))
    }

    /// The newest entries of the audit log, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn audit(&self, limit: usize) -> Result<Vec<Audit>, Error> {
        self.all(
            "SELECT time_ms, actor, action, target, before, after FROM audit \
             ORDER BY id DESC LIMIT ?1",
            [i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| {
                Ok(Audit {
                    time_ms: row.get(0)?,
                    actor: row.get(1)?,
                    action: row.get(2)?,
                    target: row.get(3)?,
                    before: row.get(4)?,
                    after: row.get(5)?,
                })
            },
        )
    }
}

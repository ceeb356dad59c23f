//! Attempts: begun, and ended with an outcome.
//!
//! Owns that an outcome is never covered by the mark of its own beginning, whichever is written first. Refuses to own what
//! an attempt is.

use rusqlite::{Connection, Row, params};

use super::connection::failed;
use super::{AttemptRow, Error, Reader};
use crate::model::delivery::Attempt;

const SELECT: &str = "SELECT delivery, number, ended, trigger, started_ms, duration_ms, \
     target_version, url, address, request_headers, body_sha256, status, response_headers, \
     response_body, outcome, error FROM attempts";

const INSERT: &str = "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
     ?12, ?13, ?14, ?15, ?16) ON CONFLICT (delivery, number) DO ";

const REPLACE: &str = "UPDATE SET ended = ?3, trigger = ?4, started_ms = ?5, duration_ms = ?6, \
     target_version = ?7, url = ?8, address = ?9, request_headers = ?10, body_sha256 = ?11, \
     status = ?12, response_headers = ?13, response_body = ?14, outcome = ?15, error = ?16";

/// Marks an attempt as begun, unless its outcome is there already.
pub(super) fn begin(connection: &Connection, attempt: &Attempt) -> Result<(), Error> {
    write(connection, "NOTHING", attempt, false)
}

/// Stores an attempt with its outcome in place of its mark.
pub(super) fn end(connection: &Connection, attempt: &Attempt) -> Result<(), Error> {
    write(connection, REPLACE, attempt, true)
}

fn write(
    connection: &Connection,
    on_conflict: &str,
    attempt: &Attempt,
    ended: bool,
) -> Result<(), Error> {
    connection
        .prepare_cached(&format!("{INSERT}{on_conflict}"))
        .and_then(|mut statement| {
            statement.execute(params![
                attempt.delivery,
                attempt.number,
                ended,
                attempt.trigger,
                attempt.started_ms,
                as_column(attempt.duration_ms),
                as_column(attempt.target_version),
                attempt.url,
                attempt.address,
                pairs(&attempt.request_headers),
                attempt.body_sha256,
                attempt.status,
                pairs(&attempt.response_headers),
                attempt.response_body,
                attempt.outcome,
                attempt.error,
            ])
        })
        .map(drop)
        .map_err(failed("store an attempt"))
}

/// Columns are signed; what does not fit is as good as infinite.
fn as_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Headers as a JSON array of pairs: order and repetition survive.
fn pairs(headers: &[(String, String)]) -> String {
    serde_json::json!(headers).to_string()
}

fn read(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    let headers = |column: &str| -> rusqlite::Result<Vec<(String, String)>> {
        let text: String = row.get(column)?;
        serde_json::from_str(&text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
    };
    let attempt = Attempt {
        delivery: row.get("delivery")?,
        number: row.get("number")?,
        trigger: row.get("trigger")?,
        started_ms: row.get("started_ms")?,
        duration_ms: row.get::<_, i64>("duration_ms")?.unsigned_abs(),
        target_version: row.get::<_, i64>("target_version")?.unsigned_abs(),
        url: row.get("url")?,
        address: row.get("address")?,
        request_headers: headers("request_headers")?,
        body_sha256: row.get("body_sha256")?,
        status: row.get("status")?,
        response_headers: headers("response_headers")?,
        response_body: row.get("response_body")?,
        outcome: row.get("outcome")?,
        error: row.get("error")?,
    };
    Ok(AttemptRow { attempt, ended: row.get("ended")? })
}

impl Reader {
    /// The attempts of a delivery, first to last.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn attempts(&self, delivery: &str) -> Result<Vec<AttemptRow>, Error> {
        self.all(&format!("{SELECT} WHERE delivery = ?1 ORDER BY number"), [delivery], read)
    }

    /// Attempts that were begun and have no outcome: what a crash left behind.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn unfinished_attempts(&self) -> Result<Vec<AttemptRow>, Error> {
        self.all(&format!("{SELECT} WHERE ended = 0 ORDER BY delivery, number"), [], read)
    }
}

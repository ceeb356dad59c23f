//! Findings as they are now, with what their counters need to go on.
//!
//! Owns the table `findings`, keyed by API, version and fingerprint. Refuses to own the life cycle (`contract`).

use rusqlite::{Connection, Row, named_params, params};
use serde_json::Value;

use super::connection::failed;
use super::{Error, FindingFilter, FindingRecord, Reader};
use crate::model::finding::{Finding, Location, Statistics};

const PUT: &str = "INSERT OR REPLACE INTO findings (api, version, fingerprint, kind, label, state, \
     verdict, severity, confidence, direction, method, template, status, media_type, pointer, \
     keyword, expected, observed, opportunities, occurrences, windows, consumers, first_seen_ms, \
     last_seen_ms, message, remedy, spec_revision, spec_origin, event_specification, reopened, \
     counter) \
     VALUES (:api, :version, :fingerprint, :kind, :label, :state, :verdict, :severity, \
     :confidence, :direction, :method, :template, :status, :media_type, :pointer, :keyword, \
     :expected, :observed, :opportunities, :occurrences, :windows, :consumers, :first_seen_ms, \
     :last_seen_ms, :message, :remedy, :spec_revision, :spec_origin, :event_specification, \
     :reopened, :counter)";

pub(super) fn put(connection: &Connection, record: &FindingRecord) -> Result<(), Error> {
    let finding = &record.finding;
    connection
        .prepare_cached(PUT)
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":api": &*finding.api,
                ":version": finding.version,
                ":fingerprint": finding.fingerprint,
                ":kind": finding.kind,
                ":label": finding.label,
                ":state": finding.state,
                ":verdict": finding.verdict,
                ":severity": finding.severity,
                ":confidence": finding.confidence,
                ":direction": finding.direction,
                ":method": finding.method,
                ":template": finding.template,
                ":status": finding.location.status,
                ":media_type": finding.location.media_type,
                ":pointer": finding.location.pointer,
                ":keyword": finding.location.keyword,
                ":expected": finding.expected.to_string(),
                ":observed": finding.observed.to_string(),
                ":opportunities": i64::try_from(finding.statistics.n).unwrap_or(i64::MAX),
                ":occurrences": i64::try_from(finding.statistics.k).unwrap_or(i64::MAX),
                ":windows": finding.statistics.windows,
                ":consumers": finding.statistics.consumers,
                ":first_seen_ms": finding.first_seen_ms,
                ":last_seen_ms": finding.last_seen_ms,
                ":message": finding.message,
                ":remedy": finding.remedy,
                ":spec_revision": finding.spec_revision,
                ":spec_origin": finding.spec_origin,
                ":event_specification": finding.event_specification,
                ":reopened": finding.reopened,
                ":counter": record.state,
            })
        })
        .map(drop)
        .map_err(failed("store a finding"))
}

pub(super) fn remove(
    connection: &Connection,
    api: &str,
    version: &str,
    fingerprint: &str,
) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM findings WHERE api = ?1 AND version = ?2 AND fingerprint = ?3")
        .and_then(|mut statement| statement.execute([api, version, fingerprint]))
        .map(drop)
        .map_err(failed("remove a finding"))
}

fn read(row: &Row<'_>) -> rusqlite::Result<FindingRecord> {
    let json = |column: &str| -> rusqlite::Result<Value> {
        let text: String = row.get(column)?;
        serde_json::from_str(&text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
    };
    let finding = Finding {
        fingerprint: row.get("fingerprint")?,
        api: row.get::<_, String>("api")?.into(),
        version: row.get("version")?,
        kind: row.get("kind")?,
        label: row.get("label")?,
        state: row.get("state")?,
        verdict: row.get("verdict")?,
        severity: row.get("severity")?,
        confidence: row.get("confidence")?,
        direction: row.get("direction")?,
        method: row.get("method")?,
        template: row.get("template")?,
        location: Location {
            status: row.get("status")?,
            media_type: row.get("media_type")?,
            pointer: row.get("pointer")?,
            keyword: row.get("keyword")?,
        },
        expected: json("expected")?,
        observed: json("observed")?,
        statistics: Statistics {
            n: row.get::<_, i64>("opportunities")?.unsigned_abs(),
            k: row.get::<_, i64>("occurrences")?.unsigned_abs(),
            windows: row.get("windows")?,
            consumers: row.get("consumers")?,
        },
        first_seen_ms: row.get("first_seen_ms")?,
        last_seen_ms: row.get("last_seen_ms")?,
        message: row.get("message")?,
        remedy: row.get("remedy")?,
        spec_revision: row.get("spec_revision")?,
        spec_origin: row.get("spec_origin")?,
        event_specification: row.get("event_specification")?,
        reopened: row.get("reopened")?,
    };
    Ok(FindingRecord { finding, state: row.get("counter")? })
}

impl Reader {
    /// Findings that pass the filter, last seen first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn findings(&self, filter: &FindingFilter) -> Result<Vec<FindingRecord>, Error> {
        let states: Vec<_> = filter.states.iter().map(|state| state.as_str()).collect();
        let states = (!states.is_empty()).then(|| serde_json::json!(states).to_string());
        self.all(
            "SELECT * FROM findings WHERE (?1 IS NULL OR api = ?1) \
             AND (?2 IS NULL OR kind = ?2) \
             AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3))) \
             ORDER BY last_seen_ms DESC, fingerprint",
            params![filter.api, filter.kind, states],
            read,
        )
    }

    /// Findings with this fingerprint, of any API.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn findings_of(&self, fingerprint: &str) -> Result<Vec<FindingRecord>, Error> {
        self.all(
            "SELECT * FROM findings WHERE fingerprint = ?1 ORDER BY api, version",
            [fingerprint],
            read,
        )
    }
}

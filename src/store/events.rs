//! Event rows: written once, found by identity, row, or filter.
//!
//! Owns the table `events` and the meaning of a duplicate: equal identity with equal content. Refuses to own deliveries and
//! skips, which `outbox` writes in the same transaction.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::connection::failed;
use super::listing::{Query, Rows, list};
use super::{Error, EventFilter, EventRow, Listing, Page, Reader, Stored};
use crate::model::event::Event;

const SELECT: &str = "SELECT seq, id, source, type, subject, time_ms, recorded_ms, dataschema, \
     partitionkey, instance, correlationid, causationid, chaindepth, chainpath, traceparent, \
     exchangeid, severitytext, eventcode, testevent, data FROM events";

const INSERT: &str = "INSERT INTO events (id, source, type, api, subject, time_ms, recorded_ms, \
     dataschema, partitionkey, instance, correlationid, causationid, chaindepth, chainpath, \
     traceparent, exchangeid, severitytext, eventcode, testevent, data) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20) ON CONFLICT (id, source) DO NOTHING";

/// Stores an event, or finds it stored already.
pub(super) fn insert(connection: &Connection, event: &Event) -> Result<Stored, Error> {
    let doing = "store an event";
    let inserted = connection
        .prepare_cached(INSERT)
        .and_then(|mut statement| {
            statement.execute(params![
                event.id,
                event.source,
                event.kind,
                event.api(),
                event.subject,
                event.time_ms,
                event.recorded_ms,
                event.dataschema,
                event.partitionkey,
                event.instance,
                event.correlationid,
                event.causationid,
                event.chaindepth,
                event.chainpath,
                event.traceparent,
                event.exchangeid,
                event.severitytext,
                event.eventcode,
                event.testevent,
                event.data.as_bytes(),
            ])
        })
        .map_err(failed(doing))?;
    if inserted == 1 {
        return Ok(Stored::New(connection.last_insert_rowid()));
    }
    match of_identity(connection, &event.source, &event.id)? {
        Some(known) if same_content(&known.event, event) => Ok(Stored::Duplicate(known.row)),
        _ => Err(Error::Conflict { origin: event.source.clone(), id: event.id.clone() }),
    }
}

/// Equal in all that the raiser said; what we stamp at the commit does not count.
fn same_content(known: &Event, event: &Event) -> bool {
    let stamped = Event {
        recorded_ms: known.recorded_ms,
        sequence: known.sequence,
        instance: known.instance.clone(),
        ..event.clone()
    };
    *known == stamped
}

fn of_identity(connection: &Connection, source: &str, id: &str) -> Result<Option<EventRow>, Error> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE id = ?1 AND source = ?2"))
        .and_then(|mut statement| statement.query_row([id, source], read).optional())
        .map_err(failed("find an event"))
}

fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let number: i64 = row.get("seq")?;
    let data: Vec<u8> = row.get("data")?;
    let data = String::from_utf8(data).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
    })?;
    let event = Event {
        id: row.get("id")?,
        source: row.get("source")?,
        kind: row.get("type")?,
        subject: row.get("subject")?,
        time_ms: row.get("time_ms")?,
        recorded_ms: row.get("recorded_ms")?,
        dataschema: row.get("dataschema")?,
        partitionkey: row.get("partitionkey")?,
        sequence: u64::try_from(number).unwrap_or(0),
        instance: row.get("instance")?,
        correlationid: row.get("correlationid")?,
        causationid: row.get("causationid")?,
        chaindepth: row.get("chaindepth")?,
        chainpath: row.get("chainpath")?,
        traceparent: row.get("traceparent")?,
        exchangeid: row.get("exchangeid")?,
        severitytext: row.get("severitytext")?,
        eventcode: row.get("eventcode")?,
        testevent: row.get("testevent")?,
        data: Arc::from(data),
    };
    Ok(EventRow { row: number, event })
}

fn query(filter: &EventFilter) -> Query {
    let mut query = Query::new(SELECT, ("time_ms", "seq"), true);
    match filter.kind.as_deref() {
        None | Some("*") => {}
        Some(kind) => match kind.strip_suffix(".*") {
            // `/` follows `.`: the range holds whatever begins with the prefix and a dot. The `+` keeps the list on the
            // index of times, where it comes out in order.
            Some(prefix) => query.and(
                "+type >= ? AND +type < ?",
                [format!("{prefix}.").into(), format!("{prefix}/").into()],
            ),
            None => query.and("type = ?", [kind.to_owned().into()]),
        },
    }
    query.and_if("+api = ?", filter.api.clone());
    query.and_if("time_ms >= ?", filter.from_ms);
    query.and_if("time_ms < ?", filter.to_ms);
    if let Some(id) = &filter.id {
        query.and(
            "(id = ? OR correlationid = ? OR causationid = ? OR exchangeid = ?)",
            std::iter::repeat_n(id.clone().into(), 4),
        );
    }
    query
}

/// Whether type, subject or data hold a text, ASCII case ignored.
fn holds(event: &Event, lower: &str) -> bool {
    let within = |text: &str| text.to_ascii_lowercase().contains(lower);
    within(&event.kind) || event.subject.as_deref().is_some_and(within) || within(&event.data)
}

impl Reader {
    /// Events that pass the filter, newest first.
    ///
    /// # Errors
    /// When the file cannot be read in time.
    pub fn events(&self, filter: &EventFilter, page: &Page) -> Result<Listing<EventRow>, Error> {
        let text = filter.text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let keep = |row: &EventRow| holds(&row.event, &text);
        let rows = Rows {
            read,
            place: |row: &EventRow| (row.event.time_ms, row.row.to_string()),
            keep: (!text.is_empty()).then_some(&keep),
        };
        list(self, query(filter), page, &rows)
    }

    /// The row of the newest event ever stored, trimmed or not; 0 before the first.
    pub(super) fn newest_event(&self) -> Result<i64, Error> {
        self.connection
            .query_row(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'",
                [],
                |row| row.get(0),
            )
            .map_err(failed("find the newest event"))
    }

    /// The event of a row.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn event(&self, row: i64) -> Result<Option<EventRow>, Error> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE seq = ?1"))
            .and_then(|mut statement| statement.query_row([row], read).optional())
            .map_err(failed("find an event"))
    }

    /// The event of an identity.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn event_of(&self, source: &str, id: &str) -> Result<Option<EventRow>, Error> {
        of_identity(&self.connection, source, id)
    }

    /// Events with this id, whatever their source.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_with_id(&self, id: &str) -> Result<Vec<EventRow>, Error> {
        self.all(&format!("{SELECT} WHERE id = ?1 ORDER BY seq"), [id], read)
    }

    /// Up to `limit` events after a row, in the order of their rows.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_after(&self, row: i64, limit: usize) -> Result<Vec<EventRow>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(&format!("{SELECT} WHERE seq > ?1 ORDER BY seq LIMIT ?2"), [row, limit], read)
    }
}

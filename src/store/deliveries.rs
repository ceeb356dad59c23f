//! Deliveries as they are now, and which of them are due.
//!
//! Owns the table `deliveries` and the walk over destinations that costs one step for each of them, however many deliveries
//! one of them has waiting. Refuses to own the transitions (`deliver::machine`).

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::connection::failed;
use super::listing::{Query, Rows, list};
use super::{DeliveryCount, DeliveryFilter, Error, Listing, Page, Reader};
use crate::model::delivery::Delivery;

const COLUMNS: &str = "id, destination, event, state, generation, attempt, step, due_ms, \
     created_ms, hold, end, last_outcome, last_status";

const SELECT: &str = "SELECT id, destination, event, state, generation, attempt, step, due_ms, \
     created_ms, hold, end, last_outcome, last_status FROM deliveries";

const INSERT: &str = "INSERT INTO deliveries \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (id) DO ";

const UPDATE: &str = "UPDATE SET state = ?4, generation = ?5, attempt = ?6, step = ?7, \
     due_ms = ?8, hold = ?10, end = ?11, last_outcome = ?12, last_status = ?13";

/// The destinations with open deliveries, each found by one step over the index.
const DESTINATIONS: &str = "WITH RECURSIVE open (destination) AS ( \
       SELECT min(destination) FROM deliveries WHERE state IN ('created', 'retrying') \
       UNION ALL \
       SELECT (SELECT min(destination) FROM deliveries \
                WHERE state IN ('created', 'retrying') AND destination > open.destination) \
         FROM open WHERE open.destination IS NOT NULL) ";

/// Stores a delivery that may be there already and then stays as it is.
pub(super) fn create(connection: &Connection, delivery: &Delivery) -> Result<(), Error> {
    write(connection, "NOTHING", delivery)
}

/// Stores a delivery as it is now. Identity, event and time of creation never change.
pub(super) fn put(connection: &Connection, delivery: &Delivery) -> Result<(), Error> {
    write(connection, UPDATE, delivery)
}

fn write(connection: &Connection, on_conflict: &str, delivery: &Delivery) -> Result<(), Error> {
    connection
        .prepare_cached(&format!("{INSERT}{on_conflict}"))
        .and_then(|mut statement| {
            statement.execute(params![
                delivery.id,
                delivery.destination,
                delivery.event_sequence,
                delivery.state,
                delivery.generation,
                delivery.attempt,
                delivery.step,
                delivery.due_ms,
                delivery.created_ms,
                delivery.hold,
                delivery.end,
                delivery.last_outcome,
                delivery.last_status,
            ])
        })
        .map(drop)
        .map_err(failed("store a delivery"))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get("id")?,
        destination: row.get("destination")?,
        event_sequence: row.get("event")?,
        state: row.get("state")?,
        generation: row.get("generation")?,
        attempt: row.get("attempt")?,
        step: row.get("step")?,
        due_ms: row.get("due_ms")?,
        created_ms: row.get("created_ms")?,
        hold: row.get("hold")?,
        end: row.get("end")?,
        last_outcome: row.get("last_outcome")?,
        last_status: row.get("last_status")?,
    })
}

fn query(filter: &DeliveryFilter) -> Query {
    let mut query = Query::new(SELECT, ("created_ms", "id"), false);
    query.and_if("destination = ?", filter.destination.clone());
    query.and_if("state = ?", filter.state.map(|state| state.as_str().to_owned()));
    query.and_if("event = ?", filter.event);
    query.and_if("last_outcome = ?", filter.outcome.map(|outcome| outcome.as_str().to_owned()));
    query.and_if("last_status = ?", filter.status.map(i64::from));
    query.and_if("created_ms >= ?", filter.from_ms);
    query.and_if("created_ms < ?", filter.to_ms);
    query
}

impl Reader {
    /// Deliveries that pass the filter, newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: &Page,
    ) -> Result<Listing<Delivery>, Error> {
        let rows = Rows {
            read,
            place: |delivery: &Delivery| (delivery.created_ms, delivery.id.clone()),
            keep: None,
        };
        list(self, query(filter), page, &rows)
    }

    /// # Errors
    /// As [`Reader::events`].
    pub fn delivery(&self, id: &str) -> Result<Option<Delivery>, Error> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE id = ?1"))
            .and_then(|mut statement| statement.query_row([id], read).optional())
            .map_err(failed("find a delivery"))
    }

    pub(super) fn deliveries_of(&self, event: i64) -> Result<Vec<Delivery>, Error> {
        self.all(&format!("{SELECT} WHERE event = ?1 ORDER BY destination"), [event], read)
    }

    /// How many deliveries each destination has in each state.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn delivery_counts(&self) -> Result<Vec<DeliveryCount>, Error> {
        self.all(
            "SELECT destination, state, count(*) FROM deliveries GROUP BY destination, state \
             ORDER BY destination, state",
            [],
            |row| {
                Ok(DeliveryCount {
                    destination: row.get(0)?,
                    state: row.get(1)?,
                    count: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            },
        )
    }

    /// Open deliveries due at `now_ms`: of each destination the `limit_each` that are due longest, so that one with a
    /// million of them costs no more than another. Ordered by destination, due time, id.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn due(&self, now_ms: i64, limit_each: usize) -> Result<Vec<Delivery>, Error> {
        let limit = i64::try_from(limit_each).unwrap_or(i64::MAX);
        let of_one = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE state IN ('created', 'retrying') \
             AND destination = ?1 AND due_ms <= ?2 ORDER BY due_ms, id LIMIT ?3"
        );
        let mut due = Vec::new();
        for destination in self.open_destinations()? {
            due.extend(self.all(&of_one, params![destination, now_ms, limit], read)?);
        }
        Ok(due)
    }

    /// When the first open delivery is due that is due after `after_ms`.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn next_due(&self, after_ms: i64) -> Result<Option<i64>, Error> {
        let sql = format!(
            "{DESTINATIONS} SELECT min((SELECT min(due_ms) FROM deliveries \
             WHERE state IN ('created', 'retrying') AND destination = open.destination \
             AND due_ms > ?1)) FROM open WHERE destination IS NOT NULL"
        );
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row([after_ms], |row| row.get(0)))
            .map_err(failed("find the next due delivery"))
    }

    fn open_destinations(&self) -> Result<Vec<String>, Error> {
        let sql =
            format!("{DESTINATIONS} SELECT destination FROM open WHERE destination IS NOT NULL");
        self.all(&sql, [], |row| row.get(0))
    }
}

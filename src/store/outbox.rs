//! An event with its deliveries and skips, in one transaction.
//!
//! Owns that no event is ever stored without them. Refuses to own the matching: it is handed over.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::change::NewEvent;
use super::connection::failed;
use super::{Error, EventFate, Reader, Stored, deliveries, events};
use crate::model::delivery::{Delivery, Skip, SkipReason};

/// Skips of one event that are kept in detail; of the rest the reasons are counted.
const SKIPS_MAX: usize = 100;

/// Stores an event and what matching gave. A duplicate raises nothing.
pub(super) fn insert(connection: &Connection, new: &NewEvent) -> Result<Stored, Error> {
    let stored = events::insert(connection, &new.event)?;
    if let Stored::New(row) = stored {
        for destination in &new.matches.deliveries {
            deliveries::create(connection, &Delivery::created(&new.event, row, destination))?;
        }
        insert_skips(connection, row, &new.matches.skips)?;
    }
    Ok(stored)
}

fn insert_skips(connection: &Connection, event: i64, skips: &[Skip]) -> Result<(), Error> {
    let (detailed, further) = skips.split_at(skips.len().min(SKIPS_MAX));
    for (position, skip) in (0_i64..).zip(detailed) {
        connection
            .prepare_cached("INSERT INTO skips VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut statement| {
                statement.execute(params![
                    event,
                    position,
                    skip.destination,
                    skip.reason,
                    skip.detail
                ])
            })
            .map_err(failed("store a skip"))?;
    }
    let mut counts: BTreeMap<SkipReason, i64> = BTreeMap::new();
    for skip in further {
        *counts.entry(skip.reason).or_default() += 1;
    }
    for (reason, count) in counts {
        connection
            .prepare_cached("INSERT INTO further_skips VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![event, reason, count]))
            .map_err(failed("count skips"))?;
    }
    Ok(())
}

impl Reader {
    /// Deliveries and skips of the event of a row.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn fate(&self, event: i64) -> Result<EventFate, Error> {
        let skips = self.all(
            "SELECT destination, reason, detail FROM skips WHERE event = ?1 ORDER BY position",
            [event],
            |row| Ok(Skip { destination: row.get(0)?, reason: row.get(1)?, detail: row.get(2)? }),
        )?;
        let further_skips = self.all(
            "SELECT reason, count FROM further_skips WHERE event = ?1 ORDER BY reason",
            [event],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())),
        )?;
        Ok(EventFate { deliveries: self.deliveries_of(event)?, skips, further_skips })
    }
}

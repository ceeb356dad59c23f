//! Cutting history: by age always, by quota when space runs out.
//!
//! Owns what may go: events without open deliveries that every consumer of the log has passed, and old attempts and audit
//! entries. Nothing else is ever dropped. One step is at most 500 rows, so that commits go between.

use rusqlite::{Connection, params};

use super::connection::{bytes_used, failed};
use super::{Error, Options};

/// Rows that one step removes.
const STEP_ROWS: u32 = 500;
/// Rows that one step looks at: open deliveries may hold many old events.
const STEP_SCAN: i64 = 5_000;
/// Free pages that one step gives back to the file system.
const STEP_PAGES: i64 = 2_000;
/// From here on finished history is trimmed whatever its age.
const NEARLY_FULL_PERCENT: u64 = 90;

/// How much of the quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Roomy,
    NearlyFull,
    Full,
}

/// What goes by age, and where the walk over the events stands.
#[derive(Debug)]
pub(super) struct Retention {
    max_bytes: u64,
    events_ms: i64,
    attempts_ms: i64,
    audit_ms: i64,
    /// Rows up to this one were looked at in this round.
    position: i64,
}

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) removed: usize,
    /// Another step may remove more.
    pub(super) more: bool,
}

impl Retention {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            max_bytes: options.max_bytes.0,
            events_ms: options.retention.events.as_ms(),
            attempts_ms: options.retention.attempts.as_ms(),
            audit_ms: options.retention.audit.as_ms(),
            position: 0,
        }
    }

    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    pub(super) fn level(&self, bytes: u64) -> Level {
        if bytes >= self.max_bytes {
            Level::Full
        } else if bytes >= self.max_bytes / 100 * NEARLY_FULL_PERCENT {
            Level::NearlyFull
        } else {
            Level::Roomy
        }
    }

    /// Begins a round: the next step looks at the oldest event again.
    pub(super) fn rewind(&mut self) {
        self.position = 0;
    }

    /// One step of a round: removes what is too old, and above 90 % of the quota what is oldest.
    pub(super) fn step(&mut self, connection: &mut Connection, now_ms: i64) -> Result<Step, Error> {
        let crowded = self.level(bytes_used(connection)?) > Level::Roomy;
        let transaction = connection.transaction().map_err(failed("begin to trim"))?;
        let before_ms = if crowded { i64::MAX } else { now_ms - self.events_ms };
        let (events, more) = self.candidates(&transaction, before_ms)?;
        for event in &events {
            remove_event(&transaction, *event, crowded)?;
        }
        let attempts = remove_attempts(&transaction, now_ms - self.attempts_ms)?;
        let audit = remove_audit(&transaction, now_ms - self.audit_ms)?;
        transaction.commit().map_err(failed("trim history"))?;
        if events.len() + attempts + audit > 0 {
            give_back(connection)?;
        }
        let removed = events.len() + attempts + audit;
        Ok(Step { removed, more: more || attempts.max(audit) == STEP_ROWS as usize })
    }

    /// The next events that may go, and whether there may be further ones.
    fn candidates(
        &mut self,
        connection: &Connection,
        before_ms: i64,
    ) -> Result<(Vec<i64>, bool), Error> {
        let doing = "look for old events";
        let mut statement = connection
            .prepare_cached(
                "SELECT seq, recorded_ms, EXISTS (SELECT 1 FROM deliveries WHERE event = seq \
                 AND state IN ('created', 'retrying')) \
                 FROM events WHERE seq > ?1 \
                 AND seq <= coalesce((SELECT min(position) FROM cursors), seq) \
                 ORDER BY seq LIMIT ?2",
            )
            .map_err(failed(doing))?;
        let mut rows = statement.query(params![self.position, STEP_SCAN]).map_err(failed(doing))?;
        let (mut found, mut seen) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(failed(doing))? {
            let (event, recorded_ms, open): (i64, i64, bool) =
                (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))().map_err(failed(doing))?;
            // Rows are in the order of their recording: what follows is younger.
            if recorded_ms >= before_ms {
                return Ok((found, false));
            }
            self.position = event;
            seen += 1;
            if !open {
                found.push(event);
            }
            if found.len() == STEP_ROWS as usize {
                return Ok((found, true));
            }
        }
        Ok((found, seen == STEP_SCAN))
    }
}

/// Removes an event with its deliveries and skips; short of space also the attempts, which are else kept for longer.
fn remove_event(connection: &Connection, event: i64, with_attempts: bool) -> Result<(), Error> {
    let doing = "remove an old event";
    if with_attempts {
        connection
            .prepare_cached(
                "DELETE FROM attempts WHERE delivery IN \
                 (SELECT id FROM deliveries WHERE event = ?1)",
            )
            .and_then(|mut statement| statement.execute([event]))
            .map_err(failed(doing))?;
    }
    connection
        .prepare_cached("DELETE FROM events WHERE seq = ?1")
        .and_then(|mut statement| statement.execute([event]))
        .map(drop)
        .map_err(failed(doing))
}

fn remove_attempts(connection: &Connection, before_ms: i64) -> Result<usize, Error> {
    connection
        .prepare_cached(
            "DELETE FROM attempts WHERE rowid IN \
             (SELECT rowid FROM attempts WHERE started_ms < ?1 ORDER BY started_ms LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![before_ms, STEP_ROWS]))
        .map_err(failed("remove old attempts"))
}

fn remove_audit(connection: &Connection, before_ms: i64) -> Result<usize, Error> {
    connection
        .prepare_cached(
            "DELETE FROM audit WHERE id IN \
             (SELECT id FROM audit WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![before_ms, STEP_ROWS]))
        .map_err(failed("remove old audit entries"))
}

fn give_back(connection: &Connection) -> Result<(), Error> {
    let doing = "give free pages back";
    let mut statement = connection
        .prepare(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))
        .map_err(failed(doing))?;
    let mut rows = statement.query([]).map_err(failed(doing))?;
    // The statement frees one page for each step.
    while rows.next().map_err(failed(doing))?.is_some() {}
    Ok(())
}

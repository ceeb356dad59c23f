//! Lists by time and key, newest first, paged by key.
//!
//! Owns the walk from a bookmark in either direction and its limits. Refuses to own what is listed: a caller gives the
//! statement up to its conditions.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::connection::failed;
use super::query::Direction;
use super::{Bookmark, Error, Listing, PAGE_MAX, Page, Reader};

/// Rows that a text search looks at.
const SCANNED_ROWS_MAX: usize = 10_000;
/// Milliseconds that a text search takes.
const SCAN_MS_MAX: u64 = 500;

/// What to list: a statement without conditions, its two ordering columns, the conditions and their values.
pub(super) struct Query {
    pub(super) select: &'static str,
    pub(super) time: &'static str,
    pub(super) key: &'static str,
    /// Whether the key is a number.
    pub(super) key_is_number: bool,
    conditions: Vec<String>,
    values: Vec<Value>,
}

/// How a row is read, where it lies, and whether a text search keeps it.
pub(super) struct Rows<'r, T> {
    pub(super) read: fn(&Row<'_>) -> rusqlite::Result<T>,
    pub(super) place: fn(&T) -> (i64, String),
    pub(super) keep: Option<&'r dyn Fn(&T) -> bool>,
}

impl Query {
    pub(super) fn new(
        select: &'static str,
        (time, key): (&'static str, &'static str),
        key_is_number: bool,
    ) -> Self {
        Self { select, time, key, key_is_number, conditions: Vec::new(), values: Vec::new() }
    }

    /// Adds a condition with one `?` for each value.
    pub(super) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    /// Adds a condition with one `?` if there is a value for it.
    pub(super) fn and_if(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and(condition, [value.into()]);
        }
    }

    fn start_at(&mut self, bookmark: &Bookmark) {
        let key = match (self.key_is_number, bookmark.key.parse::<i64>()) {
            (false, _) => Value::Text(bookmark.key.clone()),
            (true, Ok(number)) => Value::Integer(number),
            (true, Err(_)) => Value::Integer(0),
        };
        let comparison = match bookmark.direction {
            Direction::Older => '<',
            Direction::Newer => '>',
        };
        let condition = format!("({}, {}) {comparison} (?, ?)", self.time, self.key);
        self.and(&condition, [Value::Integer(bookmark.time_ms), key]);
    }

    fn sql(&self, direction: Direction) -> String {
        let conditions = match self.conditions.as_slice() {
            [] => "1".to_owned(),
            some => some.join(" AND "),
        };
        let order = match direction {
            Direction::Older => "DESC",
            Direction::Newer => "ASC",
        };
        let (select, time, key) = (self.select, self.time, self.key);
        format!("{select} WHERE {conditions} ORDER BY {time} {order}, {key} {order}")
    }
}

/// Walks from the page's bookmark and gathers one page.
pub(super) fn list<T>(
    reader: &Reader,
    mut query: Query,
    page: &Page,
    rows: &Rows<'_, T>,
) -> Result<Listing<T>, Error> {
    let direction = page.at.as_ref().map_or(Direction::Older, |at| at.direction);
    if let Some(at) = &page.at {
        query.start_at(at);
    }
    let walked = walk(reader, &query, page, rows)?;
    Ok(assemble(walked, page, direction, rows.place))
}

/// What a walk found, in the order of the walk.
struct Walked<T> {
    items: Vec<T>,
    /// Something lies behind the last item.
    more: bool,
    /// Where a text search stopped at its limit.
    stopped_at: Option<(i64, String)>,
}

fn walk<T>(
    reader: &Reader,
    query: &Query,
    page: &Page,
    rows: &Rows<'_, T>,
) -> Result<Walked<T>, Error> {
    let doing = "list rows";
    let direction = page.at.as_ref().map_or(Direction::Older, |at| at.direction);
    let limit = page.limit.clamp(1, PAGE_MAX);
    let mut statement =
        reader.connection.prepare_cached(&query.sql(direction)).map_err(failed(doing))?;
    let mut cursor = statement.query(params_from_iter(&query.values)).map_err(failed(doing))?;
    let mut walked = Walked { items: Vec::new(), more: false, stopped_at: None };
    let begun_ns = reader.clock.monotonic_ns();
    let mut scanned = 0;
    while let Some(row) = cursor.next().map_err(failed(doing))? {
        let item = (rows.read)(row).map_err(failed(doing))?;
        scanned += 1;
        if rows.keep.is_none_or(|keep| keep(&item)) {
            if walked.items.len() == limit {
                walked.more = true;
                return Ok(walked);
            }
            walked.items.push(item);
        } else if scanned >= SCANNED_ROWS_MAX
            || (reader.clock.monotonic_ns() - begun_ns) / 1_000_000 >= SCAN_MS_MAX
        {
            walked.stopped_at = Some((rows.place)(&item));
            return Ok(walked);
        }
    }
    Ok(walked)
}

fn assemble<T>(
    walked: Walked<T>,
    page: &Page,
    direction: Direction,
    place: fn(&T) -> (i64, String),
) -> Listing<T> {
    let Walked { mut items, more, stopped_at } = walked;
    let bookmark = |direction, (time_ms, key): (i64, String)| Bookmark { direction, time_ms, key };
    // The way back to where this page began, for a page that turned out empty.
    let back = |direction| page.at.clone().map(|at| Bookmark { direction, ..at });
    let end = stopped_at.clone().or_else(|| items.last().map(place));
    let begin = items.first().map(place);
    let bounded = stopped_at.is_some();
    let (older, newer) = match direction {
        Direction::Older => (
            end.filter(|_| more || bounded).map(|at| bookmark(Direction::Older, at)),
            begin.map_or_else(|| back(Direction::Newer), |at| Some(bookmark(Direction::Newer, at))),
        ),
        Direction::Newer => (
            begin.map_or_else(|| back(Direction::Older), |at| Some(bookmark(Direction::Older, at))),
            end.map_or_else(|| back(Direction::Newer), |at| Some(bookmark(Direction::Newer, at))),
        ),
    };
    if direction == Direction::Newer {
        items.reverse();
    }
    Listing { items, older, newer, bounded }
}

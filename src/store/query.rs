//! What can be asked: filters, pages and the rows that come back.
//!
//! Lists are ordered by time and key, newest first, and paged by key: a page stays what it was while rows arrive.

use std::fmt;
use std::sync::Arc;

use crate::model::delivery::{Attempt, Delivery, OutcomeKind, Skip, SkipReason, State};
use crate::model::event::Event;
use crate::model::finding::FindingState;
use crate::model::revision::{Origin, RevisionId};

/// Largest page.
pub const PAGE_MAX: usize = 250;

/// Which events. Empty fields ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Exact type, `prefix.*`, or `*`.
    pub kind: Option<String>,
    pub api: Option<String>,
    /// Event, correlation, causation or exchange id.
    pub id: Option<String>,
    /// Unix milliseconds of when it happened, inclusive.
    pub from_ms: Option<i64>,
    /// Exclusive.
    pub to_ms: Option<i64>,
    /// Text within type, subject or data, ASCII case ignored. Bounded: see [`Listing::bounded`].
    pub text: Option<String>,
}

/// Which deliveries. Empty fields ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub state: Option<State>,
    pub destination: Option<String>,
    /// Row of the event.
    pub event: Option<i64>,
    pub outcome: Option<OutcomeKind>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// Unix milliseconds of the creation, inclusive.
    pub from_ms: Option<i64>,
    /// Exclusive.
    pub to_ms: Option<i64>,
}

/// Which findings. Empty fields ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    pub api: Option<String>,
    /// Any of these; empty: all.
    pub states: Vec<FindingState>,
    pub kind: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE_MAX`].
    pub limit: usize,
    /// None: the newest.
    pub at: Option<Bookmark>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: PAGE_MAX, at: None }
    }
}

/// A place between two rows and the direction to read on. Its text is opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    pub(super) direction: Direction,
    pub(super) time_ms: i64,
    pub(super) key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Older,
    Newer,
}

impl Bookmark {
    /// Reads what [`fmt::Display`] wrote; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (direction, rest) = match text.split_at_checked(1)? {
            ("o", rest) => (Direction::Older, rest),
            ("n", rest) => (Direction::Newer, rest),
            _ => return None,
        };
        let (time, key) = rest.split_once('.')?;
        let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (plain && !key.is_empty()).then_some(())?;
        Some(Self { direction, time_ms: time.parse().ok()?, key: key.to_owned() })
    }
}

impl fmt::Display for Bookmark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Older => 'o',
            Direction::Newer => 'n',
        };
        write!(formatter, "{direction}{}.{}", self.time_ms, self.key)
    }
}

/// One page, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// Where older rows begin; none at the end.
    pub older: Option<Bookmark>,
    /// Where rows begin that are newer than this page; none when the page is empty.
    pub newer: Option<Bookmark>,
    /// The text search stopped at its limit of rows or time: older matches may exist behind `older`.
    pub bounded: bool,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub row: i64,
    pub event: Event,
}

/// What became of an event, destination by destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFate {
    pub deliveries: Vec<Delivery>,
    /// The first 100 in detail.
    pub skips: Vec<Skip>,
    /// The rest, counted by reason.
    pub further_skips: Vec<(SkipReason, u64)>,
}

/// An attempt as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    pub attempt: Attempt,
    /// False: begun and, as far as the log knows, without outcome.
    pub ended: bool,
}

/// A revision without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionSummary {
    pub id: RevisionId,
    pub api: Arc<str>,
    pub origin: Origin,
    pub created_ms: i64,
    pub parent: Option<RevisionId>,
    pub reason: String,
    pub bytes: u64,
}

/// Deliveries of one destination by state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCount {
    pub destination: String,
    pub state: State,
    pub count: u64,
}

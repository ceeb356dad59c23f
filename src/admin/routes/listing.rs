//! What lists have in common: size of a page, cursors, moments, and what a store that cannot answer means to the caller.
//!
//! Owns what a cursor is bound to: the route and the filter, not the size of the page.

use serde::Serialize;

use super::super::dto::{List, Time};
use super::super::problem::Refusal;
use super::call::Call;
use super::route::Json;
use crate::model::units::Span;
use crate::store::{self, Bookmark, Listing, Page};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 250;
/// Totals are exact up to here; beyond, nobody counts.
const TOTAL_MAX: usize = 10_000;

impl Call {
    /// The page that the query asks for: how many rows, and from which place on.
    pub(super) fn page<T>(
        &self,
        limit: Option<u32>,
        cursor: Option<&str>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(usize, Option<T>), Refusal> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let detail = format!("`limit` is 1 to {LIMIT_MAX}");
            return Err(Refusal::malformed("list.bad-limit", detail));
        }
        let open = |cursor| self.state.cursors.open(&self.question(), cursor, read);
        Ok((limit as usize, cursor.map(open).transpose()?))
    }

    /// [`Call::page`] of a list that the store keeps.
    pub(super) fn stored_page(
        &self,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page, Refusal> {
        let (limit, at) = self.page(limit, cursor, Bookmark::parse)?;
        Ok(Page { limit, at })
    }

    /// One page of a list with the cursors around it. `total` is none where nobody counts.
    pub(super) fn list<T: Serialize>(
        &self,
        items: Vec<T>,
        (older, newer): (Option<&str>, Option<&str>),
        total: Option<usize>,
    ) -> List<T> {
        let question = self.question();
        let seal = |place| self.state.cursors.seal(&question, place);
        List {
            items,
            next: older.map(seal),
            prev: newer.map(seal),
            total: total.filter(|count| *count <= TOTAL_MAX).map(|count| count as u64),
            complete: true,
            as_of: Time(self.state.clock.now_ms()),
        }
    }

    /// One page of a list that the store keeps, with a total that nobody counted.
    pub(super) fn stored<R, T: Serialize>(
        &self,
        listing: &Listing<R>,
        items: Vec<T>,
    ) -> Json<List<T>> {
        let text = |place: &Option<Bookmark>| place.as_ref().map(ToString::to_string);
        let (older, newer) = (text(&listing.older), text(&listing.newer));
        let list = self.list(items, (older.as_deref(), newer.as_deref()), None);
        Json(List { complete: !listing.bounded, ..list })
    }

    /// A list that is short enough for one page.
    pub(super) fn whole<T: Serialize>(&self, items: Vec<T>) -> Json<List<T>> {
        let total = items.len();
        Json(self.list(items, (None, None), Some(total)))
    }

    /// What a cursor belongs to: the path and the filter, whatever the order of its parameters.
    fn question(&self) -> String {
        let mut filter: Vec<_> = url::form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name != "cursor" && name != "limit")
            .collect();
        filter.sort();
        format!("{} {:?} {filter:?}", self.path, self.parameters)
    }

    /// Reads `since` or `until`: RFC 3339, or `-15m` from now. Unix milliseconds.
    pub(super) fn moment(&self, name: &str, text: Option<&str>) -> Result<Option<i64>, Refusal> {
        let Some(text) = text else { return Ok(None) };
        let relative = text.strip_prefix('-').and_then(Span::parse);
        let relative = relative.map(|span| self.state.clock.now_ms().saturating_sub(span.as_ms()));
        let absolute = || text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
        relative.or_else(absolute).map(Some).ok_or_else(|| {
            let refusal = Refusal::malformed("request.bad-parameter", "a moment cannot be read");
            let remedy = "write `2026-03-01T10:00:00Z`, or `-15m` for a quarter of an hour ago";
            refusal.at_parameter(name, format!("`{text}` is not a moment"), remedy.to_owned())
        })
    }
}

/// What an error of the store means to the caller.
pub(super) fn refuse_store(error: store::Error) -> Refusal {
    let refusal = match &error {
        store::Error::Cut => {
            return Refusal::unavailable("store.busy", "the question took too long; narrow it");
        }
        store::Error::DiskFull | store::Error::QuotaReached { .. } => Refusal::full("store.full"),
        store::Error::Conflict { .. } => {
            return Refusal::conflict(
                "event.conflict",
                "an event of this source and id has other content",
            );
        }
        store::Error::Closed => {
            Refusal::unavailable("store.unavailable", "the store does not answer")
        }
        _ => return Refusal::internal(error),
    };
    refusal.because(error)
}

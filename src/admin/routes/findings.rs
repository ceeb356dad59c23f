//! Findings: where APIs left their contract.
//!
//! Owns their list, whose order does not move while findings are updated, and what people decide about them. Refuses to own
//! their life cycle (`contract`).

use std::cmp::Reverse;

use super::super::dto::{
    AcceptOrder, Decision, Finding, FindingsQuery, List, MuteOrder, Nothing, PromoteOrder,
    Promoted, Promotion, Reason, RejectOrder, Time, finding_id,
};
use super::super::problem::Refusal;
use super::call::Call;
use super::listing::refuse_store;
use super::route::{Json, Route};
use crate::model::finding::{Finding as Record, FindingState, Severity};
use crate::store::FindingFilter;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/findings", "list_findings", "Findings, newest first", list)
            .codes(&["list.bad-limit", "list.cursor-mismatch"]),
        Route::get("/v1/findings/{id}", "show_finding", "One finding, by id or fingerprint", show)
            .codes(&["finding.not-found"]),
        decision(Route::post(
            "/v1/findings/{id}/acknowledge",
            "acknowledge_finding",
            "It is known: tell of it once a day at most",
            acknowledge,
        )),
        decision(Route::post(
            "/v1/findings/{id}/mute",
            "mute_finding",
            "Say nothing of it until a time or the next baseline",
            mute,
        ))
        .codes(&["finding.not-found", "finding.not-allowed", "request.invalid"]),
        Route::post(
            "/v1/findings/{id}/accept",
            "accept_finding",
            "Make its suggested patch part of the baseline",
            accept,
        )
        .codes(&["finding.not-found", "baseline.changed", "baseline.patch-refused"]),
        decision(Route::post(
            "/v1/findings/{id}/reject",
            "reject_finding",
            "The API is wrong, not the contract",
            reject,
        )),
        decision(Route::post(
            "/v1/findings/{id}/reopen",
            "reopen_finding",
            "Take a decision back",
            reopen,
        )),
    ]
}

fn decision(route: Route) -> Route {
    route.codes(&["finding.not-found", "finding.not-allowed"])
}

/// Where a finding stands in the list: by what never changes, so that pages stay what they were while findings are updated.
type Place = (Reverse<i64>, String);

/// A place and the direction to read on from it.
struct Cursor {
    is_older: bool,
    place: Place,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let (direction, rest) = text.split_at_checked(1)?;
        let (time_ms, id) = rest.split_once('.')?;
        let place = (Reverse(time_ms.parse().ok()?), id.to_owned());
        Some(Self { is_older: direction == "o", place })
    }

    fn write(direction: char, (Reverse(time_ms), id): &Place) -> String {
        format!("{direction}{time_ms}.{id}")
    }
}

async fn list(call: Call, query: FindingsQuery) -> Result<Json<List<Finding>>, Refusal> {
    let (limit, at) = call.page(query.limit, query.cursor.as_deref(), Cursor::read)?;
    let filter = FindingFilter { states: states(&query), ..FindingFilter::default() };
    let records = call.state.store.read(move |reader| reader.findings(&filter)).await;
    let records = records.map_err(refuse_store)?.into_iter().map(|record| record.finding);
    let mut found: Vec<(Place, Record)> = records
        .filter(|finding| is_meant(&query, finding))
        .map(|finding| ((Reverse(finding.first_seen_ms), finding_id(&finding)), finding))
        .collect();
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    let total = found.len();
    let page = window(&found, at.as_ref(), limit);
    let ends = (found.get(page.start), found.get(page.end.saturating_sub(1)));
    let newer = ends.0.map(|(place, _)| Cursor::write('n', place));
    let older = ends.1.filter(|_| page.end < total).map(|(place, _)| Cursor::write('o', place));
    let items = found.drain(page).map(|(_, finding)| Finding::from(finding)).collect();
    Ok(Json(call.list(items, (older.as_deref(), newer.as_deref()), Some(total))))
}

/// Which part of the sorted list a page is.
fn window(found: &[(Place, Record)], at: Option<&Cursor>, limit: usize) -> std::ops::Range<usize> {
    let before = |cursor: &Cursor| found.partition_point(|(place, _)| *place < cursor.place);
    let start = match at {
        None => 0,
        Some(cursor) if cursor.is_older => {
            found.partition_point(|(place, _)| *place <= cursor.place)
        }
        Some(cursor) => before(cursor).saturating_sub(limit),
    };
    let last = match at {
        Some(cursor) if !cursor.is_older => before(cursor),
        _ => found.len(),
    };
    start..last.min(start + limit)
}

/// The states asked for; without any, all but candidates, which are not yet findings to anybody.
fn states(query: &FindingsQuery) -> Vec<FindingState> {
    if query.state.is_empty() {
        let is_shown = |state: &FindingState| *state != FindingState::Candidate;
        return FindingState::ALL.iter().copied().filter(is_shown).collect();
    }
    query.state.iter().copied().map(FindingState::from).collect()
}

fn is_meant(query: &FindingsQuery, finding: &Record) -> bool {
    let any = |wanted: &[String], value: &str| {
        wanted.is_empty() || wanted.iter().any(|wanted| wanted == value)
    };
    any(&query.api, &finding.api)
        && any(&query.kind, finding.kind.as_str())
        && (query.severity.is_empty()
            || query.severity.iter().any(|wanted| Severity::from(*wanted) == finding.severity))
}

async fn show(call: Call, _: Nothing) -> Result<Json<Finding>, Refusal> {
    find(&call).await.map(|finding| Json(finding.into()))
}

/// The finding that the path names, by id or fingerprint.
async fn find(call: &Call) -> Result<Record, Refusal> {
    of(call, call.parameter("id").to_owned()).await
}

/// A finding by id or fingerprint.
pub(super) async fn of(call: &Call, wanted: String) -> Result<Record, Refusal> {
    let by_fingerprint = !wanted.starts_with("fnd_");
    let found = call.state.store.read(move |reader| {
        if by_fingerprint {
            return Ok(reader.findings_of(&wanted)?.into_iter().next());
        }
        let mut all = reader.findings(&FindingFilter::default())?.into_iter();
        Ok(all.find(|record| finding_id(&record.finding) == wanted))
    });
    let found = found.await.map_err(refuse_store)?;
    let missing = || Refusal::missing("finding.not-found", "no finding has this id or fingerprint");
    found.map(|record| record.finding).ok_or_else(missing)
}

async fn decide(
    call: &Call,
    decision: &Decision,
    reason: Option<&str>,
    action: &'static str,
) -> Result<Json<Finding>, Refusal> {
    let finding = find(call).await?;
    let name = (&*finding.api, finding.fingerprint.as_str());
    let history = (reason.unwrap_or_default(), call.actor());
    let decided = call.state.inventory.decide(name, decision, history).await?;
    call.tell_change(action, &decided.id);
    Ok(Json(decided))
}

async fn acknowledge(call: Call, order: Reason) -> Result<Json<Finding>, Refusal> {
    let reason = order.reason.as_deref();
    decide(&call, &Decision::Acknowledge, reason, "finding.acknowledge").await
}

async fn mute(call: Call, order: MuteOrder) -> Result<Json<Finding>, Refusal> {
    let until = match order.until.as_deref() {
        None | Some("revision") => None,
        Some(text) => Some(read_time(text)?),
    };
    decide(&call, &Decision::Mute(until), order.reason.as_deref(), "finding.mute").await
}

fn read_time(text: &str) -> Result<Time, Refusal> {
    let time = text.parse::<jiff::Timestamp>().map_err(|_| {
        let detail = "`until` is an RFC 3339 time, such as `2027-01-31T00:00:00Z`, or `revision`";
        Refusal::unprocessable("request.invalid", detail)
    })?;
    Ok(Time(time.as_millisecond()))
}

async fn accept(call: Call, order: AcceptOrder) -> Result<Json<Promoted>, Refusal> {
    let finding = find(&call).await?;
    let chosen = Promotion { id: finding.fingerprint.clone(), patch: order.patch };
    let order = PromoteOrder { findings: vec![chosen], base: order.base, reason: order.reason };
    let promoted = call.state.inventory.promote(&finding.api, &order, call.actor()).await?;
    call.tell_change("finding.accept", &finding_id(&finding));
    Ok(Json(promoted))
}

async fn reject(call: Call, order: RejectOrder) -> Result<Json<Finding>, Refusal> {
    let decision = Decision::Reject { url: order.url.unwrap_or_default() };
    decide(&call, &decision, order.reason.as_deref(), "finding.reject").await
}

async fn reopen(call: Call, order: Reason) -> Result<Json<Finding>, Refusal> {
    decide(&call, &Decision::Reopen, order.reason.as_deref(), "finding.reopen").await
}

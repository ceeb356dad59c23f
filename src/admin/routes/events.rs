//! Events: what happened, what became of it, and which types there are.
//!
//! Owns the questions to the event log. Refuses to own taking events in (`intake`).

use super::super::dto::{
    CloudEvent, Delivery, EventDetail, EventQuery, EventType, EventsQuery, List, Nothing, Skip,
    Test, Time,
};
use super::super::problem::Refusal;
use super::call::Call;
use super::destinations::Names;
use super::listing::refuse_store;
use super::route::{Access, AnyJson, Json, Route};
use crate::events::Pattern;
use crate::events::catalogue::{self, CATALOGUE};
use crate::model::event::Event;
use crate::store::{EventFilter, EventRow};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/events", "list_events", "Events, newest first", list).codes(&[
            "list.bad-limit",
            "list.cursor-mismatch",
            "store.busy",
        ]),
        Route::get("/v1/events/{id}", "show_event", "One event and what became of it", show)
            .codes(&["event.not-found"]),
        Route::get("/v1/event-types", "list_event_types", "Types that driftgate raises", types),
        Route::get(
            "/v1/schemas/{type}/{major}",
            "show_schema",
            "Schema of an event's data",
            schema,
        )
        .access(Access::Open)
        .codes(&["schema.not-found"]),
        Route::get("/v1/tests", "list_tests", "Ended contract tests, newest first", tests)
            .codes(&["list.bad-limit", "list.cursor-mismatch"]),
    ]
}

async fn list(call: Call, query: EventsQuery) -> Result<Json<List<CloudEvent>>, Refusal> {
    let page = call.stored_page(query.limit, query.cursor.as_deref())?;
    let filter = filter(&call, &query)?;
    let listing = call.state.store.read(move |reader| reader.events(&filter, &page)).await;
    let listing = listing.map_err(refuse_store)?;
    let written = listing.items.iter().map(|row| CloudEvent::of(&row.event));
    let items = written.collect::<Result<_, _>>().map_err(Refusal::internal)?;
    Ok(call.stored(&listing, items))
}

fn filter(call: &Call, query: &EventsQuery) -> Result<EventFilter, Refusal> {
    if let Some(text) = query.kind.as_deref().filter(|text| Pattern::parse(text).is_none()) {
        let refusal = Refusal::malformed("request.bad-parameter", "`type` cannot be read");
        let remedy = "write a type, `prefix.*` or `*`".to_owned();
        return Err(refusal.at_parameter("type", format!("`{text}` names no event"), remedy));
    }
    Ok(EventFilter {
        kind: query.kind.clone(),
        api: query.api.clone(),
        id: query.id.clone(),
        from_ms: call.moment("since", query.since.as_deref())?,
        to_ms: call.moment("until", query.until.as_deref())?,
        text: query.q.clone(),
    })
}

async fn show(call: Call, query: EventQuery) -> Result<Json<EventDetail>, Refusal> {
    let id = call.parameter("id").to_owned();
    let found = call.state.store.read(move |reader| {
        let is_meant =
            |row: &EventRow| query.source.as_ref().is_none_or(|it| *it == row.event.source);
        let Some(row) = reader.events_with_id(&id)?.into_iter().find(is_meant) else {
            return Ok(None);
        };
        let fate = reader.fate(row.row)?;
        Ok(Some((row.event, fate)))
    });
    let missing = || Refusal::missing("event.not-found", "no event that is kept has this id");
    let (event, fate) = found.await.map_err(refuse_store)?.ok_or_else(missing)?;
    let names = Names::of(&call.state);
    let deliveries = fate.deliveries.iter().map(|delivery| {
        Delivery::of(delivery, Some((&event).into()), names.find(&delivery.destination))
    });
    let skips = fate.skips.into_iter().map(|skip| Skip {
        destination_name: names.find(&skip.destination),
        destination: skip.destination,
        reason: skip.reason.as_str(),
        detail: skip.detail,
    });
    let further = fate.further_skips.into_iter();
    Ok(Json(EventDetail {
        event: CloudEvent::of(&event).map_err(Refusal::internal)?,
        deliveries: deliveries.collect(),
        skips: skips.collect(),
        further_skips: further.map(|(reason, n)| (reason.as_str().to_owned(), n)).collect(),
    }))
}

async fn types(call: Call, _: Nothing) -> Result<Json<List<EventType>>, Refusal> {
    let describe = |known: &catalogue::EventType| EventType {
        kind: known.name,
        display_name: known.display_name,
        class: known.class.as_str(),
        description: known.description,
        dataschema: known.schema_path(),
        schema: known.schema(),
        sample: known.sample(),
    };
    Ok(call.whole(CATALOGUE.iter().map(describe).collect()))
}

async fn schema(call: Call, _: Nothing) -> Result<AnyJson, Refusal> {
    let known = catalogue::find(call.parameter("type")).filter(|_| call.parameter("major") == "1");
    let missing = || Refusal::missing("schema.not-found", "no type of events has this schema");
    known.map(|known| AnyJson(known.schema())).ok_or_else(missing)
}

async fn tests(call: Call, query: EventsQuery) -> Result<Json<List<Test>>, Refusal> {
    let page = call.stored_page(query.limit, query.cursor.as_deref())?;
    let mut filter = filter(&call, &query)?;
    filter.kind = Some("contract.test.*".to_owned());
    let listing = call.state.store.read(move |reader| reader.events(&filter, &page)).await;
    let listing = listing.map_err(refuse_store)?;
    let items = listing.items.iter().map(|row| test(&row.event));
    let items = items.collect::<Result<_, _>>().map_err(Refusal::internal)?;
    Ok(call.stored(&listing, items))
}

fn test(event: &Event) -> Result<Test, serde_json::Error> {
    let data: serde_json::Value = serde_json::from_str(&event.data)?;
    Ok(Test {
        id: data["run"].as_str().unwrap_or(&event.id).to_owned(),
        result: event.kind.rsplit('.').next().unwrap_or_default().to_owned(),
        api: event.api().map(str::to_owned),
        time: Time(event.time_ms),
        event: event.id.clone(),
        data,
    })
}

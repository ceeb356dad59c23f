//! `POST /v1/events`: events from outside, as CloudEvents in structured, binary or batch form (`spec/delivery.md` 4).
//!
//! Owns what may come in. A batch is all or nothing, and the answer comes after the commit.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::value::RawValue;

use super::super::dto::Accepted;
use super::super::problem::Refusal;
use super::super::service::State;
use super::call::Call;
use super::listing::refuse_store;
use super::route::{Access, Answer, Output, Reply, Route, response};
use crate::events::catalogue;
use crate::events::cloudevent::{self, Binding};
use crate::model::event::Event;
use crate::model::problem::{Problem, Problems};
use crate::store::{Receipt, Stored};

const BATCH: &str = "application/cloudevents-batch+json";
const BATCH_MAX: usize = 100;
/// How far the clock of a sender may be ahead.
const AHEAD_MAX_MS: i64 = 3_600_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::raw("/v1/events", "post_events", "Take events from outside", post)
            .access(Access::Intake)
            .takes(&[cloudevent::STRUCTURED, BATCH, cloudevent::DATA])
            .codes(&[
                "event.malformed",
                "event.in-the-future",
                "event.reserved-type",
                "event.reserved-source",
                "event.conflict",
                "store.full",
            ]),
    ]
}

impl Answer for Accepted {
    fn output() -> Output {
        let schema: super::route::Describe = |generator| generator.subschema_for::<Self>();
        Output { status: 202, media: &["application/json"], schema: Some(schema) }
    }

    fn respond(self) -> Reply {
        let text = serde_json::to_vec(&self).map_err(Refusal::internal)?;
        Ok(response(StatusCode::ACCEPTED, "application/json", text))
    }
}

async fn post(call: Call, body: Body) -> Result<Accepted, Refusal> {
    let bytes = call.bytes(body).await?;
    let mut events = read(&call.headers, &bytes)?;
    admit(&call.state, &mut events)?;
    keep_first_times(&call.state, &mut events).await?;
    let receipt = call.state.bus.publish(events, Vec::new()).await.map_err(refuse_store)?;
    Ok(count(&receipt))
}

fn count(receipt: &Receipt) -> Accepted {
    let is_new = |stored: &&Stored| matches!(stored, Stored::New(_));
    let accepted = receipt.events.iter().filter(is_new).count();
    Accepted { accepted, duplicates: receipt.events.len() - accepted }
}

/// The events of a body, by its media type.
fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<Event>, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refusal::malformed("event.malformed", "the body is not UTF-8"))?;
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        cloudevent::STRUCTURED => one(cloudevent::parse_structured(text)),
        BATCH => batch(text),
        cloudevent::DATA if headers.contains_key("ce-specversion") => {
            let text_of =
                |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let attributes: Vec<(String, String)> = headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text_of(value)))
                .collect();
            let attributes = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            one(cloudevent::parse_binary(attributes, Binding::Http, text))
        }
        _ => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.media-type",
            format!(
                "send `{}`, `{BATCH}`, or `{}` with `ce-` headers",
                cloudevent::STRUCTURED,
                cloudevent::DATA
            ),
        )),
    }
}

fn one(read: Result<Event, Problem>) -> Result<Vec<Event>, Refusal> {
    read.map(|event| vec![event]).map_err(|problem| malformed(vec![problem]))
}

fn batch(text: &str) -> Result<Vec<Event>, Refusal> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        Refusal::malformed("event.malformed", format!("the batch is not a JSON array: {error}"))
    })?;
    if items.is_empty() || items.len() > BATCH_MAX {
        let detail = format!("a batch has 1 to {BATCH_MAX} events, this one {}", items.len());
        return Err(Refusal::malformed("event.malformed", detail));
    }
    let mut problems = Vec::new();
    let mut events = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match cloudevent::parse_structured(item.get()) {
            Ok(event) => events.push(event),
            Err(problem) => {
                let pointer = format!("/{index}{}", problem.pointer);
                problems.push(Problem { pointer, ..problem });
            }
        }
    }
    if problems.is_empty() { Ok(events) } else { Err(malformed(problems)) }
}

fn malformed(problems: Vec<Problem>) -> Refusal {
    Refusal::malformed("event.malformed", "the event cannot be read").with(&Problems(problems))
}

/// Refuses what only driftgate itself may say, and fills in what a sender may leave out.
fn admit(state: &State, events: &mut [Event]) -> Result<(), Refusal> {
    let now_ms = state.clock.now_ms();
    let own = format!("/{}", state.deployment);
    for event in events {
        if catalogue::find(&event.kind).is_some() {
            let detail = format!("`{}` is raised by driftgate alone", event.kind);
            return Err(Refusal::forbidden("event.reserved-type", detail));
        }
        if event
            .source
            .strip_prefix(&own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            let detail = format!("`{}` is a source of driftgate's own events", event.source);
            return Err(Refusal::forbidden("event.reserved-source", detail));
        }
        if event.time_ms > now_ms + AHEAD_MAX_MS {
            let detail = "`time` is more than an hour ahead".to_owned();
            return Err(Refusal::malformed("event.in-the-future", detail));
        }
        if event.partitionkey.is_empty() {
            event.partitionkey = event.subject.clone().unwrap_or_else(|| event.kind.clone());
        }
    }
    Ok(())
}

/// An event without a time happened when it was first posted: a repetition must be equal to what is stored.
async fn keep_first_times(state: &State, events: &mut [Event]) -> Result<(), Refusal> {
    let now_ms = state.clock.now_ms();
    for event in events.iter_mut().filter(|event| event.time_ms == 0) {
        let (source, id) = (event.source.clone(), event.id.clone());
        let known = state.store.read(move |reader| reader.event_of(&source, &id)).await;
        event.time_ms = known.map_err(refuse_store)?.map_or(now_ms, |row| row.event.time_ms);
    }
    Ok(())
}

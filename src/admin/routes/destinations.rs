//! Webhooks, actions, and their deliveries with every attempt.
//!
//! Owns joining what is configured with what the store counted and kept, and the two commands to a delivery. Refuses to own
//! what a command does (`deliver`).

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;

use super::super::dto::{
    Action, Attempt, CloudEvent, DeliveriesQuery, Delivery, DeliveryDetail, EventName, List,
    Nothing, PageQuery, RetryOrder, Webhook,
};
use super::super::problem::Refusal;
use super::super::service::State;
use super::call::Call;
use super::listing::refuse_store;
use super::route::{Answer, Json, Output, Reply, Route};
use crate::deliver::{self, Effect};
use crate::model::delivery as model;
use crate::model::hash::hexadecimal;
use crate::model::problem::nearest;
use crate::store::{self, DeliveryFilter, Listing, Page, Reader};

pub(super) fn routes() -> Vec<Route> {
    const LISTS: &[&str] = &["list.bad-limit", "list.cursor-mismatch", "destination.not-found"];
    vec![
        Route::get("/v1/webhooks", "list_webhooks", "All webhooks", webhooks),
        Route::get("/v1/webhooks/{id}", "show_webhook", "One webhook, by id or name", webhook)
            .codes(&["webhook.not-found"]),
        Route::get(
            "/v1/webhooks/{id}/deliveries",
            "list_webhook_deliveries",
            "Messages for one webhook, newest first",
            webhook_deliveries,
        )
        .codes(&["webhook.not-found", "list.bad-limit", "list.cursor-mismatch"]),
        Route::get("/v1/actions", "list_actions", "All actions", actions),
        Route::get("/v1/deliveries", "list_deliveries", "Deliveries, newest first", deliveries)
            .codes(LISTS),
        Route::get("/v1/deliveries/{id}", "show_delivery", "One delivery with its attempts", show)
            .codes(&["delivery.not-found"]),
        Route::post("/v1/deliveries/{id}/retry", "retry_delivery", "Attempt it now", retry).codes(
            &[
                "delivery.not-found",
                "delivery.payload-gone",
                "delivery.stopped",
                "webhook.inactive",
                "webhook.deleted",
            ],
        ),
        Route::post("/v1/deliveries/{id}/cancel", "cancel_delivery", "Give it up", cancel)
            .codes(&["delivery.not-found", "delivery.already-final", "delivery.stopped"]),
    ]
}

/// Longest nonce, bytes.
const NONCE_MAX: usize = 128;

/// Names of all destinations by id.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn of(state: &State) -> Self {
        let webhooks = state.directory.webhooks().into_iter().map(|it| (it.id, it.name));
        let actions = state.directory.actions().into_iter().map(|it| (it.id, it.name));
        Self(webhooks.chain(actions).collect())
    }

    pub(super) fn find(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }

    /// The id of a destination that is named by id or name. One that is gone can still be named by its id.
    fn id_of(&self, wanted: &str) -> Result<String, Refusal> {
        if wanted.starts_with("whk_") || wanted.starts_with("act_") || self.0.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        if let Some((id, _)) = self.0.iter().find(|(_, name)| *name == wanted) {
            return Ok(id.clone());
        }
        let detail = unknown("webhook or action", wanted, self.0.values().map(String::as_str));
        Err(Refusal::missing("destination.not-found", detail))
    }
}

fn unknown<'a>(what: &str, wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(wanted, known) {
        Some(near) => format!("no {what} is named `{wanted}`; did you mean `{near}`?"),
        None => format!("no {what} is named `{wanted}`"),
    }
}

/// Deliveries of each destination by state.
async fn counts(state: &State) -> Result<HashMap<String, BTreeMap<String, u64>>, Refusal> {
    let rows = state.store.read(Reader::delivery_counts).await.map_err(refuse_store)?;
    let mut counts: HashMap<String, BTreeMap<String, u64>> = HashMap::new();
    for row in rows {
        let of = counts.entry(row.destination).or_default();
        of.insert(row.state.as_str().to_owned(), row.count);
    }
    Ok(counts)
}

async fn all_webhooks(state: &State) -> Result<Vec<Webhook>, Refusal> {
    let mut counts = counts(state).await?;
    let mut webhooks = state.directory.webhooks();
    for webhook in &mut webhooks {
        webhook.deliveries = counts.remove(&webhook.id).unwrap_or_default();
        webhook.url = without_credentials(&webhook.url);
    }
    Ok(webhooks)
}

fn without_credentials(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.to_owned() };
    if url.username().is_empty() && url.password().is_none() {
        return text.to_owned();
    }
    // Both fail only for URLs that cannot have credentials.
    let masked = url.set_username("").and_then(|()| url.set_password(None));
    masked.map_or_else(|()| "***".to_owned(), |()| url.to_string())
}

async fn webhooks(call: Call, _: Nothing) -> Result<Json<List<Webhook>>, Refusal> {
    Ok(call.whole(all_webhooks(&call.state).await?))
}

async fn find_webhook(call: &Call) -> Result<Webhook, Refusal> {
    let wanted = call.parameter("id");
    let mut all = all_webhooks(&call.state).await?;
    if let Some(index) = all.iter().position(|it| it.id == wanted || it.name == wanted) {
        return Ok(all.swap_remove(index));
    }
    let detail = unknown("webhook", wanted, all.iter().map(|it| it.name.as_str()));
    Err(Refusal::missing("webhook.not-found", detail))
}

async fn webhook(call: Call, _: Nothing) -> Result<Json<Webhook>, Refusal> {
    find_webhook(&call).await.map(Json)
}

async fn webhook_deliveries(call: Call, query: PageQuery) -> Result<Json<List<Delivery>>, Refusal> {
    let webhook = find_webhook(&call).await?;
    let page = call.stored_page(query.limit, query.cursor.as_deref())?;
    let destination = Some(webhook.id);
    list(&call, DeliveryFilter { destination, ..DeliveryFilter::default() }, page).await
}

async fn actions(call: Call, _: Nothing) -> Result<Json<List<Action>>, Refusal> {
    let mut counts = counts(&call.state).await?;
    let mut actions = call.state.directory.actions();
    for action in &mut actions {
        action.deliveries = counts.remove(&action.id).unwrap_or_default();
    }
    Ok(call.whole(actions))
}

async fn deliveries(call: Call, query: DeliveriesQuery) -> Result<Json<List<Delivery>>, Refusal> {
    let page = call.stored_page(query.limit, query.cursor.as_deref())?;
    let names = Names::of(&call.state);
    let destination = query.destination.as_deref().map(|wanted| names.id_of(wanted)).transpose()?;
    let filter = DeliveryFilter {
        state: query.state.map(Into::into),
        destination,
        status: query.status,
        from_ms: call.moment("since", query.since.as_deref())?,
        to_ms: call.moment("until", query.until.as_deref())?,
        ..DeliveryFilter::default()
    };
    list(&call, filter, page).await
}

/// One page of deliveries, each with its event by name.
async fn list(
    call: &Call,
    filter: DeliveryFilter,
    page: Page,
) -> Result<Json<List<Delivery>>, Refusal> {
    let read = call.state.store.read(move |reader| {
        let Listing { items, older, newer, bounded } = reader.deliveries(&filter, &page)?;
        let named = items.into_iter().map(|delivery| {
            let event = event_name(reader, &delivery)?;
            Ok((delivery, event))
        });
        Ok(Listing { items: named.collect::<Result<Vec<_>, _>>()?, older, newer, bounded })
    });
    let mut listing = read.await.map_err(refuse_store)?;
    let names = Names::of(&call.state);
    let items = std::mem::take(&mut listing.items)
        .into_iter()
        .map(|(delivery, event)| Delivery::of(&delivery, event, names.find(&delivery.destination)));
    Ok(call.stored(&listing, items.collect()))
}

fn event_name(
    reader: &Reader,
    delivery: &model::Delivery,
) -> Result<Option<EventName>, store::Error> {
    let row = reader.event(delivery.event_sequence)?;
    Ok(row.as_ref().map(|row| (&row.event).into()))
}

async fn show(call: Call, _: Nothing) -> Result<Json<DeliveryDetail>, Refusal> {
    let id = call.parameter("id").to_owned();
    let found = call.state.store.read(move |reader| {
        let Some(delivery) = reader.delivery(&id)? else { return Ok(None) };
        let event = reader.event(delivery.event_sequence)?;
        let attempts = reader.attempts(&id)?;
        Ok(Some((delivery, event, attempts)))
    });
    let missing = || Refusal::missing("delivery.not-found", "no delivery that is kept has this id");
    let (delivery, event, attempts) = found.await.map_err(refuse_store)?.ok_or_else(missing)?;
    let event = event.map(|row| row.event);
    let payload = event.as_ref().map(CloudEvent::of).transpose().map_err(Refusal::internal)?;
    let name = Names::of(&call.state).find(&delivery.destination);
    let delivery = Delivery::of(&delivery, event.as_ref().map(EventName::from), name);
    let attempts = attempts.into_iter().map(|row| Attempt::of(row.attempt, row.ended)).collect();
    Ok(Json(DeliveryDetail { delivery, payload, attempts }))
}

/// The delivery after a command: 200 once it has had its effect, 202 while the attempt is under way.
struct Commanded {
    delivery: Delivery,
    is_done: bool,
}

impl Answer for Commanded {
    fn output() -> Output {
        Json::<Delivery>::output()
    }

    fn respond(self) -> Reply {
        let mut response = Json(self.delivery).respond()?;
        if !self.is_done {
            *response.status_mut() = StatusCode::ACCEPTED;
        }
        Ok(response)
    }
}

async fn retry(call: Call, order: RetryOrder) -> Result<Commanded, Refusal> {
    let id = call.parameter("id");
    let nonce = order.nonce.unwrap_or_else(|| hexadecimal(&call.state.rng.bytes::<16>()));
    if nonce.is_empty() || nonce.len() > NONCE_MAX {
        let message = format!("a nonce has 1 to {NONCE_MAX} bytes");
        let refusal = Refusal::unprocessable("request.invalid", "the body has wrong members");
        return Err(refusal.at_pointer("/nonce".to_owned(), message, String::new()));
    }
    let effect = call.state.deliver.retry(id, &nonce).await.map_err(refuse_command)?;
    call.tell_change("delivery.retry", id);
    commanded(&call, &effect).await
}

async fn cancel(call: Call, _: Nothing) -> Result<Commanded, Refusal> {
    let id = call.parameter("id");
    let effect = call.state.deliver.cancel(id).await.map_err(refuse_command)?;
    call.tell_change("delivery.cancel", id);
    commanded(&call, &effect).await
}

async fn commanded(call: &Call, effect: &Effect) -> Result<Commanded, Refusal> {
    let delivery = effect.delivery().clone();
    let read = call.state.store.read(move |reader| {
        let event = event_name(reader, &delivery)?;
        Ok((delivery, event))
    });
    let (delivery, event) = read.await.map_err(refuse_store)?;
    let name = Names::of(&call.state).find(&delivery.destination);
    let delivery = Delivery::of(&delivery, event, name);
    Ok(Commanded { delivery, is_done: matches!(effect, Effect::Done(_)) })
}

fn refuse_command(error: deliver::Error) -> Refusal {
    let (code, detail) = (error.code(), error.to_string());
    match error {
        deliver::Error::NotFound { .. } => Refusal::missing(code, detail),
        deliver::Error::AlreadyFinal { .. } => Refusal::conflict(code, detail).allowed(["retry"]),
        deliver::Error::Inactive | deliver::Error::DestinationDeleted => {
            Refusal::conflict(code, detail)
        }
        deliver::Error::PayloadGone => Refusal::gone(code, detail),
        deliver::Error::Stopped => Refusal::unavailable(code, detail),
        deliver::Error::Store(error) => refuse_store(error),
    }
}

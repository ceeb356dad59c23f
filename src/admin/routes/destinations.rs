//! Webhooks, actions, and their deliveries with every attempt.

use std::collections::{BTreeMap, HashMap};

use super::super::dto::{
    Action, Attempt, CloudEvent, DeliveriesQuery, Delivery, DeliveryDetail, EventName, List,
    Nothing, PageQuery, Webhook,
};
use super::super::problem::Refusal;
use super::super::service::State;
use super::call::Call;
use super::listing::refuse_store;
use super::route::{Json, Route};
use crate::model::delivery as model;
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
    ]
}

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
    let rows = state.store.read(|reader| reader.delivery_counts()).await.map_err(refuse_store)?;
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
    match all.iter().position(|webhook| webhook.id == wanted || webhook.name == wanted) {
        Some(index) => Ok(all.swap_remove(index)),
        None => {
            let detail = unknown("webhook", wanted, all.iter().map(|it| it.name.as_str()));
            Err(Refusal::missing("webhook.not-found", detail))
        }
    }
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
    reader: &Reader<'_>,
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

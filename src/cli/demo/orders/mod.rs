//! The API that the demo puts behind the proxy: a small shop over HTTP, in two releases.
//!
//! Owns routes, status codes and API keys. Release 2.0 changes one thing that no client was told: `total` of
//! `GET /orders/{orderId}` becomes a text. driftgate is never given a specification of this API. Refuses to own the shop's
//! rules (`shop`).

mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::{Value, json};

pub(super) use shop::{No, Shop, draw, pick};

use super::now;
use crate::runtime::clock::Clock;

/// The header with the API key.
pub(super) const KEY_HEADER: &str = "x-api-key";

/// The running API. Cheap to clone.
#[derive(Clone)]
pub(super) struct Orders(Arc<Inner>);

struct Inner {
    shop: Mutex<Shop>,
    keys: BTreeSet<String>,
    second_release: AtomicBool,
    answered: AtomicU64,
    clock: Clock,
}

type Answer = Result<Response, No>;

impl Orders {
    /// Release 1.0, open to whoever has one of the keys.
    pub(super) fn new(shop: Shop, keys: BTreeSet<String>, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            shop: Mutex::new(shop),
            keys,
            second_release: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            clock,
        }))
    }

    /// Puts release 2.0 in place of 1.0.
    pub(super) fn deploy_second_release(&self) {
        self.0.second_release.store(true, Ordering::Release);
    }

    pub(super) fn router(&self) -> Router {
        Router::new()
            .route("/products", get(products))
            .route("/products/{product}", get(product))
            .route("/stock", get(stock))
            .route("/customers", axum::routing::post(register))
            .route("/customers/{customer}", get(customer))
            .route("/orders", get(orders).post(order))
            .route("/orders/{order}", patch(change).get(order_details))
            .fallback(|| async { No::Unknown("page") })
            .layer(middleware::from_fn_with_state(self.clone(), authenticate))
            .with_state(self.clone())
    }

    fn now(&self) -> String {
        now(&self.0.clock)
    }
}

async fn authenticate(State(api): State<Orders>, request: Request, next: Next) -> Response {
    api.0.answered.fetch_add(1, Ordering::Relaxed);
    let key = key(request.headers());
    if key.is_some_and(|key| api.0.keys.contains(key)) {
        return next.run(request).await;
    }
    let body = json!({ "error": { "code": "unauthorized", "message": "an API key is needed" } });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn key(headers: &HeaderMap) -> Option<&str> {
    headers.get(KEY_HEADER)?.to_str().ok()
}

async fn products(
    State(api): State<Orders>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    let category = query.get("category").map(String::as_str);
    Ok(Json(api.0.shop.lock().products(category)).into_response())
}

async fn product(State(api): State<Orders>, Path(id): Path<String>) -> Answer {
    let product = api.0.shop.lock().product(number(&id, "product")?)?;
    Ok(Json(product).into_response())
}

async fn stock(State(api): State<Orders>) -> Answer {
    let now = api.now();
    Ok(Json(api.0.shop.lock().stock(&now)).into_response())
}

async fn customer(State(api): State<Orders>, Path(id): Path<String>) -> Answer {
    Ok(Json(api.0.shop.lock().customer(&id)?).into_response())
}

async fn register(State(api): State<Orders>, Json(body): Json<Value>) -> Answer {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let now = api.now();
    let customer = api.0.shop.lock().register(text("name"), text("email"), &now)?;
    Ok((StatusCode::CREATED, Json(customer)).into_response())
}

async fn orders(
    State(api): State<Orders>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    let limit = match query.get("limit").map(|limit| limit.parse::<usize>()) {
        None => 20,
        Some(Ok(limit @ 1..=100)) => limit,
        Some(_) => return Err(No::Invalid("limit must lie between 1 and 100")),
    };
    let status = query.get("status").map(String::as_str);
    Ok(Json(api.0.shop.lock().orders(status, limit)?).into_response())
}

async fn order(State(api): State<Orders>, Json(body): Json<Value>) -> Answer {
    let customer = body.get("customerId").and_then(Value::as_str);
    let customer = customer.ok_or(No::Invalid("customerId is missing"))?;
    let lines = body.get("lines").and_then(Value::as_array);
    let lines = lines.ok_or(No::Invalid("lines are missing"))?;
    let number = |line: &Value, name: &str| {
        let number = line.get(name).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
    };
    let lines: Vec<(u32, u32)> =
        lines.iter().map(|line| (number(line, "productId"), number(line, "quantity"))).collect();
    let note = body.get("note").and_then(Value::as_str);
    let now = api.now();
    let mut shop = api.0.shop.lock();
    let id = shop.order(customer, &lines, note, &now)?;
    let location = [("location", format!("/orders/{id}"))];
    Ok((StatusCode::CREATED, location, Json(shop.order_details(id)?)).into_response())
}

async fn order_details(State(api): State<Orders>, Path(id): Path<String>) -> Answer {
    let mut order = api.0.shop.lock().order_details(number(&id, "order")?)?;
    if api.0.second_release.load(Ordering::Acquire)
        && let Some(total) = order.get_mut("total")
    {
        *total = Value::String(format!("{:.2}", total.as_f64().unwrap_or_default()));
    }
    Ok(Json(order).into_response())
}

async fn change(
    State(api): State<Orders>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let id = number(&id, "order")?;
    let status = body.get("status").and_then(Value::as_str);
    let status = status.ok_or(No::Invalid("status is missing"))?;
    let mut shop = api.0.shop.lock();
    shop.change_status(id, status)?;
    Ok(Json(json!({ "orderId": id, "status": status })).into_response())
}

/// Ids are numbers; another text names nothing.
fn number(id: &str, what: &'static str) -> Result<u32, No> {
    id.parse().map_err(|_| No::Unknown(what))
}

impl axum::response::IntoResponse for No {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Unknown(what) => (StatusCode::NOT_FOUND, "not_found", format!("no such {what}")),
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", why.to_owned()),
            Self::Conflict(why) => (StatusCode::CONFLICT, "conflict", why.to_owned()),
        };
        (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
    }
}

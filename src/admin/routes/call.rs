//! One call while it is being answered: who makes it, its path parameters, and its body within limits.
//!
//! Owns reading the body in bounded size and time. Refuses to own what the body means (`fields`).

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::problem::Refusal;
use super::super::service::State;
use super::super::token::Caller;
use super::fields::{Fields, Place};
use crate::telemetry::signals::admin as signals;

/// By which listener a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Entrance {
    /// `admin.address`.
    Main,
    /// `admin.health_address`.
    Health,
}

/// What is known of a call before it is routed.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) trace_id: Arc<str>,
    /// None on a Unix socket.
    pub(super) from: Option<IpAddr>,
    pub(super) entrance: Entrance,
}

/// A call that may be answered.
pub(super) struct Call {
    pub(super) state: Arc<State>,
    pub(super) trace_id: Arc<str>,
    /// None on routes that need no token.
    pub(super) caller: Option<Caller>,
    pub(super) headers: HeaderMap,
    pub(super) parameters: Vec<(Box<str>, String)>,
    /// Of the route, with `{parameter}`s.
    pub(super) path: &'static str,
    pub(super) query: String,
}

impl Call {
    /// A parameter of the path template.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| **known == *name);
        found.map_or("", |(_, value)| value)
    }

    /// Name of the token, for histories.
    pub(super) fn actor(&self) -> &str {
        self.caller.as_ref().map_or("nobody", |caller| &caller.name)
    }

    /// Tells that this call changed something.
    pub(super) fn tell_change(&self, action: &'static str, target: &str) {
        signals::Changed { actor: self.actor(), action, target, trace_id: &self.trace_id }.tell();
    }

    /// The body as an order; an empty one is the order without members.
    pub(super) async fn order<T: DeserializeOwned>(
        &self,
        body: Body,
        fields: &Fields,
    ) -> Result<T, Refusal> {
        let bytes = self.bytes(body).await?;
        if bytes.is_empty() {
            return fields.read(&Map::new(), Place::Body);
        }
        if !is_json(&self.headers) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request.media-type",
                "send `Content-Type: application/json`",
            ));
        }
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::malformed("request.bad-json", error.to_string()))?;
        match value {
            Value::Object(members) => fields.read(&members, Place::Body),
            _ => Err(Refusal::unprocessable("request.invalid", "the body is not an object")),
        }
    }

    /// The whole body, within the limits of size and time.
    pub(super) async fn bytes(&self, body: Body) -> Result<Bytes, Refusal> {
        let limits = &self.state.options.limits;
        let length = self.headers.get(CONTENT_LENGTH).and_then(|text| text.to_str().ok());
        if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|it| it > limits.body.0) {
            return Err(self.too_large());
        }
        let body = Limited::new(body, limits.body.as_len());
        let collected = tokio::select! {
            collected = body.collect() => collected,
            () = self.state.clock.sleep(limits.body_time.0) => {
                self.state.counters.limit_hit("body_time");
                let detail = format!("the body took longer than {}", limits.body_time);
                let status = StatusCode::REQUEST_TIMEOUT;
                return Err(Refusal::new(status, "request.body-timeout", detail));
            }
        };
        match collected {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(self.too_large()),
            Err(_) => {
                Err(Refusal::malformed("request.bad-body", "the body broke off or is malformed"))
            }
        }
    }

    fn too_large(&self) -> Refusal {
        self.state.counters.limit_hit("body");
        let detail = format!("at most {} are read", self.state.options.limits.body);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too-large", detail)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

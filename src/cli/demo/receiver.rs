//! Who is told: a webhook receiver that believes nobody without a signature that fits.
//!
//! Owns checking and keeping what came. It uses the checking side of Standard Webhooks alone, on the bytes as they came.
//! Refuses to own what the events mean.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::Value;

use crate::cli::console::say_line;
use crate::deliver::sign::{
    ID_HEADER, Key, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER, TOLERANCE_SECONDS, verify,
};
use crate::runtime::clock::Clock;

/// A request as it was received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// Header names and values, in order.
    pub(super) headers: Vec<(String, String)>,
    pub(super) event: Value,
    pub(super) bytes: usize,
    /// Why it was not believed; none: verified.
    pub(super) mistrust: Option<String>,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What came, and whether it is believed.
    fn line(&self) -> String {
        let text = |key: &str| self.event[key].as_str().unwrap_or("-").to_owned();
        let trust = self.mistrust.as_deref().unwrap_or("verified");
        format!("{}  {}  {}  {trust}", text("type"), text("subject"), text("id"))
    }
}

/// The receiver. Cheap to clone.
#[derive(Clone)]
pub(super) struct Receiver {
    key: Key,
    clock: Clock,
    received: Arc<Mutex<Vec<Received>>>,
    is_aloud: bool,
}

impl Receiver {
    pub(super) fn new(key: Key, clock: Clock) -> Self {
        Self { key, clock, received: Arc::default(), is_aloud: false }
    }

    /// Says a line for each request instead of keeping it: for a receiver that runs on.
    pub(super) fn aloud(self) -> Self {
        Self { is_aloud: true, ..self }
    }

    pub(super) fn router(&self) -> Router {
        Router::new().route("/hooks/driftgate", post(receive)).with_state(self.clone())
    }

    /// The verified event of this type that came first.
    pub(super) fn verified(&self, kind: &str) -> Option<Received> {
        let received = self.received.lock();
        let matches = |one: &&Received| one.mistrust.is_none() && one.event["type"] == kind;
        received.iter().find(matches).cloned()
    }

    /// What was not believed, with the reason.
    pub(super) fn doubted(&self) -> Vec<String> {
        self.received.lock().iter().filter_map(|one| one.mistrust.clone()).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Signed {
        id: text(ID_HEADER),
        timestamp: text(TIMESTAMP_HEADER),
        signature: text(SIGNATURE_HEADER),
        body: &body,
    };
    let now = receiver.clock.now_ms() / 1_000;
    let verdict = verify(std::slice::from_ref(&receiver.key), signed, now, TOLERANCE_SECONDS);
    let one = Received {
        headers: headers
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())
            })
            .collect(),
        event: serde_json::from_slice(&body).unwrap_or_default(),
        bytes: body.len(),
        mistrust: verdict.err().map(|why| why.to_string()),
    };
    let status =
        if one.mistrust.is_none() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED };
    if receiver.is_aloud {
        say_line(&one.line());
    } else {
        receiver.received.lock().push(one);
    }
    status
}

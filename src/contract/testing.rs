//! Builders for the tests of this folder: exchanges and baselines in one line each.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::model::capture::Outcome;
use crate::model::exchange::{
    Body, Credential, CredentialKind, CredentialPlace, Exchange, Field, Message, Text,
};
use crate::model::media::MediaType;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, RevisionId};

use super::baseline::Baseline;
use super::load::{LoadOptions, load};

/// A baseline of a document written as YAML or JSON.
pub(crate) fn baseline(text: &str) -> Baseline {
    let (specification, _) =
        load(text, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let revision = RevisionId::of(&specification.document);
    Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/")
}

/// `METHOD /path?query`, answered with a status and no bodies.
pub(crate) fn exchange(line: &str, status: u16) -> Exchange {
    let (method, target) = line.split_once(' ').expect("METHOD /path");
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    Exchange {
        id: "0190f5c0-0000-7000-8000-000000000000".to_owned(),
        api: "orders".into(),
        time_ms: 1_700_000_000_000,
        duration_us: 1_000,
        outcome: Outcome::Ok,
        own_test: false,
        weight: 1,
        consumer: 1,
        secure: false,
        host: Some("localhost".to_owned()),
        authority: Some("localhost:8080".to_owned()),
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        credentials: Vec::new(),
        request: Message::default(),
        status,
        response: Message::default(),
        plan: Arc::new(Plan::default()),
    }
}

/// What tests change about an exchange.
pub(crate) trait Build: Sized {
    fn sent(self, body: &Value) -> Self;
    fn sent_as(self, media: &str, body: &str) -> Self;
    fn answered(self, body: &Value) -> Self;
    fn answered_as(self, media: &str, body: &str) -> Self;
    fn request_field(self, name: &str, value: &str) -> Self;
    fn response_field(self, name: &str, value: &str) -> Self;
    fn bearer(self) -> Self;
    fn credential(self, kind: CredentialKind, place: CredentialPlace, name: &str) -> Self;
    fn by(self, consumer: u64) -> Self;
    fn at(self, time_ms: i64) -> Self;
    fn hiding(self, places: &[&str]) -> Self;
}

impl Build for Exchange {
    fn sent(self, body: &Value) -> Self {
        self.sent_as("application/json", &body.to_string())
    }

    fn sent_as(mut self, media: &str, body: &str) -> Self {
        fill(&mut self.request, media, body);
        self
    }

    fn answered(self, body: &Value) -> Self {
        self.answered_as("application/json", &body.to_string())
    }

    fn answered_as(mut self, media: &str, body: &str) -> Self {
        fill(&mut self.response, media, body);
        self
    }

    fn request_field(mut self, name: &str, value: &str) -> Self {
        self.request.fields.push(field(name, value));
        self
    }

    fn response_field(mut self, name: &str, value: &str) -> Self {
        self.response.fields.push(field(name, value));
        self
    }

    fn bearer(self) -> Self {
        self.credential(CredentialKind::Bearer, CredentialPlace::Header, "authorization")
    }

    fn credential(mut self, kind: CredentialKind, place: CredentialPlace, name: &str) -> Self {
        if place == CredentialPlace::Header {
            let value = Text::Redacted(20);
            self.request.fields.push(Field { name: name.into(), value });
        }
        self.credentials.push(Credential { kind, place, name: name.into() });
        self
    }

    fn by(mut self, consumer: u64) -> Self {
        self.consumer = consumer;
        self
    }

    fn at(mut self, time_ms: i64) -> Self {
        self.time_ms = time_ms;
        self
    }

    fn hiding(mut self, places: &[&str]) -> Self {
        let places: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
        self.plan = Arc::new(Plan::new(&[], &[], &places));
        self
    }
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.into(), value: Text::Plain(value.into()) }
}

fn fill(message: &mut Message, media: &str, body: &str) {
    message.media = MediaType::parse(media);
    message.media_malformed = message.media.is_none() && !media.is_empty();
    if !media.is_empty() {
        message.fields.push(field("content-type", media));
    }
    message.wire_bytes = body.len() as u64;
    message.body = Body::Bytes { bytes: Bytes::from(body.to_owned()), truncated: false };
}

//! From a capture to an exchange: the one place where raw traffic is read, and where what must not be read stays behind.
//!
//! Owns the order: heads are redacted before anybody sees a value, bodies are decoded under limits and travel with the plan
//! that every reader of them must apply (`spec/proxy.md` 10). Refuses to own learning, judging and the loop guard's keys.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::decode::{self, Framing};
use super::head::{self, RawField, RequestHead, Target};
use super::options::Options;
use super::redact::{self, Credentials};
use crate::model::api::normalise_host;
use crate::model::capture::{Capture, CapturedBody, Part};
use crate::model::exchange::{Body, Exchange, Message};
use crate::model::hash::HashKey;
use crate::model::id;
use crate::model::media::MediaType;
use crate::model::redaction::Plan;

/// Says whether a `driftgate-chain` value is the genuine mark of a request of our own contract tests.
pub type OwnTest = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A decoded body may be so many times the kept prefix.
const DECODED_PER_KEPT: usize = 4;

/// Opens captures. Cheap to clone; clones share their counter.
#[derive(Clone)]
pub struct Border {
    key: HashKey,
    instance: Box<str>,
    request_limit: usize,
    response_limit: usize,
    own_test: OwnTest,
    failures: Arc<AtomicU64>,
}

/// One direction as it was captured.
struct Raw<'a> {
    fields: &'a [RawField<'a>],
    body: &'a CapturedBody,
    /// Whether content codings were undone by whoever recorded it.
    decoded: bool,
}

impl Border {
    /// `key` tells consumers apart without keeping them; `instance` makes ids of this process its own.
    #[must_use]
    pub fn new(key: HashKey, instance: &str, options: &Options, own_test: OwnTest) -> Self {
        Self {
            key,
            instance: instance.into(),
            request_limit: options.request_body.as_len().saturating_mul(DECODED_PER_KEPT),
            response_limit: options.response_body.as_len().saturating_mul(DECODED_PER_KEPT),
            own_test,
            failures: Arc::default(),
        }
    }

    /// The redacted exchange; none for the end record of a stream and for heads that cannot be read.
    #[must_use]
    pub fn open(&self, capture: &Capture, plan: &Arc<Plan>) -> Option<Exchange> {
        if capture.part == Part::End {
            return None;
        }
        let head = RequestHead::parse(capture.heads.request())?;
        let target = Target::split(head.target);
        let authority = target.authority.or_else(|| head.field("host")).map(head::text);
        let mut credentials = Credentials::new(&self.key);
        if let Some(query) = target.query {
            credentials.see_query(query);
        }
        for field in &head.fields {
            credentials.see_field(&field.lower_name(), field.value);
        }
        let response_fields = head::response_fields(capture.heads.response());
        let decoded = capture.decoded;
        let request = Raw { fields: &head.fields, body: &capture.request, decoded };
        let response = Raw { fields: &response_fields, body: &capture.response, decoded };
        Some(Exchange {
            id: self.exchange_id(capture),
            api: Arc::clone(&capture.api),
            time_ms: capture.wall_ms,
            duration_us: capture.stamps.end.saturating_sub(capture.stamps.start) / 1_000,
            outcome: capture.outcome,
            own_test: self.is_own_test(&head),
            weight: capture.weight,
            consumer: credentials.consumer(capture.client),
            secure: capture.tls,
            host: authority.as_deref().map(normalise_host),
            authority: authority.map(String::from),
            method: head::text(head.method).into(),
            path: head::text(target.path).into(),
            query: target.query.map(|query| redact::query(query, plan)),
            credentials: credentials.found,
            request: self.message(&request, self.request_limit, plan),
            status: capture.status,
            response: self.message(&response, self.response_limit, plan),
            plan: Arc::clone(plan),
        })
    }

    /// Bodies that could not be decoded so far.
    #[must_use]
    pub fn decode_failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// The counter behind [`Border::decode_failures`], for the registry of metrics.
    #[must_use]
    pub fn decode_failure_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.failures)
    }

    /// Derived, not drawn: the same capture of one instance has one id.
    fn exchange_id(&self, capture: &Capture) -> String {
        let mut seed = self.instance.as_bytes().to_vec();
        seed.extend(capture.sequence.to_be_bytes());
        seed.extend(capture.stamps.start.to_be_bytes());
        let (low, high) = (self.key.hash(&seed), {
            seed.push(0);
            self.key.hash(&seed)
        });
        let mut random = [0; 10];
        random[..8].copy_from_slice(&low.to_be_bytes());
        random[8..].copy_from_slice(&high.to_be_bytes()[..2]);
        id::time_ordered(capture.wall_ms, random)
    }

    fn is_own_test(&self, head: &RequestHead<'_>) -> bool {
        head.field("driftgate-chain")
            .and_then(|value| std::str::from_utf8(value).ok())
            .is_some_and(|value| (self.own_test)(value))
    }

    fn message(&self, raw: &Raw<'_>, limit: usize, plan: &Plan) -> Message {
        let Raw { fields, body: captured, decoded } = raw;
        let values = |name: &'static [u8]| {
            let named = move |field: &&RawField<'_>| field.name.eq_ignore_ascii_case(name);
            fields.iter().filter(named).map(|field| field.value)
        };
        let content_type = values(b"content-type").next().map(head::text);
        let media = content_type.as_deref().and_then(MediaType::parse);
        let codings = if *decoded { Vec::new() } else { values(b"content-encoding").collect() };
        let framing = Framing { codings, media: media.as_ref() };
        let body = decode::body(captured, &framing, limit).unwrap_or_else(|_| {
            self.failures.fetch_add(1, Relaxed);
            Body::Opaque
        });
        Message {
            fields: fields.iter().map(|field| redact::field(field, plan)).collect(),
            media_malformed: content_type.is_some() && media.is_none(),
            media,
            body,
            wire_bytes: captured.total,
        }
    }
}

impl fmt::Debug for Border {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Border").field("instance", &self.instance).finish_non_exhaustive()
    }
}

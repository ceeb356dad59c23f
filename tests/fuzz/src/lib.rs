//! What the fuzz targets share: bytes made into an exchange by the way that real traffic goes, and all that analysis does with it.
//!
//! Owns nothing of the product: everything here goes through its public front. `tests/fuzz/run` says how the targets are run.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use driftgate::capture::recorded::Frame;
use driftgate::capture::{Border, Options, Redact, ndjson};
use driftgate::contract::{Baseline, LoadOptions, Proofs, Specification, load};
use driftgate::infer::{self, Evidence, ProjectOptions, View};
use driftgate::model::exchange::Exchange;
use driftgate::model::hash::HashKey;
use driftgate::model::revision::{Origin, RevisionId};
use driftgate::observe::{Lens, Observer};
use serde_json::{Value, json};

/// Bytes up to the first line feed, and those after it.
#[must_use]
pub fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|&byte| byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// One exchange: `target` in the request line, `body` both ways as `media`.
#[must_use]
pub fn record(target: &str, media: &str, body: &[u8]) -> Value {
    let body = STANDARD.encode(body);
    json!({
        "time": "2026-01-01T00:00:00Z",
        "request": {
            "method": "POST",
            "url": format!("http://api.example.com{target}"),
            "headers": [["content-type", media], ["x-fuzz", target], ["cookie", target]],
            "base64": body,
        },
        "response": { "status": 200, "headers": [["content-type", media]], "base64": body },
    })
}

/// What the border makes of a record of a file.
#[must_use]
pub fn open(record: &[u8], read: Read) -> Option<Exchange> {
    let options = Options::default();
    let frame = Frame {
        api: "fuzz".into(),
        request_cap: options.request_body.as_len(),
        response_cap: options.response_body.as_len(),
    };
    let capture = read(record, &frame).ok()?;
    let border = Border::new(HashKey::OFFLINE, "fuzz", &options, Arc::new(|_| false));
    border.open(&capture, &Arc::new(Redact::default().plan()))
}

/// A reader of one record.
pub type Read = fn(
    &[u8],
    &Frame,
) -> Result<driftgate::model::capture::Capture, driftgate::capture::recorded::Unusable>;

/// An exchange of [`record`].
#[must_use]
pub fn exchange(target: &str, media: &str, body: &[u8]) -> Option<Exchange> {
    open(record(target, media, body).to_string().as_bytes(), ndjson::capture)
}

/// Learns an exchange often enough to be stated, and writes both views: each must be a document that our own reader takes.
pub fn learn(exchange: &Exchange) {
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let mut evidence = Evidence::new("fuzz", HashKey::OFFLINE.id());
    for _ in 0..3 {
        infer::learn(&mut evidence, observer.observe(exchange));
    }
    documents(&evidence);
    let bytes = infer::encode(&evidence);
    let again = infer::decode(&bytes).expect("what was written is read");
    assert_eq!(infer::encode(&again), bytes, "equal evidence, equal bytes");
}

/// Writes both views of evidence and reads them back.
pub fn documents(evidence: &Evidence) {
    for view in [View::Strict, View::Permissive] {
        let options = ProjectOptions { view, ..ProjectOptions::default() };
        let text = infer::yaml::write(&infer::project(evidence, &options).document);
        if let Err(problems) = load(&text, &LoadOptions::default()) {
            panic!("the document cannot be read: {problems}\n{text}");
        }
    }
}

/// A specification, or nothing for a text that is none.
#[must_use]
pub fn specification(text: &str) -> Option<Specification> {
    load(text, &LoadOptions::default()).ok().map(|(specification, _)| specification)
}

/// A document of one operation whose bodies have `schema`.
#[must_use]
pub fn document(schema: &Value) -> String {
    let content = json!({ "application/json": { "schema": schema } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "fuzz", "version": "1" },
        "paths": { "/things/{id}": { "post": {
            "parameters": [
                { "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } },
                { "name": "tags", "in": "query", "explode": false,
                  "schema": { "type": "array", "items": { "type": "string", "format": "date" } } },
                { "name": "filter", "in": "query", "style": "deepObject",
                  "schema": { "type": "object", "properties": { "size": { "type": "number" } } } },
                { "name": "x-fuzz", "in": "header", "schema": { "type": "string", "pattern": "^[a-z/]+$" } },
                { "name": "session", "in": "cookie", "schema": { "type": "boolean" } },
            ],
            "requestBody": { "content": {
                "application/json": { "schema": schema },
                "application/x-www-form-urlencoded": { "schema": schema },
                "multipart/form-data": { "schema": schema },
            } },
            "responses": { "200": { "description": "ok", "content": content } },
        } } },
    })
    .to_string()
}

/// Judges an exchange as it is and by what was proven of one like it: the two must say the same.
pub fn judge(specification: Specification, exchange: &Exchange) {
    let revision = RevisionId::of(&specification.document);
    let baseline = Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/");
    let full = baseline.judge(exchange);
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let mut proofs = Proofs::new(HashKey::OFFLINE);
    for _ in 0..3 {
        let observation = observer.observe(exchange);
        let known = baseline.judge_observed(exchange, observation, &mut proofs);
        assert_eq!(known.deviations, full.deviations, "a proof says what judging says");
    }
}

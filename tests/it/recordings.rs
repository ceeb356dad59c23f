//! Recorded traffic held against a document, off the wire: what the server documents raises nothing.
//!
//! Runs on a recording of our own. `DRIFTGATE_TRUTHS` names files (separated by `:`) `document=recording.har`: the findings of
//! each are printed, to be looked into by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use driftgate::capture::recorded::Frame;
use driftgate::capture::{Border, Options, Redact, har};
use driftgate::contract::{self, Baseline, Drift, LoadOptions, Validity};
use driftgate::model::finding::Finding;
use driftgate::model::hash::HashKey;
use driftgate::model::revision::{Origin, RevisionId};
use serde_json::{Value, json};

use super::support::har::shop;

/// What became of one recording.
#[derive(Default)]
struct Held {
    judged: usize,
    unvalidatable: BTreeMap<&'static str, usize>,
    findings: Vec<Finding>,
    microseconds: u128,
}

fn baseline(text: &str) -> Baseline {
    let (specification, _) = contract::load(text, &LoadOptions::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    let revision = RevisionId::of(&specification.document);
    Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/")
}

fn hold(document: &str, recording: &Value) -> Held {
    let options = Options::default();
    let key = HashKey::new([7; 16]);
    let border = Border::new(key, "offline", &options, Arc::new(|_| false));
    let plan = Arc::new(Redact::default().plan());
    let frame = Frame {
        api: "api".into(),
        request_cap: options.request_body.as_len(),
        response_cap: options.response_body.as_len(),
    };
    let baseline = baseline(document);
    let mut drift = Drift::new("api".into(), contract::Options::default());
    let mut held = Held::default();
    let entries = recording["log"]["entries"].as_array().expect("entries");
    let mut captures: Vec<_> = entries
        .iter()
        .filter_map(|entry| har::capture(&serde_json::to_vec(entry).ok()?, &frame).ok())
        .collect();
    captures.sort_by_key(|capture| capture.wall_ms);
    let exchanges: Vec<_> =
        captures.iter().filter_map(|capture| border.open(capture, &plan)).collect();
    let begun = Instant::now();
    for exchange in &exchanges {
        let judgement = baseline.judge(exchange);
        held.judged += usize::from(judgement.skipped.is_none());
        for validity in [judgement.request, judgement.reply] {
            if let Validity::Unvalidatable(reason) = validity {
                *held.unvalidatable.entry(reason.as_str()).or_default() += 1;
            }
        }
        drift.count(&baseline, exchange, &judgement);
    }
    held.microseconds = begun.elapsed().as_micros();
    drift.changed();
    held.findings = drift.findings().cloned().collect();
    held
}

#[test]
fn documented_traffic_raises_nothing() {
    let item = json!({"type": "object", "required": ["id", "name", "price", "tags"], "properties": {
        "id": {"type": "string", "format": "uuid"}, "name": {"type": "string"},
        "price": {"type": "integer"}, "note": {"type": ["string", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}}}});
    let answer = |schema: &Value| json!({"description": "", "content": {"application/json": {"schema": schema}}});
    let document = json!({"openapi": "3.1.0", "paths": {
        "/items": {
            "get": {
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
                "responses": {"200": answer(&json!({"type": "object", "properties": {
                    "items": {"type": "array", "items": item}, "total": {"type": "integer"}}}))}},
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object",
                    "properties": {"name": {"type": "string"}, "price": {"type": "integer"}}}}}},
                "responses": {"201": answer(&item)}}},
        "/items/{id}": {
            "get": {"responses": {"200": answer(&item)}},
            "delete": {"responses": {"204": {"description": ""}}}}}});
    let held = hold(&document.to_string(), &shop(1_200));
    assert_eq!(held.judged, 1_200);
    let told: Vec<&String> = held.findings.iter().map(|finding| &finding.message).collect();
    assert!(told.is_empty(), "{told:#?}");
    for pair in std::env::var("DRIFTGATE_TRUTHS").unwrap_or_default().split(':') {
        if let Some((document, recording)) = pair.split_once('=') {
            show(document, recording);
        }
    }
}

fn show(document: &str, recording: &str) {
    let read = |path: &str| std::fs::read_to_string(path).expect("a readable file");
    let held = hold(&read(document), &serde_json::from_str(&read(recording)).expect("JSON"));
    println!(
        "{recording}: {} judged, {} us each, unvalidatable {:?}, {} findings",
        held.judged,
        held.microseconds / held.judged.max(1) as u128,
        held.unvalidatable,
        held.findings.len()
    );
    for finding in held.findings {
        println!(
            "  {} {} {} [{}] {:?}\n    {}",
            finding.kind,
            finding.severity.as_str(),
            finding.state.as_str(),
            finding.location.pointer,
            finding.observed.to_string(),
            finding.message
        );
    }
}

//! Promises of the diff: no change without a difference, no break without a confirmed witness, no break called compatible.

mod emitted;
mod families;
mod pairs;
mod properties;
mod published;
mod schemas;

use serde_json::{Value, json};

use super::{Change, Options, Report, diff};
use crate::contract::{LoadOptions, Specification, load};
use crate::model::finding::Verdict;

/// Reads a document.
fn read(document: &Value) -> Specification {
    let text = document.to_string();
    load(&text, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}\n{text}")).0
}

/// A document with one operation.
fn document(operation: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/a": {"post": operation}},
    })
}

/// A document of which the request body has a schema.
fn request(schema: &Value) -> Specification {
    read(&document(&json!({
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
        "responses": {"204": {"description": "done"}},
    })))
}

/// A document of which the response body has a schema.
fn response(schema: &Value) -> Specification {
    read(&document(&json!({
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}},
    })))
}

fn compared(old: &Specification, new: &Specification) -> Report {
    diff(old, new, &Options::default())
}

fn labels(report: &Report) -> Vec<(&str, Verdict)> {
    report.changes.iter().map(|change| (change.label.as_str(), change.verdict)).collect()
}

/// Every breaking change inside a message must show a value.
fn assert_witnessed(report: &Report) {
    let inside = |change: &&Change| !change.location.keyword.is_empty() && change.old.is_some();
    for change in report.changes.iter().filter(inside) {
        let is_schema = change.label.contains("property") || change.label.contains("body-");
        let is_structure = ["media-type", "body-added", "body-removed", "body-became"]
            .iter()
            .any(|word| change.label.contains(word));
        if change.verdict == Verdict::Breaking && is_schema && !is_structure {
            assert!(change.witness.is_some(), "{change:#?}");
        }
    }
}

//! Everything, for scripts: one object, or one change a line.

use serde_json::{Value, json};

use super::super::change::{Change, Fragment};
use super::{Document, View};
use crate::model::problem::Problem;

pub(super) fn render(view: &View<'_>) -> String {
    let summary = view.report.summary();
    let (ignored, shown): (Vec<&Change>, Vec<&Change>) =
        view.report.changes.iter().partition(|change| change.ignored.is_some());
    let list =
        |changes: &[&Change]| changes.iter().map(|change| object(change)).collect::<Vec<_>>();
    let lints = |document: &Document| document.lints.iter().map(problem).collect::<Vec<_>>();
    let report = json!({
        "driftgate": env!("CARGO_PKG_VERSION"),
        "old": {"file": view.old.name, "revision": view.old.revision, "version": view.old.version},
        "new": {"file": view.new.name, "revision": view.new.revision, "version": view.new.version},
        "verdict": view.report.verdict().as_str(),
        "summary": {
            "breaking": summary.breaking,
            "potentially-breaking": summary.potentially_breaking,
            "compatible": summary.compatible,
            "cosmetic": summary.cosmetic,
            "ignored": summary.ignored,
            "algebra-contradicted": summary.contradicted,
        },
        "changes": list(&shown),
        "ignored": list(&ignored),
        "lints": {
            "old": lints(view.old),
            "new": lints(view.new),
            "policy": view.warnings.iter().map(problem).collect::<Vec<_>>(),
        },
        "truncated": view.report.truncated,
        "notes": view.report.notes,
    });
    format!("{report:#}\n")
}

pub(super) fn lines(view: &View<'_>) -> String {
    view.shown().map(|change| format!("{}\n", object(change))).collect()
}

/// One change.
fn object(change: &Change) -> Value {
    let operation = &change.operation;
    let location = &change.location;
    let mut object = json!({
        "fingerprint": change.fingerprint,
        "label": change.label,
        "kind": change.kind.map(crate::model::kind::Kind::as_str),
        "family": change.family,
        "direction": change.direction.as_str(),
        "verdict": change.verdict.as_str(),
        "forward": change.forward.as_str(),
        "severity": change.severity.as_str(),
        "operation": (!operation.method.is_empty()).then(|| json!({
            "method": &*operation.method,
            "path": &*operation.template,
            "id": operation.id,
            "tags": operation.tags,
        })),
        "location": {
            "status": location.status,
            "media_type": location.media_type,
            "pointer": location.pointer,
            "keyword": location.keyword,
        },
        "old": change.old.as_ref().map(fragment),
        "new": change.new.as_ref().map(fragment),
        "reason": change.reason,
        "text": change.text,
        "ignored": change.ignored,
    });
    // Null is a value like any other.
    if let (Some(members), Some(witness)) = (object.as_object_mut(), &change.witness) {
        members.insert("witness".to_owned(), Value::clone(witness));
    }
    object
}

fn fragment(fragment: &Fragment) -> Value {
    json!({
        "pointer": fragment.pointer,
        "line": fragment.position.map(|position| position.line),
        "column": fragment.position.map(|position| position.column),
        "fragment": fragment.value,
    })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "pointer": problem.pointer,
        "line": problem.position.map(|position| position.line),
        "column": problem.position.map(|position| position.column),
        "message": problem.message,
        "remedy": problem.remedy,
    })
}

/// The JSON Schema of the report.
#[must_use]
pub fn schema() -> Value {
    let text = json!({"type": "string"});
    let place = json!({
        "type": ["object", "null"],
        "required": ["pointer", "line", "column", "fragment"],
        "properties": {
            "pointer": text,
            "line": {"type": ["integer", "null"]},
            "column": {"type": ["integer", "null"]},
            "fragment": true,
        },
    });
    let verdict = json!({"enum": ["breaking", "potentially-breaking", "compatible", "cosmetic"]});
    let change = json!({
        "type": "object",
        "required": ["fingerprint", "label", "direction", "verdict", "forward", "severity", "text"],
        "properties": {
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "label": text,
            "kind": {"type": ["string", "null"]},
            "family": text,
            "direction": {"enum": ["request", "response", "structure"]},
            "verdict": verdict,
            "forward": verdict,
            "severity": {"enum": ["info", "low", "medium", "high", "critical"]},
            "operation": {"type": ["object", "null"]},
            "location": {"type": "object"},
            "old": place,
            "new": place,
            "witness": {"description": "a value that shows it; absent where there is none"},
            "reason": {"type": ["string", "null"]},
            "text": text,
            "ignored": {"type": ["string", "null"]},
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["driftgate", "old", "new", "verdict", "summary", "changes", "ignored", "lints", "truncated"],
        "properties": {
            "verdict": verdict,
            "changes": {"type": "array", "items": change},
            "ignored": {"type": "array", "items": change},
            "truncated": {"type": "integer"},
        },
    })
}

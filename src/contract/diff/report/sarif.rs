//! SARIF 2.1.0, for tools that show results beside code.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::super::change::Change;
use super::super::labels;
use super::{View, operation};
use crate::model::finding::Severity;

/// What common services accept per upload.
const RESULTS_MAX: usize = 5_000;

/// Bytes that a path in a URI must not hold.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'#')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(super) fn render(view: &View<'_>) -> String {
    let changes: Vec<&Change> = view.shown().collect();
    let results: Vec<Value> =
        changes.iter().take(RESULTS_MAX).map(|change| result(view, change)).collect();
    let used: BTreeSet<&str> = changes.iter().map(|change| &*change.label).collect();
    let families = labels::all();
    let rule = |label: &&str| {
        let meaning = families.get(*label).map_or("", |family| family.meaning);
        json!({
            "id": label,
            "shortDescription": {"text": labels::phrase(label)},
            "fullDescription": {"text": if meaning.is_empty() { label } else { meaning }},
        })
    };
    let left = changes.len().saturating_sub(RESULTS_MAX) + view.report.truncated;
    let mut notifications = Vec::new();
    if left > 0 {
        notifications.push(json!({
            "level": "warning",
            "message": {"text": format!("{left} more changes are not listed")},
        }));
    }
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "driftgate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": used.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    format!("{sarif:#}\n")
}

fn result(view: &View<'_>, change: &Change) -> Value {
    let level = match change.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    };
    let (document, fragment) = match (&change.new, &change.old) {
        (None, Some(old)) => (view.old, Some(old)),
        (new, _) => (view.new, new.as_ref()),
    };
    let name = if document.path.is_empty() { "specification" } else { &document.path };
    let uri = utf8_percent_encode(name, PATH).to_string();
    let position = fragment.and_then(|fragment| fragment.position);
    let (line, column) = position.map_or((1, 1), |position| (position.line, position.column));
    let text = format!("{} ({})", change.text, operation(change));
    json!({
        "ruleId": change.label,
        "level": level,
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri},
                "region": {"startLine": line, "startColumn": column},
            },
        }],
        "partialFingerprints": {"driftgate/v1": change.fingerprint},
    })
}

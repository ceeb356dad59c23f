//! The report for scripts, and the data of events.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::actions::contract_test::outcome::{
    OperationResult, Outcome, Run, Source, Used, Violation,
};

use super::{outcome_sentence, violation_sentence};

/// Version of the shape below; raised when a member is renamed or removed.
const VERSION: u32 = 1;
/// What an event holds at most (`spec/contract-test.md` 10).
const EVENT_FINDINGS_MAX: usize = 20;
const EVENT_OPERATIONS_MAX: usize = 50;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    run: &'a str,
    status: &'static str,
    reason: Option<Reason<'a>>,
    target: &'a str,
    mode: &'static str,
    seed: u64,
    specification: Option<Specification<'a>>,
    started_ms: i64,
    duration_ms: u64,
    requests: u64,
    bytes: u64,
    score: Option<f64>,
    counts: BTreeMap<&'static str, u64>,
    operations: Vec<OperationEntry<'a>>,
    violations: Vec<ViolationEntry<'a>>,
    lints: &'a [String],
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct Specification<'a> {
    source: &'static str,
    fallback_reason: Option<&'a str>,
    revision: &'a str,
    title: &'a str,
    version: &'a str,
    place: &'a str,
}

#[derive(Serialize)]
struct OperationEntry<'a> {
    method: &'a str,
    template: &'a str,
    id: Option<&'a str>,
    outcome: &'static str,
    /// `auth`, `no_data`, …; of inconclusive operations.
    doubt: Option<&'static str>,
    message: String,
    statuses: BTreeMap<u16, u64>,
    unanswered: u64,
    neutralised: u64,
    checks: BTreeMap<&'static str, bool>,
}

#[derive(Serialize)]
struct ViolationEntry<'a> {
    fingerprint: &'a str,
    check: &'static str,
    kind: &'a str,
    severity: &'static str,
    direction: &'static str,
    method: &'a str,
    template: &'a str,
    location: Location<'a>,
    message: String,
    expected: &'a Value,
    observed: &'a Value,
    reproduced: Reproduced,
    count: u64,
    case: &'a str,
    scenario: &'a str,
    status: u16,
    curl: &'a str,
    pointer: &'a str,
}

#[derive(Serialize)]
struct Location<'a> {
    status: &'a str,
    media_type: &'a str,
    pointer: &'a str,
    keyword: &'a str,
}

#[derive(Serialize)]
struct Reproduced {
    times: u8,
    of: u8,
    flaky: bool,
}

pub(super) fn render(run: &Run) -> String {
    let report = Report {
        version: VERSION,
        run: &run.id,
        status: run.status.as_str(),
        reason: run
            .reason
            .as_ref()
            .map(|cause| Reason { code: cause.code, message: &cause.message }),
        target: &run.target,
        mode: run.mode.as_str(),
        seed: run.seed,
        specification: run.specification.as_ref().map(specification),
        started_ms: run.started_ms,
        duration_ms: run.duration_ms,
        requests: run.requests,
        bytes: run.bytes,
        score: run.score(),
        counts: run.counts(),
        operations: run.operations.iter().map(operation).collect(),
        violations: run.violations.iter().map(violation).collect(),
        lints: &run.lints,
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn specification(used: &Used) -> Specification<'_> {
    let fallback_reason = match &used.source {
        Source::Fallback(why) => Some(why.as_str()),
        Source::Event | Source::Predefined => None,
    };
    Specification {
        source: used.source.as_str(),
        fallback_reason,
        revision: used.revision.as_str(),
        title: &used.title,
        version: &used.version,
        place: &used.place,
    }
}

fn operation(result: &OperationResult) -> OperationEntry<'_> {
    let doubt = match &result.outcome {
        Outcome::Inconclusive(doubt) => Some(doubt.code()),
        _ => None,
    };
    OperationEntry {
        method: &result.method,
        template: &result.template,
        id: result.id.as_deref(),
        outcome: outcome_name(&result.outcome),
        doubt,
        message: outcome_sentence(&result.outcome),
        statuses: result.tally.statuses.clone(),
        unanswered: result.tally.unanswered,
        neutralised: result.tally.neutralised,
        checks: result.checks.iter().map(|(check, held)| (check.as_str(), *held)).collect(),
    }
}

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Violations(_) => "failed",
        Outcome::Inconclusive(_) => "inconclusive",
        Outcome::Skipped(_) => "skipped",
        Outcome::NotReached => "not_reached",
        Outcome::NotSent => "not_sent",
    }
}

fn violation(violation: &Violation) -> ViolationEntry<'_> {
    let place = &violation.location;
    ViolationEntry {
        fingerprint: &violation.fingerprint,
        check: violation.check.as_str(),
        kind: &violation.kind,
        severity: violation.severity.as_str(),
        direction: violation.direction.as_str(),
        method: &violation.method,
        template: &violation.template,
        location: Location {
            status: &place.status,
            media_type: &place.media_type,
            pointer: &place.pointer,
            keyword: &place.keyword,
        },
        message: violation_sentence(violation),
        expected: &violation.expected,
        observed: &violation.observed,
        reproduced: Reproduced {
            times: violation.reproduced.times,
            of: violation.reproduced.of,
            flaky: violation.reproduced.is_flaky(),
        },
        count: violation.count,
        case: &violation.case,
        scenario: &violation.scenario,
        status: violation.status,
        curl: &violation.curl,
        pointer: &violation.pointer,
    }
}

pub(super) fn event_data(run: &Run) -> Value {
    let used = run.specification.as_ref();
    let operations: Vec<Value> = run
        .operations
        .iter()
        .take(EVENT_OPERATIONS_MAX)
        .map(|operation| {
            json!({
                "method": operation.method,
                "template": operation.template,
                "outcome": outcome_name(&operation.outcome),
                "message": outcome_sentence(&operation.outcome),
            })
        })
        .collect();
    let findings = run.violations.iter().take(EVENT_FINDINGS_MAX);
    let findings: Vec<Value> = findings.map(|violation| finding(run, violation)).collect();
    json!({
        "run": run.id,
        "target": run.target,
        "status": run.status.as_str(),
        "reason": run.reason.as_ref().map(|cause| cause.code),
        "message": run.reason.as_ref().map(|cause| &cause.message),
        "mode": run.mode.as_str(),
        "seed": run.seed,
        "spec_revision": used.map(|used| used.revision.as_str()),
        "specification": used.map(|used| serde_json::to_value(specification(used)).unwrap_or_default()),
        "requests": run.requests,
        "duration_ms": run.duration_ms,
        "counts": run.counts(),
        "score": run.score(),
        "operations": operations,
        "findings": findings,
    })
}

pub(super) fn violation_data(run: &Run, violation: &Violation) -> Value {
    let mut data = finding(run, violation);
    let used = run.specification.as_ref();
    // Drift and violation name their operation alike.
    data["operation"] = json!({"method": violation.method, "path": violation.template});
    data["run"] = Value::from(run.id.as_str());
    data["target"] = Value::from(run.target.as_str());
    data["spec_revision"] = Value::from(used.map_or("", |used| used.revision.as_str()));
    data
}

/// A violation without what identifies a case: shapes alone leave the process.
fn finding(run: &Run, violation: &Violation) -> Value {
    let place = &violation.location;
    json!({
        "fingerprint": violation.fingerprint,
        "kind": violation.kind,
        "check": violation.check.as_str(),
        "severity": violation.severity.as_str(),
        "direction": violation.direction.as_str(),
        "method": violation.method,
        "template": violation.template,
        "location": {
            "status": place.status,
            "media_type": place.media_type,
            "pointer": place.pointer,
            "keyword": place.keyword,
        },
        "message": violation_sentence(violation),
        "expected": violation.expected,
        "observed": violation.observed,
        "reproduced": format!("{}/{}", violation.reproduced.times, violation.reproduced.of),
        "flaky": violation.reproduced.is_flaky(),
        "counts": violation.fails(run.fail_on),
        "case": violation.case,
    })
}

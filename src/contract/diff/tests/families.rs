//! One positive case per kind of change outside schemas: the label, its verdict and that of the other direction.

use serde_json::{Value, json};

use super::{Verdict, compared, document, labels, read};
use crate::contract::diff::{Grace, Options, Policy, diff, labels as names};
use crate::model::finding::Severity;

const OK: fn() -> Value = || json!({"200": {"description": "ok"}});

fn parameter(extra: Value) -> Value {
    let mut parameter = json!({"name": "q", "in": "query", "schema": {"type": "string"}});
    if let (Some(members), Some(extra)) = (parameter.as_object_mut(), extra.as_object()) {
        members.extend(extra.clone());
    }
    json!({"parameters": [parameter], "responses": OK()})
}

fn answering(responses: Value) -> Value {
    json!({"responses": responses})
}

fn body(extra: Value) -> Value {
    json!({"requestBody": extra, "responses": OK()})
}

/// Old operation, new operation, label, verdict, verdict of the swapped pair's worst change.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub(super) fn cases() -> Vec<(Value, Value, &'static str, Verdict)> {
    use Verdict::{Breaking, Compatible, Cosmetic, PotentiallyBreaking as Undecided};
    let plain = || json!({"responses": OK()});
    let text = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
    let json_200 = |media: &str| json!({"200": {"description": "ok", "content": {media: {"schema": {"type": "object"}}}}});
    let header = |header: Value| json!({"200": {"description": "ok", "headers": {"X-A": header}}});
    vec![
        (plain(), parameter(json!({})), "new-optional-request-parameter", Compatible),
        (plain(), parameter(json!({"required": true})), "new-required-request-parameter", Breaking),
        (parameter(json!({})), plain(), "request-parameter-removed", Undecided),
        (
            parameter(json!({"deprecated": true})),
            plain(),
            "request-parameter-removed-with-deprecation",
            Compatible,
        ),
        (
            parameter(json!({})),
            parameter(json!({"required": true})),
            "request-parameter-became-required",
            Breaking,
        ),
        (
            parameter(json!({"required": true})),
            parameter(json!({})),
            "request-parameter-became-optional",
            Compatible,
        ),
        (
            parameter(json!({"required": true})),
            parameter(json!({"required": true, "in": "header"})),
            "request-parameter-location-changed",
            Breaking,
        ),
        (
            parameter(json!({})),
            parameter(json!({"deprecated": true})),
            "request-parameter-deprecated",
            Compatible,
        ),
        (
            parameter(json!({})),
            parameter(json!({"schema": {"type": "string", "enum": ["a"]}})),
            "request-parameter-became-enum",
            Breaking,
        ),
        (
            parameter(json!({"schema": {"type": "integer"}})),
            parameter(json!({})),
            "request-parameter-type-changed",
            Compatible,
        ),
        (
            parameter(json!({"schema": {"type": "array", "items": {"type": "string"}}})),
            parameter(
                json!({"explode": false, "schema": {"type": "array", "items": {"type": "string"}}}),
            ),
            "request-parameter-explode-changed",
            Breaking,
        ),
        (plain(), body(text(json!({}))), "request-body-added-optional", Compatible),
        (
            plain(),
            body(json!({"required": true, "content": {"application/json": {}}})),
            "request-body-added-required",
            Breaking,
        ),
        (body(text(json!({}))), plain(), "request-body-removed", Breaking),
        (
            body(text(json!({}))),
            body(json!({"required": true, "content": {"application/json": {"schema": {}}}})),
            "request-body-became-required",
            Breaking,
        ),
        (
            body(json!({"content": {"application/json": {}, "text/plain": {}}})),
            body(json!({"content": {"application/json": {}}})),
            "request-body-media-type-removed",
            Breaking,
        ),
        (
            body(json!({"content": {"application/json": {}}})),
            body(json!({"content": {"application/*": {}}})),
            "request-media-type-name-generalized",
            Compatible,
        ),
        (
            answering(json_200("application/json")),
            answering(json_200("text/csv")),
            "response-media-type-removed",
            Breaking,
        ),
        (
            answering(json_200("application/json")),
            answering(json!({"204": {"description": "none"}})),
            "response-success-status-removed",
            Breaking,
        ),
        (
            answering(json!({"200": {"description": "ok"}})),
            answering(json!({"2XX": {"description": "ok"}})),
            "response-status-generalized",
            Compatible,
        ),
        (
            answering(OK()),
            answering(json!({"200": {"description": "ok"}, "404": {"description": "no"}})),
            "response-non-success-status-added",
            Compatible,
        ),
        (
            answering(OK()),
            answering(json!({"200": {"description": "ok"}, "202": {"description": "later"}})),
            "response-success-status-added",
            Undecided,
        ),
        (
            answering(header(json!({"required": true}))),
            answering(OK()),
            "required-response-header-removed",
            Breaking,
        ),
        (
            answering(header(json!({}))),
            answering(OK()),
            "optional-response-header-removed",
            Undecided,
        ),
        (answering(OK()), answering(header(json!({}))), "response-header-added", Compatible),
        (
            answering(header(json!({"required": true}))),
            answering(header(json!({}))),
            "response-header-became-optional",
            Breaking,
        ),
        (
            plain(),
            json!({"responses": OK(), "deprecated": true}),
            "endpoint-deprecated",
            Compatible,
        ),
        (
            plain(),
            json!({"responses": OK(), "deprecated": true, "x-sunset": "2030-01-01"}),
            "endpoint-deprecated-with-sunset",
            Compatible,
        ),
        (
            json!({"responses": OK(), "deprecated": true, "x-sunset": "2030-01-01"}),
            json!({"responses": OK(), "deprecated": true}),
            "sunset-deleted",
            Breaking,
        ),
        (
            json!({"responses": OK(), "deprecated": true}),
            plain(),
            "endpoint-reactivated",
            Compatible,
        ),
        (
            json!({"responses": OK(), "operationId": "a"}),
            json!({"responses": OK(), "operationId": "b"}),
            "api-operation-id-changed",
            Cosmetic,
        ),
        (json!({"responses": OK(), "tags": ["a"]}), plain(), "api-tag-removed", Cosmetic),
        (
            json!({"responses": OK(), "x-stability-level": "stable"}),
            json!({"responses": OK(), "x-stability-level": "beta"}),
            "api-stability-decreased",
            Breaking,
        ),
        (
            json!({"responses": OK(), "callbacks": {"done": {}}}),
            plain(),
            "callback-removed",
            Breaking,
        ),
    ]
}

#[test]
fn every_family_outside_schemas_has_its_label_and_verdict() {
    let all = names::all();
    for (old, new, label, verdict) in cases() {
        let report = compared(&read(&document(&old)), &read(&document(&new)));
        let told = labels(&report);
        assert!(told.contains(&(label, verdict)), "{label}: {told:?}\n{old}\n{new}");
        assert!(told.iter().all(|(label, _)| all.contains_key(*label)), "{told:?}");
        let count = told.iter().filter(|(_, other)| *other > verdict).count();
        assert!(label.ends_with("-removed") || count == 0, "{label}: {told:?}");
    }
}

/// A document with a path and what else it has.
fn whole(path: &str, extra: Value) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {path: {"get": {"operationId": "one", "responses": OK()}}},
    });
    if let (Some(members), Some(extra)) = (document.as_object_mut(), extra.as_object()) {
        members.extend(extra.clone());
    }
    document
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn operations_servers_and_credentials_are_matched_by_what_clients_see() {
    use Verdict::{Breaking, Compatible, Cosmetic, PotentiallyBreaking as Undecided};
    let schemes = |name: &str| {
        json!({
            "components": {"securitySchemes": {name: {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
            "security": [{name: []}],
        })
    };
    let either = |mut document: Value| {
        document["security"] = json!([{"token": []}, {"key": []}]);
        document
    };
    let server = |url: &str| json!({"servers": [{"url": url}]});
    let cases = [
        (
            whole("/a", json!({})),
            whole("/b", json!({})),
            Some(("api-path-changed", Breaking)),
            Breaking,
        ),
        (
            whole("/a/{x}", json!({})),
            whole("/a/{y}", json!({})),
            Some(("api-path-parameter-renamed", Cosmetic)),
            Cosmetic,
        ),
        (whole("/v1/a", server("https://h")), whole("/a", server("https://h/v1")), None, Undecided),
        (
            whole("/a", json!({})),
            json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}),
            Some(("api-path-removed-without-deprecation", Breaking)),
            Breaking,
        ),
        (
            whole("/a", json!({})),
            whole("/a", schemes("token")),
            Some(("api-security-added", Breaking)),
            Breaking,
        ),
        (
            whole("/a", schemes("token")),
            whole("/a", json!({})),
            Some(("api-security-removed", Compatible)),
            Compatible,
        ),
        (whole("/a", schemes("token")), whole("/a", schemes("bearer")), None, Cosmetic),
        (
            whole("/a", schemes("token")),
            either(whole("/a", schemes("token"))),
            Some(("api-security-removed", Compatible)),
            Compatible,
        ),
        (
            either(whole("/a", schemes("token"))),
            whole("/a", schemes("token")),
            Some(("api-security-added", Breaking)),
            Breaking,
        ),
        (
            whole("/a", server("https://h")),
            whole("/a", server("https://i")),
            Some(("api-server-removed", Undecided)),
            Undecided,
        ),
        (
            whole("/a", json!({"webhooks": {"w": {}}})),
            whole("/a", json!({})),
            Some(("webhook-removed", Breaking)),
            Breaking,
        ),
    ];
    for (old, new, wanted, worst) in cases {
        let report = compared(&read(&old), &read(&new));
        let told = labels(&report);
        assert_eq!(report.verdict(), worst, "{told:?}\n{old}\n{new}");
        if let Some(wanted) = wanted {
            assert!(told.contains(&wanted), "{told:?}\n{old}\n{new}");
        }
    }
}

#[test]
fn a_sunset_that_has_passed_makes_removal_harmless() {
    let old = whole("/a", json!({}));
    let mut leaving = old;
    leaving["paths"]["/a"]["get"]["deprecated"] = json!(true);
    leaving["paths"]["/a"]["get"]["x-sunset"] = json!("2026-01-01");
    let empty = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}});
    for (today, verdict, label) in [
        ("2025-12-31", Verdict::Breaking, "api-path-removed-before-sunset"),
        ("2026-01-02", Verdict::Compatible, "api-path-removed-with-deprecation"),
    ] {
        let options = Options { today: today.to_owned(), ..Options::default() };
        let report = diff(&read(&leaving), &read(&empty), &options);
        assert_eq!(labels(&report), [(label, verdict)]);
    }
}

#[test]
fn a_sunset_keeps_the_distance_that_was_promised() {
    let leaving = |sunset: &str| json!({"deprecated": true, "x-sunset": sunset, "responses": OK()});
    let plain = || json!({"responses": OK()});
    let cases = [
        (plain(), leaving("2026-01-20"), Some("api-sunset-date-too-small")),
        (plain(), leaving("2026-06-20"), None),
        (leaving("2026-06-20"), leaving("2026-05-20"), Some("api-sunset-date-changed-too-small")),
        (leaving("2026-05-20"), leaving("2026-06-20"), None),
        (
            leaving("2026-06-20"),
            json!({"deprecated": true, "responses": OK()}),
            Some("sunset-deleted"),
        ),
    ];
    for (old, new, wanted) in cases {
        let options = Options {
            today: "2026-01-01".to_owned(),
            grace: Grace { stable: 30, beta: 10 },
            ..Options::default()
        };
        let report = diff(&read(&document(&old)), &read(&document(&new)), &options);
        let mut breaking =
            labels(&report).into_iter().filter(|(_, verdict)| *verdict == Verdict::Breaking);
        assert_eq!(breaking.next().map(|(label, _)| label), wanted, "{old}\n{new}");
    }
}

#[test]
fn a_policy_moves_severities_and_never_verdicts() {
    let old = read(&whole("/a", json!({})));
    let new =
        read(&json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}));
    let mut report = compared(&old, &new);
    let fingerprint = report.changes[0].fingerprint.clone();
    let policy = Policy::read(&json!({"severity": [
        {"match": {"path": "/other"}, "set": "critical"},
        {"match": {"label": "api-path-removed-*", "operation": "GET /a"}, "set": "low"},
    ]}));
    let warnings = policy.expect("a policy").apply(&mut report, "2026-01-01");
    assert!(warnings.is_empty());
    assert_eq!(report.changes[0].severity, Severity::Low);
    assert_eq!(report.verdict(), Verdict::Breaking);
    let ignoring = |until: &str| {
        Policy::read(
            &json!({"ignore": [{"fingerprint": fingerprint, "reason": "known", "until": until},
            {"fingerprint": "0".repeat(32), "reason": "old"}]}),
        )
        .expect("a policy")
    };
    let mut kept = compared(&old, &new);
    let warnings = ignoring("2026-02-01").apply(&mut kept, "2026-01-01");
    assert_eq!(warnings.0.iter().map(|w| w.code).collect::<Vec<_>>(), ["policy.unused"]);
    assert_eq!((kept.verdict(), kept.summary().ignored), (Verdict::Cosmetic, 1));
    let mut over = compared(&old, &new);
    let warnings = ignoring("2025-02-01").apply(&mut over, "2026-01-01");
    assert!(warnings.0.iter().any(|warning| warning.code == "policy.expired"));
    assert_eq!(over.verdict(), Verdict::Breaking);
}

#[test]
fn dialects_of_one_api_mean_the_same() {
    let swagger = json!({
        "swagger": "2.0",
        "info": {"title": "x", "version": "1"},
        "host": "h", "schemes": ["https"], "consumes": ["application/json"], "produces": ["application/json"],
        "paths": {"/a": {"post": {
            "parameters": [
                {"name": "ids", "in": "query", "type": "array", "items": {"type": "integer"}, "collectionFormat": "multi"},
                {"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Thing"}},
            ],
            "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Thing"}}},
        }}},
        "definitions": {"Thing": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer", "format": "int32"}, "name": {"type": "string", "x-nullable": true}}}},
    });
    let open = |version: &str, name: Value| {
        json!({
            "openapi": version,
            "info": {"title": "x", "version": "1"},
            "servers": [{"url": "https://h"}],
            "paths": {"/a": {"post": {
                "parameters": [{"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
            }}},
            "components": {"schemas": {"Thing": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer", "format": "int32"}, "name": name}}}},
        })
    };
    let documents = [
        swagger,
        open("3.0.3", json!({"type": "string", "nullable": true})),
        open("3.1.0", json!({"type": ["string", "null"]})),
        open("3.1.0", json!({"anyOf": [{"type": "null"}, {"type": "string"}]})),
    ];
    for old in &documents {
        for new in &documents {
            let report = compared(&read(old), &read(new));
            assert_eq!(report.verdict(), Verdict::Cosmetic, "{:#?}", labels(&report));
        }
    }
}

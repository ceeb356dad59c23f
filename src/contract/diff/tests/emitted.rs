//! Which of the labels occur: each is emitted by a case of these tables, or stands in a list that says why it is not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{document, families, read};
use crate::contract::Specification;
use crate::contract::diff::{Grace, Options, diff, labels};

/// Pairs of schemas that differ in one thing. Each is compared both ways at every site that a label can name.
const CHANGES: &[&str] = &[
    r#"{"type":"string"} {"type":["string","null"]}"#,
    r#"{"type":"string"} {"type":"integer"}"#,
    r#"{"type":"number"} {"type":"integer"}"#,
    r#"{"type":["string","integer"]} {"type":["string","integer","boolean"]}"#,
    r#"{"type":"string","format":"date"} {"type":"string","format":"uuid"}"#,
    r#"{"type":"integer"} {"type":"integer","maximum":5}"#,
    r#"{"type":"integer","maximum":5} {"type":"integer","maximum":6}"#,
    r#"{"type":"integer"} {"type":"integer","minimum":5}"#,
    r#"{"type":"integer","minimum":5} {"type":"integer","minimum":6}"#,
    r#"{"type":"number"} {"type":"number","exclusiveMaximum":5}"#,
    r#"{"type":"number","exclusiveMaximum":5} {"type":"number","exclusiveMaximum":6}"#,
    r#"{"type":"number"} {"type":"number","exclusiveMinimum":5}"#,
    r#"{"type":"number","exclusiveMinimum":5} {"type":"number","exclusiveMinimum":6}"#,
    r#"{"type":"string"} {"type":"string","maxLength":5}"#,
    r#"{"type":"string","maxLength":5} {"type":"string","maxLength":6}"#,
    r#"{"type":"string"} {"type":"string","minLength":5}"#,
    r#"{"type":"string","minLength":5} {"type":"string","minLength":6}"#,
    r#"{"type":"array"} {"type":"array","maxItems":5}"#,
    r#"{"type":"array","maxItems":5} {"type":"array","maxItems":6}"#,
    r#"{"type":"array"} {"type":"array","minItems":5}"#,
    r#"{"type":"array","minItems":5} {"type":"array","minItems":6}"#,
    r#"{"type":"array","contains":{"const":1}} {"type":"array","contains":{"const":1},"maxContains":5}"#,
    r#"{"type":"array","contains":{"const":1},"maxContains":5} {"type":"array","contains":{"const":1},"maxContains":6}"#,
    r#"{"type":"array","contains":{"const":1}} {"type":"array","contains":{"const":1},"minContains":5}"#,
    r#"{"type":"array","contains":{"const":1},"minContains":5} {"type":"array","contains":{"const":1},"minContains":6}"#,
    r#"{"type":"object"} {"type":"object","maxProperties":5}"#,
    r#"{"type":"object","maxProperties":5} {"type":"object","maxProperties":6}"#,
    r#"{"type":"object"} {"type":"object","minProperties":5}"#,
    r#"{"type":"object","minProperties":5} {"type":"object","minProperties":6}"#,
    r#"{"type":"integer"} {"type":"integer","multipleOf":2}"#,
    r#"{"type":"integer","multipleOf":2} {"type":"integer","multipleOf":3}"#,
    r#"{"type":"array"} {"type":"array","uniqueItems":true}"#,
    r#"{"type":"string"} {"type":"string","enum":["a","b"]}"#,
    r#"{"type":"string","enum":["a"]} {"type":"string","enum":["a","b"]}"#,
    r#"{"type":"string"} {"type":"string","const":"a"}"#,
    r#"{"const":"a"} {"const":"b"}"#,
    r#"{"type":"string"} {"type":"string","default":"a"}"#,
    r#"{"type":"string","default":"a"} {"type":"string","default":"b"}"#,
    r#"{"type":"string"} {"type":"string","pattern":"^a"}"#,
    r#"{"type":"string","pattern":"^a"} {"type":"string","pattern":"^b"}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"additionalProperties":false}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"additionalProperties":{"type":"string"}}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"propertyNames":{"maxLength":3}}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"patternProperties":{"^x":{"type":"string"}}}"#,
    r#"{"type":"object"} {"type":"object","dependentSchemas":{"a":{"required":["b"]}}}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"unevaluatedProperties":false}"#,
    r#"{"type":"object","maxProperties":8} {"type":"object","maxProperties":9,"dependentRequired":{"a":["b"]}}"#,
    r#"{"type":"object","maxProperties":8,"dependentRequired":{"a":["b"]}} {"type":"object","maxProperties":9,"dependentRequired":{"a":["c"]}}"#,
    r#"{"type":"integer","maximum":8} {"type":["integer","null"],"maximum":9}"#,
    r#"{"type":["integer","boolean"],"maximum":8} {"type":["integer","boolean","array"],"maximum":9}"#,
    r#"{"type":"array"} {"type":"array","prefixItems":[{"type":"string"}]}"#,
    r#"{"type":"array"} {"type":"array","contains":{"const":1}}"#,
    r#"{"type":"array"} {"type":"array","unevaluatedItems":false}"#,
    r#"{"type":"string"} {"type":"string","not":{"const":"a"}}"#,
    r#"{"type":"string"} {"type":"string","if":{"const":"a"},"then":{"minLength":1},"else":{"maxLength":9}}"#,
    r#"{"oneOf":[{"type":"string"},{"type":"integer"}]} {"oneOf":[{"type":"string"},{"type":"integer"},{"type":"boolean"}]}"#,
    r#"{"anyOf":[{"type":"string"},{"type":"integer"}]} {"anyOf":[{"type":"string"},{"type":"integer"},{"type":"boolean"}]}"#,
    r#"{"type":"string"} {"allOf":[{"type":"string"}]}"#,
    r#"{"type":"object","required":["p"]} {"type":"object"}"#,
    r#"{"oneOf":[{"type":"object"},{"type":"string"}]} {"discriminator":{"propertyName":"k"},"oneOf":[{"type":"object"},{"type":"string"}]}"#,
    r#"{"discriminator":{"propertyName":"k"},"oneOf":[{"type":"object"},{"type":"string"}]} {"discriminator":{"propertyName":"l"},"oneOf":[{"type":"object"},{"type":"string"}]}"#,
    r##"{"discriminator":{"propertyName":"k","mapping":{"a":"#/components/schemas/A","c":"#/components/schemas/A"}},"oneOf":[{"$ref":"#/components/schemas/A"},{"$ref":"#/components/schemas/B"}]} {"discriminator":{"propertyName":"k","mapping":{"a":"#/components/schemas/B","b":"#/components/schemas/B"}},"oneOf":[{"$ref":"#/components/schemas/A"},{"$ref":"#/components/schemas/B"}]}"##,
    // properties
    r#"{"type":"object"} {"type":"object","properties":{"p":{"type":"string"}}}"#,
    r#"{"type":"object"} {"type":"object","properties":{"p":{"type":"string"}},"required":["p"]}"#,
    r#"{"type":"object"} {"type":"object","properties":{"p":{"type":"string","default":"a"}},"required":["p"]}"#,
    r#"{"type":"object"} {"type":"object","properties":{"p":{"type":"string","writeOnly":true}}}"#,
    r#"{"type":"object","properties":{"p":{"type":"string"}}} {"type":"object","properties":{"p":{"type":"string"}},"required":["p"]}"#,
    r#"{"type":"object","properties":{"p":{"type":"string","default":"a"}}} {"type":"object","properties":{"p":{"type":"string","default":"a"}},"required":["p"]}"#,
    r#"{"type":"object","properties":{"p":{"type":"string"}}} {"type":"object","properties":{"p":{"type":"string","readOnly":true}}}"#,
    r#"{"type":"object","properties":{"p":{"type":"string"}}} {"type":"object","properties":{"p":{"type":"string","writeOnly":true}}}"#,
    r#"{"type":"object","properties":{"p":{"type":"string"}},"required":["p"]} {"type":"object","properties":{"p":{"type":"string","readOnly":true}},"required":["p"]}"#,
    r#"{"type":"object","properties":{"p":{"type":"string"}},"required":["p"]} {"type":"object","properties":{"p":{"type":"string","writeOnly":true}},"required":["p"]}"#,
];

/// Labels that nothing emits, and why.
const NEVER: &[(&str, &str)] = &[
    ("S7-type-compatible", "the verdict says it: a type is generalized, specialized or changed"),
    ("S7-pattern-generalized", "inclusion of two patterns is not decided yet"),
    ("S4-all-of-AR", "parts of an allOf are told by what each asks"),
    ("S4-all-of-AR-annotation-only", "a part that asks nothing is no change"),
    (
        "S4-{,un}wrapped-in-one-of",
        "a union of one branch is that branch; others are added or removed",
    ),
    ("S4-content-{encoding-changed,media-type-changed,schema-AR}", "encoded content is not read"),
    ("S4-discriminator-default-mapping-changed", "OpenAPI 3.2 is read as 3.1"),
    ("R2-property-{deprecated,reactivated,deprecated-with-sunset}", "lowering drops the flag"),
    ("R2-property-deprecated-sunset-{invalid,missing}", "lowering drops the date"),
    ("R2-property-sunset-date-too-small", "lowering drops the date"),
    ("R2-property-stability-{decreased,increased}", "lowering drops the level"),
    ("request-{parameter,property}-x-extensible-enum-value-removed", "lowering drops the list"),
    (
        "response-required-write-only-property-AR",
        "what is never sent cannot be required of an answer",
    ),
    ("response-write-only-property-{became-required,enum-value-added}", "the same"),
    (
        "request-read-only-property-{{,exclusive-}max-decreased,{,exclusive-}min-increased}",
        "told as request-property-*, and compatible",
    ),
    ("request-read-only-property-{max-length-decreased,enum-value-removed}", "the same"),
    ("new-required-request-header-property", "told as request-parameter-property-*"),
    ("request-header-property-became-{required,enum}", "the same"),
    ("response-mediatype-enum-value-removed", "told as response-body-enum-value-removed"),
    ("new-OR-request-default-parameter-to-existing-path", "told at each operation of the path"),
    ("path-server-AR", "told at each operation of the path"),
    ("api-global-security-{AR,scope-AR}", "told at each operation that asks for it"),
    ("api-server-variable-{AR,default-changed,enum-value-AR}", "told by the URL that they make"),
    ("R2-encoding-{allow-reserved,header}-changed", "not read"),
    ("response-header-{style-changed,deprecated,reactivated}", "not read"),
    ("response-link-{AR,{operation,parameters,request-body,server}-changed}", "not read"),
    ("callback-expression-changed", "expressions of a callback are not matched"),
    ("api-schema-AR", "told where the schema is used, which alone matters"),
    ("{annotation,xml,example}-changed", "texts of a document are not compared"),
    ("extension-{AR,changed}", "the same"),
];

/// A document with a schema at each of the places that labels tell apart.
fn everywhere(schema: &Value) -> Specification {
    let inside = json!({"type": "object", "properties": {"x": schema}});
    let sent = |schema: &Value| {
        json!({"post": {"parameters": [{"name": "q", "in": "query", "schema": schema}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"204": {"description": "ok"}}}})
    };
    let given = |schema: &Value| {
        json!({"get": {"responses": {"200": {"description": "ok",
            "headers": {"X-A": {"schema": schema}},
            "content": {"application/json": {"schema": schema}}}}}})
    };
    read(&json!({
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/a": sent(schema), "/b": sent(&inside), "/c": given(schema), "/d": given(&inside)},
        "components": {"schemas": {"A": {"type": "object"}, "B": {"type": "string"}}},
    }))
}

/// Operations that differ in one thing outside of schemas.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn operations() -> Vec<(Value, Value)> {
    let ok = || json!({"200": {"description": "ok"}});
    let plain = || json!({"responses": ok()});
    let with = |name: &str, value: Value| {
        let mut operation = plain();
        operation[name] = value;
        operation
    };
    let parameter = |more: Value| {
        let mut parameter = json!({"name": "q", "in": "query",
            "schema": {"type": "array", "items": {"type": "string"}}});
        if let (Some(members), Value::Object(more)) = (parameter.as_object_mut(), more) {
            members.extend(more);
        }
        with("parameters", json!([parameter]))
    };
    let leaving = |sunset: Value| {
        let mut operation = with("deprecated", json!(true));
        operation["x-sunset"] = sunset;
        operation
    };
    let going = |sunset: &str| parameter(json!({"deprecated": true, "x-sunset": sunset}));
    let content = |media: &str| with("requestBody", json!({"content": {media: {"schema": {}}}}));
    let form = |encoding: Value| {
        with("requestBody", json!({"content": {"multipart/form-data": {"encoding": encoding}}}))
    };
    let answer = |media: Value| json!({"responses": {"200": {"description": "ok", "content": {"application/json": media}}}});
    vec![
        (plain(), with("operationId", json!("a"))),
        (
            json!({"responses": {"200": {"description": "ok", "headers": {"X": {}}}}}),
            json!({"responses": {"200": {"description": "ok", "headers": {"X": {"explode": true}}}}}),
        ),
        (plain(), with("tags", json!(["a"]))),
        (plain(), with("servers", json!([{"url": "https://h"}]))),
        (
            with("servers", json!([{"url": "https://h"}])),
            with("servers", json!([{"url": "https://i"}])),
        ),
        (parameter(json!({})), parameter(json!({"style": "pipeDelimited"}))),
        (parameter(json!({})), parameter(json!({"allowReserved": true}))),
        (parameter(json!({})), parameter(json!({"allowEmptyValue": true}))),
        (
            with(
                "parameters",
                json!([{"name": "q", "in": "query", "content": {"application/json": {}}}]),
            ),
            with(
                "parameters",
                json!([{"name": "q", "in": "query", "content": {"text/plain": {}}}]),
            ),
        ),
        (parameter(json!({})), parameter(json!({"deprecated": true}))),
        (parameter(json!({})), going("2026-01-05")),
        (parameter(json!({})), going("soon")),
        (going("2027-01-01"), going("2026-06-01")),
        (going("2027-01-01"), parameter(json!({"deprecated": true}))),
        (going("2027-01-01"), plain()),
        (plain(), leaving(Value::Null)),
        (plain(), leaving(json!("2026-01-05"))),
        (plain(), leaving(json!("soon"))),
        (leaving(json!("2027-01-01")), leaving(json!("2026-06-01"))),
        (plain(), with("x-stability-level", json!("shaky"))),
        (content("application/json"), content("*/*")),
        (content("application/json"), content("text/csv")),
        (content("application/json"), content("application/json; v=2")),
        (
            answer(json!({})),
            json!({"responses": {"200": {"description": "ok", "content": {"application/json; v=2": {}}}}}),
        ),
        (form(json!({"f": {"style": "form"}})), form(json!({"f": {"style": "pipeDelimited"}}))),
        (form(json!({"f": {}})), form(json!({"f": {"contentType": "text/csv"}}))),
        (form(json!({"f": {}})), form(json!({"f": {"explode": false}}))),
        (
            answer(json!({"encoding": {"f": {}}})),
            answer(
                json!({"encoding": {"f": {"contentType": "a/b", "style": "deepObject", "explode": false}}}),
            ),
        ),
        (
            content("application/json"),
            with("requestBody", json!({"content": {"application/json": {}}})),
        ),
        (answer(json!({"schema": {"type": "string"}})), answer(json!({}))),
        (
            answer(json!({})),
            json!({"responses": {"200": {"description": "ok", "content": {"*/*": {}}}}}),
        ),
        (
            plain(),
            json!({"responses": {"200": {"description": "ok"}, "default": {"description": "no"}}}),
        ),
        (plain(), with("security", json!([{"o": ["read"]}]))),
        (
            with("security", json!([{"o": ["read"]}])),
            with("security", json!([{"o": ["read", "write"]}])),
        ),
    ]
}

/// Documents that differ in one thing outside of operations.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn documents() -> Vec<(Value, Value)> {
    let whole = |more: Value| {
        let mut document = document(&json!({"responses": {"200": {"description": "ok"}}}));
        if let (Some(members), Value::Object(more)) = (document.as_object_mut(), more) {
            members.extend(more);
        }
        document
    };
    let path = |template: &str, operation: Value| {
        whole(json!({"paths": {template: {"get": operation}, "/kept": {"get": {"responses": {}}}}}))
    };
    let scheme = |scheme: Value| whole(json!({"components": {"securitySchemes": {"s": scheme}}}));
    let flow = |kind: &str, more: Value| {
        let mut flow = json!({"scopes": {"read": ""}});
        if let (Some(members), Value::Object(more)) = (flow.as_object_mut(), more) {
            members.extend(more);
        }
        scheme(json!({"type": "oauth2", "flows": {kind: flow}}))
    };
    let leaving = |sunset: &str| json!({"deprecated": true, "x-sunset": sunset, "responses": {}});
    let two =
        |other: Value| whole(json!({"paths": {"/a": {"get": other, "post": {"responses": {}}}}}));
    let one = || whole(json!({"paths": {"/a": {"post": {"responses": {}}}}}));
    let slot = |name: &str| json!([{"name": name, "in": "path", "required": true, "schema": {}}]);
    vec![
        (path("/a", leaving("2027-01-01")), path("/b", json!({"responses": {}}))),
        (path("/a", leaving("soon")), path("/b", json!({"responses": {}}))),
        (path("/a", leaving("2025-01-01")), path("/b", json!({"responses": {}}))),
        (two(leaving("2027-01-01")), one()),
        (two(leaving("2025-01-01")), one()),
        (two(json!({"responses": {}})), one()),
        (
            path("/a", json!({"operationId": "x", "responses": {}})),
            path("/b", json!({"operationId": "x", "responses": {}})),
        ),
        (
            path("/a/{x}", json!({"parameters": slot("x"), "responses": {}})),
            path("/a/{y}", json!({"parameters": slot("y"), "responses": {}})),
        ),
        (
            path("/a", json!({"operationId": "x", "responses": {}})),
            path("/a/{y}", json!({"operationId": "x", "parameters": slot("y"), "responses": {}})),
        ),
        (whole(json!({})), whole(json!({"servers": [{"url": "https://h"}]}))),
        (whole(json!({})), whole(json!({"webhooks": {"w": {}}}))),
        (
            scheme(json!({"type": "http", "scheme": "basic"})),
            scheme(json!({"type": "http", "scheme": "bearer"})),
        ),
        (
            scheme(json!({"type": "http", "scheme": "basic"})),
            scheme(json!({"type": "apiKey", "in": "header", "name": "K"})),
        ),
        (
            scheme(json!({"type": "apiKey", "in": "query", "name": "K"})),
            scheme(json!({"type": "apiKey", "in": "header", "name": "K"})),
        ),
        (whole(json!({})), scheme(json!({"type": "http", "scheme": "basic"}))),
        (
            scheme(json!({"type": "openIdConnect", "openIdConnectUrl": "https://a"})),
            scheme(json!({"type": "openIdConnect", "openIdConnectUrl": "https://b"})),
        ),
        (flow("implicit", json!({})), flow("password", json!({}))),
        (flow("implicit", json!({})), flow("implicit", json!({"scopes": {"read": "all"}}))),
        (
            flow("implicit", json!({})),
            flow("implicit", json!({"scopes": {"read": "", "write": ""}})),
        ),
        (
            flow("implicit", json!({})),
            flow("implicit", json!({"tokenUrl": "t", "refreshUrl": "r", "authorizationUrl": "a"})),
        ),
        (whole(json!({})), whole(json!({"info": {"title": "x", "version": "2"}}))),
        (
            path("/a", json!({"responses": {}})),
            whole(json!({"info": {"title": "x", "version": "2"}})),
        ),
    ]
}

/// Labels of a comparison in both directions.
fn tell(found: &mut BTreeSet<String>, old: &Specification, new: &Specification) {
    let options = Options {
        today: "2026-01-01".to_owned(),
        grace: Grace { stable: 100, beta: 10 },
        check_version: true,
        ..Options::default()
    };
    for report in [diff(old, new, &options), diff(new, old, &options)] {
        found.extend(report.changes.into_iter().map(|change| change.label));
    }
}

#[test]
fn every_label_occurs_or_says_why_not() {
    let mut found = BTreeSet::new();
    for change in CHANGES {
        let (old, new) = change.split_once(' ').expect("two schemas");
        let schema = |text: &str| serde_json::from_str(text).expect("a schema");
        tell(&mut found, &everywhere(&schema(old)), &everywhere(&schema(new)));
    }
    for (old, new, ..) in families::cases() {
        tell(&mut found, &read(&document(&old)), &read(&document(&new)));
    }
    for (old, new) in operations() {
        tell(&mut found, &read(&document(&old)), &read(&document(&new)));
    }
    for (old, new) in documents() {
        tell(&mut found, &read(&old), &read(&new));
    }
    let all: BTreeSet<String> = labels::all().into_keys().collect();
    let never: BTreeSet<String> =
        NEVER.iter().flat_map(|(template, _)| labels::expanded(template)).collect();
    let untold: Vec<&String> = all.iter().filter(|label| !found.contains(*label)).collect();
    let unexplained: Vec<&&String> =
        untold.iter().filter(|label| !never.contains(**label)).collect();
    assert!(unexplained.is_empty(), "{} of {}: {unexplained:#?}", unexplained.len(), all.len());
    let wrong: Vec<&String> = never.iter().filter(|label| !untold.contains(label)).collect();
    assert!(wrong.is_empty(), "these occur, or are no labels: {wrong:?}");
}

//! Tests of judging: tables of (document, exchange, deviations).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::contract::testing::{Build, baseline, exchange};

/// Deviations as `kind direction pointer`, sorted.
fn told(judgement: &Judgement) -> Vec<String> {
    let mut told: Vec<String> = judgement
        .deviations
        .iter()
        .map(|deviation| {
            let direction = deviation.direction.as_str().get(..3).unwrap_or_default();
            let place = &deviation.location.pointer;
            format!("{} {direction} {place}", deviation.kind).trim_end().to_owned()
        })
        .collect();
    told.sort();
    told
}

/// `GET /t` answering 200 with a schema, written in OpenAPI 3.1 or 3.0.
fn answering(version: &str, schema: &Value, components: &Value) -> Baseline {
    let document = json!({
        "openapi": version,
        "paths": {"/t": {"get": {"responses": {"200": {"description": "", "content":
            {"application/json": {"schema": schema}}}}}}},
        "components": {"schemas": components},
    });
    baseline(&document.to_string())
}

/// `POST /t` taking a schema.
fn taking(schema: &Value) -> Baseline {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/t": {"post": {
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"201": {"description": ""}, "400": {"description": ""}, "5XX": {"description": ""}}}}},
    });
    baseline(&document.to_string())
}

fn check_answers(rows: &[(Value, Value, &[&str])]) {
    for (schema, body, expected) in rows {
        let baseline = answering("3.1.0", schema, &json!({}));
        let judgement = baseline.judge(&exchange("GET /t", 200).answered(body));
        assert_eq!(told(&judgement), *expected, "{schema} {body}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_keyword_has_its_kind_in_responses() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    check_answers(&[
        (object(json!({"a": {"type": "number"}})), json!({"a": 1}), &[]),
        (object(json!({"a": {"type": "number"}})), json!({"a": "1"}), &["type.changed res /a"]),
        (object(json!({"a": {"type": "integer"}})), json!({"a": 1.0}), &[]),
        (object(json!({"a": {"type": "integer"}})), json!({"a": 1.5}), &["type.changed res /a"]),
        (object(json!({"a": {"type": "number"}})), json!({"a": null}), &["null.unexpected res /a"]),
        (object(json!({"a": {"enum": ["x", "y"]}})), json!({"a": "z"}), &["enum.widened res /a"]),
        (
            object(json!({"a": {"enum": ["x", "y"]}})),
            json!({"a": null}),
            &["null.unexpected res /a"],
        ),
        (
            object(json!({"a": {"type": "string", "enum": ["x"]}})),
            json!({"a": 1}),
            &["type.changed res /a"],
        ),
        (object(json!({"a": {"const": 1}})), json!({"a": 2}), &["const.changed res /a"]),
        (object(json!({"a": {"maximum": 1}})), json!({"a": 2}), &["bound.exceeded res /a"]),
        (
            object(json!({"a": {"uniqueItems": true}})),
            json!({"a": [1, 1]}),
            &["bound.exceeded res /a"],
        ),
        (object(json!({"a": {"maxItems": 1}})), json!({"a": [1, 1]}), &["bound.exceeded res /a"]),
        (object(json!({"a": {"multipleOf": 2}})), json!({"a": 3}), &["bound.exceeded res /a"]),
        (object(json!({"a": {"pattern": "^x"}})), json!({"a": "y"}), &["pattern.broken res /a"]),
        (object(json!({"a": {"format": "uuid"}})), json!({"a": "y"}), &["format.broken res /a"]),
        (
            object(json!({"a": {"format": "int32"}})),
            json!({"a": 3_000_000_000_u64}),
            &["bound.exceeded res /a"],
        ),
        (object(json!({"a": {"format": "my-own"}})), json!({"a": "y"}), &[]),
        (object(json!({"a": {}})), json!({"a": 1, "b": 2}), &["field.undocumented res /b"]),
        (object(json!({})), json!({"b": 2}), &[]),
        (
            json!({"type": "object", "additionalProperties": true, "properties": {"a": {}}}),
            json!({"b": 2}),
            &[],
        ),
        (
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {}}}),
            json!({"b": 2}),
            &["field.undocumented res /b"],
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"k": "v", "l": "w"}),
            &["type.changed res /{}"],
        ),
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {}}}),
            json!({}),
            &["field.required-missing res /a"],
        ),
        (
            object(json!({"a": {"writeOnly": true}})),
            json!({"a": 1}),
            &["read-write.violated res /a"],
        ),
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {"writeOnly": true}}}),
            json!({}),
            &[],
        ),
        (
            json!({"type": "array", "items": {"type": "object", "required": ["a"], "properties": {"a": {}}}}),
            json!([{"a": 1}, {}, {}]),
            &["field.required-missing res /*/a"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"x-extensible-enum": ["x"]}}}),
            json!({"a": "y"}),
            &["enum.widened res /a"],
        ),
    ]);
}

#[test]
fn swagger_that_names_media_types_leaves_answers_open() {
    let document = |produces: &str| {
        format!(
            "swagger: '2.0'\npaths: {{/t: {{get: {{{produces}responses: {{'200': {{description: ok}}}}}}}}}}"
        )
    };
    for (produces, expected) in [
        ("", &["body.undocumented res"][..]),
        ("produces: [], ", &["body.undocumented res"]),
        ("produces: [application/json], ", &[]),
    ] {
        let judgement =
            baseline(&document(produces)).judge(&exchange("GET /t", 200).answered(&json!({})));
        assert_eq!(told(&judgement), expected, "{produces}");
    }
}

#[test]
fn unions_speak_of_the_branch_that_was_meant() {
    let cat = json!({"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}});
    let dog = json!({"type": "object", "required": ["kind", "bark"], "properties": {"kind": {"const": "dog"}, "bark": {"type": "string"}}});
    let pets = json!({"oneOf": [cat, dog]});
    check_answers(&[
        (pets.clone(), json!({"kind": "cat", "lives": 9}), &[]),
        (pets.clone(), json!({"kind": "cat", "lives": "9"}), &["type.changed res /lives"]),
        (pets.clone(), json!({"kind": "dog"}), &["field.required-missing res /bark"]),
        (
            pets.clone(),
            json!({"kind": "cat", "lives": 9, "age": 1}),
            &["field.undocumented res /age"],
        ),
        (pets.clone(), json!({"kind": "cow", "bark": "moo"}), &["union.no-branch res"]),
        (pets.clone(), json!("cat"), &["type.changed res"]),
        (pets, json!(null), &["null.unexpected res"]),
        (
            json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
            json!(1),
            &["union.ambiguous res"],
        ),
        (
            json!({"anyOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"type": "null"}]}),
            json!({"a": "x"}),
            &["type.changed res /a"],
        ),
        (
            json!({"anyOf": [{"enum": ["a"]}, {"pattern": "^b"}]}),
            json!("c"),
            &["union.no-branch res"],
        ),
    ]);
    let components = json!({
        "Cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}, "required": ["lives"]},
        "Dog": {"type": "object", "properties": {"kind": {"type": "string"}, "bark": {"type": "string"}}, "required": ["bark"]},
    });
    let schema = json!({"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"hund": "#/components/schemas/Dog"}}});
    let baseline = answering("3.0.3", &schema, &components);
    for (body, expected) in [
        (json!({"kind": "Cat", "lives": 9}), &[][..]),
        (json!({"kind": "hund", "lives": "x"}), &["field.required-missing res /bark"]),
        (json!({"kind": "Cat"}), &["field.required-missing res /lives"]),
        (json!({"kind": "Cow"}), &["discriminator.unknown res /kind"]),
    ] {
        let judgement = baseline.judge(&exchange("GET /t", 200).answered(&body));
        assert_eq!(told(&judgement), expected, "{body}");
    }
}

#[test]
fn compositions_are_closed_as_a_whole() {
    let components = json!({
        "Base": {"type": "object", "properties": {"id": {"type": "integer"}, "meta": {"type": "object", "properties": {"v": {}}}}},
        "Pet": {"type": "object", "discriminator": {"propertyName": "kind"}, "properties": {"kind": {"type": "string"}}},
        "Tree": {"type": "object", "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
    });
    let base = json!({"$ref": "#/components/schemas/Base"});
    for (schema, body, expected) in [
        (
            json!({"allOf": [base, {"type": "object", "properties": {"more": {}}}]}),
            json!({"id": 1, "more": 2}),
            &[][..],
        ),
        (
            json!({"allOf": [base, {"type": "object", "properties": {"more": {}}}]}),
            json!({"id": 1, "x": 2}),
            &["field.undocumented res /x"],
        ),
        (
            json!({"allOf": [base, {"type": "object"}]}),
            json!({"meta": {"v": 1, "w": 2}}),
            &["field.undocumented res /meta/w"],
        ),
        // Both parts describe `meta`: neither knows all of its names.
        (
            json!({"allOf": [base, {"properties": {"meta": {"properties": {"w": {}}}}}]}),
            json!({"meta": {"v": 1, "w": 2}}),
            &[],
        ),
        (json!({"allOf": [base, {"additionalProperties": true}]}), json!({"x": 1}), &[]),
        (json!({"anyOf": [base, {"type": "object"}]}), json!({"x": 1}), &[]),
        // A base class: its subtypes add what they like.
        (json!({"$ref": "#/components/schemas/Pet"}), json!({"kind": "Cat", "lives": 9}), &[]),
        (
            json!({"$ref": "#/components/schemas/Tree"}),
            json!({"children": [{"children": [{"nam": 1}]}]}),
            &["field.undocumented res /children/*/children/*/nam"],
        ),
    ] {
        for version in ["3.0.3", "3.1.0"] {
            let baseline = answering(version, &schema, &components);
            let judgement = baseline.judge(&exchange("GET /t", 200).answered(&body));
            assert_eq!(told(&judgement), expected, "{version} {schema} {body}");
        }
    }
}

#[test]
fn what_stands_beside_a_reference_counts_on_the_way_too() {
    let components = json!({
        "Whole": {"$ref": "#/components/schemas/Part", "required": ["a"], "properties": {"c": {}}},
        "Part": {"$ref": "#/components/schemas/Base", "required": ["b"]},
        "Base": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}},
    });
    let baseline = answering("3.1.0", &json!({"$ref": "#/components/schemas/Whole"}), &components);
    for (body, expected) in [
        (json!({"a": 1, "b": 2, "c": 3}), &[][..]),
        (json!({"a": "1"}), &["field.required-missing res /b", "type.changed res /a"]),
        (json!({}), &["field.required-missing res /a", "field.required-missing res /b"]),
        (json!({"a": 1, "b": 2, "d": 3}), &["field.undocumented res /d"]),
    ] {
        let judgement = baseline.judge(&exchange("GET /t", 200).answered(&body));
        assert_eq!(told(&judgement), expected, "{body}");
    }
    let components = json!({
        "Maybe": {"$ref": "#/components/schemas/Base", "nullable": true},
        "Base": {"type": "object"},
    });
    let baseline = answering("3.0.3", &json!({"$ref": "#/components/schemas/Maybe"}), &components);
    let judgement = baseline.judge(&exchange("GET /t", 200).answered(&Value::Null));
    assert_eq!(told(&judgement), Vec::<String>::new());
}

#[test]
fn names_without_end_are_one_deviation() {
    let members: serde_json::Map<String, Value> =
        (0..100).map(|index| (format!("k{index}"), json!(1))).collect();
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}});
    check_answers(&[(schema, json!({"a": members}), &["field.undocumented res /a/{}"])]);
}

#[test]
fn requests_tell_by_how_they_were_answered() {
    let schema = json!({"type": "object", "required": ["sku"], "properties": {
        "sku": {"type": "string"}, "count": {"type": "integer", "maximum": 5}, "id": {"readOnly": true}}});
    let baseline = taking(&schema);
    for (body, status, expected, validity, effect) in [
        (json!({"sku": "a"}), 201, &[][..], Validity::Valid, Effect::Accepted),
        (json!({}), 201, &["field.required-missing req /sku"], Validity::Invalid, Effect::Accepted),
        (json!({}), 400, &[], Validity::Invalid, Effect::Confirmed),
        (json!({}), 500, &[], Validity::Invalid, Effect::Silent),
        (json!({"sku": 1}), 201, &["type.changed req /sku"], Validity::Invalid, Effect::Accepted),
        (
            json!({"sku": null}),
            201,
            &["type.changed req /sku"],
            Validity::Invalid,
            Effect::Accepted,
        ),
        // A wider server hurts nobody; there is no kind for that.
        (json!({"sku": "a", "count": 9}), 201, &[], Validity::Invalid, Effect::Accepted),
        (
            json!({"sku": "a", "new": 1}),
            201,
            &["field.undocumented req /new"],
            Validity::Valid,
            Effect::Accepted,
        ),
        // Clients echo what they were given.
        (json!({"sku": "a", "id": 1}), 201, &[], Validity::Valid, Effect::Accepted),
        (json!({"sku": "a"}), 400, &[], Validity::Valid, Effect::Refused),
        (json!({"sku": "a"}), 401, &["auth.now-required str"], Validity::Valid, Effect::Silent),
    ] {
        let judgement = baseline.judge(&exchange("POST /t", status).sent(&body));
        assert_eq!(told(&judgement), expected, "{body} {status}");
        assert_eq!((judgement.request, judgement.effect), (validity, effect), "{body} {status}");
        assert_eq!(judgement.tally.refusal.is_some(), effect == Effect::Refused);
    }
}

const OPERATIONS: &str = "
openapi: 3.0.3
servers: [{url: /v1}]
paths:
  /a/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: integer}}]
    get:
      parameters:
        - {in: query, name: limit, required: true, schema: {type: integer, maximum: 100}}
        - {in: query, name: filter, style: deepObject, schema: {type: object, properties: {a: {type: integer}}}}
        - {in: header, name: X-Trace, schema: {type: string, format: uuid}}
      responses:
        '200':
          description: ok
          headers: {X-Total: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {type: object}}}
        4XX: {description: no, content: {application/json: {schema: {type: object, required: [error]}}}}
  /b:
    post:
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, required: [n], properties: {n: {type: integer}, l: {type: array, items: {type: integer}}}}}}}
      responses: {'204': {description: done}}
  /events: {get: {responses: {'200': {description: s, content: {text/event-stream: {schema: {type: string}}}}}}}
  /file: {get: {responses: {'200': {description: s, content: {application/octet-stream: {schema: {type: string, format: binary}}}}}}}
";

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn structure_parameters_headers_and_media_types() {
    let baseline = baseline(OPERATIONS);
    let get = |query: &str| {
        exchange(&format!("GET /v1/a/7?{query}"), 200)
            .answered(&json!({}))
            .response_field("x-total", "1")
    };
    let trace = "7f1c2d3e-0000-4000-8000-000000000000";
    for (exchange, expected) in [
        (get("limit=5"), &[] as &[_]),
        (get("limit=5").request_field("x-trace", trace), &[]),
        (get("limit=5&filter[a]=1"), &[]),
        (get("limit=5&filter[a]=x"), &["param.invalid req query/filter"]),
        (get("limit=5").request_field("x-trace", "1"), &["param.invalid req header/x-trace"]),
        (get("limit=x"), &["param.invalid req query/limit"]),
        (get("limit=500"), &["param.invalid req query/limit"]),
        (get("limit=1&limit=2"), &["param.invalid req query/limit"]),
        (get(""), &["param.required-missing req query/limit"]),
        (get("limit=5&page=2"), &["param.undocumented req query/page"]),
        (
            exchange("GET /v1/a/x?limit=5", 200)
                .answered(&json!({}))
                .response_field("x-total", "1"),
            &["param.invalid req path/0"],
        ),
        (
            exchange("GET /v1/a/7?limit=5", 200).answered(&json!({})),
            &["header.required-missing res header/x-total"],
        ),
        (
            exchange("GET /v1/a/7?limit=5", 200)
                .answered(&json!({}))
                .response_field("x-total", "many"),
            &["header.invalid res header/x-total"],
        ),
        (get("limit=5").answered_as("text/csv", "a,b"), &["media-type.undocumented res"]),
        (get("limit=5").answered_as("", "{}"), &["media-type.missing res"]),
        (get("limit=5").answered_as("json", "{}"), &["media-type.malformed res"]),
        (get("limit=5").answered_as("application/json", "{"), &["media-type.lying res"]),
        (get("limit=5").answered_as("application/json", ""), &["body.missing res"]),
        (exchange("GET /v1/a/7?limit=5", 404).answered(&json!({"error": 1})), &[]),
        (
            exchange("GET /v1/a/7?limit=5", 409).answered(&json!({})),
            &["field.required-missing res /error"],
        ),
        (exchange("GET /v1/a/7?limit=5", 302), &["status.undocumented res"]),
        (exchange("GET /v1/a/7?limit=5", 202), &["status.undocumented res"]),
        (exchange("GET /v1/a/7?limit=5", 500), &["status.undocumented res"]),
        // Never drift: gateways, conditional and ranged requests, HEAD, pre-flights.
        (exchange("GET /v1/a/7?limit=5", 502).answered_as("text/html", "<html>"), &[]),
        (exchange("GET /v1/a/7?limit=5", 404).answered_as("text/html", "<html>"), &[]),
        (exchange("GET /v1/a/7?limit=5", 304), &[]),
        (exchange("HEAD /v1/a/7?limit=5", 200), &[]),
        (exchange("OPTIONS /v1/a/7", 204), &[]),
        (exchange("DELETE /v1/a/7", 204), &["method.undocumented str"]),
        (exchange("DELETE /v1/a/7", 405), &[]),
        (exchange("GET /v1/c/12", 200), &["endpoint.undocumented str"]),
        (exchange("GET /v1/c/12", 404), &[]),
        (exchange("GET /.env", 403), &[]),
        (
            exchange("POST /v1/b", 204).sent_as("application/x-www-form-urlencoded", "n=1&l=1&l=2"),
            &[],
        ),
        (
            exchange("POST /v1/b", 204).sent_as("application/x-www-form-urlencoded", "n=x"),
            &["type.changed req /n"],
        ),
        (
            exchange("POST /v1/b", 204).sent_as("application/x-www-form-urlencoded", "l=1"),
            &["field.required-missing req /n"],
        ),
        (exchange("POST /v1/b", 204).sent(&json!({"n": 1})), &["media-type.undocumented req"]),
        (
            exchange("POST /v1/b", 204)
                .sent_as("application/x-www-form-urlencoded", "n=1")
                .answered(&json!({})),
            &["body.undocumented res"],
        ),
        (
            exchange("GET /v1/events", 200).sent(&json!({})),
            &["body.undocumented req", "body.missing res"],
        ),
        (exchange("GET /v1/events", 200).answered_as("text/event-stream", "data: x"), &[]),
        (exchange("GET /v1/file", 200).answered_as("application/octet-stream", "\0x"), &[]),
    ] {
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        let line = format!(
            "{} {}?{:?} {}",
            exchange.method, exchange.path, exchange.query, exchange.status
        );
        assert_eq!(told(&baseline.judge(&exchange)), expected, "{line}");
    }
}

#[test]
fn security_is_presence_and_place() {
    let baseline = baseline(
        "
openapi: 3.1.0
security: [{bearer: []}]
paths:
  /s: {get: {responses: {'200': {description: ok}}}}
  /key: {get: {security: [{key: []}], responses: {'200': {description: ok}}}}
  /either: {get: {security: [{bearer: []}, {}], responses: {'200': {description: ok}}}}
  /open: {get: {security: [], responses: {'200': {description: ok}}}}
  /asked: {get: {security: [], responses: {'200': {description: ok}, '401': {description: challenge}}}}
  /any: {get: {security: [], responses: {'2XX': {description: ok}, '4XX': {description: as asked}}}}
  /oauth/token: {post: {responses: {'200': {description: ok}}}}
  /mtls: {get: {security: [{cert: []}], responses: {'200': {description: ok}}}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
    cert: {type: mutualTLS}
",
    );
    for (exchange, expected) in [
        (exchange("GET /s", 200).bearer(), &[][..]),
        (exchange("GET /s", 200), &["auth.unauthenticated-success str"]),
        (exchange("GET /s", 401), &[]),
        (exchange("GET /s", 200).response_field("age", "3"), &[]),
        (exchange("GET /s", 200).request_field("cookie", "x"), &[]),
        (exchange("GET /key", 200).request_field("x-key", "x"), &[]),
        (exchange("GET /key", 200).bearer(), &["auth.scheme-undocumented str"]),
        (exchange("GET /either", 200), &[]),
        (exchange("GET /open", 200), &[]),
        (exchange("GET /open", 401), &["auth.now-required str"]),
        (exchange("GET /open", 401).bearer(), &[]),
        // What the contract says itself is no news: a challenge, or an answer as asked for.
        (exchange("GET /asked", 401), &[]),
        (exchange("GET /asked", 403), &["auth.now-required str"]),
        (exchange("GET /any", 401), &[]),
        (exchange("POST /oauth/token", 200), &[]),
        (exchange("GET /mtls", 200), &[]),
    ] {
        let line = format!("{} {}", exchange.path, exchange.status);
        assert_eq!(told(&baseline.judge(&exchange)), expected, "{line}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn all_dialects_say_the_same() {
    let swagger = "
swagger: '2.0'
basePath: /v1
consumes: [application/json]
produces: [application/json]
paths:
  /orders/{id}:
    get:
      parameters:
        - {in: path, name: id, required: true, type: integer}
        - {in: query, name: tags, type: array, items: {type: string, enum: [a, b]}, collectionFormat: csv}
      responses: {200: {description: ok, schema: {$ref: '#/definitions/Order'}}}
    put:
      parameters: [{in: path, name: id, required: true, type: integer}, {in: body, name: b, required: true, schema: {$ref: '#/definitions/Order'}}]
      responses: {200: {description: ok}}
definitions:
  Order: {type: object, required: [total], properties: {total: {type: number}, note: {type: string, x-nullable: true}}}
";
    let openapi = |version: &str, note: &str| {
        format!(
            "
openapi: {version}
servers: [{{url: 'https://x.example/v1'}}]
paths:
  /orders/{{id}}:
    parameters: [{{in: path, name: id, required: true, schema: {{type: integer}}}}]
    get:
      parameters: [{{in: query, name: tags, explode: false, schema: {{type: array, items: {{type: string, enum: [a, b]}}}}}}]
      responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Order'}}}}}}}}}}
    put:
      requestBody: {{required: true, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Order'}}}}}}}}
      responses: {{'200': {{description: ok}}}}
components: {{schemas: {{Order: {{type: object, required: [total], properties: {{total: {{type: number}}, note: {note}}}}}}}}}
"
        )
    };
    let baselines = [
        baseline(swagger),
        baseline(&openapi("3.0.3", "{type: string, nullable: true}")),
        baseline(&openapi("3.1.0", "{type: [string, 'null']}")),
        baseline(&openapi("3.1.0", "{type: ['null', string]}")),
    ];
    for (exchange, expected) in [
        (
            exchange("GET /v1/orders/7?tags=a,b", 200).answered(&json!({"total": 1, "note": null})),
            &[][..],
        ),
        (
            exchange("GET /v1/orders/7?tags=a,c", 200).answered(&json!({"total": 1})),
            &["param.invalid req query/tags"],
        ),
        (
            exchange("GET /v1/orders/7", 200).answered(&json!({"total": "1"})),
            &["type.changed res /total"],
        ),
        (
            exchange("GET /v1/orders/7", 200).answered(&json!({"note": 1})),
            &["field.required-missing res /total", "type.changed res /note"],
        ),
        (
            exchange("PUT /v1/orders/7", 200).sent(&json!({"totl": 1})),
            &["field.required-missing req /total"],
        ),
    ] {
        let mut prints = Vec::new();
        for baseline in &baselines {
            let judgement = baseline.judge(&exchange);
            assert_eq!(
                told(&judgement),
                expected,
                "{:?} {}",
                baseline.specification.dialect,
                exchange.path
            );
            prints
                .push(judgement.deviations.into_iter().map(|d| d.fingerprint).collect::<Vec<_>>());
        }
        prints.dedup();
        assert_eq!(prints.len(), 1, "one fingerprint in every dialect");
    }
}

#[test]
fn redaction_never_causes_drift() {
    let schema = json!({"type": "object", "required": ["password"], "properties": {
        "password": {"type": "string", "minLength": 8, "pattern": "^[a-z]+$"},
        "token": {"const": "abc"},
        "keys": {"type": "array", "uniqueItems": true, "items": {"type": "object", "properties": {"secret": {"type": "string"}}}},
        "either": {"oneOf": [
            {"type": "object", "required": ["pin"], "properties": {"pin": {"const": "1"}, "a": {}}},
            {"type": "object", "required": ["pin"], "properties": {"pin": {"const": "2"}, "b": {}}}]},
    }});
    let valid = json!({"password": "abcdefgh", "token": "abc", "keys": [{"secret": "a"}, {"secret": "b"}], "either": {"pin": "1", "a": 1}});
    let baseline = answering("3.1.0", &schema, &json!({}));
    let told_of = |body: &Value| told(&baseline.judge(&exchange("GET /t", 200).answered(body)));
    assert_eq!(told_of(&valid), Vec::<String>::new());
    // Type and structure are still judged.
    let mut wrong = valid.clone();
    wrong["password"] = json!(1);
    assert_eq!(told_of(&wrong), ["type.changed res /password"]);
    let mut missing = valid;
    missing.as_object_mut().expect("an object").remove("password");
    assert_eq!(told_of(&missing), ["field.required-missing res /password"]);
}

#[test]
fn no_value_from_traffic_is_told() {
    let schema = json!({"type": "object", "properties": {"a": {"enum": ["x"]}, "b": {"pattern": "^y$"},
        "c": {"type": "object", "additionalProperties": {"type": "integer"}}, "d": {"oneOf": [{"const": 1}, {"const": 2}]}}});
    let baseline = answering("3.1.0", &schema, &json!({}));
    let body = json!({"a": "S3CR3T", "b": "S3CR3T", "c": {"S3CR3T": "S3CR3T"}, "d": "S3CR3T"});
    let judgement = baseline.judge(&exchange("GET /t", 200).answered(&body));
    assert_eq!(judgement.deviations.len(), 4);
    assert!(!format!("{:?}", judgement.deviations).contains("S3CR3T"));
}

#[test]
fn hostile_schemas_are_unvalidatable_and_quick() {
    let components = json!({
        "Loop": {"$ref": "#/components/schemas/Pool"},
        "Pool": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
        "Tree": {"anyOf": [
            {"type": "object", "required": ["x"], "properties": {"a": {"$ref": "#/components/schemas/Tree"}}},
            {"type": "object", "required": ["y"], "properties": {"a": {"$ref": "#/components/schemas/Tree"}}}]},
    });
    let mut deep = json!({});
    for _ in 0..120 {
        deep = json!({"a": deep});
    }
    let tree = answering("3.1.0", &json!({"$ref": "#/components/schemas/Tree"}), &components);
    let _judged = tree.judge(&exchange("GET /t", 200).answered(&deep));
    let looped = answering("3.1.0", &json!({"$ref": "#/components/schemas/Loop"}), &components);
    let _judged = looped.judge(&exchange("GET /t", 200).answered(&deep));

    let slow = answering("3.1.0", &json!({"pattern": "^(a|aa)+\\1+b$"}), &json!({}));
    let judgement = slow.judge(&exchange("GET /t", 200).answered(&json!("a".repeat(5_000))));
    assert_eq!(judgement.reply, Validity::Unvalidatable(Reason::Regex));
    assert!(judgement.deviations.is_empty());

    let huge = answering("3.1.0", &json!({"pattern": "(a{1000}){1000}"}), &json!({}));
    let judgement = huge.judge(&exchange("GET /t", 200).answered(&json!("a")));
    assert_eq!(judgement.reply, Validity::Unvalidatable(Reason::Schema));

    let branches: Vec<Value> = (0..10_000).map(|index| json!({"const": index})).collect();
    let wide = answering("3.1.0", &json!({"oneOf": branches}), &json!({}));
    let judgement = wide.judge(&exchange("GET /t", 200).answered(&json!("x")));
    assert_eq!(told(&judgement), ["union.no-branch res"]);

    let mut nested = json!({"type": "string"});
    for _ in 0..60 {
        nested = json!({"allOf": [nested]});
    }
    let nested = answering("3.1.0", &nested, &json!({}));
    let judgement = nested.judge(&exchange("GET /t", 200).answered(&json!(1)));
    assert_eq!(told(&judgement), ["type.changed res"]);
}

#[test]
fn bodies_beyond_the_limits_are_unvalidatable() {
    let baseline = answering("3.1.0", &json!({"type": "string"}), &json!({}));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("\"{}\"", "a".repeat(1 << 20));
    for (body, reason) in [(deep, Reason::TooDeep), (large, Reason::TooLarge)] {
        let judgement =
            baseline.judge(&exchange("GET /t", 200).answered_as("application/json", &body));
        assert_eq!(judgement.reply, Validity::Unvalidatable(reason));
        assert!(judgement.deviations.is_empty());
    }
}

/// A document in which nearly every keyword depends on values.
fn demanding() -> Value {
    json!({"type": "object", "properties": {
        "a": {"type": "string", "enum": ["x", "y"]},
        "b": {"type": "array", "uniqueItems": true, "contains": {"const": 1}, "items": {"type": "integer", "minimum": 1}},
        "c": {"oneOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"const": "x"}, "b": {}}},
            {"type": "object", "required": ["a"], "properties": {"a": {"const": "y"}, "c": {}}}]},
        "d": {"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}, "properties": {"a": {}, "b": {}}},
        "e": {"not": {"properties": {"a": {"const": ""}}, "required": ["a"]}, "properties": {"a": {"type": "string"}}},
        "f": {"anyOf": [{"properties": {"a": {"const": "x"}, "b": {}}}, {"properties": {"a": {}}}]},
    }})
}

/// Bodies that keep the document above, in most cases.
fn kept() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec!["x", "y"]);
    (word.clone(), word.clone(), word, any::<[bool; 4]>()).prop_map(|(one, two, three, [b, c, d, e])| {
        let c = if c { "b" } else { "c" };
        let mut body = json!({"a": one, "c": {"a": two, c: 1}, "d": {"a": three}, "f": {"a": one, "b": 2}});
        if b {
            body["b"] = json!([1, 2, 3]);
        }
        if d {
            body["d"]["b"] = json!(1);
        }
        if e {
            body["e"] = json!({"a": three});
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn withholding_any_values_adds_no_deviation(
        body in kept(),
        hidden in prop::sample::subsequence(
            vec!["a", "b", "b.*", "c", "c.a", "c.b", "d.a", "d.b", "d", "e.a", "f.a", "f"], 0..12),
    ) {
        let baseline = answering("3.1.0", &demanding(), &json!({}));
        let open = baseline.judge(&exchange("GET /t", 200).answered(&body));
        prop_assume!(open.deviations.is_empty());
        let closed = baseline.judge(&exchange("GET /t", 200).answered(&body).hiding(&hidden));
        prop_assert_eq!(told(&closed), Vec::<String>::new());
    }

    #[test]
    fn no_bytes_make_judging_panic(bytes in "[ -~\\n]{0,80}", query in "[a-z=&%\\[\\]+,|;]{0,40}") {
        let baseline = baseline(OPERATIONS);
        let line = format!("GET /v1/a/{}?{query}", bytes.replace(['?', ' '], ""));
        drop(baseline.judge(&exchange(&line, 200).answered_as("application/json", &bytes)));
        let form = exchange("POST /v1/b", 204).sent_as("application/x-www-form-urlencoded", &bytes);
        drop(baseline.judge(&form));
    }
}

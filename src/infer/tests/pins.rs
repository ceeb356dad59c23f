//! What people decided holds, and what speaks against it is told (`spec/inference.md` 11.2).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Dialect, ProjectOptions, Projection, Shot, learned, paths, plain, project};
use crate::infer::{BasePath, Pins};
use crate::model::problem::Problems;

fn pins(value: Value) -> Pins {
    serde_json::from_value(value).expect("pins")
}

fn pinned(shots: &[Shot], value: Value, options: ProjectOptions) -> Projection {
    project(&learned(shots), &ProjectOptions { pins: Arc::new(pins(value)), ..options })
}

/// Slugs of a shop, `new` among them, and files.
fn shop() -> Vec<Shot> {
    let mut shots = Vec::new();
    for n in 0..20 {
        let slug = ["plum", "fig", "quince", "medlar", "newish"][n % 5];
        shots.push(Shot::get(&format!("/items/{slug}"), json!({"slug": slug, "price": n})));
        shots.push(Shot::get("/files/a/b", json!({"n": n, "size": null})));
        shots.push(Shot::get("/internal/jobs/7", json!({"n": n})));
    }
    shots.push(Shot::get("/files/c", json!({"size": 1})));
    shots
}

#[test]
fn pins_hold_against_the_evidence_and_the_evidence_is_told() {
    let free = project(&learned(&shop()), &plain());
    assert!(paths(&free.document).contains(&"/items/{slug}"), "{:?}", paths(&free.document));
    let projection = pinned(
        &shop(),
        json!({
            "literal": ["/items/newish", "/nothing/here"],
            "template": ["/items/{fruit}"],
            "greedy": ["/files/{where}"],
            "ignore": ["/internal/**"],
            "server": ["https://shop.example"],
        }),
        ProjectOptions::default(),
    );
    let document = &projection.document;
    assert_eq!(paths(document), ["/files/{where}", "/items/newish", "/items/{fruit}"]);
    assert_eq!(document["servers"], json!([{"url": "https://shop.example"}]));
    assert_eq!(projection.report.pins_without_effect, ["literal `/nothing/here`"]);
    let against = "`/items/newish` is pinned as a word; 4 exchanges look like a value";
    assert_eq!(projection.report.pins_against, [against]);
}

#[test]
fn facts_and_names_are_put_where_they_point() {
    let place = "/paths/~1files~1a~1b/get/responses/200/content/application~1json/schema";
    let facts = json!({
        "fact": {
            format!("{place}/properties/n"): {"required": true},
            format!("{place}/properties/size"): {"ignore": true},
            "/paths/~1gone/get": {"open": true},
        },
        "operation": {
            "GET /files/a/b": {"operation_id": "fetch", "tag": "files", "summary": "One file"},
            "PUT /files/a/b": {"operation_id": "put"},
        },
    });
    let mut shots = shop();
    shots.push(Shot::get("/files/a/b", json!({"size": 7})));
    let projection = pinned(&shots, facts, plain());
    let operation = &projection.document["paths"]["/files/a/b"]["get"];
    let told = [&operation["operationId"], &operation["tags"], &operation["summary"]];
    assert_eq!(told, [&json!("fetch"), &json!(["files"]), &json!("One file")]);
    let schema = projection.document.pointer(place).expect("a schema");
    assert_eq!(schema["required"], json!(["n"]));
    assert_eq!(schema["properties"], json!({"n": {"type": "integer"}}));
    let against = &projection.report.pins_against;
    assert!(against.iter().any(|pin| pin.contains("absent 1 times of 21")), "{against:?}");
    assert_eq!(
        projection.report.pins_without_effect,
        ["operation `PUT /files/a/b`", "fact `/paths/~1gone/get`"]
    );
}

#[test]
fn facts_are_spelled_as_the_dialect_wants() {
    let place = "/paths/~1x/get/responses/200/content/application~1json/schema/properties";
    let facts = pins(json!({"fact": {
        format!("{place}/state"): {"nullable": true, "enum": ["on", "off"], "format": "switch"},
        format!("{place}/by"): {"map": true},
        format!("{place}/owner"): {"component": "Person"},
    }}));
    let body = json!({"state": "on", "by": {"a": 1, "b": 2}, "owner": {"id": 1, "mail": "x"}});
    let evidence = learned(&vec![Shot::get("/x", body); 3]);
    let of = |dialect| {
        let options = ProjectOptions { pins: Arc::new(facts.clone()), dialect, ..plain() };
        project(&evidence, &options).document
    };
    let (older, newer) = (of(Dialect::OpenApi30), of(Dialect::OpenApi31));
    let schema = older.pointer(place).unwrap_or_else(|| panic!("{older:#}"));
    let switch = json!({
        "type": "string", "enum": ["on", "off", null], "format": "switch", "nullable": true
    });
    assert_eq!(schema["state"], switch);
    assert_eq!(schema["by"]["additionalProperties"], json!({"type": "integer"}));
    assert_eq!(schema["owner"], json!({"$ref": "#/components/schemas/Person"}));
    assert!(older["components"]["schemas"]["Person"]["properties"]["mail"].is_object());
    let schema = newer.pointer(place).expect("properties");
    assert_eq!(schema["state"]["type"], json!(["string", "null"]));
}

#[test]
fn pins_that_contradict_each_other_are_both_named() {
    for (value, words) in [
        (
            json!({"template": ["/a/{b}"], "greedy": ["/a/{c}"]}),
            ["template `/a/{b}`", "greedy `/a/{c}`"],
        ),
        (json!({"literal": ["/a"], "ignore": ["/a"]}), ["literal `/a`", "ignore `/a`"]),
        (json!({"template": ["/a/{b}", "/a/{c}"]}), ["template `/a/{b}`", "template `/a/{c}`"]),
        (
            json!({"fact": {"/x": {"required": true, "optional": true}}}),
            ["`required` of `/x`", "`optional` of `/x`"],
        ),
        (
            json!({"fact": {"/x": {"map": true, "record": true}}}),
            ["`map` of `/x`", "`record` of `/x`"],
        ),
    ] {
        let mut problems = Problems::default();
        pins(value).check(&mut problems);
        let text = problems.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    for good in [json!({"template": ["/a/{b}", "/a/{b}/c"], "literal": ["/a/x"]}), json!({})] {
        let mut problems = Problems::default();
        pins(good).check(&mut problems);
        assert!(problems.is_empty());
    }
}

#[test]
fn texts_of_a_published_specification_are_kept() {
    let shots: Vec<Shot> =
        (0..5).map(|n| Shot::get(&format!("/v1/users/{n}"), json!({"mail": n}))).collect();
    let published = json!({
        "openapi": "3.0.3",
        "servers": [{"url": "https://x.example/v1"}],
        "paths": {"/users/{login}": {"get": {
            "operationId": "fetchUser", "summary": "One user", "tags": ["people"],
            "parameters": [{"$ref": "#/components/parameters/Login"}],
            "responses": {"200": {"description": "The user", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/User"}
            }}}},
        }}},
        "components": {
            "parameters": {"Login": {"name": "login", "in": "path", "description": "Who"}},
            "schemas": {"User": {"description": "A person", "properties": {
                "mail": {"type": "string", "description": "Where to write to"}
            }}},
        },
    });
    let options = ProjectOptions {
        templates: crate::infer::templates(&published, "/"),
        extends: Some(Arc::new(published)),
        ..plain()
    };
    let document = project(&learned(&shots), &options).document;
    let operation = &document["paths"]["/v1/users/{login}"]["get"];
    assert_eq!(operation["operationId"], "fetchUser");
    assert_eq!(operation["summary"], "One user");
    assert_eq!(operation["tags"], json!(["people"]));
    assert_eq!(operation["parameters"][0]["description"], "Who");
    let answer = &operation["responses"]["200"];
    assert_eq!(answer["description"], "The user");
    let schema = &answer["content"]["application/json"]["schema"];
    assert_eq!(schema["description"], "A person");
    // Facts come from traffic.
    assert_eq!(schema["properties"]["mail"]["type"], "integer");
    assert_eq!(schema["properties"]["mail"]["description"], "Where to write to");
}

/// A list of orders and one order, which share a schema.
fn orders() -> Vec<Shot> {
    let order = |n: usize| json!({"id": n, "state": (["new", "paid"][n % 2]), "total": 1.5});
    let lists = (0..20).map(|n| Shot::get("/api/v1/orders", json!([order(n)])));
    let each = (0..20).map(|n| Shot::get(&format!("/api/v1/orders/{n}"), order(n)));
    lists.chain(each).collect()
}

#[test]
fn a_pinned_component_keeps_its_other_facts_and_takes_no_name_that_is_taken() {
    const PLACE: &str =
        "/paths/~1api~1v1~1orders~1{orderId}/get/responses/200/content/application~1json/schema";
    let fact = |component: &str| {
        json!({ "fact": {
            PLACE: { "component": component },
            format!("{PLACE}/properties/state"): { "enum": ["new", "paid"], "component": "State" },
        } })
    };
    let projection = pinned(&orders(), fact("Purchase"), plain());
    let schemas = &projection.document["components"]["schemas"];
    let names: Vec<&String> = schemas.as_object().expect("schemas").keys().collect();
    assert_eq!(names, ["Purchase", "State"]);
    assert_eq!(schemas["State"], json!({"type": "string", "enum": ["new", "paid"]}));
    let reference = json!({"$ref": "#/components/schemas/Purchase"});
    assert_eq!(projection.document.pointer(PLACE), Some(&reference));
    let clash = pinned(&orders(), fact("State"), plain());
    let against = &clash.report.pins_against;
    assert!(against.iter().any(|pin| pin.contains("another schema is called that")), "{against:?}");
    assert_eq!(clash.document["components"]["schemas"]["State"]["type"], "object");
}

#[test]
fn texts_and_names_are_kept_when_the_base_path_moves_to_the_servers() {
    let extends = json!({
        "openapi": "3.0.3",
        "servers": [{ "url": "https://shop.example/api/v1" }],
        "paths": { "/orders/{n}": { "get": { "summary": "One order", "responses": {} } } },
    });
    let options =
        ProjectOptions { extends: Some(Arc::new(extends)), base_path: BasePath::Auto, ..plain() };
    let pin = json!({ "operation": { "GET /api/v1/orders": { "summary": "All orders" } } });
    let mut shots = orders();
    shots.extend(vec![Shot { method: "PURGE", ..Shot::get("/api/v1/orders", json!([])) }; 3]);
    let projection = pinned(&shots, pin, options);
    let document = &projection.document;
    assert_eq!(paths(document), ["/orders", "/orders/{orderId}"]);
    assert_eq!(document["paths"]["/orders/{orderId}"]["get"]["summary"], "One order");
    assert_eq!(document["paths"]["/orders"]["get"]["summary"], "All orders");
    assert!(projection.report.pins_without_effect.is_empty());
}

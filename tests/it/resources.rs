//! Events about resources: what becomes of APIs in the configuration, and of operations in traffic.

use serde_json::{Value, json};

use super::support::eventually;
use super::support::http::request;
use super::support::sidecar::{Builder, Sidecar};
use super::support::upstream::{self, Upstream};

/// Types of the events so far whose type begins so, oldest first.
fn raised(sidecar: &Sidecar, prefix: &str) -> Vec<Value> {
    let mut events =
        sidecar.get("/v1/events?limit=200")["items"].as_array().cloned().expect("a list");
    events.reverse();
    events.retain(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with(prefix)));
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

fn apis(upstream: &Upstream, version: &str) -> String {
    format!(
        "apis:\n  - {{ name: orders, upstream: \"{}\", version: \"{version}\" }}\n",
        upstream.url()
    )
}

#[test]
fn what_becomes_of_an_api_is_told_once() {
    let (first, second) = (upstream(), upstream());
    let mut sidecar = Builder::bare().section(&apis(&first, "1")).start();
    let folder = std::sync::Arc::clone(&sidecar.folder);
    let created = raised(&sidecar, "");
    let cascade = ["api.created", "api.updated", "api_version.created", "base_url.created"];
    assert_eq!(kinds(&created), cascade, "{created:#?}");
    for event in &created[1..] {
        assert_eq!(event["causationid"], created[0]["id"], "{event:#}");
        assert_eq!(event["correlationid"], created[0]["id"], "{event:#}");
    }

    let path = folder.path().join("driftgate.yaml");
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, text.replace(&first.url(), &second.url())).expect("written");
    let reply = sidecar.call("POST", "/v1/config/reload", Some(&json!({})));
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let all = raised(&sidecar, "");
    let moved = ["api.updated", "api_version.updated", "base_url.updated"];
    assert_eq!(kinds(&all[cascade.len()..]), moved);

    assert!(sidecar.stop().success());
    let again = Builder::bare().in_folder(&folder).section(&apis(&second, "1")).start();
    assert_eq!(raised(&again, "").len(), all.len(), "a restart is no news");
}

/// A document that knows another operation: the first finding makes a revision of what was learned.
const SPECIFICATION: &str = r#"{"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"},
  "paths": {"/carts": {"get": {"responses": {"200": {"description": "All carts"}}}}}}"#;

#[test]
fn an_operation_confirmed_in_traffic_is_told() {
    let upstream = upstream();
    let sidecar = Builder::bare()
        .file("orders.json", SPECIFICATION)
        .section(&format!(
            "apis:\n  - {{ name: orders, upstream: \"{}\", baseline: {{ file: orders.json }} }}\n",
            upstream.url()
        ))
        .start();
    for number in 100..120 {
        let reply = request(sidecar.proxy(), "GET", &format!("/orders/{number}"), &[], &[]);
        assert_eq!(reply.status(), 200);
    }
    let events = eventually("the operation and its document are told", || {
        let events = raised(&sidecar, "");
        let is_there = |kind: &str| events.iter().any(|event| event["type"] == kind);
        (is_there("operation.created") && is_there("documentation.updated")).then_some(events)
    });
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("it was raised");
    let (operation, document) = (of("operation.created"), of("documentation.updated"));
    assert_eq!(operation["subject"], "GET /orders/{orderId}", "{operation:#}");
    assert_eq!(operation["data"]["object"]["api"], "orders");
    assert_eq!(document["causationid"], operation["id"], "{document:#}");
    assert_eq!(document["data"]["spec_revision"], operation["data"]["spec_revision"]);
}

fn upstream() -> Upstream {
    Upstream::start(|_| upstream::json(200, &json!({ "id": 7, "total": 12.5 })))
}

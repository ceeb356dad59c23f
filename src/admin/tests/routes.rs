//! Each route: what it answers, and how it refuses what it does not understand.

use serde_json::{Value, json};

use super::fakes::HOOK;
use super::*;
use crate::model::finding::{self, Direction, FindingState, Severity, Statistics, Verdict};
use crate::model::kind::Kind;
use crate::model::revision::{Origin, RevisionId};
use crate::store::Change;

pub(super) fn finding(number: i64) -> finding::Finding {
    finding::Finding {
        fingerprint: format!("{number:032x}"),
        api: "orders".into(),
        version: String::new(),
        kind: Kind::ALL[0],
        label: "response-property-type-changed".to_owned(),
        state: FindingState::Open,
        verdict: Verdict::Breaking,
        severity: if number % 2 == 0 { Severity::High } else { Severity::Low },
        confidence: 0.99,
        direction: Direction::Response,
        method: "GET".to_owned(),
        template: "/orders/{orderId}".to_owned(),
        location: finding::Location::default(),
        expected: json!({ "type": "number" }),
        observed: json!({ "type": "string" }),
        statistics: Statistics { n: 4, k: 1, windows: 1, consumers: 1 },
        first_seen_ms: 1_700_000_000_000 + number / 3,
        last_seen_ms: 1_700_000_000_000 + number,
        message: "`total` is a string".to_owned(),
        remedy: "promote it".to_owned(),
        spec_revision: RevisionId::of(&json!({})),
        spec_origin: Origin::Predefined,
        event_specification: None,
        reopened: 0,
    }
}

pub(super) fn keep(server: &Server, finding: finding::Finding) {
    server.store.commit_blocking(vec![Change::finding(finding, String::new())]).expect("kept");
}

#[test]
fn the_inventory_is_listed_and_shown_by_name_and_id() {
    let server = Server::start();
    let list = server.get("/v1/apis").json();
    assert_eq!(list["total"], 2);
    assert_eq!(list["complete"], true);
    assert_eq!(list["items"][0]["last_seen"], "2023-11-14T22:13:20.125Z");
    for name in ["orders", "api_orders"] {
        assert_eq!(server.get(&format!("/v1/apis/{name}")).json()["name"], "orders");
    }
    let missing = server.get("/v1/apis/ordrs");
    assert_eq!((missing.status, missing.code().as_str()), (404, "api.not-found"));
    assert!(
        missing.json()["detail"].as_str().is_some_and(|it| it.contains("did you mean `orders`?"))
    );
    let operations = server.get("/v1/apis/orders/operations").json();
    assert_eq!(operations["items"][0]["relation"], "undocumented");
    assert_eq!(server.get("/v1/apis/orders/revisions").json()["items"][0]["baseline"], true);
    assert_eq!(server.get("/v1/apis/orders/baseline").json()["state"], "learning");
}

#[test]
fn documents_come_in_the_form_asked_for_and_only_when_they_changed() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.token);
    let reply = server.get("/v1/apis/orders/spec");
    assert_eq!(reply.header("content-type"), Some("application/yaml"));
    assert_eq!(reply.header("driftgate-origin"), Some("learned"));
    let etag = reply.header("etag").expect("a tag").to_owned();
    let again = |path: &str, tag: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-none-match", tag)];
        server.wire().call("GET", path, &headers, b"")
    };
    let known = again("/v1/apis/orders/spec", &etag);
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!(again("/v1/apis/orders/spec", &format!("\"x\", W/{etag}")).status, 304);
    for other in ["?openapi=3.1", "?format=json", "?view=permissive", "?extensions=false"] {
        let path = format!("/v1/apis/orders/spec{other}");
        assert_eq!(again(&path, &etag).status, 200, "{other}");
    }
    server.fakes.evidence.store(2, std::sync::atomic::Ordering::Release);
    assert_eq!(again("/v1/apis/orders/spec", &etag).status, 200, "the evidence moved");
    let saved = server.get("/v1/apis/orders/spec?download=true&format=json&openapi=3.1");
    let name = "attachment; filename=\"orders-0123456789ab-3.1.json\"";
    assert_eq!(saved.header("content-disposition"), Some(name));
    let empty = server.get("/v1/apis/empty/spec");
    assert_eq!((empty.status, empty.code().as_str()), (404, "spec.nothing-learned"));
}

#[test]
fn a_baseline_is_frozen_by_the_name_of_the_token() {
    let server = Server::start();
    let path = "/v1/apis/orders/baseline/freeze";
    for body in [None, Some("{}"), Some("{\"reason\":\"because\"}")] {
        let refused = server.call("POST", path, body);
        assert_eq!((refused.status, refused.code().as_str()), (409, "baseline.not-ready"));
    }
    let frozen = server.call("POST", path, Some("{\"force\":true,\"view\":\"strict\"}"));
    assert_eq!((frozen.status, &frozen.json()["operations"]), (200, &json!(1)));
    assert_eq!(*server.fakes.frozen.lock(), [("orders".to_owned(), "admin".to_owned())]);
}

#[test]
fn decisions_about_findings_are_carried_out_and_illegal_ones_name_what_is_allowed() {
    let server = Server::start();
    keep(&server, finding(1));
    let id = server.get("/v1/findings").json()["items"][0]["id"].clone();
    let id = id.as_str().expect("an id");
    for (name, body, told) in [
        ("acknowledge", json!({"reason": "known"}), "Acknowledge known"),
        ("mute", json!({}), "Mute(None)"),
        ("mute", json!({"until": "2027-01-31T00:00:00Z"}), "Mute(Some(Time(1801353600000)))"),
        ("reject", json!({"url": "https://bugs.example/7"}), "https://bugs.example/7"),
        ("reopen", json!({}), "Reopen"),
    ] {
        let reply =
            server.call("POST", &format!("/v1/findings/{id}/{name}"), Some(&body.to_string()));
        assert_eq!((reply.status, reply.code()), (409, "finding.not-allowed".to_owned()), "{name}");
        assert_eq!(reply.json()["allowed"], json!(["reopen"]));
        let decided = server.fakes.decided.lock().pop().expect("carried out");
        assert!(decided.contains(told), "{decided}");
    }
    let reply =
        server.call("POST", &format!("/v1/findings/{id}/mute"), Some("{\"until\":\"soon\"}"));
    assert_eq!(reply.status, 422);
    let reply = server.call("POST", "/v1/findings/fnd_x/reopen", None);
    assert_eq!(reply.code(), "finding.not-found");
}
#[test]
fn findings_are_filtered_and_shown_by_id_and_fingerprint() {
    let server = Server::start();
    (0..4).for_each(|number| keep(&server, finding(number)));
    keep(&server, finding::Finding { state: FindingState::Candidate, ..finding(9) });
    let total = |query: &str| server.get(&format!("/v1/findings{query}")).json()["total"].clone();
    assert_eq!(total(""), 4, "a candidate is no finding yet");
    assert_eq!(total("?state=candidate"), 1);
    assert_eq!(total("?state=candidate&state=open"), 5);
    assert_eq!(total("?severity=high"), 2);
    assert_eq!(total("?severity=high&severity=low&api=orders"), 4);
    assert_eq!(total("?api=other"), 0);
    let first = server.get("/v1/findings").json()["items"][0].clone();
    assert_eq!(first["statistics"]["rate"], 0.25);
    for key in ["id", "fingerprint"] {
        let path = format!("/v1/findings/{}", first[key].as_str().expect("a text"));
        assert_eq!(server.get(&path).json(), first);
    }
    assert_eq!(server.get("/v1/findings/fnd_x").code(), "finding.not-found");
    assert_eq!(server.get("/v1/findings/x").code(), "finding.not-found");
}

#[test]
fn events_keep_their_bytes_and_show_what_became_of_them() {
    let server = Server::start();
    server.publish(vec![event(1), event(2)]);
    let list = server.get("/v1/events?type=contract.*&api=orders");
    let items = list.json()["items"].as_array().cloned().expect("a list");
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["id"], "event-2");
    assert!(list.body.contains(&*event(1).data), "byte for byte: {}", list.body);
    let count = |query: &str| {
        server.get(&format!("/v1/events{query}")).json()["items"].as_array().map(Vec::len)
    };
    assert_eq!(count("?type=workflow.*"), Some(0));
    assert_eq!(count("?id=event-1"), Some(1));
    assert_eq!(count("?since=2023-11-14T22:13:20.002Z"), Some(1));
    assert_eq!(count("?until=2023-11-14T22:13:20.002Z"), Some(1));
    assert_eq!(count("?since=-15m"), Some(0));
    assert_eq!(server.get("/v1/events?since=yesterday").code(), "request.bad-parameter");
    assert_eq!(server.get("/v1/events?type=a%20b").code(), "request.bad-parameter");
    let detail = server.get("/v1/events/event-1").json();
    assert_eq!(detail["event"]["data"]["number"], 1);
    assert_eq!(detail["deliveries"][0]["destination_name"], "slack");
    assert_eq!(server.get("/v1/events/event-1?source=/other").code(), "event.not-found");
    assert_eq!(server.get("/v1/events/none").code(), "event.not-found");
    let types = server.get("/v1/event-types").json();
    let schema = types["items"][0]["dataschema"].as_str().expect("a path").to_owned();
    assert_eq!(server.get(&schema).json(), types["items"][0]["schema"]);
    assert_eq!(server.get("/v1/schemas/none/1").code(), "schema.not-found");
}

#[test]
fn ended_contract_tests_are_listed() {
    let server = Server::start();
    let data = json!({ "run": "tst_1", "target": "http://127.0.0.1:1", "score": 88.5 }).to_string();
    let kind = "contract.test.failed".to_owned();
    server.publish(vec![event(1), Event { kind, data: data.into(), ..event(2) }]);
    let tests = server.get("/v1/tests").json();
    assert_eq!(tests["items"].as_array().map(Vec::len), Some(1));
    let test = &tests["items"][0];
    assert_eq!((&test["id"], &test["result"]), (&json!("tst_1"), &json!("failed")));
    assert_eq!((&test["api"], &test["data"]["score"]), (&json!("orders"), &json!(88.5)));
}

#[test]
fn deliveries_show_request_and_response_and_obey() {
    let server = Server::start();
    server.fakes.status.store(500, std::sync::atomic::Ordering::Release);
    server.publish(vec![event(1)]);
    let in_state = |state: &str| {
        let list = server.get(&format!("/v1/deliveries?state={state}")).json();
        list["items"].as_array()?.first().cloned()
    };
    let delivery = eventually("a failed attempt", || in_state("retrying"));
    let id = delivery["id"].as_str().expect("an id").to_owned();
    assert_eq!(delivery["event"]["type"], "contract.drift.opened");
    let path = format!("/v1/deliveries/{id}");
    let detail = server.get(&path).json();
    assert_eq!(detail["attempts"][0]["response"]["status"], 500);
    assert_eq!(detail["attempts"][0]["response"]["body"], "thanks \u{fffd}");
    assert_eq!(detail["attempts"][0]["request"]["headers"][0], json!(["authorization", "***"]));
    assert_eq!(detail["payload"]["data"]["number"], 1);
    for destination in ["slack", HOOK] {
        let list = server.get(&format!("/v1/deliveries?destination={destination}")).json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{destination}");
        let list = server.get(&format!("/v1/webhooks/{destination}/deliveries")).json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{destination}");
    }
    assert_eq!(server.get("/v1/deliveries?destination=slak").code(), "destination.not-found");
    assert_eq!(server.get("/v1/webhooks/slack").json()["deliveries"]["retrying"], 1);

    let cancelled = server.call("POST", &format!("{path}/cancel"), None);
    assert_eq!(cancelled.json()["state"], "cancelled", "{cancelled:?}");
    server.fakes.status.store(204, std::sync::atomic::Ordering::Release);
    let retried = server.call("POST", &format!("{path}/retry"), Some("{\"nonce\":\"one\"}"));
    assert_eq!((retried.status, &retried.json()["state"]), (200, &json!("success")));
    let refused = server.call("POST", &format!("{path}/cancel"), None);
    assert_eq!((refused.status, refused.code().as_str()), (409, "delivery.already-final"));
    let long = json!({ "nonce": "x".repeat(129) }).to_string();
    assert_eq!(server.call("POST", &format!("{path}/retry"), Some(&long)).status, 422);
    for verb in ["retry", "cancel"] {
        let missing = server.call("POST", &format!("/v1/deliveries/none/{verb}"), None);
        assert_eq!((missing.status, missing.code().as_str()), (404, "delivery.not-found"));
    }
}

fn posted(server: &Server, media: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let bearer = format!("Bearer {INTAKE}");
    let mut all = vec![("authorization", bearer.as_str()), ("content-type", media)];
    all.extend(headers);
    server.wire().call("POST", "/v1/events", &all, body.as_bytes())
}

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

#[test]
fn events_from_outside_are_taken_once_in_all_three_forms() {
    let server = Server::start();
    let body = |id: &str| {
        json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": "order_placed", "data": { "n": 1 } })
            .to_string()
    };
    let accepted = |reply: Reply| {
        assert_eq!(reply.status, 202, "{reply:?}");
        (reply.json()["accepted"].clone(), reply.json()["duplicates"].clone())
    };
    assert_eq!(accepted(posted(&server, STRUCTURED, &[], &body("1"))), (json!(1), json!(0)));
    let again = posted(&server, "Application/CloudEvents+JSON; charset=utf-8", &[], &body("1"));
    assert_eq!(accepted(again), (json!(0), json!(1)), "a repetition raises nothing");
    let batch = format!("[{},{}]", body("1"), body("2"));
    assert_eq!(accepted(posted(&server, BATCH, &[], &batch)), (json!(1), json!(1)));
    let binary =
        [("ce-specversion", "1.0"), ("ce-id", "3"), ("ce-source", "/shop"), ("ce-type", "paid")];
    assert_eq!(accepted(posted(&server, "application/json", &binary, "[1, 2]")).0, 1);
    let list = server.get("/v1/events").json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(list["items"][0]["instance"], "test");
    eventually("they are delivered", || {
        let list = server.get("/v1/deliveries?state=success").json();
        (list["items"].as_array().map(Vec::len) == Some(3)).then_some(())
    });
}

#[test]
fn events_that_may_not_come_in_are_refused_whole() {
    let server = Server::start();
    let event = |change: Value| {
        let mut event =
            json!({ "specversion": "1.0", "id": "1", "source": "/shop", "type": "paid" });
        for (name, value) in change.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        event.to_string()
    };
    for (change, status, code) in [
        (json!({ "type": "contract.drift.opened" }), 403, "event.reserved-type"),
        (json!({ "source": "/driftgate" }), 403, "event.reserved-source"),
        (json!({ "source": "/driftgate/apis/orders" }), 403, "event.reserved-source"),
        (json!({ "time": "2100-01-01T00:00:00Z" }), 400, "event.in-the-future"),
        (json!({ "time": "tomorrow" }), 400, "event.malformed"),
        (json!({ "type": "Not A Type" }), 400, "event.malformed"),
        (json!({ "id": "" }), 400, "event.malformed"),
        (json!({ "unknown": 1 }), 400, "event.malformed"),
        (json!({ "specversion": "0.3" }), 400, "event.malformed"),
    ] {
        let reply = posted(&server, STRUCTURED, &[], &event(change.clone()));
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{change}");
    }
    let good = event(json!({ "source": "/driftgate-shop" }));
    let batch = format!("[{good},{}]", event(json!({ "id": "2", "type": "Not A Type" })));
    let reply = posted(&server, BATCH, &[], &batch);
    assert_eq!(reply.json()["problems"][0]["pointer"], "/1/type");
    for (media, body, status) in [
        (STRUCTURED, "{", 400),
        (STRUCTURED, "\u{feff}", 400),
        (BATCH, "{}", 400),
        (BATCH, "[]", 400),
        ("application/json", "{}", 415),
        ("text/plain", "{}", 415),
    ] {
        assert_eq!(posted(&server, media, &[], body).status, status, "{media} {body}");
    }
    assert_eq!(server.get("/v1/events").json()["items"], json!([]), "nothing came in");
    assert_eq!(posted(&server, STRUCTURED, &[], &good).status, 202);
    let other = event(json!({ "source": "/driftgate-shop", "data": 2 }));
    let reply = posted(&server, STRUCTURED, &[], &other);
    assert_eq!((reply.status, reply.code().as_str()), (409, "event.conflict"));
}

#[test]
fn the_process_tells_how_it_is() {
    let server = Server::start();
    let me = server.get("/v1/me").json();
    assert_eq!((&me["name"], &me["scope"]), (&json!("admin"), &json!("admin")));
    assert_eq!(server.get("/v1/health").json()["live"], true);
    *server.fakes.failing.lock() = vec!["the store does not answer".to_owned()];
    for path in ["/livez", "/readyz", "/readyz/control"] {
        let reply = server.wire().call("GET", path, &[], b"");
        assert_eq!((reply.status, reply.body.as_str()), (503, "the store does not answer\n"));
    }
    let health = server.get("/v1/health").json();
    assert_eq!(health["reasons"], json!(["the store does not answer"]));
    assert_eq!(server.get("/v1/config").json()["admin"]["address"]["origin"], "file");
    assert_eq!(server.call("POST", "/v1/config/reload", None).json()["generation"], 2);
    server.fakes.reload_fails.store(true, std::sync::atomic::Ordering::Release);
    let refused = server.call("POST", "/v1/config/reload", None);
    assert_eq!(refused.status, 422);
    let problem = &refused.json()["problems"][0];
    assert_eq!(
        (&problem["pointer"], &problem["code"]),
        (&json!("/apis/0/upstrem"), &json!("config.unknown-key"))
    );
    assert_eq!(problem["remedy"], "did you mean `upstream`?");
    assert!(
        server.get("/metrics").header("content-type").is_some_and(|it| it.contains("openmetrics"))
    );
    assert!(server.metric("driftgate_admin_requests_total{route=\"me\",status_class=\"2xx\"} 1"));
}

/// Path below `/v1` and a query that it does not understand; the fault must name parameter and nearest name.
#[test]
fn unknown_and_faulty_parameters_are_all_told() {
    let server = Server::start();
    for (path, near) in [
        ("/v1/findings?stat=open", "did you mean `state`?"),
        ("/v1/apis/orders/spec?fromat=yaml", "did you mean `format`?"),
        ("/v1/events?tpye=x", "did you mean `type`?"),
        ("/v1/deliveries?limt=1", "did you mean `limit`?"),
        ("/v1/me?x=1", "this route takes none"),
        ("/livez?verbose", "this route takes none"),
        ("/v1/webhooks/slack/deliveries?state=x", "known are limit, cursor"),
    ] {
        let reply = server.get(path);
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "request.unknown-parameter"),
            "{path}"
        );
        assert_eq!(reply.json()["problems"][0]["remedy"], near, "{path}");
    }
    for (path, faulty) in [
        ("/v1/apis/orders/spec?openapi=2.0&format=xml&live=maybe", 3),
        ("/v1/findings?state=opn&severity=worst", 2),
        ("/v1/deliveries?status=many", 1),
        ("/v1/events?limit=x", 1),
        ("/v1/events?api=a&api=b", 1),
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.code().as_str()), (400, "request.bad-parameter"), "{path}");
        let problems = reply.json()["problems"].as_array().cloned().expect("faults");
        assert_eq!(problems.len(), faulty, "{path}: {problems:?}");
        assert!(problems.iter().all(|problem| problem["parameter"].is_string()));
    }
    for limit in ["0", "251", "-1"] {
        assert_eq!(server.get(&format!("/v1/events?limit={limit}")).status, 400, "{limit}");
    }
}

#[test]
fn unknown_and_faulty_members_are_all_told() {
    let server = Server::start();
    let path = "/v1/apis/orders/baseline/freeze";
    let unknown = server.call("POST", path, Some("{\"forse\":true,\"raeson\":1}"));
    assert_eq!((unknown.status, unknown.code().as_str()), (422, "request.invalid"));
    let problems = &unknown.json()["problems"];
    assert_eq!(problems[0]["pointer"], "/forse");
    assert_eq!(problems[0]["remedy"], "did you mean `force`?");
    assert_eq!(problems[1]["remedy"], "did you mean `reason`?");
    let faulty =
        server.call("POST", path, Some("{\"force\":1,\"view\":\"open\",\"reason\":\"x\"}"));
    let pointers: Vec<_> = faulty.json()["problems"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|problem| problem["pointer"].clone())
        .collect();
    assert_eq!(pointers, ["/force", "/view"]);
    for (body, status, code) in [
        ("{", 400, "request.bad-json"),
        ("[]", 422, "request.invalid"),
        ("7", 422, "request.invalid"),
    ] {
        let reply = server.call("POST", path, Some(body));
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
    }
    let bearer = format!("Bearer {}", server.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let reply = server.wire().call("POST", path, &headers, b"{}");
    assert_eq!((reply.status, reply.code().as_str()), (415, "request.media-type"));
    assert_eq!(
        server.call("POST", &format!("{path}?x=1"), None).code(),
        "request.unknown-parameter"
    );
}

#[test]
fn unknown_routes_and_methods_are_problems_too() {
    let server = Server::start();
    let missing = server.get("/v1/event");
    assert_eq!(missing.code(), "request.unknown-route");
    assert!(missing.json()["detail"].as_str().is_some_and(|it| it.contains("`/v1/events`")));
    let method = server.call("DELETE", "/v1/events", None);
    assert_eq!(method.code(), "request.method-not-allowed");
    assert_eq!(method.header("allow"), Some("get, post"));
    assert_eq!(server.get("/v1/apis/%ff").code(), "request.bad-path");
    assert_eq!(server.get("/v1/problems/none").code(), "problem.not-found");
}

#[test]
fn the_trace_of_the_caller_goes_on() {
    let server = Server::start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let told = |parent: &str| {
        let headers = [("traceparent", parent)];
        server.wire().call("GET", "/v1/me", &headers, b"").json()["trace_id"].clone()
    };
    assert_eq!(told(&parent), trace);
    for bad in ["00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-XYZ-1", "x"] {
        assert_ne!(told(bad), trace);
    }
}

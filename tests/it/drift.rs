//! The main job, end to end: traffic in; specification, drift, contract test and delivered webhook out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::support::eventually;
use super::support::http::{Message, request};
use super::support::sidecar::{Builder, Sidecar};
use super::support::upstream::{self, Upstream, answer};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const SPECIFICATION: &str = r#"
openapi: 3.0.3
info: { title: Orders, version: "1" }
paths:
  /orders/{orderId}:
    get:
      parameters:
        - { name: orderId, in: path, required: true, schema: { type: integer }, example: 7 }
      responses:
        "200":
          description: An order
          content:
            application/json:
              schema:
                type: object
                required: [id, total]
                properties:
                  id: { type: integer }
                  total: { type: number }
"#;

/// An orders API whose second release turns a number into a text.
fn orders(second_release: &Arc<AtomicBool>) -> Upstream {
    let second_release = Arc::clone(second_release);
    Upstream::start(move |_| {
        let total =
            if second_release.load(Ordering::Acquire) { json!("12.50") } else { json!(12.5) };
        upstream::json(200, &json!({ "id": 7, "total": total }))
    })
}

/// A receiver that keeps what arrives.
fn receiver() -> (Upstream, Arc<Mutex<Vec<Message>>>) {
    let kept: Arc<Mutex<Vec<Message>>> = Arc::default();
    let upstream = {
        let kept = Arc::clone(&kept);
        Upstream::start(move |request| {
            kept.lock().expect("not poisoned").push(request.clone());
            answer(204, &[], &[])
        })
    };
    (upstream, kept)
}

fn started(upstream: &Upstream, receiver: &Upstream) -> Sidecar {
    Builder::bare()
        .file("orders.yaml", SPECIFICATION)
        .section(&format!(
            "apis:\n  - name: orders\n    upstream: {api}\n    baseline: {{ file: orders.yaml }}\n\
             webhooks:\n  - name: all\n    url: {receiver}/hook\n    events: [\"contract.*\", \"action.*\"]\n    secret: {SECRET}\n\
             actions:\n  - name: verify\n    events: [contract.drift.opened]\n    managed:\n      contract_test:\n        \
             base_url: {api}\n        use_event_specification: false\n        specification: orders.yaml\n",
            api = upstream.url(),
            receiver = receiver.url(),
        ))
        .start()
}

fn send_orders(sidecar: &Sidecar, count: usize) {
    for number in 0..count {
        let authorization = format!("Bearer consumer-{}", number % 3);
        let reply =
            request(sidecar.proxy(), "GET", "/orders/7", &[("authorization", &authorization)], &[]);
        assert_eq!(reply.status(), 200);
    }
}

fn verify(message: &Message) {
    let webhook = standardwebhooks::Webhook::new(SECRET).expect("a secret");
    let mut headers = http::HeaderMap::new();
    for (name, value) in &message.fields {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    webhook
        .verify(&message.body, &headers)
        .expect("the signature verifies with an independent implementation");
}

fn received(kept: &Mutex<Vec<Message>>, kind: &str) -> Option<Value> {
    let kept = kept.lock().expect("not poisoned");
    kept.iter().map(Message::json).find(|event| event["type"] == kind)
}

#[test]
fn a_break_of_the_contract_is_found_tested_and_told_once() {
    let second_release = Arc::new(AtomicBool::new(false));
    let (api, (hook, kept)) = (orders(&second_release), receiver());
    let sidecar = started(&api, &hook);
    send_orders(&sidecar, 30);
    second_release.store(true, Ordering::Release);
    send_orders(&sidecar, 30);

    let opened = eventually("the drift is told", || received(&kept, "contract.drift.opened"));
    let data = &opened["data"];
    assert_eq!(data["kind"], "type.changed", "{data:#}");
    assert_eq!(data["severity"], "high");
    assert_eq!(data["operation"]["path"], "/orders/{orderId}");
    assert_eq!(data["location"]["pointer"], "/total");
    assert!(
        data["spec_revision"].as_str().is_some_and(|revision| revision.starts_with("sha256:")),
        "{data:#}"
    );
    assert!(
        data["event_specification"].as_str().is_some(),
        "the learned revision is named: {data:#}"
    );

    let failed =
        eventually("the contract test is told", || received(&kept, "contract.test.failed"));
    assert_eq!(failed["correlationid"], opened["correlationid"], "one causal chain");
    eventually("the violation is told", || received(&kept, "contract.violation.opened"));

    let findings = sidecar.get("/v1/findings?state=open");
    let items = findings["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "equal deviations are one finding: {findings:#}");
    assert!(items[0]["statistics"]["k"].as_u64() >= Some(3));

    for message in kept.lock().expect("not poisoned").iter() {
        verify(message);
    }
    let opened_times = kept
        .lock()
        .expect("not poisoned")
        .iter()
        .filter(|message| message.json()["type"] == "contract.drift.opened")
        .count();
    assert_eq!(opened_times, 1);
    delivered_and_logged(&sidecar);
}

/// The log has request and response of each attempt.
fn delivered_and_logged(sidecar: &Sidecar) {
    let delivery = eventually("a delivery succeeded", || {
        let list = sidecar.get("/v1/deliveries?state=success");
        Some(list["items"].as_array()?.first()?["id"].as_str()?.to_owned())
    });
    let details = sidecar.get(&format!("/v1/deliveries/{delivery}"));
    let attempt = &details["attempts"][0];
    assert_eq!(attempt["outcome"], "ok", "{details:#}");
    assert_eq!(attempt["response"]["status"], 204);
    assert!(
        !details.to_string().contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "no secret in the log"
    );
}

#[test]
fn findings_and_evidence_survive_a_restart() {
    let second_release = Arc::new(AtomicBool::new(true));
    let (api, (hook, kept)) = (orders(&second_release), receiver());
    let mut sidecar = started(&api, &hook);
    send_orders(&sidecar, 20);
    eventually("the drift is told", || received(&kept, "contract.drift.opened"));
    let learned = |sidecar: &Sidecar| {
        let reply = sidecar.call("GET", "/v1/apis/orders/spec?extensions=false", None);
        (reply.status() == 200).then(|| reply.text())
    };
    let before = eventually("something is learned", || learned(&sidecar));
    assert_eq!(sidecar.stop().code(), Some(0), "{}", sidecar.log());

    let yaml = std::fs::read_to_string(sidecar.folder.path().join("driftgate.yaml"))
        .expect("the configuration");
    let sections =
        yaml.split_once("apis:").map(|(_, rest)| format!("apis:{rest}")).expect("sections");
    let sidecar = Builder::bare().in_folder(&sidecar.folder).section(&sections).start();
    assert_eq!(learned(&sidecar), Some(before), "what was learned is still known");
    let findings = sidecar.get("/v1/findings?state=open");
    assert_eq!(findings["items"].as_array().map(Vec::len), Some(1), "{findings:#}");
    send_orders(&sidecar, 20);
    eventually("the exchanges are analysed", || {
        (sidecar.metric("driftgate_analysis_exchanges_total") >= 20.0).then_some(())
    });
    let opened = kept
        .lock()
        .expect("not poisoned")
        .iter()
        .filter(|message| message.json()["type"] == "contract.drift.opened")
        .count();
    assert_eq!(opened, 1, "a restart does not open it again");
}

#[test]
fn what_was_learned_can_be_frozen_and_is_held_to() {
    let second_release = Arc::new(AtomicBool::new(false));
    let (api, (hook, kept)) = (orders(&second_release), receiver());
    let sidecar = Builder::bare()
        .section(&format!(
            "apis:\n  - name: orders\n    upstream: {}\nwebhooks:\n  - {{ name: all, url: \"{}\", events: [\"contract.*\"], secret: {SECRET} }}\n",
            api.url(),
            hook.url()
        ))
        .start();
    let refused = sidecar.call("POST", "/v1/apis/orders/baseline/freeze", Some(&json!({})));
    assert_eq!(refused.json()["code"], "spec.nothing-learned", "{}", refused.text());
    for number in 0..400 {
        let target = format!("/orders/{}", number + 1);
        assert_eq!(request(sidecar.proxy(), "GET", &target, &[], &[]).status(), 200);
    }
    eventually("the operation is learned", || {
        let reply = sidecar.call("GET", "/v1/apis/orders/spec?live=true", None);
        reply.text().contains("/orders/{orderId}").then_some(())
    });
    let frozen = sidecar.call(
        "POST",
        "/v1/apis/orders/baseline/freeze",
        Some(&json!({ "force": true, "reason": "test" })),
    );
    assert_eq!(frozen.status(), 200, "{}", frozen.text());
    eventually("the freeze is told", || received(&kept, "contract.baseline.frozen"));
    second_release.store(true, Ordering::Release);
    send_orders(&sidecar, 60);
    let opened = eventually("the drift is told", || received(&kept, "contract.drift.opened"));
    assert_eq!(opened["data"]["kind"], "type.changed", "{opened:#}");
    assert_eq!(opened["data"]["spec_origin"], "learned");
}

#[test]
fn a_reload_puts_other_thresholds_in_force() {
    let upstream = orders(&Arc::new(AtomicBool::new(true)));
    let sidecar = Builder::bare()
        .file("orders.yaml", SPECIFICATION)
        .section(&format!(
            "apis:\n  - name: orders\n    upstream: {}\n    baseline: {{ file: orders.yaml }}\n\
             drift: {{ thresholds: {{ contradiction: 1000 }} }}\n",
            upstream.url()
        ))
        .start();
    let open = || {
        let findings = sidecar.get("/v1/findings?state=open");
        findings["items"].as_array().expect("a list").len()
    };
    send_orders(&sidecar, 12);
    eventually("all are judged", || {
        (sidecar.metric("driftgate_analysis_exchanges_total") > 11.5).then_some(())
    });
    assert_eq!(open(), 0);

    let path = sidecar.folder.path().join("driftgate.yaml");
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, text.replace("1000", "3")).expect("written");
    let reply = sidecar.call("POST", "/v1/config/reload", Some(&json!({})));
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let reloaded: Value = serde_json::from_str(&reply.text()).expect("JSON");
    assert_eq!(reloaded["changed"], json!(["/drift"]));
    eventually("the finding opens", || {
        send_orders(&sidecar, 3);
        (open() == 1).then_some(())
    });
}

//! What people decide about findings: acknowledged and reopened, accepted into the contract, which then outlives a restart.

use serde_json::{Value, json};

use super::support::eventually;
use super::support::http::request;
use super::support::sidecar::{Builder, Sidecar, run};
use super::support::upstream::{self, Upstream};

const SPECIFICATION: &str = r#"
openapi: 3.0.3
info: { title: Orders, version: "1" }
paths:
  /orders/{orderId}:
    get:
      responses:
        "200":
          description: An order
          content:
            application/json:
              schema:
                type: object
                required: [total]
                properties: { total: { type: number } }
"#;

/// An API that sends a text where its document says a number.
fn orders() -> Upstream {
    Upstream::start(|_| upstream::json(200, &json!({ "total": "12.50" })))
}

fn sections(api: &Upstream) -> String {
    let upstream = api.url();
    format!(
        "apis:\n  - name: orders\n    upstream: {upstream}\n    baseline: {{ file: orders.yaml }}\n"
    )
}

fn send_orders(sidecar: &Sidecar, from: usize) {
    for number in from..from + 12 {
        let authorization = format!("Bearer consumer-{}", number % 3);
        let target = format!("/orders/{number}");
        let headers = [("authorization", authorization.as_str())];
        let reply = request(sidecar.proxy(), "GET", &target, &headers, &[]);
        assert_eq!(reply.status(), 200);
    }
}

fn finding(sidecar: &Sidecar) -> Value {
    eventually("a finding is listed", || {
        let found = sidecar.get("/v1/findings")["items"][0].clone();
        (!found.is_null()).then_some(found)
    })
}

fn decide(sidecar: &Sidecar, id: &str, decision: &str, order: &Value) -> Value {
    let path = format!("/v1/findings/{id}/{decision}");
    let reply = sidecar.call("POST", &path, Some(order));
    assert_eq!(reply.status(), 200, "{decision}: {}", reply.text());
    reply.json()
}

#[test]
fn decisions_are_kept_and_what_is_accepted_becomes_the_contract() {
    let api = orders();
    let mut sidecar =
        Builder::bare().file("orders.yaml", SPECIFICATION).section(&sections(&api)).start();
    send_orders(&sidecar, 0);
    let found = finding(&sidecar);
    assert_eq!(found["kind"], "type.changed", "{found:#}");
    assert!(found["event_specification"].is_string() || found["event_specification"].is_null());
    let id = found["id"].as_str().expect("an id").to_owned();

    let known = decide(&sidecar, &id, "acknowledge", &json!({"reason": "seen"}));
    assert_eq!(known["state"], "acknowledged");
    let illegal = format!("/v1/findings/{id}/acknowledge");
    assert_eq!(sidecar.call("POST", &illegal, None).status(), 200, "again changes nothing");
    let muted = decide(&sidecar, &id, "mute", &json!({}));
    assert_eq!(muted["state"], "muted");
    let refused = sidecar.call("POST", &illegal, None);
    assert_eq!(refused.json()["code"], "finding.not-allowed", "{}", refused.text());
    assert_eq!(refused.json()["allowed"], json!(["accept", "reject", "reopen"]));
    assert_eq!(decide(&sidecar, &id, "reopen", &json!({}))["state"], "open");

    let promoted = decide(&sidecar, &id, "accept", &json!({"reason": "it is a text now"}));
    assert_eq!(promoted["explained"].as_array().map(Vec::len), Some(1), "{promoted:#}");
    let stale = json!({"findings": [{"id": id}], "base": "ffffffffffff"});
    let stale = sidecar.call("POST", "/v1/apis/orders/baseline/promote", Some(&stale));
    assert_eq!(stale.json()["code"], "baseline.changed", "{}", stale.text());
    is_promoted(&sidecar, &promoted);
    eventually("what is explained is accepted", || {
        (finding(&sidecar)["state"] == "accepted").then_some(())
    });

    assert_eq!(sidecar.stop().code(), Some(0), "{}", sidecar.log());
    let sidecar = Builder::bare().in_folder(&sidecar.folder).section(&sections(&api)).start();
    is_promoted(&sidecar, &promoted);
    send_orders(&sidecar, 100);
    eventually("the exchanges are analysed", || {
        (sidecar.metric("driftgate_analysis_exchanges_total") >= 12.0).then_some(())
    });
    assert_eq!(finding(&sidecar)["state"], "accepted", "the contract allows it now");
}

fn is_promoted(sidecar: &Sidecar, promoted: &Value) {
    let baseline = sidecar.get("/v1/apis/orders/baseline");
    assert_eq!(baseline["revision"], promoted["revision"], "{baseline:#}");
    assert_eq!(baseline["origin"], "promoted");
}

#[test]
fn an_uploaded_document_is_checked_kept_and_held() {
    let api = orders();
    let sidecar =
        Builder::bare().file("orders.yaml", SPECIFICATION).section(&sections(&api)).start();
    let broken = json!({"openapi": "3.1.0", "paths": 7});
    let refused = sidecar.call("POST", "/v1/apis/orders/revisions", Some(&broken));
    assert_eq!(refused.status(), 422, "{}", refused.text());
    assert_eq!(refused.json()["code"], "spec.invalid");
    assert!(
        refused.json()["problems"][0]["message"].as_str().is_some_and(|text| text.contains("line"))
    );
    let document =
        json!({"openapi": "3.1.0", "paths": {"/orders/{id}": {"get": {"responses": {}}}}});
    let kept = sidecar.call("POST", "/v1/apis/orders/revisions", Some(&document));
    assert_eq!(kept.status(), 200, "{}", kept.text());
    let order = json!({"revision": kept.json()["revision"], "reason": "by hand"});
    let held = sidecar.call("PUT", "/v1/apis/orders/baseline", Some(&order));
    assert_eq!(held.status(), 200, "{}", held.text());
    assert_eq!(held.json()["revision"], kept.json()["revision"]);
}

/// What the command line answers, as JSON.
fn told(sidecar: &Sidecar, arguments: &[&str]) -> Value {
    let server = format!("http://{}", sidecar.admin);
    let token = sidecar.data().join("admin-token").display().to_string();
    let mut all = arguments.to_vec();
    all.extend(["--json", "--server", &server, "--token-file", &token]);
    let (code, out, errors) = run(&all);
    assert_eq!(code, 0, "{arguments:?}: {out}{errors}");
    serde_json::from_str(&out).expect("JSON")
}

#[test]
fn the_command_line_promotes_uploads_and_holds() {
    let api = orders();
    let sidecar =
        Builder::bare().file("orders.yaml", SPECIFICATION).section(&sections(&api)).start();
    send_orders(&sidecar, 0);
    let found = finding(&sidecar);
    let id = found["id"].as_str().expect("an id");

    let promoted = told(&sidecar, &["spec", "promote", "orders", &format!("{id}=0")]);
    assert_eq!(promoted["explained"].as_array().map(Vec::len), Some(1), "{promoted:#}");
    is_promoted(&sidecar, &promoted);

    let document = sidecar.folder.path().join("orders.yaml").display().to_string();
    let kept = told(&sidecar, &["spec", "upload", "orders", &document]);
    assert_eq!(kept["operations"], 1, "{kept:#}");
    let revision = kept["revision"].as_str().expect("a revision");
    let held = told(&sidecar, &["spec", "hold", "orders", revision]);
    assert_eq!(held["revision"], revision, "{held:#}");
}

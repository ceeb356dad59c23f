//! A server with planted defects: each is found with its kind; its clean twin gives none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::HeaderValue;
use serde_json::{Value, json};

use super::{Answer, Api, Seen, document, get, json_answer, options, order, run};
use crate::actions::contract_test::options::FailOn;
use crate::actions::contract_test::outcome::{Reproduced, Run, Status};
use crate::actions::contract_test::report::{self, Format};
use crate::deliver::Credentials;
use crate::deliver::client::Request;

fn order_schema() -> Value {
    json!({
        "type": "object",
        "required": ["id", "sku", "state"],
        "properties": {
            "id": {"type": "integer"},
            "sku": {"type": "string"},
            "state": {"enum": ["open", "paid"]},
            "note": {"type": "string"}
        }
    })
}

/// One list per defect, and one that asks for credentials.
fn spec() -> Value {
    let mut paths = serde_json::Map::new();
    for name in ["plain", "typed", "missing", "status", "media", "lying", "crash", "null", "enum"] {
        paths.insert(format!("/{name}"), get(order_schema()));
    }
    let mut secret = get(order_schema());
    secret["get"]["security"] = json!([{"token": []}]);
    secret["get"]["responses"]["401"] = json!({"description": "who are you"});
    paths.insert("/secret".to_owned(), secret);
    let mut document = document(Value::Object(paths));
    document["components"] =
        json!({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}});
    document
}

fn good() -> Value {
    json!({"id": 1, "sku": "a", "state": "open", "note": "n"})
}

fn clean(seen: &Seen) -> Answer {
    if seen.uri.path() == "/secret" && !seen.headers.contains_key("authorization") {
        return (401, "", String::new());
    }
    json_answer(&good())
}

fn defective(seen: &Seen) -> Answer {
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        json_answer(&body)
    };
    match seen.uri.path() {
        "/typed" => with("id", json!("1")),
        "/missing" => json_answer(&json!({"id": 1, "state": "open"})),
        "/status" => (203, "application/json", good().to_string()),
        "/media" => (200, "text/plain", good().to_string()),
        "/lying" => (200, "application/json", "<html>".to_owned()),
        "/crash" => (500, "application/json", "{}".to_owned()),
        "/null" => with("sku", Value::Null),
        "/enum" => with("state", json!("lost")),
        _ => json_answer(&good()),
    }
}

/// Credentials with a secret that must not be seen anywhere.
struct Token;

const SECRET: &str = "s3cr3t-t0ken";

#[async_trait]
impl Credentials for Token {
    async fn authorise(&self, request: &mut Request) -> Result<(), String> {
        let mut value = HeaderValue::try_from(format!("Bearer {SECRET}")).expect("a value");
        value.set_sensitive(true);
        request.headers.insert("authorization", value);
        Ok(())
    }
}

async fn tested(api: &Api) -> Run {
    let mut order = order(&spec(), options(&api.start().await));
    order.credentials = Some(Arc::new(Token));
    run(order).await
}

fn found(run: &Run) -> BTreeSet<(&str, &str)> {
    run.violations.iter().map(|one| (one.template.as_str(), one.kind.as_str())).collect()
}

#[tokio::test]
async fn every_planted_defect_is_found_with_its_kind() {
    let result = tested(&Api::new(defective)).await;
    let expected = BTreeSet::from([
        ("/typed", "type.changed"),
        ("/missing", "field.required-missing"),
        ("/status", "status.undocumented"),
        ("/media", "media-type.undocumented"),
        ("/lying", "media-type.lying"),
        ("/crash", "server.error"),
        ("/null", "null.unexpected"),
        ("/enum", "enum.widened"),
        ("/secret", "auth.unauthenticated-success"),
    ]);
    assert_eq!(found(&result), expected);
    assert_eq!((result.status, result.status.exit_code()), (Status::Failed, 1));
    for violation in &result.violations {
        assert_eq!(violation.reproduced, Reproduced { times: 3, of: 3 }, "{}", violation.kind);
        assert_eq!(violation.fingerprint.len(), 32);
    }
}

#[tokio::test]
async fn the_clean_twin_gives_nothing() {
    let result = tested(&Api::new(clean)).await;
    assert_eq!(found(&result), BTreeSet::new(), "{:#?}", result.violations);
    assert_eq!(result.status, Status::Passed);
    assert_eq!(result.score(), Some(100.0));
    assert!(result.operations.iter().all(|one| one.checks.len() >= 5), "checks were applied");
}

#[tokio::test]
async fn no_report_holds_a_secret() {
    let result = tested(&Api::new(defective)).await;
    for format in Format::ALL {
        let text = report::render(&result, *format, true);
        assert!(!text.contains(SECRET), "{format:?}");
        assert!(text.contains("field.required-missing"), "{format:?}");
    }
    let data = report::event_data(&result).to_string();
    assert!(!data.contains(SECRET) && !data.contains("curl"));
    for violation in &result.violations {
        let needs_it = violation.kind != "auth.unauthenticated-success";
        let names_it = violation.curl.contains("-H \"authorization: $DRIFTGATE_AUTH\"");
        assert_eq!(names_it, needs_it, "{}", violation.curl);
    }
}

#[tokio::test]
async fn what_shows_once_in_three_is_flaky_and_fails_nothing() {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let api = Api::new(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => (500, "application/json", "{}".to_owned()),
        _ => json_answer(&good()),
    });
    let spec = document(json!({"/plain": get(order_schema())}));
    let result = run(order(&spec, options(&api.start().await))).await;
    assert_eq!(calls.load(Ordering::SeqCst), 3, "sent twice more");
    assert_eq!(result.violations.len(), 1);
    assert!(result.violations[0].reproduced.is_flaky());
    assert_ne!(result.status, Status::Failed);
}

#[tokio::test]
async fn the_threshold_decides_what_fails() {
    let api = Api::new(|_| (203, "application/json", good().to_string()));
    let url = api.start().await;
    let spec = document(json!({"/plain": get(order_schema())}));
    for (fail_on, expected) in
        [(FailOn::Medium, Status::Failed), (FailOn::Critical, Status::Passed)]
    {
        let mut options = options(&url);
        options.fail_on = fail_on;
        assert_eq!(run(order(&spec, options)).await.status, expected, "{fail_on:?}");
    }
}

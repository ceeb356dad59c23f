//! What safe mode sends, how it is marked, and that nothing but it is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Api, client, document, get, json_answer, options, order, run, short, world};
use crate::actions::contract_test::execute::{self, Observer, Step};
use crate::actions::contract_test::options::{ContractTest, Mode};
use crate::actions::contract_test::outcome::{Outcome, Status};
use crate::events::chain::{self, Chain};
use crate::model::units::{Rate, Span};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stage;

/// Forty resources with every method, some with words that sound like deeds.
fn big() -> Value {
    let all = |schema: Value| {
        let mut path = get(schema);
        for method in ["post", "put", "patch", "delete", "head", "options", "trace"] {
            path[method] = json!({"responses": {"200": {"description": "ok"}}});
        }
        path
    };
    let mut paths = serde_json::Map::new();
    for index in 0..10 {
        let name = format!("thing{index}s");
        let limit = json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9}});
        let sort = json!({"name": "sort", "in": "query", "schema": {"enum": ["a", "b", "c"]}});
        let id =
            json!({"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}});
        let mut list = all(json!({"type": "array"}));
        list["parameters"] = json!([limit, sort]);
        let mut item = all(json!({"type": "object"}));
        item["parameters"] = json!([id]);
        paths.insert(format!("/{name}"), list);
        paths.insert(format!("/{name}/{{id}}"), item.clone());
        for deed in ["send-mail", "reset", "cancelAll"] {
            paths.insert(format!("/{name}/{{id}}/{deed}"), item.clone());
        }
    }
    let mut hidden = get(json!({}));
    hidden["get"]["operationId"] = json!("triggerBuild");
    paths.insert("/builds".to_owned(), hidden);
    document(Value::Object(paths))
}

fn things() -> Api {
    Api::new(|seen| {
        let segments = seen.uri.path().split('/').count();
        match segments {
            2 => json_answer(&json!([{"id": 4}, {"id": 8}, {"id": 15}, {"id": 16}])),
            _ => json_answer(&json!({"id": 4})),
        }
    })
}

#[tokio::test]
async fn safe_mode_reads_and_does_nothing_else() {
    let api = things();
    let url = api.start().await;
    let result = run(order(&big(), short(options(&url)))).await;
    let seen = api.seen();
    assert!(seen.len() > 150, "only {} requests", seen.len());
    for one in &seen {
        assert!(["GET", "HEAD", "OPTIONS"].contains(&one.method.as_str()), "{one:?}");
        let path = one.uri.path();
        assert!(
            !path.contains("send") && !path.contains("reset") && !path.contains("cancel"),
            "{path}"
        );
        assert!(path != "/builds", "its id says trigger");
        assert!(!path.contains('{'), "a slot was not filled: {path}");
        let agent = one.headers["user-agent"].to_str().expect("a text");
        assert!(agent.starts_with("driftgate/") && agent.ends_with("(contract-test)"));
        assert_eq!(one.headers["cache-control"], "no-cache");
        assert!(one.headers.contains_key("traceparent"));
    }
    let ids: BTreeSet<&str> =
        seen.iter().filter_map(|one| one.uri.path().strip_prefix("/thing0s/")).collect();
    assert_eq!(ids, BTreeSet::from(["4", "8", "15"]), "ids were read in this run");
    let queries: BTreeSet<&str> = seen.iter().filter_map(|one| one.uri.query()).collect();
    let expected = ["limit=1", "limit=2", "limit=8", "limit=9", "sort=a", "sort=b", "sort=c"];
    assert_eq!(queries, BTreeSet::from(expected), "declared values alone");
    let skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_));
    assert!(result.operations.iter().any(|one| skipped(&one.outcome)));
    assert_eq!(result.requests, seen.len() as u64);
}

#[tokio::test]
async fn allowed_operations_are_sent_although_they_sound_like_deeds() {
    let api = things();
    let url = api.start().await;
    let options = ContractTest {
        allow: vec!["GET /thing0s/*/reset".to_owned(), "triggerBuild".to_owned()],
        include: vec!["GET /thing0s*".to_owned(), "* /builds".to_owned()],
        exclude: vec!["*/send-mail".to_owned()],
        ..short(options(&url))
    };
    run(order(&big(), options)).await;
    let paths: BTreeSet<String> = api.seen().iter().map(|one| one.uri.path().to_owned()).collect();
    assert!(paths.contains("/thing0s/4/reset") && paths.contains("/builds"), "{paths:?}");
    assert!(paths.iter().all(|path| path.starts_with("/thing0s") || path == "/builds"));
}

#[tokio::test]
async fn one_seed_and_one_at_a_time_give_the_same_requests_in_the_same_order() {
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let api = things();
        let url = api.start().await;
        let options = ContractTest { concurrency: 1, ..short(options(&url)) };
        run(order(&big(), options)).await;
        rounds.push(
            api.seen().iter().map(|one| format!("{} {}", one.method, one.uri)).collect::<Vec<_>>(),
        );
    }
    assert_eq!(rounds[0], rounds[1]);
    assert!(rounds[0].len() > 100);
}

#[tokio::test]
async fn requests_carry_a_mark_that_verifies() {
    let api = things();
    let url = api.start().await;
    let key = chain::Key::new([3; 32]);
    let now_ms = Clock::real().now_ms();
    let mut order =
        order(&big(), ContractTest { include: vec!["/thing0s".to_owned()], ..options(&url) });
    let mark = Chain {
        kind: chain::Kind::Test,
        correlation: order.run.clone(),
        depth: 1,
        path: vec!["act_x".to_owned()],
        time_ms: now_ms,
    };
    order.chain = Some((key.clone(), mark));
    run(order).await;
    let seen = api.seen();
    assert!(!seen.is_empty());
    for one in &seen {
        let value = one.headers[chain::HEADER].to_str().expect("a text");
        assert!(chain::is_own_test(value, &key, now_ms), "{value}");
        assert!(!chain::is_own_test(value, &chain::Key::new([4; 32]), now_ms), "forged");
    }
}

#[tokio::test]
async fn observe_and_dry_run_send_nothing() {
    let api = things();
    let url = api.start().await;
    let observe = ContractTest { mode: Mode::Observe, ..options(&url) };
    let result = run(order(&big(), observe)).await;
    assert_eq!((result.status, result.requests), (Status::Passed, 0));
    assert_eq!(result.score(), None, "nothing was sent, so nothing scores");
    let planned = execute::dry_run(&order(&big(), options(&url))).expect("a plan");
    assert!(planned.iter().any(|one| one.request.is_ok()));
    assert!(planned.iter().any(|one| one.method == "POST" && one.request.is_err()));
    assert_eq!(api.seen().len(), 0);
}

#[tokio::test]
async fn budgets_end_a_run_and_say_what_is_left() {
    let api = things();
    let url = api.start().await;
    let mut limited = options(&url);
    limited.budget.requests = Some(7);
    let result = run(order(&big(), limited)).await;
    assert_eq!(api.seen().len(), 7);
    assert_eq!(result.status, Status::Inconclusive, "the minimum was not reached");
    assert_eq!(result.reason.as_ref().map(|cause| cause.code), Some("budget"));
    assert!(result.operations.iter().any(|one| one.outcome == Outcome::NotReached));
}

/// Pulls the kill switch after some requests.
struct Pull<'a>(&'a Stage, u64);

impl Observer for Pull<'_> {
    fn step(&self, step: &Step<'_>) {
        if step.sent >= self.1 {
            self.0.begin();
        }
    }
}

#[tokio::test]
async fn the_kill_switch_ends_a_run_even_while_it_waits() {
    let api = things();
    let url = api.start().await;
    let stage = Stage::default();
    // An hour between two requests: only the switch can end this.
    let slow = Rate { count: 1, per: std::time::Duration::from_hours(1) };
    let options = ContractTest { rate: slow, ..options(&url) };
    let result = execute::run(order(&big(), options), world(&stage), &Pull(&stage, 1)).await;
    assert_eq!((result.status, result.status.exit_code()), (Status::Aborted, 4));
    assert_eq!(api.seen().len(), 1);
}

#[tokio::test]
async fn metadata_addresses_are_never_reached() {
    drop(client());
    let document = document(json!({"/latest": get(json!({}))}));
    let options = ContractTest {
        budget: super::super::options::Budget { duration: Span::seconds(5), ..Default::default() },
        ..options("http://169.254.169.254")
    };
    let result = run(order(&document, options)).await;
    assert_eq!(result.status, Status::Errored);
    let cause = result.reason.expect("a reason");
    assert_eq!(cause.code, "unreachable");
    assert!(cause.message.contains("metadata"), "{}", cause.message);
}

#[tokio::test]
async fn nobody_at_the_target_is_an_error_and_no_verdict() {
    let document = document(json!({"/orders": get(json!({}))}));
    let result = run(order(&document, options("http://127.0.0.1:1"))).await;
    assert_eq!((result.status, result.status.exit_code()), (Status::Errored, 2));
    assert_eq!(result.reason.map(|cause| cause.code), Some("unreachable"));
}

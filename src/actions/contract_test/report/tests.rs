//! Reports of one made-up run: what each format says about the same things.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Format, render};
use crate::actions::contract_test::options::{FailOn, Mode};
use crate::actions::contract_test::outcome::{
    Check, Doubt, OperationResult, Outcome, Reproduced, Run, Skip, Source, Status, Tally, Used,
    Violation,
};
use crate::model::finding::{Direction, Location, Severity};
use crate::model::revision::RevisionId;

fn operation(template: &str, outcome: Outcome) -> OperationResult {
    let checks = [(Check::Status, true), (Check::ResponseSchema, outcome == Outcome::Passed)];
    OperationResult {
        method: "GET".to_owned(),
        template: template.to_owned(),
        id: None,
        outcome,
        tally: Tally { answered: 2, statuses: BTreeMap::from([(200, 2)]), ..Tally::default() },
        checks: BTreeMap::from(checks),
    }
}

fn example() -> Run {
    let violation = Violation {
        fingerprint: "0".repeat(32),
        check: Check::ResponseSchema,
        kind: "field.required-missing".to_owned(),
        severity: Severity::High,
        direction: Direction::Response,
        method: "GET".to_owned(),
        template: "/orders/<script>&".to_owned(),
        location: Location { pointer: "/sku".to_owned(), ..Location::default() },
        expected: json!({"required": ["sku"]}),
        observed: json!({"absent": true}),
        reproduced: Reproduced { times: 3, of: 3 },
        count: 1,
        case: "c_0123456789".to_owned(),
        scenario: "happy".to_owned(),
        status: 200,
        curl: "curl -sS \"http://h/orders\"".to_owned(),
        pointer: "/paths/~1orders/get".to_owned(),
    };
    Run {
        id: "run".to_owned(),
        seed: 42,
        mode: Mode::Safe,
        target: "http://h".to_owned(),
        specification: Some(Used {
            source: Source::Fallback("the event names no specification".to_owned()),
            revision: RevisionId::of(&json!({})),
            title: "Orders".to_owned(),
            version: "1".to_owned(),
            place: "orders.yaml".to_owned(),
        }),
        started_ms: 0,
        duration_ms: 1_234,
        requests: 9,
        bytes: 100,
        fail_on: FailOn::Medium,
        status: Status::Failed,
        reason: None,
        operations: vec![
            operation("/good", Outcome::Passed),
            operation("/orders/<script>&", Outcome::Violations(1)),
            operation("/quiet", Outcome::Inconclusive(Doubt::Auth)),
            operation("/left", Outcome::Skipped(Skip::Unsafe("send".to_owned()))),
        ],
        violations: vec![violation],
        lints: vec!["3:1: no description".to_owned()],
    }
}

#[test]
fn the_text_names_everything_and_its_remedy() {
    let text = render(&example(), Format::Text, false);
    for part in [
        "Orders 1 at http://h",
        "fallback), mode safe, seed 42; the event names no specification",
        "✓ GET /good",
        "200×2  1 violation",
        "give credentials that may read it",
        "`send` sounds as if it did something",
        "HIGH     GET /orders/<script>&  /sku is required and missing",
        "3 of 3 times",
        "failed: 1 failed, 1 inconclusive, 1 passed, 1 skipped operations; 9 requests in 1.2 s",
        "score 50  = 100 ×",
        "specification: 3:1: no description",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");
    assert!(render(&example(), Format::Text, true).contains('\u{1b}'));
}

#[test]
fn the_json_reads_back() {
    let report: Value =
        serde_json::from_str(&render(&example(), Format::Json, true)).expect("JSON");
    assert_eq!(report["version"], 1);
    assert_eq!((&report["status"], &report["seed"]), (&json!("failed"), &json!(42)));
    assert_eq!(report["specification"]["source"], "fallback");
    assert_eq!(report["operations"][2]["doubt"], "auth");
    assert_eq!(report["violations"][0]["location"]["pointer"], "/sku");
    let counts =
        json!({"passed": 1, "failed": 1, "inconclusive": 1, "skipped": 1, "not_reached": 0});
    assert_eq!(report["counts"], counts);
}

#[test]
fn junit_is_well_formed_and_counts_what_it_holds() {
    let text = render(&example(), Format::Junit, true);
    let count = |part: &str| text.matches(part).count();
    assert!(text.contains("tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"1.234\""));
    assert_eq!((count("<testcase "), count("</testcase>")), (6, 6));
    assert_eq!((count("<failure "), count("<error "), count("<skipped ")), (1, 1, 1));
    assert!(text.contains("GET /orders/&lt;script&gt;&amp;") && !text.contains("<script>"));
    let mut odd = example();
    odd.target = "a\u{0}\u{1b}b".to_owned();
    assert!(!render(&odd, Format::Junit, true).contains(['\u{0}', '\u{1b}']));
}

//! Inconclusive is never green: each reason by a server that gives it.

use serde_json::json;

use super::{Answer, Api, document, get, json_answer, options, order, run};
use crate::actions::contract_test::outcome::{Doubt, Outcome, Status, Tally};

async fn doubt_of(answer: Answer) -> (Option<&'static str>, Status) {
    let answer_status = answer.0;
    let api = Api::new(move |_| answer.clone());
    let url = api.start().await;
    let mut spec = document(json!({"/orders": get(json!({"type": "array"}))}));
    let responses = &mut spec["paths"]["/orders"]["get"]["responses"];
    responses["default"] = json!({"description": "whatever else"});
    if matches!(answer_status, 401 | 403) {
        // Of a public operation such an answer would be a finding of its own.
        spec["components"] =
            json!({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}});
        spec["security"] = json!([{"token": []}]);
    }
    let responses = &mut spec["paths"]["/orders"]["get"]["responses"];
    responses["200"]["content"]["application/octet-stream"] = json!({"schema": {}});
    let result = run(order(&spec, options(&url))).await;
    let code = match &result.operations[0].outcome {
        Outcome::Inconclusive(doubt) => Some(doubt.code()),
        _ => None,
    };
    (code, result.status)
}

#[tokio::test]
async fn answers_that_prove_nothing_are_inconclusive_with_their_reason() {
    let of = |status, media_type, body: &str| (status, media_type, body.to_owned());
    for (answer, expected) in [
        (of(401, "", ""), "auth"),
        (of(403, "", ""), "auth"),
        (of(404, "", ""), "no_data"),
        (of(405, "", ""), "method"),
        (of(429, "", ""), "limited"),
        (of(400, "", ""), "rejected"),
        (of(409, "", ""), "no_positive"),
        (of(418, "", ""), "no_positive"),
        (of(200, "application/octet-stream", "\u{1}\u{2}"), "undecoded"),
    ] {
        let (code, status) = doubt_of(answer).await;
        assert_eq!((code, status), (Some(expected), Status::Inconclusive));
        assert_eq!(status.exit_code(), 3);
    }
}

#[test]
fn the_rules_read_the_counts() {
    let tally = |statuses: &[(u16, u64)]| Tally {
        answered: statuses.iter().map(|(_, count)| count).sum(),
        statuses: statuses.iter().copied().collect(),
        ..Tally::default()
    };
    for (statuses, expected) in [
        (&[(200, 9), (404, 1)][..], None),
        (&[(401, 9), (200, 1)][..], Some(Doubt::Auth)),
        (&[(401, 8), (200, 2)][..], None),
        (&[(404, 10)][..], Some(Doubt::NoData)),
        (&[(404, 9), (200, 1)][..], None),
        (&[(400, 5), (422, 4), (200, 1)][..], Some(Doubt::Rejected)),
        (&[(400, 5), (404, 5)][..], Some(Doubt::NoPositive)),
        (&[(405, 4)][..], Some(Doubt::Method)),
        (&[(429, 5), (200, 5)][..], Some(Doubt::Limited)),
    ] {
        assert_eq!(tally(statuses).doubt(), expected, "{statuses:?}");
    }
    let undecoded = Tally { bodies: 3, ..tally(&[(200, 3)]) };
    assert_eq!(undecoded.doubt(), Some(Doubt::Undecoded));
    assert!(matches!(Tally::default().doubt(), Some(Doubt::Unavailable(_))));
}

#[tokio::test]
async fn an_item_without_a_known_id_is_inconclusive_until_a_parameter_names_one() {
    let api = Api::new(|seen| match seen.uri.path() {
        "/orders/7" => json_answer(&json!({"id": 7})),
        _ => (404, "", String::new()),
    });
    let url = api.start().await;
    let mut spec = document(json!({"/orders/{orderId}": get(json!({"type": "object"}))}));
    spec["paths"]["/orders/{orderId}"]["parameters"] =
        json!([{"name": "orderId", "in": "path", "required": true, "schema": {"type": "integer"}}]);
    let result = run(order(&spec, options(&url))).await;
    assert_eq!((result.status, result.status.exit_code()), (Status::Inconclusive, 3));
    let lack = Doubt::NoValue(vec!["orderId".to_owned()]);
    assert_eq!(result.operations[0].outcome, Outcome::Inconclusive(lack));
    assert_eq!(api.seen().len(), 0, "no id is invented");

    let mut named = options(&url);
    named.parameters.insert("orderId".to_owned(), "7".to_owned());
    let result = run(order(&spec, named)).await;
    assert_eq!((result.status, result.status.exit_code()), (Status::Passed, 0));
}

#[tokio::test]
async fn a_run_without_operations_is_not_green() {
    let spec =
        document(json!({"/orders": {"post": {"responses": {"201": {"description": "ok"}}}}}));
    let api = Api::new(|_| json_answer(&json!({})));
    let result = run(order(&spec, options(&api.start().await))).await;
    assert_eq!(result.status, Status::Inconclusive);
}

//! Promises about the two views and the two dialects (`spec/inference.md` 11.3-11.6).

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::laws::{config, shots};
use super::*;

fn seen(shots: &[Shot]) -> Value {
    let options = ProjectOptions { view: View::Permissive, ..ProjectOptions::default() };
    project(&learned(shots), &options).document
}

#[test]
fn the_permissive_view_states_what_was_seen_once_and_holds_nobody_to_it() {
    let shots: Vec<Shot> = (0..40)
        .map(|n| Shot::get("/states", json!({"state": (["on", "off"][n % 2]), "n": n})))
        .chain([Shot::get("/rare", json!({"a": 1}))])
        .chain([Shot { status: 500, ..Shot::get("/states", json!({"error": 1})) }])
        .collect();
    let strict = project(&learned(&shots), &ProjectOptions::default()).document;
    assert_eq!(paths(&strict), ["/states"]);
    let document = seen(&shots);
    assert_eq!(paths(&document), ["/rare", "/states"]);
    let operation = &document["paths"]["/states"]["get"];
    let statuses: Vec<&String> =
        operation["responses"].as_object().expect("answers").keys().collect();
    assert_eq!(statuses, ["200", "500", "default"]);
    assert_eq!(operation["security"], json!([{"bearerAuth": []}, {}]));
    let schema = answer(&document, "/states", "get", "200");
    assert_eq!(schema["required"], Value::Null, "forty are not likely enough");
    let state = &schema["properties"]["state"];
    assert_eq!(
        (&state["enum"], &state["x-driftgate-values"]),
        (&Value::Null, &json!(["off", "on"]))
    );
    let state = &answer(&strict, "/states", "get", "200")["properties"]["state"];
    assert_eq!(state["enum"], json!(["off", "on"]));
}

#[test]
fn requests_refused_for_what_they_say_prove_that_something_is_there() {
    let refused = |path: &str, status| Shot {
        status,
        ..Shot::post(path, json!({"a": 1}), 422, json!({"error": "no", "code": 1}))
    };
    let mut shots = vec![refused("/orders/17/notes", 422); 3];
    shots.extend(vec![refused("/nowhere", 404); 9]);
    shots.extend(vec![refused("/twice", 422); 2]);
    assert_eq!(paths(&document(&shots)), [""; 0]);
    let document = seen(&shots);
    assert_eq!(paths(&document), ["/orders/{orderId}/notes"]);
    let operation = &document["paths"]["/orders/{orderId}/notes"]["post"];
    assert_eq!(operation["x-driftgate-unproven"], true);
    assert!(operation["responses"]["422"]["content"]["application/json"]["schema"].is_object());
}

#[test]
fn other_protocols_are_one_opaque_operation_each() {
    let call = |n: usize| {
        let body = json!({"query": format!("query {{ user(id: {n}) {{ name }} }}")});
        Shot::post("/graphql", body, 200, json!({"data": {}}))
    };
    let shots: Vec<Shot> = (0..5).map(call).collect();
    let document = project(&learned(&shots), &ProjectOptions::default()).document;
    let operation = &document["paths"]["/graphql"]["post"];
    assert_eq!(operation["x-driftgate-protocol"], "graphql");
    assert_eq!(operation["requestBody"]["content"]["application/json"]["schema"], json!({}));
}

#[test]
fn methods_that_openapi_does_not_know_stand_beside_the_others() {
    let mut shots = vec![Shot::get("/files/7", json!({"a": 1})); 5];
    shots.extend(vec![Shot { method: "PURGE", ..Shot::get("/files/7", json!({})) }; 3]);
    let document = project(&learned(&shots), &ProjectOptions::default()).document;
    assert_eq!(document["paths"]["/files/{fileId}"]["x-driftgate-methods"], json!(["PURGE"]));
}

#[test]
fn the_document_says_what_it_is_made_of() {
    let shots: Vec<Shot> =
        (0..40).map(|n| Shot { week: 2_800 + n, ..Shot::get("/x", json!({"n": n - 5})) }).collect();
    let document = project(&learned(&shots), &ProjectOptions::default()).document;
    let summary = &document["x-driftgate"];
    assert_eq!((&summary["view"], &summary["exchanges"]), (&json!("strict"), &json!(40)));
    assert_eq!(summary["window"]["from"], "2023-08-31T00:00:00Z");
    let n = &answer(&document, "/x", "get", "200")["properties"]["n"];
    assert!(n["x-driftgate-range"].is_null(), "ageing leaves too few: {n}");
    assert_eq!(n["x-driftgate-undecided"], true);
}

/// What `openapiv3` spells out or leaves out of its own accord.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| {
                !matches!((name.as_str(), value.as_str()), ("style", Some("form" | "simple")))
            });
            let kept = kept.map(|(name, value)| (name.clone(), normal(value)));
            // Members of maps are in the order of the document on both sides; `enum` and `required` are lists.
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn openapiv3_reads_and_writes_any_3_0_document_without_loss(
        shots in prop::collection::vec(shots(), 0..10),
        extensions in any::<bool>(),
        examples in any::<bool>(),
        permissive in any::<bool>(),
    ) {
        let view = if permissive { View::Permissive } else { View::Strict };
        let options =
            ProjectOptions { view, extensions, examples, samples_min: 1, ..ProjectOptions::default() };
        let thrice: Vec<Shot> = [&shots, &shots, &shots].into_iter().flatten().cloned().collect();
        let document = project(&learned(&thrice), &options).document;
        let typed: openapiv3::OpenAPI = serde_json::from_value(document.clone()).expect("OpenAPI 3.0");
        let again = serde_json::to_value(&typed).expect("JSON");
        prop_assert_eq!(normal(&again), normal(&document));
    }
}

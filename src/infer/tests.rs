//! Promises of inference: what documents say of given traffic. The laws of evidence are in `laws`.

pub(super) mod caps;
mod growth;
mod laws;
mod parameters;
mod paths;
mod pins;
mod published;
mod records;
mod views;

use std::sync::Arc;

use serde_json::{Value, json};

mod projection;

use super::*;
use crate::model::capture::Outcome;
use crate::model::exchange::{Body as RawBody, Credential, CredentialKind, CredentialPlace};
use crate::model::exchange::{Exchange, Message};
use crate::model::hash::HashKey;
use crate::model::media::MediaType;
use crate::model::observation::Observation;
use crate::model::redaction::Plan;

const KEY: HashKey = HashKey::OFFLINE;

/// A recorded exchange in short.
#[derive(Debug, Clone)]
struct Shot {
    method: &'static str,
    path: String,
    query: Option<String>,
    request: Option<Value>,
    status: u16,
    response: Option<Value>,
    consumer: u64,
    /// Of its bodies.
    media: &'static str,
    /// Weeks since 1970.
    week: i64,
}

impl Shot {
    fn get(path: &str, response: Value) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            query: None,
            request: None,
            status: 200,
            response: Some(response),
            consumer: 1,
            media: "application/json",
            week: 0,
        }
    }

    fn post(path: &str, request: Value, status: u16, response: Value) -> Self {
        Self { method: "POST", request: Some(request), status, ..Self::get(path, response) }
    }

    fn observe(&self) -> Observation {
        let message = |body: &Option<Value>| Message {
            media: body.as_ref().and_then(|_| MediaType::parse(self.media)),
            body: body.as_ref().map_or(RawBody::Absent, |body| RawBody::Bytes {
                bytes: match body {
                    // A text of another type stands for itself.
                    Value::String(text) if self.media != "application/json" => text.clone().into(),
                    body => body.to_string().into(),
                },
                truncated: false,
            }),
            ..Message::default()
        };
        let exchange = Exchange {
            id: String::new(),
            api: "test".into(),
            time_ms: self.week * 7 * 24 * 3_600_000,
            duration_us: 0,
            outcome: Outcome::Ok,
            own_test: false,
            weight: 1,
            consumer: self.consumer,
            secure: true,
            host: None,
            authority: Some("api.example.com".into()),
            method: self.method.into(),
            path: self.path.clone(),
            query: self.query.clone(),
            credentials: vec![Credential {
                kind: CredentialKind::Bearer,
                place: CredentialPlace::Header,
                name: "authorization".into(),
            }],
            request: message(&self.request),
            status: self.status,
            response: message(&self.response),
            plan: Arc::new(Plan::default()),
        };
        // Tests of this folder are the one place where both halves of the analysis meet below `pipeline`.
        let lens = crate::observe::Lens { epochs: true, ..crate::observe::Lens::default() };
        crate::observe::Observer::new(KEY, lens).observe(&exchange).clone()
    }
}

fn learned(shots: &[Shot]) -> Evidence {
    let mut evidence = Evidence::new("test", KEY.id());
    for shot in shots {
        learn(&mut evidence, &shot.observe());
    }
    evidence
}

fn plain() -> ProjectOptions {
    ProjectOptions { extensions: false, ..ProjectOptions::default() }
}

fn document(shots: &[Shot]) -> Value {
    project(&learned(shots), &plain()).document
}

fn paths(document: &Value) -> Vec<&str> {
    document["paths"]
        .as_object()
        .map(|paths| paths.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The response schema of an operation.
fn answer<'a>(document: &'a Value, path: &str, method: &str, status: &str) -> &'a Value {
    &document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
}

#[test]
fn a_slug_after_a_list_is_a_parameter_and_search_is_not() {
    let mut shots = Vec::new();
    for round in 0..3 {
        let slugs = ["red-apple", "plum", "pear-tree", "fig"];
        let items: Vec<Value> =
            slugs.iter().map(|slug| json!({"slug": slug, "price": round})).collect();
        shots.push(Shot::get("/products", json!({ "items": items })));
        for slug in slugs {
            shots.push(Shot::get(&format!("/products/{slug}"), json!({"slug": slug, "price": 1})));
        }
        shots.push(Shot::get("/products/search", json!({"hits": [], "total": 0, "took": 1})));
        shots.push(Shot::get("/products/featured", json!({"title": "x", "until": 1, "banner": 2})));
    }
    let document = document(&shots);
    assert_eq!(
        paths(&document),
        ["/products", "/products/featured", "/products/search", "/products/{slug}"]
    );
}

#[test]
fn numbers_are_parameters_named_after_their_collection() {
    let shots: Vec<Shot> = (0..5)
        .map(|id| Shot::get(&format!("/v1/users/{id}/orders/{}", id + 7), json!({"total": id})))
        .collect();
    let document = document(&shots);
    assert_eq!(paths(&document), ["/v1/users/{userId}/orders/{orderId}"]);
    let operation = &document["paths"]["/v1/users/{userId}/orders/{orderId}"]["get"];
    assert_eq!(operation["operationId"], "getUserOrder");
    assert_eq!(operation["parameters"][0]["schema"]["type"], "integer");
}

#[test]
fn required_takes_nineteen_answers_and_one_absence_ends_it() {
    let whole = || Shot::get("/status", json!({"a": 1, "b": 2}));
    let required =
        |shots: &[Shot]| answer(&document(shots), "/status", "get", "200")["required"].clone();
    assert_eq!(required(&vec![whole(); 18]), Value::Null);
    assert_eq!(required(&vec![whole(); 19]), json!(["a", "b"]));
    let mut shots = vec![whole(); 300];
    shots.push(Shot::get("/status", json!({"a": 1})));
    assert_eq!(required(&shots), json!(["a"]));
}

#[test]
fn polling_one_record_proves_nothing_about_others() {
    let polled: Vec<Shot> =
        (0..100).map(|_| Shot::get("/users/1", json!({"id": 1, "nick": "x"}))).collect();
    let schema = document(&polled);
    assert_eq!(answer(&schema, "/users/{userId}", "get", "200")["required"], Value::Null);
    let varied: Vec<Shot> = (0..100)
        .map(|id| Shot::get(&format!("/users/{id}"), json!({"id": id, "nick": "x"})))
        .collect();
    let schema = document(&varied);
    assert_eq!(answer(&schema, "/users/{userId}", "get", "200")["required"], json!(["id", "nick"]));
}

#[test]
fn null_is_not_absence() {
    let mut shots = vec![Shot::get("/x", json!({"a": null, "b": 1})); 20];
    shots.push(Shot::get("/x", json!({"a": "t", "b": 1})));
    let both = document(&shots);
    let schema = answer(&both, "/x", "get", "200");
    assert_eq!(schema["properties"]["a"], json!({"type": "string", "nullable": true}));
    assert_eq!(schema["required"], json!(["a", "b"]));
    let options = ProjectOptions { dialect: Dialect::OpenApi31, ..plain() };
    let newer = project(&learned(&shots), &options).document;
    let schema = answer(&newer, "/x", "get", "200");
    assert_eq!(schema["properties"]["a"]["type"], json!(["string", "null"]));
}

#[test]
fn formats_need_three_distinct_values_and_no_exception() {
    let ids = |count: usize, odd: Option<&str>| {
        let mut shots: Vec<Shot> = (0..count)
            .map(|n| Shot::get("/x", json!({"ref": format!("0190d8a2-7f3c-7000-8000-{n:012}")})))
            .collect();
        shots.extend(odd.map(|odd| Shot::get("/x", json!({ "ref": odd }))));
        shots.extend(vec![Shot::get("/x", json!({})); 3]);
        let document = document(&shots);
        answer(&document, "/x", "get", "200")["properties"]["ref"]["format"].clone()
    };
    assert_eq!(ids(12, None), "uuid");
    assert_eq!(ids(1, None), Value::Null);
    assert_eq!(ids(12, Some("")), Value::Null);
    assert_eq!(ids(12, Some("none")), Value::Null);
}

#[test]
fn a_closed_set_of_keywords_is_an_enum_until_it_is_open() {
    let states = |distinct: usize, n: usize| {
        let shots: Vec<Shot> = (0..n)
            .map(|index| {
                let letter = char::from(b'a' + u8::try_from(index % distinct).unwrap_or(0));
                Shot::get("/x", json!({"state": format!("state-{letter}")}))
            })
            .collect();
        let document = document(&shots);
        answer(&document, "/x", "get", "200")["properties"]["state"]["enum"].clone()
    };
    assert_eq!(states(3, 60), json!(["state-a", "state-b", "state-c"]));
    assert_eq!(states(3, 18), Value::Null);
    assert_eq!(states(21, 2_000), Value::Null);
    assert_eq!(states(1, 100), Value::Null);
}

#[test]
fn data_names_are_a_map_and_listed_nowhere() {
    let shots: Vec<Shot> = (0..30)
        .map(|n| Shot::get("/x", json!({"by": {format!("jane{n}@example.org"): {"n": n}}})))
        .collect();
    let document = document(&shots);
    let map = &answer(&document, "/x", "get", "200")["properties"]["by"];
    assert_eq!(map["additionalProperties"]["properties"]["n"]["type"], "integer");
    assert!(map["properties"].is_null() && !document.to_string().contains("jane"));
}

#[test]
fn labels_are_a_map_and_records_are_not() {
    let shots: Vec<Shot> = (0..40)
        .map(|n| {
            let labels =
                json!({["zone", "tier", "team", "app"][n % 4]: "x", ["rack", "row"][n % 2]: "y"});
            Shot::get("/x", json!({"labels": labels, "size": {"w": 1, "h": 2}}))
        })
        .collect();
    let document = document(&shots);
    let schema = answer(&document, "/x", "get", "200");
    assert_eq!(schema["properties"]["labels"]["additionalProperties"]["type"], "string");
    assert_eq!(schema["properties"]["size"]["required"], json!(["w", "h"]));
}

#[test]
fn refusals_belong_to_their_operation_whenever_they_came() {
    let good = vec![Shot::post("/orders", json!({"sku": "a"}), 201, json!({"id": 1})); 5];
    let bad = Shot {
        status: 422,
        response: Some(json!({"error": "no", "field": "sku"})),
        ..Shot::post("/orders", json!({}), 422, json!({}))
    };
    let stray = Shot { status: 404, path: "/nowhere".into(), ..bad.clone() };
    let mut first = vec![bad.clone(), stray.clone()];
    first.extend(good.clone());
    let mut last = good;
    last.extend([stray, bad]);
    assert_eq!(document(&first), document(&last));
    let document = document(&first);
    assert_eq!(paths(&document), ["/orders"]);
    let schema = answer(&document, "/orders", "post", "422");
    assert_eq!(schema["$ref"], "#/components/schemas/Error");
    let error = &document["components"]["schemas"]["Error"];
    assert_eq!(error["properties"]["field"]["type"], "string");
    assert!(document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        ["properties"]["sku"]
        .is_object());
}

#[test]
fn query_parameters_are_typed_and_junk_is_left_out() {
    let shots: Vec<Shot> = (0..100)
        .map(|n| Shot {
            query: Some(format!(
                "page={n}&sort={}&utm_source=x{}",
                ["asc", "desc"][n % 2],
                if n == 5 { "&junk=1" } else { "" }
            )),
            consumer: u64::try_from(n % 5).unwrap_or(0) * 1_000_003,
            ..Shot::get("/orders", json!([]))
        })
        .collect();
    let document = document(&shots);
    let parameters =
        document["paths"]["/orders"]["get"]["parameters"].as_array().expect("parameters");
    let names: Vec<&Value> = parameters.iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["page", "sort"]);
    assert_eq!(parameters[0]["schema"], json!({"type": "integer"}));
    assert_eq!(parameters[1]["schema"]["enum"], json!(["asc", "desc"]));
    assert_eq!(parameters[0]["required"], true);
}

#[test]
fn three_hundred_rpc_names_stay_and_ten_thousand_slugs_do_not() {
    let names: Vec<Shot> = (0..300)
        .flat_map(|n| {
            let name = format!("/rpc/{}", fantasy(n));
            vec![Shot::get(&name, json!({format!("alpha{n}"): 1, format!("beta{n}"): 2})); 3]
        })
        .collect();
    assert_eq!(paths(&document(&names)).len(), 300);
    let slugs: Vec<Shot> = (0..3_000)
        .map(|n| Shot::get(&format!("/posts/{}", fantasy(n)), json!({"title": 1, "text": 2})))
        .collect();
    let evidence = learned(&slugs);
    let document = project(&evidence, &plain()).document;
    assert_eq!(paths(&document).len(), 1);
    assert!(encode(&evidence).len() < 64 * 1024, "{}", encode(&evidence).len());
}

/// A pronounceable word that is in no lexicon.
fn fantasy(n: usize) -> String {
    let part = |n: usize| ["ba", "lo", "mi", "ru", "te", "zo", "ka", "ne", "vi", "du"][n % 10];
    format!("{}{}{}{}x", part(n), part(n / 10), part(n / 100), part(n / 1_000))
}

#[test]
fn credentials_become_schemes_and_requirements() {
    let document = document(&vec![Shot::get("/me", json!({})); 30]);
    assert_eq!(document["components"]["securitySchemes"]["bearerAuth"]["scheme"], "bearer");
    assert_eq!(document["paths"]["/me"]["get"]["security"], json!([{"bearerAuth": []}]));
}

#[test]
fn documents_of_3_0_pass_through_openapiv3_without_loss() {
    let shots: Vec<Shot> = (0..40)
        .map(|n| {
            let odd = if n % 2 == 0 { json!(n) } else { json!([n]) };
            Shot::get(&format!("/a/{n}"), json!({"a": null, "b": odd, "c": {"d": 1.5}, "e": "x"}))
        })
        .collect();
    let evidence = learned(&shots);
    for extensions in [true, false] {
        let options = ProjectOptions { extensions, ..ProjectOptions::default() };
        let document = project(&evidence, &options).document;
        let typed: openapiv3::OpenAPI =
            serde_json::from_value(document.clone()).expect("OpenAPI 3.0");
        let mut again = serde_json::to_value(&typed).expect("JSON");
        // It spells out the default style of parameters.
        let parameter =
            again.pointer_mut("/paths/~1a~1{id}/get/parameters/0").expect("a parameter");
        let style = parameter.as_object_mut().and_then(|members| members.remove("style"));
        assert_eq!(style, Some(json!("simple")));
        assert_eq!(again["paths"], document["paths"]);
    }
}

#[test]
fn damaged_and_newer_evidence_is_refused() {
    let bytes = encode(&learned(&[Shot::get("/x", json!({"a": 1}))]));
    assert!(decode(&bytes).is_ok());
    for at in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(matches!(decode(&damaged), Err(Error::Corrupt { .. })), "{at}");
    }
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err());
    }
    let mut newer = bytes;
    newer[5] = 9;
    assert_eq!(decode(&newer), Err(Error::Newer { ours: 2, theirs: 9 }));
}

#[test]
fn evidence_of_other_keys_and_apis_does_not_mix() {
    let mut evidence = Evidence::new("a", [0; 4]);
    assert!(matches!(
        merge(&mut evidence, &Evidence::new("a", [1; 4])),
        Err(Error::OtherKey { .. })
    ));
    assert!(matches!(
        merge(&mut evidence, &Evidence::new("b", [0; 4])),
        Err(Error::OtherApi { .. })
    ));
}

/// A recorded exchange whose answer is a text of another media type.
fn told(path: &str, media: &'static str, text: &str) -> Shot {
    Shot { media, ..Shot::get(path, Value::String(text.to_owned())) }
}

#[test]
fn xml_is_described_by_elements_and_attributes() {
    let shots: Vec<Shot> = (0..30)
        .map(|n| {
            let items = "<a:i k='1'>5</a:i>".repeat(n % 3);
            told(
                "/x",
                "application/xml",
                &format!("<list xmlns:a='u'><size>{n}</size>{items}</list>"),
            )
        })
        .collect();
    let document = document(&shots);
    let content = &document["paths"]["/x"]["get"]["responses"]["200"]["content"];
    let schema = &content["application/xml"]["schema"];
    assert_eq!(schema["xml"], json!({"name": "list"}));
    assert_eq!(schema["required"], json!(["size"]));
    assert_eq!(schema["properties"]["size"], json!({"type": "integer"}));
    let item = &schema["properties"]["i"]["items"];
    assert_eq!(item["xml"], json!({"prefix": "a"}));
    assert_eq!(item["properties"]["k"]["xml"], json!({"attribute": true}));
}

#[test]
fn streams_are_texts_whose_items_are_described_by_event() {
    let text = "event: tick\ndata: {\"n\":1}\n\nevent: end\ndata: {\"why\":\"done\"}\n\n";
    let evidence = learned(&vec![told("/x", "text/event-stream", text); 30]);
    let document = project(&evidence, &ProjectOptions::default()).document;
    let content = &document["paths"]["/x"]["get"]["responses"]["200"]["content"];
    let schema = &content["text/event-stream"]["schema"];
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["x-driftgate-item"]["tick"]["properties"]["n"]["type"], "integer");
    assert_eq!(schema["x-driftgate-item"]["end"]["required"], json!(["why"]));
}

#[test]
fn one_body_of_several_documents_does_not_make_the_others_a_stream() {
    let mut shots = vec![told("/x", "application/problem+json", "{\"n\":1}"); 30];
    shots.push(told("/x", "application/problem+json", "{\"n\":1}{\"n\":2}"));
    let document = document(&shots);
    let content = &document["paths"]["/x"]["get"]["responses"]["200"]["content"];
    let schema = &content["application/problem+json"]["schema"];
    assert_eq!(schema["properties"]["n"]["type"], "integer", "{schema}");
}

#[test]
fn affixes_are_part_of_their_template() {
    let shots: Vec<Shot> = (0..30)
        .flat_map(|n| {
            let report = |path: String| Shot::get(&path, json!({"id": n, "sum": 1}));
            let cancel =
                Shot::post(&format!("/orders/{n}:cancel"), json!({"why": "x"}), 200, json!({}));
            [report(format!("/orders/{n}")), report(format!("/orders/{n}.json")), cancel]
        })
        .collect();
    let document = document(&shots);
    let wanted = ["/orders/{orderId}", "/orders/{orderId}.json", "/orders/{orderId}:cancel"];
    assert_eq!(paths(&document), wanted);
}

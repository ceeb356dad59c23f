//! Promises about parameters and forms (`spec/inference.md` 7).

use serde_json::{Value, json};

use super::{ProjectOptions, Shot, document, learned, plain, project};

/// So many requests of one path, each with its query.
fn asked(queries: impl IntoIterator<Item = String>) -> Vec<Shot> {
    let shot = |(n, query)| Shot {
        query: Some(query),
        consumer: n as u64 % 7 * 1_000_003,
        ..Shot::get("/orders", json!([]))
    };
    queries.into_iter().enumerate().map(shot).collect()
}

/// The parameters of that path.
fn parameters(queries: impl IntoIterator<Item = String>) -> Value {
    document(&asked(queries))["paths"]["/orders"]["get"]["parameters"].clone()
}

#[test]
fn lists_are_written_as_they_came() {
    let ids = |n: usize| ["1", "1,2", "3,4,5"][n % 3];
    let cases: [(&dyn Fn(usize) -> String, Value); 6] = [
        (
            &|n| format!("tag=a{n}&tag=b{n}"),
            json!({"schema": {"type": "array", "items": {"type": "string"}}}),
        ),
        (
            &|n| format!("ids[]={n}"),
            json!({"schema": {"type": "array", "items": {"type": "integer"}}}),
        ),
        (
            &|n| format!("ids={}", ids(n)),
            json!({"explode": false, "schema": {"type": "array", "items": {"type": "integer"}}}),
        ),
        (
            &|n| format!("ids={}", ids(n).replace(',', "|")),
            json!({"style": "pipeDelimited", "explode": false,
                "schema": {"type": "array", "items": {"type": "integer"}}}),
        ),
        (
            &|n| format!("ids={}", ids(n).replace(',', "+")),
            json!({"style": "spaceDelimited", "explode": false,
                "schema": {"type": "array", "items": {"type": "integer"}}}),
        ),
        // A pair of coordinates is no list: its length does not vary.
        (&|n| format!("at={n}.5,7.25"), json!({"schema": {"type": "string"}})),
    ];
    for (query, expected) in cases {
        let mut found = parameters((0..30).map(query))[0].clone();
        let members = found.as_object_mut().expect("a parameter");
        members.remove("name");
        members.remove("in");
        assert_eq!(found, expected, "{}", query(1));
    }
}

#[test]
fn names_with_brackets_are_members_of_one_object() {
    let query = |n: usize| {
        let deep = format!("page[size]={n}&page[number]=2&filter[price][gte]={n}");
        if n.is_multiple_of(2) { format!("{deep}&filter[state][]=open") } else { deep }
    };
    let found = parameters((0..80).map(query));
    let filter = json!({
        "name": "filter", "in": "query", "required": true, "style": "deepObject", "explode": true,
        "schema": {"type": "object", "required": ["price"], "properties": {
            "price": {"type": "object", "required": ["gte"],
                "properties": {"gte": {"type": "integer"}}},
            "state": {"type": "array", "items": {"type": "string"}},
        }},
    });
    assert_eq!(found[0], filter);
    assert_eq!(found[1]["schema"]["required"], json!(["number", "size"]));
    assert_eq!(found.as_array().map(Vec::len), Some(2));
}

#[test]
fn names_in_brackets_that_are_data_are_listed_nowhere() {
    let found = parameters((0..30).map(|n| format!("by[jane{n}@example.org]={n}&by[{n}]=1")));
    assert!(!found.to_string().contains("jane"), "{found}");
    let expected = json!({"type": "object", "additionalProperties": {"type": "integer"}});
    assert_eq!(found[0]["schema"], expected);
}

#[test]
fn a_parameter_without_a_value_says_so_and_keeps_its_type() {
    let query =
        |n: usize| if n.is_multiple_of(4) { "page".to_owned() } else { format!("page={n}") };
    let found = parameters((0..40).map(query));
    assert_eq!(
        (&found[0]["allowEmptyValue"], &found[0]["schema"]),
        (&json!(true), &json!({"type": "integer"}))
    );
}

#[test]
fn forms_nest_by_brackets_and_repeat_by_name() {
    let form = |n: usize| {
        format!("amount={n}&card[number]=1&card[exp][year]={n}&tags[]=a&items=1&items={n}")
    };
    let shots: Vec<Shot> = (0..30)
        .map(|n| Shot {
            media: "application/x-www-form-urlencoded",
            ..Shot::post("/charges", form(n).into(), 200, "ok=1".into())
        })
        .collect();
    let document = document(&shots);
    let content = &document["paths"]["/charges"]["post"]["requestBody"]["content"];
    let content = &content["application/x-www-form-urlencoded"];
    let properties = &content["schema"]["properties"];
    assert_eq!(properties["amount"], json!({"type": "integer"}));
    assert_eq!(properties["card"]["properties"]["exp"]["properties"]["year"]["type"], "integer");
    assert_eq!(properties["tags[]"]["type"], "array");
    assert_eq!(properties["items"]["items"]["type"], "integer");
    assert_eq!(content["encoding"], json!({"card": {"style": "deepObject", "explode": true}}));
}

#[test]
fn files_of_forms_are_binary_and_name_their_types() {
    let body = |n: usize| {
        let kind = ["image/png", "image/jpeg"][n % 2];
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx{n}\r\n--b\r\n\
             Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: {kind}\r\n\r\n\
             data\r\n--b--\r\n"
        )
    };
    let shots: Vec<Shot> = (0..10)
        .map(|n| Shot {
            media: "multipart/form-data; boundary=b",
            ..Shot::post("/photos", body(n).into(), 201, body(n).into())
        })
        .collect();
    let document = document(&shots);
    let content = &document["paths"]["/photos"]["post"]["requestBody"]["content"];
    let content = &content["multipart/form-data"];
    let photo = &content["schema"]["properties"]["photo"];
    assert_eq!(*photo, json!({"type": "string", "format": "binary"}));
    assert_eq!(content["encoding"]["photo"]["contentType"], "image/jpeg, image/png");
}

#[test]
fn a_member_is_required_if_requests_were_refused_for_lacking_it_alone() {
    let good = json!({"sku": "a", "count": 1});
    let shots = |refused: &[Value]| {
        let mut shots = vec![Shot::post("/orders", good.clone(), 201, json!({"id": 1})); 5];
        shots.extend(
            refused
                .iter()
                .map(|body| Shot::post("/orders", body.clone(), 422, json!({"error": 1}))),
        );
        let document = document(&shots);
        document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"]
            ["required"]
            .clone()
    };
    let lacks_sku = json!({"count": 1});
    assert_eq!(shots(&[]), Value::Null);
    assert_eq!(shots(std::slice::from_ref(&lacks_sku)), Value::Null);
    assert_eq!(shots(&[lacks_sku.clone(), lacks_sku]), json!(["sku"]));
    // Refused for something else: both were there, or both were not.
    assert_eq!(shots(&[good.clone(), good.clone()]), Value::Null);
    assert_eq!(shots(&[json!({}), json!({})]), Value::Null);
}

#[test]
fn an_empty_body_lacks_the_only_member() {
    let mut shots = vec![Shot::post("/batch", json!({"requests": []}), 200, json!({"n": 1})); 5];
    shots.extend(vec![Shot::post("/batch", json!({}), 400, json!({"error": 1})); 2]);
    let document = document(&shots);
    let content = &document["paths"]["/batch"]["post"]["requestBody"]["content"];
    assert_eq!(content["application/json"]["schema"]["required"], json!(["requests"]));
}

#[test]
fn a_member_of_what_is_wrapped_is_required_by_refusal_too() {
    let good = |n: usize| json!({"user": {"mail": n, "name": "x"}});
    let bad = json!({"user": {"name": "x"}});
    let mut shots: Vec<Shot> =
        (0..5).map(|n| Shot::post("/users", good(n), 201, json!({"id": n}))).collect();
    shots.extend(vec![Shot::post("/users", bad, 422, json!({"error": 1})); 2]);
    let document = document(&shots);
    let content = &document["paths"]["/users"]["post"]["requestBody"]["content"];
    let schema = &content["application/json"]["schema"];
    assert_eq!(schema["properties"]["user"]["required"], json!(["mail"]), "{schema}");
    assert_eq!(schema["required"], Value::Null);
}

#[test]
fn a_member_sent_once_is_stated_if_it_is_answered_too() {
    let mut shots = vec![Shot::post("/orders", json!({"sku": "a"}), 201, json!({"id": 1})); 9];
    let rare = json!({"sku": "a", "note": "x", "junk": 1});
    shots.push(Shot::post("/orders", rare, 201, json!({"id": 1, "note": "x"})));
    let document = document(&shots);
    let content = &document["paths"]["/orders"]["post"]["requestBody"]["content"];
    let properties = &content["application/json"]["schema"]["properties"];
    assert!(properties["note"].is_object() && properties["junk"].is_null(), "{properties}");
}

#[test]
fn examples_are_made_up() {
    let shots: Vec<Shot> = (0..30)
        .map(|n| {
            let body =
                json!({"id": n, "mail": format!("jane{n}@example.org"), "ok": true, "tags": ["x"]});
            Shot::get("/orders", json!([body]))
        })
        .collect();
    let with = ProjectOptions { examples: true, ..plain() };
    let document = project(&learned(&shots), &with).document;
    let content = &document["paths"]["/orders"]["get"]["responses"]["200"]["content"];
    let expected = json!([{"id": 1, "mail": "user@example.com", "ok": true, "tags": ["string"]}]);
    assert_eq!(content["application/json"]["example"], expected);
    assert!(project(&learned(&shots), &plain()).document.to_string().find("\"example\"").is_none());
}

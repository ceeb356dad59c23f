//! Promises about records that refer to themselves and that go both ways (`spec/inference.md` 8.8, 11.1).

use serde_json::{Value, json};

use super::{Shot, answer, document};

/// A comment with replies to it.
fn comment(n: usize, depth: usize) -> Value {
    let replies: Vec<Value> = (0..depth % 3).map(|at| comment(n + at + 1, depth - 1)).collect();
    json!({"id": n, "text": "x", "author": {"login": "y", "age": n}, "replies": replies})
}

#[test]
fn a_tree_is_one_record_that_refers_to_itself() {
    let shots: Vec<Shot> =
        (0..30).map(|n| Shot::get("/comments", json!([comment(n, n % 6)]))).collect();
    let document = document(&shots);
    let reference = json!({"$ref": "#/components/schemas/Comment"});
    assert_eq!(answer(&document, "/comments", "get", "200")["items"], reference);
    let comment = &document["components"]["schemas"]["Comment"];
    assert_eq!(comment["properties"]["replies"], json!({"type": "array", "items": reference}));
    assert_eq!(comment["required"], json!(["id", "text", "author", "replies"]));
    assert_eq!(document["components"]["schemas"].as_object().map(serde_json::Map::len), Some(1));
}

#[test]
fn a_parent_that_may_be_null_leads_back_too() {
    let folder = |n: usize, parent: Value| json!({"id": n, "name": "x", "parent": parent});
    let shots: Vec<Shot> = (0..40)
        .map(|n| {
            let parent = folder(n + 1, folder(n + 2, Value::Null));
            Shot::get(&format!("/folders/{n}"), folder(n, parent))
        })
        .collect();
    let document = document(&shots);
    let folder = &document["components"]["schemas"]["Folder"];
    assert_eq!(
        folder["properties"]["parent"],
        json!({"allOf": [{"$ref": "#/components/schemas/Folder"}], "nullable": true})
    );
}

#[test]
fn a_record_in_a_record_of_its_names_but_one_is_no_tree() {
    let shots: Vec<Shot> = (0..30)
        .map(|n| {
            Shot::get("/users", json!([{"id": n, "name": "x", "manager": {"id": n, "name": "y"}}]))
        })
        .collect();
    let document = document(&shots);
    let items = &answer(&document, "/users", "get", "200")["items"];
    assert!(items["properties"]["manager"]["properties"]["id"].is_object(), "{items}");
}

/// Orders made and looked at; `sent` says what a client sends.
fn orders(sent: impl Fn(usize) -> Value) -> Vec<Shot> {
    let order = |n: usize, mut body: Value| {
        body["id"] = n.into();
        body["created_at"] = "2024-05-06T07:08:09Z".into();
        body
    };
    let mut shots: Vec<Shot> = (0..80)
        .map(|n| {
            let answered = order(n, sent(n));
            Shot { consumer: n as u64 * 1_000_003, ..Shot::post("/orders", sent(n), 201, answered) }
        })
        .collect();
    shots.extend((0..40).map(|n| Shot::get(&format!("/orders/{n}"), order(n, sent(n)))));
    shots
}

#[test]
fn what_is_sent_and_answered_alike_is_one_record_with_read_only_members() {
    let document = document(&orders(|n| {
        let body = json!({"sku": format!("s-{n}"), "count": n, "price": 1.5});
        if n % 3 == 0 { json!({"sku": "s", "count": n, "price": 1.5, "note": "x"}) } else { body }
    }));
    let reference = json!({"$ref": "#/components/schemas/Order"});
    let operation = &document["paths"]["/orders"]["post"];
    assert_eq!(operation["requestBody"]["content"]["application/json"]["schema"], reference);
    let order = &document["components"]["schemas"]["Order"];
    assert_eq!(order["properties"]["id"], json!({"type": "integer", "readOnly": true}));
    assert_eq!(order["properties"]["created_at"]["readOnly"], true);
    assert!(order["properties"]["sku"]["readOnly"].is_null());
    assert_eq!(order["required"], json!(["sku", "count", "price", "id", "created_at"]));
}

#[test]
fn a_record_that_is_answered_fuller_than_it_is_sent_stays_two() {
    // The server fills in what clients leave out: one set of required members cannot say both.
    let mut shots = orders(|n| json!({"sku": "s", "count": n, "price": 1.5, "note": "x"}));
    for (n, shot) in shots.iter_mut().filter(|shot| shot.method == "POST").enumerate() {
        if n % 2 == 0 {
            shot.request = Some(json!({"sku": "s", "count": n}));
        }
    }
    let document = document(&shots);
    let content = &document["paths"]["/orders"]["post"]["requestBody"]["content"];
    let schema = &content["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["sku", "count"]), "{schema}");
    assert!(document["components"]["schemas"]["Order"]["required"].to_string().contains("note"));
}

#[test]
fn requests_of_other_shapes_are_told_apart_by_what_they_do() {
    let line = |n: usize| json!({"sku": format!("s{n}"), "count": n, "price": 1.5, "tax": 2});
    let bulk = |n: usize| json!({"lines": [line(n)], "address": {"street": "x", "town": "y"}});
    let mut shots: Vec<Shot> = Vec::new();
    for n in 0..9 {
        for path in ["/orders", "/archive/orders"] {
            shots.push(Shot::post(path, bulk(n), 201, json!({"id": n})));
            let patch = json!({"state": "x", "note": "y", "tags": [1], "who": n});
            let path = format!("{path}/{n}");
            shots.push(Shot { method: "PATCH", ..Shot::post(&path, patch, 200, json!({"id": n})) });
        }
    }
    let document = document(&shots);
    let names: Vec<&String> =
        document["components"]["schemas"].as_object().expect("components").keys().collect();
    assert!(names.iter().any(|name| *name == "OrderInput"), "{names:?}");
    let other = ["CreateOrder", "UpdateOrder"];
    assert!(names.iter().any(|name| other.contains(&name.as_str())), "{names:?}");
}

//! What was published holds until clear evidence comes, and ids survive whatever becomes of templates
//! (`spec/inference.md` 6.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::growth::word;
use super::{ProjectOptions, Projection, Published, Shot, learned, paths, project};

fn after(former: Published, shots: &[Shot]) -> Projection {
    let published = Some(Arc::new(former));
    let mut projection =
        project(&learned(shots), &ProjectOptions { published, ..ProjectOptions::default() });
    projection.published.seal("sha256:x");
    // What is kept is what was read back.
    projection.published = Published::from_value(&projection.published.to_value());
    projection
}

fn id(document: &Value, path: &str) -> String {
    let id = &document["paths"][path]["get"]["x-driftgate-id"];
    id.as_str().unwrap_or_default().to_owned()
}

fn zone(name: &str) -> Shot {
    Shot::get(&format!("/zones/{name}"), json!({"load": 1, "size": 2}))
}

#[test]
fn an_id_survives_two_changes_of_its_template() {
    let known = |name: &str| Shot::get("/zones", json!([{"zoneId": name}]));
    let mut shots = [vec![zone("north"); 30], vec![zone("south"); 9]].concat();
    let first = after(Published::default(), &shots);
    assert_eq!(paths(&first.document), ["/zones/north", "/zones/south"]);
    let (north, south) = (id(&first.document, "/zones/north"), id(&first.document, "/zones/south"));

    // Zones are listed now, and there are more of them.
    for n in 0..12 {
        shots.push(known(["north", "south"][n % 2]));
        shots.push(known(&word(n)));
        shots.push(zone(&word(n)));
    }
    shots.extend([vec![zone("north"); 30], vec![zone("south"); 30]].concat());
    let second = after(first.published, &shots);
    assert_eq!(paths(&second.document), ["/zones", "/zones/{zoneId}"]);
    assert_eq!(id(&second.document, "/zones/{zoneId}"), north);
    assert_eq!(second.published.resolve(&south), north);
    assert_eq!(second.published.aliases[&south].revision, "sha256:x");

    // They turn out to be a tree.
    for n in 0..8 {
        let deep = |path: String| Shot::get(&path, json!({"load": 1, "size": 2, "heat": 3}));
        shots.push(deep(format!("/zones/{}", word(n))));
        shots.push(deep(format!("/zones/{}/{}", word(n + 20), word(n + 30))));
        shots.push(deep(format!("/zones/{}/{}/{}", word(n + 20), word(n + 30), word(n + 40))));
    }
    let third = after(second.published, &shots);
    assert_eq!(paths(&third.document), ["/zones", "/zones/{path}"]);
    assert_eq!(id(&third.document, "/zones/{path}"), north);
    assert_eq!(third.published.resolve(&south), north);
}

#[test]
fn a_decision_turns_only_on_clear_evidence_that_came_since() {
    let words = ["north", "south", "west", "east"];
    let shots: Vec<Shot> = words.iter().flat_map(|name| vec![zone(name); 5]).collect();
    let free = project(&learned(&shots), &ProjectOptions::default());
    let fresh = paths(&free.document).len();
    let turned = |visits: u32| {
        let mut former = free.published.clone();
        for decision in
            former.decisions.get_mut("/zones").into_iter().flat_map(BTreeMap::values_mut)
        {
            decision.is_value = !decision.is_value;
            decision.visits = visits;
        }
        paths(&after(former, &shots).document).len()
    };
    // Nothing came since: what was published holds, whatever the odds say now.
    assert_ne!(turned(5), fresh);
    let known: Vec<Shot> = words
        .iter()
        .flat_map(|name| {
            let list = Shot::get("/zones", json!([{"zoneId": name}]));
            [vec![zone(name); 30], vec![list; 3]].concat()
        })
        .collect();
    let all = [shots.clone(), known].concat();
    assert_eq!(paths(&after(free.published.clone(), &all).document), ["/zones", "/zones/{zoneId}"]);
}

#[test]
fn names_stay_as_they_were_published() {
    let user = |key: &str, n: usize| Shot::get(&format!("/users/{n}"), json!({ key: n, "age": 1 }));
    let shots: Vec<Shot> = (0..5).map(|n| user("mail", n)).collect();
    let first = after(Published::default(), &shots);
    assert_eq!(paths(&first.document), ["/users/{userId}"]);
    let more: Vec<Shot> = (0..50).map(|n| user("account_no_id", n)).collect();
    let second = after(first.published, &[shots, more.clone()].concat());
    assert_eq!(paths(&second.document), ["/users/{userId}"]);
    assert_ne!(paths(&after(Published::default(), &more).document), ["/users/{userId}"]);
}

#[test]
fn an_operation_that_joins_one_that_was_there_leaves_an_alias() {
    let item =
        |name: &str| Shot::get(&format!("/zones/{name}"), json!({"zoneId": name, "load": 1}));
    let numbers: Vec<Shot> = (0..9).map(|n| item(&n.to_string())).collect();
    let hall = Shot::get("/zones/hall", json!({"open": true, "seats": 4}));
    let shots = [numbers, vec![hall; 9]].concat();
    let first = after(Published::default(), &shots);
    assert_eq!(paths(&first.document), ["/zones/hall", "/zones/{zoneId}"]);
    let hall = id(&first.document, "/zones/hall");
    // The hall is a zone like the others by now, and there are many with names.
    let mut shots: Vec<Shot> = (0..40).map(|n| item(&word(n))).collect();
    shots.extend((0..40).map(|n| item(&n.to_string())));
    shots.extend(vec![item("hall"); 60]);
    let second = after(first.published, &shots);
    assert_eq!(paths(&second.document), ["/zones/{zoneId}"]);
    assert_eq!(second.published.resolve(&hall), id(&second.document, "/zones/{zoneId}"));
}

#[test]
fn a_new_method_of_a_path_calls_its_parameters_as_they_were_published() {
    let get = |n: usize| Shot::get(&format!("/users/{n}"), json!({"mail": n, "age": 1}));
    let shots: Vec<Shot> = (0..5).map(get).collect();
    let first = after(Published::default(), &shots);
    assert_eq!(paths(&first.document), ["/users/{userId}"]);
    let mut more = shots;
    for n in 0..60 {
        let path = format!("/users/{n}");
        let body = json!({"account_no_id": n, "age": 1});
        more.push(Shot { method: "PUT", ..Shot::get(&path, body.clone()) });
        more.push(Shot { method: "POST", status: 422, ..Shot::get(&path, json!({"error": "no"})) });
    }
    let second = after(first.published, &more);
    assert_eq!(paths(&second.document), ["/users/{userId}"]);
}

//! Paths: what is a literal, what a parameter, what takes several segments (`spec/inference.md` 16.7).

use serde_json::{Value, json};

use super::growth::word;
use super::{BasePath, ProjectOptions, Shot, learned, paths, plain, project};

/// With extensions, which tell of parameters that take several segments.
fn document(shots: &[Shot]) -> Value {
    project(&learned(shots), &ProjectOptions::default()).document
}

/// What a key of a store answers, wherever it lies.
fn entry(path: &str) -> Shot {
    Shot::get(path, json!({"key": "a", "value": "b", "index": 7, "session": null}))
}

fn tree(root: &str) -> Vec<Shot> {
    let mut shots = Vec::new();
    for n in 0..6 {
        shots.push(entry(&format!("{root}/{}", word(n))));
        shots.push(entry(&format!("{root}/{}/{}", word(n + 50), word(n + 9))));
        shots.push(entry(&format!("{root}/{}/{}/{}", word(n + 50), word(n), word(n + 30))));
    }
    shots
}

#[test]
fn a_tree_of_keys_is_one_greedy_parameter() {
    let evidence = learned(&tree("/v1/kv"));
    let document = project(&evidence, &ProjectOptions::default()).document;
    assert_eq!(paths(&document), ["/v1/kv/{path}"]);
    let parameter = &document["paths"]["/v1/kv/{path}"]["get"]["parameters"][0];
    assert_eq!(parameter["x-driftgate-greedy"], true);
    // Without extensions there is no word for it: each depth is spelled out.
    let plain = project(&evidence, &plain()).document;
    assert_eq!(
        paths(&plain),
        ["/v1/kv/{path}", "/v1/kv/{path}/{path2}", "/v1/kv/{path}/{path2}/{path3}"]
    );
    let deepest = &plain["paths"]["/v1/kv/{path}/{path2}/{path3}"]["get"];
    assert_eq!(deepest["parameters"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_word_behind_a_tree_stays_behind_it() {
    let mut shots = tree("/v1/kv");
    for n in 0..4 {
        let history = || json!([{"at": n, "by": "a", "what": "b"}]);
        shots.push(Shot::get(&format!("/v1/kv/{}/history", word(n)), history()));
        shots.push(Shot::get(&format!("/v1/kv/{}/{}/history", word(n + 50), word(n)), history()));
    }
    shots.extend(vec![Shot::get("/v1/kv/search", json!({"hits": [], "took": 1, "next": "x"})); 3]);
    assert_eq!(
        paths(&document(&shots)),
        ["/v1/kv/search", "/v1/kv/{path}", "/v1/kv/{path}/history"]
    );
}

#[test]
fn what_stands_below_a_word_behind_a_tree_has_parameters_of_its_own() {
    let mut shots = tree("/v1/kv");
    for n in 0..4 {
        let version = || json!({"at": n, "by": "a", "what": "b", "size": 1});
        for key in [word(n), format!("{}/{}", word(n + 50), word(n))] {
            shots.push(Shot::get(&format!("/v1/kv/{key}/versions"), json!([version()])));
            shots.push(Shot::get(&format!("/v1/kv/{key}/versions/{n}"), version()));
        }
    }
    assert_eq!(
        paths(&document(&shots)),
        ["/v1/kv/{path}", "/v1/kv/{path}/versions", "/v1/kv/{path}/versions/{versionId}"]
    );
}

#[test]
fn files_of_one_tree_hold_what_they_like() {
    let file = |path: &str, content: Value| {
        let of_file = json!({"name": "a", "path": path, "size": 1, "kind": "x", "mode": 1,
            "made": "y", "by": "z", "locked": false, "hash": "h", "content": content});
        Shot::get(path, of_file)
    };
    let mut shots = Vec::new();
    for n in 0..6 {
        shots.push(file(&format!("/v1/files/{}", word(n)), json!([{"name": "a", "at": 1}])));
        shots.push(file(&format!("/v1/files/{}/{}", word(n + 50), word(n)), json!("text")));
        let deep = format!("/v1/files/{}/{}/{}", word(n + 50), word(n + 20), word(n));
        shots.push(file(&deep, json!({"cells": [{"source": "x"}], "version": 4})));
    }
    assert_eq!(paths(&document(&shots)), ["/v1/files/{path}"]);
}

#[test]
fn records_of_one_kind_at_two_depths_are_no_tree() {
    let rule = |path: &str, trigger: Value| {
        let rule = json!({"id": "a", "name": "b", "made": "c", "by": "d", "on": true, "rank": 1,
            "note": "e", "team": "f", "zone": "g", "trigger": trigger});
        Shot::get(path, rule)
    };
    let mut shots = Vec::new();
    for n in 0..8 {
        let made = json!({"sequence": [], "within": 3, "order": "x", "strict": true});
        let answer = rule("/v1/rules", made).response.unwrap_or_default();
        shots.push(Shot::post("/v1/rules", json!({"name": "b"}), 201, answer));
        let one = json!({"event": "x", "after": 1, "count": 2, "within": 3});
        let other = json!({"metric": "x", "above": 1, "every": 2, "unit": "s"});
        shots.push(rule(&format!("/v1/rules/{}", word(n)), one));
        shots.push(rule(&format!("/v1/rules/latest/{}", word(n + 20)), other));
    }
    let document = document(&shots);
    assert!(
        paths(&document).iter().all(|path| !path.ends_with("{path}")),
        "{:?}",
        paths(&document)
    );
}

#[test]
fn a_fixed_word_that_says_little_stays_beside_a_tree() {
    let mut shots = tree("/v1/kv");
    shots.extend(vec![Shot::get("/v1/kv/status", json!({"ok": true})); 3]);
    assert_eq!(paths(&document(&shots)), ["/v1/kv/status", "/v1/kv/{path}"]);
}

#[test]
fn a_fixed_word_that_is_the_name_of_something_is_a_value() {
    let queue = |name: &str| {
        Shot::get(&format!("/queues/{name}"), json!({"name": name, "priority": 1, "paused": false}))
    };
    let mut shots: Vec<Shot> = (0..12).flat_map(|n| [queue(&word(n)), queue("batch")]).collect();
    assert_eq!(paths(&document(&shots)), ["/queues/{queueId}"]);
    // What others answer under a fixed word names something else.
    let me = json!({"name": "jane", "priority": 1, "paused": false});
    shots.extend(vec![Shot::get("/queues/me", me); 3]);
    assert_eq!(paths(&document(&shots)), ["/queues/me", "/queues/{queueId}"]);
}

#[test]
fn a_sibling_whose_answers_say_nothing_is_what_the_others_are() {
    let mut shots = Vec::new();
    for n in 0..6 {
        let path = format!("/settings/{}", word(n));
        shots.push(Shot::get(&path, json!({"key": word(n), "value": n, "kind": "x"})));
        shots.push(Shot {
            status: 204,
            response: None,
            ..Shot::post(&path, json!(n), 204, json!(0))
        });
    }
    let silent = |path: &str| {
        vec![Shot { status: 204, response: None, ..Shot::post(path, json!(1), 204, json!(0)) }; 3]
    };
    shots.extend(silent("/settings/theme"));
    assert_eq!(paths(&document(&shots)), ["/settings/{settingId}"]);
    // What none of the others does is something else.
    let rebuilt = silent("/settings/rebuild/now");
    shots.extend(rebuilt);
    assert_eq!(paths(&document(&shots)), ["/settings/rebuild/now", "/settings/{settingId}"]);
}

/// What an echo answers: what it was asked.
fn echo(method: &'static str, path: &str, sent: Option<Value>) -> Shot {
    let answer = json!({"method": method, "url": path, "json": sent, "origin": "a"});
    Shot { method, request: sent, ..Shot::get(path, answer) }
}

#[test]
fn a_node_that_answers_for_anything_as_for_itself_is_greedy() {
    let mut shots = vec![echo("GET", "/echo", None); 3];
    for n in 0..4 {
        shots.push(echo("POST", "/echo/orders", Some(json!({"sku": n, "count": 1}))));
        shots.push(echo("GET", &format!("/echo/orders/{n}"), None));
        shots.push(echo("PUT", &format!("/echo/users/{n}"), Some(json!({"mail": n, "x": 1}))));
        shots.push(echo("GET", &format!("/echo/users/{n}/cards"), None));
        shots.push(echo("GET", "/echo/reports", None));
    }
    assert_eq!(paths(&document(&shots)), ["/echo", "/echo/{path}"]);
}

#[test]
fn a_crowd_at_one_depth_does_not_hide_what_is_below_it() {
    let mut shots = Vec::new();
    for n in 0..60 {
        let user = format!("/users/{}", word(n));
        shots.push(Shot::get(&user, json!({"login": "a", "mail": "b", "age": n})));
        shots.push(Shot::get(
            &format!("{user}/repos"),
            json!([{"name": "r", "stars": n, "fork": false}]),
        ));
        shots.push(Shot::get(
            &format!("{user}/keys"),
            json!([{"key": "k", "added": "x", "title": "t"}]),
        ));
        shots.push(Shot::get(
            &format!("{user}/repos/{}", word(n + 100)),
            json!({"branch": "main", "size": n, "license": "x"}),
        ));
    }
    let document = document(&shots);
    assert_eq!(paths(&document).len(), 4, "{:?}", paths(&document));
    assert!(
        paths(&document).iter().all(|path| !path.ends_with("{path}")),
        "{:?}",
        paths(&document)
    );
}

#[test]
fn an_envelope_that_all_answers_share_proves_nothing() {
    let wrapped = |path: &str, data: Value| {
        Shot::get(path, json!({"status": "ok", "code": 0, "message": "", "data": data}))
    };
    let mut shots = Vec::new();
    for n in 0..5 {
        shots.push(wrapped("/shop", json!({"name": "x", "open": true})));
        for (noun, key) in [("orders", "total"), ("users", "mail"), ("parcels", "weight")] {
            let one = || json!({"id": n, key: 1});
            shots.push(wrapped(&format!("/shop/{noun}"), json!([one()])));
            shots.push(wrapped(&format!("/shop/{noun}/{n}"), one()));
            shots.push(wrapped(&format!("/shop/{noun}/{n}/notes"), json!([{"text": "x"}])));
        }
    }
    let document = document(&shots);
    assert_eq!(paths(&document).len(), 10, "{:?}", paths(&document));
}

#[test]
fn refusals_below_a_greedy_parameter_are_its_own() {
    let mut shots = tree("/v1/kv");
    let missing = Shot::get("/v1/kv/a/b/c/d/e", json!({"error": "no such key"}));
    shots.extend(vec![Shot { status: 404, ..missing }; 3]);
    let document = document(&shots);
    assert!(document["paths"]["/v1/kv/{path}"]["get"]["responses"]["404"].is_object());
}

#[test]
fn dates_and_weather_are_levels_and_no_tree() {
    let mut shots = Vec::new();
    for n in 1..9 {
        let day = || json!({"day": n, "events": [], "free": true, "note": "x"});
        shots.push(Shot::get("/calendar/2026", day()));
        shots.push(Shot::get(&format!("/calendar/2026/{n}"), day()));
        shots.push(Shot::get(&format!("/calendar/2025/{n}/{}", n + 10), day()));
        let sky = || json!({"sun": n, "rain": 1, "wind": 2, "at": 3});
        shots.push(Shot::get(&format!("/weather/{}", word(n)), sky()));
        shots.push(Shot::get(&format!("/weather/{}/{}", word(n), word(n + 60)), sky()));
    }
    let document = document(&shots);
    assert!(!paths(&document).iter().any(|path| path.contains("{path}")), "{:?}", paths(&document));
}

#[test]
fn several_parameters_of_one_segment_are_told_apart() {
    let mut shots = Vec::new();
    for n in 0..5_u64 {
        let at = format!("{}@{}", word(usize::try_from(n % 3).unwrap_or(0)), 1_795_192_793_165 + n);
        shots.push(Shot::get(&format!("/snapshots/{at}"), json!({"rows": []})));
        shots.push(Shot::get(&format!("/places/{n}.5,13.{n}"), json!({"name": "x"})));
        shots.push(Shot::get(&format!("/diffs/{n}...{}", n + 3), json!({"lines": []})));
        shots.push(Shot::get(&format!("/Lines(OrderID={n},LineNumber={n})"), json!({"sum": 1})));
        shots.push(Shot::get(&format!("/orders/{n}.json"), json!({"sum": 1})));
        shots.push(Shot::post(&format!("/orders/{n}:cancel"), json!({}), 200, json!({"ok": 1})));
        shots.push(Shot::get(&format!("/orders/{n}"), json!({"sum": 1})));
    }
    let document = document(&shots);
    assert_eq!(
        paths(&document),
        [
            "/diffs/{diffId}...{diffId2}",
            "/orders/{orderId}",
            "/orders/{orderId}.json",
            "/orders/{orderId}:cancel",
            "/places/{placeId},{placeId2}",
            "/snapshots/{snapshotId}@{version}",
            "/Lines(OrderID={orderId},LineNumber={lineNumber})",
        ]
    );
    let parameters = &document["paths"]["/places/{placeId},{placeId2}"]["get"]["parameters"];
    assert_eq!(parameters[1]["name"], "placeId2");
    assert_eq!(parameters[1]["schema"]["type"], "number");
}

#[test]
fn a_constant_parameter_is_one_by_what_answers_say() {
    let mut shots: Vec<Shot> =
        (0..4).map(|_| Shot::get("/nodes/local", json!({"nodeId": "local", "load": 1}))).collect();
    shots.push(Shot::get("/nodes", json!([{"nodeId": "local"}])));
    shots.extend(vec![Shot::get("/nodes", json!([{"nodeId": "local"}])); 3]);
    assert_eq!(paths(&document(&shots)), ["/nodes", "/nodes/{nodeId}"]);
}

#[test]
fn a_slug_visited_once_after_a_list_is_a_value() {
    let item = |slug: &str| json!({"slug": slug, "price": 1});
    let mut shots = vec![Shot::get("/products", json!([item("plum"), item("fig")])); 3];
    shots.push(Shot::get("/products/plum", item("plum")));
    let options = ProjectOptions { samples_min: 1, ..plain() };
    let document = project(&learned(&shots), &options).document;
    assert_eq!(paths(&document), ["/products", "/products/{slug}"]);
}

#[test]
fn fixed_words_stay_beside_very_many_slugs() {
    let mut shots = Vec::new();
    for n in 0..5 {
        shots.push(Shot::get("/posts/search", json!({"title": "a", "text": "b"})));
        shots.push(Shot::get("/posts/me", json!({"title": "a", "text": "b"})));
        shots.push(Shot::get("/posts/sitemap", json!({"urls": [], "depth": n, "made": "x"})));
    }
    let slug = |n| Shot::get(&format!("/posts/{}", word(n)), json!({"title": "a", "text": "b"}));
    shots.extend((0..4_000).map(slug));
    let found = document(&shots);
    assert_eq!(paths(&found), ["/posts/me", "/posts/search", "/posts/sitemap", "/posts/{postId}"]);
}

#[test]
fn a_date_before_everything_is_a_version_of_the_api() {
    let mut shots = Vec::new();
    for n in 0..5 {
        for noun in ["Calls", "Messages", "Queues"] {
            shots.push(Shot::get(&format!("/2010-04-01/{noun}/{n}"), json!({ noun: n, "x": 1 })));
        }
    }
    assert!(paths(&document(&shots)).iter().all(|path| path.starts_with("/2010-04-01/")));
}

#[test]
fn a_trailing_slash_makes_no_operation_and_the_usual_spelling_is_written() {
    let at = |path: &str, count: usize| vec![Shot::get(path, json!({"a": 1})); count];
    let of = |more: &[Shot]| paths(&document(more)).join(" ");
    assert_eq!(of(&[at("/a/", 3), at("/a", 2)].concat()), "/a/");
    assert_eq!(of(&[at("/a/", 3), at("/a", 3)].concat()), "/a");
    let moved = Shot { status: 308, response: None, ..Shot::get("/a/", json!({})) };
    assert_eq!(of(&[at("/a", 3), vec![moved; 9]].concat()), "/a");
}

#[test]
fn a_path_that_all_share_moves_to_the_servers_when_asked_to() {
    let shots: Vec<Shot> = (0..6)
        .flat_map(|n| {
            let at = |path: &str| Shot::get(path, json!({"a": n}));
            [at("/shop/api/v2/orders"), at("/shop/api/v2/users"), at("/shop/api/v2/users/7")]
        })
        .collect();
    let options = ProjectOptions { base_path: BasePath::Auto, ..plain() };
    let document = project(&learned(&shots), &options).document;
    assert_eq!(paths(&document), ["/orders", "/users", "/users/{userId}"]);
    assert_eq!(document["servers"], json!([{"url": "https://api.example.com/shop/api/v2"}]));
    // A common word is no base path.
    let plain: Vec<Shot> = (0..6)
        .map(|n| Shot::get(["/orders/open", "/orders/late"][n % 2], json!({"n": n})))
        .collect();
    let document = project(&learned(&plain), &options).document;
    assert_eq!(paths(&document), ["/orders/late", "/orders/open"]);
}

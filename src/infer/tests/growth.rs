//! Promises about what grows: scans, floods of names, ageing; and what the evidence says of it.

use super::*;

/// A word of no lexicon, different for each number.
pub(super) fn word(number: usize) -> String {
    let mut rest = number * 7_919 + 11;
    let mut word = String::from("q");
    for _ in 0..6 {
        word.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        word.push(['a', 'e', 'i', 'o', 'u'][rest % 5]);
        rest /= 26;
    }
    word
}

fn order() -> Shot {
    Shot::get("/orders/17", json!({"id": 17, "state": "open"}))
}

#[test]
fn a_scan_leaves_what_was_known_as_it_was_and_little_behind() {
    let known = vec![order(); 30];
    let before = document(&known);
    let refused = (0..3_000).map(|n| Shot {
        status: 404,
        ..Shot::get(&format!("/{}/{}", word(n), word(n + 1)), json!({"error": "no"}))
    });
    let scanned: Vec<Shot> = known.iter().cloned().chain(refused).collect();
    assert_eq!(document(&scanned)["paths"], before["paths"]);
    let answered =
        (0..3_000).map(|n| Shot::get(&format!("/{}", word(n)), json!({"page": 1, "text": "x"})));
    let scanned: Vec<Shot> = known.iter().cloned().chain(answered).collect();
    let evidence = learned(&scanned);
    let after = project(&evidence, &plain()).document;
    assert_eq!(after["paths"]["/orders/{orderId}"], before["paths"]["/orders/{orderId}"]);
    assert!(paths(&after).len() <= 3, "{:?}", paths(&after));
    assert!(encode(&evidence).len() < 128 * 1024, "{}", encode(&evidence).len());
}

#[test]
fn a_crowd_of_leaves_takes_no_branch_whenever_that_came() {
    let area =
        |n: usize| Shot::get(&format!("/{}/orders/{n}", word(7_001)), json!({"sum": n, "of": 2}));
    let page = |n: usize| Shot::get(&format!("/{}", word(n)), json!({"page": n, "text": "x"}));
    let areas: Vec<Shot> = (0..30).map(area).collect();
    let pages: Vec<Shot> = (0..600).map(page).collect();
    let settled = |shots: Vec<Shot>| {
        let mut evidence = learned(&shots);
        evidence.settle();
        evidence
    };
    let first = settled([areas.clone(), pages.clone()].concat());
    let last = settled([pages, areas].concat());
    assert_eq!(encode(&first), encode(&last));
    let document = project(&first, &plain()).document;
    let kept = format!("/{}/orders/{{orderId}}", word(7_001));
    assert!(paths(&document).contains(&&*kept), "{:?}", paths(&document));
    assert_eq!(paths(&document).len(), 2);
}

#[test]
fn a_trie_that_is_full_makes_room_and_says_so() {
    let mut evidence = Evidence::new("test", KEY.id());
    evidence.limit(Limits { nodes: 200, ..Limits::default() });
    for n in 0..2_000 {
        let path = format!("/{}/{}/{}", word(n % 40), word(n % 7), word(n));
        let own = json!({ word(n): 1, word(n + 1): 2 });
        learn(&mut evidence, &Shot::get(&path, own).observe());
        learn(&mut evidence, &order().observe());
    }
    let hit = evidence.limits_hit();
    assert!(hit.iter().any(|(name, count)| *name == "nodes" && *count > 0), "{hit:?}");
    let document = project(&evidence, &plain()).document;
    assert!(paths(&document).contains(&"/orders/{orderId}"), "{:?}", paths(&document));
    assert!(encode(&evidence).len() < 256 * 1024, "{}", encode(&evidence).len());
}

#[test]
fn memory_that_runs_short_takes_ids_and_slugs_and_no_operation_in_use() {
    let mut evidence = Evidence::new("test", KEY.id());
    evidence.limit(Limits { bytes: 400_000, ..Limits::default() });
    for n in 0..9_000 {
        let own = json!({ word(n): 1, word(n + 1): 2, "id": n });
        learn(&mut evidence, &Shot::get(&format!("/{}/{}", word(n % 60), word(n)), own).observe());
        learn(&mut evidence, &order().observe());
    }
    let hit = evidence.limits_hit();
    assert!(hit.iter().any(|(name, _)| *name == "evidence_bytes"), "{hit:?}");
    let options = ProjectOptions::default();
    let document = project(&evidence, &options).document;
    let operation = &document["paths"]["/orders/{orderId}"]["get"];
    assert_eq!(operation["x-driftgate-evidence"]["n"], 9_000);
    assert!(document["x-driftgate"]["limits"]["evidence_bytes"].is_u64());
    let bytes = encode(&evidence);
    assert_eq!(encode(&decode(&bytes).expect("sound bytes")), bytes);
}

#[test]
fn operations_beyond_the_bound_are_not_learned_and_counted() {
    const WORDS: [&str; 20] = [
        "orders",
        "users",
        "items",
        "products",
        "reports",
        "invoices",
        "payments",
        "customers",
        "events",
        "messages",
        "comments",
        "articles",
        "posts",
        "tags",
        "groups",
        "roles",
        "teams",
        "projects",
        "tasks",
        "files",
    ];
    let mut evidence = Evidence::new("test", KEY.id());
    evidence.limit(Limits { cells: 256, ..Limits::default() });
    for round in 0..2 {
        for n in 0..400 {
            // Words of the lexicon are never taken for values, so that nothing can give way.
            let path = format!("/{}/{}", WORDS[n / 20], WORDS[n % 20]);
            learn(&mut evidence, &Shot::get(&path, json!({ word(n): round })).observe());
        }
    }
    assert_eq!(evidence.pressure(), [("unlearned", 288), ("cells", 1)]);
    let seen = ProjectOptions { samples_min: 2, ..ProjectOptions::default() };
    assert_eq!(paths(&project(&evidence, &seen).document).len(), 256);
}

#[test]
fn a_halved_table_is_what_it_would_have_been_with_half_the_room() {
    let ids = |evidence: &mut Evidence, halve: usize| {
        for n in 0..400 {
            if n == halve {
                evidence.body.refusals.halve();
            }
            let path = format!("/{}", word(n));
            learn(evidence, &Shot { status: 404, ..Shot::get(&path, json!({"e": 1})) }.observe());
        }
    };
    let encoded = |halve| {
        caps::with(Some(64), || {
            let mut evidence = Evidence::new("test", KEY.id());
            ids(&mut evidence, halve);
            encode(&evidence)
        })
    };
    assert_eq!(encoded(0), encoded(399));
    assert_eq!(encoded(0), encoded(200));
    assert_ne!(encoded(0), encoded(1_000));
}

#[test]
fn evidence_within_its_limits_names_none() {
    assert_eq!(learned(&vec![order(); 30]).limits_hit(), []);
    let keys: Vec<Shot> = (0..300).map(|n| Shot::get("/x", json!({ word(n): 1 }))).collect();
    assert!(learned(&keys).limits_hit().contains(&("keys", 1)));
}

#[test]
fn a_member_that_is_gone_leaves_after_an_epoch_of_use_and_idle_operations_stay() {
    let at = |week, member: &str, count: usize| {
        vec![Shot { week, ..Shot::get("/status", json!({ member: 1, "all": 2 })) }; count]
    };
    let idle = vec![Shot { week: 100, ..Shot::get("/idle", json!({"a": 1})) }; 20];
    let properties = |weeks: &[(i64, &str, usize)]| {
        let mut shots = idle.clone();
        shots.extend(weeks.iter().flat_map(|(week, member, count)| at(*week, member, *count)));
        let document = document(&shots);
        assert!(paths(&document).contains(&"/idle"));
        let schema = answer(&document, "/status", "get", "200");
        let properties = schema["properties"].as_object().expect("properties");
        properties.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(properties(&[(100, "old", 400), (101, "new", 400)]), ["new", "old", "all"]);
    assert_eq!(
        properties(&[(100, "old", 400), (101, "new", 400), (102, "new", 9)]),
        ["new", "all"]
    );
    let few = [(100, "old", 400), (101, "new", 100), (102, "new", 100)];
    assert_eq!(properties(&few), ["new", "old", "all"]);
    let mut long_ago = idle.clone();
    long_ago.extend(at(120, "new", 5));
    assert_eq!(paths(&document(&long_ago)), ["/status"]);
}

#[test]
fn tags_count_what_stands_beside_their_values() {
    let shots: Vec<Shot> = (0..40)
        .map(|n| match n % 2 {
            0 => Shot::get("/x", json!({"type": "circle", "radius": n})),
            _ => Shot::get("/x", json!({"type": "square", "side": n, "flat": true})),
        })
        .collect();
    let evidence = learned(&shots);
    let root = &evidence.body.root;
    let x = root.children.iter().find(|entry| &*entry.name == "x").expect("a child");
    let cell = x.value.cells.values().next().expect("a cell").live();
    let body = cell.responses[&200].bodies.iter().next().expect("a body");
    let members = body.value.shape.members.as_ref().expect("members");
    let tag = members.tags.iter().next().expect("a tag");
    assert_eq!(&*tag.name, "type");
    let beside: Vec<(&str, u32, usize)> = tag
        .value
        .values
        .items
        .iter()
        .map(|(value, variant)| (&**value, variant.n.0, variant.keys.items.len()))
        .collect();
    assert_eq!(beside, [("circle", 20, 1), ("square", 20, 2)]);
    assert_eq!(members.signatures.len(), 2);
}

#[test]
fn a_refused_body_that_lacks_one_member_of_an_accepted_one_is_told_by_its_sum() {
    let good = Shot::post("/orders", json!({"sku": "a", "count": 1}), 201, json!({"id": 1}));
    let bad = Shot::post("/orders", json!({"count": 1}), 422, json!({"error": "sku"}));
    let evidence = learned(&[good.clone(), good, bad]);
    let refusal = evidence.body.refusals.iter().next().expect("a refusal");
    let refused: Vec<u64> = refusal.value.requests.iter().map(|entry| entry.hash).collect();
    let orders = evidence.body.root.children.iter().next().expect("a child");
    let cell = orders.value.cells.values().next().expect("a cell").live();
    let request = cell.request.iter().next().expect("a body");
    let members = request.value.shape.members.as_ref().expect("members");
    let sku = members.keys.iter().find(|entry| &*entry.name == "sku").expect("a member");
    let whole = members.signatures.iter().next().expect("a key set").hash;
    assert_eq!(refused, [whole.wrapping_sub(variants::part(sku.hash))]);
}

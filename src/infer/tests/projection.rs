//! Components, unions, maps and names: what a person would have written.

use serde_json::{Value, json};

use super::{Dialect, ProjectOptions, Shot, answer, document, learned, paths, plain, project};

fn component<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

/// A list of pets and each of them, the list thrice.
fn pets() -> Vec<Shot> {
    let pet = |n: usize| {
        let owner = if n.is_multiple_of(3) {
            Value::Null
        } else {
            json!({"mail": n, "phone": 1, "zip": 2, "fax": 3})
        };
        json!({"id": n, "state": (["new", "sold"][n % 2]), "age": n, "owner": owner})
    };
    let list = || Shot::get("/pets", json!({ "items": (0..40).map(pet).collect::<Vec<_>>() }));
    let mut shots = vec![list(), list(), list()];
    shots.extend((0..5).map(|n| Shot::get(&format!("/pets/{n}"), pet(n))));
    shots
}

#[test]
fn a_record_of_two_places_is_one_component_with_the_evidence_of_both() {
    let document = document(&pets());
    let reference = json!({"$ref": "#/components/schemas/Pet"});
    let list = answer(&document, "/pets", "get", "200");
    assert_eq!(list["properties"]["items"]["items"], reference);
    assert_eq!(*answer(&document, "/pets/{petId}", "get", "200"), reference);
    let pet = component(&document, "Pet");
    assert_eq!(pet["properties"]["state"]["enum"], json!(["new", "sold"]));
    // Five answers alone would prove nothing.
    assert_eq!(pet["required"], json!(["id", "state", "age", "owner"]));
    assert_eq!(
        pet["properties"]["owner"],
        json!({"allOf": [{"$ref": "#/components/schemas/Owner"}], "nullable": true})
    );
    let newer = ProjectOptions { dialect: Dialect::OpenApi31, ..plain() };
    let newer = project(&learned(&pets()), &newer).document;
    assert_eq!(
        component(&newer, "Pet")["properties"]["owner"],
        json!({"anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "null"}]})
    );
}

#[test]
fn few_names_make_one_record_only_under_one_name() {
    let shots: Vec<Shot> = (0..20)
        .map(|n| {
            let body = json!({"owner": {"id": n, "name": "x"}, "place": {"id": n, "name": "x"}});
            Shot::get(["/visits", "/stays"][n % 2], body)
        })
        .collect();
    let document = document(&shots);
    let names: Vec<&String> = document["components"]["schemas"]
        .as_object()
        .map(|schemas| schemas.keys().collect())
        .unwrap_or_default();
    assert!(names.iter().any(|name| *name == "Owner"), "{names:?}");
    assert!(names.iter().any(|name| *name == "Place"), "{names:?}");
}

/// Events of two types, and of a rare third one.
fn events(rare: usize) -> Vec<Shot> {
    let event = |n: usize| match n % 2 {
        _ if n < rare => json!({"type": "odd", "at": n, "why": true}),
        0 => json!({"type": "paid", "at": n, "amount": 5, "currency": "EUR"}),
        _ => json!({"type": "shipped", "at": n, "carrier": {"name": "x"}, "boxes": [1]}),
    };
    (0..200).map(|n| Shot::get(&format!("/events/{n}"), event(n))).collect()
}

#[test]
fn a_tag_that_explains_the_members_makes_a_union() {
    let closed = document(&events(0));
    let union = component(&closed, "Event");
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    assert_eq!(union["oneOf"], json!([reference("PaidEvent"), reference("ShippedEvent")]));
    assert_eq!(union["discriminator"]["propertyName"], "type");
    assert_eq!(union["discriminator"]["mapping"]["paid"], "#/components/schemas/PaidEvent");
    let paid = component(&closed, "PaidEvent");
    assert_eq!(paid["required"], json!(["type", "at", "amount", "currency"]));
    assert_eq!(paid["properties"]["type"]["enum"], json!(["paid"]));
    assert!(paid["properties"]["carrier"].is_null());
}

#[test]
fn a_rare_variant_is_all_that_the_others_are_not() {
    let open = document(&events(3));
    let union = component(&open, "Event");
    assert_eq!(union["oneOf"].as_array().map(Vec::len), Some(3));
    let other = component(&open, "OtherEvent");
    assert_eq!(other["required"], json!(["type"]));
    assert_eq!(other["properties"]["type"]["not"], json!({"enum": ["paid", "shipped"]}));
}

#[test]
fn what_is_a_map_under_one_name_is_one_elsewhere() {
    let mut shots: Vec<Shot> = (0..40)
        .map(|n| {
            let labels =
                json!({["zone", "tier", "team", "app"][n % 4]: "x", ["rack", "row"][n % 2]: "y"});
            Shot::get("/hosts", json!({"labels": labels, "up": true}))
        })
        .collect();
    shots.extend((0..40).map(|_| Shot::get("/zones", json!({"labels": {"zone": "x"}, "size": 1}))));
    let document = document(&shots);
    let labels = &answer(&document, "/zones", "get", "200")["properties"]["labels"];
    assert_eq!(labels["additionalProperties"]["type"], "string");
}

/// The schema of a member `name` of what is answered at `/hosts`, whose values are given.
fn member(name: &str, values: &[Value]) -> Value {
    let shot = |value: &Value| Shot::get("/hosts", json!({name: value, "up": true, "size": 1}));
    let shots: Vec<Shot> = values.iter().cycle().take(40).map(shot).collect();
    answer(&document(&shots), "/hosts", "get", "200")["properties"][name].clone()
}

#[test]
fn labels_are_maps_whatever_they_hold_and_filters_are_none() {
    let labels = [json!({"team": "a", "retries": 3}), json!({"env": "x"}), json!({"gpu": true})];
    assert!(member("labels", &labels)["additionalProperties"].is_object());
    // Names that say whose they are stand for a map, even where their values differ.
    let extras = [
        json!({"client::display": {"type": "x"}}),
        json!({"home::light::on": {"level": 1}}),
        json!({"client::click": {"url": {"to": "y"}}}),
    ];
    assert!(member("extras", &extras)["additionalProperties"].is_object());
    for (name, value) in [("tags", json!({"all_": ["x"]})), ("params", json!({"limit": 1}))] {
        let schema = member(name, &[value, json!({})]);
        assert!(schema["additionalProperties"].is_null(), "{name}: {schema}");
    }
    // Kinds differ as those of a record do.
    let params = [json!({"limit": 1}), json!({"q": "x", "deep": true}), json!({"q": "y"})];
    assert!(member("params", &params)["additionalProperties"].is_null());
}

#[test]
fn small_records_are_referred_to_where_whole_answers_are_made_of_them() {
    let user = |n: usize| json!({"id": n, "login": "x"});
    let mut shots: Vec<Shot> = Vec::new();
    for n in 0..20 {
        shots.push(Shot::get("/users", json!([user(n), user(n + 1)])));
        shots.push(Shot::get(&format!("/users/{n}"), user(n)));
        shots.push(Shot::get("/teams", json!({"data": [{"lead": user(n), "users": [user(n)]}]})));
    }
    let document = document(&shots);
    let user = json!({"$ref": "#/components/schemas/User"});
    assert_eq!(answer(&document, "/users", "get", "200")["items"], user);
    assert_eq!(*answer(&document, "/users/{userId}", "get", "200"), user);
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().into_iter().flat_map(|all| all.keys())
    {
        assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name} is used nowhere");
    }
}

#[test]
fn tags_media_types_and_versions_are_no_enums() {
    let shots: Vec<Shot> = (0..120)
        .map(|n| {
            let of = |values: [&str; 2]| values[n % 2].to_owned();
            let body = json!({
                "tags": [of(["a", "b"])],
                "mime_type": of(["text/csv", "text/plain"]),
                "app_version": of(["beta", "final"]),
                "state": of(["new", "sold"]),
            });
            Shot::get("/files", body)
        })
        .collect();
    let document = document(&shots);
    let properties = &answer(&document, "/files", "get", "200")["properties"];
    assert!(properties["tags"]["items"]["enum"].is_null());
    assert!(
        properties["mime_type"]["enum"].is_null() && properties["app_version"]["enum"].is_null()
    );
    assert_eq!(properties["state"]["enum"], json!(["new", "sold"]));
}

#[test]
fn parameters_are_ids_only_of_collections() {
    let mut shots: Vec<Shot> =
        (1..9).map(|n| Shot::get(&format!("/delay/{n}"), json!({"took": n}))).collect();
    shots.extend((1..9).map(|n| Shot::get(&format!("/users/{n}"), json!({"mail": n}))));
    assert_eq!(paths(&document(&shots)), ["/delay/{delay}", "/users/{userId}"]);
}

#[test]
fn a_description_of_an_api_is_not_described() {
    let described =
        json!({"openapi": "3.0.3", "info": {"title": "x"}, "paths": {"/a": {"get": {}}}});
    let document = document(&vec![Shot::get("/spec", described); 3]);
    let schema = answer(&document, "/spec", "get", "200");
    assert_eq!(schema["properties"]["paths"], json!({"type": "object"}));
}

#[test]
fn components_of_3_0_pass_through_openapiv3() {
    for shots in [pets(), events(3)] {
        let document = project(&learned(&shots), &plain()).document;
        let typed: openapiv3::OpenAPI =
            serde_json::from_value(document.clone()).expect("OpenAPI 3.0");
        let again = serde_json::to_value(&typed).expect("JSON");
        assert_eq!(again["components"], document["components"]);
    }
}

#[test]
fn a_pinned_template_holds_against_the_evidence() {
    let names = ["north", "south", "west"];
    let mut shots: Vec<Shot> = (0..30)
        .map(|n| Shot::get(&format!("/zones/{}/load", names[n % 3]), json!({"at": n})))
        .collect();
    shots.extend((0..5).map(|n| Shot::get("/zones/all/load", json!({"sum": n, "of": 1}))));
    let templates = vec!["/zones/{zone}/load".to_owned(), "/zones/all/load".to_owned()];
    let free = project(&learned(&shots), &plain()).document;
    assert_eq!(paths(&free).len(), 4);
    let pinned = project(&learned(&shots), &ProjectOptions { templates, ..plain() }).document;
    assert_eq!(paths(&pinned), ["/zones/all/load", "/zones/{zone}/load"]);
}

#[test]
fn an_operation_keeps_its_id_when_its_parameters_are_renamed() {
    let shots: Vec<Shot> =
        (0..5).map(|n| Shot::get(&format!("/users/{n}"), json!({"mail": n}))).collect();
    let evidence = learned(&shots);
    let id = |templates: Vec<String>| {
        let options = ProjectOptions { templates, ..ProjectOptions::default() };
        let document = project(&evidence, &options).document;
        let path = paths(&document).join("");
        (path.clone(), document["paths"][&path]["get"]["x-driftgate-id"].clone())
    };
    let (before, first) = id(Vec::new());
    let (after, second) = id(vec!["/users/{login}".to_owned()]);
    assert_eq!((before.as_str(), after.as_str()), ("/users/{userId}", "/users/{login}"));
    assert_eq!(first, second);
    assert!(first.as_str().is_some_and(|id| id.len() == 13 && id.starts_with("op_")), "{first}");
}

#[test]
fn a_published_document_pins_its_templates_behind_its_base_path() {
    let three = json!({"servers": [{"url": "https://x.example/v1/"}], "paths": {"/a/{b}": {}}});
    let two = json!({"swagger": "2.0", "basePath": "/v1", "paths": {"/a/{b}": {}}});
    for document in [three, two] {
        assert_eq!(crate::infer::templates(&document, "/"), ["/v1/a/{b}"]);
        assert_eq!(crate::infer::templates(&document, "/v1"), ["/a/{b}"]);
    }
}

/// Three members are few enough that a name decides, which is that of the path where a body, or what wraps it, has none.
#[test]
fn a_small_record_at_the_top_or_in_an_envelope_is_referred_to() {
    let order = |n: usize| json!({"id": n, "state": "new", "total": 1.5});
    let shots: Vec<Shot> = (0..30)
        .flat_map(|n| {
            [
                Shot::get("/orders", json!({"data": [order(n)]})),
                Shot::get(&format!("/orders/{n}"), order(n)),
                Shot::get(&format!("/carts/{n}"), json!({"order": order(n), "open": true})),
            ]
        })
        .collect();
    let document = project(&learned(&shots), &plain()).document;
    let names: Vec<&String> =
        document["components"]["schemas"].as_object().expect("schemas").keys().collect();
    assert_eq!(names, ["Order"]);
    let reference = json!({"$ref": "#/components/schemas/Order"});
    assert_eq!(*answer(&document, "/orders/{orderId}", "get", "200"), reference);
    let list = answer(&document, "/orders", "get", "200");
    assert_eq!(list["properties"]["data"]["items"], reference);
    let cart = answer(&document, "/carts/{cartId}", "get", "200");
    assert_eq!(cart["properties"]["order"], reference);
}

//! Where requests go: base URLs, server paths, endpoints.

use serde_json::json;

use super::{document, get, load};
use crate::actions::contract_test::target::{base, endpoint};

#[test]
fn a_url_without_path_gets_the_path_of_the_server() {
    let mut spec = document(json!({"/orders": get(json!({}))}));
    spec["servers"] = json!([{"url": "https://api.example.com/v1"}]);
    let specification = &load(&spec).baseline.specification;
    for (given, expected) in [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h:1/proxy/v1?x=1", "http://h:1/proxy/v1"),
    ] {
        let place = base(given, specification).expect("a target");
        assert_eq!((place.base.as_str(), place.server_path.as_str()), (expected, "/v1"));
    }
    for wrong in ["ftp://h", "h:80", ""] {
        assert_eq!(base(wrong, specification).expect_err("no URL").code, "bad_target");
    }
}

#[test]
fn an_endpoint_chooses_its_template_and_fixes_its_slots() {
    let mut spec = document(json!({
        "/orders": get(json!({})),
        "/orders/{id}": get(json!({})),
        "/orders/mine": get(json!({})),
        "/orders/{id}/lines/{line}": get(json!({}))
    }));
    spec["servers"] = json!([{"url": "/v1"}]);
    let specification = &load(&spec).baseline.specification;
    let found = |url: &str| {
        let place = endpoint(url, specification).map_err(|cause| cause.code)?;
        let fixed: Vec<_> =
            place.fixed.into_iter().map(|(name, text)| format!("{name}={text}")).collect();
        Ok::<_, &str>((place.base, place.template.expect("a template"), fixed.join(" ")))
    };
    let row = |base: &str, template: &str, fixed: &str| {
        Ok::<_, &str>((base.to_owned(), template.to_owned(), fixed.to_owned()))
    };
    assert_eq!(found("http://h/v1/orders"), row("http://h/v1", "/orders", ""));
    assert_eq!(found("http://h/v1/orders/a%20b"), row("http://h/v1", "/orders/{id}", "id=a b"));
    assert_eq!(found("http://h/v1/orders/mine"), row("http://h/v1", "/orders/mine", ""));
    assert_eq!(
        found("http://h/orders/7/lines/2"),
        row("http://h", "/orders/{id}/lines/{line}", "id=7 line=2")
    );
    assert_eq!(found("http://h/v1/orders/{id}"), row("http://h/v1", "/orders/{id}", ""));
    assert_eq!(found("http://h/v1/customers"), Err("no_match"));
}

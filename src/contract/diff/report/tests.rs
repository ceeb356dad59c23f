//! Reports survive hostile names and lose nothing.

use serde_json::{Value, json};

use super::*;
use crate::contract::diff::{Options, diff};
use crate::contract::{LoadOptions, load};

const HOSTILE: &str = "]]><script>alert(1)</script>|`@all %0A,:\u{1}\n";

fn report() -> Report {
    let document = |required: bool| {
        let required = if required { json!([HOSTILE]) } else { json!([]) };
        let schema = json!({"type": "object", "required": required,
            "properties": {HOSTILE: {"type": "string"}}});
        let text = json!({
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1"},
            "paths": {"/a": {"post": {
                "requestBody": {"content": {"application/json": {"schema": schema}}},
                "responses": {"200": {"description": "ok"}},
            }}},
        });
        load(&text.to_string(), &LoadOptions::default()).expect("a document").0
    };
    diff(&document(false), &document(true), &Options::default())
}

fn shown(format: Format) -> String {
    let report = report();
    let name = Document {
        name: format!("a{HOSTILE}.json"),
        path: "a b.json".into(),
        ..Document::default()
    };
    let view = View {
        old: &name,
        new: &name,
        report: &report,
        warnings: &[],
        cosmetic: true,
        least: Severity::Info,
    };
    render(&view, format, false)
}

#[test]
fn no_format_lets_a_name_become_markup() {
    assert_eq!(report().verdict(), Verdict::Breaking);
    for (_, format) in FORMATS {
        let text = shown(*format);
        assert!(
            text.contains("request-property-became-required") || text.contains("became required"),
            "{text}"
        );
        if matches!(format, Format::Html | Format::Junit | Format::Markdown) {
            assert!(!text.contains("<script>"), "{text}");
        }
    }
    let annotations = shown(Format::Github);
    assert_eq!(annotations.lines().count(), 2, "{annotations}");
    assert!(annotations.lines().all(|line| line.starts_with("::")), "{annotations}");
    assert!(!shown(Format::Junit).contains('\u{1}'));
    assert!(!shown(Format::Html).contains("http"), "the page refers to something outside");
}

#[test]
fn each_change_is_followed_by_the_advice_that_fits_it() {
    let document = |paths: Value| {
        let text =
            json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths});
        load(&text.to_string(), &LoadOptions::default()).expect("a document").0
    };
    let post = |required: Value| {
        let schema = json!({"type": "object", "required": required,
            "properties": {"note": {"type": "string"}}});
        json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "ok"}}}})
    };
    let gone = json!({"get": {"responses": {"200": {"description": "ok"}}}});
    let old = document(json!({"/a": post(json!([])), "/b": gone}));
    let new = document(json!({"/a": post(json!(["note"]))}));
    let report = diff(&old, &new, &Options::default());
    let name = Document::default();
    let view = View {
        old: &name,
        new: &name,
        report: &report,
        warnings: &[],
        cosmetic: true,
        least: Severity::Info,
    };
    let text = render(&view, Format::Text, false);
    let advice_after = |change: &str| {
        let rest = text.split_once(change).expect("told").1;
        rest.split_once("who is hurt: ").expect("advised").1.lines().next().unwrap_or_default()
    };
    assert!(advice_after("became required").starts_with("clients that send"), "{text}");
    assert!(advice_after("GET /b").starts_with("callers"), "{text}");
}

#[test]
fn the_json_report_is_valid_against_its_schema_and_lists_every_change() {
    let report: Value = serde_json::from_str(&shown(Format::Json)).expect("JSON");
    let algebra = crate::contract::algebra::Algebra::default();
    assert!(algebra.accepts(&schema(), &report), "{report:#}");
    let lines = shown(Format::Ndjson).lines().count();
    assert_eq!(report["changes"].as_array().map(Vec::len), Some(lines));
    let sarif: Value = serde_json::from_str(&shown(Format::Sarif)).expect("JSON");
    let results = &sarif["runs"][0]["results"];
    assert_eq!(results.as_array().map(Vec::len), Some(lines));
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%20b.json"
    );
    assert_eq!(sarif["version"], "2.1.0");
}

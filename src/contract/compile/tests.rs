//! Tests of compiling, of reading violations and of the weighing.

use serde_json::json;

use super::*;
use crate::contract::load::{LoadOptions, load};

/// The violations of a value, as `keyword steps`.
fn read(schema: Value, value: &Value, flavour: Flavour) -> Result<Vec<String>, Reason> {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/a": {"get": {"responses": {"200": {"description": "", "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}}},
        "components": {"schemas": {
            "Thing": schema,
            "Leaf": {"type": "object", "properties": {"a/b": {"type": "string"}}},
            "Twice": {"anyOf": [
                {"required": ["x"], "properties": {"a": {"$ref": "#/components/schemas/Twice"}}},
                {"required": ["y"], "properties": {"a": {"$ref": "#/components/schemas/Twice"}}}]},
        }},
    });
    let (specification, _) = load(&document.to_string(), &LoadOptions::default()).expect("loads");
    let validators = Validators::new(&specification.schemas);
    let content = &specification.operations[0].responses[0].content[0];
    let schema = content.schema.as_ref().expect("a schema");
    let found = validators.violations((Side::Response, flavour), schema, value)?;
    Ok(found
        .iter()
        .map(|violation| format!("{} {:?}", violation.keyword, violation.steps))
        .collect())
}

#[test]
fn places_tell_names_keys_and_items_apart() {
    let schema = json!({"type": "object", "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}},
        "properties": {"type": "object", "additionalProperties": {"type": "integer"}},
        "pairs": {"prefixItems": [{"type": "string"}]},
    }, "patternProperties": {"^x-": {"type": "string"}}});
    let value = json!({"items": [{"a/b": 1}], "properties": {"k": "v"}, "pairs": [1], "x-y": 1});
    let mut found = read(schema, &value, Flavour::Declared).expect("judged");
    found.sort();
    assert_eq!(
        found,
        [
            r#"type [Key("x-y")]"#,
            r#"type [Name("items"), Item(0), Name("a/b")]"#,
            r#"type [Name("pairs"), Item(0)]"#,
            r#"type [Name("properties"), Key("k")]"#,
        ]
    );
}

#[test]
fn the_strict_form_refuses_what_is_not_declared() {
    let schema =
        json!({"type": "object", "properties": {"leaf": {"$ref": "#/components/schemas/Leaf"}}});
    let value = json!({"leaf": {"more": 1}});
    assert_eq!(read(schema.clone(), &value, Flavour::Declared), Ok(Vec::new()));
    let found = read(schema, &value, Flavour::Strict).expect("judged");
    assert_eq!(found, [r#"unevaluatedProperties [Name("leaf")]"#]);
}

#[test]
fn errors_that_multiply_are_not_listed() {
    let schema = json!({"$ref": "#/components/schemas/Twice"});
    let mut value = json!({});
    for _ in 0..12 {
        value = json!({"a": value});
    }
    assert!(read(schema.clone(), &value, Flavour::Declared).is_ok());
    for _ in 0..100 {
        value = json!({"a": value});
    }
    assert_eq!(read(schema, &value, Flavour::Declared), Err(Reason::TooComplex));
}

#[test]
fn the_cache_of_validators_is_bounded() {
    let paths: serde_json::Map<String, Value> = (0..2_100)
        .map(|index| {
            let schema = json!({"type": "object", "properties": {"a": {"minimum": index}}});
            let content = json!({"application/json": {"schema": schema}});
            let get = json!({"responses": {"200": {"description": "", "content": content}}});
            (format!("/p{index}"), json!({"get": get}))
        })
        .collect();
    let document = json!({"openapi": "3.1.0", "paths": paths}).to_string();
    let (specification, _) = load(&document, &LoadOptions::default()).expect("loads");
    let validators = Validators::new(&specification.schemas);
    for operation in &specification.operations {
        let schema = operation.responses[0].content[0].schema.as_ref().expect("a schema");
        for flavour in [Flavour::Declared, Flavour::Strict] {
            let value = json!({"a": 1_000_000});
            assert_eq!(validators.is_valid((Side::Response, flavour), schema, &value), Ok(true));
        }
    }
    assert!(validators.compiled.read().len() <= VALIDATORS_MAX);
}

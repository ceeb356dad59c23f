//! Tests of compiling and of reading violations.

use serde_json::json;

use super::*;
use crate::contract::load::{LoadOptions, load};

fn probe(schema: Value, value: &Value, flavour: Flavour) -> Vec<Violation> {
    let document = json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "", "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}}},
        "components": {"schemas": {"Thing": schema, "Leaf": {"type": "object",
            "properties": {"a/b": {"type": "string"}}}}},
    });
    let (specification, _) = load(&document.to_string(), &LoadOptions::default()).expect("loads");
    let validators = Validators::new(&specification.schemas);
    let content = &specification.operations[0].responses[0].content[0];
    let schema = content.schema.as_ref().expect("a schema");
    validators.violations((Side::Response, flavour), schema, value).expect("judged")
}

#[test]
fn probing() {
    let schema = json!({"type": "object", "properties": {
        "list": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "one": {"oneOf": [{"type": "object", "properties": {"x": {"type": "integer"}}}, {"type": "integer"}]},
    }});
    let value = json!({"list": [{"a/b": 1, "c": 2}], "map": {"k": "v"}, "one": {"x": "y"}, "z": 1});
    for violation in probe(schema.clone(), &value, Flavour::Declared) {
        println!("D {violation:?}");
    }
    for violation in probe(schema, &value, Flavour::Strict) {
        println!("S {violation:?}");
    }
}

//! Tests of lowering: each row of the table in `spec/contract.md` 1.1.

use serde_json::json;

use super::*;
use crate::contract::load::{LoadOptions, load};

/// The lowered form of a component, and the lints.
fn lowered(version: &str, schema: &Value, side: Side, flavour: Flavour) -> (Value, Vec<String>) {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/S"}}});
    let document = json!({
        "openapi": version,
        "paths": {"/a": {"post": {"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}}}},
        "components": {"schemas": {"S": schema, "Other": {"type": "string"}, "Hidden": {"type": "string", "readOnly": true}}},
    });
    let (specification, lints) =
        load(&document.to_string(), &LoadOptions::default()).expect("loads");
    let bundle = specification.schemas.bundle(side);
    let schema = bundle["$defs"][format!("S{}", flavour.suffix())].clone();
    (schema, lints.0.into_iter().map(|lint| lint.code.to_owned()).collect())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn constructs_are_lowered_by_their_row() {
    let other = json!({"$ref": "#/components/schemas/Other"});
    let lowered_other = json!({"$ref": "#/$defs/Other"});
    for (version, schema, expected, lint) in [
        (
            "3.0.3",
            json!({"type": "string", "nullable": true}),
            json!({"type": ["null", "string"]}),
            None,
        ),
        ("3.1.0", json!({"type": ["string", "null"]}), json!({"type": ["null", "string"]}), None),
        (
            "3.0.3",
            json!({"nullable": true, "allOf": [other]}),
            json!({"anyOf": [{"allOf": [lowered_other]}, {"type": "null"}]}),
            Some("spec.misplaced-nullable"),
        ),
        (
            "3.0.3",
            json!({"properties": {"a": {"$ref": "#/components/schemas/Other", "nullable": true}}}),
            json!({"properties": {"a": {"anyOf": [lowered_other, {"type": "null"}]}}}),
            Some("spec.misplaced-nullable"),
        ),
        (
            "3.0.3",
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!({"type": ["null", "string"], "enum": ["a", null]}),
            Some("spec.ambiguous-nullable-enum"),
        ),
        (
            "3.0.3",
            json!({"properties": {"a": {"$ref": "#/components/schemas/Other", "maxLength": 3}}}),
            json!({"properties": {"a": lowered_other}}),
            Some("spec.ignored-sibling"),
        ),
        (
            "3.1.0",
            json!({"properties": {"a": {"$ref": "#/components/schemas/Other", "maxLength": 3}}}),
            json!({"properties": {"a": {"$ref": "#/$defs/Other", "maxLength": 3}}}),
            None,
        ),
        (
            "3.0.3",
            json!({"minimum": 1, "exclusiveMinimum": true}),
            json!({"exclusiveMinimum": 1}),
            None,
        ),
        ("3.0.3", json!({"exclusiveMaximum": true}), json!({}), None),
        ("3.0.3", json!({"minimum": 1, "exclusiveMinimum": false}), json!({"minimum": 1}), None),
        ("3.0.3", json!({"exclusiveMinimum": 1}), json!({"exclusiveMinimum": 1}), None),
        (
            "3.1.0",
            json!({"type": "integer", "format": "int32"}),
            json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
            None,
        ),
        (
            "3.1.0",
            json!({"type": "integer", "format": "int32", "minimum": 0}),
            json!({"type": "integer", "minimum": 0, "maximum": i32::MAX}),
            None,
        ),
        (
            "3.1.0",
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string", "format": "uuid"}),
            None,
        ),
        ("3.1.0", json!({"type": "string", "format": "binary"}), json!({"type": "string"}), None),
        (
            "3.1.0",
            json!({"type": "string", "format": "hostname", "contentEncoding": "base64"}),
            json!({"type": "string"}),
            None,
        ),
        (
            "3.1.0",
            json!({"title": "t", "description": "d", "x-own": {"type": 1}, "type": "string"}),
            json!({"type": "string"}),
            None,
        ),
        ("3.1.0", json!({"x-extensible-enum": ["a"]}), json!({}), None),
        // Data that looks like keywords stays as it is.
        (
            "3.0.3",
            json!({"enum": [{"nullable": true, "$ref": "#/x"}], "default": {"nullable": true}}),
            json!({"enum": [{"nullable": true, "$ref": "#/x"}], "default": {"nullable": true}}),
            None,
        ),
        (
            "3.0.3",
            json!({"properties": {"nullable": {"type": "boolean"}, "enum": {"type": "string"}}}),
            json!({"properties": {"nullable": {"type": "boolean"}, "enum": {"type": "string"}}}),
            None,
        ),
        // What is malformed is left out, so that the rest still holds.
        (
            "3.0.3",
            json!({"type": "string", "required": true}),
            json!({"type": "string"}),
            Some("spec.malformed-keyword"),
        ),
        ("3.0.3", json!({"type": "int", "maxLength": "3"}), json!({}), Some("spec.unknown-type")),
        ("3.0.3", json!({"typ": "string"}), json!({}), Some("spec.unknown-field")),
        ("3.1.0", json!(false), json!(false), None),
    ] {
        let (found, lints) = lowered(version, &schema, Side::Response, Flavour::Declared);
        assert_eq!(found, expected, "{version} {schema}");
        match lint {
            Some(lint) => assert!(lints.iter().any(|code| code == lint), "{schema}: {lints:?}"),
            None => assert!(lints.is_empty(), "{schema}: {lints:?}"),
        }
    }
}

#[test]
fn strict_nullable_follows_the_text() {
    let document = json!({
        "openapi": "3.0.3",
        "paths": {"/a": {"get": {"responses": {"200": {"description": "", "content": {"application/json":
            {"schema": {"$ref": "#/components/schemas/S"}}}}}}}},
        "components": {"schemas": {"S": {"type": "string", "nullable": true, "enum": ["a"]}}},
    });
    let options = LoadOptions { strict_nullable: true, ..LoadOptions::default() };
    let (specification, _) = load(&document.to_string(), &options).expect("loads");
    let schema = &specification.schemas.bundle(Side::Response)["$defs"]["S"];
    assert_eq!(schema["enum"], json!(["a"]));
}

#[test]
fn what_belongs_to_the_other_side_is_not_required() {
    let schema = json!({
        "required": ["id", "secret", "name", "hidden"],
        "properties": {"id": {"readOnly": true}, "secret": {"writeOnly": true}, "name": {}, "hidden": {"$ref": "#/components/schemas/Hidden"}},
    });
    let required = |side| lowered("3.1.0", &schema, side, Flavour::Declared).0["required"].clone();
    assert_eq!(required(Side::Request), json!(["name", "secret"]));
    assert_eq!(required(Side::Response), json!(["hidden", "id", "name"]));
    let split =
        json!({"allOf": [{"properties": {"id": {"readOnly": true}}}, {"required": ["id"]}]});
    let (found, _) = lowered("3.1.0", &split, Side::Request, Flavour::Declared);
    assert_eq!(found["allOf"][1]["required"], json!([]));
    let (strict, _) = lowered("3.1.0", &schema, Side::Response, Flavour::Strict);
    assert_eq!(strict["properties"]["secret"], json!(false));
}

#[test]
fn the_strict_form_closes_each_object_once_and_outermost() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let closed = |schema: &Value| schema.get("unevaluatedProperties") == Some(&json!(false));
    let strict = |schema: &Value| lowered("3.1.0", schema, Side::Response, Flavour::Strict).0;

    let plain = strict(&object(json!({"a": {"type": "object", "properties": {"b": {}}}})));
    assert!(closed(&plain) && closed(&plain["properties"]["a"]));

    let composed = strict(&json!({"allOf": [object(json!({"a": {}})), object(json!({"b": {}}))]}));
    assert!(closed(&composed));
    assert!(!closed(&composed["allOf"][0]) && !closed(&composed["allOf"][1]));

    for map in [
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": true}),
        json!({"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {}}}),
        json!({"type": "object"}),
        json!({"type": "object", "discriminator": {"propertyName": "a"}, "properties": {"a": {}}}),
    ] {
        assert!(!closed(&strict(&map)), "{map}");
    }
    let negated = strict(&json!({"not": object(json!({"a": {}})), "properties": {"b": {}}}));
    assert!(closed(&negated) && !closed(&negated["not"]));
    let extensible = strict(&json!({"x-extensible-enum": ["a"]}));
    assert_eq!(extensible["enum"], json!(["a"]));
}

#[test]
fn component_names_stay_and_other_places_are_hashed() {
    let schema = json!({"properties": {"a": {"$ref": "#/components/schemas/S/properties/b"}, "b": {"type": "string"}}});
    let (found, _) = lowered("3.1.0", &schema, Side::Response, Flavour::Declared);
    let reference = found["properties"]["a"]["$ref"].as_str().expect("a reference");
    assert!(reference.starts_with("#/$defs/at+"), "{reference}");
}

//! Every schema row gives values, their share that validates is high before checking and whole after it.

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn validator(bundle: &Value, schema: &Value) -> Validator {
    let mut root = bundle.clone();
    root["allOf"] = json!([schema]);
    jsonschema::options().should_validate_formats(true).build(&root).expect("a schema")
}

/// Schema, and scenarios that must be among its samples with these values.
fn rows() -> Vec<(Value, Vec<(&'static str, Value)>)> {
    vec![
        (
            json!({"type": "boolean"}),
            vec![("type.boolean", json!(true)), ("type.boolean", json!(false))],
        ),
        (
            json!({"enum": ["a", "b", 3]}),
            vec![("enum.member", json!("b")), ("enum.member", json!(3))],
        ),
        (json!({"const": {"a": 1}}), vec![("const", json!({"a": 1}))]),
        (
            json!({"type": "integer", "minimum": 1, "maximum": 10}),
            vec![
                ("minimum.at", json!(1)),
                ("minimum.inside", json!(2)),
                ("maximum.inside", json!(9)),
                ("maximum.at", json!(10)),
            ],
        ),
        (
            json!({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "multipleOf": 3}),
            vec![("minimum.at", json!(3)), ("maximum.at", json!(9))],
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": 0.25}),
            vec![("maximum.at", json!(0.25))],
        ),
        (json!({"type": "integer", "format": "int32"}), vec![("maximum.at", json!(i32::MAX))]),
        (
            json!({"type": "string", "minLength": 3, "maxLength": 5}),
            vec![("maxLength.at", json!("aaaaa"))],
        ),
        (json!({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2,4}$"}), vec![]),
        (
            json!({"type": "string", "format": "date", "default": "2020-01-01"}),
            vec![("default", json!("2020-01-01"))],
        ),
        (json!({"type": ["string", "null"], "format": "uuid"}), vec![("type.null", Value::Null)]),
        (
            json!({"type": "array", "items": {"enum": ["x"]}, "maxItems": 2}),
            vec![("minItems.at", json!([])), ("items.one", json!(["x"]))],
        ),
        (
            json!({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 4}, "minItems": 2, "uniqueItems": true}),
            vec![],
        ),
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {"const": 1}, "b": {"const": 2}}, "additionalProperties": false}),
            vec![("required.only", json!({"a": 1})), ("properties.all", json!({"a": 1, "b": 2}))],
        ),
        (
            json!({"oneOf": [{"type": "integer", "minimum": 5}, {"type": "string", "enum": ["s"]}]}),
            vec![("oneOf.minimum.at", json!(5)), ("oneOf.enum.member", json!("s"))],
        ),
        (
            json!({"allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}, {"required": ["b"], "properties": {"b": {"type": "string"}}}]}),
            vec![],
        ),
        (json!({"$ref": "#/$defs/Node"}), vec![("required.only", json!({"name": "root"}))]),
        (json!({"type": "object", "required": ["free"]}), vec![]),
        (json!({"type": "integer", "not": {"enum": [0, 1]}}), vec![]),
    ]
}

fn bundle() -> Value {
    json!({"$defs": {"Node": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "examples": ["root"]},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}
        }
    }}})
}

#[test]
fn each_keyword_gives_its_boundary_values_and_all_of_them_validate() {
    let bundle = bundle();
    for (schema, expected) in rows() {
        let validator = validator(&bundle, &schema);
        let samples =
            Generator::new(&bundle, 7).checked(&schema, |value| validator.is_valid(value));
        assert!(!samples.is_empty(), "{schema}: nothing generated");
        for sample in &samples {
            assert!(validator.is_valid(&sample.value), "{schema}: {sample:?}");
        }
        for (scenario, value) in expected {
            let found = samples.iter().any(|one| one.scenario == scenario && one.value == value);
            assert!(found, "{schema}: no {scenario} = {value} in {samples:#?}");
        }
    }
}

#[test]
fn what_is_proposed_is_mostly_valid_before_it_is_checked() {
    let bundle = bundle();
    let (mut proposed, mut valid) = (0, 0);
    for (schema, _) in rows() {
        let validator = validator(&bundle, &schema);
        for sample in Generator::new(&bundle, 7).samples(&schema, 0) {
            proposed += 1;
            valid += usize::from(validator.is_valid(&sample.value));
        }
    }
    assert!(valid * 10 >= proposed * 9, "{valid} of {proposed}");
}

#[test]
fn declared_means_that_the_document_names_the_value() {
    let bundle = json!({});
    let declared = |schema: Value| -> Vec<Value> {
        let samples = Generator::new(&bundle, 1).checked(&schema, |_| true).into_iter();
        samples.filter(|sample| sample.declared).map(|sample| sample.value).collect()
    };
    assert_eq!(declared(json!({"type": "string"})), Vec::<Value>::new());
    assert_eq!(declared(json!({"type": "string", "example": "x"})), [json!("x")]);
    assert_eq!(declared(json!({"type": "integer", "minimum": 1})), [json!(1), json!(2)]);
    assert_eq!(declared(json!({"type": "integer"})), Vec::<Value>::new());
}

#[test]
fn contradictions_and_endless_schemas_end_without_a_value() {
    let endless = json!({"$defs": {"Loop": {
        "type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/Loop"}}
    }}});
    for schema in [
        json!(false),
        json!({"$ref": "#/$defs/Loop"}),
        json!({"type": "integer", "minimum": 3, "maximum": 1}),
        json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
    ] {
        let validator = validator(&endless, &schema);
        let samples =
            Generator::new(&endless, 7).checked(&schema, |value| validator.is_valid(value));
        assert_eq!(samples, [], "{schema}");
    }
}

/// Arbitrary schemas of the keywords that the generator speaks.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        (-50_i64..50, 0_i64..50).prop_map(|(low, width)| {
            json!({"type": "integer", "minimum": low, "maximum": low + width})
        }),
        (-50_i64..50, 1_i64..7).prop_map(|(low, step)| {
            json!({"type": "number", "exclusiveMinimum": low, "multipleOf": step})
        }),
        (0_usize..6, 0_usize..6).prop_map(|(least, more)| {
            json!({"type": "string", "minLength": least, "maxLength": least + more})
        }),
        "[a-z]{1,3}\\[[0-9]\\]"
            .prop_map(|_| json!({"type": "string", "pattern": "^[a-c]+[0-9]?$"})),
        prop::collection::vec("[a-z]{1,4}", 1..4).prop_map(|members| json!({"enum": members})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..3).prop_map(|(items, least)| {
                json!({"type": "array", "items": items, "minItems": least})
            }),
            (inner.clone(), inner.clone(), any::<bool>()).prop_map(|(a, b, both)| {
                let required = if both { json!(["a", "b"]) } else { json!(["a"]) };
                json!({"type": "object", "properties": {"a": a, "b": b}, "required": required})
            }),
            (inner.clone(), inner).prop_map(|(a, b)| json!({"anyOf": [a, b]})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions")
        )),
        ..ProptestConfig::default()
    })]

    /// Every schema of these keywords can be met, so a value must be found, and each value must validate.
    #[test]
    fn every_generated_value_validates_and_a_seed_repeats_it(schema in any_schema(), seed: u64) {
        let bundle = json!({});
        let validator = validator(&bundle, &schema);
        let make = || Generator::new(&bundle, seed).checked(&schema, |value| validator.is_valid(value));
        let samples = make();
        prop_assert!(!samples.is_empty(), "{schema}");
        for sample in Generator::new(&bundle, seed).samples(&schema, 0) {
            prop_assert!(validator.is_valid(&sample.value), "{schema}: {sample:?}");
        }
        prop_assert_eq!(samples, make());
    }
}

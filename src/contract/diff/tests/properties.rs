//! Random schemas, rewritten and mutated.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Verdict, assert_witnessed, compared, request, response};
use crate::contract::algebra::Algebra;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": ["string", "null"]})),
        (0_u8..4, 4_u8..9)
            .prop_map(|(low, high)| json!({"type": "string", "minLength": low, "maxLength": high})),
        (-5_i8..5, 5_i8..20)
            .prop_map(|(low, high)| json!({"type": "integer", "minimum": low, "maximum": high})),
        proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..4)
            .prop_map(|members| json!({"type": "string", "enum": members})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"type": "number"})),
        Just(json!({"type": "string", "pattern": "^[a-z]{2,4}$"})),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        let fields = proptest::collection::vec((inner.clone(), any::<bool>()), 1..4);
        prop_oneof![
            fields.prop_map(|fields| {
                let names = ["one", "two", "three", "four"];
                let mut properties = serde_json::Map::new();
                let mut required = Vec::new();
                for (name, (schema, needed)) in names.iter().zip(fields) {
                    properties.insert((*name).to_owned(), schema);
                    if needed {
                        required.push(*name);
                    }
                }
                json!({"type": "object", "properties": properties, "required": required})
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.clone().prop_map(|more| json!({"type": "object", "additionalProperties": more})),
            (inner.clone(), inner).prop_map(|(left, right)| {
                let branch = |kind: &str, schema: Value| {
                    json!({"type": "object", "required": ["kind"],
                        "properties": {"kind": {"const": kind}, "value": schema}})
                };
                json!({"oneOf": [branch("left", left), branch("right", right)]})
            }),
        ]
    })
}

/// The same schema written another way, everywhere that `choices` says so.
fn rewritten(schema: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut next = serde_json::Map::new();
    for (name, value) in members.iter().rev() {
        let value = match (name.as_str(), value) {
            ("properties", Value::Object(inner)) => inner
                .iter()
                .rev()
                .map(|(name, schema)| (name.clone(), rewritten(schema, choices)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            ("items" | "additionalProperties", value) => rewritten(value, choices),
            ("oneOf", Value::Array(list)) => {
                list.iter().rev().map(|schema| rewritten(schema, choices)).collect()
            }
            (_, value) => value.clone(),
        };
        next.insert(name.clone(), value);
    }
    let written = Value::Object(next);
    match choices.next().unwrap_or(0) % 7 {
        1 => json!({"allOf": [written]}),
        2 => json!({"anyOf": [written]}),
        3 => json!({"oneOf": [written]}),
        4 => split(&written),
        5 => listed(&written),
        6 => json!({"allOf": [written.clone(), written], "description": "twice"}),
        _ => written,
    }
}

/// `required`, bounds and lengths in a part of their own.
fn split(schema: &Value) -> Value {
    let members = schema.as_object().into_iter().flatten();
    let (apart, kept): (serde_json::Map<_, _>, serde_json::Map<_, _>) = members
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, _)| ["required", "minLength", "maximum"].contains(&name.as_str()));
    json!({"allOf": [kept, apart]})
}

/// An enum as `oneOf` of constants, a list of types as `anyOf`.
fn listed(schema: &Value) -> Value {
    if let Some(members) = schema.get("enum").and_then(Value::as_array) {
        let constants: Vec<Value> = members.iter().map(|value| json!({"const": value})).collect();
        return json!({"oneOf": constants});
    }
    match schema.get("type") {
        Some(Value::Array(types))
            if schema.as_object().is_some_and(|members| members.len() == 1) =>
        {
            let types: Vec<Value> = types.iter().map(|name| json!({"type": name})).collect();
            json!({"anyOf": types})
        }
        _ => schema.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schema_written_another_way_is_no_change(
        schema in schema(),
        choices in proptest::collection::vec(any::<u8>(), 32),
    ) {
        let other = rewritten(&schema, &mut choices.into_iter());
        for (old, new) in [(&schema, &other), (&other, &schema)] {
            for report in [compared(&request(old), &request(new)), compared(&response(old), &response(new))] {
                prop_assert!(
                    report.verdict() == Verdict::Cosmetic,
                    "{old}\n{new}\n{:#?}", report.changes
                );
            }
        }
    }

    #[test]
    fn nothing_changes_between_a_document_and_itself(schema in schema()) {
        prop_assert!(compared(&request(&schema), &request(&schema)).changes.is_empty());
        prop_assert!(compared(&response(&schema), &response(&schema)).changes.is_empty());
    }

    /// Both directions agree, every witness is confirmed by independent validators, and no proof is overruled.
    #[test]
    fn verdicts_on_random_pairs_are_confirmed(left in schema(), right in schema()) {
        let algebra = Algebra::default();
        let onward = compared(&request(&left), &request(&right));
        let back = compared(&response(&right), &response(&left));
        // A request that narrows is a response that widens, seen from the other side.
        prop_assert_eq!(onward.verdict() == Verdict::Breaking, back.verdict() == Verdict::Breaking);
        for report in [&onward, &back] {
            assert_witnessed(report);
            prop_assert_eq!(report.contradicted, 0, "{}\n{}\n{:?}", left, right, report.notes);
            for witness in report.changes.iter().filter_map(|change| change.witness.as_deref()) {
                prop_assert!(algebra.accepts(&left, witness), "{left} {witness}");
                prop_assert!(!algebra.accepts(&right, witness), "{right} {witness}");
            }
        }
    }

    /// Swapping the documents swaps verdict and forward.
    #[test]
    fn sides_are_symmetric(left in schema(), right in schema()) {
        let worst = |report: &super::Report, forward: bool| {
            let of = |change: &super::Change| if forward { change.forward } else { change.verdict };
            report.changes.iter().map(of).max() == Some(Verdict::Breaking)
        };
        let onward = compared(&request(&left), &request(&right));
        let back = compared(&request(&right), &request(&left));
        if worst(&onward, true) {
            prop_assert!(worst(&back, false), "{left}\n{right}");
        }
    }
}

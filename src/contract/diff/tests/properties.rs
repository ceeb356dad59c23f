//! Random schemas, rewritten and mutated.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Verdict, assert_witnessed, compared, read, request, response};
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

/// The same schema as OpenAPI 3.0 spells it.
fn of_30(schema: &Value) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut next = serde_json::Map::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("type", Value::Array(types)) => {
                let kept: Vec<&Value> = types.iter().filter(|kind| *kind != "null").collect();
                next.insert("type".to_owned(), json!(kept[0]));
                next.insert("nullable".to_owned(), json!(true));
            }
            ("const", value) => drop(next.insert("enum".to_owned(), json!([value]))),
            ("exclusiveMinimum", limit) => {
                next.insert("minimum".to_owned(), limit.clone());
                next.insert("exclusiveMinimum".to_owned(), json!(true));
            }
            ("properties", Value::Object(inner)) => {
                let inner: serde_json::Map<_, _> =
                    inner.iter().map(|(name, schema)| (name.clone(), of_30(schema))).collect();
                next.insert("properties".to_owned(), Value::Object(inner));
            }
            ("items" | "additionalProperties", value) => {
                drop(next.insert(name.clone(), of_30(value)));
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(list)) => {
                next.insert(name.clone(), list.iter().map(of_30).collect());
            }
            (_, value) => drop(next.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(next)
}

/// The schema with parts of it moved to `components`, wherever `choices` says so.
fn referred(
    schema: &Value,
    choices: &mut impl Iterator<Item = u8>,
    components: &mut serde_json::Map<String, Value>,
) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut next = serde_json::Map::new();
    for (name, value) in members {
        let value = match (name.as_str(), value) {
            ("properties", Value::Object(inner)) => inner
                .iter()
                .map(|(name, schema)| (name.clone(), referred(schema, choices, components)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            ("items" | "additionalProperties", value) => referred(value, choices, components),
            ("oneOf", Value::Array(list)) => {
                list.iter().map(|schema| referred(schema, choices, components)).collect()
            }
            (_, value) => value.clone(),
        };
        next.insert(name.clone(), value);
    }
    if choices.next().unwrap_or(0).is_multiple_of(2) {
        return Value::Object(next);
    }
    let name = format!("Part{}", components.len());
    components.insert(name.clone(), Value::Object(next));
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A document of which both bodies have a schema.
fn exchanging(version: &str, schema: &Value, components: &Value) -> Value {
    json!({
        "openapi": version,
        "info": {"title": "x", "version": "1"},
        "paths": {"/a": {"post": {
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "ok",
                "content": {"application/json": {"schema": schema}}}},
        }}},
        "components": {"schemas": components},
    })
}

/// A schema that differs in a few places: what documents do from one version to the next.
fn mutated(schema: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut next = members.clone();
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = members.get(keyword) {
            next.insert(keyword.to_owned(), mutated(inner, choices));
        }
    }
    if let Some(Value::Array(list)) = members.get("oneOf") {
        next.insert("oneOf".to_owned(), list.iter().map(|inner| mutated(inner, choices)).collect());
    }
    if let Some(Value::Object(inner)) = members.get("properties") {
        let inner: serde_json::Map<_, _> =
            inner.iter().map(|(name, schema)| (name.clone(), mutated(schema, choices))).collect();
        next.insert("properties".to_owned(), Value::Object(inner));
    }
    let is_object = members.get("type") == Some(&json!("object"));
    let count = |name: &str| members.get(name).and_then(Value::as_i64);
    match choices.next().unwrap_or(0) % 24 {
        0 if is_object => drop(next.remove("required")),
        1 if is_object && !members.contains_key("additionalProperties") => {
            next.insert("additionalProperties".to_owned(), json!(false));
        }
        2 if is_object => {
            let properties = next.entry("properties").or_insert_with(|| json!({}));
            properties["extra"] = json!({"type": "string"});
        }
        3 if is_object && members.contains_key("properties") => {
            next.insert("required".to_owned(), json!(["one"]));
        }
        4 => {
            if let Some(limit) = count("maximum").or_else(|| count("maxLength")) {
                let name = if members.contains_key("maximum") { "maximum" } else { "maxLength" };
                next.insert(name.to_owned(), json!(limit + 1));
            }
        }
        5 => {
            if let Some(limit) = count("minimum").or_else(|| count("minLength")) {
                let name = if members.contains_key("minimum") { "minimum" } else { "minLength" };
                next.insert(name.to_owned(), json!(limit + 1));
            }
        }
        6 => {
            if let Some(Value::Array(values)) = next.get_mut("enum") {
                values.push(json!("z"));
            }
        }
        7 if members.get("type") == Some(&json!("integer")) => {
            next.insert("type".to_owned(), json!("number"));
        }
        8 if members.get("type") == Some(&json!("string")) && !members.contains_key("enum") => {
            next.insert("type".to_owned(), json!(["string", "null"]));
        }
        9 => return json!({"anyOf": [next, {"type": "boolean"}]}),
        10 if is_object => {
            if let Some(Value::Object(inner)) = next.get_mut("properties") {
                inner.remove("two");
            }
        }
        _ => {}
    }
    Value::Object(next)
}

/// Some value of a schema, with the names it declares, made without the code under test.
fn some_value(schema: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let mut pick = |count: usize| usize::from(choices.next().unwrap_or(0)) % count.max(1);
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list[pick(list.len())].clone();
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let list = ["oneOf", "anyOf", "allOf"].iter().find_map(|name| schema.get(*name)?.as_array());
    if let Some(list) = list {
        let index = pick(list.len());
        return some_value(&list[index], choices);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds[pick(kinds.len())].clone(),
        Some(kind) => kind.clone(),
        None => json!("string"),
    };
    let number =
        |name: &str, otherwise: i64| schema.get(name).and_then(Value::as_i64).unwrap_or(otherwise);
    match kind.as_str().unwrap_or_default() {
        "object" => {
            let needed =
                schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut object = serde_json::Map::new();
            for (name, inner) in
                schema.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                if needed.contains(&json!(name)) || choices.next().unwrap_or(0).is_multiple_of(2) {
                    object.insert(name.clone(), some_value(inner, choices));
                }
            }
            if let Some(more) = schema.get("additionalProperties").filter(|more| more.is_object()) {
                object.insert("anything".to_owned(), some_value(more, choices));
            }
            Value::Object(object)
        }
        "array" => {
            let count = pick(3);
            let items = schema.get("items").cloned().unwrap_or(json!({}));
            (0..count).map(|_| some_value(&items, choices)).collect()
        }
        "integer" => json!([number("minimum", -9), number("maximum", 99), 0, 7][pick(4)]),
        "number" => [json!(0.5), json!(number("minimum", -3)), json!(number("maximum", 12))]
            [pick(3)]
        .clone(),
        "boolean" => json!(pick(2) == 0),
        "null" => Value::Null,
        _ => match (schema.get("format"), schema.get("pattern")) {
            (Some(_), _) => json!("2024-05-01T10:20:30Z"),
            (_, Some(_)) => json!("abc"),
            _ => {
                let (low, high) = (number("minLength", 0), number("maxLength", 12));
                let length = [low, high, i64::midpoint(low, high)][pick(3)];
                json!("y".repeat(usize::try_from(length).unwrap_or(0)))
            }
        },
    }
}

/// Few cases by default, so that the suite stays fast; as many as `PROPTEST_CASES` says where it says so.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases == 256 { 96 } else { asked.cases };
    ProptestConfig { cases, failure_persistence: None, ..asked }
}

fn worst(report: &super::Report, forward: bool) -> Verdict {
    let of = |change: &super::Change| if forward { change.forward } else { change.verdict };
    report.changes.iter().map(of).max().unwrap_or(Verdict::Cosmetic)
}

proptest! {
    #![proptest_config(config())]

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
    fn sides_are_symmetric(left in schema(), other in schema(), choices in choices()) {
        let near = mutated(&left, &mut choices.into_iter());
        for right in [&other, &near] {
            let sides = [(request(&left), request(right)), (response(&left), response(right))];
            for (old, new) in sides {
                let (onward, back) = (compared(&old, &new), compared(&new, &old));
                prop_assert_eq!(
                    worst(&onward, true).max(Verdict::Compatible),
                    worst(&back, false).max(Verdict::Compatible),
                    "{}\n{}\n{:#?}\n{:#?}", left, right, onward.changes, back.changes
                );
            }
        }
    }

    /// A component written out where it is used, or the other way round.
    #[test]
    fn inlining_a_reference_is_no_change(schema in schema(), choices in choices()) {
        let mut components = serde_json::Map::new();
        let referring = referred(&schema, &mut choices.into_iter(), &mut components);
        let old = read(&exchanging("3.1.0", &referring, &Value::Object(components)));
        let new = read(&exchanging("3.1.0", &schema, &json!({})));
        for report in [compared(&old, &new), compared(&new, &old)] {
            prop_assert!(report.verdict() == Verdict::Cosmetic, "{referring}\n{:#?}", report.changes);
        }
    }

    #[test]
    fn a_document_in_the_words_of_another_version_is_no_change(schema in schema()) {
        let older = of_30(&schema);
        let old = read(&exchanging("3.0.3", &older, &json!({})));
        let new = read(&exchanging("3.1.0", &schema, &json!({})));
        for report in [compared(&old, &new), compared(&new, &old)] {
            prop_assert!(report.verdict() == Verdict::Cosmetic, "{older}\n{:#?}", report.changes);
        }
    }

    /// Values made without the code under test find no harm in what it calls harmless.
    #[test]
    fn nothing_refutes_what_is_called_harmless(
        left in schema(),
        first in choices(),
        values in proptest::collection::vec(choices(), 8),
    ) {
        let right = mutated(&left, &mut first.into_iter());
        let algebra = Algebra::default();
        let asked = compared(&request(&left), &request(&right)).verdict() <= Verdict::Compatible;
        let answered = compared(&response(&right), &response(&left)).verdict() <= Verdict::Compatible;
        if asked || answered {
            for choices in values {
                let value = some_value(&left, &mut choices.into_iter());
                let harms = algebra.accepts(&left, &value) && !algebra.accepts(&right, &value);
                prop_assert!(!harms, "{left}\n{right}\n{value}");
            }
        }
    }
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 48)
}

/// Each doubling of alternatives within alternatives would square their number.
#[test]
fn what_is_said_twice_is_what_is_said_once() {
    let tagged = |value: &Value| {
        let side = |name: &str, value: &Value| {
            json!({"type": "object", "required": ["kind"],
                "properties": {"kind": {"const": name}, "value": value}})
        };
        json!({"oneOf": [side("left", value), side("right", &json!({"type": "string"}))]})
    };
    let twice = |schema: &Value| json!({"allOf": [schema, schema]});
    let once = tagged(&tagged(&tagged(&json!({"type": "string"}))));
    let often = twice(&tagged(&twice(&tagged(&twice(&tagged(&json!({"type": "string"})))))));
    for (old, new) in [(&once, &often), (&often, &once)] {
        for report in
            [compared(&request(old), &request(new)), compared(&response(old), &response(new))]
        {
            assert_eq!(report.verdict(), Verdict::Cosmetic, "{:#?}", report.changes);
        }
    }
}

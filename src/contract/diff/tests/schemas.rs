//! Pairs of schemas with the verdict in both directions. `Free` pairs mean the same; `Narrower` ones allow less afterwards.

use serde_json::{Value, json};

use super::{Verdict, assert_witnessed, compared, request, response};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Both allow the same: nothing worse than cosmetic, whichever way.
    Same,
    /// The new schema refuses some of what the old one allows, and allows nothing else.
    Narrower,
    /// The new schema refuses some and allows other values.
    Other,
}
use Step::{Narrower, Other, Same};

/// Written small to large: a step, the old schema, the new one.
#[expect(clippy::too_many_lines, reason = "a table")]
fn pairs() -> Vec<(Step, Value, Value)> {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let name = json!({"name": {"type": "string"}});
    let cat =
        object(json!({"kind": {"const": "cat"}, "lives": {"type": "integer"}}), json!(["kind"]));
    let dog =
        object(json!({"kind": {"const": "dog"}, "barks": {"type": "boolean"}}), json!(["kind"]));
    let tamer = object(
        json!({"kind": {"const": "dog"}, "barks": {"type": "boolean"}}),
        json!(["kind", "barks"]),
    );
    vec![
        // refactorings
        (Same, json!({"type": "string", "enum": ["a"]}), json!({"type": "string", "const": "a"})),
        (Same, json!({"enum": ["a", "b"]}), json!({"oneOf": [{"const": "a"}, {"const": "b"}]})),
        (Same, json!({"enum": ["a", "b"]}), json!({"enum": ["b", "a"]})),
        (
            Same,
            json!({"type": ["string", "null"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            Same,
            json!({"type": ["string", "null"]}),
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
        ),
        (
            Same,
            object(name.clone(), json!([])),
            json!({"allOf": [object(name.clone(), json!([]))]}),
        ),
        (
            Same,
            object(name.clone(), json!(["name"])),
            json!({"allOf": [object(name.clone(), json!([])), {"required": ["name"]}]}),
        ),
        (
            Same,
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "integer", "exclusiveMinimum": 0}),
        ),
        (
            Same,
            json!({"type": "integer", "minimum": 1, "maximum": 9}),
            json!({"allOf": [{"type": "integer", "minimum": 1}, {"maximum": 9}]}),
        ),
        (
            Same,
            json!({"type": "integer", "minimum": 1.0}),
            json!({"type": "integer", "minimum": 1}),
        ),
        (Same, json!({"oneOf": [cat, dog]}), json!({"anyOf": [dog, cat]})),
        (Same, json!({"oneOf": [cat]}), cat.clone()),
        (
            Same,
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}]}}),
        ),
        (
            Same,
            json!({"type": "string", "description": "x"}),
            json!({"type": "string", "title": "y"}),
        ),
        (Same, json!({"type": ["integer", "string"]}), json!({"type": ["string", "integer"]})),
        (Same, json!({"type": "boolean"}), json!({"type": "boolean", "enum": [true, false]})),
        (Same, json!({"type": "string", "minLength": 0}), json!({"type": "string"})),
        // leaves
        (Narrower, json!({"type": "number"}), json!({"type": "integer"})),
        (Narrower, json!({"type": ["string", "null"]}), json!({"type": "string"})),
        (Narrower, json!({"type": ["string", "integer"]}), json!({"type": "string"})),
        (Narrower, json!({"enum": ["a", "b"]}), json!({"enum": ["a"]})),
        (Narrower, json!({"type": "string"}), json!({"type": "string", "enum": ["a"]})),
        (Narrower, json!({"type": "string"}), json!({"type": "string", "maxLength": 5})),
        (
            Narrower,
            json!({"type": "string", "minLength": 1}),
            json!({"type": "string", "minLength": 3}),
        ),
        (Narrower, json!({"type": "integer"}), json!({"type": "integer", "minimum": 0})),
        (
            Narrower,
            json!({"type": "integer", "maximum": 10}),
            json!({"type": "integer", "exclusiveMaximum": 10}),
        ),
        (
            Narrower,
            json!({"type": "number", "minimum": 0}),
            json!({"type": "number", "exclusiveMinimum": 0}),
        ),
        (Narrower, json!({"type": "integer"}), json!({"type": "integer", "multipleOf": 5})),
        (
            Narrower,
            json!({"type": "integer", "multipleOf": 5}),
            json!({"type": "integer", "multipleOf": 10}),
        ),
        (Narrower, json!({"type": "string"}), json!({"type": "string", "pattern": "^[a-z]+$"})),
        (Narrower, json!({"type": "string"}), json!({"type": "string", "format": "uuid"})),
        (Narrower, json!({"type": "integer"}), json!({"type": "integer", "format": "int32"})),
        (Other, json!({"type": "string"}), json!({"type": "integer"})),
        (Other, json!({"enum": ["a", "b"]}), json!({"enum": ["a", "c"]})),
        (
            Other,
            json!({"type": "string", "format": "date"}),
            json!({"type": "string", "format": "uuid"}),
        ),
        // objects
        (Narrower, object(name.clone(), json!([])), object(name, json!(["name"]))),
        (
            Narrower,
            object(json!({"a": {"type": "number"}}), json!([])),
            object(json!({"a": {"type": "integer"}}), json!([])),
        ),
        (
            Narrower,
            object(
                json!({"a": {"type": "object", "properties": {"b": {"type": "string"}}}}),
                json!(["a"]),
            ),
            object(
                json!({"a": {"type": "object", "properties": {"b": {"type": "string", "maxLength": 3}}}}),
                json!(["a"]),
            ),
        ),
        (
            Narrower,
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
        (
            Narrower,
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
        (
            Narrower,
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object", "additionalProperties": true, "minProperties": 1}),
        ),
        // arrays
        (
            Narrower,
            json!({"type": "array", "items": {"type": "number"}}),
            json!({"type": "array", "items": {"type": "integer"}}),
        ),
        (
            Narrower,
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "string"}, "maxItems": 2}),
        ),
        (
            Narrower,
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
        ),
        // unions
        (Narrower, json!({"oneOf": [cat, dog]}), cat.clone()),
        (Narrower, json!({"oneOf": [cat, dog]}), json!({"oneOf": [cat, tamer]})),
        (
            Narrower,
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ),
    ]
}

/// The worst verdict of both directions: requests, responses.
fn verdicts(old: &Value, new: &Value) -> (Verdict, Verdict) {
    let requests = compared(&request(old), &request(new));
    let responses = compared(&response(old), &response(new));
    assert_witnessed(&requests);
    assert_witnessed(&responses);
    assert_eq!(requests.contradicted + responses.contradicted, 0, "{old} {new}");
    (requests.verdict(), responses.verdict())
}

#[test]
fn every_pair_has_its_verdict_in_every_direction_and_nested() {
    let nest: [fn(&Value) -> Value; 3] = [
        Value::clone,
        |schema| json!({"type": "object", "properties": {"x": schema}, "required": ["x"]}),
        |schema| json!({"type": "array", "items": {"type": "object", "properties": {"x": schema}}}),
    ];
    for (step, old, new) in pairs() {
        for wrap in nest {
            let (old, new) = (wrap(&old), wrap(&new));
            let (onward, back) = (verdicts(&old, &new), verdicts(&new, &old));
            let (breaking, compatible) = (Verdict::Breaking, Verdict::Compatible);
            let told = format!("{step:?}\n  {old}\n  {new}\n  {onward:?} {back:?}");
            match step {
                Same => {
                    let all = [onward.0, onward.1, back.0, back.1];
                    assert!(all.iter().all(|verdict| *verdict == Verdict::Cosmetic), "{told}");
                }
                Narrower => {
                    assert_eq!((onward.0, onward.1), (breaking, compatible), "{told}");
                    assert_eq!((back.0, back.1), (compatible, breaking), "{told}");
                }
                Other => {
                    assert_eq!((onward.0, onward.1), (breaking, breaking), "{told}");
                    assert_eq!((back.0, back.1), (breaking, breaking), "{told}");
                }
            }
        }
    }
}

/// Changes that other tools are known to misjudge, with the right verdict on requests and on responses.
#[test]
fn known_false_verdicts_of_other_tools_are_not_repeated() {
    let base =
        json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]});
    let with = |name: &str| {
        let mut schema = base.clone();
        schema["properties"][name] = json!({"type": "string"});
        schema
    };
    let undecided = Verdict::PotentiallyBreaking;
    let cases = [
        // An optional request property is new: plain inclusion of open schemas calls it breaking.
        (base.clone(), with("note"), Verdict::Compatible, Verdict::Compatible),
        // It is gone: nobody can tell from documents.
        (with("note"), base.clone(), undecided, undecided),
        // `allOf` flattened with a conflict of bounds.
        (
            json!({"allOf": [{"type": "integer", "minimum": 0}, {"minimum": 5}]}),
            json!({"type": "integer", "minimum": 5}),
            Verdict::Cosmetic,
            Verdict::Cosmetic,
        ),
        // A property moved into a shared part of an `allOf`.
        (
            with("note"),
            json!({"allOf": [base, {"type": "object", "properties": {"note": {"type": "string"}}}]}),
            Verdict::Cosmetic,
            Verdict::Cosmetic,
        ),
        // Null spelled another way.
        (
            json!({"type": ["object", "null"], "properties": {"a": {"type": "string"}}}),
            json!({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "string"}}}]}),
            Verdict::Cosmetic,
            Verdict::Cosmetic,
        ),
        // A request enum that grows is harmless, a response enum is not.
        (
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            Verdict::Compatible,
            Verdict::Breaking,
        ),
        // A property that looks like a keyword.
        (
            json!({"type": "object", "properties": {"type": {"type": "string"}, "required": {"type": "boolean"}}}),
            json!({"type": "object", "properties": {"required": {"type": "boolean"}, "type": {"type": "string"}}}),
            Verdict::Cosmetic,
            Verdict::Cosmetic,
        ),
        // Without `type`, `properties` means objects: nobody sends an array there.
        (
            json!({"properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            Verdict::Cosmetic,
            Verdict::Cosmetic,
        ),
    ];
    for (old, new, in_requests, in_responses) in cases {
        assert_eq!(verdicts(&old, &new), (in_requests, in_responses), "{old} {new}");
    }
}

#[test]
fn recursion_ends_and_is_judged_below_the_cycle() {
    let tree = |leaf: Value| {
        super::read(&json!({
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1"},
            "paths": {"/a": {"post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}},
                "responses": {"200": {"description": "ok", "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}},
            }}},
            "components": {"schemas": {"Tree": {
                "type": "object",
                "required": ["value"],
                "properties": {
                    "value": leaf,
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                    "parent": {"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
                },
            }}},
        }))
    };
    let (number, integer) = (tree(json!({"type": "number"})), tree(json!({"type": "integer"})));
    assert!(compared(&number, &number).changes.is_empty());
    let narrowed = compared(&number, &integer);
    let told = super::labels(&narrowed);
    assert!(told.contains(&("request-property-type-specialized", Verdict::Breaking)), "{told:?}");
    assert!(
        told.contains(&("response-property-type-specialized", Verdict::Compatible)),
        "{told:?}"
    );
}

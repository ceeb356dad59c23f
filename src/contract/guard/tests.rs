//! Which places can be covered, and that plans end.

use super::*;
use crate::contract::specification::Side;
use crate::contract::testing::baseline;

/// The plan of a response's schema, written as YAML in flow style, and where it begins.
fn plan_of(schema: &str) -> (Plan, usize) {
    let baseline = baseline(&format!(
        "openapi: 3.1.0
paths: {{/a: {{get: {{responses: {{'200': {{description: '', content: {{application/json:
    {{schema: {schema}}}}}}}}}}}}}}}
components: {{schemas: {{Tree: {{type: object, properties: {{
    name: {{type: string, maxLength: 9}}, children: {{type: array, items: {{$ref: '#/components/schemas/Tree'}}}}}}}}}}}}"
    ));
    let content = &baseline.specification.operations[0].responses[0].content[0];
    let schema = content.schema.as_ref().expect("a schema");
    let schemas = (&baseline.specification.schemas, &baseline.validators);
    let mut plan = Plan::new(HashKey::OFFLINE);
    let root = plan.root(schemas, (Side::Response, schema));
    (plan, root)
}

#[test]
fn a_keyword_that_depends_on_positions_makes_its_place_blind() {
    for (schema, expected) in [
        ("{type: string, pattern: '^a', format: date}", true),
        ("{type: array, items: {enum: [a, 1, null]}, uniqueItems: true, maxItems: 3}", true),
        ("{type: object, properties: {a: {type: array, contains: {const: 1}}}}", false),
        ("{type: array, prefixItems: [{type: string}]}", false),
        ("{allOf: [{type: array}], unevaluatedItems: false}", false),
        ("{anyOf: [{type: object, properties: {b: {enum: [[1]]}}}, {type: 'null'}]}", false),
        ("{not: {type: array, minContains: 2, contains: true}}", false),
        ("{type: object, unevaluatedProperties: false, allOf: [{properties: {a: true}}]}", true),
        (
            "{if: {required: [a]}, then: {maxProperties: 3}, else: {propertyNames: {minLength: 2}}}",
            true,
        ),
        ("true", true),
    ] {
        let (plan, _) = plan_of(schema);
        let sighted = plan.nodes.iter().skip(BLIND + 1).all(|node| !node.blind);
        assert_eq!(sighted, expected, "{schema}");
    }
}

#[test]
fn recursion_ends() {
    let (plan, _) = plan_of("{$ref: '#/components/schemas/Tree'}");
    // The tree in both forms, its name, its children; then the form that is strict further down.
    assert!(plan.nodes.len() < 12, "{}", plan.nodes.len());
}

#[test]
fn members_of_the_same_enums_answer_alike() {
    let (plan, root) = plan_of("{anyOf: [{enum: [a, b, c]}, {enum: [c, d]}]}");
    let tests = &plan.nodes[root].tests;
    let of = |text: &str| tests.text(text);
    assert_eq!(of("a"), of("b"));
    assert_ne!(of("a"), of("c"));
    assert_ne!(of("c"), of("d"));
    assert_eq!(of("x"), of("y"));
    assert_ne!(of("x"), of("a"));
}

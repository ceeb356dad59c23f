//! Tests of loading: versions, references, limits, every problem with its place.

use proptest::prelude::*;
use serde_json::json;

use super::super::specification::{Place, SchemeKind, Side, Style};
use super::*;

/// Documents by name.
struct Files(&'static [(&'static str, &'static str)]);

impl Resolver for Files {
    fn resolve(&self, base: &str, reference: &str) -> Result<(String, String), String> {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = format!("{folder}/{}", reference.trim_start_matches("./"));
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| (name, (*text).to_owned())).ok_or_else(|| "no such file".to_owned())
    }
}

fn problems(text: &str) -> Vec<Problem> {
    load(text, &LoadOptions::default()).expect_err(text).0
}

fn lints(text: &str) -> Vec<String> {
    let (_, lints) = load(text, &LoadOptions::default()).unwrap_or_else(|found| panic!("{found}"));
    lints.0.into_iter().map(|lint| format!("{} {}", lint.code, lint.pointer)).collect()
}

#[test]
fn versions_other_than_ours_are_refused_by_name() {
    for (text, code) in [
        ("openapi: 4.0.0\npaths: {}", "spec.unknown-version"),
        ("swagger: '1.2'\npaths: {}", "spec.unknown-version"),
        ("paths: {}", "spec.not-a-specification"),
        ("[]", "spec.not-a-specification"),
        ("", "spec.not-a-specification"),
        ("openapi: 3.0.0", "spec.missing-paths"),
        ("openapi: 3.0.0\npaths: []", "spec.malformed-paths"),
    ] {
        assert_eq!(problems(text)[0].code, code, "{text}");
    }
    for text in ["swagger: 2.0\npaths: {}", "openapi: 3.1.0", "openapi: 3.2.0\npaths: {}"] {
        assert!(load(text, &LoadOptions::default()).is_ok(), "{text}");
    }
}

#[test]
fn every_lost_reference_is_told_with_its_place() {
    let text = "openapi: 3.0.0
paths:
  /a:
    get:
      parameters:
        - $ref: '#/components/parameters/None'
      responses:
        '200':
          $ref: 'other.yaml#/x'
components:
  schemas:
    A: {$ref: '#/components/schemas/B'}
    B: {$ref: '#/components/schemas/A'}
    C: {properties: {self: {$ref: '#/components/schemas/C'}}, example: {$ref: '#/nowhere'}}
";
    let found: Vec<String> = problems(text)
        .iter()
        .map(|problem| {
            let line = problem.position.map_or(0, |position| position.line);
            format!("{line} {} {}", problem.code, problem.pointer)
        })
        .collect();
    assert_eq!(
        found,
        [
            "9 spec.unreadable-reference /paths/~1a/get/responses/200/$ref",
            "6 spec.unresolved-reference /paths/~1a/get/parameters/0/$ref",
            "12 spec.unresolved-reference /components/schemas/A/$ref",
            "13 spec.unresolved-reference /components/schemas/B/$ref",
        ]
    );
    assert!(problems(text).iter().skip(1).all(|problem| !problem.remedy.is_empty()));
    let lenient = LoadOptions { lenient_refs: true, ..LoadOptions::default() };
    let (specification, lints) = load(text, &lenient).expect("lenient");
    assert_eq!(specification.operations.len(), 1);
    assert_eq!(lints.0.iter().filter(|lint| lint.code == "spec.unresolved-reference").count(), 4);
}

#[test]
fn relative_documents_become_one_bundle() {
    let files = Files(&[
        (
            "/spec/schemas/order.yaml",
            "Order: {type: object, properties: {item: {$ref: './item.yaml'}}}",
        ),
        (
            "/spec/schemas/item.yaml",
            "{type: object, properties: {parent: {$ref: 'order.yaml#/Order'}}}",
        ),
    ]);
    let text = "openapi: 3.1.0
paths: {/o: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'schemas/order.yaml#/Order'}}}}}}}}";
    let options =
        LoadOptions { name: "/spec/main.yaml", resolver: &files, ..LoadOptions::default() };
    let (specification, _) = load(text, &options).expect("loads");
    let schema = specification.operations[0].responses[0].content[0].schema.as_ref().expect("one");
    let schemas = &specification.schemas;
    assert_eq!(schemas.pointer(schema), "/spec/schemas/order.yaml#/Order");
    let order = schemas.get(Side::Response, schema);
    let item = schemas.resolve(Side::Response, &order["properties"]["item"]);
    let parent = schemas.resolve(Side::Response, &item["properties"]["parent"]);
    assert_eq!(parent, order);
}

#[test]
fn problems_of_other_documents_name_them() {
    let files = Files(&[("/b.yaml", "a: {$ref: '#/nowhere'}\nb: [")]);
    let options = LoadOptions { name: "/a.yaml", resolver: &files, ..LoadOptions::default() };
    let text = "openapi: 3.1.0\npaths: {/x: {$ref: 'b.yaml#/a'}}";
    let found = load(text, &options).expect_err("broken").0;
    assert!(found.iter().any(|problem| problem.pointer.starts_with("/b.yaml#")), "{found:?}");
}

#[test]
fn limits_are_errors_that_name_the_limit() {
    let text = "openapi: 3.1.0\npaths: {/a: {get: {responses: {}}, put: {responses: {}}}}";
    let with = |limits: Limits| {
        load(text, &LoadOptions { limits, ..LoadOptions::default() }).expect_err("beyond a limit")
    };
    let found = with(Limits { operations: 1, ..Limits::default() });
    assert_eq!(found.0[0].code, "spec.too-large");
    assert!(!with(Limits { bytes: 10, ..Limits::default() }).is_empty());
    assert!(!with(Limits { nodes: 3, ..Limits::default() }).is_empty());
    assert!(!with(Limits { depth: 2, ..Limits::default() }).is_empty());
    let many: String = (0..200).map(|index| format!("  a{index}: {{$ref: '#/no'}}\n")).collect();
    let found = problems(&format!("openapi: 3.1.0\npaths: {{}}\ncomponents:\n schemas:\n{many}"));
    assert_eq!(found.len(), 100);
}

#[test]
fn lints_stop_nothing() {
    let text = "openapi: 3.0.0
pats: {}
paths:
  a/{x}/{y}:
    get: {operationId: one, parameters: [{in: path, name: x, required: true, schema: {type: int}}, {in: path, name: z, required: true, schema: {}}]}
    gett: {}
    put: {operationId: one, responses: {'20': {description: no}, '200': {description: ok, content: {json: {}}}}, security: [{none: []}]}
";
    let mut found = lints(text);
    found.sort();
    assert_eq!(
        found,
        [
            "spec.duplicate-operation-id /paths/a~1{x}~1{y}/put",
            "spec.malformed-media-type /paths/a~1{x}~1{y}/put/responses/200/content/json",
            "spec.no-leading-slash /paths/a~1{x}~1{y}",
            "spec.no-responses /paths/a~1{x}~1{y}/get",
            "spec.parameter-without-slot /paths/a~1{x}~1{y}/get",
            "spec.slot-without-parameter /paths/a~1{x}~1{y}/get",
            "spec.slot-without-parameter /paths/a~1{x}~1{y}/put",
            "spec.slot-without-parameter /paths/a~1{x}~1{y}/put",
            "spec.unknown-field /paths/a~1{x}~1{y}/gett",
            "spec.unknown-field /paths/a~1{x}~1{y}/put/responses/20",
            "spec.unknown-field /pats",
            "spec.unknown-scheme /paths/a~1{x}~1{y}/put",
            "spec.unknown-type /paths/a~1{x}~1{y}/get/parameters/0/schema/type",
        ]
    );
    let (_, lints) = load(text, &LoadOptions::default()).expect("loads");
    let typo = lints.0.iter().find(|lint| lint.pointer == "/pats").expect("told");
    assert_eq!(typo.remedy, "did you mean `paths`?");
}

#[test]
fn swagger_is_read_into_the_words_of_openapi() {
    let text = "
swagger: '2.0'
info: {title: Shop, version: '7'}
host: shop.example
basePath: /v2/
schemes: [http, https]
consumes: [application/json]
securityDefinitions:
  b: {type: basic}
  k: {type: apiKey, in: query, name: key}
  o: {type: oauth2, flow: application, tokenUrl: 'https://x', scopes: {}}
security: [{b: []}, {k: [], o: [read]}]
paths:
  /up/{id}:
    parameters: [{in: path, name: id, type: integer, required: true}]
    post:
      consumes: [multipart/form-data]
      produces: [text/plain]
      parameters:
        - {in: formData, name: file, type: file, required: true}
        - {in: formData, name: tags, type: array, items: {type: string}, collectionFormat: multi}
        - {in: query, name: a, type: array, items: {type: integer}, collectionFormat: pipes, default: [1]}
        - {in: header, name: Authorization, type: string}
      responses: {200: {description: ok, schema: {type: string}, headers: {X-Left: {type: integer}}}}
    delete: {security: [], responses: {default: {description: gone}}}
";
    let (specification, lints) = load(text, &LoadOptions::default()).expect("loads");
    assert!(lints.is_empty(), "{lints}");
    let urls: Vec<_> = specification.servers.iter().map(|server| server.url.as_str()).collect();
    assert_eq!(urls, ["http://shop.example/v2/", "https://shop.example/v2/"]);
    assert_eq!(specification.servers[0].base_path, "/v2");
    assert_eq!(specification.schemes["b"].kind, SchemeKind::Http("basic".to_owned()));
    let post = &specification.operations[0];
    let places: Vec<_> = post.parameters.iter().map(|one| (one.place, one.name.as_str())).collect();
    assert_eq!(places, [(Place::Query, "a"), (Place::Path, "id")]);
    assert_eq!(post.parameters[0].style, Style::PipeDelimited);
    assert_eq!(post.parameters[0].default, Some(json!([1])));
    let body = post.body.as_ref().expect("a form");
    assert!(body.required && body.content[0].media.text == "multipart/form-data");
    assert!(body.content[0].encoding["tags"].explode);
    let form =
        specification.schemas.get(Side::Request, body.content[0].schema.as_ref().expect("one"));
    assert_eq!(form["required"], json!(["file"]));
    assert_eq!(form["properties"]["file"], json!({"type": "string"}));
    let response = &post.responses[0];
    assert_eq!(response.content[0].media.text, "text/plain");
    assert_eq!(response.headers[0].name, "x-left");
    assert!(post.is_secured() && !specification.operations[1].is_secured());
    assert_eq!(post.security[1].schemes[1], ("o".to_owned(), vec!["read".to_owned()]));
}

#[test]
fn server_variables_take_their_defaults() {
    let text = "openapi: 3.1.0
servers: [{url: 'https://{host}/{base}/api', variables: {host: {default: x.example}, base: {default: v1}}}, {url: /}]";
    let (specification, _) = load(text, &LoadOptions::default()).expect("loads");
    assert_eq!(specification.servers[0].url, "https://x.example/v1/api");
    assert_eq!(specification.servers[0].base_path, "/v1/api");
    assert_eq!(specification.servers[1].base_path, "");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_loading_panic(text in "(openapi: 3\\.[01]\\.0\n)?[a-z$:{}\\[\\]# \n'/*&-]{0,200}") {
        drop(load(&text, &LoadOptions::default()));
    }

    #[test]
    fn no_tree_makes_loading_panic(tree in tree()) {
        let document = json!({"openapi": "3.1.0", "paths": {"/a/{b}": {"get": tree, "parameters": tree}},
            "components": {"schemas": {"A": tree}, "securitySchemes": tree}, "security": tree, "servers": tree});
        drop(load(&document.to_string(), &LoadOptions::default()));
        let document = json!({"swagger": "2.0", "paths": {"/a": {"get": tree}}, "definitions": {"A": tree}});
        drop(load(&document.to_string(), &LoadOptions::default()));
    }
}

/// Values in which keywords stand in the wrong places.
fn tree() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "properties",
        "$ref",
        "#/components/schemas/A",
        "allOf",
        "oneOf",
        "items",
        "enum",
        "responses",
        "200",
        "content",
        "schema",
        "parameters",
        "in",
        "query",
        "name",
        "required",
        "discriminator",
        "mapping",
        "requestBody",
        "minimum",
        "exclusiveMinimum",
        "nullable",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

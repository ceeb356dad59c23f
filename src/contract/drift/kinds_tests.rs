//! One row per kind: a server that changed in one way gives that kind, operation and place within its threshold, and nothing
//! else; one that did not change gives nothing.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::contract::patch;
use crate::contract::testing::{Build, baseline, exchange};
use crate::model::exchange::{CredentialKind, CredentialPlace};
use crate::model::finding::Severity;
use crate::model::kind::Kind;

const STEP_MS: i64 = 30_000;

const DOCUMENT: &str = "
openapi: 3.1.0
info: {title: Shop, version: '1.4'}
servers: [{url: /v1}]
paths:
  /items:
    get:
      parameters:
        - {in: query, name: limit, schema: {type: integer, maximum: 100}}
        - {in: query, name: sort, schema: {type: string}}
      responses:
        '200':
          description: ok
          headers: {X-Total: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Item'}}}}
        '400': {description: wrong}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
      responses:
        '201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
        '202': {description: later}
        '422': {description: wrong}
  /items/{itemId}:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}}
    delete:
      responses: {'204': {description: gone}}
  /shapes/{shapeId}:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Shape'}}}}}
  /me:
    get:
      security: [{login: []}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}
  /keyed:
    get:
      security: [{key: []}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}
  /reports:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}}
components:
  securitySchemes:
    login: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    Item:
      type: object
      required: [name, price]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, pattern: '^[a-z]'}
        price: {type: number, maximum: 1000}
        state: {enum: [new, sold]}
        made: {type: string, format: date}
        unit: {const: piece}
        note: {type: string}
        secret: {type: string, writeOnly: true}
        any: {anyOf: [{type: object, required: [a], properties: {a: {}}}, {type: object, required: [b], properties: {b: {}}}]}
        one: {oneOf: [{type: object, properties: {p: {}}}, {type: object, required: [q], properties: {p: {}, q: {}}}]}
    Shape:
      oneOf: [{$ref: '#/components/schemas/Round'}, {$ref: '#/components/schemas/Square'}]
      discriminator: {propertyName: kind, mapping: {round: '#/components/schemas/Round', square: '#/components/schemas/Square'}}
    Round: {type: object, required: [kind, radius], properties: {kind: {enum: [round]}, radius: {type: number}}}
    Square: {type: object, required: [kind, side], properties: {kind: {enum: [square]}, side: {type: number}}}
";

/// What the baseline before had besides.
const REMOVED: &str = "
  /gone/{id}: {get: {responses: {'200': {description: ok}}}}
components:
";

fn item(number: u64) -> Value {
    json!({"id": number, "name": format!("thing {number}"), "price": 1.5, "state": "new",
        "made": "2024-02-29", "unit": "piece", "note": "n"})
}

fn with(number: u64, name: &str, value: Value) -> Value {
    let mut item = item(number);
    item[name] = value;
    item
}

fn without(number: u64, name: &str) -> Value {
    let mut item = item(number);
    item.as_object_mut().expect("an object").remove(name);
    item
}

fn sent_item(number: u64) -> Value {
    json!({"name": format!("thing {number}"), "price": 2})
}

fn get(number: u64, body: &Value) -> Exchange {
    exchange(&format!("GET /v1/items/{number}"), 200).answered(body)
}

fn list(number: u64) -> Exchange {
    exchange(&format!("GET /v1/items?limit={}", number % 100), 200)
        .answered(&json!([item(number)]))
        .response_field("x-total", &number.to_string())
}

fn post(status: u16, sent: &Value) -> Exchange {
    exchange("POST /v1/items", status).sent(sent)
}

/// What the server does as documented; each number another exchange.
fn ordinary(number: u64) -> Exchange {
    match number % 8 {
        0 => list(number),
        1 => post(201, &sent_item(number)).answered(&item(number)),
        2 => get(number, &item(number)),
        3 => exchange(&format!("DELETE /v1/items/{number}"), 204),
        4 => exchange(&format!("GET /v1/shapes/{number}"), 200)
            .answered(&json!({"kind": "round", "radius": number})),
        5 => exchange("GET /v1/me", 200).bearer().answered(&json!({"n": number})),
        6 => exchange("GET /v1/keyed", 200)
            .credential(CredentialKind::ApiKey, CredentialPlace::Header, "x-key")
            .answered(&json!({"n": number})),
        _ => post(202, &sent_item(number)),
    }
}

struct Row {
    kind: Kind,
    /// `METHOD template`, and the place behind it if any.
    at: &'static str,
    /// Most mutated exchanges until it opens; `threshold` has the fewest.
    within: usize,
    make: fn(u64) -> Exchange,
}

fn row(kind: Kind, at: &'static str, within: usize, make: fn(u64) -> Exchange) -> Row {
    Row { kind, at, within, make }
}

fn responses() -> Vec<Row> {
    use Kind as K;
    vec![
        row(K::StatusUndocumented, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 203).answered(&item(n))
        }),
        row(K::StatusUndocumented, "DELETE /items/{itemId}", 11, |n| {
            exchange(&format!("DELETE /v1/items/{n}"), 500)
        }),
        row(K::MediaTypeUndocumented, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 200).answered_as("text/csv", "a,b")
        }),
        row(K::MediaTypeMissing, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 200).answered_as("", &item(n).to_string())
        }),
        row(K::MediaTypeMalformed, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 200).answered_as("json", &item(n).to_string())
        }),
        row(K::MediaTypeLying, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 200).answered_as("application/json", "<p>")
        }),
        row(K::BodyUndocumented, "POST /items", 3, |n| {
            post(202, &sent_item(n)).answered(&json!({"later": n}))
        }),
        row(K::BodyMissing, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 200)
        }),
        row(K::HeaderRequiredMissing, "GET /items header/x-total", 3, |n| {
            exchange(&format!("GET /v1/items?limit={}&sort={n}", n % 100), 200)
                .answered(&json!([item(n)]))
        }),
        row(K::HeaderInvalid, "GET /items header/x-total", 3, |n| {
            exchange(&format!("GET /v1/items?limit={}&sort={n}", n % 100), 200)
                .answered(&json!([item(n)]))
                .response_field("x-total", "many")
        }),
        row(K::HeaderUndocumented, "GET /items header/x-shelf", 3, |n| {
            list(n).response_field("x-shelf", "7")
        }),
    ]
}

fn fields() -> Vec<Row> {
    use Kind as K;
    vec![
        row(K::FieldUndocumented, "GET /items/{itemId} /colour", 5, |n| {
            get(n, &with(n, "colour", json!("red")))
        }),
        row(K::FieldRequiredMissing, "GET /items/{itemId} /price", 3, |n| {
            get(n, &without(n, "price"))
        }),
        row(K::FieldRequiredMissing, "GET /items /*/price", 3, |n| {
            exchange(&format!("GET /v1/items?limit={}&sort={n}", n % 100), 200)
                .answered(&json!([item(n), without(n, "price")]))
                .response_field("x-total", "1")
        }),
        row(K::FieldVanished, "GET /items/{itemId} /note", 301, |n| get(n, &without(n, "note"))),
        row(K::TypeChanged, "GET /items/{itemId} /price", 3, |n| {
            get(n, &with(n, "price", json!("1.5")))
        }),
        row(K::NullUnexpected, "GET /items/{itemId} /note", 3, |n| {
            get(n, &with(n, "note", Value::Null))
        }),
        row(K::EnumWidened, "GET /items/{itemId} /state", 3, |n| {
            get(n, &with(n, "state", json!("lost")))
        }),
        row(K::BoundExceeded, "GET /items/{itemId} /price", 3, |n| {
            get(n, &with(n, "price", json!(1_001)))
        }),
        row(K::PatternBroken, "GET /items/{itemId} /name", 3, |n| {
            get(n, &with(n, "name", json!("THING")))
        }),
        row(K::FormatBroken, "GET /items/{itemId} /made", 3, |n| {
            get(n, &with(n, "made", json!("yesterday")))
        }),
        row(K::ConstChanged, "GET /items/{itemId} /unit", 3, |n| {
            get(n, &with(n, "unit", json!("box")))
        }),
        row(K::UnionNoBranch, "GET /items/{itemId} /any", 3, |n| {
            get(n, &with(n, "any", json!({})))
        }),
        row(K::UnionAmbiguous, "GET /items/{itemId} /one", 3, |n| {
            get(n, &with(n, "one", json!({"p": 1, "q": 2})))
        }),
        row(K::DiscriminatorUnknown, "GET /shapes/{shapeId} /kind", 3, |n| {
            exchange(&format!("GET /v1/shapes/{n}"), 200)
                .answered(&json!({"kind": "oval", "radius": n}))
        }),
        row(K::ReadWriteViolated, "GET /items/{itemId} /secret", 3, |n| {
            get(n, &with(n, "secret", json!("x")))
        }),
    ]
}

fn requests() -> Vec<Row> {
    use Kind as K;
    vec![
        row(K::MediaTypeUndocumented, "POST /items", 3, |n| {
            exchange("POST /v1/items", 202).sent_as("application/xml", &format!("<n>{n}</n>"))
        }),
        row(K::BodyUndocumented, "DELETE /items/{itemId}", 3, |n| {
            exchange(&format!("DELETE /v1/items/{n}"), 204).sent(&json!({"why": n}))
        }),
        row(K::RequestRefused, "POST /items", 5, |n| post(422, &sent_item(n))),
        row(K::FieldUndocumented, "POST /items /colour", 5, |n| {
            post(202, &json!({"name": format!("a{n}"), "price": 1, "colour": "red"}))
        }),
        row(K::FieldRequiredMissing, "POST /items /price", 3, |n| {
            post(202, &json!({"name": format!("a{n}")}))
        }),
        row(K::FieldRequiredMissing, "POST /items /state", 5, |n| {
            post(422, &sent_item(n)).answered(&json!({"errors": [{"field": "state"}]}))
        }),
        row(K::TypeChanged, "POST /items /price", 3, |n| {
            post(202, &json!({"name": format!("a{n}"), "price": "1"}))
        }),
        row(K::EnumNarrowed, "POST /items /state", 10, |n| {
            post(422, &json!({"name": format!("a{n}"), "price": 1, "state": "sold"}))
                .answered(&json!({"errors": [{"field": "state"}]}))
        }),
        row(K::ReadWriteViolated, "POST /items /id", 3, |n| {
            post(202, &json!({"name": format!("a{n}"), "price": 1, "id": n}))
        }),
        row(K::ParamUndocumented, "GET /items query/page", 5, |n| {
            exchange(&format!("GET /v1/items?page={n}"), 200)
                .answered(&json!([item(n)]))
                .response_field("x-total", "1")
        }),
        row(K::ParamUndocumented, "GET /items header/x-shop", 5, |n| {
            list(n).request_field("x-shop", "7")
        }),
        row(K::ParamInvalid, "GET /items query/limit", 3, |n| {
            exchange(&format!("GET /v1/items?limit=a{n}"), 200)
                .answered(&json!([item(n)]))
                .response_field("x-total", "1")
        }),
        row(K::ParamRequiredMissing, "GET /items query/sort", 5, |n| {
            exchange(&format!("GET /v1/items?limit={}", n % 100), 400)
                .answered(&json!({"detail": [{"loc": ["query", "sort"], "msg": "field required"}]}))
        }),
    ]
}

fn structure() -> Vec<Row> {
    use Kind as K;
    vec![
        row(K::EndpointUndocumented, "GET /hidden", 3, |n| {
            exchange(&format!("GET /v1/hidden?n={n}"), 200)
        }),
        row(K::MethodUndocumented, "PUT /items/{itemId}", 3, |n| {
            exchange(&format!("PUT /v1/items/{n}"), 200)
        }),
        row(K::EndpointDeprecatedInUse, "GET /items/{itemId}", 3, |n| {
            get(n, &item(n)).response_field("sunset", "Fri, 31 Dec 2100 23:59:59 GMT")
        }),
        row(K::EndpointRemovedInUse, "GET /gone/{id}", 3, |n| {
            exchange(&format!("GET /v1/gone/{n}"), 200)
        }),
        row(K::EndpointUnimplemented, "GET /reports", 50, |n| {
            exchange(&format!("GET /v1/reports?{n}"), 404).answered(&json!({"error": "no"}))
        }),
        row(K::TransportRedirected, "GET /reports", 20, |n| {
            exchange(&format!("GET /v1/reports?{n}"), 308).response_field("location", "/v2")
        }),
        row(K::VersionMismatch, "GET /items/{itemId} header/x-api-version", 3, |n| {
            get(n, &item(n)).response_field("x-api-version", "2")
        }),
        row(K::VersionMismatch, "GET /items/{itemId} path", 3, |n| {
            exchange(&format!("GET /v2/items/{n}"), 200).answered(&item(n))
        }),
        row(K::AuthUnauthenticatedSuccess, "GET /me", 2, |n| {
            exchange("GET /v1/me", 200).answered(&json!({"n": n}))
        }),
        row(K::AuthSchemeUndocumented, "GET /me", 3, |n| {
            exchange("GET /v1/me", 200)
                .credential(CredentialKind::Basic, CredentialPlace::Header, "authorization")
                .answered(&json!({"n": n}))
        }),
        row(K::AuthPlacementChanged, "GET /keyed", 3, |n| {
            exchange("GET /v1/keyed?api_key=", 200)
                .credential(CredentialKind::ApiKey, CredentialPlace::Query, "api_key")
                .answered(&json!({"n": n}))
        }),
        row(K::AuthNowRequired, "GET /items/{itemId}", 3, |n| {
            exchange(&format!("GET /v1/items/{n}"), 401)
        }),
        row(K::StatusVanished, "POST /items", 2_995, |n| post(202, &sent_item(n))),
    ]
}

/// A server and what is counted of it; time passes with each exchange.
struct Shop {
    baseline: Baseline,
    drift: Drift,
    number: u64,
}

impl Shop {
    fn open() -> Self {
        let former = DOCUMENT.replace("components:\n", REMOVED.trim_start_matches('\n'));
        let also = [Kind::HeaderUndocumented, Kind::ReadWriteViolated, Kind::ParamUndocumented];
        let baseline = baseline(DOCUMENT).after(&baseline(&former)).also(&also);
        let drift = Drift::new("shop".into(), Options::default());
        let mut shop = Self { baseline, drift, number: 0 };
        for _ in 0..960 {
            assert_eq!(shop.feed(ordinary), []);
        }
        assert_eq!(shop.known(), BTreeSet::new(), "nothing is told of what is documented");
        shop
    }

    fn feed(&mut self, make: fn(u64) -> Exchange) -> Vec<Transition> {
        self.number += 1;
        let time_ms = 1_700_000_000_000 + i64::try_from(self.number).expect("small") * STEP_MS;
        let exchange = make(self.number).by(self.number % 3).at(time_ms);
        let judgement = self.baseline.judge(&exchange);
        self.drift.count(&self.baseline, &exchange, &judgement)
    }

    /// Everything that is known but not what is over, candidates too.
    fn known(&self) -> BTreeSet<String> {
        self.drift.tracked.values().map(|tracked| described(&tracked.finding)).collect()
    }
}

/// The document with a patch applied, in force.
fn patched(document: &Value, change: &patch::Patch) -> Baseline {
    let changed = patch::apply(document, change).expect("the patch fits its document");
    baseline(&changed.to_string()).also(&[Kind::HeaderUndocumented, Kind::ReadWriteViolated])
}

fn described(finding: &Finding) -> String {
    let Finding { kind, method, template, location, .. } = finding;
    format!("{kind} {method} {template} {}", location.pointer).trim_end().to_owned()
}

/// What is wrong with a row, if anything.
fn check(row: &Row) -> Option<String> {
    let mut shop = Shop::open();
    let expected = format!("{} {}", row.kind, row.at);
    let told = (1..=row.within).find_map(|count| {
        let transitions = shop.feed(row.make);
        let told: Vec<String> =
            transitions.iter().map(|transition| described(&transition.finding)).collect();
        (!told.is_empty()).then_some((count, told))
    });
    let alone = BTreeSet::from([expected.clone()]);
    let is_right = told.as_ref().is_some_and(|(_, told)| *told == [expected.clone()]);
    let is_right = is_right && shop.known() == alone;
    (!is_right).then(|| format!("{expected}: told {told:?}, knows {:?}", shop.known()))
}

#[test]
fn each_kind_opens_within_its_threshold_and_alone() {
    let rows: Vec<Row> =
        [responses(), fields(), requests(), structure()].into_iter().flatten().collect();
    let wrong: Vec<String> = rows.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut kinds: BTreeSet<Kind> = rows.iter().map(|row| row.kind).collect();
    // Its silence is a matter of time: the test below.
    kinds.insert(Kind::EndpointSilent);
    assert_eq!(kinds.len(), Kind::ALL.len(), "each of the 42 kinds has its row");
}

#[test]
fn an_operation_falls_silent_when_others_are_called() {
    let mut shop = Shop::open();
    let quiet = |number: u64| match number % 8 {
        4 => ordinary(number + 1),
        _ => ordinary(number),
    };
    // Seven days less a step, then the step.
    let steps = 7 * 86_400_000 / STEP_MS;
    let mut told = Vec::new();
    for _ in 0..steps + 8 {
        assert_eq!(shop.feed(quiet), []);
        told = shop.drift.tick(Some(&shop.baseline), 0);
        if !told.is_empty() {
            break;
        }
    }
    assert_eq!(told.len(), 1);
    assert_eq!(described(&told[0].finding), "endpoint.silent GET /shapes/{shapeId}");
    assert!(told[0].finding.message.contains("after 120 calls"), "{}", told[0].finding.message);
    let mut back = Vec::new();
    while back.is_empty() {
        back = shop.feed(ordinary);
    }
    assert_eq!(back[0].change, Change::Resolved);
}

#[test]
fn each_suggested_patch_allows_what_was_seen() {
    let document = Shop::open().baseline.specification.document.clone();
    let mut unpatched = BTreeSet::new();
    let rows = [responses(), fields(), requests(), structure()].into_iter().flatten();
    for row in rows.filter(|row| row.within < 100) {
        let mut shop = Shop::open();
        let finding = (0..row.within)
            .find_map(|_| shop.feed(row.make).pop())
            .unwrap_or_else(|| panic!("{} {}: not told", row.kind, row.at))
            .finding;
        let patches = patch::suggest(&document, &finding);
        if patches.is_empty() {
            unpatched.insert(format!("{} {}", row.kind, finding.direction.as_str()));
        }
        for change in patches {
            let baseline = patched(&document, &change);
            let judgement = baseline.judge(&(row.make)(2).by(1));
            let told: Vec<&Deviation> = judgement
                .deviations
                .iter()
                // An enum that says itself that more may come is told in passing.
                .filter(|deviation| {
                    deviation.kind == row.kind && deviation.severity > Severity::Info
                })
                .chain(judgement.refusal())
                .collect();
            assert!(told.is_empty(), "{} {}\n{change:#?}\n{told:#?}", row.kind, row.at);
            assert!(!explain::still_deviates(&baseline, &finding), "{} {}", row.kind, row.at);
        }
    }
    let expected = [
        // What a document cannot say, or should not.
        "auth.now-required structure",
        "auth.placement-changed structure",
        "auth.scheme-undocumented structure",
        "body.missing response",
        "body.undocumented request",
        "body.undocumented response",
        "discriminator.unknown response",
        "endpoint.deprecated-in-use structure",
        "enum.narrowed request",
        "media-type.lying response",
        "media-type.malformed response",
        "media-type.missing response",
        "request.refused request",
        "version.mismatch structure",
    ];
    assert_eq!(unpatched, expected.map(str::to_owned).into());
}

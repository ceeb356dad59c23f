//! Where learning and judging meet: what was learned accepts what taught it (law 3 of `spec/inference.md` 5).

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::contract::{self, Baseline, LoadOptions, Validity};
use crate::infer::{self, Dialect, Evidence, ProjectOptions, View};
use crate::model::capture::Outcome;
use crate::model::exchange::{Body, Exchange, Field, Message, Text};
use crate::model::hash::HashKey;
use crate::model::media::MediaType;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, RevisionId};
use crate::observe::{Lens, Observer};

/// How often each exchange is shown, so that floors of support are passed and members become required.
const SHOWN: usize = 20;

fn message(media: &str, text: String) -> Message {
    Message {
        media: MediaType::parse(media),
        body: Body::Bytes { bytes: Bytes::from(text), truncated: false },
        ..Message::default()
    }
}

fn exchange(
    path: &str,
    query: Option<String>,
    request: Option<Message>,
    response: &Value,
) -> Exchange {
    Exchange {
        id: String::new(),
        api: "test".into(),
        time_ms: 0,
        duration_us: 0,
        outcome: Outcome::Ok,
        own_test: false,
        weight: 1,
        consumer: 1,
        secure: true,
        host: Some("api.example.com".into()),
        authority: Some("api.example.com".into()),
        method: if request.is_some() { "POST" } else { "GET" }.into(),
        path: path.into(),
        query,
        credentials: Vec::new(),
        request: request.unwrap_or_default(),
        status: 200,
        response: message("application/json", response.to_string()),
        plan: Arc::new(Plan::default()),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..5_000_000_000).prop_map(Value::from),
        (-10.0..10.0_f64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!("2024-01-01T00:00:00Z")),
        Just(json!("0190d8a2-7f3c-7000-8000-000000000001")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-d]|id|type|[0-9]{2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn texts(choices: &[&str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(choices.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
}

/// What a record with a tag may look like: each variant with members of its own.
fn variants() -> impl Strategy<Value = Value> {
    (0_u8..3, any::<bool>(), 0..90_u8).prop_map(|(variant, odd, n)| match variant {
        0 => json!({"type": "paid", "amount": n, "currency": if odd { "EUR" } else { "USD" }}),
        1 => json!({"type": "sent", "boxes": [n], "to": if odd { json!({"zip": n}) } else { Value::Null }}),
        _ => json!({"type": "held", "amount": if odd { json!("none") } else { json!(n) }}),
    })
}

fn requests() -> impl Strategy<Value = Message> {
    let form =
        "a=[0-9a]{0,1}(&b\\[\\]=[0-9a]){0,2}(&c\\[[xy]\\]=[0-9a]){0,2}(&c\\[z\\]\\[\\]=[0-9]){0,2}";
    prop_oneof![
        3 => values().prop_map(|value| message("application/json", value.to_string())),
        1 => variants().prop_map(|value| message("application/json", value.to_string())),
        1 => values().prop_map(|value| message("application/merge-patch+json", value.to_string())),
        2 => form.prop_map(|text| message("application/x-www-form-urlencoded", text)),
    ]
}

fn responses() -> impl Strategy<Value = Message> {
    let body = prop_oneof![
        4 => values().prop_map(|value| ("application/json", value.to_string())),
        2 => variants().prop_map(|value| ("application/json", value.to_string())),
        1 => values().prop_map(|value| ("application/vnd.api+json", value.to_string())),
        1 => prop::collection::vec(values(), 1..3)
            .prop_map(|items| ("application/x-ndjson", lines(&items))),
        1 => "[a-z ]{1,9}".prop_map(|text| ("text/plain", text)),
        1 => "<a( b=\"[0-9]\")?>(<c>[0-9a]</c>){0,2}</a>".prop_map(|text| ("application/xml", text)),
    ];
    let fields = ("[a-c0-9]{1,2}", any::<bool>(), 0..4_u8);
    (body, fields).prop_map(|((media, text), (tag, limited, cut))| {
        let mut message = message(media, text);
        message.fields.push(field("etag", &format!("\"{tag}\"")));
        if limited {
            message.fields.push(field("x-ratelimit-left", &tag));
        }
        if let Body::Bytes { bytes, truncated } = &mut message.body {
            // Now and then only the beginning was kept.
            *truncated = cut == 0 && bytes.len() > 2;
            if *truncated {
                bytes.truncate(bytes.len() - 1);
            }
        }
        message
    })
}

fn lines(items: &[Value]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.into(), value: Text::Plain(value.into()) }
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let path = prop_oneof![
        6 => texts(&["/orders", "/orders/17", "/orders/18", "/orders/17.json", "/orders/search", "/users/ann/orders"]),
        1 => "/[ab]{1,2}(/[0-9a-c]{1,3}){0,3}",
        1 => "/files(/[a-z]{3}){1,4}",
    ];
    let query =
        "([ab]=[a-c0-9]{1,2})?(&c=[0-9],[0-9])?(&d(=[0-9])?)?(&e\\[[xyz]\\](\\[\\])?=[0-9a])?";
    let methods = texts(&["POST", "PUT", "PATCH", "DELETE"]);
    let sent = prop::option::of((methods, requests()));
    let status = prop::sample::select(vec![200_u16, 200, 200, 201, 202, 204, 206, 302, 304]);
    let around = (prop::option::of(query), prop::option::of("[a-c]|[0-9]"), 0_u64..4);
    (path, around, sent, status, responses()).prop_map(
        |(path, (query, tenant, consumer), sent, status, response)| {
            let (method, mut request) = sent.unwrap_or_else(|| ("GET".into(), Message::default()));
            request.fields.extend(tenant.map(|tenant| field("x-tenant", &tenant)));
            let response =
                if matches!(status, 204 | 302 | 304) { Message::default() } else { response };
            Exchange {
                consumer,
                method,
                status,
                response,
                ..exchange(&path, query, Some(request), &Value::Null)
            }
        },
    )
}

/// What was learned of so many exchanges, as the contract reads it.
fn baseline(
    exchanges: &[Exchange],
    options: &ProjectOptions,
) -> Result<(Baseline, String), String> {
    let key = HashKey::OFFLINE;
    let mut evidence = Evidence::new("test", key.id());
    let mut observer = Observer::new(key, Lens::default());
    for exchange in std::iter::repeat_n(exchanges, SHOWN).flatten() {
        infer::learn(&mut evidence, observer.observe(exchange));
    }
    let document = infer::project(&evidence, options).document;
    let text = infer::yaml::write(&document);
    let load = LoadOptions { name: "learned", ..LoadOptions::default() };
    let (specification, _) =
        contract::load(&text, &load).map_err(|problems| format!("{problems}\n{text}"))?;
    let revision = RevisionId::of(&document);
    Ok((Baseline::new(Arc::new(specification), revision, Origin::Learned, "/"), text))
}

/// What the documents of so many exchanges say against them.
fn contradictions(exchanges: &[Exchange], options: &ProjectOptions) -> Vec<String> {
    let (baseline, text) = match baseline(exchanges, options) {
        Ok(learned) => learned,
        Err(problems) => return vec![problems],
    };
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let mut is_noise = |exchange: &Exchange| observer.observe(exchange).noise.is_some();
    let learned = exchanges.iter().filter(|exchange| !is_noise(exchange));
    let judged = learned.map(|exchange| (exchange, baseline.judge(exchange)));
    judged
        .filter(|(_, judgement)| {
            judgement.operation.is_none()
                || judgement.request == Validity::Invalid
                || judgement.reply == Validity::Invalid
        })
        .map(|(exchange, judgement)| {
            format!("{} {}: {:?}\n{text}", exchange.method, exchange.path, judgement.deviations)
        })
        .collect()
}

#[test]
fn paths_of_any_depth_and_of_several_parts_are_found_again() {
    let key = json!({"key": "a", "value": "b", "index": 7, "session": null});
    let words = ["xola", "qiru", "vemo", "zadu", "kuba", "nolo"];
    let mut learned = Vec::new();
    for (n, word) in words.into_iter().enumerate() {
        let next = words[(n + 1) % words.len()];
        for path in [
            format!("/v1/kv/{word}"),
            format!("/v1/kv/{word}s/{next}"),
            format!("/v1/kv/{word}s/{next}s/{word}x"),
        ] {
            learned.push(exchange(&path, None, None, &key));
        }
        for path in [
            format!("/snapshots/{word}@{}", 1_795_192_793_165 + n as u64),
            format!("/places/{n}.5,13.{n}"),
            format!("/diffs/{word}...{next}"),
            format!("/Lines(OrderID={n},Name='{word}')"),
        ] {
            learned.push(exchange(&path, None, None, &json!({"rows": n})));
        }
    }
    let options = ProjectOptions::default();
    assert_eq!(contradictions(&learned, &options), Vec::<String>::new());
    let (baseline, text) = baseline(&learned, &options).expect("a document");
    for (path, template) in [
        ("/v1/kv/never/seen/so/deep", "/v1/kv/{path}"),
        ("/snapshots/other@7", "/snapshots/{snapshotId}@{version}"),
        ("/diffs/a..b...c", "/diffs/{diffId}...{diffId2}"),
    ] {
        let judgement = baseline.judge(&exchange(path, None, None, &json!({})));
        let found = judgement.operation.and_then(|at| baseline.specification.operations.get(at));
        let found = found.map(|operation| operation.template.to_string());
        assert_eq!(found.as_deref(), Some(template), "{path} in {text}");
    }
}

#[test]
fn a_field_of_a_form_that_was_sent_once_and_twice_is_a_list() {
    let form = |text: &str| Some(message("application/x-www-form-urlencoded", text.to_owned()));
    let learned = ["to=a", "to=1&to=2", "c[x]=a", "c[x]=0&c[x]=0"]
        .map(|text| exchange("/mails", None, form(text), &json!({})));
    for view in [View::Strict, View::Permissive] {
        let options = ProjectOptions { view, ..ProjectOptions::default() };
        assert_eq!(contradictions(&learned, &options), Vec::<String>::new());
    }
}

/// 48 cases, unless `PROPTEST_CASES` asks for others.
fn config() -> ProptestConfig {
    let kept = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    let default = ProptestConfig::default();
    let cases = if default.cases == 256 { 48 } else { default.cases };
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_learned_accepts_what_taught_it(
        exchanges in prop::collection::vec(exchanges(), 1..8),
        strict in any::<bool>(),
        newer in any::<bool>(),
    ) {
        let options = ProjectOptions {
            view: if strict { View::Strict } else { View::Permissive },
            dialect: if newer { Dialect::OpenApi31 } else { Dialect::OpenApi30 },
            ..ProjectOptions::default()
        };
        prop_assert_eq!(contradictions(&exchanges, &options), Vec::<String>::new());
    }
}

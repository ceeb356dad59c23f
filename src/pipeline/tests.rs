//! Where learning and judging meet: what was learned accepts what taught it (law 3 of `spec/inference.md` 5).

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::contract::{self, Baseline, LoadOptions, Validity};
use crate::infer::{self, Dialect, Evidence, ProjectOptions, View};
use crate::model::capture::Outcome;
use crate::model::exchange::{Body, Exchange, Message};
use crate::model::hash::HashKey;
use crate::model::media::MediaType;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, RevisionId};
use crate::observe::{Lens, Observer};

/// How often each exchange is shown, so that floors of support are passed and members become required.
const SHOWN: usize = 20;

fn message(body: Option<&Value>) -> Message {
    let bytes =
        |body: &Value| Body::Bytes { bytes: Bytes::from(body.to_string()), truncated: false };
    Message {
        media: body.and_then(|_| MediaType::parse("application/json")),
        body: body.map_or(Body::Absent, bytes),
        ..Message::default()
    }
}

fn exchange(
    path: &str,
    query: Option<String>,
    request: Option<&Value>,
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
        request: message(request),
        status: 200,
        response: message(Some(response)),
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

fn exchanges() -> impl Strategy<Value = Exchange> {
    let path = prop::sample::select(vec![
        "/orders",
        "/orders/17",
        "/orders/18",
        "/orders/17.json",
        "/orders/search",
        "/users/ann/orders",
    ]);
    let query = prop::option::of("([ab]=[a-c0-9]{1,2}){1}(&c=[0-9],[0-9])?");
    (path, query, prop::option::of(values()), values()).prop_map(
        |(path, query, request, response)| exchange(path, query, request.as_ref(), &response),
    )
}

/// What the documents of so many exchanges say against them.
fn contradictions(exchanges: &[Exchange], options: &ProjectOptions) -> Vec<String> {
    let key = HashKey::OFFLINE;
    let mut evidence = Evidence::new("test", key.id());
    let mut observer = Observer::new(key, Lens::default());
    for exchange in std::iter::repeat_n(exchanges, SHOWN).flatten() {
        infer::learn(&mut evidence, observer.observe(exchange));
    }
    let document = infer::project(&evidence, options).document;
    let text = infer::yaml::write(&document);
    let load = LoadOptions { name: "learned", ..LoadOptions::default() };
    let specification = match contract::load(&text, &load) {
        Ok((specification, _)) => Arc::new(specification),
        Err(problems) => return vec![format!("{problems}\n{text}")],
    };
    let baseline = Baseline::new(specification, RevisionId::of(&document), Origin::Learned, "/");
    let judged = exchanges.iter().map(|exchange| (exchange, baseline.judge(exchange)));
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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions")
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_learned_accepts_what_taught_it(
        exchanges in prop::collection::vec(exchanges(), 1..5),
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

//! Promises of observation: what is read of bodies and paths, and what is never kept.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::classes::{classify, data_class};
use super::json::{Event, Reader};
use super::*;
use crate::model::capture::Outcome;
use crate::model::exchange::{Body as RawBody, Field, Message, Text};
use crate::model::media::MediaType;
use crate::model::observation::{Classes, DataClass, SegmentClass, Token};
use crate::model::redaction::Plan;

mod media;

const KEY: HashKey = HashKey::OFFLINE;

fn exchange(method: &str, path: &str, body: &str) -> Exchange {
    Exchange {
        id: String::new(),
        api: "test".into(),
        time_ms: 0,
        duration_us: 0,
        outcome: Outcome::Ok,
        own_test: false,
        weight: 1,
        consumer: 1,
        secure: false,
        host: None,
        authority: Some("example.com".into()),
        method: method.into(),
        path: path.into(),
        query: None,
        credentials: Vec::new(),
        request: Message::default(),
        status: 200,
        response: Message {
            media: MediaType::parse("application/json"),
            body: RawBody::Bytes { bytes: Bytes::from(body.to_owned()), truncated: false },
            ..Message::default()
        },
        plan: Arc::new(Plan::default()),
    }
}

fn observe(exchange: &Exchange) -> Observation {
    Observer::new(KEY, Lens::default()).observe(exchange).clone()
}

fn tape_of(exchange: &Exchange) -> crate::model::observation::Tape {
    match observe(exchange).response {
        Body::Tape { tape, .. } => tape,
        other => panic!("no tape: {other:?}"),
    }
}

fn accepts(text: &str) -> bool {
    let mut reader = Reader::new(text, false);
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn class_of(path: &str) -> SegmentClass {
    let mut read = crate::model::observation::Path::default();
    path::observe(&format!("/{path}"), &KEY, &Lens::default(), &mut read).expect("a path");
    read.segments[0].class
}

#[test]
fn segments_have_the_class_of_their_looks() {
    use SegmentClass as S;
    for (text, expected) in [
        ("v1", S::Version),
        ("v2.1beta", S::Version),
        ("search", S::Reserved),
        ("me", S::Reserved),
        ("42", S::Data(DataClass::Integer)),
        ("007", S::Data(DataClass::Digits)),
        ("2024-02-29", S::Data(DataClass::Date)),
        ("0190d8a2-7f3c-7000-8000-000000000001", S::Data(DataClass::Uuid)),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", S::Data(DataClass::Ulid)),
        ("507f1f77bcf86cd799439011", S::Data(DataClass::ObjectId)),
        ("d41d8cd98f00b204e9800998ecf8427e", S::Data(DataClass::Hex)),
        ("cus_9s8d7f6g5h4j", S::Data(DataClass::Prefixed)),
        ("jane@example.org", S::Data(DataClass::Email)),
        ("10.0.0.1", S::Data(DataClass::Ip)),
        ("orders", S::Word),
        ("order-items", S::Words),
        ("kinto", S::Plain),
        ("shop7", S::WordDigits),
        ("alpha.internal", S::Dotted),
        ("a-long-title-of-an-article-about-things", S::Other),
        ("xkqzjw", S::Improbable),
    ] {
        assert_eq!(class_of(text), expected, "{text}");
    }
}

#[test]
fn texts_have_all_classes_that_hold() {
    for (text, class) in [
        ("0", Classes::INTEGER),
        ("-12", Classes::INTEGER),
        ("3.50", Classes::DECIMAL),
        ("2024-02-29T10:00:00Z", Classes::DATE_TIME),
        ("2024-02-29T10:00:00.123+02:00", Classes::DATE_TIME),
        ("2024-02-29T10:00:00", Classes::LOCAL_DATE_TIME),
        ("2024-02-29", Classes::DATE),
        ("23:59:59", Classes::TIME),
        ("P1DT2H", Classes::DURATION),
        ("jane@example.org", Classes::EMAIL),
        ("https://example.org/x?y=1", Classes::URI),
        ("urn:isbn:0451450523", Classes::URI),
        ("/a/b", Classes::URI_PATH),
        ("192.168.0.1", Classes::IPV4),
        ("2001:db8::1", Classes::IPV6),
        ("api.example.org", Classes::HOSTNAME),
        ("+4915112345678", Classes::PHONE),
        ("true", Classes::BOOLEAN),
        ("in_progress", Classes::KEYWORD),
        ("", Classes::EMPTY),
    ] {
        assert!(classify(text).has(class), "{text}: {:x}", classify(text).0);
    }
    for (text, class) in [
        ("2023-02-29", Classes::DATE),
        ("24:00:00", Classes::TIME),
        ("P", Classes::DURATION),
        ("256.1.1.1", Classes::IPV4),
        ("no spaces@example.org", Classes::EMAIL),
        ("Jane Doe", Classes::KEYWORD),
        ("two words here", Classes::KEYWORD),
        ("1st", Classes::KEYWORD),
    ] {
        assert!(!classify(text).meets(class), "{text}");
    }
}

#[test]
fn data_classes_speak_for_names_too() {
    assert_eq!(data_class("jane@example.org"), Some(DataClass::Email));
    assert_eq!(data_class("4111111111111112"), Some(DataClass::Integer));
    assert_eq!(data_class("created_at"), None);
    assert_eq!(data_class("X-Total"), None);
}

#[test]
fn ten_thousand_levels_are_read_without_a_stack() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(accepts(&deep));
    let tape = tape_of(&exchange("GET", "/x", &deep));
    assert!(tape.tokens.len() <= 2 * 64 + 2);
    assert!(tape.tokens.contains(&Token::OpaqueArray));
}

#[test]
fn of_equal_keys_the_last_one_wins() {
    let tape = tape_of(&exchange("GET", "/x", r#"{"a":1,"b":2,"a":"x"}"#));
    let superseded: Vec<bool> = tape
        .tokens
        .iter()
        .filter_map(|token| match token {
            Token::Key(key) => Some(key.superseded),
            _ => None,
        })
        .collect();
    assert_eq!(superseded, [true, false, false]);
}

#[test]
fn a_prefix_tells_what_is_there_and_not_what_is_missing() {
    let mut exchange = exchange("GET", "/x", r#"{"items":[{"a":1},{"a":2,"b":"x"#);
    exchange.response.body = match exchange.response.body {
        RawBody::Bytes { bytes, .. } => RawBody::Bytes { bytes, truncated: true },
        other => other,
    };
    let closed: Vec<bool> = tape_of(&exchange)
        .tokens
        .iter()
        .filter_map(|token| match token {
            Token::Object { closed, .. } => Some(*closed),
            _ => None,
        })
        .collect();
    assert_eq!(closed, [false, true, false]);
}

#[test]
fn what_cannot_be_json_is_malformed_and_has_no_tape() {
    for body in ["{\"a\":", "{'a':1}", "nul", "{\"a\":1}{"] {
        let observation = observe(&exchange("GET", "/x", body));
        assert!(matches!(observation.response, Body::Malformed { .. }), "{body}");
    }
    let mut invalid = exchange("GET", "/x", "");
    invalid.response.body =
        RawBody::Bytes { bytes: Bytes::from_static(b"{\"a\":\"\xff\"}"), truncated: false };
    let observation = observe(&invalid);
    assert!(matches!(observation.response, Body::Malformed { .. }));
}

#[test]
fn values_are_not_kept_but_keywords_in_plain_sight() {
    let body = r#"{"state":"open","password":"hunter","name":"Orchard","mail":"jane@example.org",
        "token":"ghp_16C7e42F292c6912E7710c838347Ae178B4a","card":"4111111111111111","order_id":"abc",
        "nested":{"secret":["quiet"]}}"#;
    let tape = tape_of(&exchange("GET", "/x", body));
    for secret in ["hunter", "Orchard", "jane", "ghp_", "4111", "abc", "quiet"] {
        assert!(!tape.texts.contains(secret), "{secret} in {}", tape.texts);
    }
    assert!(tape.texts.contains("open"));
}

#[test]
fn configured_places_are_hidden_with_all_that_is_below() {
    let mut exchange =
        exchange("GET", "/x", r#"{"items":[{"card":{"holder":"quiet"},"kind":"loud"}]}"#);
    exchange.plan = Arc::new(Plan::new(&[], &[], &["items.*.card".to_owned()]));
    let tape = tape_of(&exchange);
    assert!(tape.tokens.contains(&Token::OpaqueObject));
    assert!(!tape.texts.contains("holder") && tape.texts.contains("loud"));
}

#[test]
fn responses_name_their_paths_values() {
    let body = r#"{"login":"jane-w","id":7,"team_id":12}"#;
    let observation = observe(&exchange("GET", "/users/jane-w", body));
    assert_eq!(observation.echoes.len(), 1);
    assert_eq!(
        (observation.echoes[0].segment, observation.text(observation.echoes[0].key)),
        (1, "login")
    );
    let team = KEY.hash(b"team");
    assert!(observation.ids.iter().any(|id| id.value == KEY.hash(b"12") && id.collection == team));
}

#[test]
fn noise_is_told_by_its_reason() {
    let reason = |exchange: &Exchange| observe(exchange).noise;
    assert_eq!(reason(&exchange("GET", "/wp-login.php", "{}")), Some(Noise::Scanner));
    assert_eq!(reason(&exchange("GET", "/app.js", "{}")), Some(Noise::Asset));
    assert_eq!(reason(&exchange("OPTIONS", "/orders", "{}")), Some(Noise::Method));
    assert_eq!(reason(&exchange("GET", "/a/../b", "{}")), Some(Noise::BadPath));
    let own = Exchange { own_test: true, ..exchange("GET", "/orders", "{}") };
    assert_eq!(reason(&own), Some(Noise::OwnTest));
    assert_eq!(reason(&exchange("GET", "/orders", "{}")), None);
}

#[test]
fn redirects_to_the_same_resource_are_no_answers() {
    assert!(leads_to_itself("/buckets", "http://x/v1/buckets"));
    assert!(leads_to_itself("/orders/", "/orders"));
    assert!(!leads_to_itself("/orders", "/orders/7"));
    assert!(!leads_to_itself("/", "/cookies"));
}

#[test]
fn what_was_made_at_its_own_path_is_an_answer() {
    // RFC 9110, 15.3.2: a PUT that made something may say where it is.
    for (method, status, is_redirect) in
        [("PUT", 201, false), ("GET", 200, false), ("GET", 302, true), ("GET", 307, true)]
    {
        let mut made = Exchange { status, ..exchange(method, "/files/a", "{}") };
        let (name, value) = ("location".into(), Text::Plain("/files/a".into()));
        made.response.fields.push(Field { name, value });
        let observation = observe(&made);
        assert_eq!(observation.canonical_redirect, is_redirect, "{method} {status}");
        assert_eq!(observation.accepted(), !is_redirect, "{method} {status}");
    }
}

/// JSON texts and their neighbours: valid ones, and ones with a few bytes changed.
fn nearly_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        "\"([a-z \\\\\"/\u{e9}]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fD8]{4}){0,6}\"",
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-c]{0,2}", inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("\"{name}\": {value}"))
                    .collect();
                format!("{{{}}}", members.join(" , "))
            }),
        ]
    });
    (tree, prop::option::of((any::<prop::sample::Index>(), "[\\[\\]{},:\"0-9eE.\\\\ \\x01a-]?")))
        .prop_map(|(text, change)| match change {
            Some((at, replacement)) if !text.is_empty() => {
                let mut characters: Vec<char> = text.chars().collect();
                let at = at.index(characters.len());
                characters.splice(at..=at, replacement.chars());
                characters.into_iter().collect()
            }
            _ => text,
        })
}

/// So many cases; what failed once is kept beside this file.
fn config(cases: u32) -> ProptestConfig {
    let kept = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn the_reader_accepts_what_serde_accepts(text in nearly_json()) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert_eq!(accepts(&text), theirs, "{}", text);
    }

    #[test]
    fn decoded_texts_are_those_of_serde(text in ".{0,12}") {
        let json = serde_json::Value::String(text.clone()).to_string();
        let mut reader = Reader::new(&json, false);
        match reader.next() {
            Ok(Some(Event::Text(raw))) => {
                let mut scratch = String::new();
                prop_assert_eq!(raw.decode(&mut scratch), text);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_prefix_of_json_is_malformed(text in nearly_json(), at in any::<prop::sample::Index>()) {
        prop_assume!(accepts(&text) && !text.is_empty());
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let prefix = text.get(..ends[at.index(ends.len())]).unwrap_or_default();
        let mut reader = Reader::new(prefix, true);
        while let Some(event) = reader.next().expect("a prefix") {
            let hollow = matches!(event, Event::Number { text: "", .. });
            prop_assert!(!hollow);
        }
    }

    #[test]
    fn arbitrary_paths_and_bodies_panic_nobody(path in "/\\PC{0,40}", body in ".{0,60}") {
        let _observation = observe(&exchange("GET", &path, &body));
    }
}

//! Envelope, patterns and catalogue.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::cloudevent::{self, Binding};
use super::pattern::is_type_name;
use super::{Pattern, Raise, catalogue, caused_by};
use crate::model::event::Event;

const TIME_MS: i64 = 1_767_323_045_678;

fn raise() -> Raise {
    Raise::new("driftgate", Arc::new(|ms| format!("id-{ms}")))
}

fn full() -> Event {
    Event {
        subject: Some("GET /orders/{orderId}".into()),
        recorded_ms: TIME_MS + 1,
        sequence: 42,
        instance: "a".into(),
        causationid: Some("cause".into()),
        chaindepth: 2,
        chainpath: "act_a wfl_b".into(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        exchangeid: Some("exchange".into()),
        severitytext: Some("high".into()),
        eventcode: Some("API.CREATED".into()),
        testevent: true,
        data: r#"{"z":1.0,"a":1e400}"#.into(),
        ..raise().event("contract.drift.opened", Some("orders"), TIME_MS, &json!({}))
    }
}

#[test]
fn the_structured_form_keeps_the_order_of_the_table_and_the_data_verbatim() {
    assert_eq!(
        cloudevent::structured(&full()),
        concat!(
            r#"{"specversion":"1.0","id":"id-1767323045678","source":"/driftgate/apis/orders","#,
            r#""type":"contract.drift.opened","subject":"GET /orders/{orderId}","#,
            r#""time":"2026-01-02T03:04:05.678Z","recordedtime":"2026-01-02T03:04:05.679Z","#,
            r#""datacontenttype":"application/json","#,
            r#""dataschema":"/v1/schemas/contract.drift.opened/1","partitionkey":"orders","#,
            r#""sequence":"00000000000000000042","instance":"a","#,
            r#""correlationid":"id-1767323045678","causationid":"cause","chaindepth":2,"#,
            r#""chainpath":"act_a wfl_b","#,
            r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","#,
            r#""exchangeid":"exchange","severitytext":"high","eventcode":"API.CREATED","#,
            r#""testevent":true,"data":{"z":1.0,"a":1e400}}"#,
        )
    );
}

#[test]
fn binary_values_are_escaped_for_http_and_plain_for_kafka() {
    let event = Event { subject: Some("a b\"%ü€~!".into()), ..full() };
    let find = |binding, name: &str| {
        let headers = cloudevent::headers(&event, binding);
        headers.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    };
    let http = find(Binding::Http, "ce-subject");
    assert_eq!(http.as_deref(), Some("a%20b%22%25%C3%BC%E2%82%AC~!"));
    assert_eq!(find(Binding::Kafka, "ce_subject").as_deref(), Some("a b\"%ü€~!"));
    assert_eq!(find(Binding::Http, "content-type").as_deref(), Some("application/json"));
    assert_eq!(find(Binding::Http, "ce-datacontenttype"), None);
    let empty = Event { data: "".into(), ..full() };
    assert_eq!(cloudevent::data_of(&empty), "{}");
}

fn text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,30}"
}

fn any_event() -> impl Strategy<Value = Event> {
    (
        ("[!-~]{1,128}", text(), "[a-z][a-z0-9_]{0,9}(\\.[a-z0-9_]{1,9}){0,3}"),
        (proptest::option::of(text()), proptest::option::of(text()), text()),
        (1_i64..4_000_000_000_000, any::<u64>(), any::<u32>(), any::<bool>()),
        prop_oneof![Just("{}"), Just(r#"{"n":1.0,"e":1e400}"#), Just("[1,\n 2]"), Just("null")],
    )
        .prop_map(
            |((id, source, kind), (subject, cause, key), (ms, sequence, depth, test), data)| {
                Event {
                    id,
                    source,
                    kind,
                    subject,
                    time_ms: ms,
                    recorded_ms: ms,
                    dataschema: cause.clone(),
                    partitionkey: key.clone(),
                    sequence,
                    instance: key.clone(),
                    correlationid: key.clone(),
                    causationid: cause.clone(),
                    chaindepth: depth,
                    chainpath: key,
                    traceparent: cause.clone(),
                    exchangeid: cause.clone(),
                    severitytext: cause.clone(),
                    eventcode: cause,
                    testevent: test,
                    data: data.into(),
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_form_reads_back_as_the_event_it_was(event in any_event()) {
        let read = cloudevent::parse_structured(&cloudevent::structured(&event));
        prop_assert_eq!(read.as_ref(), Ok(&event));
        for binding in [Binding::Http, Binding::Kafka] {
            let headers = cloudevent::headers(&event, binding);
            if binding == Binding::Http {
                prop_assert!(headers.iter().all(|(_, value)| value.bytes().all(|b| b.is_ascii_graphic())));
            }
            let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let read = cloudevent::parse_binary(pairs, binding, &event.data);
            prop_assert_eq!(read.as_ref(), Ok(&event));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>()) {
        drop(cloudevent::parse_structured(&text));
        drop(cloudevent::parse_binary([("ce-id", text.as_str())], Binding::Http, &text));
        drop(Pattern::parse(&text));
    }
}

#[test]
fn what_is_no_event_names_the_attribute() {
    let good = r#"{"specversion":"1.0","id":"a","source":"/b","type":"c.d","data":{}}"#;
    assert!(cloudevent::parse_structured(good).is_ok());
    for (from, to, place) in [
        (r#""specversion":"1.0""#, r#""specversion":"0.3""#, "/specversion"),
        (r#""specversion":"1.0","#, "", "/specversion"),
        (r#""id":"a""#, r#""id":"""#, "/id"),
        (r#""id":"a""#, r#""id":"a b""#, "/id"),
        (r#""id":"a","#, "", "/id"),
        (r#""source":"/b","#, "", "/source"),
        (r#""type":"c.d""#, r#""type":"C.d""#, "/type"),
        (r#""data":{}"#, r#""data":{},"time":"yesterday""#, "/time"),
        (r#""data":{}"#, r#""data":{},"chaindepth":"many""#, "/chaindepth"),
        (r#""data":{}"#, r#""data":{},"subject":{"a":1}"#, "/subject"),
        (r#""data":{}"#, r#""data":{},"datacontenttype":"text/plain""#, "/datacontenttype"),
        (r#""data":{}"#, r#""data":{},"myextension":"x""#, "/myextension"),
        ("{\"spec", "[{\"spec", ""),
    ] {
        let problem = cloudevent::parse_structured(&good.replacen(from, to, 1)).expect_err(to);
        assert_eq!(problem.pointer, place, "{to}");
    }
    let large = good.replace("{}}", &format!("\"{}\"}}", "x".repeat(300_000)));
    assert_eq!(cloudevent::parse_structured(&large).expect_err("too large").pointer, "/data");
}

#[test]
fn patterns_match_by_name_prefix_and_star() {
    for (pattern, kind, expected) in [
        ("api.created", "api.created", true),
        ("api.created", "api.updated", false),
        ("api.*", "api.created", true),
        ("api.*", "api_version.created", false),
        ("contract.*", "contract.drift.opened", true),
        ("contract.drift.*", "contract.drift.opened", true),
        ("contract.drift.*", "contract.drift", false),
        ("*", "api.created", true),
        ("*", "sku_reorder", true),
        ("delivery.*", "delivery.failing", true),
        ("delivery.failing", "delivery.failing", true),
    ] {
        let read = Pattern::parse(pattern).expect(pattern);
        assert_eq!(read.matches(kind), expected, "{pattern} {kind}");
        assert_eq!(read.to_string(), pattern);
    }
    for text in ["", ".", "a.", ".a", "a..b", "A.b", "a.*.b", "a*", "**", "*.a", "a b", "1a"] {
        assert_eq!(Pattern::parse(text), None, "{text}");
    }
}

#[test]
fn a_star_never_means_an_operational_event() {
    let star = Pattern::parse("*").expect("a star");
    for known in catalogue::CATALOGUE {
        let operational = known.class == catalogue::Class::Operational;
        assert_eq!(star.matches(known.name), !operational, "{}", known.name);
    }
}

#[test]
fn every_type_has_a_name_a_schema_and_a_sample_that_fits_it() {
    let mut names = std::collections::BTreeSet::new();
    for known in catalogue::CATALOGUE {
        assert!(is_type_name(known.name) && names.insert(known.name), "{}", known.name);
        assert!(known.display_name.len() > 3 && known.description.ends_with('.'), "{}", known.name);
        known.check(&known.sample()).expect(known.name);
        let schema = known.schema();
        assert_eq!(schema["type"], "object", "{}", known.name);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let lacking = json!({});
        let required = schema["required"].as_array().is_some_and(|list| !list.is_empty());
        assert_eq!(known.check(&lacking).is_err(), required, "{}", known.name);
    }
}

#[test]
fn a_consequence_continues_the_chain_of_its_cause() {
    let cause = full();
    let event = raise().event("action.completed", None, TIME_MS + 5, &json!({"a": 1}));
    assert_eq!((event.correlationid.as_str(), event.chaindepth), (event.id.as_str(), 0));
    assert_eq!((event.source.as_str(), event.api()), ("/driftgate", None));
    let event = caused_by(event, &cause);
    assert_eq!(event.correlationid, cause.correlationid);
    assert_eq!(event.causationid.as_deref(), Some(cause.id.as_str()));
    assert_eq!((event.chaindepth, event.chainpath.as_str()), (3, "act_a wfl_b"));
    assert_eq!((event.exchangeid, event.testevent), (cause.exchangeid, true));
}

#[test]
fn data_beyond_the_limit_is_replaced_by_its_size() {
    let event = raise().event("api.updated", None, TIME_MS, &json!({"a": "x".repeat(300_000)}));
    assert_eq!(&*event.data, r#"{"omitted":"300008 bytes, more than an event may hold"}"#);
}

//! Promises of reading recorded traffic: HAR, NDJSON, and files that are not what they should be.

use proptest::prelude::*;
use serde_json::json;

use super::{Frame, Unusable};
use crate::capture::records::{End, Format, Records};
use crate::capture::{har, ndjson};
use crate::model::capture::{BodyState, Capture};

fn frame() -> Frame {
    Frame { api: "test".into(), request_cap: 8, response_cap: 16 }
}

fn entry(request: &serde_json::Value, response: &serde_json::Value) -> Vec<u8> {
    json!({"startedDateTime": "2026-11-20T16:40:02.5Z", "time": 2.5, "request": request, "response": response})
        .to_string()
        .into_bytes()
}

fn head(capture: &Capture) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(capture.heads.request()), text(capture.heads.response()))
}

fn all(text: &[u8], format: Option<Format>) -> (Vec<(usize, usize, String)>, End) {
    let mut records = Records::new(text, format).expect("memory can be read");
    let mut found = Vec::new();
    while let Some(record) = records.next_record().expect("memory can be read") {
        let text = String::from_utf8_lossy(&record.bytes).into_owned();
        found.push((record.position.line, record.position.column, text));
    }
    (found, records.end())
}

#[test]
fn a_har_entry_becomes_what_the_tap_would_have_made() {
    let request = json!({
        "method": "POST", "url": "https://api.example.com/v1/or ders?dry=1#top",
        "headers": [{"name": ":authority", "value": "x"}, {"name": "X-A", "value": "1\r\nX-B: 2"}],
        "postData": {"mimeType": "application/json", "text": "{}"}
    });
    let response = json!({
        "status": 201, "headers": [{"name": "Content-Encoding", "value": "gzip"}],
        "content": {"size": 40, "mimeType": "application/json", "text": "{\"id\":1234567890123456789}"}
    });
    let capture = har::capture(&entry(&request, &response), &frame()).expect("an entry");
    let (request, response) = head(&capture);
    assert_eq!(
        request,
        "POST /v1/or%20ders?dry=1 HTTP/1.1\r\nhost: api.example.com\r\nX-A: 1  X-B: 2\r\n\
         content-type: application/json\r\n\r\n"
    );
    assert!(response.starts_with("HTTP/1.1 201\r\nContent-Encoding: gzip\r\n"));
    assert!(capture.tls && capture.decoded);
    assert_eq!(capture.wall_ms, 1_795_192_802_500);
    assert_eq!(capture.request.state, BodyState::Complete);
    assert_eq!((capture.response.state, capture.response.kept), (BodyState::Truncated, 16));
    assert_eq!(capture.response.total, 26);
}

#[test]
fn har_bodies_are_known_unknown_or_absent() {
    let get = json!({"method": "GET", "url": "http://a/b", "headers": []});
    let state = |content: serde_json::Value| {
        let response = json!({"status": 200, "headers": [], "content": content});
        har::capture(&entry(&get, &response), &frame()).map(|capture| capture.response.state)
    };
    assert_eq!(state(json!({"size": 9})), Ok(BodyState::Dropped));
    assert_eq!(state(json!({"size": 0})), Ok(BodyState::None));
    assert_eq!(state(json!({"size": 0, "text": ""})), Ok(BodyState::None));
    assert_eq!(
        state(json!({"size": 2, "text": "e30=", "encoding": "base64"})),
        Ok(BodyState::Complete)
    );
    assert!(matches!(
        state(json!({"size": 2, "text": "%%", "encoding": "base64"})),
        Err(Unusable::Bad { .. })
    ));
}

#[test]
fn posted_parameters_may_come_alone() {
    let request = json!({
        "method": "POST", "url": "http://a/b", "headers": [],
        "postData": {"mimeType": "application/x-www-form-urlencoded",
            "params": [{"name": "a", "value": "1 2"}]}
    });
    let capture = har::capture(&entry(&request, &json!({"status": 204, "headers": []})), &frame())
        .expect("an entry");
    assert_eq!(capture.request.chunks.concat(), b"a=1%202");
}

#[test]
fn what_was_not_answered_or_not_sent_is_skipped() {
    let response = json!({"status": 200, "headers": []});
    for (request, response, reason) in [
        (json!({"method": "GET", "url": "http://a/"}), json!({"status": 0}), "no answer"),
        (json!({"method": "GET", "url": "data:text/plain,x"}), response.clone(), "local URL"),
        (json!({"method": "GET", "url": "ftp://a/"}), response.clone(), "other protocol"),
        (json!({"method": "GET", "url": "http:///x"}), response, "bad URL"),
    ] {
        let read = har::capture(&entry(&request, &response), &frame());
        assert_eq!(read.err(), Some(Unusable::Skipped(reason)));
    }
}

#[test]
fn ndjson_reads_every_spelling_of_fields_and_bodies() {
    let line = br#"{"v":1,"time":"2025-03-01T10:00:00.125Z","weight":3,"more":1,
        "request":{"method":"POST","url":"/v1/orders?dry=1","headers":[["Host","h"]],"json":{"b":1.0,"a":2}},
        "response":{"status":201,"headers":{"x":["1","2"],"y":"3"},"base64":"e30=","truncated":true}}"#;
    let capture = ndjson::capture(line, &frame()).expect("an exchange");
    let (request, response) = head(&capture);
    assert!(request.starts_with("POST /v1/orders?dry=1 HTTP/1.1\r\nHost: h\r\n"));
    assert!(request.contains("content-type: application/json"));
    assert_eq!(response, "HTTP/1.1 201\r\nx: 1\r\nx: 2\r\ny: 3\r\n\r\n");
    assert_eq!(capture.request.chunks.concat(), b"{\"b\":1.0");
    assert_eq!(capture.response.state, BodyState::Truncated);
    assert_eq!((capture.weight, capture.wall_ms), (3, 1_740_823_200_125));
}

#[test]
fn bad_ndjson_says_where_and_why_without_quoting() {
    for (line, expected) in [
        (r#"{"request":{"method":"GET","url":"/"}}"#, "missing field `response`"),
        (r#"{"request":{"method":7,"url":"/"},"response":{"status":200}}"#, "expected a string"),
        (r#"{"request":{"method":"quiet""#, "EOF"),
        (
            r#"{"v":2,"request":{"method":"GET","url":"/"},"response":{"status":200}}"#,
            "`v` is not 1",
        ),
        (
            r#"{"request":{"method":"GET","url":"/"},"response":{"status":200,"text":"a","base64":"YQ=="}}"#,
            "two bodies",
        ),
        (
            r#"{"request":{"method":"GET","url":"/"},"response":{"status":99}}"#,
            "between 100 and 599",
        ),
    ] {
        match ndjson::capture(line.as_bytes(), &frame()) {
            Err(Unusable::Bad { reason, .. }) => {
                assert!(reason.contains(expected) && !reason.contains("quiet"), "{reason}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn formats_are_told_apart_and_places_are_kept() {
    let har = b"\xef\xbb\xbf{\"log\":{\"x\":[\"entries\",{}],\"entries\":[\n {\"a\":\"}\\\"\"},\n  {\"b\":[{}]}]}}";
    let (found, end) = all(har, None);
    assert_eq!(found, [(2, 2, "{\"a\":\"}\\\"\"}".to_owned()), (3, 3, "{\"b\":[{}]}".to_owned())]);
    assert!(!end.cut_off && !end.no_entries && end.records == 2);
    let (found, _) = all(b"{\"a\":1}\n\n{\"b\":2}", None);
    assert_eq!(found, [(1, 1, "{\"a\":1}".to_owned()), (3, 1, "{\"b\":2}".to_owned())]);
}

#[test]
fn files_that_end_early_give_what_is_complete() {
    let (found, end) = all(b"{\"log\":{\"entries\":[{\"a\":1},{\"b\":", None);
    assert_eq!((found.len(), end.cut_off), (1, true));
    assert!(all(b"", None).1.empty);
    assert!(all(b"{\"log\":{\"version\":\"1.2\"}}", None).1.no_entries);
}

/// So many cases; what failed once is kept beside this file.
fn config(cases: u32) -> ProptestConfig {
    let kept = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn arbitrary_bytes_panic_no_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (_found, _end) = all(&bytes, Some(Format::Har));
        let (_found, _end) = all(&bytes, Some(Format::Ndjson));
        let _har = har::capture(&bytes, &frame());
        let _ndjson = ndjson::capture(&bytes, &frame());
    }
}

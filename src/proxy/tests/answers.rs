//! Answers that driftgate makes itself: the table of `spec/proxy.md` 6, row by row.

use std::time::Duration;

use super::support::{Origin, Setup, field};
use crate::model::capture::Outcome;
use crate::model::units::{Size, Span};

/// Asks once and checks status, problem code and `Proxy-Status`.
fn check(setup: Setup, request: &str, status: u16, code: &str, error: &str) -> super::support::Rig {
    let rig = setup.start();
    let mut client = rig.client();
    client.try_send(request);
    let (head, body) = client.response();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert_eq!(field(&head, "proxy-status"), Some(&*format!("driftgate; error={error}")));
    assert_eq!(field(&head, "content-type"), Some("application/problem+json"));
    assert_eq!(field(&head, "cache-control"), Some("no-store"));
    let problem: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (problem["status"].as_u64(), problem["code"].as_str()),
        (Some(status.into()), Some(code))
    );
    assert!(!body.contains("127.0.0.1"), "no address is told: {body}");
    rig
}

const GET: &str = "GET /secret-path HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn no_api() {
    let mut setup = Setup::to("http://127.0.0.1:1");
    setup.apis[0].scope.path_prefix = "/only".into();
    let rig = check(setup, GET, 404, "proxy.no-api", "destination_not_found");
    assert_eq!(rig.capture.snapshot(0).captures, 0, "not captured");
    // The connection goes on.
    let mut client = rig.client();
    for _ in 0..2 {
        client.send(GET);
        assert!(client.response().0.starts_with("HTTP/1.1 404 "));
    }
}

#[test]
fn a_head_that_is_too_large() {
    let mut setup = Setup::to("http://127.0.0.1:1");
    setup.limits.max_header_bytes = Size(2_048);
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(2_048));
    check(setup, &request, 431, "proxy.head-too-large", "http_request_error");
}

#[test]
fn a_body_that_is_too_large() {
    let origin = Origin::start(|mut peer| drop(peer.rest()));
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n",
    ] {
        let mut setup = Setup::to(origin.url());
        setup.limits.max_request_body = Some(Size(10));
        check(setup, request, 413, "proxy.body-too-large", "http_request_error");
    }
}

#[test]
fn a_body_that_stalls() {
    let origin = Origin::start(|mut peer| drop(peer.rest()));
    let mut setup = Setup::to(origin.url());
    setup.limits.body_idle = Span::millis(100);
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    check(setup, request, 408, "proxy.body-stalled", "http_request_error");
}

#[test]
fn a_name_that_is_not_known() {
    let setup = Setup::to("http://upstream.invalid:1");
    let mut rig = check(setup, GET, 502, "proxy.unresolved", "dns_error");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::ConnectFailed);
}

#[test]
fn a_port_that_refuses() {
    let port = super::support::dead_address();
    let setup = Setup::to(format!("http://{port}"));
    let mut rig = check(setup, GET, 502, "proxy.refused", "connection_refused");
    let capture = rig.captures(1).remove(0);
    assert_eq!(
        (capture.outcome, capture.status, capture.attempts),
        (Outcome::ConnectFailed, 502, 1)
    );
    let line = "upstream_connects_total{api=\"api\",result=\"connection_refused\"}";
    assert!((rig.metric(line) - 1.0).abs() < f64::EPSILON, "{}", rig.metrics.text());
    let line = "answers_generated_total{api=\"api\",code=\"proxy.refused\"}";
    assert!((rig.metric(line) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn an_api_that_does_not_answer_in_time() {
    let origin = Origin::start(|mut peer| drop(peer.rest()));
    let mut setup = Setup::to(origin.url());
    setup.apis[0].upstream.response_timeout = Some(Span::millis(100));
    let mut rig = check(setup, GET, 504, "proxy.response-timeout", "http_response_timeout");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::Timeout);
}

#[test]
fn an_api_that_does_not_speak_tls() {
    let origin = Origin::start(|mut peer| {
        peer.exactly(5);
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let mut setup = Setup::to(format!("https://{}", origin.address));
    setup.apis[0].upstream.sni = Some("api.example".into());
    check(setup, GET, 502, "proxy.tls", "tls_protocol_error");
}

#[test]
fn an_api_that_accepts_and_says_nothing_of_tls() {
    let origin = Origin::start(|mut peer| drop(peer.rest()));
    let mut setup = Setup::to(format!("https://{}", origin.address));
    setup.apis[0].upstream.sni = Some("api.example".into());
    setup.apis[0].upstream.connect_timeout = Some(Span::millis(100));
    check(setup, GET, 504, "proxy.connect-timeout", "connection_timeout");
}

#[test]
fn an_api_that_hangs_up() {
    let origin = Origin::start(|mut peer| drop(peer.head()));
    let mut rig = check(Setup::to(origin.url()), GET, 502, "proxy.closed", "connection_terminated");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::UpstreamAbort);
}

#[test]
fn an_api_that_speaks_something_else() {
    let origin = Origin::answering("220 mail.example ESMTP\r\n\r\n");
    let mut rig = check(Setup::to(origin.url()), GET, 502, "proxy.protocol", "http_protocol_error");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::ProtocolError);
}

#[test]
fn a_request_that_cannot_be_forwarded() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n";
    check(Setup::to(origin.url()), request, 400, "proxy.bad-request", "http_request_error");
}

#[test]
fn nothing_is_answered_once_a_head_has_left() {
    let origin = Origin::start(|mut peer| {
        peer.head().expect("a head");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        peer.silent_for(Duration::from_millis(400));
    });
    let mut setup = Setup::to(origin.url());
    setup.apis[0].upstream.response_timeout = Some(Span::millis(100));
    let mut rig = setup.start();
    let mut client = rig.client();
    client.send(GET);
    client.head().expect("a head");
    assert_eq!(client.rest(), b"abc");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::Timeout);
}

#[test]
fn malformed_requests_get_a_bare_400_and_are_counted() {
    let rig = Setup::to("http://127.0.0.1:1").start();
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "no request at all\r\n\r\n",
    ] {
        let mut client = rig.client();
        client.send(request);
        assert!(client.head().expect("a head").starts_with("HTTP/1.1 400 "), "{request}");
    }
    super::support::eventually("rejected heads", || {
        (rig.metric("heads_rejected_total") - 6.0).abs() < f64::EPSILON
    });
}

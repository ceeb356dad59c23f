//! HTTP/1: what passes, in which order, and the traps that plain pingora falls into.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

use super::support::{Origin, Setup, field};
use crate::model::capture::{BodyState, Outcome, Part, Protocol};
use crate::proxy::options::{Forward, Upstream, XForwarded};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Forwarding fields off, so that heads can be compared whole.
fn bare(upstream: String) -> Setup {
    let mut setup = Setup::to(upstream);
    let forward = Forward { x_forwarded: XForwarded::Off, ..Forward::default() };
    setup.apis[0].forward = Some(forward);
    setup
}

#[test]
fn p1_a_request_reaches_the_api_as_it_was_sent() {
    let origin = Origin::echoing_heads();
    let rig = bare(origin.url()).start();
    let request = "POST /a%2Fb//c/../d;x?q=%20&q HTTP/1.1\r\nHost: Example.com:80\r\nx-oDD: 1\r\n\
                   x-oDD: 2\r\nX-Empty:\r\nContent-Length: 3\r\nAccept: */*\r\n\r\nabc";
    let (_, echoed) = rig.ask(request);
    let expected = request.replace("X-Empty:\r", "X-Empty: \r");
    assert_eq!(echoed, expected);
}

#[test]
fn p1_an_answer_reaches_the_client_as_it_was_sent() {
    let answer = "HTTP/1.1 299 Odd Reason\r\nSet-Cookie: a=1\r\nX-Mixed: b\r\nSet-Cookie: c=2\r\n\
                  Content-Encoding: gzip\r\nContent-Length: 4\r\nDate: then\r\nX-Gone: 1\r\n\
                  Connection: x-gone, keep-alive\r\nKeep-Alive: timeout=9\r\n\r\n\0\x01\u{2}z";
    let origin = Origin::answering(answer);
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.head().expect("a head");
    assert_eq!(client.exactly(4), b"\0\x01\x02z");
    assert!(head.starts_with("HTTP/1.1 299 Odd Reason\r\n"), "{head}");
    let cookies: Vec<_> = head.lines().filter(|line| line.starts_with("Set-Cookie")).collect();
    assert_eq!(cookies, ["Set-Cookie: a=1", "Set-Cookie: c=2"]);
    assert_eq!(field(&head, "content-encoding"), Some("gzip"));
    assert_ne!(field(&head, "date"), Some("then"), "D1");
    assert_eq!(field(&head, "connection"), Some("keep-alive"), "D2");
    for gone in ["x-gone", "keep-alive"] {
        assert_eq!(field(&head, gone), None, "D2: {gone}");
    }
}

#[test]
fn forwarding_fields_are_added_by_default() {
    let origin = Origin::echoing_heads();
    let rig = Setup::to(origin.url()).start();
    let request = "GET / HTTP/1.1\r\nHost: a.b:1\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8\r\n\r\n";
    let (_, echoed) = rig.ask(request);
    assert_eq!(field(&echoed, "x-forwarded-for"), Some("9.9.9.9, 8.8.8.8, 127.0.0.1"));
    assert_eq!(field(&echoed, "x-forwarded-proto"), Some("http"));
    assert_eq!(field(&echoed, "x-forwarded-host"), Some("a.b:1"));
    assert_eq!(field(&echoed, "host"), Some("a.b:1"));
}

#[test]
fn host_and_prefix_are_rewritten_only_on_request() {
    let origin = Origin::echoing_heads();
    let mut setup = bare(origin.url());
    setup.apis[0].scope.path_prefix = "/shop".into();
    setup.apis[0].strip_prefix = true;
    setup.apis[0].upstream = Upstream { host: "inner:1".into(), ..Upstream::at(origin.url()) };
    let rig = setup.start();
    for (target, expected) in [("/shop/a?b", "/a?b"), ("/shop", "/"), ("/shop?x", "/?x")] {
        let (_, echoed) = rig.ask(&format!("GET {target} HTTP/1.1\r\nHost: outer\r\n\r\n"));
        assert!(echoed.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{echoed}");
        assert_eq!(field(&echoed, "host"), Some("inner:1"));
    }
}

/// The rest of the answer is sent only when the test says so.
fn slow_origin() -> (Origin, mpsc::SyncSender<()>) {
    let (go, wait) = mpsc::sync_channel(1);
    let wait = parking_lot::Mutex::new(wait);
    let origin = Origin::start(move |mut peer| {
        while peer.head().is_some() {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
            if wait.lock().recv().is_err() || !peer.try_send("def") {
                return;
            }
        }
    });
    (origin, go)
}

#[test]
fn a_slow_small_body_is_not_held_back() {
    let (origin, go) = slow_origin();
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head().expect("the head comes before the body is complete");
    assert_eq!(client.exactly(3), b"abc");
    go.send(()).expect("told");
    assert_eq!(client.exactly(3), b"def");
}

#[test]
fn a_slow_small_body_is_not_held_back_from_a_client_that_pipelines() {
    let (origin, go) = slow_origin();
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head().expect("the first head");
    // The second request arrives while the first answer is under way: pingora stops reading.
    client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.exactly(3), b"abc");
    go.send(()).expect("told");
    assert_eq!(client.exactly(3), b"def");
    client.head().expect("the second head");
    assert_eq!(client.exactly(3), b"abc");
    go.send(()).expect("told");
    assert_eq!(client.exactly(3), b"def");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::echoing_heads();
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    let request = |number: usize| {
        let body = "x".repeat(number);
        format!("POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: {number}\r\n\r\n{body}")
    };
    client.send((0..10).map(request).collect::<Vec<_>>().concat());
    for number in 0..10 {
        let (_, echoed) = client.response();
        assert!(echoed.starts_with(&format!("POST /{number} ")), "{echoed}");
    }
}

#[test]
fn eighteen_bytes_on_a_listener_with_h2c_are_answered() {
    let origin = Origin::answering(OK);
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = String::from_utf8(client.rest()).expect("a text");
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nok"),
        "{answer}"
    );
}

#[test]
fn a_client_that_sends_single_bytes_is_answered() {
    let origin = Origin::answering(OK);
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    for byte in b"PRIVATE / HTTP/1.1\r\nHost: a\r\n\r\n" {
        client.send([*byte]);
    }
    assert!(client.response().0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\n\r\n";
    let origin = Origin::answering(chunked);
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let head = client.head().expect("a head");
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert_eq!(
        (field(&head, "transfer-encoding"), field(&head, "connection")),
        (None, Some("close"))
    );
    assert_eq!(client.rest(), b"abcdef");
}

#[test]
fn a_client_of_http_1_0_gets_no_interim_answers() {
    let origin = Origin::answering(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}"));
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert!(client.head().expect("a head").starts_with("HTTP/1.0 200 "));
}

#[test]
fn interim_answers_reach_a_client_of_http_1_1_and_the_capture() {
    let origin = Origin::answering(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}"));
    let mut rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let early = client.head().expect("an interim head");
    assert!(early.starts_with("HTTP/1.1 103 ") && field(&early, "link") == Some("x"), "{early}");
    assert!(client.response().0.starts_with("HTTP/1.1 200 "));
    assert_eq!(rig.captures(1)[0].interim.as_slice(), [103]);
}

#[test]
fn a_body_is_sent_only_after_the_api_asked_for_it() {
    let origin = Origin::start(|mut peer| {
        peer.head().expect("a head");
        peer.silent_for(Duration::from_millis(50));
        peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(peer.exactly(3), b"abc");
        peer.send(OK);
    });
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert!(client.head().expect("an interim head").starts_with("HTTP/1.1 100 "));
    client.send("abc");
    assert_eq!(client.response().1, "ok");
}

#[test]
fn an_answer_during_the_upload_is_delivered_and_the_connection_closed() {
    let origin = Origin::start(|mut peer| {
        peer.head().expect("a head");
        peer.send("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nbig");
        peer.rest();
    });
    let rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart");
    let (head, body) = client.response();
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert_eq!((field(&head, "connection"), body.as_str()), (Some("close"), "big"));
}

#[test]
fn messages_without_a_body_pass() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n"),
    ] {
        let origin = Origin::answering(answer);
        let mut rig = bare(origin.url()).start();
        let mut client = rig.client();
        for _ in 0..2 {
            client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
            let head = client.head().expect("a head");
            assert_eq!(head.lines().next(), answer.lines().next());
        }
        assert_eq!(rig.captures(2)[0].response.state, BodyState::None, "{answer}");
    }
}

#[test]
fn a_cut_answer_never_looks_complete() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let origin = Origin::start(move |mut peer| {
            peer.head().expect("a head");
            peer.send(answer);
        });
        let mut rig = bare(origin.url()).start();
        let mut client = rig.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.head().expect("a head");
        let rest = String::from_utf8(client.rest()).expect("a text");
        assert!(rest.contains("abc") && !rest.contains("\r\n0\r\n") && rest.len() < 10, "{rest:?}");
        let capture = &rig.captures(1)[0];
        assert_eq!(capture.outcome, Outcome::UpstreamAbort);
        assert_eq!(capture.response.state, BodyState::Truncated);
    }
}

#[test]
fn a_client_that_leaves_ends_the_exchange() {
    let (gone, left) = mpsc::sync_channel(1);
    let origin = Origin::start(move |mut peer| {
        peer.head().expect("a head");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        peer.rest();
        gone.send(()).expect("told");
    });
    let mut rig = bare(origin.url()).start();
    let mut client = rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head().expect("a head");
    client.close_write();
    left.recv_timeout(super::support::DEADLINE).expect("the API sees it too");
    assert_eq!(rig.captures(1)[0].outcome, Outcome::ClientAbort);
}

#[test]
fn a_dead_pooled_connection_is_replaced_for_a_get_and_not_for_a_post() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    // Each connection answers once; the second request on it finds it closed.
    let origin = Origin::start(move |mut peer| {
        peer.head().expect("a head");
        count.fetch_add(1, SeqCst);
        peer.send(OK);
        if peer.head().is_some() {
            // Closed without an answer, after the request was read.
            drop(peer);
        }
    });
    let rig = bare(origin.url()).start();
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(rig.ask(get).0.starts_with("HTTP/1.1 200 "));
    assert!(rig.ask(get).0.starts_with("HTTP/1.1 200 "), "retried on a new connection");
    assert_eq!(served.load(SeqCst), 2);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    assert!(rig.ask(post).0.starts_with("HTTP/1.1 502 "), "it may have run");
    assert!((rig.metric("upstream_retries_total{api=\"api\"}") - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_next_address_is_tried_only_after_a_failed_connect() {
    let origin = Origin::answering(OK);
    let mut setup = bare("http://upstream.invalid:1".into());
    setup.apis[0].upstream.attempts = 2;
    let rig = setup.start();
    let dead = super::support::dead_address();
    let live = rig.handle.live();
    live.view.apis()[0].upstream.resolved(vec![dead, origin.address]);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    assert!(rig.ask(post).0.starts_with("HTTP/1.1 200 "));
    live.view.apis()[0].upstream.resolved(vec![dead, dead, origin.address]);
    assert!(rig.ask(post).0.starts_with("HTTP/1.1 502 "), "attempts are limited");
}

#[test]
fn a_capture_holds_both_heads_and_bodies() {
    let answer = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nDate: then\r\nContent-Length: 8\r\n\r\n{\"id\":1}";
    let origin = Origin::answering(answer);
    let mut rig = Setup::to(origin.url()).start();
    let request = "POST /orders?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    rig.ask(request);
    let capture = rig.captures(1).remove(0);
    let sent = request.split_once("{}").expect("a body").0;
    assert_eq!(std::str::from_utf8(capture.heads.request()), Ok(sent));
    let response = std::str::from_utf8(capture.heads.response()).expect("a text");
    assert!(
        response.starts_with("HTTP/1.1 201 Created\r\n") && response.contains("Date: then\r\n")
    );
    assert_eq!(capture.request.chunks.concat(), b"{}");
    assert_eq!(capture.response.chunks.concat(), b"{\"id\":1}");
    assert_eq!(
        (capture.request.state, capture.response.state),
        (BodyState::Complete, BodyState::Complete)
    );
    assert_eq!((capture.outcome, capture.status, capture.part), (Outcome::Ok, 201, Part::Whole));
    assert_eq!(capture.upstream_protocol, Some(Protocol::Http11));
    let stamps = capture.stamps;
    assert!(stamps.start <= stamps.sent && stamps.sent <= stamps.head && stamps.head <= stamps.end);
    assert!(stamps.sent > 0 && capture.wall_ms > 0);
}

#[test]
fn bodies_are_kept_up_to_the_cap_and_counted_beyond() {
    let body = "x".repeat(100_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let origin = Origin::answering(answer);
    let mut setup = Setup::to(origin.url());
    setup.capture.request_body = crate::model::units::Size(1_000);
    setup.capture.response_body = crate::model::units::Size(2_000);
    let mut rig = setup.start();
    let (_, answered) = rig.ask(&format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(answered.len(), body.len());
    let capture = rig.captures(1).remove(0);
    for (captured, cap) in [(&capture.request, 1_000), (&capture.response, 2_000)] {
        assert_eq!((captured.kept, captured.total), (cap, 100_000));
        assert_eq!(captured.chunks.iter().map(bytes::Bytes::len).sum::<usize>(), cap);
        assert_eq!(captured.state, BodyState::Truncated);
    }
}

#[test]
fn small_chunks_are_copied_together_and_media_that_teach_nothing_are_not_kept() {
    let chunks = "1\r\n7\r\n".repeat(300);
    let origin = Origin::start(move |mut peer| {
        while let Some(head) = peer.head() {
            let kind = if head.contains("/image") { "image/png" } else { "application/json" };
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
            ));
            for chunk in chunks.as_bytes().chunks(6) {
                peer.send(chunk);
            }
            peer.send("0\r\n\r\n");
        }
    });
    let mut rig = Setup::to(origin.url()).start();
    let mut client = rig.client();
    client.send("GET /data HTTP/1.1\r\nHost: a\r\n\r\nGET /image HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client.rest();
    let captures = rig.captures(2);
    let body = &captures[0].response;
    assert_eq!((body.state, body.kept, body.total), (BodyState::Complete, 300, 300));
    assert!(body.chunks.len() <= 3, "{} chunks", body.chunks.len());
    let image = &captures[1].response;
    assert_eq!((image.state, image.kept, image.total), (BodyState::Opaque, 0, 300));
}

#[test]
fn requests_find_their_api_by_host_and_prefix() {
    let origins: Vec<Origin> = ["first", "second", "third"]
        .map(|name| {
            Origin::answering(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}",
                name.len()
            ))
        })
        .into();
    let mut setup = bare(origins[0].url());
    for (index, (name, host)) in
        [("two", Some("b.example")), ("three", None)].into_iter().enumerate()
    {
        let mut api = super::support::api(name, "/deep", Upstream::at(origins[index + 1].url()));
        api.scope.hosts = host.into_iter().map(Into::into).collect();
        setup.apis.push(api);
    }
    let rig = setup.start();
    for (target, host, expected) in [
        ("/", "a", "first"),
        ("/deep/x", "B.example:80", "second"),
        ("/deep", "a", "third"),
        ("/deeper", "b.example", "first"),
        ("http://b.example/deep/y", "b.example", "second"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(rig.ask(&request).1, expected, "{target} at {host}");
    }
}

#[test]
fn a_unix_socket_serves_on_both_sides() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};
    let folder = tempfile::tempdir().expect("a folder");
    let (inner, outer) = (folder.path().join("api"), folder.path().join("proxy"));
    let api = UnixListener::bind(&inner).expect("bound");
    let origin = super::support::detached(move || {
        let (mut stream, _) = api.accept().expect("accepted");
        let mut head = [0; 4096];
        let length = std::io::Read::read(&mut stream, &mut head).expect("a head");
        std::io::Write::write_all(&mut stream, OK.as_bytes()).expect("sent");
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let mut setup = Setup::to(format!("unix:{}", inner.display()));
    setup.listeners[0].address = format!("unix:{}", outer.display());
    let rig = setup.start();
    let mode = std::fs::metadata(&outer).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = UnixStream::connect(rig.address()).expect("connected");
    std::io::Write::write_all(
        &mut client,
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .expect("sent");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut client, &mut answer).expect("an answer");
    assert!(answer.ends_with("ok"), "{answer}");
    let head = origin.join().expect("a head");
    assert_eq!(field(&head, "x-forwarded-for"), None, "a Unix peer has no address");
}

//! WebSocket and server-sent events: bytes pass as they come, silence is no error.

use std::sync::mpsc;
use std::time::Duration;

use super::support::{Origin, Setup, field};
use crate::model::capture::{Outcome, Part};
use crate::model::units::Span;

const UPGRADE: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn echoing() -> Origin {
    Origin::start(|mut peer| {
        let head = peer.head().expect("a head");
        assert_eq!(field(&head, "upgrade"), Some("websocket"));
        peer.send(SWITCHED);
        let mut byte = [0];
        while matches!(std::io::Read::read(&mut peer.0, &mut byte), Ok(1)) && byte != *b"!" {
            peer.send(byte);
        }
    })
}

#[test]
fn a_silent_websocket_stays_open_and_its_end_passes_at_once() {
    let origin = echoing();
    let mut setup = Setup::to(origin.url());
    setup.limits.body_idle = Span::millis(50);
    setup.limits.idle_timeout = Span::millis(50);
    setup.limits.head_timeout = Span::millis(50);
    let mut rig = setup.start();
    let mut client = rig.client();
    client.send(UPGRADE);
    let head = client.head().expect("a head");
    assert!(
        head.starts_with("HTTP/1.1 101 ") && field(&head, "upgrade") == Some("websocket"),
        "{head}"
    );
    client.send("hello");
    assert_eq!(client.exactly(5), b"hello");
    client.silent_for(Duration::from_millis(300));
    client.send("again");
    assert_eq!(client.exactly(5), b"again");
    client.send("!");
    assert!(client.rest().is_empty(), "the API's close reaches the client");
    let captures = rig.captures(2);
    assert_eq!(
        (captures[0].part, captures[0].outcome, captures[0].status),
        (Part::Head, Outcome::Tunnel, 101)
    );
    let end = &captures[1];
    assert_eq!((end.part, end.outcome), (Part::End, Outcome::Tunnel));
    assert_eq!((end.request.total, end.response.total), (11, 10));
    assert_eq!(end.request.kept + end.response.kept, 0, "messages are only counted");
}

#[test]
fn a_refused_upgrade_is_an_ordinary_answer() {
    let origin = Origin::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let rig = Setup::to(origin.url()).start();
    let (head, body) = rig.ask(UPGRADE);
    assert!(head.starts_with("HTTP/1.1 403 ") && body == "no", "{head}");
}

#[test]
fn other_upgrades_are_not_passed_on() {
    let origin = Origin::echoing_heads();
    let rig = Setup::to(origin.url()).start();
    let (_, echoed) =
        rig.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n");
    for gone in ["upgrade", "http2-settings", "connection"] {
        assert_eq!(field(&echoed, gone), None, "D3: {gone}");
    }
}

#[test]
fn events_pass_at_once_and_a_long_stream_is_captured_before_its_end() {
    let (go, wait) = mpsc::sync_channel::<()>(1);
    let wait = parking_lot::Mutex::new(wait);
    let origin = Origin::start(move |mut peer| {
        peer.head().expect("a head");
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n");
        peer.send("data: 1\n\n");
        let wait = wait.lock();
        wait.recv().expect("told");
        peer.send(format!("data: {}\n\n", "x".repeat(16 << 10)));
        wait.recv().expect("told");
        peer.send("data: last\n\n");
    });
    let mut rig = Setup::to(origin.url()).start();
    let mut client = rig.client();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let head = client.head().expect("a head");
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"), "D6");
    assert_eq!(client.exactly("9\r\ndata: 1\n\n\r\n".len()), b"9\r\ndata: 1\n\n\r\n");
    client.silent_for(Duration::from_millis(50));
    go.send(()).expect("told");
    let beginning = rig.captures(1).remove(0);
    assert_eq!((beginning.part, beginning.outcome), (Part::Head, Outcome::Ok));
    assert!(beginning.response.chunks.concat().starts_with(b"data: 1\n\ndata: xxx"));
    go.send(()).expect("told");
    assert!(client.rest().ends_with(b"data: last\n\n\r\n0\r\n\r\n"));
    let end = rig.captures(1).remove(0);
    assert_eq!((end.part, end.response.total), (Part::End, 9 + 8 + (16 << 10) + 12));
}

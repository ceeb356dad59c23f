//! HTTP/2 without TLS: clients with prior knowledge, gRPC end to end.

#![expect(clippy::disallowed_methods, reason = "peers are tasks of the test alone")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request, Response};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::support::{DEADLINE, Origin, Rig, Setup, field};
use crate::model::capture::{BodyState, Outcome, Protocol};
use crate::proxy::options::UpstreamProtocol;

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("in time")
}

async fn connect(address: &str) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("connected");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    drop(tokio::task::spawn(connection));
    client.ready().await.expect("ready")
}

/// Head, body and trailers of an answer.
async fn ask(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
    body: &'static [u8],
) -> (Response<()>, Vec<u8>, Option<HeaderMap>) {
    let (response, mut stream) = client.send_request(request, body.is_empty()).expect("sent");
    if !body.is_empty() {
        stream.send_data(Bytes::from_static(body), true).expect("sent");
    }
    let (head, mut received) = within(response).await.expect("an answer").into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = within(received.data()).await {
        let chunk = chunk.expect("a chunk");
        received.flow_control().release_capacity(chunk.len()).expect("released");
        bytes.extend(chunk);
    }
    let trailers = within(received.trailers()).await.expect("trailers");
    (Response::from_parts(head, ()), bytes, trailers)
}

/// A gRPC server: echoes the message and ends with a status, or ends with trailers only for `/empty`.
fn grpc_origin(runtime: &tokio::runtime::Runtime) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
    let address = listener.local_addr().expect("an address");
    drop(runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(tokio::task::spawn(serve_grpc(stream)));
        }
    }));
    address
}

async fn serve_grpc(stream: TcpStream) {
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        drop(tokio::task::spawn(async move { answer_grpc(request, &mut respond).await }));
    }
}

async fn answer_grpc(
    request: Request<h2::RecvStream>,
    respond: &mut h2::server::SendResponse<Bytes>,
) {
    assert_eq!(request.headers()["te"], "trailers", "te passes on gRPC");
    let head = Response::builder().header("content-type", "application/grpc");
    if request.uri().path() == "/empty" {
        let head = head.header("grpc-status", "5").body(()).expect("a head");
        respond.send_response(head, true).expect("sent");
        return;
    }
    let mut stream = respond.send_response(head.body(()).expect("a head"), false).expect("sent");
    let mut body = request.into_body();
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control().release_capacity(chunk.len()).expect("released");
        stream.send_data(chunk, false).expect("sent");
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().expect("a value"));
    stream.send_trailers(trailers).expect("sent");
}

fn request(rig: &Rig, method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://{}{path}", rig.address()))
}

#[test]
fn an_h2c_client_reaches_an_http_1_api_with_one_cookie_line() {
    let origin = Origin::echoing_heads();
    let mut rig = Setup::to(origin.url()).start();
    let built = request(&rig, "POST", "/a?b")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("X-Odd", "1")
        .header("content-length", "2")
        .body(())
        .expect("a request");
    let (head, body, _) = rig.runtime.block_on(async {
        let mut client = connect(rig.address()).await;
        ask(&mut client, built, b"{}").await
    });
    assert_eq!(head.status(), 200);
    let echoed = String::from_utf8(body).expect("a text");
    assert!(echoed.starts_with("POST /a?b HTTP/1.1\r\n"), "{echoed}");
    assert_eq!(field(&echoed, "cookie"), Some("a=1; b=2"), "D13");
    assert_eq!(field(&echoed, "host"), Some(rig.address()), "D13");
    assert_eq!(echoed.to_lowercase().matches("cookie:").count(), 1);
    let capture = rig.captures(1).remove(0);
    assert_eq!(capture.client_protocol, Protocol::Http2);
    let raw = std::str::from_utf8(capture.heads.request()).expect("a text");
    assert!(raw.starts_with("POST /a?b HTTP/2.0\r\nhost: 127.0.0.1:"), "{raw}");
    assert_eq!(capture.request.chunks.concat(), b"{}");
    assert_eq!(capture.request.state, BodyState::Complete);
}

#[test]
fn a_preface_in_pieces_is_recognised() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let rig = Setup::to(origin.url()).start();
    let built = request(&rig, "GET", "/").body(()).expect("a request");
    rig.runtime.block_on(async {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut stream = TcpStream::connect(rig.address()).await.expect("connected");
        // Everything the client writes goes out byte by byte at first.
        drop(tokio::task::spawn(async move {
            let mut first = [0; 24];
            tokio::io::AsyncReadExt::read_exact(&mut far, &mut first).await.expect("a preface");
            for byte in first {
                stream.write_all(&[byte]).await.expect("sent");
                stream.flush().await.expect("sent");
                tokio::task::yield_now().await;
            }
            drop(tokio::io::copy_bidirectional(&mut far, &mut stream).await);
        }));
        let (client, connection) = h2::client::handshake(near).await.expect("HTTP/2");
        drop(tokio::task::spawn(connection));
        let mut client = client.ready().await.expect("ready");
        assert_eq!(ask(&mut client, built, b"").await.1, b"ok");
    });
}

#[test]
fn without_h2c_the_preface_is_an_error() {
    let mut setup = Setup::to("http://127.0.0.1:1");
    setup.listeners[0].h2c = false;
    let rig = setup.start();
    let mut client = rig.client();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(String::from_utf8_lossy(&client.rest()).starts_with("HTTP/1.1 400 "));
}

#[test]
fn grpc_passes_end_to_end_with_its_trailers() {
    let servers = tokio::runtime::Runtime::new().expect("a runtime");
    let origin = grpc_origin(&servers);
    let mut rig = Setup::to(format!("http://{origin}")).start();
    let call = |path: &str| {
        request(&rig, "POST", path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .expect("a request")
    };
    let (echo, empty) = (call("/echo"), call("/empty"));
    rig.runtime.block_on(async {
        let mut client = connect(rig.address()).await;
        let (head, body, trailers) = ask(&mut client, echo, b"\0\0\0\0\x02hi").await;
        assert_eq!((head.status().as_u16(), body.as_slice()), (200, &b"\0\0\0\0\x02hi"[..]));
        assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
        let (head, body, _) = ask(&mut client, empty, b"").await;
        assert_eq!(
            (&head.headers()["grpc-status"], body.len()),
            (&"5".parse().expect("a value"), 0)
        );
    });
    let captures = rig.captures(2);
    assert_eq!(captures[0].upstream_protocol, Some(Protocol::Http2));
    assert_eq!(captures[0].trailers, [("grpc-status".into(), Bytes::from_static(b"0"))]);
    assert_eq!((captures[0].response.state, captures[0].response.total), (BodyState::Opaque, 7));
    assert_eq!(captures[0].outcome, Outcome::Ok);
}

#[test]
fn many_streams_share_one_upstream_connection() {
    let servers = tokio::runtime::Runtime::new().expect("a runtime");
    let origin = grpc_origin(&servers);
    let rig = Setup::to(format!("http://{origin}")).start();
    let call = || {
        request(&rig, "POST", "/echo")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .expect("a request")
    };
    rig.runtime.block_on(async {
        let client = connect(rig.address()).await;
        ask(&mut client.clone(), call(), b"first").await;
        let calls = (0..50).map(|_| {
            let (mut client, call) = (client.clone(), call());
            tokio::task::spawn(async move { ask(&mut client, call, b"\0\0\0\0\x01x").await.1 })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.expect("ended"), b"\0\0\0\0\x01x");
        }
    });
    let connects = rig.metric("upstream_connects_total{api=\"api\",result=\"ok\"}");
    let reused = rig.metric("upstream_reused_total{api=\"api\"}");
    assert!((connects - 1.0).abs() + (reused - 50.0).abs() < f64::EPSILON, "{connects} {reused}");
}

#[test]
fn a_grpc_client_is_answered_by_us_in_its_own_terms() {
    let port = super::support::dead_address();
    let rig = Setup::to(format!("http://{port}")).start();
    let call = request(&rig, "POST", "/x")
        .header("content-type", "application/grpc")
        .body(())
        .expect("a request");
    let plain = request(&rig, "GET", "/x").body(()).expect("a request");
    rig.runtime.block_on(async {
        let mut client = connect(rig.address()).await;
        let (head, body, _) = ask(&mut client, call, b"").await;
        assert_eq!((head.status().as_u16(), body.len()), (200, 0));
        assert_eq!(head.headers()["grpc-status"], "14");
        assert_eq!(head.headers()["proxy-status"], "driftgate; error=connection_refused");
        let (head, body, _) = ask(&mut client, plain, b"").await;
        assert_eq!(head.status(), 502);
        assert!(body.starts_with(b"{\"title\""));
    });
}

#[test]
fn an_http_1_client_can_be_carried_to_an_http_2_api() {
    let servers = tokio::runtime::Runtime::new().expect("a runtime");
    let origin = grpc_origin(&servers);
    let mut setup = Setup::to(format!("http://{origin}"));
    setup.apis[0].upstream.protocol = UpstreamProtocol::H2;
    setup.limits.max_request_body = None;
    let rig = setup.start();
    let mut client = rig.client();
    // The origin insists on `te`, which is removed here (D3): it resets the stream and the client learns that.
    client.send("GET /empty HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
    assert!(client.head().expect("a head").starts_with("HTTP/1.1 502 "));
}

#[test]
fn an_idle_h2_connection_is_closed_and_a_busy_one_is_not() {
    let origin = Origin::start(|mut peer| {
        peer.head().expect("a head");
        peer.silent_for(Duration::from_millis(300));
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let mut setup = Setup::to(origin.url());
    setup.limits.idle_timeout = crate::model::units::Span::millis(100);
    setup.limits.head_timeout = crate::model::units::Span::millis(100);
    let rig = setup.start();
    let built = request(&rig, "GET", "/").body(()).expect("a request");
    rig.runtime.block_on(async {
        let mut client = connect(rig.address()).await;
        assert_eq!(ask(&mut client, built, b"").await.1, b"ok", "longer than the idle time");
    });
    super::support::eventually("closed", || rig.handle.connections() == 0);
}

//! Receivers that mean no good, over real sockets: the right outcome, in time, and no more kept than was asked for.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::Method;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::support::{read_request, receiver};
use crate::deliver::client::{
    Client, Ending, Failure, Keep, Own, Reply, Request, Resolve, System, Timeouts,
};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::model::delivery::OutcomeKind;
use crate::runtime::clock::Clock;

const QUICK: Timeouts = Timeouts {
    dns: Duration::from_millis(300),
    connect: Duration::from_millis(300),
    head: Duration::from_millis(400),
    total: Duration::from_millis(800),
};

fn client(options: &Egress, resolver: Arc<dyn Resolve>) -> Client {
    Client::new(Guard::new(options), Arc::default(), resolver, Clock::real())
}

fn request(url: &str) -> Request {
    let url = Url::parse(url).expect(url);
    Request { timeouts: QUICK, body: "{}".into(), ..Request::new(Method::POST, url, Trust::FILE) }
}

async fn call(address: SocketAddr) -> Result<Reply, Failure> {
    let client = client(&Egress::default(), Arc::new(System));
    let clock = Clock::real();
    let begun = clock.monotonic_ns();
    let answered = client.send(request(&format!("http://{address}/hook"))).await;
    let took = Duration::from_nanos(clock.monotonic_ns() - begun);
    assert!(took < QUICK.total + Duration::from_secs(1), "the slot was held for {took:?}");
    answered
}

/// A receiver that reads the request and writes these bytes, then closes.
async fn answering(bytes: Vec<u8>) -> SocketAddr {
    receiver(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            read_request(&mut stream).await;
            drop(stream.write_all(&bytes).await);
        }
    })
    .await
}

/// A receiver that writes `head`, then `drop` again and again with pauses.
async fn dripping(head: &'static str, drops: &'static [u8], pause_ms: u64) -> SocketAddr {
    receiver(move |mut stream| async move {
        read_request(&mut stream).await;
        let clock = Clock::real();
        drop(stream.write_all(head.as_bytes()).await);
        while stream.write_all(drops).await.is_ok() {
            clock.sleep(Duration::from_millis(pause_ms)).await;
        }
    })
    .await
}

async fn outcome(address: SocketAddr) -> OutcomeKind {
    match call(address).await {
        Ok(reply) => reply.outcome(),
        Err(failure) => {
            assert!(!failure.error.is_empty());
            failure.outcome
        }
    }
}

#[tokio::test]
async fn statuses_are_classified_by_the_head() {
    for (status, expected) in [
        ("200 OK", OutcomeKind::Ok),
        ("204 No Content", OutcomeKind::Ok),
        ("299 Odd", OutcomeKind::Ok),
        ("301 Moved\r\nlocation: /elsewhere", OutcomeKind::Redirect),
        ("304 Not Modified", OutcomeKind::Redirect),
        ("400 Bad Request", OutcomeKind::ClientError),
        ("401 Unauthorized", OutcomeKind::ClientError),
        ("410 Gone", OutcomeKind::Gone),
        ("429 Too Many", OutcomeKind::Throttled),
        ("500 Oops", OutcomeKind::ServerError),
        ("503 Busy", OutcomeKind::ServerError),
        ("600 What", OutcomeKind::BadResponse),
    ] {
        let address =
            answering(format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n").into()).await;
        assert_eq!(outcome(address).await, expected, "{status}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_head_time_out() {
    let address = receiver(|stream: TcpStream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(outcome(address).await, OutcomeKind::TimeoutHead);
}

#[tokio::test]
async fn a_head_that_drips_ends_with_the_head_time_out() {
    let address = dripping("HTTP/1.1 200 OK\r\nx: ", b"a", 20).await;
    assert_eq!(outcome(address).await, OutcomeKind::TimeoutHead);
}

#[tokio::test]
async fn a_body_that_drips_was_decided_by_its_head() {
    let address = dripping("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"a", 20).await;
    let reply = call(address).await.expect("a head");
    assert_eq!((reply.outcome(), reply.ending), (OutcomeKind::Ok, Ending::Cut));
    assert!(!reply.body.is_empty() && reply.body.len() < 100);
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_cap() {
    let address = dripping("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 8_192], 0).await;
    let reply = call(address).await.expect("a head");
    assert_eq!((reply.body.len(), reply.ending), (Keep::LOG.decoded_bytes, Ending::Cut));
}

#[tokio::test]
async fn a_gzip_bomb_is_decoded_up_to_the_cap() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![0; 1 << 20]).expect("encoded");
    }
    let bomb = encoder.finish().expect("encoded");
    assert!(bomb.len() < 100_000);
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    )
    .into_bytes();
    bytes.extend(bomb);
    let reply = call(answering(bytes).await).await.expect("a head");
    assert_eq!((reply.body.len(), reply.ending), (Keep::LOG.decoded_bytes, Ending::Cut));
}

#[tokio::test]
async fn bodies_are_decoded_whole_or_said_to_be_broken() {
    let text = b"the receiver says hello";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).expect("encoded");
    let gzip = gzip.finish().expect("encoded");
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(text).expect("encoded");
    let zlib = zlib.finish().expect("encoded");
    for (encoding, sent, expected) in [
        ("gzip", gzip.clone(), Some(&text[..])),
        ("deflate", zlib, Some(&text[..])),
        ("br", b"raw".to_vec(), Some(&b"raw"[..])),
        ("gzip", b"no gzip at all".to_vec(), None),
        ("gzip", gzip[..gzip.len() - 9].to_vec(), None),
    ] {
        let mut bytes = format!(
            "HTTP/1.1 500 Oops\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            sent.len()
        )
        .into_bytes();
        bytes.extend(sent);
        let reply = call(answering(bytes).await).await.expect("a head");
        match expected {
            Some(body) => assert_eq!((&reply.body[..], reply.ending), (body, Ending::Complete)),
            None => assert!(matches!(reply.ending, Ending::Broken(_)), "{:?}", reply.ending),
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_bad_response() {
    let many = "x: a\r\n".repeat(200);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(1 << 20));
    for bytes in [
        "SSH-2.0-OpenSSH\r\n\r\n".to_owned(),
        "HTTP/1.1 abc\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nbroken line\r\n\r\n".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        long,
    ] {
        let shown: String = bytes.chars().take(40).collect();
        let address = answering(bytes.into_bytes()).await;
        assert_eq!(outcome(address).await, OutcomeKind::BadResponse, "{shown:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_closed_before_the_head_and_harmless_after_it() {
    for bytes in ["", "HTTP/1.1 200 OK\r\nx: "] {
        assert_eq!(outcome(answering(bytes.into()).await).await, OutcomeKind::Closed, "{bytes:?}");
    }
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let reply = call(answering(cut.into()).await).await.expect("a head");
    assert_eq!((reply.outcome(), &reply.body[..]), (OutcomeKind::Ok, &b"abc"[..]));
    assert!(matches!(reply.ending, Ending::Broken(_)));
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let (address, seen) = super::support::recording(
        |_| "HTTP/1.1 302 Found\r\nlocation: /hook\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let reply = call(address).await.expect("a head");
    assert_eq!(reply.outcome(), OutcomeKind::Redirect);
    assert_eq!(reply.headers["location"], "/hook");
    assert_eq!(seen.lock().len(), 1);
    assert_eq!(seen.lock()[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn who_does_not_listen_or_speaks_no_tls_is_told_apart() {
    let free = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address")
    };
    assert_eq!(outcome(free).await, OutcomeKind::Connect);
    let client = client(&Egress::default(), Arc::new(System));
    let plain = receiver(|mut stream: TcpStream| async move {
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
    })
    .await;
    let failure = client.send(request(&format!("https://{plain}/"))).await.expect_err("no TLS");
    assert_eq!(failure.outcome, OutcomeKind::Tls, "{}", failure.error);
    let silent = receiver(|stream: TcpStream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let failure = client.send(request(&format!("https://{silent}/"))).await.expect_err("silence");
    assert_eq!(failure.outcome, OutcomeKind::TimeoutConnect, "{}", failure.error);
}

/// A resolver that answers by a script, then fails.
#[derive(Default)]
struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
}

impl Names {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let read =
            |texts: &&[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(read).collect()) })
    }
}

#[async_trait]
impl Resolve for Names {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.answers.lock().pop_front().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

#[tokio::test]
async fn p9_a_name_that_turns_private_is_never_dialled_there() {
    let (address, seen) = super::support::recording(
        |_| "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    // 127.0.0.1 stands for a public address here: it is allowed; ::1 and 127.0.0.2 stand for private ones.
    let options = Egress { allow: vec!["127.0.0.1".into()], ..Egress::default() };
    let names = Names::of(&[
        &["127.0.0.1"],
        &["127.0.0.2"],
        &["::1", "10.0.0.1"],
        &["169.254.169.254"],
        &[],
    ]);
    let client = client(&options, names);
    let to_name = || {
        let mut request = request(&format!("http://rebind.test:{}/", address.port()));
        request.trust = Trust::API;
        request
    };
    let reply = client.send(to_name()).await.expect("allowed");
    assert_eq!(reply.address, Some(IpAddr::from([127, 0, 0, 1])));
    for (part, outcome) in [
        ("127.0.0.2 is forbidden by rule special_range", OutcomeKind::Blocked),
        ("10.0.0.1 is forbidden by rule special_range", OutcomeKind::Blocked),
        ("169.254.169.254 is forbidden by rule metadata", OutcomeKind::Blocked),
        ("has no address", OutcomeKind::Dns),
        ("cannot resolve", OutcomeKind::Dns),
    ] {
        let failure = client.send(to_name()).await.expect_err(part);
        assert!(failure.error.contains(part), "{}", failure.error);
        assert_eq!(failure.outcome, outcome, "{}", failure.error);
    }
    assert_eq!(seen.lock().len(), 1);
}

#[tokio::test]
async fn p9_of_mixed_answers_only_the_allowed_are_dialled() {
    let (address, seen) =
        super::support::recording(|_| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let options = Egress { allow: vec!["127.0.0.1".into()], ..Egress::default() };
    let client = client(&options, Names::of(&[&["10.9.9.9", "127.0.0.1", "fd00:ec2::254"]]));
    let mut request = request(&format!("http://mixed.test:{}/", address.port()));
    request.trust = Trust::API;
    let reply = client.send(request).await.expect("one is allowed");
    assert_eq!(reply.address, Some(IpAddr::from([127, 0, 0, 1])));
    assert_eq!(seen.lock().len(), 1);
}

#[tokio::test]
async fn p9_literal_addresses_and_pooled_connections_do_not_cross_trust() {
    let (address, seen) =
        super::support::recording(|_| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = client(&Egress::default(), Arc::new(System));
    let trusted = request(&format!("http://{address}/"));
    assert!(client.send(trusted.clone()).await.is_ok());
    let untrusted = Request { trust: Trust::API, ..trusted };
    let failure = client.send(untrusted.clone()).await.expect_err("a literal private address");
    assert_eq!(failure.outcome, OutcomeKind::Blocked);
    // The same by name: the connection that the trusted call left open must not serve it.
    let by_name = |trust| Request {
        url: Url::parse(&format!("http://localhost:{}/", address.port())).expect("a URL"),
        trust,
        ..untrusted.clone()
    };
    assert!(client.send(by_name(Trust::FILE)).await.is_ok());
    let failure = client.send(by_name(Trust::API)).await.expect_err("a private name");
    assert_eq!(failure.outcome, OutcomeKind::Blocked, "{}", failure.error);
    assert_eq!(seen.lock().len(), 2);
}

#[tokio::test]
async fn our_own_listeners_are_never_called() {
    let (address, seen) =
        super::support::recording(|_| "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let own = Arc::new(Own::default());
    own.replace(vec![SocketAddr::new([0, 0, 0, 0].into(), address.port())]);
    let guard = Guard::new(&Egress::default());
    let client = Client::new(guard, own, Arc::new(System), Clock::real());
    for host in ["127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0"] {
        let url = format!("http://{host}:{}/", address.port());
        let failure = client.send(request(&url)).await.expect_err(host);
        assert_eq!(failure.outcome, OutcomeKind::Blocked, "{host}: {}", failure.error);
        assert!(failure.error.contains("own_listener"), "{host}: {}", failure.error);
    }
    assert!(seen.lock().is_empty());
}

#[tokio::test]
async fn urls_are_checked_as_they_are_saved() {
    let options = Egress { https_only: true, ..Egress::default() };
    let client = client(&options, Arc::new(System));
    for (url, trust, ok) in [
        ("https://example.com/", Trust::API, true),
        ("http://example.com/", Trust::FILE, false),
        ("https://10.0.0.1/", Trust::API, false),
        ("https://10.0.0.1/", Trust::FILE, true),
        ("https://0x7f.1/", Trust::API, false),
        ("https://169.254.169.254/", Trust::FILE, false),
        ("ftp://example.com/", Trust::FILE, false),
    ] {
        let url = Url::parse(url).expect(url);
        assert_eq!(client.check(&url, trust).is_ok(), ok, "{url}");
    }
}

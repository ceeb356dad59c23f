//! The hand-over under pressure, and the border against hostile and secret input.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use smallvec::SmallVec;

use super::{BATCH_MAX, Border, Dropped, Level, Options, channel, slot};
use crate::model::capture::{
    BodyState, Capture, CapturedBody, Heads, Outcome, Part, Protocol, Stamps,
};
use crate::model::exchange::{Body, CredentialKind, CredentialPlace, Exchange, Text};
use crate::model::hash::HashKey;
use crate::model::media::MediaType;
use crate::model::redaction::Plan;
use crate::model::units::Size;
use crate::runtime::clock::Clock;

const SECOND: i64 = 1_000;

fn capture(request: &str, response: &str) -> Capture {
    let split = request.len();
    Capture {
        sequence: 1,
        worker: 0,
        api: "api".into(),
        listener: "listener".into(),
        client: None,
        client_protocol: Protocol::Http11,
        upstream_protocol: None,
        tls: true,
        stamps: Stamps { start: 1_000_000, sent: 0, head: 0, end: 3_500_000 },
        wall_ms: 1_700_000_000_000,
        heads: Heads::new(Bytes::from([request, response].concat()), split),
        status: 200,
        interim: SmallVec::default(),
        request: CapturedBody::default(),
        response: CapturedBody::default(),
        trailers: Vec::new(),
        attempts: 1,
        reused: false,
        part: Part::Whole,
        weight: 1,
        outcome: Outcome::Ok,
        decoded: false,
    }
}

fn body(bytes: impl Into<Bytes>, state: BodyState) -> CapturedBody {
    let bytes = bytes.into();
    let kept = bytes.len();
    CapturedBody { chunks: [bytes].into_iter().collect(), kept, total: kept as u64, state }
}

const REQUEST: &str = "GET /orders?x=1 HTTP/1.1\r\nHost: API.example:8443\r\n\r\n";

fn border() -> Border {
    let mark = Arc::new(|value: &str| value == "genuine");
    Border::new(HashKey::OFFLINE, "instance", &Options::default(), mark)
}

fn open(capture: &Capture) -> Exchange {
    border().open(capture, &Arc::new(Plan::default())).expect("an exchange")
}

/// The response body as the border gives it, sent with these codings and this type.
fn decoded(content: &[u8], fields: &str, state: BodyState) -> Body {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let mut capture = capture(REQUEST, &head);
    capture.response = body(content.to_vec(), state);
    open(&capture).response.body
}

fn readable(content: &[u8], truncated: bool) -> Body {
    Body::Bytes { bytes: Bytes::copy_from_slice(content), truncated }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn brotli(content: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    encoder.write_all(content).expect("compressed");
    encoder.into_inner()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).expect("compressed")
}

/// Text that does not shrink to nothing.
fn text(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"0123456789abcdef"[(state >> 28) as usize]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn every_coding_is_undone_one_after_the_other() {
    let content = b"{\"id\":1}";
    for (encoded, coding) in [
        (gzip(content), "gzip"),
        (gzip(content), "X-GZip"),
        (zlib(content), "deflate"),
        (deflate(content), "deflate"),
        (brotli(content), "br"),
        (zstd(content), "zstd"),
        (content.to_vec(), "identity"),
        (brotli(&gzip(content)), "gzip, br"),
        ([gzip(&content[..3]), gzip(&content[3..])].concat(), "gzip"),
    ] {
        let fields = format!("Content-Encoding: {coding}\r\n");
        assert_eq!(
            decoded(&encoded, &fields, BodyState::Complete),
            readable(content, false),
            "{coding}"
        );
    }
    let lines = "Content-Encoding: gzip\r\nContent-Encoding: zstd\r\n";
    assert_eq!(
        decoded(&zstd(&gzip(content)), lines, BodyState::Complete),
        readable(content, false)
    );
}

#[test]
fn what_cannot_be_undone_is_opaque_and_counted() {
    let border = border();
    let whole = gzip(&text(1_000));
    let cases: [(&[u8], &str); 6] = [
        (b"x", "compress"),
        (b"not gzip at all", "gzip"),
        (&whole[..whole.len() / 2], "gzip"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0", "gzip"),
        (b"{}", "gzip, gzip, gzip"),
        (b"\x28\xb5\x2f\xfd\xff", "zstd"),
    ];
    for (index, (content, coding)) in cases.into_iter().enumerate() {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        let mut capture = capture(REQUEST, &head);
        capture.response = body(content.to_vec(), BodyState::Complete);
        let exchange = border.open(&capture, &Arc::default()).expect("an exchange");
        assert_eq!(exchange.response.body, Body::Opaque, "{coding}");
        assert_eq!(border.decode_failures(), index as u64 + 1);
    }
}

#[test]
fn a_cut_off_body_gives_its_prefix() {
    let content = text(400_000);
    for (encoded, coding) in [
        (gzip(&content), "gzip"),
        (zlib(&content), "deflate"),
        (brotli(&content), "br"),
        (zstd(&content), "zstd"),
    ] {
        let half = &encoded[..encoded.len() / 2];
        let fields = format!("Content-Encoding: {coding}\r\n");
        let Body::Bytes { bytes, truncated } = decoded(half, &fields, BodyState::Truncated) else {
            panic!("{coding} gives nothing");
        };
        assert!(truncated && !bytes.is_empty() && content.starts_with(&bytes), "{coding}");
    }
    let plain = decoded(b"{\"a\"", "", BodyState::Truncated);
    assert_eq!(plain, readable(b"{\"a\"", true));
}

#[test]
fn bombs_cost_no_more_than_honest_bodies() {
    let zeros = vec![0; 64 << 20];
    for (encoded, coding) in
        [(gzip(&zeros), "gzip"), (brotli(&zeros), "br"), (zstd(&zeros), "zstd")]
    {
        let fields = format!("Content-Encoding: {coding}\r\n");
        assert_eq!(decoded(&encoded, &fields, BodyState::Complete), Body::Opaque, "{coding}");
    }
    let twice = gzip(&gzip(&zeros));
    let fields = "Content-Encoding: gzip, gzip\r\n";
    assert_eq!(decoded(&twice, fields, BodyState::Complete), Body::Opaque);
    // An honest body that is larger than is kept ends in a marked prefix: 4 x 256 KiB.
    let content = text(3 << 20);
    let Body::Bytes { bytes, truncated } =
        decoded(&gzip(&content), "Content-Encoding: gzip\r\n", BodyState::Complete)
    else {
        panic!("nothing");
    };
    assert!(truncated && bytes.len() == 1 << 20 && content.starts_with(&bytes));
}

#[test]
fn charsets_become_utf_8_when_they_are_known_and_needed() {
    let utf16: Vec<u8> =
        "\u{feff}{\"a\":\"ä\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        decoded(&utf16, "", BodyState::Complete),
        readable("{\"a\":\"ä\"}".as_bytes(), false)
    );
    let latin = "Content-Type: application/json; charset=ISO-8859-1\r\n";
    assert_eq!(decoded(b"\xe4", latin, BodyState::Complete), readable("ä".as_bytes(), false));
    assert_eq!(
        decoded("ä".as_bytes(), latin, BodyState::Complete),
        readable("ä".as_bytes(), false)
    );
    let invalid = b"{\"a\":\"\xff\"}";
    assert_eq!(
        decoded(invalid, "", BodyState::Complete),
        readable(invalid, false),
        "judged by the reader"
    );
}

#[test]
fn recorded_bodies_are_not_decoded_again() {
    let mut capture = capture(REQUEST, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    capture.response = body("{}", BodyState::Complete);
    capture.decoded = true;
    assert_eq!(open(&capture).response.body, readable(b"{}", false));
}

#[test]
fn an_exchange_says_what_the_heads_said() {
    let request = "PATCH /a%2Fb;c?q=1&q=2 HTTP/1.1\r\nHost: API.example:8443\r\nAccept: a\r\nAccept: b\r\n\
                   Content-Type: Application/JSON; charset=utf-8\r\ndriftgate-chain: genuine\r\n\r\n";
    let mut capture =
        capture(request, "HTTP/1.1 200 OK\r\nContent-Type: nonsense\r\nX-Latin: \u{e4}\r\n\r\n");
    capture.request = body("{}", BodyState::Complete);
    capture.response = body("", BodyState::Dropped);
    let exchange = open(&capture);
    assert_eq!(exchange.id.len(), 36);
    assert_eq!((exchange.method.as_str(), exchange.path.as_str()), ("PATCH", "/a%2Fb;c"));
    assert_eq!(exchange.query.as_deref(), Some("q=1&q=2"));
    assert_eq!(exchange.host.as_deref(), Some("api.example"));
    assert_eq!(exchange.authority.as_deref(), Some("API.example:8443"));
    assert_eq!((exchange.duration_us, exchange.time_ms), (2_500, 1_700_000_000_000));
    assert!(exchange.own_test && exchange.secure);
    let accepted = exchange.request.fields.iter().filter(|field| &*field.name == "accept");
    assert_eq!(accepted.filter_map(|field| field.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(exchange.request.media.as_ref().map(MediaType::essence), Some("application/json"));
    assert!(exchange.response.media.is_none() && exchange.response.media_malformed);
    assert_eq!(exchange.response.field("x-latin"), Some("\u{e4}"));
    assert_eq!(
        (exchange.request.body, exchange.response.body),
        (readable(b"{}", false), Body::Unknown)
    );
    capture.sequence = 2;
    assert_ne!(open(&capture).id, exchange.id);
}

#[test]
fn ends_of_streams_and_heads_that_are_none_are_no_exchanges() {
    let mut end = capture(REQUEST, "");
    end.part = Part::End;
    let plan = Arc::new(Plan::default());
    assert!(border().open(&end, &plan).is_none());
    assert!(border().open(&capture("", ""), &plan).is_none());
    assert!(border().open(&capture("nonsense\r\n\r\n", ""), &plan).is_none());
}

/// Every place in which a secret may stand carries one of these, each different.
const CANARIES: [&str; 10] = [
    "canary-bearer",
    "canary-proxy",
    "canary-sid",
    "canary-theme",
    "canary-key",
    "canary-token",
    "canary-configured",
    "canary-query",
    "canary-listed",
    "canary-set",
];

#[test]
fn p6_no_secret_of_a_head_gets_past_the_border() {
    let request = "GET /a?api_key=canary-query&code=canary-listed&page=2 HTTP/1.1\r\nHost: a\r\n\
                   Authorization: Bearer canary-bearer\r\nProxy-Authorization: Basic canary-proxy\r\n\
                   Cookie: sid=canary-sid; theme=canary-theme\r\nX-API-Key: canary-key\r\n\
                   X-Refresh-Token: canary-token\r\nX-Mine: canary-configured\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=canary-set; Path=/; HttpOnly\r\n\r\n";
    let plan = Arc::new(Plan::new(&["X-Mine".into()], &["code".into()], &[]));
    let exchange = border().open(&capture(request, response), &plan).expect("an exchange");
    let shown = format!("{exchange:?}");
    for canary in CANARIES {
        assert!(request.contains(canary) || response.contains(canary));
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
    let field = |name: &str| {
        exchange.request.fields.iter().find(|field| &*field.name == name).map(|field| &field.value)
    };
    assert_eq!(field("authorization"), Some(&Text::Redacted("Bearer canary-bearer".len())));
    assert_eq!(field("cookie").and_then(Text::as_str), Some("sid=**********; theme=************"));
    assert_eq!(exchange.query.as_deref(), Some("api_key=************&code=*************&page=2"));
    let found: Vec<_> =
        exchange.credentials.iter().map(|found| (found.kind, found.place, &*found.name)).collect();
    assert_eq!(
        found,
        [
            (CredentialKind::ApiKey, CredentialPlace::Query, "api_key"),
            (CredentialKind::Bearer, CredentialPlace::Header, "authorization"),
            (CredentialKind::SessionCookie, CredentialPlace::Cookie, "sid"),
            (CredentialKind::ApiKey, CredentialPlace::Header, "x-api-key"),
        ]
    );
}

proptest! {
    #[test]
    fn arbitrary_captures_never_panic_the_border(
        head in prop::collection::vec(any::<u8>(), 0..200),
        split in 0_usize..250,
        content in prop::collection::vec(any::<u8>(), 0..400),
        coding in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br", "x"]),
        truncated in any::<bool>(),
    ) {
        let mut raw = format!("POST /?a=%zz HTTP/1.1\r\nContent-Encoding: {coding}\r\n").into_bytes();
        let split = split + raw.len();
        raw.extend(&head);
        let mut capture = capture("", "");
        capture.heads = Heads::new(raw.into(), split);
        let state = if truncated { BodyState::Truncated } else { BodyState::Complete };
        capture.request = body(content.clone(), state);
        capture.response = body(content, state);
        drop(border().open(&capture, &Arc::default()));
    }
}

fn small(queue: usize, memory: u64) -> Options {
    Options { queue, memory: Size(memory), ..Options::default() }
}

fn offered(handle: &super::Handle, end_ns: u64) -> bool {
    let mut capture = Box::new(capture(REQUEST, ""));
    capture.stamps.end = end_ns;
    handle.offer(capture, 0)
}

#[test]
fn what_fits_comes_out_in_order_and_gives_its_budget_back() {
    let (clock, _) = Clock::standing_at(0);
    let (handle, mut intake) = channel(&small(1_000, 1 << 20), 2, &clock);
    for worker in [0, 1, 0, 1, 0] {
        let mut capture = Box::new(capture(REQUEST, ""));
        (capture.worker, capture.sequence) = (worker, handle.next_sequence());
        capture.response = body(vec![0; 100], BodyState::Complete);
        assert!(handle.charge(100));
        assert!(handle.offer(capture, 100));
    }
    let each = 1024 + REQUEST.len() as u64 + 100;
    assert_eq!(handle.snapshot(0).bytes_in_flight, 5 * each);
    let mut batch = Vec::new();
    assert!(intake.next_batch(&mut batch));
    assert_eq!(batch.len(), 5);
    for worker in [0, 1] {
        let sequences = batch.iter().filter(|capture| capture.worker == worker);
        assert!(sequences.map(|capture| capture.sequence).is_sorted());
    }
    assert_eq!(handle.snapshot(0).bytes_in_flight, 5 * each, "until the batch is done with");
    intake.next_batch(&mut batch);
    assert_eq!((handle.snapshot(0).bytes_in_flight, batch.len()), (0, 0));
}

#[test]
fn a_batch_is_bounded_and_the_rest_follows() {
    let (clock, _) = Clock::standing_at(0);
    let (handle, mut intake) = channel(&small(1_000, 1 << 30), 1, &clock);
    for _ in 0..BATCH_MAX + 10 {
        assert!(offered(&handle, 0));
    }
    let mut batch = Vec::new();
    for expected in [BATCH_MAX, 10, 0] {
        intake.next_batch(&mut batch);
        assert_eq!(batch.len(), expected);
    }
}

#[test]
fn pressure_sheds_bodies_and_a_lag_alone_drops_nothing() {
    let (clock, hands) = Clock::standing_at(0);
    let (handle, mut intake) = channel(&small(100, 1 << 30), 1, &clock);
    intake.next_batch(&mut Vec::new());
    let now = || clock.monotonic_ns();
    assert_eq!(handle.admit(now()), Ok(Level::Nothing));
    assert!(offered(&handle, now()));
    hands.advance(800);
    assert_eq!(handle.admit(now()), Ok(Level::Settled), "the oldest waits for 0.8 s");
    hands.advance(SECOND);
    assert_eq!(handle.admit(now()), Ok(Level::Bodies));
    assert!(offered(&handle, now()), "records still pass");
    for _ in 0..2 {
        intake.next_batch(&mut Vec::new());
    }
    assert_eq!(handle.admit(now()), Ok(Level::Bodies), "for a second at least");
    hands.advance(SECOND);
    intake.next_batch(&mut Vec::new());
    assert_eq!(handle.admit(now()), Ok(Level::Settled), "one level down");
}

#[test]
fn analysis_without_a_sign_of_life_is_left_alone_until_it_gives_one() {
    let (clock, hands) = Clock::standing_at(0);
    let (handle, mut intake) = channel(&small(100, 1 << 30), 1, &clock);
    intake.next_batch(&mut Vec::new());
    hands.advance(61 * SECOND);
    assert!(handle.admit(clock.monotonic_ns()).is_ok(), "nothing waits, so nothing is wrong");
    assert!(offered(&handle, clock.monotonic_ns()));
    assert_eq!(handle.admit(clock.monotonic_ns()), Err(Dropped::Stalled));
    let snapshot = handle.snapshot(clock.monotonic_ns());
    assert!(!snapshot.enabled && snapshot.heartbeat_age_ns >= 61_000_000_000);
    assert_eq!(snapshot.dropped[Dropped::Stalled as usize], 1);
    intake.next_batch(&mut Vec::new());
    assert!(handle.admit(clock.monotonic_ns()).is_ok());
}

#[test]
fn what_was_queued_before_the_close_is_still_read() {
    let (clock, _) = Clock::standing_at(0);
    let (handle, mut intake) = channel(&small(100, 1 << 30), 1, &clock);
    assert!(offered(&handle, 0));
    handle.close();
    assert!(!offered(&handle, 0));
    let mut batch = Vec::new();
    assert!(intake.next_batch(&mut batch) && batch.len() == 1);
    assert!(!intake.next_batch(&mut batch) && batch.is_empty());
    assert_eq!(handle.admit(0), Err(Dropped::Draining));
}

#[test]
fn a_sleeping_reader_gets_what_comes() {
    let clock = Clock::real();
    let (handle, mut intake) = channel(&small(8, 1 << 30), 1, &clock);
    let panics = crate::runtime::supervise::Panics::default();
    let (sender, receiver) = std::sync::mpsc::sync_channel(100);
    let reader = move || {
        let mut batch = Vec::new();
        while intake.next_batch(&mut batch) {
            for capture in batch.drain(..) {
                sender.send(capture.sequence).expect("read");
            }
        }
    };
    let thread = crate::runtime::supervise::thread("reader", &panics, reader).expect("a thread");
    for _ in 0..50 {
        for _ in 0..3 {
            assert!(offered(&handle, clock.monotonic_ns()));
        }
        for _ in 0..3 {
            receiver.recv_timeout(std::time::Duration::from_mins(1)).expect("in time");
        }
    }
    handle.close();
    thread.join().expect("ended");
    assert_eq!(panics.count(), 0);
}

#[test]
fn analysis_tells_what_is_settled() {
    let (clock, _) = Clock::standing_at(0);
    let (handle, intake) = channel(&Options::default(), 1, &clock);
    let place = slot("api", "GET", 200, "/orders/17");
    assert!(!handle.is_settled(place));
    intake.settle(place, true);
    assert!(handle.is_settled(slot("api", "GET", 204, "/orders/4711")));
    intake.settle(place, false);
    assert!(!handle.is_settled(place));
}

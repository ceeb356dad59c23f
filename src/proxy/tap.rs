//! Copies handles of an exchange as it passes, bounded, and hands them over once at its end (`spec/proxy.md` 9).
//!
//! Owns what is kept: both heads in one allocation, prefixes of bodies whose media can be learned from, totals of
//! everything. Refuses to wait: nothing here is asynchronous, takes a lock, parses a body or fails an exchange. A refused
//! byte is a byte not kept.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use pingora::http::ResponseHeader;
use smallvec::SmallVec;

use crate::capture::{self, Level};
use crate::model::capture::{
    BodyState, Capture, CapturedBody, Heads, Outcome, Part, Protocol, Stamps,
};

/// Chunks below this size are copied together when they come from HTTP/2, where a slice would pin its frame, or in numbers.
const SMALL: usize = 2 * 1024;
/// Chunks of a body that are kept as they are before small ones are copied together.
const CHUNKS_KEPT: usize = 2;
/// A stream is handed over when so much of it is kept, or with the first chunk after so long.
const STREAM_BYTES: usize = 16 * 1024;
const STREAM_NS: u64 = 5_000_000_000;
const TRAILERS_MAX: usize = 16;
const TRAILER_BYTES_MAX: usize = 4 * 1024;
/// Room for the response head behind the request head.
const RESPONSE_HEAD_GUESS: usize = 512;

/// The tap of one exchange. Dropped without [`Tap::finish`], it hands over what there is as aborted.
pub(super) struct Tap {
    handle: capture::Handle,
    /// None once given up.
    capture: Option<Box<Capture>>,
    arena: BytesMut,
    split: usize,
    /// Bytes taken from the budget.
    charged: usize,
    request: Keep,
    response: Keep,
    level: Level,
    request_ended: bool,
    streams: bool,
}

/// How much of one body is kept.
struct Keep {
    cap: usize,
    /// Whether small chunks are copied because their buffers belong to frames.
    copies: bool,
    tail: BytesMut,
}

/// What is known when an exchange begins.
pub(super) struct Beginning<'a> {
    pub(super) capture: Box<Capture>,
    pub(super) level: Level,
    /// False when the API wants heads alone.
    pub(super) bodies: bool,
    pub(super) content_type: Option<&'a [u8]>,
}

/// What is known when it has ended.
pub(super) struct Ending {
    pub(super) end_ns: u64,
    pub(super) sent_ns: u64,
    pub(super) outcome: Outcome,
    /// As the client saw it; 0 for none.
    pub(super) status: u16,
    pub(super) attempts: u8,
    pub(super) reused: bool,
}

/// A capture in which only the beginning is known yet.
pub(super) fn blank(api: std::sync::Arc<str>, listener: std::sync::Arc<str>) -> Capture {
    Capture {
        sequence: 0,
        worker: 0,
        api,
        listener,
        client: None,
        client_protocol: Protocol::Http11,
        upstream_protocol: None,
        tls: false,
        stamps: Stamps::default(),
        wall_ms: 0,
        heads: Heads::default(),
        status: 0,
        interim: SmallVec::new(),
        request: CapturedBody::default(),
        response: CapturedBody::default(),
        trailers: Vec::new(),
        attempts: 0,
        reused: false,
        part: Part::Whole,
        weight: 1,
        outcome: Outcome::Aborted,
        decoded: false,
    }
}

impl Tap {
    /// Begins with the request head, which `write_head` puts into the arena.
    pub(super) fn begin(
        handle: &capture::Handle,
        beginning: Beginning<'_>,
        head_length: usize,
        write_head: impl FnOnce(&mut BytesMut),
    ) -> Self {
        let Beginning { capture, level, bodies, content_type } = beginning;
        let (request_cap, response_cap) = handle.caps();
        let mut arena = BytesMut::with_capacity(head_length + RESPONSE_HEAD_GUESS);
        write_head(&mut arena);
        let split = arena.len();
        let keep = |cap, copies| Keep { cap, copies, tail: BytesMut::new() };
        let from_frames = capture.client_protocol == Protocol::Http2;
        let mut tap = Self {
            handle: handle.clone(),
            capture: Some(capture),
            arena,
            split,
            charged: 0,
            request: keep(request_cap, from_frames),
            response: keep(response_cap, false),
            level,
            request_ended: false,
            streams: false,
        };
        tap.classify_request(bodies, content_type);
        tap
    }

    fn classify_request(&mut self, bodies: bool, content_type: Option<&[u8]>) {
        let shed = self.level == Level::Bodies;
        if let Some(capture) = &mut self.capture {
            if !bodies || shed {
                capture.request.state = BodyState::Dropped;
                capture.response.state = BodyState::Dropped;
            } else if !is_kept(content_type) {
                capture.request.state = BodyState::Opaque;
            }
        }
    }

    /// Another attempt replays the request body from its beginning.
    pub(super) fn restart(&mut self) {
        self.request.tail.clear();
        let Some(capture) = &mut self.capture else { return };
        let body = &mut capture.request;
        self.handle.release(body.kept);
        self.charged -= body.kept.min(self.charged);
        let state = match body.state {
            kept @ (BodyState::Opaque | BodyState::Dropped) => kept,
            _ => BodyState::None,
        };
        *body = CapturedBody { state, ..CapturedBody::default() };
    }

    pub(super) fn request_chunk(&mut self, chunk: Option<&Bytes>, ended: bool) {
        self.request_ended |= ended;
        if let (Some(capture), Some(chunk)) = (&mut self.capture, chunk) {
            let charged = &mut self.charged;
            self.request.add(&mut capture.request, chunk, &self.handle, charged);
        }
    }

    /// An interim response (1xx but 101) passed.
    pub(super) fn interim(&mut self, status: u16) {
        if let Some(capture) = &mut self.capture
            && capture.interim.len() < 8
        {
            capture.interim.push(status);
        }
    }

    /// The origin's final response head, before anything of it is changed.
    pub(super) fn response_head(&mut self, head: &ResponseHeader, now_ns: u64, protocol: Protocol) {
        self.arena.truncate(self.split);
        write_status(head, &mut self.arena);
        head.header_to_h1_wire(&mut self.arena);
        self.arena.extend_from_slice(b"\r\n");
        let content_type = head.headers.get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let status = head.status.as_u16();
        let settled = self.level == Level::Settled && self.is_settled(status);
        self.response.copies = protocol == Protocol::Http2;
        self.streams = is_stream(content_type);
        let Some(capture) = &mut self.capture else { return };
        capture.stamps.head = now_ns;
        capture.upstream_protocol = Some(protocol);
        capture.status = status;
        if settled {
            self.charged -=
                self.request.give_up(&mut capture.request, &self.handle).min(self.charged);
            capture.response.state = BodyState::Dropped;
        } else if capture.response.state == BodyState::None && !is_kept(content_type) {
            capture.response.state = BodyState::Opaque;
        }
    }

    fn is_settled(&self, status: u16) -> bool {
        let Some(capture) = &self.capture else { return false };
        let line = self.arena[..].split(|byte| *byte == b'\r').next().unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ').map(std::str::from_utf8);
        let (Some(Ok(method)), Some(Ok(target))) = (words.next(), words.next()) else {
            return false;
        };
        let path = target.split('?').next().unwrap_or_default();
        self.handle.is_settled(capture::slot(&capture.api, method, status, path))
    }

    pub(super) fn response_chunk(&mut self, chunk: &Bytes, now_ns: impl Fn() -> u64) {
        let Some(capture) = &mut self.capture else { return };
        self.response.add(&mut capture.response, chunk, &self.handle, &mut self.charged);
        if self.streams && capture.part == Part::Whole {
            let now_ns = now_ns();
            let old = now_ns.saturating_sub(capture.stamps.head) >= STREAM_NS;
            if old || capture.response.kept >= STREAM_BYTES {
                self.hand_over_beginning(now_ns, Outcome::Ok);
            }
        }
    }

    /// The connection became a tunnel: what is known now is handed over, totals follow at its end.
    pub(super) fn tunnel(&mut self, now_ns: u64) {
        self.hand_over_beginning(now_ns, Outcome::Tunnel);
    }

    pub(super) fn trailers(&mut self, fields: &HeaderMap) {
        let Some(capture) = &mut self.capture else { return };
        let mut room = TRAILER_BYTES_MAX;
        for (name, value) in fields.iter().take(TRAILERS_MAX) {
            let size = name.as_str().len() + value.len();
            if size > room {
                break;
            }
            room -= size;
            let value = Bytes::copy_from_slice(value.as_bytes());
            capture.trailers.push((name.as_str().into(), value));
        }
    }

    /// Hands over what there is of a long exchange; afterwards only totals are kept.
    fn hand_over_beginning(&mut self, now_ns: u64, outcome: Outcome) {
        let Some(capture) = &self.capture else { return };
        let mut rest = Box::new(blank(capture.api.clone(), capture.listener.clone()));
        rest.worker = capture.worker;
        rest.client = capture.client;
        rest.client_protocol = capture.client_protocol;
        rest.upstream_protocol = capture.upstream_protocol;
        rest.tls = capture.tls;
        rest.stamps = capture.stamps;
        rest.wall_ms = capture.wall_ms;
        rest.status = capture.status;
        rest.part = Part::End;
        for (body, known) in
            [(&mut rest.request, &capture.request), (&mut rest.response, &capture.response)]
        {
            body.total = known.total;
            body.state = if known.total > 0 { BodyState::Truncated } else { BodyState::Dropped };
        }
        self.request_ended = false;
        self.offer(Part::Head, outcome, now_ns);
        self.capture = Some(rest);
    }

    /// Ends the tap and hands the capture over.
    pub(super) fn finish(&mut self, ending: &Ending) {
        let Some(capture) = &mut self.capture else { return };
        capture.stamps.sent = ending.sent_ns;
        capture.attempts = ending.attempts;
        capture.reused = ending.reused;
        if capture.status == 0 {
            capture.status = ending.status;
        }
        let part = capture.part;
        self.offer(part, ending.outcome, ending.end_ns);
    }

    /// Gives up without handing anything over.
    pub(super) fn discard(&mut self) {
        self.capture = None;
        self.handle.release(std::mem::take(&mut self.charged));
    }

    fn offer(&mut self, part: Part, outcome: Outcome, end_ns: u64) {
        let Some(mut capture) = self.capture.take() else { return };
        let whole = outcome == Outcome::Ok && part == Part::Whole;
        self.request.settle(&mut capture.request, whole && self.request_ended);
        self.response.settle(&mut capture.response, whole);
        capture.heads = Heads::new(std::mem::take(&mut self.arena).freeze(), self.split);
        self.split = 0;
        capture.stamps.end = end_ns;
        capture.part = part;
        capture.outcome = outcome;
        capture.sequence = self.handle.next_sequence();
        self.handle.offer(capture, std::mem::take(&mut self.charged));
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Some(capture) = &self.capture {
            let (part, start) = (capture.part, capture.stamps.start);
            self.offer(part, Outcome::Aborted, start);
        }
    }
}

impl Keep {
    fn add(
        &mut self,
        body: &mut CapturedBody,
        chunk: &Bytes,
        handle: &capture::Handle,
        charged: &mut usize,
    ) {
        #[cfg(test)]
        assert!(!chunk.starts_with(super::tests::PANIC_IN_TAP), "the test asked for it");
        if chunk.is_empty() {
            return;
        }
        body.total += chunk.len() as u64;
        if !matches!(body.state, BodyState::None | BodyState::Complete) {
            return;
        }
        let take = chunk.len().min(self.cap - body.kept);
        if take > 0 {
            if !handle.charge(take) {
                *charged -= self.give_up(body, handle).min(*charged);
                return;
            }
            *charged += take;
            body.kept += take;
            self.push(body, chunk, take);
        }
        body.state = if take < chunk.len() { BodyState::Truncated } else { BodyState::Complete };
    }

    fn push(&mut self, body: &mut CapturedBody, chunk: &Bytes, take: usize) {
        if take < SMALL && (self.copies || body.chunks.len() >= CHUNKS_KEPT) {
            self.tail.extend_from_slice(chunk.get(..take).unwrap_or_default());
            return;
        }
        self.flush(body);
        body.chunks.push(if take == chunk.len() { chunk.clone() } else { chunk.slice(..take) });
    }

    fn flush(&mut self, body: &mut CapturedBody) {
        if !self.tail.is_empty() {
            body.chunks.push(self.tail.split().freeze());
        }
    }

    /// Lets go of what is kept, and says how many bytes of the budget that gave back.
    fn give_up(&mut self, body: &mut CapturedBody, handle: &capture::Handle) -> usize {
        self.tail.clear();
        body.chunks.clear();
        body.state = BodyState::Dropped;
        let kept = std::mem::take(&mut body.kept);
        handle.release(kept);
        kept
    }

    /// The state that a reader may rely on.
    fn settle(&mut self, body: &mut CapturedBody, whole: bool) {
        self.flush(body);
        body.state = match body.state {
            _ if body.total == 0 => BodyState::None,
            BodyState::Complete if !whole => BodyState::Truncated,
            state => state,
        };
    }
}

/// `HTTP/1.1 200 OK` and its line end.
fn write_status(head: &ResponseHeader, arena: &mut BytesMut) {
    arena.extend_from_slice(b"HTTP/1.1 ");
    arena.extend_from_slice(head.status.as_str().as_bytes());
    arena.extend_from_slice(b" ");
    arena.extend_from_slice(head.get_reason_phrase().unwrap_or_default().as_bytes());
    arena.extend_from_slice(b"\r\n");
}

/// Media that can be learned from: JSON, XML, forms, event streams, plain and untyped text.
fn is_kept(content_type: Option<&[u8]>) -> bool {
    let Some(value) = content_type else { return true };
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |known: &[u8]| essence.eq_ignore_ascii_case(known);
    let begins = |known: &[u8]| {
        essence.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
    };
    let ends = |known: &[u8]| {
        essence.len() >= known.len()
            && essence
                .get(essence.len() - known.len()..)
                .is_some_and(|end| end.eq_ignore_ascii_case(known))
    };
    is(b"application/json")
        || ends(b"json")
        || ends(b"jsonl")
        || ends(b"json-seq")
        || is(b"application/x-www-form-urlencoded")
        || begins(b"multipart/")
        || is(b"application/xml")
        || is(b"text/xml")
        || ends(b"+xml")
        || begins(b"text/plain")
        || is(b"text/event-stream")
}

/// Media that may never end.
fn is_stream(content_type: Option<&[u8]>) -> bool {
    content_type.is_some_and(|value| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(b"text/event-stream")
            || essence.eq_ignore_ascii_case(b"application/x-ndjson")
            || essence.eq_ignore_ascii_case(b"application/ndjson")
    })
}

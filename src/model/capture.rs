//! The capture: the bounded, reference-counted copy of one exchange that leaves the data plane.
//!
//! Owns what the tap may keep and how incomplete it may be. Refuses to own meaning: heads are raw HTTP/1 text, bodies are the
//! chunks as they passed, still encoded and unredacted. Nothing but the border (`capture`) may look inside.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

/// One exchange, or one part of a long one, as it crossed the proxy.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Counter of the process; gaps are captures that were dropped.
    pub sequence: u64,
    /// Index of the data thread that made it.
    pub worker: u16,
    /// Name of the API that the exchange was routed to.
    pub api: Arc<str>,
    /// Name of the listener it came in on.
    pub listener: Arc<str>,
    /// Peer address; none for Unix sockets and recorded traffic.
    pub client: Option<IpAddr>,
    pub client_protocol: Protocol,
    pub upstream_protocol: Option<Protocol>,
    /// Whether the client's side was TLS (for recorded traffic: an https URL).
    pub tls: bool,
    pub stamps: Stamps,
    /// Wall clock at the start, Unix milliseconds.
    pub wall_ms: i64,
    pub heads: Heads,
    /// Status of the final response head; 0 when none arrived.
    pub status: u16,
    /// Interim statuses (1xx) that passed before it.
    pub interim: SmallVec<[u16; 2]>,
    pub request: CapturedBody,
    pub response: CapturedBody,
    /// Trailer fields of the response, at most 16 fields or 4 KiB.
    pub trailers: Vec<(Box<str>, Bytes)>,
    /// Attempts made towards the upstream, 1 for nearly all.
    pub attempts: u8,
    /// Whether the upstream connection had been used before.
    pub reused: bool,
    pub part: Part,
    /// Inverse sampling probability, at least 1: how many exchanges this one speaks for in shown rates.
    pub weight: u32,
    pub outcome: Outcome,
    /// Bodies were already content-decoded by whoever recorded them (HAR), whatever `content-encoding` says.
    pub decoded: bool,
}

/// HTTP version on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    Http10,
    Http11,
    Http2,
}

/// Monotonic nanoseconds since the process started; 0 where the point was not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamps {
    pub start: u64,
    /// Request head handed to the upstream connection.
    pub sent: u64,
    /// Final response head received.
    pub head: u64,
    pub end: u64,
}

/// Both heads as raw HTTP/1 text in one allocation: start line, fields, empty line.
#[derive(Debug, Clone, Default)]
pub struct Heads {
    arena: Bytes,
    split: usize,
}

impl Heads {
    /// `arena` holds the request head in its first `split` bytes and the response head (may be empty) after it. A `split`
    /// past the end is cut to the end.
    #[must_use]
    pub fn new(arena: Bytes, split: usize) -> Self {
        let split = split.min(arena.len());
        Self { arena, split }
    }

    #[must_use]
    pub fn request(&self) -> &[u8] {
        self.arena.get(..self.split).unwrap_or_default()
    }

    #[must_use]
    pub fn response(&self) -> &[u8] {
        self.arena.get(self.split..).unwrap_or_default()
    }

    /// Bytes held, for the budget.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arena.is_empty()
    }
}

/// The kept prefix of a body and what is known of the rest.
#[derive(Debug, Clone, Default)]
pub struct CapturedBody {
    pub chunks: SmallVec<[Bytes; 2]>,
    /// Bytes in `chunks`.
    pub kept: usize,
    /// Bytes that passed, or that the recorder says passed.
    pub total: u64,
    pub state: BodyState,
}

/// How much of a body a capture holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum BodyState {
    /// No body: nothing passed.
    #[default]
    None,
    Complete,
    /// A prefix only: the cap was reached or the exchange ended early.
    Truncated,
    /// Media that is never kept (images, archives), counted only.
    Opaque,
    /// Dropped for want of memory, or by shedding: it existed, and nothing of it is known.
    Dropped,
}

/// Which part of an exchange a record is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Part {
    #[default]
    Whole,
    /// Beginning of a long stream or tunnel.
    Head,
    /// Its totals at the end.
    End,
}

/// How the exchange ended. Only `Ok` feeds evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    #[default]
    Ok,
    ClientAbort,
    ConnectFailed,
    UpstreamAbort,
    Timeout,
    ProtocolError,
    /// The answer was made by driftgate itself.
    Generated,
    /// Switched protocols (101).
    Tunnel,
    /// The session ended without a verdict (panic, shutdown).
    Aborted,
}

impl Outcome {
    /// The label value in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientAbort => "client_abort",
            Self::ConnectFailed => "connect_failed",
            Self::UpstreamAbort => "upstream_abort",
            Self::Timeout => "timeout",
            Self::ProtocolError => "protocol_error",
            Self::Generated => "generated",
            Self::Tunnel => "tunnel",
            Self::Aborted => "aborted",
        }
    }
}

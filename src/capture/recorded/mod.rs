//! Recorded exchanges in whatever format become captures, as if the tap had made them.
//!
//! Owns the common form of a recorded exchange, its synthesised heads and the same caps that live bodies have. Refuses to
//! own formats (`har`, `ndjson`) and redaction (`border`).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use smallvec::smallvec;

use crate::model::capture::{
    BodyState, Capture, CapturedBody, Heads, Outcome, Part, Protocol, Stamps,
};

/// Why a record gives no capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is not what the format asks for; column (from 1) and line within the record, and the reason.
    Bad { line: usize, column: usize, reason: String },
    /// It is no exchange of ours: no answer was recorded, or it went to no server.
    Skipped(&'static str),
}

/// What all recorded exchanges of a run share.
#[derive(Debug, Clone)]
pub struct Frame {
    pub api: Arc<str>,
    /// Kept prefix of request bodies, bytes.
    pub request_cap: usize,
    /// Kept prefix of response bodies, bytes.
    pub response_cap: usize,
}

/// A recorded exchange.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) method: String,
    /// Absolute, or path and query.
    pub(super) url: String,
    pub(super) request_fields: Vec<(String, String)>,
    pub(super) request: RecordedBody,
    pub(super) status: u16,
    pub(super) response_fields: Vec<(String, String)>,
    pub(super) response: RecordedBody,
    /// Unix milliseconds; 0 where none is given.
    pub(super) time_ms: i64,
    pub(super) duration_ms: f64,
    pub(super) weight: u32,
    /// Bodies are still content-encoded.
    pub(super) encoded: bool,
}

#[derive(Debug, Default)]
pub(super) enum RecordedBody {
    #[default]
    None,
    /// It existed, and nothing of it was recorded but its size.
    Unknown(u64),
    /// `cut`: only a prefix was recorded.
    Bytes { bytes: Vec<u8>, cut: bool },
}

impl Recorded {
    pub(super) fn into_capture(self, frame: &Frame) -> Result<Capture, Unusable> {
        let (tls, authority, target) = split_url(&self.url)?;
        let mut head = String::with_capacity(256);
        write_line(&mut head, &format!("{} {target} HTTP/1.1", one_line(&self.method)));
        let has_host =
            self.request_fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if let Some(authority) = authority.filter(|_| !has_host) {
            write_field(&mut head, "host", authority);
        }
        write_fields(&mut head, &self.request_fields);
        let split = head.len();
        write_line(&mut head, &format!("HTTP/1.1 {}", self.status));
        write_fields(&mut head, &self.response_fields);
        let end = if self.duration_ms.is_finite() { self.duration_ms.clamp(0.0, 1e9) } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped above"
        )]
        let end = (end * 1e6) as u64;
        Ok(Capture {
            sequence: 0,
            worker: 0,
            api: Arc::clone(&frame.api),
            listener: "".into(),
            client: None,
            client_protocol: Protocol::Http11,
            upstream_protocol: None,
            tls,
            stamps: Stamps { end, ..Stamps::default() },
            wall_ms: self.time_ms,
            heads: Heads::new(Bytes::from(head), split),
            status: self.status,
            interim: smallvec![],
            request: self.request.captured(frame.request_cap),
            response: self.response.captured(frame.response_cap),
            trailers: Vec::new(),
            attempts: 1,
            reused: false,
            part: Part::Whole,
            weight: self.weight.max(1),
            outcome: Outcome::Ok,
            decoded: !self.encoded,
        })
    }
}

impl RecordedBody {
    /// Cut to the cap that a live body would have had.
    fn captured(self, cap: usize) -> CapturedBody {
        match self {
            Self::None => CapturedBody::default(),
            Self::Unknown(total) => {
                CapturedBody { total, state: BodyState::Dropped, ..CapturedBody::default() }
            }
            Self::Bytes { bytes, .. } if bytes.is_empty() => CapturedBody::default(),
            Self::Bytes { mut bytes, cut } => {
                let total = bytes.len() as u64;
                let truncated = cut || bytes.len() > cap;
                bytes.truncate(cap);
                CapturedBody {
                    kept: bytes.len(),
                    chunks: smallvec![Bytes::from(bytes)],
                    total,
                    state: if truncated { BodyState::Truncated } else { BodyState::Complete },
                }
            }
        }
    }
}

/// Scheme, authority and target of a URL; without a scheme all of it is the target.
fn split_url(url: &str) -> Result<(bool, Option<&str>, String), Unusable> {
    let url = url.split('#').next().unwrap_or_default();
    if url.starts_with('/') {
        return Ok((false, None, target(url)));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Unusable::Skipped(if url.starts_with("data:") || url.starts_with("blob:") {
            "local URL"
        } else {
            "bad URL"
        }));
    };
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => false,
        "https" | "wss" => true,
        "data" | "blob" | "file" | "about" => return Err(Unusable::Skipped("local URL")),
        _ => return Err(Unusable::Skipped("other protocol")),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.is_empty() {
        return Err(Unusable::Skipped("bad URL"));
    }
    let path = if path.starts_with('/') { target(path) } else { target(&format!("/{path}")) };
    Ok((tls, Some(authority), path))
}

/// A request target without what cannot stand in one: recorders write spaces and letters beyond ASCII as they are.
fn target(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            push_escaped(&mut out, byte);
        }
    }
    out
}

fn push_escaped(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from(DIGITS[usize::from(nibble)]));
    }
}

fn write_fields(head: &mut String, fields: &[(String, String)]) {
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with(':')) {
        write_field(head, name, value);
    }
    head.push_str("\r\n");
}

fn write_field(head: &mut String, name: &str, value: &str) {
    write_line(head, &format!("{}: {}", one_line(name), one_line(value)));
}

fn write_line(head: &mut String, line: &str) {
    head.push_str(line);
    head.push_str("\r\n");
}

/// Line ends inside a name or value would be lines of their own.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

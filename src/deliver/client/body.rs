//! What is kept of an answer's body: a prefix, decoded under a cap, read for a bounded time.
//!
//! Owns the caps before and after decoding. A body that breaks off or never ends is no error: the head has decided. The
//! connection of a body that was not read to its end is dropped with the response.

use std::future::Future;
use std::io::Read;
use std::time::Duration;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// How much of a body is read and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Bytes kept, after decoding.
    pub decoded_bytes: usize,
    /// Bytes read from the wire.
    pub raw_bytes: usize,
    /// Longest reading after the head.
    pub duration: Duration,
}

impl Keep {
    /// What the attempt log keeps.
    pub const LOG: Self =
        Self { decoded_bytes: 16 * 1024, raw_bytes: 64 * 1024, duration: Duration::from_secs(2) };
}

/// How the body that was kept ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All of it is there.
    Complete,
    /// A cap or the time cut it.
    Cut,
    /// The receiver broke off, or it does not decode.
    Broken(String),
}

/// Reads until the end, a cap, or `late`.
pub(super) async fn read(
    mut response: reqwest::Response,
    headers: &HeaderMap,
    keep: Keep,
    late: impl Future<Output = ()>,
) -> (Vec<u8>, Ending) {
    let mut raw = Vec::new();
    tokio::pin!(late);
    let ending = loop {
        if raw.len() >= keep.raw_bytes {
            break Ending::Cut;
        }
        let chunk = tokio::select! {
            chunk = response.chunk() => chunk,
            () = &mut late => break Ending::Cut,
        };
        match chunk {
            Ok(Some(bytes)) => {
                let room = keep.raw_bytes - raw.len();
                raw.extend(bytes.iter().take(room));
            }
            Ok(None) => break Ending::Complete,
            Err(error) => break Ending::Broken(super::outcome::chain(&error)),
        }
    };
    decode(raw, headers, keep, ending)
}

/// Decodes gzip and deflate up to the cap; what has any other encoding stays raw.
fn decode(raw: Vec<u8>, headers: &HeaderMap, keep: Keep, ending: Ending) -> (Vec<u8>, Ending) {
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b""[..], |value| value.as_bytes());
    let limit = keep.decoded_bytes;
    if encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip") {
        inflate(MultiGzDecoder::new(raw.as_slice()), limit, ending)
    } else if encoding.eq_ignore_ascii_case(b"deflate") {
        // RFC 9110 8.4.1.2 means the zlib form; some senders mean the bare one.
        match raw.first() {
            Some(first) if first & 0x0f == 8 => {
                inflate(ZlibDecoder::new(raw.as_slice()), limit, ending)
            }
            _ => inflate(DeflateDecoder::new(raw.as_slice()), limit, ending),
        }
    } else if raw.len() > limit {
        let mut raw = raw;
        raw.truncate(limit);
        (raw, Ending::Cut)
    } else {
        (raw, ending)
    }
}

fn inflate(decoder: impl Read, limit: usize, ending: Ending) -> (Vec<u8>, Ending) {
    let mut text = Vec::new();
    let mut capped = decoder.take(limit as u64 + 1);
    let outcome = capped.read_to_end(&mut text);
    if text.len() > limit {
        text.truncate(limit);
        return (text, Ending::Cut);
    }
    match outcome {
        Ok(_) => (text, ending),
        // What was cut on the wire cannot decode to its end.
        Err(_) if ending != Ending::Complete => (text, ending),
        Err(error) => (text, Ending::Broken(format!("the body does not decode: {error}"))),
    }
}

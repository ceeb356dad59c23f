//! Undoes content codings and charsets of captured bodies, without trusting them (`spec/proxy.md` 10.3).
//!
//! Owns the only raw decompressors of the crate. Output, ratio and window are limited, so that a bomb costs no more than an
//! honest body; a cut-off body gives the prefix that could be read.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::model::capture::{BodyState, CapturedBody};
use crate::model::exchange::Body;
use crate::model::media::MediaType;

/// A reader of a whole gzip file; whoever reads it caps what it keeps.
pub fn gunzip(input: impl BufRead) -> impl Read {
    MultiGzDecoder::new(input)
}

/// Codings that are undone one after the other.
const CODINGS_MAX: usize = 2;
/// Output may be so many times the input ...
const RATIO_MAX: usize = 100;
/// ... and so much in any case: a short body that repeats itself is no bomb.
const RATIO_FREE: usize = 64 * 1024;
/// Base-2 logarithm of the largest zstd window: 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
const BUFFER: usize = 8 * 1024;

/// Why a body cannot be read. Counted; the body is then opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable;

/// What the head says about a body.
pub(super) struct Framing<'a> {
    /// Values of `content-encoding`, in order; none when already undone.
    pub(super) codings: Vec<&'a [u8]>,
    pub(super) media: Option<&'a MediaType>,
}

/// The readable form of a captured body of at most `limit` bytes.
///
/// # Errors
/// When its coding is unknown, broken, or blows up beyond the ratio.
pub(super) fn body(
    captured: &CapturedBody,
    framing: &Framing<'_>,
    limit: usize,
) -> Result<Body, Undecodable> {
    let cut = match captured.state {
        BodyState::None => return Ok(Body::Absent),
        BodyState::Dropped => return Ok(Body::Unknown),
        BodyState::Opaque => return Ok(Body::Opaque),
        BodyState::Complete => false,
        BodyState::Truncated => true,
    };
    let codings = Coding::parse(&framing.codings)?;
    let mut content = Content { bytes: joined(captured), cut };
    for coding in codings.into_iter().rev() {
        content = coding.undo(&content, limit)?;
    }
    let Content { bytes, cut: truncated } = content;
    Ok(Body::Bytes { bytes: in_utf8(bytes, framing.media), truncated })
}

struct Content {
    bytes: Bytes,
    /// Whether something is missing at the end.
    cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// In the order in which they were applied.
    fn parse(values: &[&[u8]]) -> Result<Vec<Self>, Undecodable> {
        let mut codings = Vec::new();
        for name in values.iter().flat_map(|value| value.split(|byte| *byte == b',')) {
            match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"" | b"identity" => {}
                b"gzip" | b"x-gzip" => codings.push(Self::Gzip),
                b"deflate" => codings.push(Self::Deflate),
                b"br" => codings.push(Self::Brotli),
                b"zstd" => codings.push(Self::Zstd),
                _ => return Err(Undecodable),
            }
        }
        if codings.len() > CODINGS_MAX { Err(Undecodable) } else { Ok(codings) }
    }

    fn undo(self, content: &Content, limit: usize) -> Result<Content, Undecodable> {
        let left = Cell::new(content.bytes.len());
        let input = || Input { rest: &content.bytes, left: &left };
        let read = |reader: &mut dyn Read| Decoding { reader, content, left: &left, limit }.run();
        match self {
            Self::Gzip => read(&mut MultiGzDecoder::new(input())),
            // Named `deflate`, meant as zlib (RFC 9110 section 8.4.1.2), and often sent without that wrapper.
            Self::Deflate => read(&mut ZlibDecoder::new(input()))
                .or_else(|_| read(&mut DeflateDecoder::new(input()))),
            Self::Brotli => read(&mut brotli::Decompressor::new(input(), BUFFER)),
            Self::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(input()).map_err(|_| Undecodable)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| Undecodable)?;
                read(&mut decoder)
            }
        }
    }
}

/// Compressed bytes that tell how many of them are left.
struct Input<'a> {
    rest: &'a [u8],
    left: &'a Cell<usize>,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.rest.read(buffer)?;
        self.left.set(self.rest.len());
        Ok(length)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.rest)
    }

    fn consume(&mut self, length: usize) {
        self.rest.consume(length);
        self.left.set(self.rest.len());
    }
}

/// One coding being undone under its limits.
struct Decoding<'a> {
    reader: &'a mut dyn Read,
    content: &'a Content,
    left: &'a Cell<usize>,
    limit: usize,
}

impl Decoding<'_> {
    /// Reads until the end, the limit, or the point where a cut-off input ends.
    fn run(self) -> Result<Content, Undecodable> {
        let (input, cut) = (self.content.bytes.len(), self.content.cut);
        let mut output = BytesMut::new();
        let mut reader = BufReader::with_capacity(BUFFER, self.reader);
        loop {
            let chunk = match reader.fill_buf() {
                Ok([]) => return Ok(Content { bytes: output.freeze(), cut }),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    // Not every decoder tells a cut from damage; what came before is sound in both cases.
                    let ended = error.kind() == io::ErrorKind::UnexpectedEof || !output.is_empty();
                    let content = Content { bytes: output.freeze(), cut: true };
                    return if cut && ended { Ok(content) } else { Err(Undecodable) };
                }
            };
            let room = self.limit - output.len();
            let length = chunk.len();
            output.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
            let read = input - self.left.get();
            if output.len() > read.saturating_mul(RATIO_MAX).max(RATIO_FREE) {
                return Err(Undecodable);
            }
            if length > room {
                return Ok(Content { bytes: output.freeze(), cut: true });
            }
            reader.consume(length);
        }
    }
}

/// All chunks as one; a single chunk is shared, not copied.
fn joined(captured: &CapturedBody) -> Bytes {
    match captured.chunks.as_slice() {
        [only] => only.clone(),
        chunks => {
            let mut whole = BytesMut::with_capacity(captured.kept);
            for chunk in chunks {
                whole.extend_from_slice(chunk);
            }
            whole.freeze()
        }
    }
}

/// UTF-16 is known by its byte order mark, Latin-1 by declaration; what is valid UTF-8 stays, whatever was declared.
fn in_utf8(mut bytes: Bytes, media: Option<&MediaType>) -> Bytes {
    let encoding = match bytes.get(..2) {
        Some([0xfe, 0xff]) => encoding_rs::UTF_16BE,
        Some([0xff, 0xfe]) => encoding_rs::UTF_16LE,
        _ if declares_latin1(media) && std::str::from_utf8(&bytes).is_err() => {
            encoding_rs::WINDOWS_1252
        }
        _ => return bytes,
    };
    if encoding != encoding_rs::WINDOWS_1252 {
        bytes.advance(2);
    }
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    Bytes::from(text.into_owned())
}

fn declares_latin1(media: Option<&MediaType>) -> bool {
    media.and_then(|media| media.parameter("charset")).is_some_and(|charset| {
        ["iso-8859-1", "latin1", "windows-1252"]
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known))
    })
}

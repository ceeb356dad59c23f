//! The bytes of evidence: canonical, versioned, checked (`spec/inference.md` 12).
//!
//! Owns the frame (magic, engine, API, key id, one tagged section per part, SHA-256 of it all) and the primitive encodings.
//! Refuses to own the content of sections: blocks write themselves. Reading never trusts a length or a depth.

use sha2::{Digest as _, Sha256};

use super::Error;
use super::evidence::{Body, Evidence};
use super::limits::Size;
use super::monoid::Monoid;

/// The version of these bytes. Newer ones are refused; sections are only ever added.
pub(super) const ENGINE: u16 = 2;

/// The oldest version that is still read: two before this one, once there are so many.
const OLDEST: u16 = 2;

const MAGIC: &[u8; 4] = b"DGEV";
const DIGEST_BYTES: usize = 32;
const SECTION_BODY: u64 = 1;

/// Deepest nesting of shapes and trie nodes that is read: bodies to 64, paths to 32, and what lies between.
const DEPTH_MAX: usize = 512;

/// What about the bytes is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corrupt(pub(super) &'static str);

impl From<Corrupt> for Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt { what: corrupt.0 }
    }
}

/// Canonical bytes: equal evidence, equal bytes.
#[must_use]
pub fn encode(evidence: &Evidence) -> Vec<u8> {
    let mut section = Writer::default();
    evidence.body.write(&mut section);
    let mut writer = Writer::default();
    writer.bytes.extend_from_slice(MAGIC);
    writer.bytes.extend_from_slice(&ENGINE.to_be_bytes());
    writer.bytes.extend_from_slice(&evidence.key_id());
    writer.text(evidence.api());
    writer.varint(SECTION_BODY);
    writer.varint(section.bytes.len() as u64);
    writer.bytes.append(&mut section.bytes);
    let digest = Sha256::digest(&writer.bytes);
    writer.bytes.extend_from_slice(&digest);
    writer.bytes
}

/// Bytes that a part takes when written.
pub(super) fn weight(part: &impl Monoid) -> usize {
    let mut writer = Writer::default();
    part.write(&mut writer);
    writer.bytes.len()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are damaged, or written by a newer engine.
pub fn decode(bytes: &[u8]) -> Result<Evidence, Error> {
    let mut head = Reader { bytes, depth: 0 };
    if head.take(4)? != MAGIC {
        return Err(Corrupt("it does not begin as evidence does").into());
    }
    let engine = u16::from_be_bytes(head.array()?);
    if engine > ENGINE {
        return Err(Error::Newer { ours: ENGINE, theirs: engine });
    }
    if engine < OLDEST {
        return Err(Corrupt("its engine is too old").into());
    }
    let Some(signed) = bytes.len().checked_sub(DIGEST_BYTES) else {
        return Err(Corrupt("too short").into());
    };
    let (content, digest) = bytes.split_at(signed);
    if *Sha256::digest(content) != *digest {
        return Err(Corrupt("its checksum is wrong").into());
    }
    head.bytes = content.get(6..).unwrap_or_default();
    let key_id = head.array()?;
    let mut evidence = Evidence::new(head.text()?, key_id);
    while !head.bytes.is_empty() {
        let tag = head.varint()?;
        let length = usize::try_from(head.varint()?).map_err(|_| Corrupt("section length"))?;
        let mut section = Reader { bytes: head.take(length)?, depth: 0 };
        if tag == SECTION_BODY {
            evidence.body = Body::read(&mut section)?;
            evidence.size = Size::of(&evidence.body, evidence.size.limits);
        }
    }
    Ok(evidence)
}

#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// LEB128.
    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    pub(super) fn varint(&mut self, value: u64) {
        let mut rest = value;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// Zigzag, so that small negative numbers stay short.
    pub(super) fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// Eight bytes, for what is as likely large as small.
    pub(super) fn fixed(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The mask of a struct's fields: which of them are written.
    pub(super) fn fields<const N: usize>(
        &mut self,
        counted: &[bool; N],
    ) -> impl Iterator<Item = bool> + use<N> {
        const { assert!(N < 64, "a mask has 64 bits") };
        let mask = counted.iter().rev().fold(0, |mask, counted| mask << 1 | u64::from(*counted));
        self.varint(mask);
        (0..N).map(move |field| mask >> field & 1 == 1)
    }
}

/// The mask of a struct's fields, bit by bit.
pub(super) struct Fields(u64);

impl Fields {
    /// Whether the next field was written.
    pub(super) fn next(&mut self) -> bool {
        let written = self.0 & 1 == 1;
        self.0 >>= 1;
        written
    }

    /// No field is left that this engine does not know.
    pub(super) fn end(self) -> Result<(), Corrupt> {
        if self.0 == 0 { Ok(()) } else { Err(Corrupt("a field is unknown")) }
    }
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Corrupt("it is cut off"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        self.take(N)?.try_into().map_err(|_| Corrupt("it is cut off"))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Corrupt> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Corrupt("a number is too long"))
    }

    pub(super) fn fields(&mut self) -> Result<Fields, Corrupt> {
        self.varint().map(Fields)
    }

    pub(super) fn signed(&mut self) -> Result<i64, Corrupt> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(super) fn fixed(&mut self) -> Result<u64, Corrupt> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Corrupt> {
        let length = usize::try_from(self.varint()?).map_err(|_| Corrupt("text length"))?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Corrupt("text"))
    }

    /// Reads a part one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Corrupt>,
    ) -> Result<T, Corrupt> {
        if self.depth >= DEPTH_MAX {
            return Err(Corrupt("it is nested too deeply"));
        }
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        part
    }
}

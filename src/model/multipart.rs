//! `multipart/form-data` bodies cut into parts (RFC 7578).
//!
//! Owns the cutting and which parts are files; observing and judging must see the same parts. Refuses to own nested multipart
//! bodies, which are files, and what a part says.

use super::media::MediaType;

/// Parts that are read of one body.
const PARTS_MAX: usize = 256;

/// Longest boundary (RFC 2046 section 5.1.1).
const BOUNDARY_MAX: usize = 70;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    pub name: &'a str,
    /// The media type of a file.
    pub file: Option<String>,
    /// It says that it is JSON.
    pub json: bool,
    pub body: &'a [u8],
}

/// All whole parts, at most 256, and whether the closing boundary was there; none if the body is not cut by its boundary.
#[must_use]
pub fn cut<'a>(bytes: &'a [u8], boundary: &str) -> Option<(Vec<Part<'a>>, bool)> {
    if !(1..=BOUNDARY_MAX).contains(&boundary.len()) {
        return None;
    }
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary.as_bytes());
    let mut rest = bytes.get(find(bytes, &delimiter)? + delimiter.len()..)?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some((parts, true));
        }
        let Some(end) = find(rest, &delimiter).filter(|_| parts.len() < PARTS_MAX) else {
            return Some((parts, false));
        };
        let (part, after) = rest.split_at_checked(end)?;
        parts.extend(Part::parse(part));
        rest = after.get(delimiter.len()..)?;
    }
}

impl<'a> Part<'a> {
    fn parse(part: &'a [u8]) -> Option<Self> {
        let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n"))?;
        let (head, body) = match find(part, b"\r\n\r\n") {
            Some(at) => (part.get(..at)?, part.get(at + 4..)?),
            None => (part, &[][..]),
        };
        let body = body.strip_suffix(b"\r\n").unwrap_or(body);
        let head = std::str::from_utf8(head).ok()?;
        let field = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then_some(value.trim())
            })
        };
        let disposition = field("content-disposition")?;
        let name = parameter(disposition, "name")?;
        let media = field("content-type").and_then(MediaType::parse);
        let essence = media.as_ref().map_or("", |media| media.essence());
        let json = media.as_ref().is_some_and(MediaType::is_json);
        let textual = essence.is_empty() || essence.starts_with("text/") || json;
        let is_file = parameter(disposition, "filename").is_some()
            || parameter(disposition, "filename*").is_some()
            || !textual
            || std::str::from_utf8(body).is_err();
        let named = if essence.is_empty() { "application/octet-stream" } else { essence };
        Some(Self { name, file: is_file.then(|| named.to_owned()), json, body })
    }
}

/// A parameter of a `Content-Disposition`, unquoted.
fn parameter<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    text.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
    })
}

/// Where `needle` begins first.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

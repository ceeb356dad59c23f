//! `multipart/form-data` bodies (RFC 7578): an object with a member for each part.
//!
//! Owns the cutting of parts and which of them are files. Refuses to own nested multipart bodies: they are files.

use super::builder::Builder;
use super::json;
use crate::model::brackets;
use crate::model::media::MediaType;
use crate::model::observation::Tape;

/// Parts that are read of one body.
const PARTS_MAX: usize = 256;

/// Longest boundary (RFC 2046 section 5.1.1).
const BOUNDARY_MAX: usize = 70;

/// One part.
struct Part<'a> {
    name: &'a str,
    /// The media type of a file.
    file: Option<String>,
    json: bool,
    body: &'a [u8],
}

/// The tape of a body; none if it is not cut by its boundary. `builder` says whether only a prefix is there.
pub(super) fn read(bytes: &[u8], boundary: &str, mut builder: Builder<'_, '_>) -> Option<Tape> {
    let parsed = if (1..=BOUNDARY_MAX).contains(&boundary.len()) {
        parts(bytes, boundary.as_bytes())
    } else {
        None
    };
    let Some((parts, whole)) = parsed else {
        builder.discard();
        return None;
    };
    builder.open(true);
    let mut written: Vec<&str> = Vec::new();
    for part in &parts {
        if written.contains(&part.name) {
            continue;
        }
        written.push(part.name);
        let same: Vec<&Part<'_>> = parts.iter().filter(|other| other.name == part.name).collect();
        builder.key(part.name);
        if same.len() == 1 && !brackets::is_list(part.name) {
            part.write(&mut builder);
        } else if builder.enter(false) {
            for part in same {
                part.write(&mut builder);
            }
            builder.close();
        }
    }
    builder.end(whole);
    Some(builder.finish(false))
}

/// All whole parts, and whether the closing boundary was there.
fn parts<'a>(bytes: &'a [u8], boundary: &[u8]) -> Option<(Vec<Part<'a>>, bool)> {
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary);
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

    fn write(&self, builder: &mut Builder<'_, '_>) {
        let text = std::str::from_utf8(self.body).unwrap_or_default();
        match &self.file {
            Some(media) => builder.file(media),
            None if self.json && is_json(text) => {
                // It was read just now, so it reads.
                let read = builder.read_document(&mut json::Reader::new(text, false));
                debug_assert!(read.is_ok(), "a document reads the same twice");
            }
            None => builder.text(text),
        }
    }
}

fn is_json(text: &str) -> bool {
    let mut reader = json::Reader::new(text, false);
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
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

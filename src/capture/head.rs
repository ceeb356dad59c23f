//! Reads the raw heads of a capture: start line and fields of HTTP/1 text.
//!
//! Owns splitting, and nothing is lost in it: names in lower case, values as sent, lines of one name apart. Refuses to judge:
//! what is no head gives none, what is no field is left out.

use crate::model::exchange::{Field, Text};

/// A request head: method, raw target, fields.
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) fields: Vec<RawField<'a>>,
}

/// One field line, its name as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawField<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// A target split as it was sent.
pub(super) struct Target<'a> {
    pub(super) authority: Option<&'a [u8]>,
    pub(super) path: &'a [u8],
    pub(super) query: Option<&'a [u8]>,
}

impl<'a> RequestHead<'a> {
    /// None for text that does not begin with a request line.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        // Empty lines before a request line are to be ignored (RFC 9112 section 2.2).
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let mut lines = Lines(raw.get(blank..)?);
        let mut words = lines.next()?.split(|byte| *byte == b' ');
        let (method, target) = (words.next()?, words.next()?);
        if method.is_empty() || target.is_empty() {
            return None;
        }
        Some(Self { method, target, fields: fields(lines) })
    }

    /// The first value of a field; `name` in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
}

/// The fields of a response head; empty for text without a status line.
pub(super) fn response_fields(raw: &[u8]) -> Vec<RawField<'_>> {
    let mut lines = Lines(raw);
    match lines.next() {
        Some(_) => fields(lines),
        None => Vec::new(),
    }
}

impl<'a> Target<'a> {
    /// Splits origin form, absolute form (RFC 9112 section 3.2) and `*`.
    pub(super) fn split(target: &'a [u8]) -> Self {
        let (authority, rest) = match scheme_end(target).and_then(|end| target.get(end..)) {
            Some(rest) => {
                let end =
                    rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
                (rest.get(..end), rest.get(end..).unwrap_or_default())
            }
            None => (None, target),
        };
        let (path, query) = match rest.iter().position(|byte| *byte == b'?') {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..)),
            None => (rest, None),
        };
        Self { authority, path: if path.is_empty() { b"/" } else { path }, query }
    }
}

/// Where the authority begins in absolute form.
fn scheme_end(target: &[u8]) -> Option<usize> {
    if target.starts_with(b"/") {
        return None;
    }
    target.windows(3).take(16).position(|window| window == b"://").map(|at| at + 3)
}

fn fields(lines: Lines<'_>) -> Vec<RawField<'_>> {
    lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').filter(|at| *at > 0)?;
            let (name, value) = line.split_at_checked(colon)?;
            Some(RawField { name, value: value.get(1..)?.trim_ascii() })
        })
        .collect()
}

/// Lines up to the empty one; LF or CRLF ends a line, a line that begins with a blank belongs to the one before (obs-fold).
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut end = 0;
        let next = loop {
            let rest = self.0.get(end..)?;
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
                break self.0.len();
            };
            end += length + 1;
            let folded = matches!(self.0.get(end), Some(b' ' | b'\t'));
            if !folded || end <= 2 {
                break end;
            }
        };
        let (line, rest) = self.0.split_at_checked(next)?;
        let line = line.trim_ascii_end();
        self.0 = if line.is_empty() { &[] } else { rest };
        (!line.is_empty()).then_some(line)
    }
}

impl RawField<'_> {
    pub(super) fn lower_name(&self) -> Box<str> {
        String::from_utf8_lossy(self.name).to_ascii_lowercase().into()
    }

    /// As a field that may be read.
    pub(super) fn plain(&self, name: Box<str>) -> Field {
        Field { name, value: Text::Plain(text(self.value)) }
    }
}

/// UTF-8, else Latin-1, as the exchange promises.
pub(super) fn text(bytes: &[u8]) -> Box<str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_keeps_order_case_of_values_and_lines_of_one_name_apart() {
        let raw = b"\r\nPATCH /a%2Fb?q=1 HTTP/1.1\r\nHost: Example\r\nX-A: 1\nx-a:  2 \r\nX-F: a\r\n b\r\n\r\nNo: field";
        let head = RequestHead::parse(raw).expect("a head");
        assert_eq!((head.method, head.target), (&b"PATCH"[..], &b"/a%2Fb?q=1"[..]));
        let shown: Vec<_> =
            head.fields.iter().map(|field| (field.lower_name(), text(field.value))).collect();
        let expected = [("host", "Example"), ("x-a", "1"), ("x-a", "2"), ("x-f", "a\r\n b")];
        assert_eq!(shown, expected.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn targets_are_split_in_every_form() {
        for (target, authority, path, query) in [
            ("/a?b?c", None, "/a", Some("b?c")),
            ("/a?", None, "/a", Some("")),
            ("*", None, "*", None),
            ("http://h:1/a?b", Some("h:1"), "/a", Some("b")),
            ("http://h?b", Some("h"), "/", Some("b")),
            ("/x?u=http://y", None, "/x", Some("u=http://y")),
        ] {
            let split = Target::split(target.as_bytes());
            let found = (split.authority.map(text), text(split.path), split.query.map(text));
            assert_eq!(found, (authority.map(Into::into), path.into(), query.map(Into::into)));
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(0_u8..=255, 0..300)) {
            if let Some(head) = RequestHead::parse(&raw) {
                Target::split(head.target);
            }
            response_fields(&raw);
        }
    }
}

//! Paths: normalised, cut into segments, each with its class (`spec/inference.md` 6.1, 6.2).
//!
//! Owns what may be kept of a segment's text: all of it for words, nothing for data but short numbers and dates near the
//! root, which could be versions. Refuses to own the decision between literal and parameter; that needs evidence.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Lens, affix, classes, lexicon, secrets};
use crate::model::hash::HashKey;
use crate::model::observation::{DataClass, Path, Segment, SegmentClass};
use crate::model::words;

/// Segments this near to the root may be versions although they look like data.
const VERSION_DEPTH_MAX: usize = 3;

/// Longest text of a number or date that is kept for that reason.
const VERSION_TEXT_MAX: usize = 10;

/// The path cannot be one of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPath;

/// Reads a raw path into an empty one.
pub(super) fn observe(
    raw: &str,
    key: &HashKey,
    lens: &Lens,
    path: &mut Path,
) -> Result<(), BadPath> {
    let read = read(raw, key, lens, path);
    if read.is_err() {
        path.clear();
    }
    read
}

fn read(raw: &str, key: &HashKey, lens: &Lens, path: &mut Path) -> Result<(), BadPath> {
    let prefix = lens.path_prefix.trim_end_matches('/');
    let rest = raw.strip_prefix(prefix).unwrap_or(raw);
    let unfit = |byte: u8| byte == b'\\' || byte.is_ascii_control();
    if raw.len() > lens.path_bytes_max || raw.bytes().any(unfit) || !rest.starts_with('/') {
        return Err(BadPath);
    }
    path.trailing_slash = rest.len() > 1 && rest.ends_with('/');
    for piece in rest.split('/') {
        let piece = piece.split_once(';').map_or(piece, |(name, _)| name);
        if piece.is_empty() {
            continue;
        }
        if piece == ".." || path.segments.len() >= lens.path_segments_max {
            return Err(BadPath);
        }
        if piece != "." {
            push(path, piece, key)?;
        }
    }
    Ok(())
}

fn push(path: &mut Path, raw: &str, key: &HashKey) -> Result<(), BadPath> {
    let escaped = raw.contains('%');
    let canonical = if escaped { Cow::Owned(canonical(raw)?) } else { Cow::Borrowed(raw) };
    let decoded = percent_decode_str(&canonical).decode_utf8().map_err(|_| BadPath)?;
    if escaped && decoded.contains('\0') {
        return Err(BadPath);
    }
    let lower = if decoded.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(decoded.to_ascii_lowercase())
    } else {
        Cow::Borrowed(&*decoded)
    };
    let class = class_of(&decoded, &lower);
    let affixed = match class.data() {
        None if class.is_soft() => affix::split(&decoded),
        Some(DataClass::Secret) => affix::marked(&decoded),
        _ => None,
    };
    let start = path.text.len();
    let depth = path.segments.len();
    match &affixed {
        Some(affixed) => affixed.write(&mut path.text),
        None if may_be_kept(class, &decoded, depth) => path.text.push_str(&canonical),
        None => {}
    }
    let place = |at: usize| u32::try_from(at).map_err(|_| BadPath);
    let parts = affixed.as_ref().map_or_else(Default::default, affix::Affixed::classes);
    let class = parts[0].map_or(class, SegmentClass::Data);
    // Only words name collections.
    let word = match class.data() {
        None => key.hash(words::singular(&lower).as_bytes()),
        Some(_) => 0,
    };
    path.segments.push(Segment {
        class,
        parts,
        start: place(start)?,
        end: place(path.text.len())?,
        hash: key.hash(affixed.as_ref().map_or(&*decoded, affix::Affixed::data).as_bytes()),
        word,
    });
    Ok(())
}

fn may_be_kept(class: SegmentClass, text: &str, depth: usize) -> bool {
    match class.data() {
        None => true,
        Some(DataClass::Integer | DataClass::Decimal | DataClass::Date) => {
            depth < VERSION_DEPTH_MAX && text.len() <= VERSION_TEXT_MAX
        }
        Some(_) => false,
    }
}

/// Decodes escapes of unreserved characters and writes the others in capitals (RFC 3986 section 6.2.2).
fn canonical(raw: &str) -> Result<String, BadPath> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code =
            after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(BadPath)?;
        if code.is_ascii_alphanumeric() || b"-._~".contains(&code) {
            out.push(char::from(code));
        } else {
            out.push('%');
            out.push_str(&after.get(..2).unwrap_or_default().to_ascii_uppercase());
        }
        rest = after.get(2..).ok_or(BadPath)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// The class of a decoded segment, first match in the order of the specification.
fn class_of(text: &str, lower: &str) -> SegmentClass {
    if is_version(text) {
        return SegmentClass::Version;
    }
    if lexicon::is_reserved(lower) {
        return SegmentClass::Reserved;
    }
    if let Some(class) = classes::data_class(text) {
        return SegmentClass::Data(class);
    }
    if lexicon::is_word(lower) { SegmentClass::Word } else { soft_class(text, lower) }
}

/// Of what is neither word nor data.
fn soft_class(text: &str, lower: &str) -> SegmentClass {
    if !text.is_ascii()
        || text.bytes().any(|byte| !byte.is_ascii_alphanumeric() && !b"-_.~$".contains(&byte))
    {
        return SegmentClass::Other;
    }
    let words = words::split(text);
    if text.len() >= 25 || words.len() >= 4 || secrets::is_secret(text) {
        return SegmentClass::Other;
    }
    let known = |word: &&str| lexicon::is_word(&word.to_ascii_lowercase());
    if (1..=3).contains(&words.len()) && words.iter().all(known) {
        return if words.len() == 1 { SegmentClass::Word } else { SegmentClass::Words };
    }
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return SegmentClass::WordDigits;
    }
    if text.contains('.') && !text.starts_with('.') && words.len() >= 2 && !known(&words[0]) {
        return SegmentClass::Dotted;
    }
    let improbable = words.iter().any(|word| lexicon::is_improbable(&word.to_ascii_lowercase()));
    if improbable && lower.len() >= 5 { SegmentClass::Improbable } else { SegmentClass::Plain }
}

/// `v1`, `v2.1`, `v2beta1`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['v', 'V']) else { return false };
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let stage = rest.get(digits..).unwrap_or_default();
    let stage = stage.trim_end_matches(|character: char| character.is_ascii_digit());
    rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && digits <= 8
        && ["", "alpha", "beta", "rc", "preview", "p"].contains(&stage)
}

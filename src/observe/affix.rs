//! Data with something around it in one path segment: `17.json`, `17:cancel`, `Orders(17)` (`spec/inference.md` 6.2).
//!
//! Owns the three forms. Refuses to own what is data (`classes`).

use super::classes::data_class;
use crate::model::observation::{DataClass, Path};

/// Longest word around data.
const WORD_MAX: usize = 30;

/// A segment taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Affixed<'a> {
    prefix: &'a str,
    /// The data.
    pub(super) core: &'a str,
    suffix: &'a str,
    pub(super) class: DataClass,
}

impl Affixed<'_> {
    /// Writes what stands around the data.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str(self.prefix);
        out.push(Path::CORE);
        out.push_str(self.suffix);
    }
}

/// Takes a decoded segment apart, if data is its core.
pub(super) fn split(text: &str) -> Option<Affixed<'_>> {
    called(text).or_else(|| followed(text, ':')).or_else(|| followed(text, '.'))
}

/// `Orders(17)`, `Orders('ALFKI')`: keys of `OData`, the quoted ones always values.
fn called(text: &str) -> Option<Affixed<'_>> {
    let (name, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    if !is_word(name) {
        return None;
    }
    let quoted = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\''));
    let core = quoted.unwrap_or(inner);
    let class = data_class(core).or(quoted.and(Some(DataClass::Token)))?;
    let prefix = text.get(..name.len() + 1 + usize::from(quoted.is_some()))?;
    let suffix = text.get(prefix.len() + core.len()..)?;
    Some(Affixed { prefix, core, suffix, class })
}

/// `17.json`, `17:cancel`: the first separator with data before it and words behind it.
fn followed(text: &str, separator: char) -> Option<Affixed<'_>> {
    text.match_indices(separator).find_map(|(at, _)| {
        let (core, suffix) = text.split_at_checked(at)?;
        let words = suffix.get(1..)?.split('.').all(is_word);
        let class = data_class(core).filter(|_| words)?;
        Some(Affixed { prefix: "", core, suffix, class })
    })
}

/// A letter, then letters, digits, `-` and `_`.
fn is_word(text: &str) -> bool {
    text.len() <= WORD_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

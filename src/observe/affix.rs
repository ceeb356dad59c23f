//! Data with something around it in one path segment: `17.json`, `17:cancel`, `Orders(17)`, `52.5,13.4`, `main...v2`
//! (`spec/inference.md` 6.2).
//!
//! Owns the forms, each with marks that names of things do not have: a slug with a dash, a version, a file, a host with its
//! port or an address stays whole, for a segment wrongly split is worse than one not split. Refuses to own what is data
//! (`classes`).

use smallvec::{SmallVec, smallvec};

use super::classes::data_class;
use crate::model::observation::{DataClass, Path, Segment};

/// Longest word around data.
const WORD_MAX: usize = 30;

/// A segment taken apart: parts that are data, with texts before, between and behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Affixed<'a> {
    /// At least one.
    parts: SmallVec<[Part<'a>; 3]>,
    /// Behind the last part.
    suffix: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    /// What stands between the part before, or the beginning, and this one.
    before: &'a str,
    data: &'a str,
    class: DataClass,
}

impl<'a> Affixed<'a> {
    /// Writes what stands around the data.
    pub(super) fn write(&self, out: &mut String) {
        for part in &self.parts {
            out.push_str(part.before);
            out.push(Path::CORE);
        }
        out.push_str(self.suffix);
    }

    /// The data of the first part.
    pub(super) fn data(&self) -> &'a str {
        self.parts.first().map_or("", |part| part.data)
    }

    /// The classes of all parts.
    pub(super) fn classes(&self) -> [Option<DataClass>; Segment::PARTS_MAX] {
        let mut classes = [None; Segment::PARTS_MAX];
        for (class, part) in classes.iter_mut().zip(&self.parts) {
            *class = Some(part.class);
        }
        classes
    }
}

/// Takes a decoded segment apart, if data is in it.
pub(super) fn split(text: &str) -> Option<Affixed<'_>> {
    marked(text).or_else(|| followed(text, ':')).or_else(|| followed(text, '.'))
}

/// Takes a segment apart by marks that secrets do not have, although it looks like one as a whole.
pub(super) fn marked(text: &str) -> Option<Affixed<'_>> {
    called(text).or_else(|| range(text)).or_else(|| coordinates(text)).or_else(|| at(text))
}

/// `Orders(17)`, `Orders('ALFKI')`, `Details(OrderID=17,Line=2)`: keys of `OData`, the quoted ones always values.
fn called(text: &str) -> Option<Affixed<'_>> {
    let (name, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    if !is_word(name) {
        return None;
    }
    let mut parts = SmallVec::new();
    let mut end = 0;
    let mut start = name.len() + 1;
    for key in inner.split(',') {
        let value = key.split_once('=').map_or(key, |(_, value)| value);
        let quoted = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let data = quoted.unwrap_or(value);
        let class = data_class(data).or(quoted.and(Some(DataClass::Token)))?;
        let named = key.len() == value.len() || is_word(key.split_once('=')?.0);
        let from = start + (key.len() - value.len()) + usize::from(quoted.is_some());
        parts.push(Part { before: text.get(end..from).filter(|_| named)?, data, class });
        end = from + data.len();
        start += key.len() + 1;
    }
    let suffix = text.get(end..)?;
    (parts.len() <= Segment::PARTS_MAX).then_some(Affixed { parts, suffix })
}

/// `1..10`, `main...feature`: dots in a row stand in no name.
fn range(text: &str) -> Option<Affixed<'_>> {
    let mark = if text.contains("...") { "..." } else { ".." };
    let (from, to) = text.split_once(mark)?;
    let whole = |part: &str| !part.is_empty() && !part.contains("..") && !part.starts_with('.');
    let part = |before| move |data| Part { before, data, class: value_class(data) };
    (whole(from) && whole(to))
        .then(|| Affixed { parts: smallvec![part("")(from), part(mark)(to)], suffix: "" })
}

/// `52.5,13.4`: two numbers and no more, since three may be a list; not both whole ones for the same reason.
fn coordinates(text: &str) -> Option<Affixed<'_>> {
    let (first, second) = text.split_once(',')?;
    let classes = (data_class(first)?, data_class(second)?);
    let number = |class| matches!(class, DataClass::Integer | DataClass::Decimal);
    let whole = classes == (DataClass::Integer, DataClass::Integer);
    (number(classes.0) && number(classes.1) && !whole).then(|| Affixed {
        parts: smallvec![
            Part { before: "", data: first, class: classes.0 },
            Part { before: ",", data: second, class: classes.1 },
        ],
        suffix: "",
    })
}

/// `settings@1795192793165`: something as it was at a time or in a version. Addresses of people and machines are none.
fn at(text: &str) -> Option<Affixed<'_>> {
    const STATES: [DataClass; 8] = [
        DataClass::Integer,
        DataClass::Digits,
        DataClass::Date,
        DataClass::DateTime,
        DataClass::Uuid,
        DataClass::Ulid,
        DataClass::ObjectId,
        DataClass::Hex,
    ];
    let (thing, state) = text.split_once('@')?;
    let class = data_class(state).filter(|class| STATES.contains(class))?;
    (!thing.is_empty()).then(|| Affixed {
        parts: smallvec![
            Part { before: "", data: thing, class: value_class(thing) },
            Part { before: "@", data: state, class },
        ],
        suffix: "",
    })
}

/// `17.json`, `17:cancel`: the first separator with data before it and words behind it.
fn followed(text: &str, separator: char) -> Option<Affixed<'_>> {
    text.match_indices(separator).find_map(|(at, _)| {
        let (data, suffix) = text.split_at_checked(at)?;
        let words = suffix.get(1..)?.split('.').all(is_word);
        let class = data_class(data).filter(|_| words)?;
        // `1.5.x` is a version, `17.example.com` a host.
        if separator == '.' && (class == DataClass::Decimal || !is_ending(suffix.get(1..)?)) {
            return None;
        }
        Some(Affixed { parts: smallvec![Part { before: "", data, class }], suffix })
    })
}

/// Whether dotted words are those of one format: `json`, `tar.gz`.
fn is_ending(words: &str) -> bool {
    words.split_once('.').is_none_or(|(first, rest)| {
        matches!(first, "tar" | "min" | "d") && !rest.contains('.')
            || matches!(rest, "gz" | "bz2" | "xz" | "zst" | "sig" | "asc" | "sha256" | "map")
    })
}

/// The class of what is a value by its place.
fn value_class(text: &str) -> DataClass {
    data_class(text).unwrap_or(DataClass::Token)
}

/// A letter, then letters, digits, `-` and `_`.
fn is_word(text: &str) -> bool {
    text.len() <= WORD_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

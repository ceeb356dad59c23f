//! What is kept of a body: a tape of tokens, texts as classes (`spec/inference.md` 4).
//!
//! Owns the tape and where each token stood in the body as sent. Refuses to own reading bodies (`observe`).

use std::sync::Arc;

use super::DataClass;

/// A body in one direction.
#[derive(Debug, Clone, Default)]
pub enum Body {
    #[default]
    Absent,
    /// One was sent and nothing is known of it.
    Unknown,
    /// Media that has no schema here.
    Opaque {
        media: Arc<str>,
    },
    /// Said to be JSON and is not.
    Malformed {
        media: Arc<str>,
    },
    Tape {
        media: Arc<str>,
        tape: Tape,
    },
    /// A sequence of documents.
    Items {
        media: Arc<str>,
        framing: Framing,
        items: Vec<Item>,
        /// Items that are no JSON.
        texts: u32,
        truncated: bool,
    },
}

/// How a sequence of documents is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framing {
    /// One after the other, in lines or not.
    Concatenated,
    /// JSON text sequences (RFC 7464).
    Sequence,
    /// Server-sent events.
    EventStream,
}

/// One document of a sequence.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The `event:` of a server-sent event; empty where there is none.
    pub event: Box<str>,
    pub tape: Tape,
}

/// The values of one body in document order, without their texts.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    pub tokens: Vec<Token>,
    /// One for each token: where it stands in the body.
    pub places: Vec<Place>,
    /// Names and enum candidates that tokens point into.
    pub texts: String,
    /// Only a prefix of the body was there.
    pub truncated: bool,
    /// Said to be text, and read as JSON.
    pub mislabelled: bool,
    /// Values behind the token limit.
    pub skipped: u32,
    /// Names given again in one object; the last one holds.
    pub duplicates: u32,
}

impl Tape {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        let Self { mut tokens, mut places, mut texts, .. } = std::mem::take(self);
        tokens.clear();
        places.clear();
        texts.clear();
        *self = Self { tokens, places, texts, ..Self::default() };
    }

    #[must_use]
    pub fn text(&self, span: TextSpan) -> &str {
        span.of(&self.texts)
    }
}

/// Where the text of a number, text or key stands in a JSON body: what is between the quotes, still escaped. Whoever may read
/// the body under its redaction plan finds the value there. All zero for other tokens and other syntaxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    start: u32,
    length: u32,
    /// It holds escapes.
    pub escaped: bool,
}

impl Place {
    /// Zero for places beyond 4 GiB, which no body reaches.
    #[must_use]
    pub fn new(start: usize, length: usize, escaped: bool) -> Self {
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) => Self { start, length, escaped },
            _ => Self::default(),
        }
    }

    /// The bytes there.
    #[must_use]
    pub fn of(self, body: &[u8]) -> &[u8] {
        let start = self.start as usize;
        body.get(start..start + self.length as usize).unwrap_or_default()
    }
}

/// A range in the texts of a tape or an observation; empty when nothing was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextSpan {
    pub start: u32,
    pub length: u16,
}

impl TextSpan {
    /// Appends a text; its span. One too long is not kept.
    pub fn keep(texts: &mut String, text: &str) -> Self {
        match (u32::try_from(texts.len()), u16::try_from(text.len())) {
            (Ok(start), Ok(length)) => {
                texts.push_str(text);
                Self { start, length }
            }
            _ => Self::default(),
        }
    }

    pub(super) fn of(self, texts: &str) -> &str {
        let start = self.start as usize;
        texts.get(start..start + usize::from(self.length)).unwrap_or_default()
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// One token of a tape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer beyond 64 bits.
    BigInteger,
    Float,
    /// `mark`: six bits of a hash of the value, to estimate how many distinct ones there are.
    Text {
        classes: Classes,
        kept: TextSpan,
        mark: u8,
    },
    /// A part of a form that is a file, with its media type.
    File {
        media: TextSpan,
    },
    /// A number whose value is withheld.
    HiddenNumber {
        integer: bool,
    },
    /// An object that is not looked into: withheld, or too deep.
    OpaqueObject,
    /// An array that is not looked into.
    OpaqueArray,
    /// Followed by `Key` and value for each member, then `End`. Only a closed one tells what is absent.
    /// `tagged`: a key may be a tag. `order`: hash of the keys in their order; 0 where one comes twice.
    Object {
        closed: bool,
        tagged: bool,
        instance: u64,
        order: u64,
    },
    Key(Key),
    /// Followed by its items, then `End`.
    Array {
        closed: bool,
        items: u32,
    },
    End,
}

/// The name of an object member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Keyed hash of the name; of the class's name for data.
    pub hash: u64,
    /// Empty for data.
    pub name: TextSpan,
    /// How word-like: 0 is most; decides which names survive a flood.
    pub rank: u8,
    /// Place from 1 in the list of names that choose among variants; 0: none of them.
    pub tag: u8,
    pub data: Option<DataClass>,
    /// The same name comes again later in this object, and the later one wins.
    pub superseded: bool,
    /// A built-in rule says that what stands under this name is a secret.
    pub secret: bool,
}

/// Everything that holds of a text: a bit per class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Classes(pub u32);

macro_rules! classes {
    ($($name:ident = $bit:literal $text:literal;)*) => {
        impl Classes {
            $(pub const $name: Self = Self(1 << $bit);)*

            /// Every class with its name, in the order of the bits.
            pub const NAMES: &'static [(Self, &'static str)] = &[$((Self::$name, $text)),*];
        }
    };
}

classes! {
    INTEGER = 0 "int";
    DIGITS = 1 "digits";
    DECIMAL = 2 "decimal";
    UUID = 3 "uuid";
    ULID = 4 "ulid";
    OBJECT_ID = 5 "objectid";
    HEX = 6 "hex";
    TOKEN = 7 "token";
    PREFIXED = 8 "prefixed";
    DATE = 9 "date";
    DATE_TIME = 10 "date-time";
    LOCAL_DATE_TIME = 11 "local-date-time";
    TIME = 12 "time";
    DURATION = 13 "duration";
    EMAIL = 14 "email";
    URI = 15 "uri";
    URI_PATH = 16 "uri-path";
    IPV4 = 17 "ipv4";
    IPV6 = 18 "ipv6";
    HOSTNAME = 19 "hostname";
    SEMVER = 20 "semver";
    BASE64 = 21 "base64";
    JWT = 22 "jwt";
    PHONE = 23 "phone";
    BOOLEAN = 24 "bool-word";
    KEYWORD = 25 "keyword";
    EMPTY = 26 "empty";
    SECRET = 27 "secret";
    LOCALE = 28 "locale";
    COUNTRY = 29 "country";
    CURRENCY = 30 "currency";
    COLOR = 31 "color";
}

impl Classes {
    pub const NONE: Self = Self(0);
    /// The neutral element of [`Self::and`].
    pub const ALL: Self = Self(u32::MAX);

    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all bits of `other` are set here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set here.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

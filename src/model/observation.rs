//! What is kept of an exchange after redaction: shapes, not values (`spec/inference.md` 4).
//!
//! Owns the observation, its token tape and the closed sets of classes. The maker is `observe`, the reader `infer`; the types
//! live here so that neither imports the other. The only texts in an observation are path segments, names, and short
//! keyword-like values that could become members of an enum; everything else is a class, a length or a keyed hash.

use std::sync::Arc;

/// One exchange as evidence sees it.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    pub method: Method,
    pub path: Path,
    /// Distinct query parameters in order of appearance.
    pub query: Vec<Parameter>,
    /// Request fields that may be parameters of the API.
    pub headers: Vec<Parameter>,
    /// Cookies that are no credentials, where they are looked at.
    pub cookies: Vec<Parameter>,
    /// The credentials, each as `kind TAB place TAB name`, sorted, one per line; empty for an anonymous request. Kind and
    /// place are the numbers of [`super::exchange::CredentialKind`] and [`super::exchange::CredentialPlace`].
    pub credentials: String,
    /// 100-599.
    pub status: u16,
    pub request: Body,
    pub response: Body,
    /// Response fields worth documenting.
    pub response_headers: Vec<Parameter>,
    /// Path segments that the accepted response repeats under an id-like key.
    pub echoes: Vec<Echo>,
    /// Values seen under id-like keys of an accepted response, and where a `Location` on 201 or 202 leads.
    pub ids: Vec<KnownId>,
    /// A redirect to the same path with a prefix, suffix or slash added: the server corrects its caller.
    pub canonical_redirect: bool,
    /// `scheme://authority` as the client used it; empty when unknown.
    pub server: String,
    /// What [`Parameter::kept`] and [`Echo::key`] point into.
    pub texts: String,
    pub consumer: u64,
    pub weight: u32,
    /// Unix milliseconds; serves shown figures only.
    pub time_ms: i64,
    /// Weeks since 1970, where evidence ages; else 0.
    pub epoch: u16,
    /// The member names of a refused request's body, where that is an object.
    pub refused_names: Option<RefusedNames>,
    /// Why this exchange is never learned from.
    pub noise: Option<Noise>,
}

impl Observation {
    /// Whether the server accepted the request, so that it shows how the API is meant to be used (9.1).
    #[must_use]
    pub fn accepted(&self) -> bool {
        match self.status {
            200..=299 | 304 => true,
            301 | 308 => false,
            300..=399 => !self.canonical_redirect,
            _ => false,
        }
    }

    /// A text of this observation.
    #[must_use]
    pub fn text(&self, span: TextSpan) -> &str {
        span.of(&self.texts)
    }
}

/// Member names of a refused body, as keyed hashes; names that are data are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefusedNames {
    pub root: Vec<u64>,
    /// Those of the objects that members of the root are, by the name of the member.
    pub below: Vec<(u64, Vec<u64>)>,
}

/// Request methods; the first eight are those that OpenAPI can describe, in its canonical order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    #[default]
    Get,
    Put,
    Post,
    Delete,
    Options,
    Head,
    Patch,
    Trace,
    Other(Box<str>),
}

impl Method {
    pub const DOCUMENTED: [Self; 8] = [
        Self::Get,
        Self::Put,
        Self::Post,
        Self::Delete,
        Self::Options,
        Self::Head,
        Self::Patch,
        Self::Trace,
    ];

    /// Reads the method of a request line; case matters (RFC 9110 section 9.1).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::DOCUMENTED
            .into_iter()
            .find(|method| method.as_str() == text)
            .unwrap_or_else(|| Self::Other(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Trace => "TRACE",
            Self::Other(text) => text,
        }
    }
}

/// A normalised path: prefix stripped, escapes canonical, empty segments folded.
#[derive(Debug, Clone, Default)]
pub struct Path {
    /// The texts of all segments that may be kept, one after the other.
    pub text: String,
    pub segments: Vec<Segment>,
    pub trailing_slash: bool,
}

impl Path {
    /// Stands for the part that is data; paths with control characters are no paths.
    pub const CORE: char = '\u{1}';

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.segments.clear();
        self.trailing_slash = false;
    }

    /// The text of a segment; empty where it is data that may not be kept.
    #[must_use]
    pub fn text_of(&self, segment: &Segment) -> &str {
        self.text.get(segment.start as usize..segment.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub class: SegmentClass,
    /// The classes of its parts that are data, the first one its own class; none where it is not taken apart. The text kept
    /// is what stands around them: `.json` of `17.json`, with [`Path::CORE`] in place of each part.
    pub parts: [Option<DataClass>; Self::PARTS_MAX],
    /// Byte range in [`Path::text`].
    pub start: u32,
    pub end: u32,
    /// Keyed hash of the whole decoded text, or of the first part, kept or not.
    pub hash: u64,
    /// Keyed hash of its singular in lower case, under which ids of the collection are known.
    pub word: u64,
}

impl Segment {
    /// Most parts of one segment that are told apart.
    pub const PARTS_MAX: usize = 3;

    /// Whether something stands around its data.
    #[must_use]
    pub fn is_affixed(&self) -> bool {
        self.parts.first().is_some_and(Option::is_some)
    }
}

/// What a path segment looks like (6.2), first match in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentClass {
    /// `v1`, `v2.1beta`: always literal.
    Version,
    /// `search`, `me`: words that are never a value.
    Reserved,
    /// Always a value.
    Data(DataClass),
    /// One word of the lexicon.
    Word,
    /// Two or three words of the lexicon, joined.
    Words,
    /// One unknown word that could be one.
    Plain,
    /// A word with digits.
    WordDigits,
    /// Like a host name.
    Dotted,
    /// Long, or of many parts, or not ASCII.
    Other,
    /// One unknown word that hardly could be one.
    Improbable,
}

impl SegmentClass {
    /// Whether a segment of this class is a literal at sight.
    #[must_use]
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Version | Self::Reserved)
    }

    /// Whether only evidence can tell literal from value.
    #[must_use]
    pub fn is_soft(self) -> bool {
        !self.is_fixed() && self.data().is_none()
    }

    #[must_use]
    pub fn data(self) -> Option<DataClass> {
        match self {
            Self::Data(class) => Some(class),
            _ => None,
        }
    }
}

/// Kinds of texts that are data wherever they stand: in paths, as map keys, as parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataClass {
    Integer,
    /// Digits with leading zeros, or more than fit an integer.
    Digits,
    Decimal,
    Date,
    DateTime,
    Uuid,
    Ulid,
    ObjectId,
    Hex,
    /// `cus_9s8d7f6g5h`: a short word and a random tail.
    Prefixed,
    Token,
    Email,
    Ip,
    Jwt,
    Secret,
}

impl DataClass {
    pub const ALL: [Self; 15] = [
        Self::Integer,
        Self::Digits,
        Self::Decimal,
        Self::Date,
        Self::DateTime,
        Self::Uuid,
        Self::Ulid,
        Self::ObjectId,
        Self::Hex,
        Self::Prefixed,
        Self::Token,
        Self::Email,
        Self::Ip,
        Self::Jwt,
        Self::Secret,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "int",
            Self::Digits => "digits",
            Self::Decimal => "decimal",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Uuid => "uuid",
            Self::Ulid => "ulid",
            Self::ObjectId => "objectid",
            Self::Hex => "hex",
            Self::Prefixed => "prefixed",
            Self::Token => "token",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Jwt => "jwt",
            Self::Secret => "secret",
        }
    }
}

/// One query parameter or field of a message, all its values taken together.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// A step in brackets that is data is replaced by [`brackets::DATA`](super::brackets::DATA) and its class.
    pub name: Arc<str>,
    /// Keyed hash of the name.
    pub hash: u64,
    /// How often it was given, at least 1.
    pub repeats: u32,
    /// Classes that hold for all its values.
    pub classes: Classes,
    /// Six bits of a hash of its value, to estimate how many distinct ones there are.
    pub mark: u8,
    /// Given without `=`.
    pub bare: bool,
    /// The separator that splits its value, and what the items are.
    pub list: Option<List>,
    /// The value, where it could become the member of an enum.
    pub kept: TextSpan,
}

/// A value with a separator in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    pub separator: char,
    /// At least 2.
    pub items: u32,
    /// Classes that all items share.
    pub classes: Classes,
}

/// A path segment repeated by the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// Index into [`Path::segments`].
    pub segment: usize,
    /// The key that repeats it.
    pub key: TextSpan,
    pub strong: bool,
}

/// A value seen under an id-like key, with the collection it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownId {
    /// Keyed hash of the value.
    pub value: u64,
    /// Keyed hash of the singular of the collection: of the key's own noun (`user` of `user_id`), else of the last word of
    /// the path it came from.
    pub collection: u64,
    pub strong: bool,
}

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

    fn of(self, texts: &str) -> &str {
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

/// Why an exchange is never learned from (9.3, 9.4), in the order in which the reasons are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noise {
    OwnTest,
    /// It did not end well: cut off, timed out, answered by the proxy.
    Incomplete,
    Preflight,
    /// OPTIONS, CONNECT, and TRACE that echoes.
    Method,
    BadPath,
    Scanner,
    Asset,
    Grpc,
    GraphQl,
    JsonRpc,
    Soap,
    WebSocket,
}

impl Noise {
    pub const ALL: [Self; 12] = [
        Self::OwnTest,
        Self::Incomplete,
        Self::Preflight,
        Self::Method,
        Self::BadPath,
        Self::Scanner,
        Self::Asset,
        Self::Grpc,
        Self::GraphQl,
        Self::JsonRpc,
        Self::Soap,
        Self::WebSocket,
    ];

    /// Whether it is another protocol than plain HTTP with resources (9.4).
    #[must_use]
    pub fn is_protocol(self) -> bool {
        matches!(self, Self::Grpc | Self::GraphQl | Self::JsonRpc | Self::Soap | Self::WebSocket)
    }

    /// The name in reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnTest => "own-test",
            Self::Incomplete => "incomplete",
            Self::Preflight => "preflight",
            Self::Method => "method",
            Self::BadPath => "bad-path",
            Self::Scanner => "scanner",
            Self::Asset => "asset",
            Self::Grpc => "grpc",
            Self::GraphQl => "graphql",
            Self::JsonRpc => "json-rpc",
            Self::Soap => "soap",
            Self::WebSocket => "websocket",
        }
    }
}

//! What is kept of an exchange after redaction: shapes, not values (`spec/inference.md` 4).
//!
//! Owns the observation, its token tape and the closed sets of classes. The maker is `observe`, the reader `infer`; the types
//! live here so that neither imports the other. The only texts in an observation are path segments, names, and short
//! keyword-like values that could become members of an enum; everything else is a class, a length or a keyed hash.

mod body;

use std::sync::Arc;

pub use body::{Body, Classes, Framing, Item, Key, Place, Tape, TextSpan, Token};

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

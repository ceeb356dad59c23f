//! The exchange as the analysis sees it: parsed, decoded, and redacted as far as values go.
//!
//! Owns the form between the border and the pure folders. The border (`capture`) is the only maker; `observe`, `contract` and
//! `events` are the readers. Credentials never get this far: a field or parameter under redaction arrives as
//! [`Text::Redacted`], and bodies travel with the [`Plan`] that every reader of them must apply.

use std::sync::Arc;

use bytes::Bytes;

use super::capture::Outcome;
use super::media::MediaType;
use super::redaction::Plan;

/// One redacted exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Time-ordered id (UUIDv7 text), the start of every causal chain.
    pub id: String,
    pub api: Arc<str>,
    /// Unix milliseconds at the start; 0 when a recording gives none.
    pub time_ms: i64,
    /// From the first byte in to the last byte out, microseconds.
    pub duration_us: u64,
    pub outcome: Outcome,
    /// Marked and verified as a request of our own contract tests: shown, never learned from or judged.
    pub own_test: bool,
    pub weight: u32,
    /// Keyed hash of the credential, else of the address; loopback and absent addresses share one value.
    pub consumer: u64,
    /// `https` or `http`, as the client used it.
    pub secure: bool,
    /// Lower-cased host without port of `:authority`, absolute-form target or `Host`.
    pub host: Option<String>,
    /// The same with its port, as sent; what `servers` in a specification is made of.
    pub authority: Option<String>,
    /// Upper-case as sent; unknown methods pass.
    pub method: String,
    /// Raw path up to `?`, undecoded.
    pub path: String,
    /// Raw text after `?`; present and empty for a bare `?`.
    pub query: Option<String>,
    pub credentials: Vec<Credential>,
    pub request: Message,
    /// 100-599.
    pub status: u16,
    pub response: Message,
    /// How bodies have to be read.
    pub plan: Arc<Plan>,
}

/// Fields and body of one direction.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// In order of arrival, names in lower case, several lines of a name as several entries.
    pub fields: Vec<Field>,
    /// Of `content-type`; none when absent or unparsable (then [`Message::media_malformed`]).
    pub media: Option<MediaType>,
    pub media_malformed: bool,
    pub body: Body,
    /// Body bytes that passed on the wire.
    pub wire_bytes: u64,
}

impl Message {
    /// The first readable value of a field; `name` in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| &*field.name == name).and_then(|field| field.value.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Lower case.
    pub name: Box<str>,
    pub value: Text,
}

/// A text that may have been withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// UTF-8, or Latin-1 read as such.
    Plain(Box<str>),
    /// Withheld: only its length in bytes is known.
    Redacted(usize),
}

impl Text {
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Redacted(_) => None,
        }
    }
}

/// A content-decoded body, or why there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// None was sent.
    #[default]
    Absent,
    /// One was sent and nothing of it is known (dropped, not recorded).
    Unknown,
    /// One was sent that cannot be read: unknown or broken coding, or media that is never kept.
    Opaque,
    /// Decoded bytes. `truncated`: a prefix. UTF-8 for text; other charsets were converted.
    Bytes { bytes: Bytes, truncated: bool },
}

impl Body {
    /// The whole body, if it is whole.
    #[must_use]
    pub fn complete(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes { bytes, truncated: false } => Some(bytes),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Kind and place of a credential that a request carried, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Credential {
    pub kind: CredentialKind,
    pub place: CredentialPlace,
    /// Field, parameter or cookie name: lower case for fields, as sent for the others.
    pub name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialKind {
    /// `Authorization: Bearer` with a JSON Web Token.
    BearerJwt,
    Bearer,
    Basic,
    Digest,
    /// Another `Authorization` scheme.
    OtherScheme,
    ApiKey,
    /// A cookie that looks like a login; believed only with proof.
    SessionCookie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialPlace {
    Header,
    Query,
    Cookie,
}

//! Patterns over event types: an exact name, `prefix.*` at any depth, or `*`.
//!
//! Owns reading and matching one pattern. Matching many at once is `webhooks::subscribe`.

use std::fmt;

use super::catalogue;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// This type alone.
    Exact(String),
    /// With its trailing dot: every type below.
    Prefix(String),
    /// Every type but operational ones.
    Any,
}

impl Pattern {
    /// Reads a pattern; none for what no type name can match.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('*') {
            None => is_type_name(text).then(|| Self::Exact(text.to_owned())),
            Some("") => Some(Self::Any),
            Some(prefix) => {
                let name = prefix.strip_suffix('.')?;
                is_type_name(name).then(|| Self::Prefix(prefix.to_owned()))
            }
        }
    }

    /// Whether an event of this type is meant. `*` never means an operational one: those must be named.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        match self {
            Self::Exact(name) => name == kind,
            Self::Prefix(prefix) => kind.len() > prefix.len() && kind.starts_with(prefix.as_str()),
            Self::Any => !catalogue::is_operational(kind),
        }
    }

    /// Whether any type of the catalogue is meant. A custom type may still come.
    #[must_use]
    pub fn is_known(&self) -> bool {
        catalogue::CATALOGUE.iter().any(|known| self.matches(known.name))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => formatter.write_str(name),
            Self::Prefix(prefix) => write!(formatter, "{prefix}*"),
            Self::Any => formatter.write_str("*"),
        }
    }
}

/// `[a-z][a-z0-9_]*(\.[a-z0-9_]+)*`, 1-64 characters.
#[must_use]
pub fn is_type_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(legal))
}

//! Media types (RFC 9110 section 8.3.1): parsed once, compared without case.
//!
//! Owns parsing and the questions asked of a type (is it JSON, is it text). Refuses to own charsets: the border converts.

use std::fmt;

/// `type/subtype` in lower case with its parameters in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType {
    essence: Box<str>,
    /// Names in lower case, values unquoted.
    parameters: Vec<(Box<str>, Box<str>)>,
}

impl MediaType {
    /// Parses a `Content-Type` value. None for anything that is not `token/token` with parameters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let parameters = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                (name.trim().to_ascii_lowercase().into(), value.trim().trim_matches('"').into())
            })
            .collect();
        Some(Self { essence: essence.into(), parameters })
    }

    /// `type/subtype`, lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
    }

    #[must_use]
    pub fn parameters(&self) -> &[(Box<str>, Box<str>)] {
        &self.parameters
    }

    /// `application/json` or any `+json` (RFC 6839).
    #[must_use]
    pub fn is_json(&self) -> bool {
        &*self.essence == "application/json" || self.essence.ends_with("+json")
    }

    #[must_use]
    pub fn is_form(&self) -> bool {
        &*self.essence == "application/x-www-form-urlencoded"
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.essence)?;
        for (name, value) in &self.parameters {
            write!(formatter, ";{name}={value}")?;
        }
        Ok(())
    }
}

/// RFC 9110 section 5.6.2; `*` is a token character, so ranges parse too.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

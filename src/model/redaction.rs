//! What must not be read: the compiled redaction plan of an API.
//!
//! Owns the decision "may the value at this place be read?" for fields, query parameters and body places. Refuses to own
//! value rules (tokens, card numbers, e-mail addresses): those classify a text that may be read and live in `observe`.
//! The plan travels with every exchange, so that no reader can forget it.

/// Key names whose values are never read, compared as [`fold`] writes them, whole or as the last word.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "clientsecret",
    "credential",
    "authorization",
    "otp",
    "pin",
    "cvv",
    "cvc",
    "cardnumber",
    "pan",
    "iban",
    "ssn",
    "taxid",
    "passport",
    "sid",
    "signature",
];

/// Those of two words: recognised at the end of a name however it is written (`X-Api-Key`).
const SECRET_PAIRS: &[&str] =
    &["apikey", "accesskey", "privatekey", "clientsecret", "cardnumber", "taxid"];

/// Fields that carry credentials by definition.
const SECRET_FIELDS: &[&str] =
    &["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/// The compiled plan of one API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    headers: Vec<Box<str>>,
    query: Vec<Box<str>>,
    body: Vec<BodyPath>,
}

/// `a.b`, `*.password`, `items.*.card`: names from the root, `*` for any one step; a single name preceded by `*.` matches at
/// any depth.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BodyPath {
    anywhere: bool,
    steps: Vec<Box<str>>,
}

impl Plan {
    /// Compiles configured names; header names in any case, body paths as documented at `apis[].redact.body`.
    #[must_use]
    pub fn new(headers: &[String], query: &[String], body: &[String]) -> Self {
        Self {
            headers: headers.iter().map(|name| name.to_ascii_lowercase().into()).collect(),
            query: query.iter().map(|name| name.as_str().into()).collect(),
            body: body.iter().map(|path| BodyPath::parse(path)).collect(),
        }
    }

    /// Whether the value of the field `name` (lower case) must not be read.
    #[must_use]
    pub fn hides_field(&self, name: &str) -> bool {
        SECRET_FIELDS.contains(&name)
            || name.contains("token")
            || name.contains("secret")
            || is_secret_name(name)
            || self.headers.iter().any(|known| &**known == name)
    }

    /// Whether the value of the query parameter or cookie `name` must not be read.
    #[must_use]
    pub fn hides_parameter(&self, name: &str) -> bool {
        is_secret_name(name) || self.query.iter().any(|known| &**known == name)
    }

    /// Whether the value below the given steps (object keys; `*` for array items) must not be read.
    #[must_use]
    pub fn hides_body(&self, steps: &[&str]) -> bool {
        steps.last().is_some_and(|name| is_secret_name(name))
            || self.body.iter().any(|path| path.matches(steps))
    }

    /// Whether a configured path names the value below the given steps; unlike [`Self::hides_body`] it asks no built-in rule.
    #[must_use]
    pub fn names_body(&self, steps: &[&str]) -> bool {
        self.body.iter().any(|path| path.matches(steps))
    }

    /// Whether any configured body path exists: without one, only the last name decides and no path need be kept.
    #[must_use]
    pub fn has_body_paths(&self) -> bool {
        !self.body.is_empty()
    }
}

impl BodyPath {
    fn parse(text: &str) -> Self {
        let (anywhere, rest) = match text.strip_prefix("*.") {
            Some(rest) if !rest.contains('.') => (true, rest),
            _ => (false, text),
        };
        Self { anywhere, steps: rest.split('.').map(Into::into).collect() }
    }

    fn matches(&self, steps: &[&str]) -> bool {
        if self.anywhere {
            return steps
                .last()
                .is_some_and(|last| self.steps.last().is_some_and(|known| &**known == *last));
        }
        steps.len() == self.steps.len()
            && self
                .steps
                .iter()
                .zip(steps)
                .all(|(known, step)| &**known == "*" || &**known == *step)
    }
}

/// Whether a key name says that its value is a secret: the whole name, or its last word (`userPassword`, `card_pin`). Asked for
/// every member of every body, so it does not allocate.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    if name.len() > NAME_MAX {
        return false;
    }
    let mut buffer = [0; NAME_MAX];
    let folded = fold(name, &mut buffer);
    SECRET_NAMES.contains(&folded)
        || SECRET_PAIRS.iter().any(|pair| folded.ends_with(pair))
        || SECRET_NAMES.contains(&fold(last_word(name), &mut buffer))
}

/// Longer names are no words.
const NAME_MAX: usize = 64;

/// Lower case without `_` and `-`; empty for names that are not ASCII, which no secret name is.
fn fold<'a>(name: &str, buffer: &'a mut [u8; NAME_MAX]) -> &'a str {
    let kept = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
    let length =
        kept.zip(buffer.iter_mut()).map(|(byte, place)| *place = byte.to_ascii_lowercase()).count();
    buffer.get(..length).and_then(|folded| std::str::from_utf8(folded).ok()).unwrap_or_default()
}

/// The last word of a snake, kebab or camel case name.
fn last_word(name: &str) -> &str {
    let tail = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    let bytes = tail.as_bytes();
    let rises = |pair: &[u8]| matches!(pair, [before, here] if before.is_ascii_lowercase() && here.is_ascii_uppercase());
    let start = bytes.windows(2).rposition(rises).map_or(0, |at| at + 1);
    tail.get(start..).unwrap_or(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_known_whole_or_by_their_last_word() {
        for name in [
            "password",
            "userPassword",
            "card_pin",
            "X-Api-Key",
            "client_secret",
            "accessToken",
            "API_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["shipping", "pinned", "tokens_used", "keyboard", "span", "opinion"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn body_paths_match_exactly_or_anywhere() {
        let plan = Plan::new(&[], &[], &["*.note".into(), "items.*.card".into()]);
        assert!(plan.hides_body(&["a", "b", "note"]));
        assert!(plan.hides_body(&["items", "*", "card"]));
        assert!(!plan.hides_body(&["items", "card"]));
    }
}

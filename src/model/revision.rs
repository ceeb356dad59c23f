//! Spec revisions: immutable OpenAPI documents named by their content.
//!
//! Owns the id (a hash of the document without `x-driftgate*` members) and the record of where a revision came from.
//! Refuses to own reading and judging (`contract`) and keeping (`store`).

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// `sha256:` and 64 hexadecimal digits of the canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionId(Arc<str>);

impl RevisionId {
    /// The id of a document: SHA-256 over its canonical JSON without `x-driftgate*` members, so that counts may move while
    /// the contract does not.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut hasher = Sha256::new();
        write_canonical(document, &mut |bytes| hasher.update(bytes));
        Self(format!("sha256:{}", super::hash::hexadecimal(&hasher.finalize())).into())
    }

    /// Reads an id back from its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        (hex.len() == 64
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()))
        .then(|| Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, as shown to people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(7..19).unwrap_or(&self.0)
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where a revision came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    Predefined,
    Learned,
    Promoted,
}

impl Origin {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Predefined => "predefined",
            Self::Learned => "learned",
            Self::Promoted => "promoted",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Predefined, Self::Learned, Self::Promoted]
            .into_iter()
            .find(|origin| origin.as_str() == text)
    }
}

/// One revision with its document as written.
#[derive(Debug, Clone)]
pub struct Revision {
    pub id: RevisionId,
    pub api: Arc<str>,
    pub origin: Origin,
    /// JSON or YAML, byte for byte as it was read or projected.
    pub text: Arc<str>,
    pub created_ms: i64,
    pub parent: Option<RevisionId>,
    /// Why it was made, for people.
    pub reason: String,
}

/// The canonical text of a value (RFC 8785), without members named `x-driftgate*`.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut bytes = Vec::new();
    write_canonical(value, &mut |part| bytes.extend_from_slice(part));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// RFC 8785 canonical JSON without members named `x-driftgate*`: members sorted by UTF-16 code units, shortest numbers.
fn write_canonical(value: &Value, sink: &mut impl FnMut(&[u8])) {
    match value {
        Value::Array(items) => {
            sink(b"[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    sink(b",");
                }
                write_canonical(item, sink);
            }
            sink(b"]");
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> =
                members.iter().filter(|(name, _)| !name.starts_with("x-driftgate")).collect();
            sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            sink(b"{");
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    sink(b",");
                }
                sink(Value::String(name.clone()).to_string().as_bytes());
                sink(b":");
                write_canonical(member, sink);
            }
            sink(b"}");
        }
        Value::Number(number) => match number.as_f64() {
            // 1.0 and 1 are one number in JSON Schema and in RFC 8785; integers beyond 2^53 keep their digits here.
            Some(float)
                if number.is_f64()
                    && float.fract() == 0.0
                    && float.abs() < 9_007_199_254_740_992.0 =>
            {
                sink(format!("{float:.0}").as_bytes());
            }
            _ => sink(number.to_string().as_bytes()),
        },
        scalar => sink(scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_ignore_member_order_number_spelling_and_our_extensions() {
        let first = json!({"a": 1, "b": {"x-driftgate-evidence": {"n": 1}, "c": 2}});
        let second = json!({"b": {"c": 2.0, "x-driftgate-evidence": {"n": 9}}, "a": 1});
        assert_eq!(RevisionId::of(&first), RevisionId::of(&second));
        assert_ne!(RevisionId::of(&first), RevisionId::of(&json!({"a": 2, "b": {"c": 2}})));
    }

    #[test]
    fn ids_read_back() {
        let id = RevisionId::of(&json!({}));
        assert_eq!(RevisionId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(id.short().len(), 12);
        assert_eq!(RevisionId::parse("sha256:12"), None);
    }
}

//! A text that must not be seen: redacted wherever it could be printed, zeroed when dropped.
//!
//! Owns the wrapper and the three ways in which a config file may give one. Refuses to own where the text comes from (`config`
//! reads files and the environment) and how it is kept at rest (`store::seal`).

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What stands where a secret would.
pub const MASK: &str = "***";

/// A secret text. `Debug` and `Display` print `***`; only [`Secret::reveal`] reads it, at the place of use.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    /// Takes the same time wherever the texts differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Where the config file says that a secret is: the text itself, `{file: PATH}` or `{env: NAME}`. Refused over the API but for
/// the text.
///
/// A part shows its sources through a `secrets` method; `config` replaces each by [`SecretSource::Text`] before any part runs.
/// Serialised, a text is `***`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Text(Secret),
    File(PathBuf),
    Env(String),
}

/// Called with the JSON pointer of each secret below the part, and the secret.
pub type VisitSecret<'a> = &'a mut dyn FnMut(&str, &mut SecretSource);

impl SecretSource {
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Secret::new(text))
    }

    /// The secret, once `config` has read it.
    #[must_use]
    pub fn resolved(&self) -> Option<&Secret> {
        match self {
            Self::Text(secret) => Some(secret),
            Self::File(_) | Self::Env(_) => None,
        }
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(_) => serializer.serialize_str(MASK),
            Self::File(path) => one_member(serializer, "file", &path.to_string_lossy()),
            Self::Env(name) => one_member(serializer, "env", name),
        }
    }
}

fn one_member<S: Serializer>(serializer: S, name: &str, value: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, `{file: PATH}` or `{env: NAME}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::text(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<SecretSource, E> {
        Ok(SecretSource::text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let source = match map.next_entry::<String, String>()? {
            Some((name, path)) if name == "file" => SecretSource::File(path.into()),
            Some((name, variable)) if name == "env" => SecretSource::Env(variable),
            _ => return Err(de::Error::custom("expected `{file: PATH}` or `{env: NAME}`")),
        };
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(de::Error::custom("one of `file` and `env` is enough")),
        }
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |name: &str, description: &str| {
            json_schema!({
                "type": "object",
                "properties": {name: {"type": "string", "minLength": 1, "description": description}},
                "required": [name],
                "additionalProperties": false
            })
        };
        json_schema!({
            "description": "A secret: its text, or where to read it. Never shown again.",
            "anyOf": [
                {"type": "string"},
                one("file", "Path of a file with the secret; a final line break is dropped."),
                one("env", "Name of an environment variable with the secret."),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_in_three_forms_and_never_written_out() {
        let read = |text| serde_json::from_str::<SecretSource>(text);
        let text = read(r#""open sesame""#).expect("a text");
        assert_eq!(text, SecretSource::text("open sesame"));
        assert_eq!(read(r#"{"file":"a/b"}"#).expect("a file"), SecretSource::File("a/b".into()));
        assert_eq!(read(r#"{"env":"TOKEN"}"#).expect("a name"), SecretSource::Env("TOKEN".into()));
        for wrong in [r#"{"file":"a","env":"b"}"#, "{}", r#"{"fiel":"a"}"#, "7"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let shown = format!("{text:?} {}", serde_json::to_string(&text).expect("written"));
        assert!(!shown.contains("sesame"), "{shown}");
    }
}

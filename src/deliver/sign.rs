//! Signatures by Standard Webhooks: making and checking them (`spec/delivery.md` 6).
//!
//! Owns keys, the signed text and its two directions. Bytes are signed, not text: bodies need not be UTF-8. Refuses to own
//! where secrets are kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::model::secret::Secret;

pub const ID_HEADER: &str = "webhook-id";
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a timestamp may be off, seconds.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Secrets that are valid at once, during rotations.
pub const KEYS_MAX: usize = 5;

const PREFIX: &str = "whsec_";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// One HMAC key.
#[derive(Clone)]
pub struct Key(Zeroizing<Vec<u8>>);

/// What is wrong with a secret. Never says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    #[error("the secret is not `whsec_` and base64")]
    Spelling,
    #[error("the secret has {0} bytes; 24 to 64 are safe")]
    Length(usize),
}

impl Key {
    /// Reads `whsec_` and base64 of 24 to 64 bytes; the prefix may be missing.
    ///
    /// # Errors
    /// When it is spelled otherwise or has another length.
    pub fn read(secret: &str) -> Result<Self, BadSecret> {
        let text = secret.trim();
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = STANDARD.decode(encoded).map_err(|_| BadSecret::Spelling)?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(BadSecret::Length(bytes.len()));
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// `v1,` and the base64 of the HMAC-SHA256 of `<id>.<timestamp>.<body>`.
    #[must_use]
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, timestamp, body)))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(***)")
    }
}

/// `whsec_` and the base64 of 32 random bytes.
#[must_use]
pub fn new_secret(random: [u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(random)))
}

/// The value of `webhook-signature`: one signature for each key, separated by spaces.
#[must_use]
pub fn sign(keys: &[Key], id: &str, unix_seconds: i64, body: &[u8]) -> String {
    let timestamp = unix_seconds.to_string();
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(id, &timestamp, body)).collect();
    signatures.join(" ")
}

/// What a receiver has in hand.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub id: Option<&'a str>,
    pub timestamp: Option<&'a str>,
    pub signature: Option<&'a str>,
    pub body: &'a [u8],
}

/// Why a request is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistrust {
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` is not a time in Unix seconds")]
    Timestamp(String),
    #[error("the timestamp is {seconds} s too old; is this a replay, or is a clock wrong?")]
    TooOld { seconds: i64 },
    #[error("the timestamp is {seconds} s in the future; is a clock wrong?")]
    TooNew { seconds: i64 },
    #[error("the header `webhook-signature` holds no `v1` signature")]
    NoSignature,
    #[error("no signature fits: the body was changed, or it was signed with another secret")]
    Mismatch,
}

/// Checks a request in constant time, against any of several keys.
///
/// # Errors
/// The first thing that fails.
pub fn verify(
    keys: &[Key],
    signed: Signed<'_>,
    now_seconds: i64,
    tolerance_seconds: i64,
) -> Result<(), Mistrust> {
    let id = signed.id.ok_or(Mistrust::Missing(ID_HEADER))?;
    let timestamp = signed.timestamp.ok_or(Mistrust::Missing(TIMESTAMP_HEADER))?;
    let signatures = signed.signature.ok_or(Mistrust::Missing(SIGNATURE_HEADER))?;
    let seconds: i64 = timestamp.parse().map_err(|_| Mistrust::Timestamp(timestamp.to_owned()))?;
    let age = now_seconds.saturating_sub(seconds);
    if age > tolerance_seconds {
        return Err(Mistrust::TooOld { seconds: age });
    }
    if age < -tolerance_seconds {
        return Err(Mistrust::TooNew { seconds: -age });
    }
    let given: Vec<_> = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .collect();
    if given.is_empty() {
        return Err(Mistrust::NoSignature);
    }
    let mut fits = subtle::Choice::from(0);
    for key in keys {
        let expected = key.mac(id, timestamp, signed.body);
        for signature in &given {
            fits |= expected.as_slice().ct_eq(signature);
        }
    }
    if fits.into() { Ok(()) } else { Err(Mistrust::Mismatch) }
}

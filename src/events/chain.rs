//! The mark of requests that driftgate sends itself: the header `driftgate-chain` (`spec/actions.md` 8,
//! `spec/contract-test.md` 8).
//!
//! Owns its text, making and verifying it. The border asks whether a request is one of our own contract tests; nobody can hide
//! from learning by inventing the header, because the mark carries a MAC (HMAC-SHA256, RFC 2104) and an age. Refuses to own the
//! clock and the keeping of the key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::hash::hexadecimal;

/// Name of the header, lower case.
pub const HEADER: &str = "driftgate-chain";

/// How long a mark is believed, and how far its time may lie ahead of ours since clocks differ; milliseconds.
const AGE_MS_MAX: i64 = 86_400_000;
const AHEAD_MS_MAX: i64 = 300_000;
/// Longer texts are not ours.
const BYTES_MAX: usize = 1_024;
/// Joins the ids of a path; no id holds it.
const PATH_JOINT: char = '~';

/// The key of the MAC, kept in the data directory and shared with whoever sends marked requests from the shell.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 64 hexadecimal digits, as the key file holds them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(unhex(text.trim())?);
        <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Self::new)
    }

    /// The text of the key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hexadecimal(self.0.as_slice()))
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .expect("an HMAC takes keys of every length");
        mac.update(HEADER.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(***)")
    }
}

/// What sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A contract test: never learned from.
    Test,
    /// A custom action.
    Action,
    /// A step of a workflow.
    Workflow,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Test, Self::Action, Self::Workflow];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Action => "action",
            Self::Workflow => "workflow",
        }
    }
}

/// The causal chain that a request continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub kind: Kind,
    /// Correlation id of the chain; of a contract test the id of the run.
    pub correlation: String,
    pub depth: u32,
    /// Ids of the actions and workflows passed.
    pub path: Vec<String>,
    /// When it was made, Unix milliseconds.
    pub time_ms: i64,
}

impl Chain {
    /// The value of the header: kind, correlation id, depth, path, time and MAC, joined by dots.
    #[must_use]
    pub fn seal(&self, key: &Key) -> String {
        let Self { kind, correlation, depth, path, time_ms } = self;
        let path = path.join(&PATH_JOINT.to_string());
        let text = format!("{}.{correlation}.{depth}.{path}.{time_ms}", kind.as_str());
        let mac = hexadecimal(&key.mac(&text).finalize().into_bytes());
        format!("{text}.{mac}")
    }

    /// Reads a header value back. None for anything that this key did not seal within the last 24 hours.
    #[must_use]
    pub fn open(value: &str, key: &Key, now_ms: i64) -> Option<Self> {
        if value.len() > BYTES_MAX {
            return None;
        }
        let (text, mac) = value.rsplit_once('.')?;
        key.mac(text).verify_slice(&unhex(mac)?).ok()?;
        // A correlation id from outside may hold dots, so the fields after it are taken from the end.
        let (kind, rest) = text.split_once('.')?;
        let mut fields = rest.rsplitn(4, '.');
        let (time, path, depth) = (fields.next()?, fields.next()?, fields.next()?);
        let chain = Self {
            kind: Kind::ALL.into_iter().find(|known| known.as_str() == kind)?,
            correlation: fields.next()?.to_owned(),
            depth: depth.parse().ok()?,
            path: path.split(PATH_JOINT).filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            time_ms: time.parse().ok()?,
        };
        let age_ms = now_ms.checked_sub(chain.time_ms)?;
        (-AHEAD_MS_MAX..=AGE_MS_MAX).contains(&age_ms).then_some(chain)
    }
}

/// Whether a header value marks a request of one of our own contract tests.
#[must_use]
pub fn is_own_test(value: &str, key: &Key, now_ms: i64) -> bool {
    Chain::open(value, key, now_ms).is_some_and(|chain| chain.kind == Kind::Test)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.get(1)?).to_digit(16)?;
        u8::try_from(high << 4 | low).ok()
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn chain() -> Chain {
        Chain {
            kind: Kind::Test,
            correlation: "run.with.dots".to_owned(),
            depth: 2,
            path: vec!["act_one".to_owned(), "wfl_two".to_owned()],
            time_ms: NOW,
        }
    }

    #[test]
    fn a_sealed_chain_opens_with_its_key_for_a_day() {
        let key = Key::new([7; 32]);
        let value = chain().seal(&key);
        assert_eq!(Chain::open(&value, &key, NOW + AGE_MS_MAX), Some(chain()));
        assert_eq!(Chain::open(&value, &key, NOW + AGE_MS_MAX + 1), None, "too old");
        assert_eq!(Chain::open(&value, &key, NOW - AHEAD_MS_MAX - 1), None, "from the future");
        assert_eq!(Chain::open(&value, &Key::new([8; 32]), NOW), None, "another key");
        assert!(is_own_test(&value, &key, NOW));
        let empty = Chain { path: Vec::new(), kind: Kind::Action, ..chain() };
        assert_eq!(Chain::open(&empty.seal(&key), &key, NOW), Some(empty.clone()));
        assert!(!is_own_test(&empty.seal(&key), &key, NOW), "an action is learned from");
    }

    #[test]
    fn no_byte_of_a_mark_can_be_changed() {
        let key = Key::new([7; 32]);
        let value = chain().seal(&key);
        for index in 0..value.len() {
            let mut forged = value.clone().into_bytes();
            forged[index] ^= 1;
            let forged = String::from_utf8(forged).expect("still ASCII");
            // The digits of the MAC alone may be spelled in the other case, which `^ 1` never does.
            assert_eq!(Chain::open(&forged, &key, NOW), None, "{forged}");
        }
        for text in ["", ".", "test.a.0..1.", "test....", "test.é.0..1.ff"] {
            assert_eq!(Chain::open(text, &key, NOW), None, "{text}");
        }
    }

    #[test]
    fn keys_read_back_from_their_file_and_are_never_shown() {
        let key = Key::new([0xab; 32]);
        let read = Key::parse(&format!("{}\n", key.to_text().as_str())).expect("a key");
        assert_eq!(read.to_text(), key.to_text());
        assert!(Key::parse("abc").is_none() && Key::parse(&"zz".repeat(32)).is_none());
        assert!(!format!("{key:?}").contains("ab"));
    }
}

//! The keyed hash under which texts are compared without being kept (SipHash-1-3, 64 bit).
//!
//! Owns the key, its public id and the hash function. Refuses to own where the key lives on disk: `runtime::files` and `app`
//! read it. Two evidences, or two consumers, are comparable only under one key id.

use std::fmt;
use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;
use zeroize::Zeroize;

/// A 16-byte hashing key. Never printed; identified outside by [`HashKey::id`].
#[derive(Clone)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// The key that offline inference uses when no key file is named: results are reproducible, not secret.
    pub const OFFLINE: HashKey = HashKey(*b"driftgate-offlin");

    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 hexadecimal digits, as the key file holds them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }

    /// The text of the key file.
    #[must_use]
    pub fn to_text(&self) -> String {
        hexadecimal(&self.0)
    }

    /// The first four bytes of the key's SHA-256: equal ids mean that hashes may be compared and merged.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let digest = Sha256::digest(self.0);
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The keyed hash of `bytes`.
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
}

impl Drop for HashKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HashKey({:02x?})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_from_their_file() {
        let key = HashKey::new(*b"0123456789abcdef");
        let read = HashKey::parse(&key.to_text()).expect("a key");
        assert_eq!((read.id(), read.hash(b"x")), (key.id(), key.hash(b"x")));
        assert!(HashKey::parse("12").is_none() && HashKey::parse(&"+".repeat(32)).is_none());
    }
}

//! The keyed hash under which texts are compared without being kept (SipHash-1-3, 64 bit).
//!
//! Owns the key, its public id and the hash function. Refuses to own where the key lives on disk: `runtime::files` and `app`
//! read it. Two evidences, or two consumers, are comparable only under one key id.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

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

/// Mixes one word into a hash by a folded multiplication: fast, well spread, no secret.
#[must_use]
pub fn fold(hash: u64, word: u64) -> u64 {
    let product =
        u128::from(hash ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xd6e8_feb8_6659_fd93);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high ^ hash.rotate_left(23)
}

/// A fast hash of bytes, for tables in memory. Nothing is told apart by it that an attacker may choose against us.
#[must_use]
pub fn fold_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let seed = fold(seed, bytes.len() as u64);
    // Four at once: a processor multiplies faster than it waits for a product.
    let (blocks, rest) = bytes.as_chunks::<32>();
    let hash = if blocks.is_empty() {
        seed
    } else {
        let mut lanes = [seed, seed ^ 1, seed ^ 2, seed ^ 3];
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (lane, word) in lanes.iter_mut().zip(words) {
                *lane = fold(*lane, u64::from_le_bytes(*word));
            }
        }
        lanes.into_iter().fold(seed, fold)
    };
    let (words, rest) = rest.as_chunks::<8>();
    let mut last = [0; 8];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let words = words.iter().chain((!rest.is_empty()).then_some(&last));
    words.fold(hash, |hash, word| fold(hash, u64::from_le_bytes(*word)))
}

/// A map by keys that are hashes already.
pub type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Hashed>>;

/// Passes a hash on as it is.
#[derive(Debug, Default, Clone, Copy)]
pub struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold_bytes(self.0, bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
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
    fn fast_hashes_tell_texts_apart() {
        let texts = (0..4_096).map(|number| format!("{number:x}"));
        let hashes: std::collections::BTreeSet<u64> =
            texts.map(|text| fold_bytes(7, text.as_bytes())).collect();
        assert_eq!(hashes.len(), 4_096);
        assert_ne!(fold_bytes(7, b"a"), fold_bytes(7, b"a\0"));
        assert_ne!(fold_bytes(7, b"12345678"), fold_bytes(8, b"12345678"));
    }

    #[test]
    fn keys_read_back_from_their_file() {
        let key = HashKey::new(*b"0123456789abcdef");
        let read = HashKey::parse(&key.to_text()).expect("a key");
        assert_eq!((read.id(), read.hash(b"x")), (key.id(), key.hash(b"x")));
        assert!(HashKey::parse("12").is_none() && HashKey::parse(&"+".repeat(32)).is_none());
    }
}

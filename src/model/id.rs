//! Ids: time-ordered ones, and those derived from what they name.
//!
//! Owns their spelling. Refuses to own time and randomness: both are arguments.

use sha2::{Digest, Sha256};
use uuid::Uuid;

const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A UUIDv7 (RFC 9562 section 5.7) text from Unix milliseconds and ten random bytes.
#[must_use]
pub fn time_ordered(unix_ms: i64, random: [u8; 10]) -> String {
    let millis = u64::try_from(unix_ms).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

/// A UUIDv8 text derived from parts: equal parts give equal ids.
#[must_use]
pub fn derived(parts: &[&[u8]]) -> String {
    let digest = digest(parts);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes).to_string()
}

/// `dlv_` + 26 characters: the delivery of one event to one destination (`spec/delivery.md` 6). Equal over retries, crashes
/// and takeovers, different for two destinations.
#[must_use]
pub fn delivery(source: &str, event: &str, destination: &str) -> String {
    let digest = digest(&[b"v1", source.as_bytes(), event.as_bytes(), destination.as_bytes()]);
    format!("dlv_{}", base32(&digest[..16]))
}

/// `<prefix>_` + 26 characters, derived from kind and name: the id of an object that the config file names.
#[must_use]
pub fn object(prefix: &str, kind: &str, name: &str) -> String {
    let digest = digest(&[kind.as_bytes(), name.as_bytes()]);
    format!("{prefix}_{}", base32(&digest[..16]))
}

/// `<prefix>_` + 26 characters from 16 random bytes.
#[must_use]
pub fn random_object(prefix: &str, random: [u8; 16]) -> String {
    format!("{prefix}_{}", base32(&random))
}

/// SHA-256 over the parts, each followed by a zero byte but the last.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update([0]);
        }
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Crockford's base 32, lower case, most significant bit first, no padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(CROCKFORD[((buffer >> bits) & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(CROCKFORD[((buffer << (5 - bits)) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_crockfords_and_unpadded() {
        assert_eq!(base32(&[0; 16]).len(), 26);
        assert_eq!(base32(&[0xff; 5]), "zzzzzzzz");
        assert_eq!(base32(b"hello"), "d1jprv3f");
    }

    #[test]
    fn delivery_ids_depend_on_every_part_and_on_nothing_else() {
        let id = delivery("/driftgate", "1", "whk_a");
        assert_eq!(id, delivery("/driftgate", "1", "whk_a"));
        assert_ne!(id, delivery("/driftgate", "1", "whk_b"));
        assert_ne!(delivery("a", "bc", "d"), delivery("ab", "c", "d"));
    }
}

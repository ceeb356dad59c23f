//! Names from traffic that the contract does not know: which may be told, and which are data or noise.
//!
//! Owns the caution with names: a key that is an identifier or an address must not reach a finding. What advertisers and
//! caches append is `model::noise`'s.

use crate::model::noise::is_noise_parameter;

/// Longest name that is told, bytes.
const NAME_MAX: usize = 64;

/// Whether a query parameter was appended by somebody who does not know the API.
pub(super) fn is_noise(name: &str) -> bool {
    is_noise_parameter(name) || is_data(name)
}

/// Whether a name is data itself, as the keys of maps are: numbers, identifiers, addresses, texts.
pub(super) fn is_data(name: &str) -> bool {
    let count = |test: fn(&u8) -> bool| name.bytes().filter(test).count();
    let digits = count(u8::is_ascii_digit);
    let is_hexadecimal = name.len() >= 12
        && digits >= 2
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    name.len() > NAME_MAX
        || digits > 0 && count(u8::is_ascii_alphabetic) == 0
        || is_hexadecimal
        || digits >= 4 && name.len() >= 12
        || name.contains(['@', '%', '/', ' ', '\n'])
        || !name.is_ascii() && digits > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_names_and_identifiers_are_data() {
        for name in
            ["total", "address2", "sha256", "x-total", "createdAt", "größe", "p95", "iso3166"]
        {
            assert!(!is_data(name), "{name}");
        }
        for name in [
            "12345",
            "6f1c2d3e-0000-4000-8000-000000000000",
            "a@b.example",
            "2024-05-01",
            "ord_20240501_8f3k",
            "some words",
            &"x".repeat(65),
        ] {
            assert!(is_data(name), "{name}");
        }
        for name in ["utm_source", "fbclid", "_", ""] {
            assert!(is_noise(name), "{name}");
        }
        assert!(!is_noise("page"));
    }
}

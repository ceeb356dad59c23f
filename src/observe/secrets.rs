//! Values that give themselves away as secrets (`spec/inference.md` 3).
//!
//! Owns the value rules: tokens of known shape, keys, card numbers, credentials in URLs, addresses of persons, randomness.
//! Refuses to own names; `model::redaction` knows which names say "secret". A text that matches is never kept anywhere.

/// Beginnings of tokens that well-known issuers hand out.
const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "pk_live_",
    "whsec_",
    "sk-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "SG.",
    "npm_",
    "dop_v1_",
    "shpat_",
    "hf_",
    "eyJ",
    "lin_api_",
];

/// Whether a text must never be kept, whatever its name.
pub(super) fn is_secret(text: &str) -> bool {
    if text.len() < 8 {
        return false;
    }
    (text.len() >= 16 && PREFIXES.iter().any(|prefix| text.starts_with(prefix)))
        || text.contains("-----BEGIN")
        || has_user_info(text)
        || is_card_number(text)
        || text.contains('@')
        || is_random(text)
}

/// `scheme://user:password@host`.
fn has_user_info(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// 13 to 19 digits, perhaps grouped by spaces or dashes, with a valid Luhn sum.
fn is_card_number(text: &str) -> bool {
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_digit() || b" -".contains(&byte)) {
        return false;
    }
    let digits = text.bytes().rev().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0'));
    let (count, sum) = digits.enumerate().fold((0, 0), |(count, sum), (index, digit)| {
        let doubled = if index % 2 == 1 { digit * 2 } else { digit };
        (count + 1, sum + doubled / 10 + doubled % 10)
    });
    (13..=19).contains(&count) && sum % 10 == 0
}

/// At least 20 characters without spaces, of three kinds, with at least four bits of entropy each.
fn is_random(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(20..=256).contains(&bytes.len()) || bytes.contains(&b' ') {
        return false;
    }
    let kinds = [
        bytes.iter().any(u8::is_ascii_lowercase),
        bytes.iter().any(u8::is_ascii_uppercase),
        bytes.iter().any(u8::is_ascii_digit),
        bytes.iter().any(|byte| !byte.is_ascii_alphanumeric()),
    ];
    kinds.into_iter().filter(|kind| *kind).count() >= 3 && entropy(bytes) >= 4.0
}

/// Shannon entropy in bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u16; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 256 bytes")]
    let length = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks() {
        for text in [
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----",
            "https://user:pass@host/x",
            "4111 1111 1111 1111",
            "5500005555555559",
            "jane@example.org",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            assert!(is_secret(text), "{text}");
        }
        for text in ["pending", "order-created", "4111111111111112", "customer_registration_number"]
        {
            assert!(!is_secret(text), "{text}");
        }
    }
}

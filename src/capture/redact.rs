//! Withholds what must not be read from heads, and says what kind of credential was there (`spec/proxy.md` 10).
//!
//! Owns the last place that sees a credential's value; what leaves is kind, place, name, length and a keyed hash that tells
//! consumers apart. Refuses to own which names are secret: that is the plan's (`model::redaction`).

use std::net::IpAddr;

use super::head::{RawField, text};
use crate::model::exchange::{Credential, CredentialKind, CredentialPlace, Field, Text};
use crate::model::hash::HashKey;
use crate::model::redaction::Plan;

/// What is withheld and what is learned about it, over one request.
pub(super) struct Credentials<'a> {
    key: &'a HashKey,
    pub(super) found: Vec<Credential>,
    /// Hash and rank of the credential that tells consumers apart best.
    consumer: Option<(Rank, u64)>,
}

/// How well a credential names its consumer; the least is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Authorization,
    ApiKey,
    Session,
}

impl<'a> Credentials<'a> {
    pub(super) fn new(key: &'a HashKey) -> Self {
        Self { key, found: Vec::new(), consumer: None }
    }

    /// Looks at one request field before it is redacted.
    pub(super) fn see_field(&mut self, name: &str, value: &[u8]) {
        if name == "authorization" {
            let found = credential(scheme(value), CredentialPlace::Header, name);
            self.add(found, value, Rank::Authorization);
        } else if name == "cookie" {
            for (name, value) in pairs(value, b';') {
                let name = String::from_utf8_lossy(name);
                let found = |kind| credential(kind, CredentialPlace::Cookie, &name);
                if is_api_key(&name) {
                    self.add(found(CredentialKind::ApiKey), value, Rank::ApiKey);
                } else if is_session(&name) {
                    self.add(found(CredentialKind::SessionCookie), value, Rank::Session);
                }
            }
        } else if is_api_key(name) || is_own_key(name) {
            let found = credential(CredentialKind::ApiKey, CredentialPlace::Header, name);
            self.add(found, value, Rank::ApiKey);
        }
    }

    /// Looks at the raw query before it is redacted.
    pub(super) fn see_query(&mut self, query: &[u8]) {
        for (name, value) in pairs(query, b'&') {
            let name = String::from_utf8_lossy(name);
            if is_api_key(&name) && !value.is_empty() {
                let found = credential(CredentialKind::ApiKey, CredentialPlace::Query, &name);
                self.add(found, value, Rank::ApiKey);
            }
        }
    }

    fn add(&mut self, credential: Credential, value: &[u8], rank: Rank) {
        if !self.found.contains(&credential) {
            self.found.push(credential);
        }
        if self.consumer.is_none_or(|(known, _)| rank < known) {
            self.consumer = Some((rank, self.key.hash(value)));
        }
    }

    /// What tells consumers apart: the best credential, else the address. Loopback and absent addresses are one consumer, so
    /// that a recording of local traffic counts as the traffic did.
    pub(super) fn consumer(&self, client: Option<IpAddr>) -> u64 {
        match (self.consumer, client.filter(|address| !address.is_loopback())) {
            (Some((_, hash)), _) => hash,
            (None, Some(IpAddr::V4(address))) => self.key.hash(&address.octets()),
            (None, Some(IpAddr::V6(address))) => self.key.hash(&address.octets()),
            (None, None) => self.key.hash(b""),
        }
    }
}

fn credential(kind: CredentialKind, place: CredentialPlace, name: &str) -> Credential {
    Credential { kind, place, name: name.into() }
}

/// A field as analysis may see it.
pub(super) fn field(raw: &RawField<'_>, plan: &Plan) -> Field {
    let name = raw.lower_name();
    let value = match &*name {
        "cookie" => Text::Plain(masked(raw.value, b';', |_| true)),
        "set-cookie" => {
            let mut first = true;
            // Attributes follow the pair; they are no secret.
            Text::Plain(masked(raw.value, b';', |_| std::mem::take(&mut first)))
        }
        _ if plan.hides_field(&name) => Text::Redacted(raw.value.len()),
        _ => return raw.plain(name),
    };
    Field { name, value }
}

/// The raw query with each withheld value as stars of its length.
pub(super) fn query(raw: &[u8], plan: &Plan) -> String {
    masked(raw, b'&', |name| plan.hides_parameter(&decoded(name))).into()
}

/// A parameter name with its percent-encoding undone, as the plan knows it.
fn decoded(name: &[u8]) -> String {
    percent_encoding::percent_decode(name).decode_utf8_lossy().into_owned()
}

/// Pairs between `separator`, the values of those that `hides` says yes to replaced by stars.
fn masked(raw: &[u8], separator: u8, mut hides: impl FnMut(&[u8]) -> bool) -> Box<str> {
    let mut shown = Vec::with_capacity(raw.len());
    for (index, pair) in raw.split(|byte| *byte == separator).enumerate() {
        if index > 0 {
            shown.push(separator);
        }
        match pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.split_at_checked(at)) {
            Some((name, value)) if hides(name.trim_ascii()) => {
                shown.extend_from_slice(name);
                shown.push(b'=');
                shown.extend(std::iter::repeat_n(b'*', value.len() - 1));
            }
            _ => shown.extend_from_slice(pair),
        }
    }
    text(&shown)
}

/// `name=value` pairs.
fn pairs(raw: &[u8], separator: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(move |byte| *byte == separator).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair.get(..at)?.trim_ascii(), pair.get(at + 1..)?))
    })
}

fn scheme(value: &[u8]) -> CredentialKind {
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at_checked(space).unwrap_or_default();
    let is = |known: &str| scheme.eq_ignore_ascii_case(known.as_bytes());
    if is("bearer") {
        if is_jwt(token.trim_ascii()) { CredentialKind::BearerJwt } else { CredentialKind::Bearer }
    } else if is("basic") {
        CredentialKind::Basic
    } else if is("digest") {
        CredentialKind::Digest
    } else {
        CredentialKind::OtherScheme
    }
}

/// Three dotted parts of base64url, the first of which begins as a JSON object does (RFC 7519).
fn is_jwt(token: &[u8]) -> bool {
    token.starts_with(b"ey")
        && token.split(|byte| *byte == b'.').count() == 3
        && token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(byte))
}

/// `*api-key*`, `apikey`, `x-auth-token`, `*access-token*`, `token`, `sig` (`spec/inference.md` 10).
fn is_api_key(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name.contains("api-key")
        || name.contains("apikey")
        || name.contains("access-token")
        || matches!(&*name, "x-auth-token" | "token" | "sig")
}

/// Request fields of an API's own that are named a key, token or secret: `x-acme-key`, `private-token`. Some are no
/// credentials of the call: they guard forms, mark a place in a list, are traded for others, or tell requests apart.
fn is_own_key(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "cache",
        "continuation",
        "csrf",
        "cursor",
        "dedup",
        "idempotency",
        "idempotent",
        "next",
        "page",
        "partition",
        "refresh",
        "request",
        "routing",
        "shard",
        "sort",
        "trace",
        "xsrf",
    ];
    let name = name.to_ascii_lowercase();
    let (before, last) = name.rsplit_once(['-', '_']).unwrap_or_default();
    let mut words = before.split(['-', '_']).peekable();
    let own = matches!(words.peek(), Some(&("x" | "private" | "job" | "deploy")));
    own && matches!(last, "key" | "token" | "secret") && words.all(|word| !OTHERS.contains(&word))
}

/// `sid`, `*sess*`, `auth*`.
fn is_session(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.rsplit('.').next() == Some("sid") || name.contains("sess") || name.starts_with("auth")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_schemes_are_told_apart() {
        for (value, kind) in [
            ("Bearer eyJh.eyJz.c2ln", CredentialKind::BearerJwt),
            ("bearer abc", CredentialKind::Bearer),
            ("Basic dTpw", CredentialKind::Basic),
            ("Digest username=\"u\"", CredentialKind::Digest),
            ("AWS4-HMAC-SHA256 x", CredentialKind::OtherScheme),
            ("", CredentialKind::OtherScheme),
        ] {
            assert_eq!(scheme(value.as_bytes()), kind, "{value}");
        }
    }

    #[test]
    fn keys_and_tokens_of_an_apis_own_are_credentials() {
        for name in ["x-acme-key", "X-Vault-Token", "private-token", "x-shop-app-secret", "x-token"]
        {
            assert!(is_own_key(name), "{name}");
        }
        for name in [
            "x-csrf-token",
            "x-idempotency-key",
            "idempotency-key",
            "x-next-page-token",
            "x-continuation-token",
            "x-refresh-token",
            "sec-websocket-key",
            "x-keyboard",
            "x-tenant",
        ] {
            assert!(!is_own_key(name), "{name}");
        }
    }

    #[test]
    fn hidden_values_become_stars_and_names_stay() {
        let plan = Plan::new(&[], &["code".to_owned()], &[]);
        assert_eq!(
            query(b"a=1&api_key=xyz&code=9&flag&%63ode=7", &plan),
            "a=1&api_key=***&code=*&flag&%63ode=*"
        );
        let cookie = RawField { name: b"Cookie", value: b"sid=abc; theme=dark" };
        assert_eq!(field(&cookie, &plan).value.as_str(), Some("sid=***; theme=****"));
        let set = RawField { name: b"Set-Cookie", value: b"sid=abc; Path=/; HttpOnly" };
        assert_eq!(field(&set, &plan).value.as_str(), Some("sid=***; Path=/; HttpOnly"));
        let key = RawField { name: b"X-API-Key", value: b"secret" };
        assert_eq!(field(&key, &plan).value, Text::Redacted(6));
    }

    #[test]
    fn a_consumer_is_its_best_credential_else_its_address() {
        let key = HashKey::OFFLINE;
        let mut both = Credentials::new(&key);
        both.see_field("cookie", b"sid=1");
        both.see_field("authorization", b"Bearer a");
        let mut bearer = Credentials::new(&key);
        bearer.see_field("authorization", b"Bearer a");
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        assert_eq!(both.consumer(None), bearer.consumer(address));
        let anonymous = Credentials::new(&key);
        assert_eq!(
            anonymous.consumer(None),
            anonymous.consumer(Some(IpAddr::from([127, 0, 0, 1])))
        );
        assert_ne!(anonymous.consumer(None), anonymous.consumer(address));
    }
}

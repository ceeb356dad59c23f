//! What the config file says about reusable credentials (`auth_providers`, `spec/actions.md` 3).
//!
//! Owns their shape and what can be checked without the world. Refuses to own obtaining a credential (`provider`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::model::problem::{Problem, Problems, pointer};
use crate::model::secret::{SecretSource, VisitSecret};
use crate::model::units::Span;

/// Reusable credentials that webhooks, integrations and actions name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthProvider {
    /// A fixed token in `authorization: Bearer`.
    Bearer(Bearer),
    /// A fixed value in a header or a query parameter.
    ApiKey(ApiKey),
    /// User and password in `authorization: Basic` (RFC 7617).
    Basic(Basic),
    /// A token from an authorisation server (RFC 6749 section 4.4), kept until shortly before it expires.
    #[serde(rename = "oauth2_client_credentials")]
    ClientCredentials(ClientCredentials),
    /// A JSON Web Token that driftgate signs itself (RFC 7519).
    Jwt(Jwt),
}

/// A fixed bearer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bearer {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// The token.
    pub token: SecretSource,
}

/// A fixed key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// Where the key goes.
    #[serde(default, rename = "in")]
    pub place: KeyPlace,
    /// Name of the header or query parameter.
    pub key: String,
    /// The key itself.
    pub value: SecretSource,
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    #[default]
    Header,
    Query,
}

/// User and password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// User name; without a colon.
    pub user: String,
    /// The password.
    pub password: SecretSource,
}

/// The OAuth 2 client credentials grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCredentials {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// Token endpoint, http or https.
    pub token_url: String,
    /// Client identifier.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretSource,
    /// Scopes asked for, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Audience asked for, where the server wants one.
    #[serde(default)]
    pub audience: Option<String>,
    /// How the client shows who it is.
    #[serde(default)]
    pub style: Style,
}

/// How client identifier and secret travel (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// In `authorization: Basic`.
    #[default]
    Basic,
    /// In the form.
    Body,
}

/// A self-signed token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// Signature algorithm.
    #[serde(default)]
    pub alg: Algorithm,
    /// The shared key, at least as long as the hash: 32, 48 or 64 bytes.
    pub key: SecretSource,
    /// Key id, for receivers that know several.
    #[serde(default)]
    pub kid: Option<String>,
    /// Claims beside `iat`, `exp` and `jti`, which are always set.
    #[serde(default)]
    pub claims: BTreeMap<String, Value>,
    /// How long a token is valid: 1 minute to 24 hours.
    #[serde(default = "an_hour")]
    pub ttl: Span,
}

/// HMAC algorithms of RFC 7518 section 3.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    #[default]
    HS256,
    HS384,
    HS512,
}

const fn an_hour() -> Span {
    Span::seconds(3_600)
}

impl Algorithm {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// Shortest key that RFC 7518 section 3.2 allows, bytes.
    #[must_use]
    pub fn key_bytes_min(self) -> usize {
        match self {
            Self::HS256 => 32,
            Self::HS384 => 48,
            Self::HS512 => 64,
        }
    }
}

impl AuthProvider {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Bearer(provider) => &provider.name,
            Self::ApiKey(provider) => &provider.name,
            Self::Basic(provider) => &provider.name,
            Self::ClientCredentials(provider) => &provider.name,
            Self::Jwt(provider) => &provider.name,
        }
    }

    /// Shows each secret to `visit`.
    pub fn secrets(&mut self, visit: VisitSecret<'_>) {
        match self {
            Self::Bearer(provider) => visit("/token", &mut provider.token),
            Self::ApiKey(provider) => visit("/value", &mut provider.value),
            Self::Basic(provider) => visit("/password", &mut provider.password),
            Self::ClientCredentials(provider) => {
                visit("/client_secret", &mut provider.client_secret);
            }
            Self::Jwt(provider) => visit("/key", &mut provider.key),
        }
    }

    /// Reports everything wrong with this provider; pointers are relative to it.
    pub fn check(&self, problems: &mut Problems) {
        check_name(self.name(), problems);
        match self {
            Self::Bearer(provider) => check_token("/token", &provider.token, problems),
            Self::ApiKey(provider) => provider.check(problems),
            Self::Basic(provider) => provider.check(problems),
            Self::ClientCredentials(provider) => provider.check(problems),
            Self::Jwt(provider) => provider.check(problems),
        }
    }
}

/// Names of objects: 1-100 characters, none of them a control character.
pub fn check_name(name: &str, problems: &mut Problems) {
    let length = name.chars().count();
    if !(1..=100).contains(&length) || name.chars().any(char::is_control) {
        problems.push(
            Problem::error("/name", "auth.bad-name", "a name has 1 to 100 printable characters")
                .remedy("choose a short name, `staging` for example"),
        );
    }
}

/// What goes into a header must be visible ASCII; an empty credential is a mistake, not a choice.
fn check_token(pointer: &str, source: &SecretSource, problems: &mut Problems) {
    let Some(secret) = source.resolved() else { return };
    let sendable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if secret.reveal().is_empty() || !secret.reveal().bytes().all(sendable) {
        problems.push(
            Problem::error(pointer, "auth.bad-secret", "the secret is empty or not visible ASCII")
                .remedy("check the file or variable it is read from"),
        );
    }
}

impl ApiKey {
    fn check(&self, problems: &mut Problems) {
        let fits = match self.place {
            KeyPlace::Header => http::HeaderName::try_from(self.key.as_str()).is_ok(),
            KeyPlace::Query => !self.key.is_empty() && self.key.len() <= 128,
        };
        if !fits {
            let message = format!("`{}` names no header or query parameter", self.key);
            problems.push(
                Problem::error("/key", "auth.bad-key-name", message)
                    .remedy("write the name alone, `x-api-key` for example"),
            );
        }
        check_token("/value", &self.value, problems);
    }
}

impl Basic {
    fn check(&self, problems: &mut Problems) {
        if self.user.contains(':') || self.user.chars().any(char::is_control) {
            problems.push(
                Problem::error("/user", "auth.bad-user", "a user name cannot hold a colon")
                    .remedy("put what follows the colon into `password`"),
            );
        }
    }
}

impl ClientCredentials {
    fn check(&self, problems: &mut Problems) {
        let url = Url::parse(&self.token_url);
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            let message = format!("`{}` is not an http or https URL", self.token_url);
            problems.push(
                Problem::error("/token_url", "auth.bad-url", message)
                    .remedy("name the token endpoint, `https://login.example.com/oauth/token`"),
            );
        }
        if self.client_id.is_empty() {
            problems.push(
                Problem::error("/client_id", "auth.bad-client", "the client identifier is empty")
                    .remedy("take it from the authorisation server's registration"),
            );
        }
    }
}

impl Jwt {
    const TTL_MIN: Span = Span::seconds(60);
    const TTL_MAX: Span = Span::seconds(86_400);

    fn check(&self, problems: &mut Problems) {
        let least = self.alg.key_bytes_min();
        if self.key.resolved().is_some_and(|key| key.reveal().len() < least) {
            let message = format!("{} needs a key of at least {least} bytes", self.alg.as_str());
            problems.push(
                Problem::error("/key", "auth.short-key", message)
                    .remedy(format!("make one with `openssl rand -base64 {least}`")),
            );
        }
        if !(Self::TTL_MIN..=Self::TTL_MAX).contains(&self.ttl) {
            let message = format!("`{}` is not between 1m and 24h", self.ttl);
            problems.push(
                Problem::error("/ttl", "auth.bad-ttl", message)
                    .remedy("an hour is enough for nearly everybody"),
            );
        }
        for (name, _) in self.claims.iter().filter(|(_, claim)| claim.to_string().contains("{{")) {
            let place = pointer("/claims", name);
            problems.push(
                Problem::error(
                    place,
                    "auth.claim-template",
                    "templates in claims are not supported",
                )
                .remedy("write the value itself"),
            );
        }
        for name in self.claims.keys().filter(|name| matches!(&***name, "iat" | "exp" | "jti")) {
            let place = pointer("/claims", name);
            problems.push(
                Problem::error(
                    place,
                    "auth.reserved-claim",
                    format!("`{name}` is always set by us"),
                )
                .remedy("leave it out; `ttl` says how long a token lives"),
            );
        }
    }
}

/// Checks a list of providers: each by itself, and that no name stands twice.
pub fn check_all(providers: &[AuthProvider], problems: &mut Problems) {
    let mut names = std::collections::BTreeSet::new();
    for (index, provider) in providers.iter().enumerate() {
        let mut own = Problems::default();
        provider.check(&mut own);
        if !names.insert(provider.name()) {
            let message = format!("two auth providers are named `{}`", provider.name());
            own.push(
                Problem::error("/name", "auth.double-name", message).remedy("rename one of them"),
            );
        }
        problems.extend_below(&format!("/{index}"), own);
    }
}

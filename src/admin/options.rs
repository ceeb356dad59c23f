//! The `admin` section of the configuration file: where the admin API listens, who may call it, within which limits.
//!
//! Owns defaults, schema and checks of the section. Refuses to own reading the token files (`token`) and binding (`listen`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems, pointer};
use crate::model::units::{Size, Span};

/// The admin API: addresses, tokens and limits. Everything here is the file's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the admin API listens: `IP:port`, or `unix:PATH` for a socket that only its owner may open.
    pub address: String,
    /// File with the tokens that may do everything; without it one token is made in `data_dir/admin-token`.
    pub token_file: Option<PathBuf>,
    /// File with the tokens that may read everything.
    pub viewer_token_file: Option<PathBuf>,
    /// File with the tokens that may only post events.
    pub intake_token_file: Option<PathBuf>,
    /// Further host names under which the admin API may be called, without port.
    pub hosts: Vec<String>,
    /// Under which URL people reach the admin API, if a TLS front stands before it.
    pub public_url: Option<String>,
    /// A second address that serves only `/livez`, `/readyz`, `/readyz/control` and `/metrics`, to everybody.
    pub health_address: Option<String>,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// Upper bounds of connections, messages and times.
    pub limits: Limits,
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricsAccess {
    /// Everybody who reaches the address.
    Open,
    /// Holders of a viewer or admin token.
    Token,
}

/// Limits of the admin listener. What they refuse is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections (1-10000); the next one is closed at once.
    #[schemars(range(min = 1, max = 10_000))]
    pub connections: usize,
    /// Requests in progress (1-10000); the next one is answered with 503. Probes do not count.
    #[schemars(range(min = 1, max = 10_000))]
    pub requests: usize,
    /// Largest request head (8KiB-1MiB).
    pub head: Size,
    /// Time for a request head to arrive (100ms-60s).
    pub head_time: Span,
    /// Largest request body (1KiB-64MiB).
    pub body: Size,
    /// Time for a request body to arrive (100ms-10m).
    pub body_time: Span,
    /// Time for an answer to be made, and for a client to take some of it (100ms-10m).
    pub answer_time: Span,
    /// Time that a connection may lie idle (1s-1h).
    pub idle: Span,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:9090".to_owned(),
            token_file: None,
            viewer_token_file: None,
            intake_token_file: None,
            hosts: Vec::new(),
            public_url: None,
            health_address: None,
            metrics: MetricsAccess::Open,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            requests: 64,
            head: Size(32 << 10),
            head_time: Span::seconds(10),
            body: Size(1 << 20),
            body_time: Span::seconds(30),
            answer_time: Span::seconds(30),
            idle: Span::seconds(60),
        }
    }
}

/// An address as the options write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Reads `IP:port` or `unix:PATH`; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some("") => None,
            Some(path) => Some(Self::Unix(PathBuf::from(path))),
            None => text.parse().ok().map(Self::Tcp),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl Options {
    /// Reports everything wrong with the section; pointers are relative to it.
    pub fn check(&self, problems: &mut Problems) {
        self.check_addresses(problems);
        self.check_names(problems);
        self.limits.check(problems);
    }

    fn check_addresses(&self, problems: &mut Problems) {
        let bad = |pointer: &str, text: &str| {
            Problem::error(pointer, "admin.bad-address", format!("`{text}` is not an address"))
                .remedy("write `IP:port`, for example `127.0.0.1:9090`, or `unix:PATH`")
        };
        let main = Address::parse(&self.address);
        if main.is_none() {
            problems.push(bad("/address", &self.address));
        }
        if let Some(text) = &self.health_address {
            match Address::parse(text) {
                None => problems.push(bad("/health_address", text)),
                Some(Address::Tcp(address)) if address.port() == 0 => {}
                health if health == main => problems.push(
                    Problem::error(
                        "/health_address",
                        "admin.same-address",
                        "this is also the address of the admin API",
                    )
                    .remedy("take another port, or leave it out: `address` serves the probes too"),
                ),
                Some(_) => {}
            }
        }
        if let Some(Address::Tcp(address)) = main
            && !address.ip().is_loopback()
            && !self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
        {
            problems.push(
                Problem::warning(
                    "/address",
                    "admin.cleartext-address",
                    format!(
                        "`{address}` is not loopback: tokens would cross the network unencrypted"
                    ),
                )
                .remedy("put a TLS front before it and name that in `public_url: https://...`"),
            );
        }
    }

    fn check_names(&self, problems: &mut Problems) {
        for (index, host) in self.hosts.iter().enumerate() {
            if host.is_empty() || host.contains([':', '/', '@', ' ', '*']) {
                let place = pointer("/hosts", &index.to_string());
                let message = format!("`{host}` is not a host name");
                problems.push(
                    Problem::error(place, "admin.bad-host", message)
                        .remedy("write the name alone, without scheme, port and path"),
                );
            }
        }
        if let Some(text) = &self.public_url {
            let good = url::Url::parse(text)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !good {
                let message = format!("`{text}` is not an http or https URL");
                problems.push(Problem::error("/public_url", "admin.bad-url", message));
            }
        }
    }

    /// Whether nothing but the places of token files differs, which alone can change while it runs.
    #[must_use]
    pub fn differs_in_tokens_alone(&self, other: &Self) -> bool {
        let like_other = Self {
            token_file: other.token_file.clone(),
            viewer_token_file: other.viewer_token_file.clone(),
            intake_token_file: other.intake_token_file.clone(),
            ..self.clone()
        };
        like_other == *other
    }

    /// The files with tokens, each with the scope that its lines have.
    pub(super) fn token_files(&self) -> impl Iterator<Item = (super::token::Scope, &Path)> {
        use super::token::Scope;
        [
            (Scope::Admin, &self.token_file),
            (Scope::Viewer, &self.viewer_token_file),
            (Scope::Intake, &self.intake_token_file),
        ]
        .into_iter()
        .filter_map(|(scope, file)| file.as_deref().map(|file| (scope, file)))
    }
}

impl Limits {
    fn check(&self, problems: &mut Problems) {
        let outside = |name: &str, value: &dyn std::fmt::Display, range: &str| {
            Problem::error(
                format!("/limits/{name}"),
                "admin.limit-out-of-range",
                format!("`{value}` is out of range"),
            )
            .remedy(format!("take a value of {range}"))
        };
        for (name, value) in [("connections", self.connections), ("requests", self.requests)] {
            if !(1..=10_000).contains(&value) {
                problems.push(outside(name, &value, "1-10000"));
            }
        }
        for (name, value, least, most) in [
            ("head", self.head, Size(8 << 10), Size(1 << 20)),
            ("body", self.body, Size(1 << 10), Size(64 << 20)),
        ] {
            if !(least..=most).contains(&value) {
                problems.push(outside(name, &value, &format!("{least}-{most}")));
            }
        }
        for (name, value, least, most) in [
            ("head_time", self.head_time, Span::millis(100), Span::seconds(60)),
            ("body_time", self.body_time, Span::millis(100), Span::seconds(600)),
            ("answer_time", self.answer_time, Span::millis(100), Span::seconds(600)),
            ("idle", self.idle, Span::seconds(1), Span::seconds(3600)),
        ] {
            if !(least..=most).contains(&value) {
                problems.push(outside(name, &value, &format!("{least}-{most}")));
            }
        }
    }
}

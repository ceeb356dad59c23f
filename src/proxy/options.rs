//! What the data plane can be told (`spec/proxy.md` 2, 3, 5, 14): listeners, upstreams, forwarding, limits, shutdown.
//!
//! Owns keys, defaults and the checks that need no file and no socket. Refuses to own whether files can be read and whether
//! two APIs collide: that is known when a [`super::View`] is built.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::problem::{Problem, Problems};
use crate::model::units::{Size, Span};

/// One address that clients connect to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// `IP:port`, or `unix:/path` for a Unix socket. Port 0 takes a free one.
    pub address: String,
    /// What APIs, metrics and the log call it; the address when empty.
    #[serde(default)]
    pub name: String,
    /// Permissions of a Unix socket as octal digits.
    #[serde(default = "default_mode")]
    pub mode: String,
    /// Whether cleartext HTTP/2 (prior knowledge) is answered besides HTTP/1.
    #[serde(default = "yes")]
    pub h2c: bool,
    /// TLS towards clients; none is cleartext.
    #[serde(default)]
    pub tls: Option<ListenerTls>,
    /// How requests of this listener are marked as forwarded; `apis[].forward` wins over it.
    #[serde(default)]
    pub forward: Option<Forward>,
}

/// TLS towards clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerTls {
    /// Certificates, chosen by the name that the client asks for; the first one when none fits.
    pub certificates: Vec<Certificate>,
    /// Whether clients are asked for a certificate.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// PEM file with the authorities that client certificates must come from.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
    /// Oldest protocol version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// HTTP versions offered, best first.
    #[serde(default = "default_alpn")]
    pub alpn: Vec<Alpn>,
}

/// A certificate chain and its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// PEM file, leaf first.
    pub cert_file: PathBuf,
    /// PEM file with the private key.
    pub key_file: PathBuf,
}

/// Whether clients are asked for a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    #[default]
    None,
    /// Asked for, and checked when one is sent.
    Optional,
    /// Refused without one.
    Required,
}

/// TLS protocol versions.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum TlsVersion {
    #[default]
    #[serde(rename = "1.2")]
    V12,
    #[serde(rename = "1.3")]
    V13,
}

/// HTTP versions as ALPN names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Alpn {
    #[serde(rename = "h2")]
    H2,
    #[serde(rename = "http/1.1")]
    Http11,
}

/// How requests are marked as forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Forward {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    pub x_forwarded: XForwarded,
    /// The `Forwarded` field of RFC 7239.
    pub forwarded: Forwarded,
    /// The `Via` field.
    pub via: Via,
    /// The client's certificate in `Client-Cert` (RFC 9440); one that a client sends is then removed.
    pub client_cert: ClientCert,
    /// Networks whose forwarding fields are believed. When set, the fields of other peers are removed first.
    pub trusted_proxies: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum XForwarded {
    /// The peer is added to what is there; `-Proto` and `-Host` are set if absent.
    #[default]
    Append,
    /// What is there is replaced.
    Replace,
    /// Nothing is added.
    Off,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forwarded {
    #[default]
    Off,
    /// An element for the peer is added.
    Append,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    #[default]
    Off,
    Add,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientCert {
    #[default]
    Off,
    Header,
}

/// Where an API really is and how to speak to it. In the file a URL alone is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
#[schemars(transform = or_text)]
pub struct Upstream {
    /// `http://host:port`, `https://host:port` or `unix:/path`; no path, query or user.
    pub url: String,
    /// HTTP version towards the API.
    #[serde(default)]
    pub protocol: UpstreamProtocol,
    /// The `Host` that the API sees: `preserve` (the client's), `upstream` (that of the URL) or a literal.
    #[serde(default = "default_host")]
    pub host: String,
    /// Name asked for and checked in TLS; the host of the URL when absent.
    #[serde(default)]
    pub sni: Option<String>,
    /// PEM file with the authorities to trust instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// PEM file with the certificate that we show the API.
    #[serde(default)]
    pub client_cert_file: Option<PathBuf>,
    /// PEM file with its key.
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// Whether the API's certificate is checked.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Oldest TLS version accepted from the API.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// Longest wait for a connection; `5s`, with TLS `10s`, when absent.
    #[serde(default)]
    pub connect_timeout: Option<Span>,
    /// How long an idle connection is kept; servers usually close after 5 s.
    #[serde(default = "default_upstream_idle")]
    pub idle_timeout: Span,
    /// Longest wait for the response head and between two reads; unlimited when absent, as it would be without us.
    #[serde(default)]
    pub response_timeout: Option<Span>,
    /// Attempts for one exchange, the first included.
    #[serde(default = "default_attempts")]
    pub attempts: u8,
}

/// HTTP version towards the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamProtocol {
    /// What the client speaks, as far as the API can.
    #[default]
    Auto,
    H1,
    H2,
}

/// Limits of the data plane. Each has a counter that moves when it bites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections open at once; a further one is closed as soon as it is accepted.
    pub connections: usize,
    /// Longest time from the first byte of a request head to its last.
    pub head_timeout: Span,
    /// Longest time between two exchanges on one connection.
    pub idle_timeout: Span,
    /// Longest pause inside a request body (HTTP/1).
    pub body_idle: Span,
    /// Longest time for which a client may take nothing of an answer.
    pub write_stall: Span,
    /// Largest request head; larger ones are answered with 431.
    pub max_header_bytes: Size,
    /// Largest request body; unlimited when absent.
    pub max_request_body: Option<Size>,
    /// Exchanges on one connection before it is closed; unlimited when absent.
    pub requests_per_connection: Option<u32>,
}

/// Threads of the data plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataPlane {
    /// Raise it only when one thread is saturated, and leave a core free.
    pub threads: usize,
}

/// How the process ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// How long to go on accepting while `/readyz` already says no.
    pub pre_stop: Span,
    /// How long to wait for open exchanges.
    pub drain: Span,
}

fn yes() -> bool {
    true
}

fn default_mode() -> String {
    "0600".to_owned()
}

fn default_alpn() -> Vec<Alpn> {
    vec![Alpn::H2, Alpn::Http11]
}

fn default_host() -> String {
    "preserve".to_owned()
}

fn default_upstream_idle() -> Span {
    Span::seconds(4)
}

fn default_attempts() -> u8 {
    3
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_timeout: Span::seconds(10),
            idle_timeout: Span::seconds(75),
            body_idle: Span::seconds(300),
            write_stall: Span::seconds(300),
            max_header_bytes: Size(64 << 10),
            max_request_body: None,
            requests_per_connection: None,
        }
    }
}

impl Default for DataPlane {
    fn default() -> Self {
        Self { threads: 1 }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { pre_stop: Span::seconds(5), drain: Span::seconds(30) }
    }
}

impl Listener {
    /// A cleartext listener with the defaults.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: String::new(),
            mode: default_mode(),
            h2c: true,
            tls: None,
            forward: None,
        }
    }

    /// The configured name, else the address.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }

    /// Reports what is wrong with the values; pointers begin below the listener.
    pub fn check(&self, problems: &mut Problems) {
        let unix = self.address.strip_prefix("unix:");
        let is_address = match unix {
            Some(path) => path.starts_with('/'),
            None => self.address.parse::<SocketAddr>().is_ok(),
        };
        if !is_address {
            let message = format!("`{}` is neither `IP:port` nor `unix:/path`", self.address);
            problems.push(
                Problem::error("/address", "config.bad-address", message).remedy(
                    "names are not resolved here; write `0.0.0.0:8080` for every interface",
                ),
            );
        }
        if self.mode.len() > 4 || u32::from_str_radix(&self.mode, 8).is_err() {
            let message = format!("`{}` is not a file mode", self.mode);
            problems.push(
                Problem::error("/mode", "config.bad-mode", message)
                    .remedy("write three or four octal digits in quotes, `\"0660\"` for example"),
            );
        }
        if unix.is_some() && self.tls.is_some() {
            problems.push(Problem::error(
                "/tls",
                "config.tls-on-unix-socket",
                "a Unix socket does not speak TLS",
            ));
        }
        if let Some(tls) = &self.tls {
            tls.check(problems);
        }
        if let Some(forward) = &self.forward {
            check_below("/forward", problems, |found| forward.check(found));
        }
    }
}

impl ListenerTls {
    fn check(&self, problems: &mut Problems) {
        if self.certificates.is_empty() {
            problems.push(
                Problem::error(
                    "/tls/certificates",
                    "config.no-certificate",
                    "no certificate is named",
                )
                .remedy("add `{ cert_file: ..., key_file: ... }`"),
            );
        }
        if self.alpn.is_empty() {
            problems.push(Problem::error(
                "/tls/alpn",
                "config.no-protocol",
                "no HTTP version is left to offer",
            ));
        }
        if self.client_auth != ClientAuth::None && self.client_ca_file.is_none() {
            problems.push(
                Problem::error(
                    "/tls/client_auth",
                    "config.no-client-authority",
                    "client certificates cannot be checked without `client_ca_file`",
                )
                .remedy("name a PEM file with the authorities to trust"),
            );
        }
    }
}

impl Forward {
    /// Reports what is wrong with the values; pointers begin below the section.
    pub fn check(&self, problems: &mut Problems) {
        for (index, network) in self.trusted_proxies.iter().enumerate() {
            if network.parse::<ipnet::IpNet>().is_err() {
                let pointer = format!("/trusted_proxies/{index}");
                let message = format!("`{network}` is not a network");
                problems.push(
                    Problem::error(pointer, "config.bad-network", message)
                        .remedy("write `10.0.0.0/8` or `::1/128`"),
                );
            }
        }
    }
}

impl Upstream {
    /// An upstream with the defaults.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            protocol: UpstreamProtocol::Auto,
            host: default_host(),
            sni: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            verify: true,
            min_version: TlsVersion::V12,
            connect_timeout: None,
            idle_timeout: default_upstream_idle(),
            response_timeout: None,
            attempts: default_attempts(),
        }
    }

    /// Reports what is wrong with the values; pointers begin below the upstream.
    pub fn check(&self, problems: &mut Problems) {
        if let Err(problem) = super::upstream::Target::parse(&self.url) {
            problems.push(problem);
        }
        if self.attempts == 0 {
            problems.push(
                Problem::error("/attempts", "config.no-attempt", "no attempt would ever be made")
                    .remedy("write 1 for no retries"),
            );
        }
        if self.client_cert_file.is_some() != self.client_key_file.is_some() {
            problems.push(Problem::error(
                "/client_cert_file",
                "config.half-key-pair",
                "`client_cert_file` and `client_key_file` need each other",
            ));
        }
        if !self.verify {
            problems.push(
                Problem::warning(
                    "/verify",
                    "config.unverified-upstream",
                    "the API's certificate is not checked",
                )
                .remedy("name its authority in `ca_file`"),
            );
        }
    }
}

impl Limits {
    /// Reports what is wrong with the values; pointers begin below the section.
    pub fn check(&self, problems: &mut Problems) {
        let too_small = [
            ("/connections", self.connections == 0),
            ("/max_header_bytes", self.max_header_bytes.0 < 1024),
            ("/head_timeout", self.head_timeout.as_ms() == 0),
            ("/idle_timeout", self.idle_timeout.as_ms() == 0),
            ("/body_idle", self.body_idle.as_ms() == 0),
            ("/write_stall", self.write_stall.as_ms() == 0),
        ];
        for (pointer, _) in too_small.iter().filter(|(_, small)| *small) {
            problems.push(Problem::error(
                *pointer,
                "config.limit-too-small",
                "nothing could pass under this limit",
            ));
        }
    }
}

impl DataPlane {
    /// Reports what is wrong with the values; pointers begin below the section.
    pub fn check(&self, problems: &mut Problems) {
        if self.threads == 0 || self.threads > 256 {
            let message = format!("{} threads are not between 1 and 256", self.threads);
            problems.push(Problem::error("/threads", "config.bad-threads", message));
        }
    }
}

fn check_below(prefix: &str, problems: &mut Problems, check: impl FnOnce(&mut Problems)) {
    let mut found = Problems::default();
    check(&mut found);
    problems.extend_below(prefix, found);
}

/// In the schema: the object, or its `url` alone.
fn or_text(schema: &mut Schema) {
    let object = std::mem::take(schema);
    let url = json_schema!({ "type": "string", "description": "The URL alone." });
    *schema = json_schema!({ "anyOf": [url, object] });
}

impl Serialize for Upstream {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlOrObject;

        impl<'de> Visitor<'de> for UrlOrObject {
            type Value = Upstream;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a URL or an object with `url`")
            }

            fn visit_str<E: serde::de::Error>(self, url: &str) -> Result<Upstream, E> {
                Ok(Upstream::at(url))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
                Upstream::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_any(UrlOrObject)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_upstream_is_a_url_or_an_object() {
        let text: Upstream = serde_json::from_value(json!("http://a:1")).expect("a URL");
        assert_eq!(text, Upstream::at("http://a:1"));
        let object = json!({ "url": "http://a:1", "attempts": 1, "protocol": "h2" });
        let object: Upstream = serde_json::from_value(object).expect("an object");
        assert_eq!((object.attempts, object.protocol), (1, UpstreamProtocol::H2));
        let written = serde_json::to_value(&object).expect("JSON");
        assert_eq!(serde_json::from_value::<Upstream>(written).expect("read again"), object);
        for wrong in [json!(1), json!({}), json!({ "url": "x", "uri": "y" })] {
            assert!(serde_json::from_value::<Upstream>(wrong.clone()).is_err(), "{wrong}");
        }
        let schema = Value::from(schemars::schema_for!(Upstream));
        assert_eq!(schema["anyOf"][0]["type"], "string");
        assert_eq!(schema["anyOf"][1]["required"], json!(["url"]));
    }

    fn codes(check: impl FnOnce(&mut Problems)) -> Vec<(String, &'static str)> {
        let mut problems = Problems::default();
        check(&mut problems);
        problems.0.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
    }

    #[test]
    fn wrong_values_are_told_with_their_place() {
        let certificate = Certificate { cert_file: "c".into(), key_file: "k".into() };
        let tls = ListenerTls {
            certificates: Vec::new(),
            client_auth: ClientAuth::Required,
            client_ca_file: None,
            min_version: TlsVersion::V12,
            alpn: Vec::new(),
        };
        let forward = Forward {
            trusted_proxies: vec!["10.0.0.0/8".into(), "all".into()],
            ..Forward::default()
        };
        let listener = Listener {
            mode: "rw".into(),
            tls: Some(tls.clone()),
            forward: Some(forward),
            ..Listener::at("localhost:80")
        };
        assert_eq!(
            codes(|problems| listener.check(problems)),
            [
                ("/address", "config.bad-address"),
                ("/mode", "config.bad-mode"),
                ("/tls/certificates", "config.no-certificate"),
                ("/tls/alpn", "config.no-protocol"),
                ("/tls/client_auth", "config.no-client-authority"),
                ("/forward/trusted_proxies/1", "config.bad-network"),
            ]
            .map(|(pointer, code)| (pointer.to_owned(), code))
        );
        let unix = Listener {
            tls: Some(ListenerTls {
                certificates: vec![certificate],
                client_auth: ClientAuth::None,
                alpn: vec![Alpn::H2],
                ..tls
            }),
            ..Listener::at("unix:/socket")
        };
        let found = codes(|problems| unix.check(problems));
        assert_eq!(found, [("/tls".to_owned(), "config.tls-on-unix-socket")]);
        for good in ["0.0.0.0:0", "[::]:80", "unix:/a/b"] {
            assert!(codes(|problems| Listener::at(good).check(problems)).is_empty(), "{good}");
        }
    }

    #[test]
    fn upstream_urls_name_a_place_and_nothing_else() {
        for good in ["http://a", "https://a:1", "http://[::1]:80/", "unix:/a"] {
            assert!(codes(|problems| Upstream::at(good).check(problems)).is_empty(), "{good}");
        }
        for bad in ["a:1", "ftp://a", "http://a/b", "http://a?b", "http://u@a", "unix:a", "http://"]
        {
            let found = codes(|problems| Upstream::at(bad).check(problems));
            assert_eq!(found, [("/url".to_owned(), "config.bad-upstream")], "{bad}");
        }
        let half = Upstream {
            attempts: 0,
            verify: false,
            client_cert_file: Some("c".into()),
            ..Upstream::at("http://a")
        };
        let found: Vec<_> =
            codes(|problems| half.check(problems)).into_iter().map(|(_, code)| code).collect();
        assert_eq!(
            found,
            ["config.no-attempt", "config.half-key-pair", "config.unverified-upstream"]
        );
    }

    #[test]
    fn defaults_are_in_order_and_limits_of_nothing_are_not() {
        assert!(codes(|problems| Limits::default().check(problems)).is_empty());
        assert!(codes(|problems| DataPlane::default().check(problems)).is_empty());
        let nothing = Limits { connections: 0, idle_timeout: Span::millis(0), ..Limits::default() };
        assert_eq!(codes(|problems| nothing.check(problems)).len(), 2);
        assert_eq!(codes(|problems| DataPlane { threads: 0 }.check(problems)).len(), 1);
    }
}

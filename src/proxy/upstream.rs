//! Where an API is: from a configured URL to peers that a connection can be made to.
//!
//! Owns parsing, the resolved addresses and the prepared peers. Refuses to resolve on a data thread: names are looked up by
//! the control runtime ([`super::resolve`]).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use pingora::protocols::l4::socket::SocketAddr as SocketAddress;
use pingora::upstreams::peer::{ALPN, HttpPeer};
use url::{Host, Url};

use super::options::{TlsVersion, Upstream as Options, UpstreamProtocol};
use super::tls::{self, ClientCertificates};
use crate::model::problem::{Problem, Problems};

const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_TLS: Duration = Duration::from_secs(10);
const H2_STREAMS: usize = 100;
const H2_STREAM_WINDOW: u32 = 1 << 20;
/// Stands in a template until an address is known.
const UNSPECIFIED: (Ipv4Addr, u16) = (Ipv4Addr::UNSPECIFIED, 0);

/// A checked upstream URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) place: Place,
    /// Host and port as the URL writes them, the default port left out.
    pub(crate) authority: String,
    /// The host alone, for SNI; empty for Unix sockets.
    pub(crate) host: String,
}

/// What has to be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Unix(PathBuf),
    Address(SocketAddr),
    Name { host: String, port: u16 },
}

impl Target {
    /// Reads `http://host:port`, `https://host:port` or `unix:/path`.
    ///
    /// # Errors
    /// A problem at `/url` that names what is too much or missing.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(path).ok_or_else(|| bad_url(text, "has no absolute path"));
        }
        let url = Url::parse(text).map_err(|error| bad_url(text, &error.to_string()))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(bad_url(text, "is neither http, https nor unix")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad_url(text, "carries a user"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(bad_url(text, "carries a path or query"));
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let (place, host) = match url.host() {
            Some(Host::Domain(name)) => {
                (Place::Name { host: name.to_owned(), port }, name.to_owned())
            }
            Some(Host::Ipv4(address)) => {
                (Place::Address(SocketAddr::new(address.into(), port)), address.to_string())
            }
            Some(Host::Ipv6(address)) => {
                (Place::Address(SocketAddr::new(address.into(), port)), address.to_string())
            }
            None => return Err(bad_url(text, "names no host")),
        };
        let name = url.host_str().unwrap_or_default();
        let authority = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        Ok(Self { tls, place, authority, host })
    }

    fn unix(path: &str) -> Option<Self> {
        path.starts_with('/').then(|| Self {
            tls: false,
            place: Place::Unix(path.into()),
            authority: "localhost".to_owned(),
            host: String::new(),
        })
    }
}

fn bad_url(text: &str, reason: &str) -> Problem {
    Problem::error("/url", "config.bad-upstream", format!("the upstream `{text}` {reason}"))
        .remedy("write `http://host:port`, `https://host:port` or `unix:/path`; use `strip_prefix` to drop a path")
}

/// Which HTTP version an attempt may speak towards the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    H1,
    H2,
    /// HTTP/2 or HTTP/1.1, as TLS agrees.
    Either,
}

impl Class {
    const ALL: [Self; 3] = [Self::H1, Self::H2, Self::Either];
}

/// What the client of an exchange speaks, as far as the choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Http1,
    Http2,
    Grpc,
}

/// One API's upstream: prepared peers and the addresses they may dial.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) target: Target,
    pub(super) host: HostPolicy,
    pub(super) attempts: u8,
    pub(super) min_tls: TlsVersion,
    protocol: UpstreamProtocol,
    /// By class, complete but for address and group.
    templates: [HttpPeer; 3],
    /// None until the name was resolved for the first time.
    addresses: ArcSwapOption<Vec<SocketAddr>>,
    /// Seconds for which the API says that it keeps idle connections; 0 while it has not said.
    keeps_idle_s: AtomicU64,
}

/// The `Host` that the API sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostPolicy {
    Preserve,
    Fixed(HeaderValue),
}

impl Upstream {
    /// Reads certificates and prepares the peers; problems have pointers below the upstream.
    pub(super) fn build(options: &Options, problems: &mut Problems) -> Option<Self> {
        let target = Target::parse(&options.url).map_err(|problem| problems.push(problem)).ok()?;
        let certificates = tls::client(options, problems);
        let host = host_policy(options, &target, problems)?;
        let sni = sni(options, &target, problems)?;
        let template = |class| template(options, &target, &sni, &certificates, class);
        let templates = Class::ALL.map(template);
        let addresses = match &target.place {
            Place::Unix(_) | Place::Name { .. } => None,
            Place::Address(address) => Some(Arc::new(vec![*address])),
        };
        Some(Self {
            host,
            attempts: options.attempts,
            min_tls: options.min_version,
            protocol: options.protocol,
            templates,
            addresses: ArcSwapOption::new(addresses),
            keeps_idle_s: AtomicU64::new(0),
            target,
        })
    }

    /// The protocol class that mirrors the client, as far as the options let it.
    pub(super) fn class(&self, client: Client) -> Class {
        match (self.protocol, client) {
            (UpstreamProtocol::H2, _) | (UpstreamProtocol::Auto, Client::Grpc) => Class::H2,
            (UpstreamProtocol::Auto, Client::Http2) if self.target.tls => Class::Either,
            _ => Class::H1,
        }
    }

    /// A peer for the `index`-th address; none when there is no such address. `group` keeps pooled connections apart.
    pub(super) fn peer(&self, class: Class, index: usize, group: u64) -> Option<Box<HttpPeer>> {
        let mut peer = Box::new(self.templates[class as usize].clone());
        if !matches!(self.target.place, Place::Unix(_)) {
            let addresses = self.addresses.load();
            let address = addresses.as_ref()?.get(index)?;
            peer._address = SocketAddress::Inet(*address);
        }
        let said = self.keeps_idle_s.load(Relaxed);
        if said > 0 {
            let kept = Duration::from_secs(said.saturating_sub(1).max(1));
            peer.options.idle_timeout = peer.options.idle_timeout.map(|idle| idle.min(kept));
        }
        peer.group_key = group.wrapping_mul(3).wrapping_add(class as u64);
        Some(peer)
    }

    /// The API said for how long it keeps idle connections: we let go a second earlier.
    pub(super) fn keeps_idle_for(&self, seconds: u64) {
        self.keeps_idle_s.store(seconds, Relaxed);
    }

    /// How many addresses can be tried.
    pub(super) fn address_count(&self) -> usize {
        match self.target.place {
            Place::Unix(_) => 1,
            _ => self.addresses.load().as_ref().map_or(0, |addresses| addresses.len()),
        }
    }

    /// The name that has to be looked up, if it is one.
    pub(super) fn name(&self) -> Option<(&str, u16)> {
        match &self.target.place {
            Place::Name { host, port } => Some((host, *port)),
            _ => None,
        }
    }

    /// What a look-up found; an empty list changes nothing.
    pub(super) fn resolved(&self, addresses: Vec<SocketAddr>) {
        if !addresses.is_empty() {
            self.addresses.store(Some(Arc::new(addresses)));
        }
    }
}

fn host_policy(options: &Options, target: &Target, problems: &mut Problems) -> Option<HostPolicy> {
    let text = match options.host.as_str() {
        "preserve" => return Some(HostPolicy::Preserve),
        "upstream" => &target.authority,
        literal => literal,
    };
    match text.parse() {
        Ok(value) if !text.is_empty() && !text.contains(['@', '/', ' ']) => {
            Some(HostPolicy::Fixed(value))
        }
        _ => {
            let message = format!("`{text}` cannot be sent as `Host`");
            problems.push(
                Problem::error("/host", "config.bad-host", message)
                    .remedy("write `preserve`, `upstream` or `host:port`"),
            );
            None
        }
    }
}

/// The name that TLS asks for and checks. An address has none, and checking would silently be off without it.
fn sni(options: &Options, target: &Target, problems: &mut Problems) -> Option<String> {
    if !target.tls {
        return Some(String::new());
    }
    if let Some(name) = &options.sni {
        return Some(name.clone());
    }
    if matches!(target.place, Place::Address(_)) && options.verify {
        problems.push(
            Problem::error(
                "/url",
                "config.tls-by-address",
                "a certificate cannot be checked against an address",
            )
            .remedy("write the name that the certificate carries in `sni`"),
        );
        return None;
    }
    Some(target.host.clone())
}

fn template(
    options: &Options,
    target: &Target,
    sni: &str,
    certificates: &ClientCertificates,
    class: Class,
) -> HttpPeer {
    let mut peer = match &target.place {
        Place::Unix(path) => HttpPeer::new_uds(&path.to_string_lossy(), false, String::new())
            .unwrap_or_else(|_| HttpPeer::new(UNSPECIFIED, false, String::new())),
        Place::Address(address) => HttpPeer::new(address, target.tls, sni.to_owned()),
        Place::Name { .. } => HttpPeer::new(UNSPECIFIED, target.tls, sni.to_owned()),
    };
    let connect = options
        .connect_timeout
        .map_or_else(|| if target.tls { CONNECT_TLS } else { CONNECT }, |configured| configured.0);
    peer.client_cert_key.clone_from(&certificates.key);
    let wanted = &mut peer.options;
    wanted.connection_timeout = Some(connect);
    wanted.total_connection_timeout = Some(connect);
    wanted.read_timeout = options.response_timeout.map(|configured| configured.0);
    wanted.idle_timeout = Some(options.idle_timeout.0);
    wanted.verify_cert = options.verify;
    wanted.verify_hostname = options.verify;
    wanted.ca.clone_from(&certificates.authorities);
    wanted.alpn = match class {
        Class::H1 => ALPN::H1,
        Class::H2 => ALPN::H2,
        Class::Either => ALPN::H2H1,
    };
    // One connection carries many streams; pingora's 1 would open a connection for each.
    wanted.max_h2_streams = H2_STREAMS;
    // What the API sends ahead of a slow client is held in memory here.
    wanted.h2_stream_window_size = Some(H2_STREAM_WINDOW);
    peer
}

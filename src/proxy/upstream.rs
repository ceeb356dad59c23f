//! Where an API is: from a configured URL to peers that a connection can be made to.
//!
//! Owns parsing, the resolved addresses and the prepared peers. Refuses to resolve on a data thread: names are looked up by
//! the control runtime ([`super::resolve`]).

use std::net::SocketAddr;
use std::path::PathBuf;

use url::{Host, Url};

use crate::model::problem::Problem;

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

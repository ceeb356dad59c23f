//! Who may speak to the admin API at all: the Host and Origin of a request, before any token is looked at.
//!
//! Owns the defence against DNS rebinding and cross-site calls (`spec/admin.md` 1) and the headers of every answer. Refuses
//! to own tokens (`token`).

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{CACHE_CONTROL, HOST, HeaderMap, HeaderValue, ORIGIN};
use axum::http::{Request, StatusCode, Uri};

use super::options::Options;
use super::problem::Refusal;
use crate::model::api::normalise_host;

/// The names under which the admin API may be called.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Lower case, without port.
    hosts: Vec<String>,
    /// `https://name[:port]` of `public_url`.
    public_origin: Option<String>,
}

impl Names {
    /// `bound` is the address that the listener really has; none for a Unix socket.
    pub(super) fn new(options: &Options, bound: Option<SocketAddr>) -> Self {
        let public = options.public_url.as_deref().and_then(|text| url::Url::parse(text).ok());
        let mut hosts: Vec<String> =
            options.hosts.iter().map(|host| normalise_host(host)).collect();
        hosts.extend(public.as_ref().and_then(|url| url.host_str()).map(normalise_host));
        if let Some(address) = bound.filter(|address| !address.ip().is_unspecified()) {
            hosts.push(match address.ip() {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        let public_origin = public.map(|url| url.origin().ascii_serialization());
        Self { hosts, public_origin }
    }

    /// Refuses a request that names a foreign host or comes from a foreign page.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let authority =
            authority(request.uri(), request.headers()).ok_or_else(|| host_refused(""))?;
        if !self.is_ours(&normalise_host(authority)) {
            return Err(host_refused(authority));
        }
        let foreign = request
            .headers()
            .get_all(ORIGIN)
            .iter()
            .any(|origin| !self.is_same_origin(origin, authority))
            || request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        if foreign {
            return Err(Refusal::forbidden(
                "admin.origin-refused",
                "a browser made this call for a page of another origin",
            ));
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || literal.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.hosts.iter().any(|known| known == host)
    }

    fn is_same_origin(&self, origin: &HeaderValue, authority: &str) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        self.public_origin.as_deref() == Some(origin)
            || ["http://", "https://"].iter().any(|scheme| {
                origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(authority))
            })
    }
}

/// Host and port that the request was sent to. Two Host headers, or one that differs from an absolute target, are none.
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().map(HeaderValue::to_str).transpose().ok()?;
    if hosts.next().is_some() {
        return None;
    }
    match (uri.authority(), host) {
        (Some(target), Some(host)) if !target.as_str().eq_ignore_ascii_case(host) => None,
        (Some(target), _) => Some(target.as_str()),
        (None, host) => host,
    }
    .filter(|authority| !authority.is_empty() && !authority.contains('@'))
}

fn host_refused(authority: &str) -> Refusal {
    let detail = match authority {
        "" => "the request names no host, or two; send one Host header".to_owned(),
        name => format!(
            "`{name}` is not a name of this admin API; call it by `localhost` or its address, or add the name to \
             `admin.hosts`"
        ),
    };
    Refusal::new(StatusCode::MISDIRECTED_REQUEST, "admin.host-refused", detail)
}

/// Headers that every answer carries.
pub(super) fn dress(headers: &mut HeaderMap, instance: &HeaderValue) {
    const FIXED: [(&str, &str); 6] = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("driftgate-version", env!("CARGO_PKG_VERSION")),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("driftgate-instance", instance.clone());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

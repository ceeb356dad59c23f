//! What a request is told about the way it came (`spec/proxy.md` 5): forwarding fields, `Via`, the client's certificate.
//!
//! Owns the compiled `forward` options and their effect on a head. Refuses to own hop-by-hop fields, which pingora removes.

use std::net::IpAddr;

use http::HeaderValue;
use ipnet::IpNet;
use pingora::Result;
use pingora::http::RequestHeader;

use super::options::{ClientCert, Forward, Forwarded, Via, XForwarded};

const X_FORWARDED_FOR: &str = "X-Forwarded-For";
const X_FORWARDED_PROTO: &str = "X-Forwarded-Proto";
const X_FORWARDED_HOST: &str = "X-Forwarded-Host";
const FORWARDED: &str = "Forwarded";
const VIA: &str = "Via";
const CLIENT_CERT: &str = "Client-Cert";

/// The `forward` options, compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forwarding {
    x_forwarded: XForwarded,
    forwarded: Forwarded,
    via: Via,
    client_cert: ClientCert,
    /// None: everybody is believed.
    trusted: Option<Vec<IpNet>>,
}

/// The client's side of an exchange, prepared once for each connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// None for Unix sockets, which have no address to tell.
    pub(super) address: Option<IpAddr>,
    /// The address as a field value.
    pub(super) address_value: Option<HeaderValue>,
    pub(super) tls: bool,
    /// The certificate as RFC 9440 writes it.
    pub(super) certificate: Option<HeaderValue>,
}

impl Origin {
    pub(super) fn new(address: Option<IpAddr>, tls: bool, certificate: Option<&[u8]>) -> Self {
        Self {
            address,
            address_value: address.and_then(|address| address.to_string().parse().ok()),
            tls,
            certificate: certificate.and_then(certificate_value),
        }
    }
}

/// A DER certificate as a structured-fields byte sequence (RFC 9440 section 2.2).
fn certificate_value(der: &[u8]) -> Option<HeaderValue> {
    use base64::Engine as _;
    format!(":{}:", base64::engine::general_purpose::STANDARD.encode(der)).parse().ok()
}

impl Forwarding {
    /// Networks that do not parse are left out: `check` has told of them.
    pub(super) fn new(options: &Forward) -> Self {
        let trusted = !options.trusted_proxies.is_empty();
        let networks = options.trusted_proxies.iter().filter_map(|network| network.parse().ok());
        Self {
            x_forwarded: options.x_forwarded,
            forwarded: options.forwarded,
            via: options.via,
            client_cert: options.client_cert,
            trusted: trusted.then(|| networks.collect()),
        }
    }

    /// Marks `head`, which is on its way to the API. `host` is the authority as the client sent it, `version` what it spoke.
    ///
    /// # Errors
    /// When the head has no room for another field.
    pub(super) fn apply(
        &self,
        head: &mut RequestHeader,
        origin: &Origin,
        host: Option<&HeaderValue>,
        version: http::Version,
    ) -> Result<()> {
        if !self.believes(origin.address) {
            for name in [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST, FORWARDED] {
                head.remove_header(name);
            }
        }
        if self.x_forwarded != XForwarded::Off {
            self.set_x_forwarded(head, origin, host)?;
        }
        if self.forwarded == Forwarded::Append
            && let Some(element) = element(origin, host)
        {
            append(head, FORWARDED, &element)?;
        }
        if self.via == Via::Add {
            append(head, VIA, via_element(version))?;
        }
        if self.client_cert == ClientCert::Header {
            head.remove_header(CLIENT_CERT);
            if let Some(certificate) = &origin.certificate {
                head.insert_header(CLIENT_CERT, certificate.clone())?;
            }
        }
        Ok(())
    }

    fn believes(&self, address: Option<IpAddr>) -> bool {
        let Some(trusted) = &self.trusted else { return true };
        address.is_some_and(|address| trusted.iter().any(|network| network.contains(&address)))
    }

    fn set_x_forwarded(
        &self,
        head: &mut RequestHeader,
        origin: &Origin,
        host: Option<&HeaderValue>,
    ) -> Result<()> {
        let replace = self.x_forwarded == XForwarded::Replace;
        if let Some(address) = &origin.address_value {
            if replace || !head.headers.contains_key(X_FORWARDED_FOR) {
                head.insert_header(X_FORWARDED_FOR, address.clone())?;
            } else {
                append(head, X_FORWARDED_FOR, address.to_str().unwrap_or_default())?;
            }
        } else if replace {
            head.remove_header(X_FORWARDED_FOR);
        }
        if replace || !head.headers.contains_key(X_FORWARDED_PROTO) {
            let scheme = if origin.tls { "https" } else { "http" };
            head.insert_header(X_FORWARDED_PROTO, HeaderValue::from_static(scheme))?;
        }
        if let Some(host) = host
            && (replace || !head.headers.contains_key(X_FORWARDED_HOST))
        {
            head.insert_header(X_FORWARDED_HOST, host.clone())?;
        }
        Ok(())
    }
}

/// Joins all lines of a field and `last` into one: frameworks differ on what repeated lines mean.
fn append(head: &mut RequestHeader, name: &'static str, last: &str) -> Result<()> {
    let mut joined = Vec::new();
    for value in head.headers.get_all(name) {
        joined.extend_from_slice(value.as_bytes());
        joined.extend_from_slice(b", ");
    }
    joined.extend_from_slice(last.as_bytes());
    head.insert_header(name, joined)
}

/// `for=...;host=...;proto=...` (RFC 7239 section 4).
fn element(origin: &Origin, host: Option<&HeaderValue>) -> Option<String> {
    let node = match origin.address? {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let scheme = if origin.tls { "https" } else { "http" };
    // A host that could end the quotes is left out.
    let host = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.contains(['"', '\\']))
        .map(|host| format!(";host=\"{host}\""));
    Some(format!("for={node}{};proto={scheme}", host.unwrap_or_default()))
}

fn via_element(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "1.0 driftgate",
        http::Version::HTTP_2 => "2.0 driftgate",
        _ => "1.1 driftgate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request with these lines looks like afterwards, its fields in order.
    fn forwarded(options: &Forward, peer: Option<&str>, lines: &[(&'static str, &str)]) -> String {
        let mut head = RequestHeader::build("GET", b"/", None).expect("a head");
        for (name, value) in lines {
            head.append_header(*name, *value).expect("a field");
        }
        let address = peer.map(|peer| peer.parse().expect("an address"));
        let origin = Origin::new(address, true, Some(b"der"));
        let host = HeaderValue::from_static("api.example:8443");
        Forwarding::new(options)
            .apply(&mut head, &origin, Some(&host), http::Version::HTTP_2)
            .expect("room");
        let mut wire = Vec::new();
        head.header_to_h1_wire(&mut wire);
        String::from_utf8(wire).expect("a text").replace("\r\n", "; ")
    }

    const CLAIMED: &[(&str, &str)] = &[
        ("X-Forwarded-For", "9.9.9.9"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Host", "claimed"),
        ("Forwarded", "for=9.9.9.9"),
    ];

    #[test]
    fn x_forwarded_fields_are_appended_to_replaced_or_left_alone() {
        let with = |x_forwarded| Forward { x_forwarded, ..Forward::default() };
        let kept = "X-Forwarded-Proto: gopher; X-Forwarded-Host: claimed; Forwarded: for=9.9.9.9; ";
        let ours = "X-Forwarded-Proto: https; X-Forwarded-Host: api.example:8443; ";
        for (options, peer, lines, expected) in [
            (
                XForwarded::Append,
                Some("1.2.3.4"),
                CLAIMED,
                format!("X-Forwarded-For: 9.9.9.9, 1.2.3.4; {kept}"),
            ),
            (XForwarded::Append, Some("1.2.3.4"), &[], format!("X-Forwarded-For: 1.2.3.4; {ours}")),
            (XForwarded::Append, Some("::1"), &[], format!("X-Forwarded-For: ::1; {ours}")),
            (XForwarded::Append, None, &[], ours.to_owned()),
            (XForwarded::Append, None, CLAIMED, format!("X-Forwarded-For: 9.9.9.9; {kept}")),
            (
                XForwarded::Replace,
                Some("1.2.3.4"),
                CLAIMED,
                format!("X-Forwarded-For: 1.2.3.4; {ours}Forwarded: for=9.9.9.9; "),
            ),
            (XForwarded::Off, Some("1.2.3.4"), &[], String::new()),
            (
                XForwarded::Off,
                Some("1.2.3.4"),
                CLAIMED,
                format!("X-Forwarded-For: 9.9.9.9; {kept}"),
            ),
        ] {
            assert_eq!(forwarded(&with(options), peer, lines), expected, "{options:?} {peer:?}");
        }
        let unix = forwarded(&with(XForwarded::Replace), None, CLAIMED);
        assert!(!unix.contains("X-Forwarded-For"), "no claim survives: {unix}");
    }

    #[test]
    fn claims_of_peers_that_are_not_trusted_are_removed_first() {
        let options = Forward {
            trusted_proxies: vec!["10.0.0.0/8".into(), "fd00::/8".into()],
            ..Forward::default()
        };
        for (peer, trusted) in [
            (Some("10.1.2.3"), true),
            (Some("11.1.2.3"), false),
            (Some("fd00::1"), true),
            (Some("fe80::1"), false),
            (None, false),
        ] {
            let shown = forwarded(&options, peer, CLAIMED);
            assert_eq!(shown.contains("9.9.9.9"), trusted, "{peer:?}: {shown}");
            assert_eq!(shown.contains("claimed"), trusted, "{peer:?}: {shown}");
        }
    }

    #[test]
    fn forwarded_via_and_client_cert_are_added_on_request() {
        let options = Forward {
            x_forwarded: XForwarded::Off,
            forwarded: Forwarded::Append,
            via: Via::Add,
            client_cert: ClientCert::Header,
            ..Forward::default()
        };
        let lines = &[
            ("Forwarded", "for=a"),
            ("Forwarded", "for=b"),
            ("Via", "1.1 x"),
            ("Client-Cert", "claimed"),
        ];
        assert_eq!(
            forwarded(&options, Some("1.2.3.4"), lines),
            "Forwarded: for=a, for=b, for=1.2.3.4;host=\"api.example:8443\";proto=https; \
             Via: 1.1 x, 2.0 driftgate; Client-Cert: :ZGVy:; "
        );
        let shown = forwarded(&options, Some("2001:db8::1"), &[]);
        assert!(shown.contains("for=\"[2001:db8::1]\""), "{shown}");
        assert!(
            !forwarded(&options, None, &[]).contains("Forwarded"),
            "a Unix peer has no address"
        );
    }
}

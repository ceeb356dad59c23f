//! An API of the inventory and which requests are its own.
//!
//! Owns host and prefix matching (`spec/proxy.md` 3) and the naming of operations. Refuses to own forwarding.

use std::fmt;
use std::sync::Arc;

/// Where an API listens: hosts (exact, or `*.suffix`) and a path prefix on a segment boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Lower case, no port; empty: any host.
    pub hosts: Vec<Box<str>>,
    /// Begins with `/`; `/` is everything.
    pub path_prefix: Box<str>,
}

/// How well a scope fits a request; the greatest wins: exact host, longest suffix, any host; then the longest prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    /// `usize::MAX` for an exact host, the suffix length for `*.suffix`, 0 for any host.
    host: usize,
    prefix: usize,
}

impl Scope {
    /// Whether and how well this scope fits. `host` is lower case without port, `path` the raw path.
    #[must_use]
    pub fn fit(&self, host: Option<&str>, path: &str) -> Option<Fit> {
        let host = self.fit_host(host)?;
        let prefix = self.path_prefix.trim_end_matches('/');
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(Fit { host, prefix: prefix.len() })
    }

    fn fit_host(&self, host: Option<&str>) -> Option<usize> {
        if self.hosts.is_empty() {
            return Some(0);
        }
        let host = host?;
        self.hosts
            .iter()
            .filter_map(|known| match known.strip_prefix('*') {
                Some(suffix) => {
                    (host.len() > suffix.len() && host.ends_with(suffix)).then_some(suffix.len())
                }
                None => (&**known == host).then_some(usize::MAX),
            })
            .max()
    }
}

/// Method and path template of one API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    pub method: Arc<str>,
    /// OpenAPI path template, `/orders/{orderId}`.
    pub template: Arc<str>,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.template)
    }
}

/// Host as routing and evidence compare it: lower case, without port and trailing dot. IPv6 brackets stay.
#[must_use]
pub fn normalise_host(authority: &str) -> String {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(hosts: &[&str], prefix: &str) -> Scope {
        Scope {
            hosts: hosts.iter().map(|host| (*host).into()).collect(),
            path_prefix: prefix.into(),
        }
    }

    #[test]
    fn prefixes_end_on_a_segment() {
        let scope = scope(&[], "/a");
        assert!(scope.fit(None, "/a").is_some());
        assert!(scope.fit(None, "/a/x").is_some());
        assert!(scope.fit(None, "/ab").is_none());
    }

    #[test]
    fn an_exact_host_beats_a_suffix_which_beats_any() {
        let exact = scope(&["api.example.com"], "/").fit(Some("api.example.com"), "/x");
        let suffix = scope(&["*.example.com"], "/x").fit(Some("api.example.com"), "/x");
        let any = scope(&[], "/x").fit(Some("api.example.com"), "/x");
        assert!(exact > suffix && suffix > any && any.is_some());
    }

    #[test]
    fn hosts_lose_port_case_and_trailing_dot() {
        for (given, expected) in [
            ("API.Example.com:8080", "api.example.com"),
            ("[::1]:80", "[::1]"),
            ("a.", "a"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(normalise_host(given), expected);
        }
    }
}

//! Names in requests and answers that are nobody's contract: what advertisers, caches, proxies, tracers and clients add.
//!
//! Owns the lists that learning and judging must agree on (`spec/inference.md` 7). Refuses to own whether a name is data
//! itself: learning and judging ask that of different things.

/// Query parameters that say nothing about an API.
const QUERY: &[&str] = &[
    "gclid", "fbclid", "msclkid", "dclid", "mc_cid", "mc_eid", "_ga", "_gl", "cb", "nocache", "_",
    "_t", "_ts",
];

/// Cookies of analysts, balancers and shields, by how they begin.
const COOKIE_PREFIXES: &[&str] = &[
    "_ga",
    "_gid",
    "_gat",
    "_gcl",
    "_fbp",
    "_hj",
    "_pk_",
    "__cf",
    "cf_",
    "__utm",
    "AWSALB",
    "ARRAffinity",
];

const FIELD_PREFIXES: &[&str] = &[
    "accept",
    "content-",
    "sec-",
    "proxy-",
    "access-control-",
    "x-forwarded-",
    "x-real-ip",
    "x-original-",
    "x-envoy-",
    "x-b3-",
    "x-amz",
    "x-datadog-",
    "elastic-apm-",
    "cf-",
    "cdn-",
    "fastly-",
    ":",
];

const FIELD_ENDINGS: &[&str] = &["-client-ip", "-request-id", "-correlation-id", "-trace-id"];

/// Fields of the protocol, of clients and of tracing, in order.
const REQUEST_FIELDS: &[&str] = &[
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "keep-alive",
    "newrelic",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "save-data",
    "sentry-trace",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-app-version",
    "x-client-build",
    "x-client-info",
    "x-client-name",
    "x-client-platform",
    "x-client-version",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-request-id",
    "x-request-start",
    "x-requested-with",
    "x-sdk-version",
];

/// Fields that any server, cache or proxy sends of its own accord, in order.
const RESPONSE_FIELDS: &[&str] = &[
    "age",
    "allow",
    "alt-svc",
    "api-version",
    "deprecation",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "nel",
    "permissions-policy",
    "referrer-policy",
    "report-to",
    "retry-after",
    "server",
    "server-timing",
    "strict-transport-security",
    "sunset",
    "vary",
    "www-authenticate",
    "x-api-version",
    "x-cache",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-powered-by",
    "x-robots-tag",
    "x-runtime",
    "x-served-by",
    "x-xss-protection",
];

/// Whether a query parameter was appended by somebody who does not know the API.
#[must_use]
pub fn is_noise_parameter(name: &str) -> bool {
    name.is_empty()
        || name.starts_with("utm_")
        || name.starts_with("cachebust")
        || QUERY.contains(&name)
}

/// Whether a cookie was set by somebody who does not know the API.
#[must_use]
pub fn is_noise_cookie(name: &str) -> bool {
    name.is_empty() || COOKIE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a request field, in lower case, belongs to the protocol, to the client or to what stands between.
#[must_use]
pub fn is_noise_field(name: &str) -> bool {
    REQUEST_FIELDS.binary_search(&name).is_ok()
        || FIELD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || FIELD_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a response field, in lower case, is one that nobody would document as an API's own.
#[must_use]
pub fn is_noise_answer_field(name: &str) -> bool {
    is_noise_field(name) || RESPONSE_FIELDS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_words_are_no_noise() {
        assert!(REQUEST_FIELDS.is_sorted() && RESPONSE_FIELDS.is_sorted());
        for name in ["utm_source", "fbclid", "_", ""] {
            assert!(is_noise_parameter(name), "{name}");
        }
        for name in
            ["via", "x-forwarded-host", "acme-request-id", "accept-language", "x-client-version"]
        {
            assert!(is_noise_field(name), "{name}");
        }
        assert!(is_noise_cookie("_ga_XYZ") && !is_noise_cookie("theme"));
        assert!(is_noise_answer_field("server") && is_noise_answer_field("date"));
        assert!(!is_noise_parameter("page"));
        assert!(!is_noise_field("x-tenant") && !is_noise_answer_field("x-total"));
    }
}

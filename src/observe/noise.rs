//! Exchanges that say nothing about the API, or that belong to another protocol (`spec/inference.md` 9.3, 9.4).

use crate::model::capture::Outcome;
use crate::model::exchange::{Body, Exchange};
use crate::model::observation::Noise;

/// Endings of files that pages load.
const ASSETS: &[&str] = &[
    ".js", ".mjs", ".css", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp",
    ".avif", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp4", ".webm", ".mp3", ".wasm",
];

/// What only scanners ask an API for.
const SCANS: &[&str] = &[
    ".php",
    ".asp",
    ".aspx",
    ".jsp",
    ".cgi",
    ".env",
    "/.git",
    "/.svn",
    "/.aws",
    "/.ssh",
    "/.ds_store",
    "/.htaccess",
    "/.htpasswd",
    "/.well-known/security",
    "wp-",
    "wordpress",
    "xmlrpc",
    "cgi-bin",
    "phpmyadmin",
    "phpinfo",
    "/etc/passwd",
    "/boaform",
    "/hnap1",
    "/actuator",
    "/solr/",
    "/jenkins",
    "/manager/html",
    "/server-status",
    "/vendor/phpunit",
    "/_ignition",
    "/owa/",
    "/autodiscover",
    "/telescope",
    "/.vscode",
    "/.docker",
    ".bak",
    ".sql",
    ".swp",
    "/favicon",
    "/apple-touch-icon",
];

/// Why an exchange is not to be learned from, or none. The path is judged elsewhere.
pub(super) fn of(exchange: &Exchange) -> Option<Noise> {
    if exchange.own_test {
        return Some(Noise::OwnTest);
    }
    if exchange.status == 101 || exchange.outcome == Outcome::Tunnel {
        return Some(Noise::WebSocket);
    }
    if exchange.outcome != Outcome::Ok || exchange.status < 200 {
        return Some(Noise::Incomplete);
    }
    method(exchange).or_else(|| path(exchange)).or_else(|| protocol(exchange))
}

fn method(exchange: &Exchange) -> Option<Noise> {
    let asks_first =
        exchange.request.fields.iter().any(|field| &*field.name == "access-control-request-method");
    match exchange.method.as_str() {
        "OPTIONS" if asks_first => Some(Noise::Preflight),
        "OPTIONS" | "CONNECT" => Some(Noise::Method),
        "TRACE" => exchange
            .response
            .media
            .as_ref()
            .is_some_and(|media| media.essence() == "message/http")
            .then_some(Noise::Method),
        _ => None,
    }
}

fn path(exchange: &Exchange) -> Option<Noise> {
    let path = exchange.path.to_ascii_lowercase();
    if SCANS.iter().any(|scan| path.contains(scan)) {
        return Some(Noise::Scanner);
    }
    let reads = matches!(exchange.method.as_str(), "GET" | "HEAD");
    (reads && ASSETS.iter().any(|ending| path.ends_with(ending))).then_some(Noise::Asset)
}

fn protocol(exchange: &Exchange) -> Option<Noise> {
    let essence = exchange.request.media.as_ref().map_or("", |media| media.essence());
    if essence.starts_with("application/grpc") || essence.starts_with("application/connect") {
        return Some(Noise::Grpc);
    }
    if essence == "application/graphql" {
        return Some(Noise::GraphQl);
    }
    if essence == "application/soap+xml"
        || exchange.request.fields.iter().any(|field| &*field.name == "soapaction")
    {
        return Some(Noise::Soap);
    }
    if exchange.method != "POST" || essence != "application/json" {
        return None;
    }
    match &exchange.request.body {
        Body::Bytes { bytes, .. } => envelope(bytes),
        _ => None,
    }
}

/// Protocols that hide behind one JSON envelope, told by the beginning of the body.
fn envelope(body: &[u8]) -> Option<Noise> {
    let head = String::from_utf8_lossy(body.get(..256).unwrap_or(body));
    let packed: String = head.chars().filter(|character| !character.is_whitespace()).collect();
    if packed.contains("\"jsonrpc\":\"2.0\"") {
        return Some(Noise::JsonRpc);
    }
    let (_, query) = packed.split_once("\"query\":\"")?;
    ["{", "query", "mutation", "subscription", "fragment"]
        .iter()
        .any(|word| query.starts_with(word) && query.contains('{'))
        .then_some(Noise::GraphQl)
}

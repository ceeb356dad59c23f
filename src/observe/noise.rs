//! Exchanges that say nothing about the API, or that belong to another protocol (`spec/inference.md` 9.3, 9.4).

use super::form;
use crate::model::capture::Outcome;
use crate::model::exchange::{Body, Exchange};
use crate::model::observation::Noise;

/// Endings of files that pages load.
const ASSETS: &[&str] = &[
    ".js", ".mjs", ".css", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp",
    ".avif", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp4", ".webm", ".mp3", ".wasm",
];

/// Segments that only scanners ask an API for.
const SCANNED: &[&str] = &[
    ".aws",
    ".docker",
    ".ds_store",
    ".env",
    ".git",
    ".htaccess",
    ".htpasswd",
    ".ssh",
    ".svn",
    ".vscode",
    "_ignition",
    "autodiscover",
    "boaform",
    "cgi-bin",
    "hnap1",
    "owa",
    "phpinfo",
    "phpmyadmin",
    "phpunit",
    "wordpress",
    "xmlrpc",
];

/// Endings of what they ask for.
const SCANNED_ENDINGS: &[&str] =
    &[".php", ".asp", ".aspx", ".jsp", ".cgi", ".env", ".bak", ".sql", ".swp", ".old", "~"];

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
    let asks_first = || {
        let mut fields = exchange.request.fields.iter();
        fields.any(|field| &*field.name == "access-control-request-method")
    };
    match exchange.method.as_str() {
        "OPTIONS" if asks_first() => Some(Noise::Preflight),
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
    let path = &*exchange.path;
    if path.split('/').any(is_scanned) || ends_in(path, SCANNED_ENDINGS) {
        return Some(Noise::Scanner);
    }
    let reads = matches!(exchange.method.as_str(), "GET" | "HEAD");
    (reads && ends_in(path, ASSETS)).then_some(Noise::Asset)
}

fn is_scanned(segment: &str) -> bool {
    // Hardly any segment begins like one of them, and all are asked.
    let first = segment.bytes().next().map_or(0, |first| first.to_ascii_lowercase());
    if !b"._abchopwx".contains(&first) {
        return false;
    }
    let begins = segment.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("wp-"));
    begins
        || segment.starts_with(".env.")
        || SCANNED.iter().any(|name| segment.eq_ignore_ascii_case(name))
}

/// Whether a path ends in one of these, in any case.
fn ends_in(path: &str, endings: &[&str]) -> bool {
    if !path.contains(['.', '~']) {
        return false;
    }
    endings.iter().any(|ending| {
        let tail = path.len().checked_sub(ending.len()).and_then(|start| path.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    })
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
    if exchange.method == "GET" {
        let query = exchange.query.as_deref().unwrap_or_default();
        return asks_graph(query).then_some(Noise::GraphQl);
    }
    if exchange.method != "POST" || essence != "application/json" {
        return None;
    }
    match &exchange.request.body {
        Body::Bytes { bytes, .. } => envelope(bytes),
        _ => None,
    }
}

/// Words that a GraphQL document begins with.
const DOCUMENTS: [&str; 5] = ["{", "query", "mutation", "subscription", "fragment"];

/// Whether a parameter `query` holds a GraphQL document.
fn asks_graph(query: &str) -> bool {
    query.contains("query=")
        && form::pairs(query).any(|(name, value)| {
            let text = value.unwrap_or_default();
            name == "query" && text.contains('{') && begins_document(text.trim_start())
        })
}

fn begins_document(text: &str) -> bool {
    DOCUMENTS.iter().any(|word| text.starts_with(word))
}

/// Protocols that hide behind one JSON envelope, told by the beginning of the body.
fn envelope(body: &[u8]) -> Option<Noise> {
    let head = body.get(..256).unwrap_or(body);
    let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    if !holds(b"\"jsonrpc\"") && !holds(b"\"query\"") {
        return None;
    }
    let head = String::from_utf8_lossy(head);
    let packed: String = head.chars().filter(|character| !character.is_whitespace()).collect();
    if packed.contains("\"jsonrpc\":\"2.0\"") {
        return Some(Noise::JsonRpc);
    }
    let (_, query) = packed.split_once("\"query\":\"")?;
    (begins_document(query) && query.contains('{')).then_some(Noise::GraphQl)
}

//! A case as an HTTP request, and as a command line that a person can repeat.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::contract::specification::{
    Operation, Place as ParameterPlace, SchemeKind, Specification,
};
use crate::deliver::client::{Keep, Request, Timeouts};
use crate::deliver::guard::Trust;
use crate::events::chain;
use crate::model::hash::hexadecimal;

use super::super::judge::ANSWER_BYTES_MAX;
use super::super::plan::Case;

/// Names the sender, so that operators of the target can tell.
pub(super) const AGENT: &str = concat!("driftgate/", env!("CARGO_PKG_VERSION"), " (contract-test)");

const TIMEOUTS: Timeouts = Timeouts {
    dns: Duration::from_secs(5),
    connect: Duration::from_secs(5),
    head: Duration::from_secs(15),
    total: Duration::from_secs(30),
};

const KEEP: Keep = Keep {
    decoded_bytes: ANSWER_BYTES_MAX,
    raw_bytes: ANSWER_BYTES_MAX,
    duration: Duration::from_secs(30),
};

pub(super) fn url_text(base: &str, case: &Case) -> String {
    let query = if case.query.is_empty() { String::new() } else { format!("?{}", case.query) };
    format!("{base}{}{query}", case.path)
}

/// The request of a case, without credentials. None where the case spells no URL.
pub(super) fn build(
    base: &str,
    case: &Case,
    operation: &Operation,
    trust: Trust,
    headers: &HeaderMap,
) -> Option<Request> {
    let url = Url::parse(&url_text(base, case)).ok()?;
    let method = Method::from_bytes(operation.method.as_bytes()).ok()?;
    let mut request = Request::new(method, url, trust.without_metadata());
    request.timeouts = TIMEOUTS;
    request.keep = KEEP;
    request.headers.insert(ACCEPT, accept(operation));
    request.headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    request.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (name, value) in &case.headers {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        request.headers.insert(name, HeaderValue::try_from(value.as_str()).ok()?);
    }
    for (name, value) in headers {
        request.headers.insert(name.clone(), value.clone());
    }
    Some(request)
}

/// The documented media types of successful answers; anything where none is documented.
fn accept(operation: &Operation) -> HeaderValue {
    let mut types: Vec<&str> = Vec::new();
    for content in operation.responses.iter().flat_map(|response| &response.content) {
        if !types.contains(&content.media.text.as_str()) {
            types.push(&content.media.text);
        }
    }
    let offered = (!types.is_empty()).then(|| types.join(", "));
    offered
        .and_then(|text| HeaderValue::try_from(text).ok())
        .unwrap_or(HeaderValue::from_static("*/*"))
}

/// Adds what tells our requests from others': the sealed mark and the trace of the run.
pub(super) fn mark(request: &mut Request, run: &str, number: u64, sealed: Option<&str>) {
    if let Some(value) = sealed.and_then(|text| HeaderValue::try_from(text).ok()) {
        request.headers.insert(HeaderName::from_static(chain::HEADER), value);
    }
    let digest = Sha256::digest(run.as_bytes());
    let trace = hexadecimal(&digest[..16]);
    let span = hexadecimal(&Sha256::digest(format!("{run}/{number}"))[..8]);
    if let Ok(value) = HeaderValue::try_from(format!("00-{trace}-{span}-01")) {
        request.headers.insert(HeaderName::from_static("traceparent"), value);
    }
}

/// Takes everything off a request that could be a credential: what its headers are for by name, by the scheme's place, and
/// what was marked secret.
pub(super) fn without_credentials(request: &mut Request, specification: &Specification) {
    let mut names = vec![AUTHORIZATION, COOKIE, HeaderName::from_static("proxy-authorization")];
    for scheme in specification.schemes.values() {
        if let SchemeKind::ApiKey { place: ParameterPlace::Header, name } = &scheme.kind {
            names.extend(HeaderName::try_from(name.as_str()));
        }
    }
    for name in names {
        request.headers.remove(name);
    }
}

/// The command line that repeats a request: credentials as `$DRIFTGATE_AUTH`, other secrets named after their header.
pub(super) fn curl(plain: &Request, authorised: &HeaderMap) -> String {
    let mut words = vec!["curl -sS".to_owned()];
    match plain.method {
        Method::GET => {}
        Method::HEAD => words.push("--head".to_owned()),
        _ => words.push(format!("-X {}", plain.method)),
    }
    let ours = [chain::HEADER, "traceparent", "user-agent", "cache-control"];
    for (name, value) in authorised.iter().filter(|(name, _)| !ours.contains(&name.as_str())) {
        let shown = match value.to_str() {
            Ok(text) if !value.is_sensitive() => quoted(text),
            _ if plain.headers.contains_key(name) => format!("${}", variable(name)),
            _ => "$DRIFTGATE_AUTH".to_owned(),
        };
        words.push(format!("-H \"{name}: {shown}\""));
    }
    words.push(format!("\"{}\"", quoted(plain.url.as_str())));
    words.join(" ")
}

/// The shell variable that stands for a custom header: `x-tenant` → `HEADER_X_TENANT`.
fn variable(name: &HeaderName) -> String {
    format!("HEADER_{}", name.as_str().to_ascii_uppercase().replace('-', "_"))
}

/// Text as it stands between double quotes in a shell.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

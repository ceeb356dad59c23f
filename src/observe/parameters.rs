//! Query parameters and message fields that may belong to the contract (`spec/inference.md` 7).
//!
//! Owns the ignore lists and what is kept of a value. Refuses to own whether a parameter is stated; that needs counts.

use super::body::{hash_short, mark};
use super::classes::classify;
use super::{form, names};
use crate::model::exchange::{Credential, CredentialPlace, Field, Text};
use crate::model::hash::HashKey;
use crate::model::observation::{Classes, List, Parameter};
use crate::model::redaction::Plan;

/// Parameters of one exchange beyond this are not looked at.
const PARAMETERS_MAX: usize = 128;

const IGNORED_QUERY: &[&str] = &[
    "gclid", "fbclid", "msclkid", "dclid", "mc_cid", "mc_eid", "_ga", "_gl", "cb", "nocache", "_",
    "_t", "_ts",
];

const IGNORED_FIELD_PREFIXES: &[&str] = &[
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

const IGNORED_FIELD_ENDINGS: &[&str] =
    &["-client-ip", "-request-id", "-correlation-id", "-trace-id"];

/// Response fields that are part of what an operation promises.
const STATED_RESPONSE_FIELDS: &[&str] = &[
    "location",
    "link",
    "etag",
    "last-modified",
    "retry-after",
    "deprecation",
    "sunset",
    "www-authenticate",
    "content-range",
    "content-disposition",
];

/// The distinct parameters of a query, in order of appearance.
pub(super) fn query(
    text: &str,
    key: &HashKey,
    plan: &Plan,
    credentials: &[Credential],
) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    for (name, value) in form::pairs(text).take(PARAMETERS_MAX) {
        let credential = credentials
            .iter()
            .any(|known| known.place == CredentialPlace::Query && *known.name == *name);
        if credential || is_ignored_query(&name) {
            continue;
        }
        let hidden = plan.hides_parameter(&name);
        let parameter = parameter(&name, value.as_deref(), hidden, key);
        match found.iter_mut().find(|known| known.hash == parameter.hash) {
            Some(known) => repeat(known, &parameter),
            None => found.push(parameter),
        }
    }
    found
}

fn is_ignored_query(name: &str) -> bool {
    name.is_empty()
        || name.starts_with("utm_")
        || name.starts_with("cachebust")
        || IGNORED_QUERY.contains(&name)
        || names::data_class(name).is_some()
}

/// Request fields that may be parameters.
pub(super) fn request_fields(
    fields: &[Field],
    key: &HashKey,
    credentials: &[Credential],
) -> Vec<Parameter> {
    let candidates = fields.iter().filter(|field| {
        let name = &*field.name;
        !is_ignored_field(name)
            && !IGNORED_FIELD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !IGNORED_FIELD_ENDINGS.iter().any(|ending| name.ends_with(ending))
            && !credentials
                .iter()
                .any(|known| known.place == CredentialPlace::Header && &*known.name == name)
    });
    collect(candidates, key)
}

/// Response fields worth stating.
pub(super) fn response_fields(fields: &[Field], key: &HashKey) -> Vec<Parameter> {
    let candidates = fields.iter().filter(|field| {
        let name = &*field.name;
        STATED_RESPONSE_FIELDS.contains(&name)
            || name.contains("ratelimit")
            || name.starts_with("x-total")
            || name.starts_with("x-page")
            || name.starts_with("x-next")
    });
    collect(candidates, key)
}

/// Fields of the protocol, of clients and of tracing: no part of any contract.
fn is_ignored_field(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "b3"
            | "baggage"
            | "cache-control"
            | "connection"
            | "cookie"
            | "date"
            | "dnt"
            | "expect"
            | "forwarded"
            | "from"
            | "host"
            | "http2-settings"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "keep-alive"
            | "newrelic"
            | "origin"
            | "pragma"
            | "priority"
            | "range"
            | "referer"
            | "save-data"
            | "sentry-trace"
            | "set-cookie"
            | "te"
            | "traceparent"
            | "tracestate"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "upgrade-insecure-requests"
            | "user-agent"
            | "via"
            | "x-cloud-trace-context"
            | "x-correlation-id"
            | "x-request-id"
            | "x-request-start"
            | "x-requested-with"
    )
}

fn collect<'a>(fields: impl Iterator<Item = &'a Field>, key: &HashKey) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    for field in fields.take(PARAMETERS_MAX) {
        let value = match &field.value {
            Text::Plain(text) => Some(&**text),
            Text::Redacted(_) => None,
        };
        let parameter =
            parameter(&field.name, Some(value.unwrap_or_default()), value.is_none(), key);
        match found.iter_mut().find(|known| known.hash == parameter.hash) {
            Some(known) => repeat(known, &parameter),
            None => found.push(parameter),
        }
    }
    found
}

fn parameter(name: &str, value: Option<&str>, hidden: bool, key: &HashKey) -> Parameter {
    let text = value.unwrap_or_default();
    let classes = if hidden { Classes::NONE } else { classify(text) };
    let keeps = classes.has(Classes::KEYWORD) && !names::is_free_text(name);
    Parameter {
        name: name.into(),
        hash: key.hash(name.as_bytes()),
        repeats: 1,
        classes,
        mark: if hidden { 0 } else { mark(hash_short(text.as_bytes())) },
        bare: value.is_none(),
        list: if hidden { None } else { list(text) },
        kept: keeps.then(|| text.into()),
    }
}

/// A second value of the same name: only what holds for both remains.
fn repeat(known: &mut Parameter, other: &Parameter) {
    known.repeats = known.repeats.saturating_add(1);
    known.classes = known.classes.and(other.classes);
    known.list = None;
    known.kept = None;
}

/// The separator that splits a value into at least two items, and what they are.
fn list(text: &str) -> Option<List> {
    let separator = [',', '|', ' '].into_iter().find(|separator| text.contains(*separator))?;
    let items = text.split(separator);
    let count = u32::try_from(items.clone().count()).unwrap_or(u32::MAX);
    let classes = items.map(classify).fold(Classes::ALL, Classes::and);
    Some(List { separator, items: count, classes })
}

//! Findings as event data and sentences (`spec/contract.md` 8).
//!
//! Owns wording: what was seen, how often, what the baseline says, what to do. Refuses to own facts: it only says what a
//! finding holds, and no finding holds a value from traffic.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::finding::{Direction, Finding, Verdict};
use crate::model::kind::Kind;

use super::drift::statistics::wilson;

/// The `data` of `contract.drift.*` and `contract.violation.*` events.
#[must_use]
pub fn event_data(finding: &Finding) -> Value {
    let Finding { location, statistics, .. } = finding;
    let (n, k) = (statistics.n, statistics.k);
    let mut data = json!({
        "fingerprint": finding.fingerprint,
        "kind": finding.kind.as_str(),
        "label": finding.label,
        "state": finding.state.as_str(),
        "verdict": finding.verdict.as_str(),
        "severity": finding.severity.as_str(),
        "confidence": rounded(finding.confidence),
        "direction": finding.direction.as_str(),
        "api": &*finding.api,
        "operation": {"method": finding.method, "path": finding.template},
        "location": {
            "status": location.status,
            "media_type": location.media_type,
            "pointer": location.pointer,
            "keyword": location.keyword,
        },
        "expected": finding.expected,
        "observed": finding.observed,
        "statistics": {
            "n": n,
            "k": k,
            "rate": rounded(rate(k, n)),
            "bound": rounded(wilson(k, n).1),
            "windows": statistics.windows,
            "consumers": statistics.consumers,
        },
        "first_seen": time(finding.first_seen_ms),
        "last_seen": time(finding.last_seen_ms),
        "message": finding.message,
        "remedy": finding.remedy,
        "spec_revision": finding.spec_revision.as_str(),
        "spec_origin": finding.spec_origin.as_str(),
    });
    if !finding.version.is_empty() {
        data["version"] = json!(finding.version);
    }
    if let Some(revision) = &finding.event_specification {
        data["event_specification"] = json!(revision.as_str());
    }
    if finding.reopened > 0 {
        data["reopened"] = json!(finding.reopened);
    }
    data
}

/// What happened, in one sentence.
pub(super) fn message(finding: &Finding) -> String {
    let Finding { location, .. } = finding;
    let key = match location.status.as_str() {
        "" => String::new(),
        status => format!(" {status}"),
    };
    let subject = format!("`{} {}`{key}", finding.method, finding.template);
    format!("{subject}: {}", predicate(finding))
}

/// What is said of the subject.
fn predicate(finding: &Finding) -> String {
    let often = often(finding);
    let expected = said(&finding.expected);
    let observed = said(&finding.observed);
    of_operation(finding, &often, &expected, &observed)
        .or_else(|| of_message(finding, &often, &expected, &observed))
        .unwrap_or_else(|| of_place(finding, &often, &expected, &observed))
}

fn of_operation(finding: &Finding, often: &str, expected: &str, observed: &str) -> Option<String> {
    use Kind as K;
    Some(match finding.kind {
        K::EndpointUndocumented => format!("answered {often}, and the baseline has no such path"),
        K::MethodUndocumented => format!("answered {often}, and the baseline has not that method"),
        K::EndpointDeprecatedInUse => {
            format!("is still called, {often}; it is announced to end")
        }
        K::EndpointRemovedInUse => {
            format!("still answers, {often}; the baseline before had it, this one has not")
        }
        K::EndpointUnimplemented => {
            format!("answered {observed} {often}, as if it had never been built")
        }
        K::EndpointSilent => {
            let calls = finding.statistics.n;
            format!("is called no more, after {calls} calls, while other operations are")
        }
        K::StatusVanished => {
            let status = &finding.location.status;
            format!("{status} is documented and was not seen any more {often}")
        }
        K::VersionMismatch => {
            format!("answers as version {observed} {often}; the baseline says {expected}")
        }
        K::TransportRedirected => format!("redirects elsewhere for good ({observed}) {often}"),
        K::StatusUndocumented => {
            let status = &finding.location.status;
            format!("answered {status} {often}; the baseline documents {expected}")
        }
        K::RequestRefused => {
            format!("requests that keep the baseline are refused with {observed}, {often}")
        }
        K::AuthUnauthenticatedSuccess => {
            format!("succeeded without credentials {often}; the baseline asks for them")
        }
        K::AuthSchemeUndocumented | K::AuthPlacementChanged => {
            format!("succeeded with {observed} {often}; the baseline asks for {expected}")
        }
        K::AuthNowRequired => {
            format!("refused anonymous requests {often}; the baseline says it is public")
        }
        _ => return None,
    })
}

fn of_message(finding: &Finding, often: &str, expected: &str, observed: &str) -> Option<String> {
    use Kind as K;
    Some(match finding.kind {
        K::MediaTypeUndocumented => {
            format!("the body is {observed} {often}; the baseline documents {expected}")
        }
        K::MediaTypeMissing => format!("the body has no media type {often}"),
        K::MediaTypeMalformed => format!("the media type cannot be parsed {often}"),
        K::MediaTypeLying => format!("the body says {observed} and is not that {often}"),
        K::BodyUndocumented => format!("there is a body {often}; the baseline has none"),
        K::BodyMissing => format!("the body is empty {often}; the baseline promises {expected}"),
        _ => return None,
    })
}

fn of_place(finding: &Finding, often: &str, expected: &str, observed: &str) -> String {
    use Kind as K;
    let field = field(finding);
    let keyword = &finding.location.keyword;
    let refused = finding.direction == Direction::Request && finding.verdict == Verdict::Breaking;
    match finding.kind {
        K::FieldUndocumented => {
            format!("{field} ({observed}) is there {often}; the baseline does not know it")
        }
        K::FieldRequiredMissing | K::ParamRequiredMissing if refused => {
            format!(
                "requests without {field} are refused {often}; the baseline does not require it"
            )
        }
        K::FieldRequiredMissing | K::ParamRequiredMissing | K::HeaderRequiredMissing => {
            format!("{field} is missing {often}; the baseline requires it")
        }
        K::FieldVanished => {
            format!("{field} used to be there and is absent {often}")
        }
        K::NullUnexpected => format!("{field} is null {often}; the baseline does not allow that"),
        K::TypeChanged => {
            format!("{field} is {} {often}; the baseline says {expected}", with_article(observed))
        }
        K::EnumWidened => {
            format!("{field} has a value outside the documented ones {often}; they are {expected}")
        }
        K::EnumNarrowed => format!("documented values of {field} are refused {often}"),
        K::DiscriminatorUnknown => {
            format!("{field} names no documented variant {often}; they are {expected}")
        }
        K::ReadWriteViolated => format!("{field} is there {often}; the baseline says {keyword}"),
        K::UnionNoBranch => format!("{field} is none of the documented variants {often}"),
        K::UnionAmbiguous => format!("{field} is several of the documented variants {often}"),
        K::ParamUndocumented => format!("{field} is sent {often}; the baseline does not know it"),
        _ => format!("{field} breaks `{keyword}` {often}; the baseline says {expected}"),
    }
}

/// `9 of 412 answers`.
fn often(finding: &Finding) -> String {
    let noun = match finding.direction {
        Direction::Response => "answers",
        Direction::Request => "requests",
        Direction::Structure => "exchanges",
    };
    let (k, n) = (finding.statistics.k, finding.statistics.n.max(finding.statistics.k));
    format!("in {k} of {n} {noun}")
}

/// The place as people write it: `items[].sku`, the query parameter `limit`, the body.
fn field(finding: &Finding) -> String {
    let pointer = &finding.location.pointer;
    if pointer.is_empty() {
        return "the body".to_owned();
    }
    if let Some((place, name)) = pointer.split_once('/').filter(|(place, _)| !place.is_empty()) {
        let noun = if place == "header" { "header" } else { "parameter" };
        return match place {
            "path" => {
                format!("path parameter {}", name.parse::<u32>().map_or(0, |index| index + 1))
            }
            "header" => format!("the {noun} `{name}`"),
            place => format!("the {place} {noun} `{name}`"),
        };
    }
    let mut text = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match step.as_str() {
            "*" => text.push_str("[]"),
            step => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(step);
            }
        }
    }
    format!("`{text}`")
}

/// The name of a type as a noun.
fn with_article(name: &str) -> String {
    match name.chars().next() {
        Some('a' | 'i' | 'o') => format!("an {name}"),
        _ if name == "null" => name.to_owned(),
        _ => format!("a {name}"),
    }
}

/// An expectation or observation in words.
fn said(shape: &Value) -> String {
    let Some((name, value)) = shape.as_object().and_then(|members| members.iter().next()) else {
        return "something else".to_owned();
    };
    match (name.as_str(), value) {
        ("absent", _) => "nothing".to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) if items.is_empty() => "none".to_owned(),
        (_, Value::Array(items)) => {
            let words: Vec<String> = items.iter().take(8).map(word).collect();
            let more = if items.len() > 8 { ", …" } else { "" };
            format!("{}{more}", words.join(", "))
        }
        ("status", status) => status.to_string(),
        (name, value) => format!("{name} {}", word(value)),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(" and "),
        other => other.to_string(),
    }
}

/// What to do about a kind.
pub(super) fn remedy(kind: Kind, direction: Direction) -> &'static str {
    use Kind as K;
    match kind {
        K::EndpointUndocumented | K::MethodUndocumented => {
            "document the operation, or take it out of the API"
        }
        K::EndpointDeprecatedInUse | K::EndpointRemovedInUse => {
            "move the clients that still call it, then remove it"
        }
        K::EndpointUnimplemented | K::EndpointSilent => {
            "take the operation out of the contract, or bring it back"
        }
        K::StatusUndocumented | K::StatusVanished => {
            "document the status, or answer one that is documented"
        }
        K::MediaTypeUndocumented
        | K::MediaTypeMissing
        | K::MediaTypeMalformed
        | K::MediaTypeLying => "send the documented media type, or document this one",
        K::BodyUndocumented | K::BodyMissing => "let body and document agree",
        K::RequestRefused | K::EnumNarrowed | K::AuthNowRequired => {
            "accept what the contract allows, or release the tightening as a breaking change"
        }
        K::FieldUndocumented | K::ParamUndocumented | K::HeaderUndocumented => {
            "document it; clients may have begun to rely on it"
        }
        K::FieldRequiredMissing if direction == Direction::Request => {
            "let `required` say what the server asks for"
        }
        K::FieldRequiredMissing | K::FieldVanished | K::HeaderRequiredMissing => {
            "send it again, or release its removal as a breaking change"
        }
        K::AuthUnauthenticatedSuccess => {
            "check at once whether the operation is meant to be public; if so, say so in the contract"
        }
        K::AuthSchemeUndocumented | K::AuthPlacementChanged => {
            "document the scheme that works, or refuse it"
        }
        K::VersionMismatch | K::TransportRedirected => "let paths and versions agree",
        _ if direction == Direction::Request => "let the contract say what the server accepts",
        _ => "restore the promised form, or release the change as a breaking one",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate shown with four digits")]
fn rate(hits: u64, trials: u64) -> f64 {
    if trials == 0 { 0.0 } else { hits as f64 / trials as f64 }
}

/// Four digits are all that counts carry.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

/// RFC 3339, milliseconds.
fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

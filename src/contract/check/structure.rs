//! The structure of an API: paths and methods that no baseline has or an earlier one had, operations about to end, versions
//! that disagree, redirects elsewhere.
//!
//! Owns the kinds `endpoint.*` that one exchange can show, `version.mismatch` and `transport.redirected`. Those that only
//! silence shows are `drift::watch`'s.

use serde_json::json;

use crate::model::finding::{Direction, Severity};
use crate::model::kind::Kind;

use super::super::baseline::Baseline;
use super::super::judgement::Judgement;
use super::super::oracle;
use super::super::route::{Route, generalise};
use super::super::specification::ResponseKey;
use super::super::time::read_date;
use super::flaw::Flaw;
use super::{Case, Exchange, raise};

/// Header fields in which APIs tell their version.
const VERSION_FIELDS: &[&str] = &["api-version", "x-api-version"];

/// A path that the baseline has not.
pub(super) fn unknown(
    (baseline, exchange): (&Baseline, &Exchange),
    path: &str,
    judgement: &mut Judgement,
) {
    judgement.template = generalise(path).into();
    if tell_removed(baseline, exchange, judgement) || !oracle::shows_endpoint(exchange.status) {
        return;
    }
    if let Some((index, version)) = other_version(baseline, exchange) {
        judgement.operation = Some(index);
        judgement.template = baseline.operation(index).template.clone();
        return raise(judgement, Direction::Structure, version);
    }
    let seen = json!({"status": exchange.status});
    let flaw = Flaw::of_message(Kind::EndpointUndocumented, json!({"absent": true}), seen);
    raise(judgement, Direction::Structure, flaw);
}

/// A path that the baseline has, with a method that it has not.
pub(super) fn other_method(
    (baseline, exchange): (&Baseline, &Exchange),
    index: usize,
    judgement: &mut Judgement,
) {
    judgement.template = baseline.operation(index).template.clone();
    if tell_removed(baseline, exchange, judgement) {
        return;
    }
    // Frameworks answer these by themselves.
    let is_automatic = matches!(&*exchange.method, "OPTIONS" | "HEAD" | "TRACE");
    if oracle::shows_method(exchange.status) && !is_automatic {
        let seen = json!({"status": exchange.status});
        let flaw = Flaw::of_message(Kind::MethodUndocumented, json!({"absent": true}), seen);
        raise(judgement, Direction::Structure, flaw);
    }
}

/// Whether an earlier baseline had the operation; an answer that still succeeds is told.
fn tell_removed(baseline: &Baseline, exchange: &Exchange, judgement: &mut Judgement) -> bool {
    let Some(template) = baseline.removed(&exchange.method, &exchange.path) else { return false };
    judgement.template = template.clone();
    if (200..300).contains(&exchange.status) {
        let seen = json!({"status": exchange.status});
        let flaw = Flaw::of_message(Kind::EndpointRemovedInUse, json!({"absent": true}), seen);
        raise(judgement, Direction::Structure, flaw);
    }
    true
}

/// `/v2/orders` where the baseline has `/v1/orders`: the operation meant, and the versions of both.
fn other_version(baseline: &Baseline, exchange: &Exchange) -> Option<(usize, Flaw)> {
    let documented = baseline.specification.bases().flat_map(|base| base.split('/'));
    let templates = baseline.specification.operations.iter();
    let in_templates = templates.filter_map(|operation| operation.template.split('/').nth(1));
    let mut versions: Vec<&str> =
        documented.chain(in_templates).filter(|segment| is_version(segment)).collect();
    versions.sort_unstable();
    versions.dedup();
    let sent = exchange.path.split('/').find(|segment| is_version(segment))?;
    versions.into_iter().take(8).find_map(|version| {
        let path = exchange.path.replacen(&format!("/{sent}/"), &format!("/{version}/"), 1);
        match baseline.router.route(&exchange.method, &path) {
            Route::Operation { index, .. } if path != exchange.path => {
                Some((index, mismatch(version, sent).at("path", "servers")))
            }
            _ => None,
        }
    })
}

/// `v1`, `v2beta1`.
fn is_version(segment: &str) -> bool {
    segment.len() <= 10
        && segment.strip_prefix('v').is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_digit())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        })
}

/// Versions are the server's own words, so they are told only where they look like versions.
fn mismatch(expected: &str, seen: &str) -> Flaw {
    let seen = json!({"version": seen});
    Flaw::of_message(Kind::VersionMismatch, json!({"version": expected}), seen.clone())
        .written(seen)
}

/// What the structure of a documented exchange shows.
pub(super) fn judge(case: &Case<'_>, judgement: &mut Judgement) {
    deprecated(case, judgement);
    if let Some(flaw) = stated_version(case) {
        raise(judgement, Direction::Structure, flaw);
    }
    let status = case.exchange.status;
    if is_undocumented_redirect(case) {
        let (expected, seen) = (json!({"status": "2XX"}), json!({"status": status}));
        let flaw = Flaw::of_message(Kind::TransportRedirected, expected, seen);
        raise(judgement, Direction::Structure, flaw.at("", "responses"));
    }
}

/// A permanent redirect that no exact status and no range documents.
pub(super) fn is_undocumented_redirect(case: &Case<'_>) -> bool {
    let status = case.exchange.status;
    matches!(status, 301 | 308)
        && !case.operation.responses.iter().any(|response| {
            matches!(response.key, ResponseKey::Exact(known) if known == status)
                || response.key == ResponseKey::Range(3)
        })
}

/// Traffic on an operation that is to end, by the document or by the server's own word.
fn deprecated(case: &Case<'_>, judgement: &mut Judgement) {
    let exchange = case.exchange;
    if !(200..400).contains(&exchange.status) {
        return;
    }
    let announced = exchange.response.field("sunset");
    let documented = case.baseline.sunset(case.index);
    let is_deprecated = case.operation.deprecated
        || announced.is_some()
        || documented.is_some()
        || exchange.response.field("deprecation").is_some_and(|text| text != "false");
    if !is_deprecated {
        return;
    }
    let sunset = documented.or_else(|| announced.and_then(read_date));
    let is_past = sunset.is_some_and(|sunset| exchange.time_ms > sunset);
    let expected = json!({"deprecated": true});
    let seen = json!({"status": exchange.status, "past_sunset": is_past});
    let flaw = Flaw::of_message(Kind::EndpointDeprecatedInUse, expected, seen);
    raise(judgement, Direction::Structure, flaw.at("", "deprecated"));
    if let Some(last) = judgement.deviations.last_mut().filter(|_| is_past) {
        last.severity = Severity::High;
    }
}

/// The version that an answer tells, where it is another than the document's.
fn stated_version(case: &Case<'_>) -> Option<Flaw> {
    let documented = case.baseline.specification.version.trim();
    let (name, stated) = VERSION_FIELDS.iter().find_map(|name| {
        case.exchange.response.field(name).map(|text| (name, text.trim().trim_start_matches('v')))
    })?;
    (disagree(documented.trim_start_matches('v'), stated))
        .then(|| mismatch(documented, stated).at(format!("header/{name}"), "version"))
}

/// Two dates that differ, or two numbers with another first part. Anything else cannot be compared.
fn disagree(documented: &str, stated: &str) -> bool {
    let is_date = |text: &str| text.len() == 10 && read_date(text).is_some();
    if is_date(documented) && is_date(stated) {
        return documented != stated;
    }
    let major = |text: &str| {
        let is_numeric = text.len() <= 20
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && !text.is_empty();
        is_numeric.then(|| text.split('.').next().and_then(|first| first.parse::<u32>().ok()))?
    };
    match (major(documented), major(stated)) {
        (Some(documented), Some(stated)) => documented != stated,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_disagree_only_where_they_can_be_compared() {
        for (documented, stated, expected) in [
            ("1.2.3", "1.9", false),
            ("1.2.3", "2", true),
            ("2024-01-01", "2024-06-01", true),
            ("2024-01-01", "2024-01-01", false),
            ("1.2.3", "2024-06-01", false),
            ("1.2.3", "latest", false),
            ("", "2", false),
        ] {
            assert_eq!(disagree(documented, stated), expected, "{documented} {stated}");
        }
        for (segment, expected) in [("v1", true), ("v2beta1", true), ("vat", false), ("v", false)] {
            assert_eq!(is_version(segment), expected, "{segment}");
        }
    }
}

//! Whether a finding is still a deviation from a new baseline.
//!
//! Owns the comparison by place: the operation, the documented answer, and the keyword that was violated as the new document
//! writes it. A place that says something else now is a new question, and traffic will answer it under a new fingerprint.

use serde_json::Value;

use crate::model::finding::{Direction, Finding};
use crate::model::kind::Kind;
use crate::model::media::MediaType;

use super::super::baseline::Baseline;
use super::super::check::find_content;
use super::super::fingerprint::fingerprint;
use super::super::route::Route;
use super::super::specification::{Content, Operation, Place, ResponseKey, SchemaRef, Side};
use super::super::wire::Wire;

/// Whether the finding could be raised again by the same exchange.
pub(super) fn still_deviates(baseline: &Baseline, finding: &Finding) -> bool {
    let path = finding.template.replace("{}", "{any}").replace(['{', '}'], "");
    let route = baseline.router.route(&finding.method, &path);
    let operation = match (finding.kind, route) {
        (Kind::EndpointUndocumented, route) => return matches!(route, Route::Unknown(_)),
        (Kind::MethodUndocumented, route) => return matches!(route, Route::OtherMethod(_)),
        (Kind::EndpointRemovedInUse, Route::Operation { .. }) => return false,
        (Kind::EndpointRemovedInUse, _) => {
            return baseline.removed(&finding.method, &path).is_some();
        }
        (_, Route::Operation { index, .. }) => baseline.operation(index),
        // The operation is gone: its findings go with it.
        _ => return false,
    };
    match finding.kind {
        Kind::StatusUndocumented => {
            let status = finding.location.status.parse().unwrap_or(0);
            operation.response(status).is_none()
        }
        Kind::StatusVanished => operation
            .responses
            .iter()
            .any(|response| response.key.to_string() == finding.location.status),
        // What is announced to end may be missing.
        Kind::EndpointUnimplemented | Kind::EndpointSilent => !operation.deprecated,
        Kind::TransportRedirected => {
            let status = finding.observed.get("status").and_then(Value::as_u64);
            let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
            operation.response(status).is_none_or(|response| response.key == ResponseKey::Default)
        }
        Kind::EndpointDeprecatedInUse | Kind::VersionMismatch => true,
        Kind::AuthNowRequired => !operation.is_secured(),
        Kind::AuthUnauthenticatedSuccess
        | Kind::AuthSchemeUndocumented
        | Kind::AuthPlacementChanged => operation.is_secured(),
        Kind::ParamUndocumented | Kind::ParamRequiredMissing | Kind::ParamInvalid => {
            parameter_deviates(baseline, operation, finding)
        }
        Kind::HeaderRequiredMissing | Kind::HeaderInvalid | Kind::HeaderUndocumented => {
            header_deviates(baseline, operation, finding)
        }
        Kind::MediaTypeUndocumented => media_deviates(operation, finding),
        _ if finding.location.pointer.is_empty() && finding.location.keyword == "content" => true,
        _ if finding.location.media_type.is_empty() => true,
        _ => field_deviates(baseline, operation, finding),
    }
}

fn parameter_deviates(baseline: &Baseline, operation: &Operation, finding: &Finding) -> bool {
    let (place, name) = finding.location.pointer.split_once('/').unwrap_or_default();
    let documented = operation.parameters.iter().find(|parameter| {
        parameter.place.as_str() == place
            && (parameter.place == Place::Path || parameter.name.eq_ignore_ascii_case(name))
    });
    match finding.kind {
        Kind::ParamUndocumented => documented.is_none(),
        // Sent in vain, or asked for in vain: what the contract said then is part of what was expected.
        Kind::ParamRequiredMissing => {
            let required = finding.expected.get("required") != Some(&Value::Bool(false));
            documented.is_some_and(|parameter| parameter.required == required)
        }
        _ if finding.location.keyword == "style" => documented.is_some(),
        _ => documented
            .and_then(|parameter| parameter.schema.as_ref())
            .is_some_and(|schema| stands((baseline, Side::Request), schema, finding)),
    }
}

fn header_deviates(baseline: &Baseline, operation: &Operation, finding: &Finding) -> bool {
    let name = finding.location.pointer.strip_prefix("header/").unwrap_or_default();
    let status = &finding.location.status;
    let response = operation.responses.iter().find(|response| response.key.to_string() == *status);
    let Some(response) = response else { return false };
    let documented = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    match finding.kind {
        Kind::HeaderUndocumented => documented.is_none(),
        Kind::HeaderRequiredMissing => documented.is_some_and(|header| header.required),
        _ => documented
            .and_then(|header| header.schema.as_ref())
            .is_some_and(|schema| stands((baseline, Side::Response), schema, finding)),
    }
}

/// Whether the violated keyword stands in a schema as it did: then the fingerprint is the same.
fn stands((baseline, side): (&Baseline, Side), schema: &SchemaRef, finding: &Finding) -> bool {
    let wire = Wire { schemas: &baseline.specification.schemas, side };
    keyword_stands(wire, wire.schemas.get(side, schema), finding)
}

fn keyword_stands<'s>(wire: Wire<'s>, place: &'s Value, finding: &Finding) -> bool {
    wire.keyword(place, &finding.location.keyword, &|written| {
        let at = (finding.method.as_str(), finding.template.as_str());
        let Finding { direction, kind, location, .. } = finding;
        fingerprint(at, *direction, *kind, location, written) == finding.fingerprint
    })
}

/// The documented bodies that a finding speaks of.
fn contents<'o>(operation: &'o Operation, finding: &Finding) -> &'o [Content] {
    match finding.direction {
        Direction::Request => operation.body.as_ref().map_or(&[], |body| &body.content),
        _ => operation
            .responses
            .iter()
            .find(|response| response.key.to_string() == finding.location.status)
            .map_or(&[], |response| &response.content),
    }
}

fn media_deviates(operation: &Operation, finding: &Finding) -> bool {
    let seen = finding.observed.get("media_type").and_then(Value::as_str);
    let seen = seen.and_then(MediaType::parse);
    seen.is_none_or(|media| find_content(contents(operation, finding), &media).is_none())
}

/// Whether the violated keyword still stands there as it did: then the fingerprint is the same.
fn field_deviates(baseline: &Baseline, operation: &Operation, finding: &Finding) -> bool {
    let side = match finding.direction {
        Direction::Request => Side::Request,
        _ => Side::Response,
    };
    let schema = contents(operation, finding)
        .iter()
        .find(|content| content.media.text == finding.location.media_type)
        .and_then(|content| content.schema.as_ref());
    let Some(schema) = schema else { return false };
    let wire = Wire { schemas: &baseline.specification.schemas, side };
    let root = wire.schemas.get(side, schema);
    let steps: Vec<String> = finding
        .location
        .pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let of_parent = matches!(
        finding.kind,
        Kind::FieldRequiredMissing | Kind::FieldUndocumented | Kind::FieldVanished
    );
    let (last, path) = match steps.split_last() {
        Some((last, path)) if of_parent => (last.as_str(), path),
        _ => ("", steps.as_slice()),
    };
    let mut places = vec![root];
    for step in path {
        places = places.iter().filter_map(|place| step_into(wire, place, step)).collect();
    }
    let Some(place) = places.first() else { return false };
    match finding.kind {
        Kind::FieldUndocumented => wire.property(place, last).is_none(),
        Kind::FieldVanished => wire.property(place, last).is_some(),
        Kind::FieldRequiredMissing if finding.location.keyword == "required" => {
            let asked_in_vain = finding.expected.get("required") != Some(&Value::Bool(false));
            let is_required = wire.keyword(place, "required", &|list| {
                list.as_array().is_some_and(|names| names.iter().any(|name| name == last))
            });
            is_required == asked_in_vain
        }
        _ => keyword_stands(wire, place, finding),
    }
}

fn step_into<'s>(wire: Wire<'s>, schema: &'s Value, step: &str) -> Option<&'s Value> {
    match step {
        "*" => wire.items(schema),
        step => wire.property(schema, step),
    }
}

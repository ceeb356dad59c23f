//! What is fixed about each kind of deviation: severity, nearest diff label, how it is counted (`spec/contract.md` 4, 5).
//!
//! Owns the table. Refuses to own when a kind is raised (`check`, `oracle`).

use crate::model::finding::{Direction, Severity, Verdict};
use crate::model::kind::Kind;

/// By which threshold a deviation becomes a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The API contradicts the contract.
    Contradiction,
    /// A success without credentials.
    Unauthenticated,
    /// Strangers are refused where the contract lets them in: all of them, for some things may be for few.
    Closed,
    /// A field or parameter beyond the contract.
    UndocumentedField,
    /// An endpoint, status or media type beyond the contract.
    Undocumented,
    /// A server error that no response documents: bursts are no drift.
    Failure,
    /// A request that the contract allows is refused.
    Refusal,
    /// Nearly every answer redirects for good.
    Redirect,
    /// What is no longer there; told and taken back by the memory of what there was.
    Absence,
}

/// Severity of a kind seen in a direction. `accepted`: the request that deviates was accepted.
pub(super) fn severity(kind: Kind, direction: Direction, accepted: bool) -> Severity {
    use Kind as K;
    let in_request = direction == Direction::Request;
    match kind {
        K::AuthUnauthenticatedSuccess => Severity::Critical,
        K::FieldUndocumented if !in_request => Severity::Info,
        K::FieldRequiredMissing | K::TypeChanged | K::ParamRequiredMissing | K::ParamInvalid
            if in_request =>
        {
            if accepted {
                Severity::Low
            } else {
                Severity::High
            }
        }
        K::EndpointUndocumented
        | K::MethodUndocumented
        | K::EndpointRemovedInUse
        | K::EndpointUnimplemented
        | K::RequestRefused
        | K::FieldRequiredMissing
        | K::TypeChanged
        | K::NullUnexpected
        | K::EnumNarrowed
        | K::ConstChanged
        | K::UnionNoBranch
        | K::DiscriminatorUnknown
        | K::ReadWriteViolated
        | K::ParamRequiredMissing
        | K::ParamInvalid
        | K::AuthPlacementChanged
        | K::AuthNowRequired => Severity::High,
        K::StatusUndocumented
        | K::MediaTypeUndocumented
        | K::MediaTypeMissing
        | K::MediaTypeMalformed
        | K::MediaTypeLying
        | K::BodyMissing
        | K::FieldVanished
        | K::EnumWidened
        | K::BoundExceeded
        | K::PatternBroken
        | K::HeaderRequiredMissing
        | K::AuthSchemeUndocumented
        | K::TransportRedirected => Severity::Medium,
        K::EndpointDeprecatedInUse
        | K::BodyUndocumented
        | K::FieldUndocumented
        | K::FormatBroken
        | K::UnionAmbiguous
        | K::ParamUndocumented
        | K::HeaderInvalid
        | K::HeaderUndocumented => Severity::Low,
        K::EndpointSilent | K::StatusVanished | K::VersionMismatch => Severity::Info,
    }
}

/// Severity of an undocumented status by its class.
pub(super) fn status_severity(status: u16) -> Severity {
    match status / 100 {
        2 => Severity::Medium,
        5 => Severity::High,
        _ => Severity::Low,
    }
}

/// What a deviation means for clients of the contract. A request that deviates and was accepted shows a server that is wider
/// than its contract, which hurts nobody; a response that leaves a declared set hurts those who rely on it.
pub(super) fn verdict(kind: Kind, direction: Direction, accepted: bool) -> Verdict {
    use Kind as K;
    match kind {
        K::FieldUndocumented
        | K::BodyUndocumented
        | K::HeaderUndocumented
        | K::EndpointUndocumented
        | K::MethodUndocumented
        | K::ParamUndocumented => Verdict::Compatible,
        K::StatusUndocumented
        | K::StatusVanished
        | K::FieldVanished
        | K::EndpointSilent
        | K::EndpointDeprecatedInUse
        | K::UnionAmbiguous
        | K::FormatBroken
        | K::VersionMismatch
        | K::TransportRedirected
        | K::AuthUnauthenticatedSuccess => Verdict::PotentiallyBreaking,
        _ if direction == Direction::Request && accepted => Verdict::Compatible,
        _ => Verdict::Breaking,
    }
}

/// The nearest label of the specification diff.
pub(super) fn label(kind: Kind, direction: Direction, accepted: bool) -> &'static str {
    use Kind as K;
    let in_request = direction == Direction::Request;
    match kind {
        K::EndpointUndocumented | K::MethodUndocumented => "endpoint-added",
        K::EndpointDeprecatedInUse => "endpoint-deprecated",
        K::EndpointRemovedInUse | K::EndpointUnimplemented | K::EndpointSilent => {
            "api-removed-without-deprecation"
        }
        K::StatusUndocumented => "response-success-status-added",
        K::StatusVanished => "response-success-status-removed",
        K::MediaTypeUndocumented if in_request => "request-body-media-type-added",
        K::MediaTypeUndocumented => "response-media-type-added",
        K::MediaTypeMissing | K::MediaTypeMalformed | K::MediaTypeLying => {
            "response-media-type-name-changed"
        }
        K::BodyUndocumented => "request-body-added-optional",
        K::BodyMissing => "response-body-became-nullable",
        K::RequestRefused => "request-body-narrowed",
        K::FieldUndocumented if in_request => "new-optional-request-property",
        K::FieldUndocumented => "response-optional-property-added",
        K::FieldRequiredMissing if in_request && accepted => "request-property-became-optional",
        K::FieldRequiredMissing if in_request => "request-property-became-required",
        K::FieldRequiredMissing => "response-property-became-optional",
        K::FieldVanished => "response-optional-property-removed",
        K::TypeChanged if in_request => "request-property-type-changed",
        K::TypeChanged => "response-property-type-changed",
        K::NullUnexpected => "response-property-became-nullable",
        K::EnumWidened => "response-property-enum-value-added",
        K::EnumNarrowed => "request-property-enum-value-removed",
        K::BoundExceeded => "response-property-max-increased",
        K::PatternBroken | K::FormatBroken => "response-property-pattern-changed",
        K::ConstChanged => "response-property-const-changed",
        K::UnionNoBranch | K::UnionAmbiguous => "response-property-one-of-added",
        K::DiscriminatorUnknown => "response-property-discriminator-mapping-added",
        K::ReadWriteViolated if in_request => "request-optional-property-became-not-read-only",
        K::ReadWriteViolated => "response-optional-property-became-not-write-only",
        K::ParamUndocumented => "new-optional-request-parameter",
        K::ParamRequiredMissing if accepted => "request-parameter-became-optional",
        K::ParamRequiredMissing => "request-parameter-became-required",
        K::ParamInvalid => "request-parameter-type-changed",
        K::HeaderRequiredMissing => "required-response-header-removed",
        K::HeaderInvalid => "response-header-type-changed",
        K::HeaderUndocumented => "response-header-added",
        K::AuthUnauthenticatedSuccess => "api-security-removed",
        K::AuthSchemeUndocumented => "api-security-component-scheme-changed",
        K::AuthPlacementChanged => "api-security-component-placement-changed",
        K::AuthNowRequired => "api-security-added",
        K::VersionMismatch | K::TransportRedirected => "api-path-changed",
    }
}

/// By which threshold a kind opens. `status` is the documented key, or the exact one of `status.*`.
pub(super) fn rule(kind: Kind, direction: Direction, verdict: Verdict, status: &str) -> Rule {
    use Kind as K;
    match kind {
        // A request that deviates and is refused is no deviation; so this one is what the server asks for beyond the contract.
        K::FieldRequiredMissing
            if direction == Direction::Request && verdict == Verdict::Breaking =>
        {
            Rule::Refusal
        }
        K::AuthUnauthenticatedSuccess => Rule::Unauthenticated,
        K::AuthNowRequired => Rule::Closed,
        K::StatusUndocumented if status.starts_with('5') => Rule::Failure,
        K::FieldUndocumented | K::ParamUndocumented => Rule::UndocumentedField,
        K::EndpointUndocumented
        | K::MethodUndocumented
        | K::StatusUndocumented
        | K::MediaTypeUndocumented
        | K::BodyUndocumented
        | K::HeaderUndocumented
        | K::VersionMismatch
        | K::EndpointDeprecatedInUse
        | K::EndpointRemovedInUse => Rule::Undocumented,
        K::RequestRefused | K::EnumNarrowed => Rule::Refusal,
        K::ParamRequiredMissing if verdict == Verdict::Breaking => Rule::Refusal,
        K::EndpointUnimplemented | K::EndpointSilent | K::StatusVanished | K::FieldVanished => {
            Rule::Absence
        }
        K::TransportRedirected => Rule::Redirect,
        _ => Rule::Contradiction,
    }
}

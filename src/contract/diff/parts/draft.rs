//! A change being written: what it is called and where, until fingerprint, kind and severity follow from that.

use std::sync::Arc;

use serde_json::Value;

use super::super::super::fingerprint::fingerprint;
use super::super::change::{Change, Fragment, Subject};
use crate::model::finding::{Direction, Location, Severity, Verdict};
use crate::model::kind::Kind;

pub(super) struct Draft {
    pub(super) label: String,
    pub(super) direction: Direction,
    pub(super) verdict: Verdict,
    pub(super) forward: Verdict,
    pub(super) text: String,
    pub(super) location: Location,
    pub(super) old: Option<Fragment>,
    pub(super) new: Option<Fragment>,
    /// The old value of what changed, for the fingerprint.
    pub(super) expected: Value,
    pub(super) witness: Option<Arc<Value>>,
    pub(super) reason: Option<String>,
}

impl Draft {
    pub(super) fn new(label: impl Into<String>, direction: Direction, verdict: Verdict) -> Self {
        Self {
            label: label.into(),
            direction,
            verdict,
            forward: Verdict::Compatible,
            text: String::new(),
            location: Location::default(),
            old: None,
            new: None,
            expected: Value::Null,
            witness: None,
            reason: None,
        }
    }

    /// A change of the structure.
    pub(super) fn structure(label: impl Into<String>, verdict: Verdict) -> Self {
        Self::new(label, Direction::Structure, verdict)
    }

    pub(super) fn forward(mut self, forward: Verdict) -> Self {
        self.forward = forward;
        self
    }

    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    pub(super) fn between(mut self, old: Option<Fragment>, new: Option<Fragment>) -> Self {
        self.old = old;
        self.new = new;
        self
    }

    /// `in/name` of a parameter or header, or another name of the part.
    pub(super) fn pointing(mut self, pointer: impl Into<String>) -> Self {
        self.location.pointer = pointer.into();
        self
    }

    pub(super) fn keyword(mut self, keyword: &str) -> Self {
        keyword.clone_into(&mut self.location.keyword);
        self
    }

    pub(super) fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.location.status);
        self
    }

    pub(super) fn media(mut self, media: &str) -> Self {
        media.clone_into(&mut self.location.media_type);
        self
    }

    pub(super) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    pub(super) fn finish(mut self, operation: Subject, family: &'static str) -> Change {
        if self.reason.is_none() && self.verdict == Verdict::PotentiallyBreaking {
            self.reason = Some("documents do not say who depends on it".to_owned());
        }
        let kind = nearest(&self.label, self.direction);
        let mut expected = self.expected;
        if expected.is_null() {
            expected = Value::from(self.label.as_str());
        }
        // Changes of no kind of drift are told apart by their label alone.
        let fingerprint = fingerprint(
            (&operation.method, &operation.template),
            self.direction,
            kind.unwrap_or(Kind::VersionMismatch),
            &self.location,
            &expected,
        );
        Change {
            fingerprint,
            kind,
            family,
            severity: severity(self.verdict),
            label: self.label,
            direction: self.direction,
            verdict: self.verdict,
            forward: self.forward,
            operation,
            location: self.location,
            old: self.old,
            new: self.new,
            witness: self.witness,
            reason: self.reason,
            text: self.text,
            ignored: None,
        }
    }
}

fn severity(verdict: Verdict) -> Severity {
    match verdict {
        Verdict::Breaking => Severity::High,
        Verdict::PotentiallyBreaking => Severity::Medium,
        Verdict::Compatible | Verdict::Cosmetic => Severity::Info,
    }
}

/// Labels, by what they end with or contain, and the kind of drift that shows the same in traffic.
const KINDS: &[(&str, Kind)] = &[
    ("endpoint-added", Kind::EndpointUndocumented),
    ("endpoint-deprecated", Kind::EndpointDeprecatedInUse),
    ("api-removed", Kind::EndpointRemovedInUse),
    ("api-path-removed", Kind::EndpointRemovedInUse),
    ("api-security-removed", Kind::AuthUnauthenticatedSuccess),
    ("api-security-added", Kind::AuthNowRequired),
    ("api-security-component-placement", Kind::AuthPlacementChanged),
    ("api-security-component-", Kind::AuthSchemeUndocumented),
    ("status-added", Kind::StatusUndocumented),
    ("status-removed", Kind::StatusVanished),
    ("media-type-added", Kind::MediaTypeUndocumented),
    ("became-nullable", Kind::NullUnexpected),
    ("request-parameter-became-required", Kind::ParamRequiredMissing),
    ("new-required-request-parameter", Kind::ParamRequiredMissing),
    ("new-optional-request-parameter", Kind::ParamUndocumented),
    ("request-parameter-", Kind::ParamInvalid),
    ("response-header-added", Kind::HeaderUndocumented),
    ("required-response-header-removed", Kind::HeaderRequiredMissing),
    ("response-header-became-optional", Kind::HeaderRequiredMissing),
    ("response-header-", Kind::HeaderInvalid),
    ("request-body-added", Kind::BodyUndocumented),
    ("new-optional-request-property", Kind::FieldUndocumented),
    ("new-required-request-property", Kind::FieldRequiredMissing),
    ("property-became-required", Kind::FieldRequiredMissing),
    ("property-became-optional", Kind::FieldRequiredMissing),
    ("only", Kind::ReadWriteViolated),
    ("property-added", Kind::FieldUndocumented),
    ("required-property-removed", Kind::FieldRequiredMissing),
    ("property-removed", Kind::FieldVanished),
    ("enum-value-removed", Kind::EnumNarrowed),
    ("enum", Kind::EnumWidened),
    ("const-", Kind::ConstChanged),
    ("pattern-", Kind::PatternBroken),
    ("discriminator-", Kind::DiscriminatorUnknown),
    ("-of-", Kind::UnionNoBranch),
    ("-type-", Kind::TypeChanged),
    ("-types-", Kind::TypeChanged),
    ("-max-", Kind::BoundExceeded),
    ("-min-", Kind::BoundExceeded),
    ("-multiple-of-", Kind::BoundExceeded),
    ("-unique-items-", Kind::BoundExceeded),
    ("request-body-narrowed", Kind::RequestRefused),
];

fn nearest(label: &str, direction: Direction) -> Option<Kind> {
    let row = KINDS.iter().find(|(words, _)| label.contains(words))?;
    match (row.1, direction) {
        (Kind::EnumWidened, Direction::Request) => Some(Kind::EnumNarrowed),
        (Kind::EnumNarrowed, Direction::Response) => Some(Kind::EnumWidened),
        (kind, _) => Some(kind),
    }
}

//! Parts of the contract at which opportunities are counted: the API, an operation, a response, a body.
//!
//! Owns which part a deviation belongs to, so that a live and a stored one agree.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::finding::{Direction, Location};
use crate::model::kind::Kind;

/// One part, by the hash of its name. The hash is fixed: equal names give equal slots in every run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(u64);

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

impl Slot {
    pub(super) fn api() -> Self {
        Self::hashed(&())
    }

    pub(super) fn operation(method: &str, template: &str) -> Self {
        Self::hashed(&(method, template))
    }

    /// All answers under one documented response key.
    pub(super) fn response(method: &str, template: &str, key: &str) -> Self {
        Self::hashed(&(method, template, key))
    }

    /// Bodies of one media type; `key` is empty for requests.
    pub(super) fn body(method: &str, template: &str, key: &str, media: &str) -> Self {
        Self::hashed(&(method, template, key, media))
    }

    /// The part that a deviation of this kind and place deviates from.
    pub(super) fn of(
        kind: Kind,
        direction: Direction,
        (method, template): (&str, &str),
        location: &Location,
    ) -> Self {
        let Location { status, media_type, pointer, .. } = location;
        match (kind, direction) {
            (Kind::EndpointUndocumented | Kind::MethodUndocumented, _) => Self::api(),
            (Kind::StatusUndocumented, _) | (_, Direction::Structure) => {
                Self::operation(method, template)
            }
            (Kind::MediaTypeUndocumented | Kind::BodyUndocumented, Direction::Request)
            | (Kind::RequestRefused, _) => Self::operation(method, template),
            // Parameters and headers are written `in/name`; places in bodies begin with a slash or are empty.
            (_, Direction::Request) if !pointer.is_empty() && !pointer.starts_with('/') => {
                Self::operation(method, template)
            }
            (_, Direction::Response)
                if media_type.is_empty() || !pointer.is_empty() && !pointer.starts_with('/') =>
            {
                Self::response(method, template, status)
            }
            _ => Self::body(method, template, status, media_type),
        }
    }

    fn hashed(parts: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self(hasher.finish())
    }
}

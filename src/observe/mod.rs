//! Redacted exchange to observation: shapes, not values (layer 2, pure).
//!
//! Owns reading paths, parameters, media and bodies. Refuses to own counting; that is `infer`.

use crate::model::exchange::Exchange;
use crate::model::hash::HashKey;
use crate::model::observation::{Body, Method, Observation, Path};

/// How the exchanges of one API are looked at.
#[derive(Debug, Clone)]
pub struct Lens {
    /// Stripped from every path; `/` strips nothing.
    pub path_prefix: Box<str>,
    /// Tokens kept of one body; the values behind are counted as skipped.
    pub body_tokens_max: usize,
    /// Below this depth a subtree is opaque.
    pub body_depth_max: usize,
    /// Longer paths are noise.
    pub path_bytes_max: usize,
    /// Paths of more segments are noise.
    pub path_segments_max: usize,
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            path_prefix: "/".into(),
            body_tokens_max: 20_000,
            body_depth_max: 64,
            path_bytes_max: 2_048,
            path_segments_max: 32,
        }
    }
}

/// What is kept of an exchange: classes, shapes, keyed hashes. Pure; cost is linear in the bodies.
#[must_use]
pub fn observe(exchange: &Exchange, _key: &HashKey, _lens: &Lens) -> Observation {
    Observation {
        method: Method::parse(&exchange.method),
        path: Path::default(),
        query: Vec::new(),
        headers: Vec::new(),
        credentials: exchange.credentials.clone(),
        status: exchange.status,
        request: Body::Absent,
        response: Body::Absent,
        response_headers: Vec::new(),
        echoes: Vec::new(),
        ids: Vec::new(),
        location_tail: None,
        canonical_redirect: false,
        server: None,
        consumer: exchange.consumer,
        weight: exchange.weight,
        time_ms: exchange.time_ms,
        noise: None,
    }
}

//! Redacted exchange to observation: shapes, not values (layer 2, pure).
//!
//! Owns reading paths, parameters, media and bodies. Refuses to own counting; that is `infer`.

mod body;
mod classes;
mod form;
mod ids;
mod json;
mod lexicon;
mod media;
mod names;
mod noise;
mod parameters;
mod path;
mod secrets;
#[cfg(test)]
mod tests;

use percent_encoding::percent_decode_str;

use crate::model::exchange::Exchange;
use crate::model::hash::HashKey;
use crate::model::observation::{Body, Method, Noise, Observation, Path};

use self::body::Context;
use self::ids::Ids;

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
    /// Whether evidence ages, week by week.
    pub epochs: bool,
}

/// Milliseconds of an epoch: seven days.
const EPOCH_MS: i64 = 7 * 24 * 3_600_000;

impl Lens {
    /// The epoch of a time; 0 where evidence does not age.
    fn epoch(&self, time_ms: i64) -> u16 {
        if !self.epochs {
            return 0;
        }
        u16::try_from(time_ms.max(0) / EPOCH_MS).unwrap_or(u16::MAX)
    }
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            path_prefix: "/".into(),
            body_tokens_max: 20_000,
            body_depth_max: 64,
            path_bytes_max: 2_048,
            path_segments_max: 32,
            epochs: false,
        }
    }
}

/// What is kept of an exchange: classes, shapes, keyed hashes. Pure; cost is linear in the bodies.
#[must_use]
pub fn observe(exchange: &Exchange, key: &HashKey, lens: &Lens) -> Observation {
    let path = path::observe(&exchange.path, key, lens);
    let noise = noise::of(exchange).or_else(|| path.is_err().then_some(Noise::BadPath));
    let mut observation = heads(exchange, path.unwrap_or_default(), lens);
    observation.noise = noise;
    if noise.is_none() {
        read(&mut observation, exchange, key, lens);
    }
    observation
}

/// What the start lines say.
fn heads(exchange: &Exchange, path: Path, lens: &Lens) -> Observation {
    let location = exchange.response.field("location");
    Observation {
        method: Method::parse(&exchange.method),
        path,
        query: Vec::new(),
        headers: Vec::new(),
        credentials: exchange.credentials.clone(),
        status: exchange.status,
        request: Body::Absent,
        response: Body::Absent,
        response_headers: Vec::new(),
        echoes: Vec::new(),
        ids: Vec::new(),
        canonical_redirect: location.is_some_and(|target| leads_to_itself(&exchange.path, target)),
        server: exchange.authority.as_ref().map(|authority| {
            let scheme = if exchange.secure { "https" } else { "http" };
            format!("{scheme}://{authority}").into()
        }),
        consumer: exchange.consumer,
        weight: exchange.weight,
        time_ms: exchange.time_ms,
        epoch: lens.epoch(exchange.time_ms),
        refused_names: Vec::new(),
        noise: None,
    }
}

/// Parameters and bodies.
fn read(observation: &mut Observation, exchange: &Exchange, key: &HashKey, lens: &Lens) {
    let context = Context { key, plan: &exchange.plan, lens };
    let credentials = &exchange.credentials;
    let accepted = observation.accepted();
    if accepted {
        let query = exchange.query.as_deref().unwrap_or_default();
        observation.query = parameters::query(query, key, &exchange.plan, credentials);
        observation.headers =
            parameters::request_fields(&exchange.request.fields, key, credentials);
        observation.request = body::observe(&exchange.request, &context, &mut Ids::ignored());
    }
    observation.response_headers = parameters::response_fields(&exchange.response.fields, key);
    let path = std::mem::take(&mut observation.path);
    let mut ids = if accepted { Ids::of(&path) } else { Ids::ignored() };
    // A HEAD answer has the fields of a body that is not there, a 304 those of one that the client has.
    observation.response = match (exchange.method.as_str(), exchange.status) {
        ("HEAD", _) => Body::Unknown,
        (_, 204 | 304) => Body::Absent,
        _ => body::observe(&exchange.response, &context, &mut ids),
    };
    if matches!(exchange.status, 201 | 202)
        && let Some(tail) = exchange.response.field("location").and_then(|to| tail_hash(to, key))
    {
        ids.created(tail);
    }
    let Ids { known, echoes, .. } = ids;
    (observation.ids, observation.echoes) = (known, echoes);
    observation.path = path;
}

/// The hash of the last path segment of a `Location`.
fn tail_hash(location: &str, key: &HashKey) -> Option<u64> {
    let path = path_of(location);
    let tail = path.trim_end_matches('/').rsplit('/').next().filter(|tail| !tail.is_empty())?;
    let decoded = percent_decode_str(tail).decode_utf8().ok()?;
    Some(key.hash(decoded.as_bytes()))
}

/// The path of a URI reference.
fn path_of(reference: &str) -> &str {
    let rest = reference.split_once("://").map_or(reference, |(_, rest)| {
        rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
    });
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a redirect leads to the same resource spelled otherwise: a prefix added, a slash added or removed.
fn leads_to_itself(path: &str, location: &str) -> bool {
    let target = path_of(location).trim_end_matches('/');
    let path = path.trim_end_matches('/');
    target == path || (path.len() > 1 && target.ends_with(path))
}

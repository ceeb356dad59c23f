//! The collector of values under id-like keys, and of path segments that a response repeats.
//!
//! Owns the bounds and the choice of a collection for each id. Refuses to keep texts: ids are keyed hashes.

use super::names;
use crate::model::hash::HashKey;
use crate::model::observation::{Echo, KnownId, Path};

/// Ids kept of one body; lists longer than that repeat themselves soon enough.
const IDS_MAX: usize = 64;

/// Below this depth of objects an id says nothing about the path.
const ECHO_DEPTH_MAX: usize = 2;

/// A value under an id-like key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'a> {
    pub(super) name: &'a str,
    /// Its keyed hash.
    pub(super) value: u64,
    pub(super) strong: bool,
    /// Objects around it.
    pub(super) depth: usize,
}

/// What has been collected so far.
pub(super) struct Ids<'a> {
    /// The path of the exchange; none while nothing is collected.
    path: Option<&'a Path>,
    /// Collection of ids whose key has no noun of its own.
    origin: u64,
    pub(super) known: Vec<KnownId>,
    pub(super) echoes: Vec<Echo>,
}

impl<'a> Ids<'a> {
    /// Collects nothing: requests and refusals prove nothing about ids.
    pub(super) fn ignored() -> Self {
        Self { path: None, origin: 0, known: Vec::new(), echoes: Vec::new() }
    }

    pub(super) fn of(path: &'a Path) -> Self {
        let origin = path.segments.last().map_or(0, |segment| segment.word);
        Self { path: Some(path), origin, known: Vec::new(), echoes: Vec::new() }
    }

    /// Notes a value.
    pub(super) fn see(&mut self, key: &HashKey, sighting: &Sighting<'_>) {
        let Sighting { name, value, strong, depth } = *sighting;
        let Some(path) = self.path else { return };
        if depth <= ECHO_DEPTH_MAX
            && let Some(segment) = path.segments.iter().rposition(|segment| segment.hash == value)
            && !self.echoes.iter().any(|echo| echo.segment == segment && echo.strong >= strong)
        {
            self.echoes.push(Echo { segment, key: name.into(), strong });
        }
        if self.known.len() < IDS_MAX {
            let noun = names::noun(name).map(|noun| key.hash(noun.as_bytes()));
            self.known.push(KnownId { value, collection: noun.unwrap_or(self.origin), strong });
        }
    }

    /// Notes that the exchange made a member of the collection at its path.
    pub(super) fn created(&mut self, value: u64) {
        self.known.push(KnownId { value, collection: self.origin, strong: true });
    }
}

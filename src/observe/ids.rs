//! The collector of values under id-like keys, and of path segments that a response repeats.
//!
//! Owns the bounds and the choice of a collection for each id. Refuses to keep texts: ids are keyed hashes.

use crate::model::observation::{Echo, KnownId, Observation, Path, TextSpan};

/// Ids kept of one body; lists longer than that repeat themselves soon enough.
const IDS_MAX: usize = 64;

/// Below this depth of objects an id says nothing about the path.
const ECHO_DEPTH_MAX: usize = 2;

/// A value under an id-like key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'a> {
    pub(super) name: &'a str,
    /// Keyed hash of the collection that the name itself names.
    pub(super) noun: Option<u64>,
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
    /// What echoes point into.
    pub(super) texts: String,
}

impl<'a> Ids<'a> {
    /// Collects nothing: requests and refusals prove nothing about ids.
    pub(super) fn ignored() -> Self {
        Self { path: None, origin: 0, known: Vec::new(), echoes: Vec::new(), texts: String::new() }
    }

    /// Collects what concerns a path, into the memory of an observation that is to hold it.
    pub(super) fn of(path: &'a Path, observation: &mut Observation) -> Self {
        Self {
            path: Some(path),
            origin: path.segments.last().map_or(0, |segment| segment.word),
            known: std::mem::take(&mut observation.ids),
            echoes: std::mem::take(&mut observation.echoes),
            texts: std::mem::take(&mut observation.texts),
        }
    }

    /// Gives what was collected to the observation.
    pub(super) fn give(self, observation: &mut Observation) {
        if self.collects() {
            let Self { known, echoes, texts, .. } = self;
            (observation.ids, observation.echoes, observation.texts) = (known, echoes, texts);
        }
    }

    pub(super) fn collects(&self) -> bool {
        self.path.is_some()
    }

    /// Notes a value.
    pub(super) fn see(&mut self, sighting: &Sighting<'_>) {
        let Sighting { name, noun, value, strong, depth } = *sighting;
        let Some(path) = self.path else { return };
        if depth <= ECHO_DEPTH_MAX
            && let Some(segment) = path.segments.iter().rposition(|segment| segment.hash == value)
            && !self.echoes.iter().any(|echo| echo.segment == segment && echo.strong >= strong)
        {
            let key = TextSpan::keep(&mut self.texts, name);
            self.echoes.push(Echo { segment, key, strong });
        }
        if self.known.len() < IDS_MAX {
            self.known.push(KnownId { value, collection: noun.unwrap_or(self.origin), strong });
        }
    }

    /// Notes that the exchange made a member of the collection at its path.
    pub(super) fn created(&mut self, value: u64) {
        if self.collects() {
            self.known.push(KnownId { value, collection: self.origin, strong: true });
        }
    }
}

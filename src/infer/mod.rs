//! Observation to evidence, evidence to specification (layer 2, pure).
//!
//! Owns counted, mergeable evidence and its projection into OpenAPI documents. Refuses to own any clock, randomness or I/O:
//! what comes out is a function of the multiset of observations that went in.

mod error;
pub mod yaml;

pub use error::Error;

use serde_json::Value;

use crate::model::observation::Observation;

/// All that was counted of one API.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    api: Box<str>,
    key_id: [u8; 4],
}

impl Evidence {
    #[must_use]
    pub fn new(api: &str, key_id: [u8; 4]) -> Self {
        Self { api: api.into(), key_id }
    }

    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The id of the hash key under which it was observed.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }
}

/// What an observation added: nothing new costs no projection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Novelty(pub u32);

impl Novelty {
    /// Whether a projection could come out different from before.
    #[must_use]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }
}

/// Folds one observation into the evidence.
pub fn learn(_evidence: &mut Evidence, _observation: &Observation) -> Novelty {
    Novelty::default()
}

/// Adds what another evidence counted.
///
/// # Errors
/// When the two were learned of different APIs or under different hash keys.
pub fn merge(evidence: &mut Evidence, other: &Evidence) -> Result<(), Error> {
    if evidence.key_id != other.key_id {
        return Err(Error::OtherKey { ours: evidence.key_id, theirs: other.key_id });
    }
    Ok(())
}

/// Canonical bytes: equal evidence, equal bytes.
#[must_use]
pub fn encode(_evidence: &Evidence) -> Vec<u8> {
    Vec::new()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the bytes are damaged, or written by a newer engine.
pub fn decode(_bytes: &[u8]) -> Result<Evidence, Error> {
    Err(Error::Corrupt { what: "header" })
}

/// The dialect of a projected document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    OpenApi30,
    OpenApi31,
}

/// How much of the evidence a document states (11.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// What the API can be held to.
    #[default]
    Strict,
    /// Everything that was seen.
    Permissive,
}

/// What to write out of the evidence.
#[derive(Debug, Clone)]
pub struct ProjectOptions {
    pub dialect: Dialect,
    pub view: View,
    /// Whether `x-driftgate-*` members say how sure each fact is.
    pub extensions: bool,
    /// `info.title`; empty: the name of the API.
    pub title: String,
    /// Configured public URLs; empty: what was observed.
    pub servers: Vec<String>,
    /// Appended to observed servers, since paths come without it.
    pub path_prefix: String,
    /// Sightings below which an operation is not stated in the strict view.
    pub samples_min: u32,
}

impl Default for ProjectOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            view: View::default(),
            extensions: true,
            title: String::new(),
            servers: Vec::new(),
            path_prefix: "/".to_owned(),
            samples_min: 3,
        }
    }
}

/// A document and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Projection {
    pub document: Value,
    pub report: Report,
}

/// Figures of a projection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub operations: usize,
    /// Operations seen, but not often enough.
    pub unproven: usize,
    /// Exchanges that taught something.
    pub learned: u64,
    /// Exchanges left out, by reason.
    pub left_out: Vec<(&'static str, u64)>,
}

/// The specification that the evidence supports. Pure: equal evidence and options, equal document.
#[must_use]
pub fn project(_evidence: &Evidence, _options: &ProjectOptions) -> Projection {
    Projection { document: Value::Null, report: Report::default() }
}

//! Observation to evidence, evidence to specification (layer 2, pure).
//!
//! Owns counted, mergeable evidence and its projection into OpenAPI documents. Refuses to own any clock, randomness or I/O:
//! what comes out is a function of the multiset of observations that went in.

mod codec;
mod collapse;
mod error;
mod evidence;
mod fold;
mod generations;
mod learn;
mod limits;
mod monoid;
mod novelty;
pub mod options;
mod plans;
mod project;
mod published;
mod refuse;
mod shape;
mod signature;
mod similar;
mod table;
#[cfg(test)]
mod tests;
mod trie;
mod variants;
pub mod yaml;

pub use codec::{decode, encode};
pub use error::Error;
pub use evidence::{Evidence, merge};
pub use learn::learn;
pub use limits::Limits;
pub use novelty::Novelty;
pub use options::Pins;
pub use project::{project, templates};
pub use published::Published;

use std::sync::Arc;

use serde_json::Value;

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

/// What becomes of a beginning that all paths have (9.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BasePath {
    #[default]
    Keep,
    /// Up to the last of its segments that is `api`, `rest` or a version, it is moved to the servers.
    Auto,
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
    /// Appended to observed servers, since paths come without it.
    pub path_prefix: String,
    /// Sightings below which an operation is not stated in the strict view.
    pub samples_min: u32,
    /// Whether made-up examples are added.
    pub examples: bool,
    /// Templates that hold whatever the evidence says, such as `/users/{id}`, without the prefix of the API.
    pub templates: Vec<String>,
    /// A published document of this API, whose texts are kept.
    pub extends: Option<Arc<Value>>,
    /// What people decided.
    pub pins: Arc<Pins>,
    /// Whether a static beginning of all paths is moved to the servers.
    pub base_path: BasePath,
    /// What was published before; none offline.
    pub published: Option<Arc<Published>>,
}

impl Default for ProjectOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            view: View::default(),
            extensions: true,
            title: String::new(),
            path_prefix: "/".to_owned(),
            samples_min: 3,
            examples: false,
            templates: Vec::new(),
            extends: None,
            pins: Arc::default(),
            base_path: BasePath::default(),
            published: None,
        }
    }
}

/// A document and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Projection {
    pub document: Value,
    pub report: Report,
    /// What to remember once this document is published.
    pub published: Published,
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
    /// Pins that no operation or property met.
    pub pins_without_effect: Vec<String>,
    /// Pins that the evidence speaks against, with its counts.
    pub pins_against: Vec<String>,
}

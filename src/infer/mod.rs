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
mod plans;
mod project;
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
pub use project::{project, templates};

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
    /// Whether made-up examples are added.
    pub examples: bool,
    /// Templates that hold whatever the evidence says, such as `/users/{id}`, without the prefix of the API.
    pub templates: Vec<String>,
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
            examples: false,
            templates: Vec::new(),
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

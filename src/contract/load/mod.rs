//! Specification text → [`Specification`]: Swagger 2.0, OpenAPI 3.0 and 3.1 (3.2 leniently), YAML or JSON.
//!
//! Owns versions, references, limits and lints: everything wrong with a document is said at once, each with pointer, line,
//! column and remedy. Refuses to own reading files: what a `$ref` names comes through a [`Resolver`].

use crate::model::problem::{Problem, Problems};

use super::specification::Specification;

/// Gives the text of another document, named relative to the document that refers to it.
pub trait Resolver {
    /// The identity (absolute path or URL) and the text of `reference` as written in the document `base`.
    ///
    /// # Errors
    /// One sentence that says why it cannot be had.
    fn resolve(&self, base: &str, reference: &str) -> Result<(String, String), String>;
}

/// Refuses every other document: for texts that stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Resolver for Alone {
    fn resolve(&self, _: &str, _: &str) -> Result<(String, String), String> {
        Err("only references inside the document are followed here".to_owned())
    }
}

/// How to read.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// Identity of the main document, for messages and relative references.
    pub name: &'a str,
    pub resolver: &'a dyn Resolver,
    /// An unresolvable `$ref` is the schema `true` and a lint instead of an error.
    pub lenient_refs: bool,
    pub limits: Limits,
}

/// Beyond one of these a document is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: u64,
    pub documents: usize,
    pub nodes: usize,
    pub depth: usize,
    pub operations: usize,
    pub schemas: usize,
    pub reference_chain: usize,
    /// Problems reported.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            documents: 64,
            nodes: 2_000_000,
            depth: 256,
            operations: 20_000,
            schemas: 200_000,
            reference_chain: 64,
            problems: 100,
        }
    }
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self { name: "", resolver: &Alone, lenient_refs: false, limits: Limits::default() }
    }
}

/// Reads a specification. The problems beside it are lints: warnings that stop nothing.
///
/// # Errors
/// All problems at once, the first hundred of them, with pointer, position and remedy.
pub fn load(
    _text: &str,
    _options: &LoadOptions<'_>,
) -> Result<(Specification, Problems), Problems> {
    Err(Problems(vec![Problem::error("", "spec.unreadable", "reading is on its way")]))
}

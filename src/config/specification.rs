//! Specification files that a configuration or a command names.

use std::path::Path;

use super::load::chain;
use crate::contract::{self, LoadOptions, Specification};
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::problem::{Problem, Problems};
use crate::runtime::files;

/// A specification file that was read.
pub(super) struct Read {
    pub(super) text: String,
    /// The document with its lints, or everything that is wrong with it.
    pub(super) parsed: Result<(Specification, Problems), Problems>,
}

/// Reads a specification with everything it refers to below its own folder; also its text as written.
///
/// # Errors
/// All problems of the document, each with its place; one when the file cannot be read.
pub fn specification(path: &Path) -> Result<(Specification, String), Problems> {
    let read = read(path).map_err(|error| {
        let problem = Problem::error("", "spec.unreadable", chain(&error));
        Problems(vec![problem.remedy("name a readable OpenAPI or Swagger document")])
    })?;
    let (specification, _lints) = read.parsed?;
    Ok((specification, read.text))
}

/// As [`specification`], with the text also of a document that is wrong.
pub(super) fn read(path: &Path) -> Result<Read, files::Error> {
    let text = files::read_text(path, SPECIFICATION_BYTES_MAX)?;
    let root = path.parent().unwrap_or_else(|| Path::new(""));
    let beside = |base: &str, reference: &str| {
        files::read_beside(root, base, reference, SPECIFICATION_BYTES_MAX)
    };
    let name = path.to_string_lossy();
    let options = LoadOptions { name: &name, resolver: &beside, ..LoadOptions::default() };
    let parsed = contract::load(&text, &options);
    Ok(Read { text, parsed })
}

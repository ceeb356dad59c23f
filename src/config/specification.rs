//! Specification files that a configuration or a command names.

use std::path::Path;

use crate::contract::{self, LoadOptions, Specification};
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::problem::{Problem, Problems};
use crate::runtime::files;

/// Reads a specification with everything it refers to below its own folder; also its text as written.
///
/// # Errors
/// All problems of the document, each with its place; one when the file cannot be read.
pub fn specification(path: &Path) -> Result<(Specification, String), Problems> {
    let text = files::read_text(path, SPECIFICATION_BYTES_MAX).map_err(|error| {
        let problem = Problem::error("", "spec.unreadable", error.to_string());
        Problems(vec![problem.remedy("name a readable OpenAPI or Swagger document")])
    })?;
    let root = path.parent().unwrap_or(Path::new(""));
    let beside = |base: &str, reference: &str| {
        files::read_beside(root, base, reference, SPECIFICATION_BYTES_MAX)
    };
    let name = path.to_string_lossy();
    let options = LoadOptions { name: &name, resolver: &beside, ..LoadOptions::default() };
    let (specification, _lints) = contract::load(&text, &options)?;
    Ok((specification, text))
}

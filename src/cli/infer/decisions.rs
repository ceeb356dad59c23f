//! What people decided before: pins from a file, and a published specification to extend.

use std::path::Path;
use std::sync::Arc;

use super::{Arguments, Failure};
use crate::infer::{self, Pins, ProjectOptions};
use crate::model::document::{Document, ReadOptions};
use crate::model::problem::Problems;
use crate::runtime::files;

/// Adds what the arguments name.
///
/// # Errors
/// When a file cannot be read or is not what it should be, or pins contradict each other.
pub(super) fn add(
    arguments: &Arguments,
    mut options: ProjectOptions,
) -> Result<ProjectOptions, Failure> {
    if let Some(path) = &arguments.extend {
        let document = read(path, "specification")?.value;
        options.templates = infer::templates(&document, &options.path_prefix);
        if options.templates.is_empty() {
            let sentence = format!("`{}` has no paths; name an OpenAPI document", path.display());
            return Err(Failure::unusable(sentence));
        }
        options.extends = Some(Arc::new(document));
    }
    if let Some(path) = &arguments.pins {
        let pins: Pins =
            serde_json::from_value(read(path, "file of pins")?.value).map_err(|error| {
                Failure::unusable(format!("`{}` is no file of pins: {error}", path.display()))
            })?;
        let mut problems = Problems::default();
        pins.check(&mut problems);
        if let Some(first) = problems.0.first() {
            let (message, remedy) = (&first.message, &first.remedy);
            let sentence = format!("`{}`: {message}; {remedy}", path.display());
            return Err(Failure::unusable(sentence));
        }
        options.pins = Arc::new(pins);
    }
    Ok(options)
}

fn read(path: &Path, what: &str) -> Result<Document, Failure> {
    let limits = ReadOptions::default();
    let text = files::read_text(path, limits.bytes_max).map_err(|error| Failure::of(&error))?;
    Document::parse(&text, &limits).map_err(|problems| {
        let first = problems.0.first().map_or_else(String::new, |first| first.message.clone());
        Failure::unusable(format!("`{}` is no {what}: {first}", path.display()))
    })
}

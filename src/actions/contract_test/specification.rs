//! A specification text as something that answers can be held to.

use std::path::Path;
use std::sync::Arc;

use crate::contract::{self, Alone, Baseline, LoadOptions};
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::problem::Problems;
use crate::model::revision::{Origin, RevisionId};
use crate::runtime::files;

use super::choice::Found;

/// A loaded specification: the baseline to judge by, and what its reader complained about.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub baseline: Arc<Baseline>,
    pub lints: Problems,
}

/// Loads what was found. A file may refer to files below its own folder, everything else stands alone.
///
/// # Errors
/// All problems of the document.
pub fn load(found: &Found) -> Result<Loaded, Problems> {
    let beside = |base: &str, reference: &str| {
        let root = found.file.as_deref().and_then(Path::parent);
        let root = root.unwrap_or_else(|| Path::new(""));
        files::read_beside(root, base, reference, SPECIFICATION_BYTES_MAX)
    };
    let options = match &found.file {
        Some(_) => LoadOptions { name: &found.place, resolver: &beside, ..LoadOptions::default() },
        None => LoadOptions { name: &found.place, resolver: &Alone, ..LoadOptions::default() },
    };
    let (specification, lints) = contract::load(&found.text, &options)?;
    let revision = RevisionId::of(&specification.document);
    let baseline = Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/");
    Ok(Loaded { baseline: Arc::new(baseline), lints })
}

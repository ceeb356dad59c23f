//! The two documents of `diff`: a file, standard input, a folder, or a file of a git revision.
//!
//! Owns reading them and what they refer to below one root, and telling the lines of places. A problem is told with file,
//! line, column and remedy, all of them at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::contract::diff::report::Document;
use crate::contract::diff::{Fragment, Report};
use crate::contract::{self, LoadOptions, Specification};
use crate::model::document::index::Index;
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::problem::Problem;
use crate::model::revision::RevisionId;
use crate::runtime::files;

/// Names that the main document of a folder may have.
const MAIN: &[&str] =
    &["openapi.yaml", "openapi.yml", "openapi.json", "swagger.yaml", "swagger.yml", "swagger.json"];

/// A document that was read.
pub(super) struct Source {
    pub(super) specification: Specification,
    name: String,
    lints: Vec<Problem>,
    /// Name to text of every document that was read; the main one first.
    texts: BTreeMap<String, String>,
}

/// Where texts come from.
enum Kind {
    Input,
    File(PathBuf),
    /// Revision and path.
    Git(String, String),
}

impl Source {
    /// Reads a document as named on the command line.
    pub(super) fn read(name: &str, root: Option<&Path>) -> Result<Self, String> {
        let kind = Kind::of(name)?;
        let name = match &kind {
            Kind::Input => "standard input".to_owned(),
            Kind::File(path) => path.display().to_string(),
            Kind::Git(..) => name.to_owned(),
        };
        let text = kind.text().map_err(|why| format!("{name}: {why}"))?;
        let texts = RefCell::new(BTreeMap::from([(String::new(), text.clone())]));
        let resolver = |base: &str, reference: &str| {
            let (identity, text) = kind.beside(base, reference, root)?;
            texts.borrow_mut().insert(identity.clone(), text.clone());
            Ok((identity, text))
        };
        let identity = match &kind {
            Kind::Git(_, path) => path.clone(),
            _ => name.clone(),
        };
        let options =
            LoadOptions { name: &identity, resolver: &resolver, ..LoadOptions::default() };
        let loaded = contract::load(&text, &options);
        let (specification, lints) = loaded.map_err(|problems| {
            let lines: Vec<String> =
                problems.0.iter().map(|problem| format!("{name}:{problem}")).collect();
            format!("{}\n{name}: the document cannot be used", lines.join("\n"))
        })?;
        Ok(Self { specification, name, lints: lints.0, texts: texts.into_inner() })
    }

    /// What reports say of this document.
    pub(super) fn document(&self) -> Document {
        let is_path = !self.name.starts_with("git:") && self.name != "standard input";
        let relative = is_path && Path::new(&self.name).is_relative();
        let git = self.name.strip_prefix("git:").and_then(|rest| rest.split_once(':'));
        let path = match git {
            Some((_, path)) => path.to_owned(),
            None if relative => self.name.trim_start_matches("./").to_owned(),
            None => {
                let name = Path::new(&self.name).file_name();
                name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
        };
        Document {
            name: self.name.clone(),
            path,
            revision: RevisionId::of(&self.specification.document).as_str().to_owned(),
            version: self.specification.version.clone(),
            lints: self.lints.clone(),
        }
    }

    /// Fills in line and column of every fragment of this document.
    pub(super) fn place(&self, report: &mut Report, is_old: bool) {
        let mut wanted: BTreeMap<&str, Vec<&mut Fragment>> = BTreeMap::new();
        for change in &mut report.changes {
            let side = if is_old { &mut change.old } else { &mut change.new };
            let Some(fragment) = side else { continue };
            let file = fragment.pointer.split_once('#').map_or("", |(file, _)| file);
            let known = self.texts.keys().find(|name| *name == file);
            wanted.entry(known.map_or("", String::as_str)).or_default().push(fragment);
        }
        for (file, fragments) in wanted {
            let Some(text) = self.texts.get(file) else { continue };
            let inner = |fragment: &Fragment| -> String {
                let pointer = fragment.pointer.split_once('#').map(|(_, pointer)| pointer);
                pointer.unwrap_or(&fragment.pointer).to_owned()
            };
            let pointers: Vec<String> = fragments.iter().map(|one| inner(one)).collect();
            let index = Index::of(text, pointers.iter().map(String::as_str));
            for (fragment, pointer) in fragments.into_iter().zip(&pointers) {
                fragment.position = index.place(pointer);
            }
        }
    }
}

impl Kind {
    fn of(name: &str) -> Result<Self, String> {
        if name == "-" {
            return Ok(Self::Input);
        }
        if name.starts_with("rev:") {
            return Err(format!(
                "`{name}`: revisions of a server are not read here yet; name a file"
            ));
        }
        if let Some(rest) = name.strip_prefix("git:") {
            let (revision, path) = rest
                .split_once(':')
                .filter(|(revision, path)| !revision.is_empty() && !path.is_empty())
                .ok_or_else(|| format!("`{name}`: write git:<revision>:<path>"))?;
            if revision.starts_with('-') {
                return Err(format!("`{revision}` is no revision"));
            }
            return Ok(Self::Git(revision.to_owned(), path.to_owned()));
        }
        let path = PathBuf::from(name);
        if !path.is_dir() {
            return Ok(Self::File(path));
        }
        let found: Vec<PathBuf> =
            MAIN.iter().map(|main| path.join(main)).filter(|main| files::exists(main)).collect();
        match found.as_slice() {
            [only] => Ok(Self::File(only.clone())),
            [] => Err(format!("`{name}` holds no {}; name the file", MAIN.join(", "))),
            several => Err(format!("`{name}` holds {} documents; name the file", several.len())),
        }
    }

    fn text(&self) -> Result<String, String> {
        match self {
            Self::Input => {
                let mut text = String::new();
                let mut input = std::io::stdin().lock().take(SPECIFICATION_BYTES_MAX + 1);
                input.read_to_string(&mut text).map_err(|error| error.to_string())?;
                Ok(text)
            }
            Self::File(path) => files::read_text(path, SPECIFICATION_BYTES_MAX).map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                format!("{error}{}", cause.map_or_else(String::new, |why| format!(": {why}")))
            }),
            Self::Git(revision, path) => show(revision, path),
        }
    }

    /// The document that another one names by a relative path.
    fn beside(
        &self,
        base: &str,
        reference: &str,
        root: Option<&Path>,
    ) -> Result<(String, String), String> {
        if reference.contains("://") {
            return Err("documents are not fetched from the network".to_owned());
        }
        match self {
            Self::Input => Err("standard input has no folder to look in".to_owned()),
            Self::File(main) => {
                let folder = root.or_else(|| main.parent()).unwrap_or(Path::new(""));
                files::read_beside(folder, base, reference, SPECIFICATION_BYTES_MAX)
            }
            Self::Git(revision, main) => {
                let path = joined(base, reference)
                    .ok_or_else(|| format!("`{reference}` lies outside of the repository"))?;
                let folder = match root {
                    Some(root) => root.to_string_lossy().into_owned(),
                    None => main.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
                };
                if !folder.is_empty() && !path.starts_with(&format!("{folder}/")) {
                    return Err(format!("`{reference}` lies outside of `{folder}`"));
                }
                let text = show(revision, &path)?;
                Ok((path, text))
            }
        }
    }
}

/// A relative path seen from the file `base`, without leaving the repository.
fn joined(base: &str, reference: &str) -> Option<String> {
    let folder = Path::new(base).parent().unwrap_or(Path::new(""));
    let mut steps: Vec<String> = Vec::new();
    for component in folder.join(reference).components() {
        match component {
            Component::Normal(step) => steps.push(step.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(steps.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(steps.join("/"))
}

/// A file of a revision, as git has it.
fn show(revision: &str, path: &str) -> Result<String, String> {
    let output = Command::new("git")
        .args(["show", "--end-of-options", &format!("{revision}:{path}")])
        .output()
        .map_err(|error| format!("git cannot be run: {error}"))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        return Err(told.trim().to_owned());
    }
    if output.stdout.len() as u64 > SPECIFICATION_BYTES_MAX {
        return Err(format!("the file is larger than {SPECIFICATION_BYTES_MAX} bytes"));
    }
    String::from_utf8(output.stdout).map_err(|_| "the file is not UTF-8 text".to_owned())
}

//! Specification text → [`Specification`]: Swagger 2.0, OpenAPI 3.0 and 3.1 (3.2 leniently), YAML or JSON.
//!
//! Owns versions, references, limits and lints: everything wrong with a document is said at once, each with pointer, line,
//! column and remedy. Refuses to own reading files: what a `$ref` names comes through a [`Resolver`].

pub(super) mod documents;
mod openapi;
mod reader;
mod swagger;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use crate::model::problem::{Problem, Problems};

use super::lower::{Pool, Rules};
use super::specification::{Dialect, Specification};
use documents::Documents;
use reader::Reader;

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

impl<F> Resolver for F
where
    F: Fn(&str, &str) -> Result<(String, String), String>,
{
    fn resolve(&self, base: &str, reference: &str) -> Result<(String, String), String> {
        self(base, reference)
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
    /// Follow the text where `nullable` means nothing, instead of what its author surely meant.
    pub strict_nullable: bool,
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
        Self {
            name: "",
            resolver: &Alone,
            lenient_refs: false,
            strict_nullable: false,
            limits: Limits::default(),
        }
    }
}

/// Reads a specification. The problems beside it are lints: warnings that stop nothing.
///
/// # Errors
/// All problems at once, the first hundred of them, with pointer, position and remedy.
pub fn load(text: &str, options: &LoadOptions<'_>) -> Result<(Specification, Problems), Problems> {
    let mut lints = Problems::default();
    let read = Documents::gather(text, options, &mut lints)
        .and_then(|documents| read(&documents, options, lints));
    let most = options.limits.problems;
    match read {
        Ok((specification, mut lints)) => {
            lints.0.truncate(most);
            Ok((specification, lints))
        }
        Err(mut problems) => {
            problems.0.truncate(most);
            Err(problems)
        }
    }
}

fn read(
    documents: &Documents,
    options: &LoadOptions<'_>,
    mut lints: Problems,
) -> Result<(Specification, Problems), Problems> {
    let Some(root) = documents.root() else { return Err(Problems::default()) };
    let dialect = dialect(root.value, &mut lints)
        .map_err(|problem| documents.placed(Problems(vec![problem])))?;
    let rules = Rules {
        dialect,
        strict_nullable: options.strict_nullable,
        schemas_max: options.limits.schemas,
    };
    let pool = Pool::new(documents, rules);
    let mut reader = Reader::new(documents, dialect, pool, options.limits.operations);
    reader.lint_root(&root);
    reader.read_paths(&root);
    let (schemes, servers) = match dialect {
        Dialect::Swagger20 => {
            (swagger::read_schemes(&mut reader, &root), swagger::read_servers(&root))
        }
        _ => (openapi::read_schemes(&mut reader, &root), reader.read_servers(&root)),
    };
    reader.lint_security(&schemes);
    let Reader { pool, mut errors, lints: found, operations, .. } = reader;
    let (schemas, schema_lints) = match pool.finish() {
        Ok(finished) => finished,
        Err(problem) => {
            errors.push(problem);
            return Err(documents.placed(errors));
        }
    };
    if errors.has_errors() {
        return Err(documents.placed(errors));
    }
    lints.0.extend(found.0);
    lints.0.extend(schema_lints.0);
    let info = |name: &str| {
        root.get("info").and_then(|info| info.text(name)).unwrap_or_default().to_owned()
    };
    let specification = Specification {
        dialect,
        title: info("title"),
        version: info("version"),
        servers,
        operations,
        schemes,
        schemas,
        document: Arc::new(documents.bundle()),
    };
    Ok((specification, lints))
}

/// The version that a document says it is written in.
fn dialect(root: &Value, lints: &mut Problems) -> Result<Dialect, Problem> {
    if !root.is_object() {
        let problem = Problem::error("", "spec.not-a-specification", "this is not an object");
        return Err(problem.remedy("give an OpenAPI or Swagger document"));
    }
    let version = |name: &str| match root.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        // `swagger: 2.0` without quotes is a number.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match (version("swagger"), version("openapi")) {
        (Some(text), None) if text == "2.0" || text == "2" => Ok(Dialect::Swagger20),
        (None, Some(text)) if text.starts_with("3.0") => Ok(Dialect::OpenApi30),
        (None, Some(text)) if text.starts_with("3.1") => Ok(Dialect::OpenApi31),
        (None, Some(text)) if text.starts_with("3.2") => {
            let message = "OpenAPI 3.2 is read as 3.1";
            lints.push(Problem::warning("/openapi", "spec.feature-ignored", message));
            Ok(Dialect::OpenApi31)
        }
        (None, None) => {
            let message = "neither `openapi` nor `swagger` says which version this is";
            Err(Problem::error("", "spec.not-a-specification", message)
                .remedy("begin with `openapi: 3.1.0`"))
        }
        (swagger, openapi) => {
            let text = openapi.or(swagger).unwrap_or_default();
            let name = if root.get("openapi").is_some() { "/openapi" } else { "/swagger" };
            let message = format!("version `{text}` is not read");
            Err(Problem::error(name, "spec.unknown-version", message)
                .remedy("use Swagger 2.0, OpenAPI 3.0 or 3.1"))
        }
    }
}

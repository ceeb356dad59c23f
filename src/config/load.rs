//! From a source to a frozen configuration: read, fill, fit, type, check, all problems at once.
//!
//! Owns the order of these steps and the reading of secrets and named files. Refuses to own what is wrong: each step says it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::effective::Origins;
use super::report::{Report, count};
use super::source::Source;
use super::structure::{self, Fitted, Frame};
use super::{Config, Error, check, schema};
use crate::model::document::{Document, ReadOptions, Variables};
use crate::model::limits::CONFIG_BYTES_MAX;
use crate::model::problem::{Problem, Problems};
use crate::model::secret::SecretSource;
use crate::runtime::files;

/// Largest file with a secret, bytes: a private key with its chain fits.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A configuration that was checked, with what is needed to read it again and to explain it.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Arc<Config>,
    /// What a reload reads again.
    pub source: Source,
    /// Warnings; no errors.
    pub report: Report,
    pub(super) origins: Origins,
}

/// Reads and checks everything that `source` names. Opens no socket and makes no file.
///
/// # Errors
/// [`Error::Unreadable`] when the file itself cannot be read, [`Error::Invalid`] with all problems otherwise.
pub fn load(source: &Source, environment: Variables<'_>) -> Result<Loaded, Error> {
    let text = match &source.file {
        Some(path) => files::read_text(path, CONFIG_BYTES_MAX).map_err(Error::Unreadable)?,
        None => String::new(),
    };
    let name = source.file.as_deref().map_or_else(|| "command line".into(), Path::to_string_lossy);
    let mut report = Report::default();
    let options = ReadOptions {
        bytes_max: CONFIG_BYTES_MAX,
        nodes_max: 200_000,
        depth_max: 64,
        variables: Some(environment),
    };
    let document = match Document::parse(&text, &options) {
        Ok(document) => document,
        Err(problems) => {
            report.add_text(&name, &text, problems);
            return Err(Error::Invalid(report));
        }
    };
    let folder = source.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    let mut steps =
        Steps { document: &document, folder, environment, problems: Problems::default() };
    let (config, set) = steps.take(source);
    report.add(&name, &document, steps.problems);
    if let Some((config, inside)) = &config {
        for named in inside {
            report.add_text(&named.file, &named.text, named.problems.clone());
        }
        report.set_contents(contents(config));
    }
    report.sort();
    match config {
        Some((config, _)) if !report.has_errors() => Ok(Loaded {
            config: Arc::new(config),
            source: source.clone(),
            report,
            origins: Origins::new(document, set, source.file.clone()),
        }),
        _ => Err(Error::Invalid(report)),
    }
}

impl Loaded {
    /// Reads the same source again.
    ///
    /// # Errors
    /// As [`load`]; this configuration is unchanged then.
    pub fn reload(&self, environment: Variables<'_>) -> Result<Self, Error> {
        load(&self.source, environment)
    }

    /// Where the file lies, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&PathBuf> {
        self.source.file.as_ref()
    }
}

/// The way of one document from a tree to a configuration.
struct Steps<'a> {
    document: &'a Document,
    folder: &'a Path,
    environment: Variables<'a>,
    problems: Problems,
}

impl Steps<'_> {
    /// The configuration, as far as it can be made, with what is wrong inside the files it names; and the pointers that
    /// flags set.
    fn take(&mut self, source: &Source) -> (Option<(Config, Vec<check::Inside>)>, Vec<String>) {
        let mut tree = self.document.value.clone();
        let set = source.apply(&mut tree, &mut self.problems);
        let names = check::Names::of(&tree);
        let schema = schema();
        let is_variable = |pointer: &str| self.document.is_interpolated(pointer);
        let frame = Frame { schema: &schema, folder: self.folder, is_variable: &is_variable };
        let (fitted, misfits) = structure::fit(tree, &frame);
        self.problems.0.extend(misfits.0);
        let mut found = Problems::default();
        let config = typed(&fitted, &mut found).map(|mut config| {
            if fitted.value.get("data_dir").is_none() {
                config.data_dir = self.folder.join(config.data_dir);
            }
            config.resolve_specifications(self.folder);
            resolve_secrets(&mut config, self.environment, &mut found);
            check::check(&config, &names, &mut found);
            let inside = check::named_files(&config, &mut found);
            (config, inside)
        });
        for mut problem in found.0 {
            problem.pointer = fitted.pointer_in_text(&problem.pointer);
            self.problems.push(problem);
        }
        (config, set)
    }
}

/// What the schema let pass is nearly always a configuration; what only a type's own reader refuses is reported section by
/// section.
fn typed(fitted: &Fitted, problems: &mut Problems) -> Option<Config> {
    let error = match serde_json::from_value(fitted.value.clone()) {
        Ok(config) => return Some(config),
        Err(error) => error,
    };
    let (pointer, message) =
        blame(&fitted.value).unwrap_or_else(|| (String::new(), error.to_string()));
    problems.push(
        Problem::error(pointer, "config.bad-value", message)
            .remedy("see this section in config/reference.yaml"),
    );
    None
}

/// The smallest section that cannot be read alone.
fn blame(tree: &Value) -> Option<(String, String)> {
    for (key, value) in tree.as_object()? {
        let alone = |value: Value| {
            let section = Value::Object([(key.clone(), value)].into_iter().collect());
            serde_json::from_value::<Config>(section).err().map(|error| error.to_string())
        };
        let Some(whole) = alone(value.clone()) else { continue };
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            if let Some(message) = alone(Value::Array(vec![item.clone()])) {
                return Some((format!("/{key}/{index}"), message));
            }
        }
        return Some((format!("/{key}"), whole));
    }
    None
}

/// Replaces every secret by its text.
fn resolve_secrets(config: &mut Config, environment: Variables<'_>, problems: &mut Problems) {
    config.secrets(&mut |pointer, secret| {
        let text = match &*secret {
            SecretSource::Text(_) => return,
            SecretSource::File(path) => files::read_text(path, SECRET_BYTES_MAX)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| {
                    let message = chain(&error);
                    Problem::error(pointer, "config.unreadable-file", message)
                        .remedy("write the secret into that file, readable by this user alone")
                }),
            SecretSource::Env(name) => environment(name).ok_or_else(|| {
                Problem::error(pointer, "config.unset-variable", format!("`{name}` is not set"))
                    .remedy("set the environment variable before driftgate starts")
            }),
        };
        match text {
            Ok(text) if text.is_empty() => problems.push(
                Problem::error(pointer, "config.empty-secret", "the secret is empty")
                    .remedy("an empty secret protects nothing: give one"),
            ),
            Ok(text) => *secret = SecretSource::text(text),
            Err(problem) => problems.push(problem),
        }
    });
}

/// An error with its causes, one sentence.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// `2 APIs, 3 webhooks`: what a valid configuration holds.
fn contents(config: &Config) -> String {
    let mut parts = vec![count(config.apis.len(), "API")];
    for (number, noun) in [(config.webhooks.len(), "webhook"), (config.actions.len(), "action")] {
        if number > 0 {
            parts.push(count(number, noun));
        }
    }
    parts.join(", ")
}

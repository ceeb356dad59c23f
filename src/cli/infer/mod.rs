//! `driftgate infer`: recorded traffic in, specification out, by the engine that learns live.
//!
//! Owns the options and the exit codes: 0 written; 1 no operation proven (a document without paths is still written); 2 usage
//! or unreadable input; 3 a bad record under `--strict-input`; 4 evidence that cannot merge. Refuses to own learning.

mod decisions;
mod feed;
mod report;
mod source;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use self::feed::{Feed, Learned};
use self::report::Report;
use super::console::{say, tell};
use super::progress::When;
use crate::infer::{self, Dialect, Evidence, ProjectOptions, View};
use crate::model::hash::HashKey;
use crate::runtime::files;
use crate::runtime::rng::Rng;

/// Largest evidence file that is loaded.
const EVIDENCE_BYTES_MAX: u64 = 512 << 20;

/// Largest key file, which holds 32 digits.
const KEY_BYTES_MAX: u64 = 256;

/// Make an OpenAPI specification from recorded traffic
///
/// Reads HAR 1.2 files (browser developer tools, proxies) and NDJSON exchanges, gzip-compressed or not, and writes what the
/// API does. What was left out, and why, is reported on standard error.
///
/// Exit codes: 0 written, 1 no operation proven, 2 unusable input, 3 a bad record under --strict-input, 4 evidence that
/// cannot merge.
///
/// Examples:
///   driftgate infer traffic.har -o openapi.yaml
///   driftgate infer --api orders monday.har tuesday.har.gz --save-evidence week.dgev
///   cat exchanges.ndjson | driftgate infer - --openapi 3.1 --format json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Recorded traffic; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Format of the input; `auto`: an object that begins with `log` is HAR, all else NDJSON
    #[arg(long, value_enum, default_value = "auto")]
    input: Input,
    /// Name of the API, which becomes the title
    #[arg(long, value_name = "NAME", default_value = "api")]
    api: String,
    /// Learn only from exchanges below this URL; its path is left out of the paths
    #[arg(long, value_name = "URL")]
    base_url: Vec<String>,
    /// Version of OpenAPI to write
    #[arg(long, value_enum, default_value = "3.0")]
    openapi: OpenApi,
    /// Syntax to write
    #[arg(long, value_enum, default_value = "yaml")]
    format: Syntax,
    /// `strict`: what the API can be held to; `permissive`: everything that was seen
    #[arg(long, value_enum, default_value = "strict")]
    view: Shown,
    /// Leave out the `x-driftgate-*` members that say how sure each fact is
    #[arg(long)]
    no_extensions: bool,
    /// Whether to add examples: `synthetic` ones have the right type and were never sent by anybody
    #[arg(long, value_enum, default_value = "off")]
    examples: Examples,
    /// Take cookies that are no credentials for parameters
    #[arg(long)]
    include_cookies: bool,
    /// Sightings below which an operation is not stated
    #[arg(long, value_name = "N", default_value_t = 3)]
    min_samples: u32,
    /// `auto` moves a beginning of all paths that ends in `api`, `rest` or a version to the servers
    #[arg(long, value_enum, default_value = "keep")]
    base_path: BasePath,
    /// Decisions that hold whatever traffic shows: a file with what may stand under `pins` of an API
    #[arg(long, value_name = "FILE")]
    pins: Option<PathBuf>,
    /// A published specification whose path templates hold, and whose names and texts are kept
    #[arg(long, value_name = "SPEC")]
    extend: Option<PathBuf>,
    /// Evidence of earlier runs to add
    #[arg(long, value_name = "FILE")]
    load_evidence: Vec<PathBuf>,
    /// Where to keep what was learned
    #[arg(long, value_name = "FILE")]
    save_evidence: Option<PathBuf>,
    /// The key under which texts are hashed: 32 hexadecimal digits, as driftgate keeps it in its data folder
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Whether what is no longer seen leaves: `7d` lets evidence age week by week, as it does live
    #[arg(long, value_enum, default_value = "off")]
    epochs: Epochs,
    /// Threads that learn
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Write the report as JSON to this file instead of standard error
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// When to show how far reading has come
    #[arg(long, value_enum, default_value = "auto")]
    progress: When,
    /// Stop with exit code 3 if any record is bad
    #[arg(long)]
    strict_input: bool,
    /// Where to write the specification; standard output when absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Input {
    Auto,
    Har,
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Epochs {
    Off,
    #[value(name = "7d")]
    Week,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum BasePath {
    Keep,
    Auto,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OpenApi {
    #[value(name = "3.0")]
    V30,
    #[value(name = "3.1")]
    V31,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Examples {
    Off,
    Synthetic,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Syntax {
    Yaml,
    Json,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shown {
    Strict,
    Permissive,
}

/// Why there is no document: the exit code and a sentence with the remedy.
#[derive(Debug)]
struct Failure {
    code: u8,
    sentence: String,
}

impl Failure {
    fn unusable(sentence: impl Into<String>) -> Self {
        Self { code: 2, sentence: sentence.into() }
    }

    /// An error with all that caused it.
    fn of(error: &dyn std::error::Error) -> Self {
        let mut sentence = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            sentence = format!("{sentence}: {cause}");
            source = cause.source();
        }
        Self::unusable(sentence)
    }
}

/// Runs the subcommand; gives the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    arguments.infer().unwrap_or_else(|failure| {
        tell(&format!("driftgate: {}", failure.sentence));
        failure.code
    })
}

impl Arguments {
    fn infer(&self) -> Result<u8, Failure> {
        if self.files.is_empty() && self.load_evidence.is_empty() {
            return Err(Failure::unusable(
                "no input; name a HAR or NDJSON file, `-` for standard input, or `--load-evidence`",
            ));
        }
        let key = self.key()?;
        let feed = Feed::new(&feed::Settings {
            api: &self.api,
            key: &key,
            base_urls: &self.base_url,
            format: self.input.into(),
            epochs: self.epochs == Epochs::Week,
            include_cookies: self.include_cookies,
        })?;
        let mut learned = feed.read(&self.files, self.jobs.clamp(1, 64), self.progress)?;
        let mut evidence = learned.take_chosen(&self.api, key.id());
        self.add_loaded(&mut evidence)?;
        evidence.settle();
        let options = decisions::add(self, self.options(&learned))?;
        let projection = infer::project(&evidence, &options);
        let report = Report::new(&learned, &projection.report, evidence.limits_hit());
        self.tell(&report)?;
        if self.strict_input && learned.bad_records > 0 {
            let sentence = format!("{} bad records; nothing was written", learned.bad_records);
            return Err(Failure { code: 3, sentence });
        }
        self.save(&evidence)?;
        self.write(&projection.document)?;
        Ok(u8::from(projection.report.operations == 0))
    }

    fn options(&self, learned: &Learned) -> ProjectOptions {
        ProjectOptions {
            dialect: match self.openapi {
                OpenApi::V30 => Dialect::OpenApi30,
                OpenApi::V31 => Dialect::OpenApi31,
            },
            view: match self.view {
                Shown::Strict => View::Strict,
                Shown::Permissive => View::Permissive,
            },
            extensions: !self.no_extensions,
            examples: self.examples == Examples::Synthetic,
            path_prefix: learned.path_prefix.clone(),
            samples_min: self.min_samples.max(1),
            base_path: match self.base_path {
                BasePath::Keep => infer::BasePath::Keep,
                BasePath::Auto => infer::BasePath::Auto,
            },
            ..ProjectOptions::default()
        }
    }

    /// The key named, else that beside loaded evidence, else a new one beside evidence to be saved, else the fixed one.
    fn key(&self) -> Result<HashKey, Failure> {
        if let Some(path) = &self.key_file {
            return read_key(path);
        }
        let beside = |path: &Path| PathBuf::from(format!("{}.key", path.display()));
        let mut candidates =
            self.load_evidence.iter().chain(&self.save_evidence).map(|path| beside(path));
        if let Some(path) = candidates.find(|path| files::exists(path)) {
            return read_key(&path);
        }
        match &self.save_evidence {
            Some(path) if self.load_evidence.is_empty() => {
                let key = HashKey::new(Rng::system().bytes());
                files::write_private(&beside(path), format!("{}\n", key.to_text()).as_bytes())
                    .map_err(|error| Failure::of(&error))?;
                Ok(key)
            }
            _ => Ok(HashKey::OFFLINE),
        }
    }

    fn add_loaded(&self, evidence: &mut Evidence) -> Result<(), Failure> {
        let mut into = match self.files.as_slice() {
            [] => String::new(),
            _ => " to what was learned of the input".to_owned(),
        };
        for path in &self.load_evidence {
            let bytes =
                files::read(path, EVIDENCE_BYTES_MAX).map_err(|error| Failure::of(&error))?;
            let failed = |error: infer::Error| Failure {
                code: 4,
                sentence: format!("cannot add the evidence in `{}`{into}: {error}", path.display()),
            };
            let loaded = infer::decode(&bytes).map_err(failed)?;
            infer::merge(evidence, &loaded).map_err(failed)?;
            if into.is_empty() {
                into = format!(" to that in `{}`", path.display());
            }
        }
        Ok(())
    }

    fn save(&self, evidence: &Evidence) -> Result<(), Failure> {
        let Some(path) = &self.save_evidence else { return Ok(()) };
        files::write_private(path, &infer::encode(evidence)).map_err(|error| Failure::of(&error))
    }

    fn tell(&self, report: &Report) -> Result<(), Failure> {
        match &self.report {
            None => tell(&report.text()),
            Some(path) => {
                let text = format!("{:#}\n", report.json());
                files::write_atomic(path, text.as_bytes()).map_err(|error| Failure::of(&error))?;
            }
        }
        Ok(())
    }

    fn write(&self, document: &serde_json::Value) -> Result<(), Failure> {
        let text = match self.format {
            Syntax::Yaml => infer::yaml::write(document),
            Syntax::Json => format!("{document:#}\n"),
        };
        match &self.output {
            None => say(&text),
            Some(path) => {
                files::write_atomic(path, text.as_bytes()).map_err(|error| Failure::of(&error))?;
            }
        }
        Ok(())
    }
}

fn read_key(path: &Path) -> Result<HashKey, Failure> {
    let text = files::read_text(path, KEY_BYTES_MAX).map_err(|error| Failure::of(&error))?;
    HashKey::parse(text.trim()).ok_or_else(|| {
        Failure::unusable(format!(
            "`{}` is not a key; it must hold 32 hexadecimal digits",
            path.display()
        ))
    })
}

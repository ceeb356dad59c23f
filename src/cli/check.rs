//! `driftgate check`: is this configuration right, and what would be in force?

use std::path::{Path, PathBuf};

use super::console::{say, say_line, tell};
use crate::config::{self, Error, Format, Setting, Source};

/// Check configuration files: every problem at once, with its place and what to do
///
/// Reads the files and those that they name; opens no socket and makes nothing.
///
/// Exit codes: 0 valid, 1 problems were found, 2 a file cannot be read.
///
/// Examples:
///   driftgate check driftgate.yaml
///   driftgate check --effective --config driftgate.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Configuration files; `--config`, else `driftgate.yaml` when absent
    files: Vec<PathBuf>,
    /// Print what would be in force, each value with its origin, secrets masked
    #[arg(long)]
    effective: bool,
    /// Print the JSON Schema of the configuration file
    #[arg(long, exclusive = true)]
    schema: bool,
    /// Let warnings count as errors
    #[arg(long)]
    strict: bool,
    /// Set a value over the file, `log.level=debug`
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<Setting>,
    /// How problems are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Shape,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shape {
    Text,
    /// One object a line
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// Reads `KEY=VALUE` of `--set`.
pub(super) fn setting(text: &str) -> Result<Setting, String> {
    Setting::parse(text).ok_or_else(|| "write KEY=VALUE, `log.level=debug` for example".to_owned())
}

pub(super) fn run(arguments: &Arguments, config: Option<&Path>) -> u8 {
    if arguments.schema {
        say_line(&format!("{:#}", config::schema()));
        return 0;
    }
    let fallback = config.unwrap_or_else(|| Path::new("driftgate.yaml"));
    let files = match &*arguments.files {
        [] => vec![fallback],
        files => files.iter().map(PathBuf::as_path).collect(),
    };
    files.into_iter().map(|file| check(file, arguments)).max().unwrap_or(0)
}

fn check(file: &Path, arguments: &Arguments) -> u8 {
    let source =
        Source { file: Some(file.to_owned()), set: arguments.set.clone(), ..Source::default() };
    let format = match arguments.format {
        Shape::Text => Format::Text,
        Shape::Json => Format::Json,
        Shape::Github => Format::Github,
    };
    match config::load(&source, &config::environment) {
        Ok(loaded) if arguments.effective => {
            say(&loaded.effective());
            tell(loaded.report.print(format).trim_end());
            u8::from(arguments.strict && !loaded.report.is_empty())
        }
        Ok(loaded) => {
            say(&loaded.report.print(format));
            u8::from(arguments.strict && !loaded.report.is_empty())
        }
        Err(Error::Invalid(report)) => {
            say(&report.print(format));
            1
        }
        Err(error) => {
            tell(&error.explain());
            2
        }
    }
}

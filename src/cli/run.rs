//! `driftgate run`: the sidecar.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console;
use crate::app;
use crate::config::{self, QuickApi, Setting, Source};
use crate::telemetry::Format;

/// Stand in front of the APIs until a signal ends it
///
/// Prints where it listens, then log lines on standard error. SIGTERM and SIGINT drain and end it, SIGHUP reloads the
/// configuration. Exit codes: 0 ended in order, 2 could not start, 3 the drain deadline passed with work left.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One API without a file, or besides those of the file
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Where the API given by --upstream is served
    #[arg(long, value_name = "ADDRESS", requires = "upstream")]
    listen: Option<String>,
    /// Name of the API given by --upstream
    #[arg(long, value_name = "NAME", default_value = "api", requires = "upstream")]
    api: String,
    /// A value that wins over the file, `analysis.cpu=0.5` for example; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<Setting>,
    /// The form of log lines
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    log_format: Option<Format>,
    /// Least level of log lines, or a filter
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

fn setting(text: &str) -> Result<Setting, String> {
    Setting::parse(text).ok_or_else(|| "write KEY=VALUE".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "auto" => Ok(Format::Auto),
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("one of auto, text, json".to_owned()),
    }
}

/// Runs to the end; the exit code.
pub(super) fn run(arguments: &Arguments, config: Option<&Path>) -> u8 {
    let loaded = match config::load(&arguments.source(config), &config::environment) {
        Ok(loaded) => loaded,
        Err(error) => {
            console::tell(&error.explain());
            return 2;
        }
    };
    if !loaded.report.is_empty() {
        console::tell(&loaded.report.print(config::Format::Text));
    }
    match app::run(loaded, console::say_line) {
        Ok(code) => code,
        Err(error) => {
            console::tell(&format!("error: {}", chain(&error)));
            2
        }
    }
}

impl Arguments {
    fn source(&self, config: Option<&Path>) -> Source {
        let mut set = self.set.clone();
        let log =
            |key: &str, value: &str| Setting { key: format!("log.{key}"), value: value.to_owned() };
        if let Some(format) = self.log_format {
            set.push(log(
                "format",
                match format {
                    Format::Auto => "auto",
                    Format::Text => "text",
                    Format::Json => "json",
                },
            ));
        }
        if let Some(level) = &self.log_level {
            set.push(log("level", level));
        }
        let api = self.upstream.as_ref().map(|upstream| QuickApi {
            name: self.api.clone(),
            upstream: upstream.clone(),
            listen: self.listen.clone(),
        });
        let default = || {
            Some(PathBuf::from("driftgate.yaml"))
                .filter(|path| self.upstream.is_none() || path.exists())
        };
        let file = config.map(Path::to_owned).or_else(default);
        Source { file, api, set }
    }
}

/// An error with everything below it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

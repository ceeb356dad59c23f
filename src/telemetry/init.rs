//! Sets the process-wide subscriber up, once, from the `log` section of the configuration.

use std::io::{self, IsTerminal as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How log lines look and which are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `text` for people, `json` for collectors, `auto`: text on a terminal, else JSON.
    pub format: Format,
    /// Least level written: error, warn, info, debug or trace, or a filter such as `info,driftgate::deliver=debug`.
    pub level: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: Format::Auto, level: "info".to_owned() }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Auto,
    Text,
    Json,
}

/// Installs the subscriber. Lines go to standard error. Of what the proxy library logs through `log` only warnings pass: its
/// lower levels print request targets. A second call changes nothing.
///
/// # Errors
/// When `level` is not a filter; the text says where.
pub fn init(options: &Options) -> Result<(), String> {
    let directives = format!("{},pingora=warn,pingora_core=warn,pingora_proxy=warn", options.level);
    let filter = EnvFilter::try_new(directives).map_err(|error| error.to_string())?;
    let terminal = io::stderr().is_terminal();
    let json = match options.format {
        Format::Json => true,
        Format::Text => false,
        Format::Auto => !terminal,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    // An error means that a subscriber is installed already (tests): the first one stays.
    let installed = if json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer.with_ansi(terminal)).try_init()
    };
    drop(installed);
    Ok(())
}

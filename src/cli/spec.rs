//! `driftgate spec`: what an instance knows of an API's contract, and holding the API to it.
//!
//! Owns writing a document to a file, whole or not at all.

use std::path::PathBuf;

use http::Method;
use serde_json::json;

use super::output::Column;
use super::remote::{Answer, Failure, Remote, chain, step, with_query};
use crate::runtime::files;

/// Specifications of an API: learned, predefined, held
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List the revisions of an API, newest first
    List {
        /// Name of the API
        api: String,
    },
    /// Show what an API is held to, and what is missing for the next state
    Show {
        /// Name of the API
        api: String,
    },
    /// Write a document of an API
    Export(Export),
    /// Hold an API to what was learned
    Freeze {
        /// Name of the API
        api: String,
        /// Freeze operations too that were not seen often enough
        #[arg(long)]
        force: bool,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        /// How closed the schemas are
        #[arg(long, value_parser = ["strict", "permissive"])]
        view: Option<String>,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Export {
    /// Name of the API
    api: String,
    /// `current` (what was learned), `baseline`, or at least six digits of a hash
    #[arg(long)]
    revision: Option<String>,
    /// Version of OpenAPI
    #[arg(long, value_parser = ["3.0", "3.1"])]
    openapi: Option<String>,
    #[arg(long, value_parser = ["yaml", "json"])]
    format: Option<String>,
    /// How closed the schemas are
    #[arg(long, value_parser = ["strict", "permissive"])]
    view: Option<String>,
    /// Leave out the counts behind each fact
    #[arg(long)]
    no_extensions: bool,
    /// Project what is known now instead of taking the newest revision
    #[arg(long)]
    live: bool,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const COLUMNS: &[Column] = &[
    ("REVISION", "/id"),
    ("ORIGIN", "/origin"),
    ("CREATED", "/created"),
    ("BASELINE", "/baseline"),
    ("REASON", "/reason"),
];

/// # Errors
/// When the instance cannot be asked or refuses, or the file cannot be written.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List { api } => {
            let path = format!("/v1/apis/{}/revisions", step(api));
            remote.output.list(remote, &path, COLUMNS)?;
        }
        Command::Show { api } => {
            remote.output.object(&remote.get(&format!("/v1/apis/{}/baseline", step(api)))?)?;
        }
        Command::Export(order) => export(order, remote)?,
        Command::Freeze { api, force, reason, view } => {
            let mut order = json!({ "force": force });
            let given = [("reason", reason), ("view", view)];
            for (name, value) in given.into_iter().filter(|(_, value)| value.is_some()) {
                order[name] = json!(value);
            }
            let path = format!("/v1/apis/{}/baseline/freeze", step(api));
            remote.output.object(&remote.post(&path, &order)?)?;
        }
    }
    Ok(Answer::Yes)
}

fn export(order: &Export, remote: &Remote) -> Result<(), Failure> {
    let path = with_query(
        &format!("/v1/apis/{}/spec", step(&order.api)),
        [
            ("revision", order.revision.as_deref()),
            ("openapi", order.openapi.as_deref()),
            ("format", order.format.as_deref()),
            ("view", order.view.as_deref()),
            ("extensions", order.no_extensions.then_some("false")),
            ("live", order.live.then_some("true")),
        ],
    );
    let reply = remote.call(Method::GET, &path, None)?;
    match &order.output {
        Some(file) => {
            files::write_atomic(file, &reply.body).map_err(|error| Failure::Unusable(chain(&error)))
        }
        None => remote.output.text(&String::from_utf8_lossy(&reply.body)),
    }
}

//! `driftgate spec`: what an instance knows of an API's contract, and holding the API to it.
//!
//! Owns writing a document to a file, whole or not at all.

use std::path::PathBuf;

use http::Method;
use serde_json::{Value, json};

use super::output::Column;
use super::remote::{Answer, Failure, Remote, chain, step, with_query};
use crate::model::limits::SPECIFICATION_BYTES_MAX;
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
        /// What of the evidence becomes part of it
        #[arg(long, value_parser = ["strict", "permissive"])]
        view: Option<String>,
    },
    /// Make suggested patches of findings part of what an API is held to, all or none
    Promote {
        /// Name of the API
        api: String,
        /// Ids or fingerprints, applied in this order; `ID=1` takes the second of its patches
        #[arg(required = true)]
        findings: Vec<String>,
        /// The baseline that was looked at; another one in force refuses
        #[arg(long, value_name = "REVISION")]
        base: Option<String>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
    },
    /// Keep a document of an API; `hold` makes it the baseline
    Upload {
        /// Name of the API
        api: String,
        /// OpenAPI or Swagger, YAML or JSON
        file: PathBuf,
    },
    /// Hold an API to a revision that is kept
    Hold {
        /// Name of the API
        api: String,
        /// At least six digits of its hash
        revision: String,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
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
            let order = json!({ "force": force, "reason": reason, "view": view });
            let path = format!("/v1/apis/{}/baseline/freeze", step(api));
            remote.output.object(&remote.post(&path, &order)?)?;
        }
        Command::Promote { api, findings, base, reason } => {
            let findings =
                findings.iter().map(|named| promotion(named)).collect::<Result<Vec<_>, _>>()?;
            let order = json!({ "findings": findings, "base": base, "reason": reason });
            let path = format!("/v1/apis/{}/baseline/promote", step(api));
            remote.output.object(&remote.post(&path, &order)?)?;
        }
        Command::Upload { api, file } => {
            let text = files::read(file, SPECIFICATION_BYTES_MAX)
                .map_err(|error| Failure::Unusable(chain(&error)))?;
            let path = format!("/v1/apis/{}/revisions", step(api));
            remote.output.object(&remote.post_text(&path, "application/yaml", text)?)?;
        }
        Command::Hold { api, revision, reason } => {
            let order = json!({ "revision": revision, "reason": reason });
            let path = format!("/v1/apis/{}/baseline", step(api));
            remote.output.object(&remote.put(&path, &order)?)?;
        }
    }
    Ok(Answer::Yes)
}

/// `ID`, or `ID=PATCH`.
fn promotion(named: &str) -> Result<Value, Failure> {
    let Some((id, patch)) = named.split_once('=') else { return Ok(json!({ "id": named })) };
    let patch: u8 = patch.parse().map_err(|_| {
        Failure::Unusable(format!(
            "`{named}`: what follows `=` is the number of a suggested patch, from 0"
        ))
    })?;
    Ok(json!({ "id": id, "patch": patch }))
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

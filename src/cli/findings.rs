//! `driftgate findings`: where APIs left their contract.
//!
//! Owns the gate for CI: `--fail-on` makes the exit code an answer.

use serde_json::Value;

use super::output::Column;
use super::remote::{Answer, Failure, Remote, step, with_query};
use crate::model::finding::Severity;

/// Where APIs left their contract
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List findings, last seen first
    ///
    /// Exit codes: 0 listed, 1 one that is open is at least as severe as `--fail-on`, 2 the instance cannot be asked.
    List {
        /// Only those of this API
        #[arg(long)]
        api: Option<String>,
        /// Only those in this state: open, acknowledged, muted, accepted, rejected, resolved, candidate
        #[arg(long)]
        state: Option<String>,
        /// Only those of this severity
        #[arg(long)]
        severity: Option<String>,
        /// Only those of this kind, `type.changed` for example
        #[arg(long)]
        kind: Option<String>,
        /// Answer no when one that is open is at least this severe
        #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical"])]
        fail_on: Option<String>,
    },
    /// Show one finding
    Show {
        /// Id or fingerprint
        id: String,
    },
}

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("SEVERITY", "/severity"),
    ("STATE", "/state"),
    ("KIND", "/kind"),
    ("API", "/api"),
    ("METHOD", "/operation/method"),
    ("PATH", "/operation/path"),
    ("POINTER", "/location/pointer"),
    ("K", "/statistics/k"),
    ("N", "/statistics/n"),
    ("CONFIDENCE", "/confidence"),
    ("LAST SEEN", "/last_seen"),
    ("MESSAGE", "/message"),
];

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List { api, state, severity, kind, fail_on } => {
            let path = with_query(
                "/v1/findings",
                [
                    ("api", api.as_deref()),
                    ("state", state.as_deref()),
                    ("severity", severity.as_deref()),
                    ("kind", kind.as_deref()),
                ],
            );
            let findings = remote.output.list(remote, &path, COLUMNS)?;
            let limit = fail_on.as_deref().and_then(Severity::parse);
            let is_over = limit.is_some_and(|limit| findings.iter().any(|it| is_open(it, limit)));
            Ok(if is_over { Answer::No } else { Answer::Yes })
        }
        Command::Show { id } => {
            remote.output.object(&remote.get(&format!("/v1/findings/{}", step(id)))?)?;
            Ok(Answer::Yes)
        }
    }
}

fn is_open(finding: &Value, at_least: Severity) -> bool {
    finding["state"] == "open"
        && finding["severity"].as_str().and_then(Severity::parse) >= Some(at_least)
}

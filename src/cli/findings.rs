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
    /// Say that a finding is known: it is told once a day at most
    Acknowledge(Decided),
    /// Say nothing of a finding until a time or the next baseline
    Mute {
        #[command(flatten)]
        decided: Decided,
        /// RFC 3339, or `revision` for the next baseline
        #[arg(long, default_value = "revision")]
        until: String,
    },
    /// Let the contract allow it: its suggested patch becomes part of the baseline
    Accept {
        #[command(flatten)]
        decided: Decided,
        /// Which of its suggested patches, from 0
        #[arg(long, default_value_t = 0)]
        patch: u8,
    },
    /// Say that the API is wrong, not its contract
    Reject {
        #[command(flatten)]
        decided: Decided,
        /// Where the bug is followed
        #[arg(long)]
        url: Option<String>,
    },
    /// Take a decision back
    Reopen(Decided),
}

#[derive(Debug, Clone, clap::Args)]
struct Decided {
    /// Id or fingerprint
    id: String,
    /// Why, for the history
    #[arg(long)]
    reason: Option<String>,
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
        Command::Acknowledge(decided) => decide(remote, "acknowledge", decided, ("", None)),
        Command::Mute { decided, until } => decide(remote, "mute", decided, ("until", Some(until))),
        Command::Accept { decided, patch } => {
            let order = serde_json::json!({"patch": patch, "reason": decided.reason});
            let path = format!("/v1/findings/{}/accept", step(&decided.id));
            remote.output.object(&remote.post(&path, &order)?)?;
            Ok(Answer::Yes)
        }
        Command::Reject { decided, url } => {
            decide(remote, "reject", decided, ("url", url.as_ref()))
        }
        Command::Reopen(decided) => decide(remote, "reopen", decided, ("", None)),
    }
}

/// Posts a decision, with one more member where there is one; prints the finding as it is then.
fn decide(
    remote: &Remote,
    name: &str,
    decided: &Decided,
    more: (&str, Option<&String>),
) -> Result<Answer, Failure> {
    let given = [("reason", decided.reason.as_ref()), more];
    let members = given.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())));
    let order: serde_json::Map<String, Value> =
        members.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let path = format!("/v1/findings/{}/{name}", step(&decided.id));
    remote.output.object(&remote.post(&path, &Value::Object(order))?)?;
    Ok(Answer::Yes)
}

fn is_open(finding: &Value, at_least: Severity) -> bool {
    finding["state"] == "open"
        && finding["severity"].as_str().and_then(Severity::parse) >= Some(at_least)
}

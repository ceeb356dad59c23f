//! `driftgate status`: how an instance is.
//!
//! Owns the exit code that probes and scripts rely on. Probes need no token.

use http::Method;
use serde_json::Value;

use super::output::Column;
use super::remote::{Answer, Failure, Remote};

/// Show how an instance is: its parts with what is wrong and what to do
///
/// Exit codes: 0 all is well, 1 something is not, 2 the instance cannot be asked.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Ask only whether the process should go on; needs no token
    #[arg(long, group = "probe")]
    live: bool,
    /// Ask only whether it should get traffic; needs no token
    #[arg(long, group = "probe")]
    ready: bool,
    /// Ask only whether store, bus and analysis work; needs no token
    #[arg(long, group = "probe")]
    control: bool,
}

const COLUMNS: &[Column] =
    &[("PART", "/name"), ("STATE", "/state"), ("DETAIL", "/detail"), ("REMEDY", "/remedy")];

/// # Errors
/// When the instance cannot be asked.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    let probe = match (arguments.live, arguments.ready, arguments.control) {
        (true, _, _) => Some("/livez"),
        (_, true, _) => Some("/readyz"),
        (_, _, true) => Some("/readyz/control"),
        _ => None,
    };
    match probe {
        Some(path) => ask_probe(remote, path),
        None => show_parts(remote),
    }
}

fn ask_probe(remote: &Remote, path: &str) -> Result<Answer, Failure> {
    let reply = remote.ask(Method::GET, path, None)?;
    remote.output.text(&String::from_utf8_lossy(&reply.body))?;
    match reply.status.as_u16() {
        200 => Ok(Answer::Yes),
        503 => Ok(Answer::No),
        other => Err(Failure::Unusable(format!("the instance answered {other}"))),
    }
}

fn show_parts(remote: &Remote) -> Result<Answer, Failure> {
    let health = remote.get("/v1/health")?;
    let parts = health.get("parts").and_then(Value::as_array).cloned().unwrap_or_default();
    remote.output.items(&parts, COLUMNS, true)?;
    let is_true = |name: &str| health.get(name).and_then(Value::as_bool) == Some(true);
    let is_well = ["live", "ready", "control_ready"].into_iter().all(is_true)
        && parts.iter().all(|part| part["state"] == "ok" || part["state"] == "off");
    Ok(if is_well { Answer::Yes } else { Answer::No })
}

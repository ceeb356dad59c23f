//! `driftgate webhooks`: who is told about events.

use super::output::Column;
use super::remote::{Answer, Failure, Remote, step};

/// Who is told about events
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List all webhooks
    List,
    /// Show one webhook; its secrets stay hidden
    Show {
        /// Name or id
        webhook: String,
    },
    /// List the messages for one webhook, newest first
    Logs {
        /// Name or id
        webhook: String,
    },
}

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("URL", "/url"),
    ("EVENTS", "/events"),
    ("ACTIVE", "/active"),
    ("DELIVERIES", "/deliveries"),
];

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List => {
            remote.output.list(remote, "/v1/webhooks", COLUMNS)?;
        }
        Command::Show { webhook } => {
            remote.output.object(&remote.get(&format!("/v1/webhooks/{}", step(webhook)))?)?;
        }
        Command::Logs { webhook } => {
            let path = format!("/v1/webhooks/{}/deliveries", step(webhook));
            remote.output.list(remote, &path, super::deliveries::COLUMNS)?;
        }
    }
    Ok(Answer::Yes)
}

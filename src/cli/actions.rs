//! `driftgate actions`: what runs on events.

use super::output::Column;
use super::remote::{Answer, Failure, Remote};

/// What runs on events
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List all actions
    List,
}

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("KIND", "/kind"),
    ("EVENTS", "/events"),
    ("API", "/api"),
    ("ACTIVE", "/active"),
    ("INVOCATIONS", "/deliveries"),
];

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List => remote.output.list(remote, "/v1/actions", COLUMNS)?,
    };
    Ok(Answer::Yes)
}

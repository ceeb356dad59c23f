//! `driftgate apis`: the inventory of an instance.

use super::output::Column;
use super::remote::{Answer, Failure, Remote, step};

/// The APIs behind an instance, and their operations
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List all APIs
    List,
    /// Show one API
    Show {
        /// Name of the API
        api: String,
    },
    /// List the operations of an API
    Operations {
        /// Name of the API
        api: String,
    },
}

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("UPSTREAM", "/upstream"),
    ("LEARNED", "/exchanges/learned"),
    ("READY", "/operations/ready"),
    ("DRAFT", "/operations/draft"),
    ("BASELINE", "/baseline/state"),
    ("FINDINGS", "/findings"),
    ("LAST SEEN", "/last_seen"),
];

const OPERATIONS: &[Column] = &[
    ("METHOD", "/method"),
    ("PATH", "/template"),
    ("STATE", "/state"),
    ("RELATION", "/relation"),
    ("N", "/n"),
    ("STATUSES", "/statuses"),
];

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List => {
            remote.output.list(remote, "/v1/apis", COLUMNS)?;
        }
        Command::Show { api } => {
            remote.output.object(&remote.get(&format!("/v1/apis/{}", step(api)))?)?;
        }
        Command::Operations { api } => {
            let path = format!("/v1/apis/{}/operations", step(api));
            remote.output.list(remote, &path, OPERATIONS)?;
        }
    }
    Ok(Answer::Yes)
}

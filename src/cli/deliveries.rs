//! `driftgate deliveries`: whether messages arrived, and what to do when they did not.

use serde_json::{Value, json};

use super::output::Column;
use super::remote::{Answer, Failure, Remote, step, with_query};

/// Whether messages arrived
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List deliveries, newest first
    List {
        /// Only those in this state: created, retrying, success, failed, cancelled
        #[arg(long)]
        state: Option<String>,
        /// Only those for this webhook or action: its id
        #[arg(long)]
        destination: Option<String>,
    },
    /// Show one delivery with request and response of each attempt
    Show { id: String },
    /// Attempt a delivery now
    Retry {
        id: String,
        /// Two orders with one nonce are one attempt
        #[arg(long)]
        nonce: Option<String>,
    },
    /// Cancel a delivery that is not final
    Cancel { id: String },
}

pub(super) const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("CREATED", "/created"),
    ("DESTINATION", "/destination_name"),
    ("EVENT", "/event/type"),
    ("STATE", "/state"),
    ("ATTEMPTS", "/attempt_count"),
    ("STATUS", "/last_status"),
    ("OUTCOME", "/last_outcome"),
    ("DUE", "/due"),
];

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List { state, destination } => {
            let parameters = [("state", state.as_deref()), ("destination", destination.as_deref())];
            remote.output.list(remote, &with_query("/v1/deliveries", parameters), COLUMNS)?;
        }
        Command::Show { id } => show(remote, &remote.get(&path(id, ""))?)?,
        Command::Retry { id, nonce } => {
            let order = nonce.as_ref().map_or_else(|| json!({}), |nonce| json!({ "nonce": nonce }));
            show(remote, &remote.post(&path(id, "/retry"), &order)?)?;
        }
        Command::Cancel { id } => show(remote, &remote.post(&path(id, "/cancel"), &json!({}))?)?,
    }
    Ok(Answer::Yes)
}

fn path(id: &str, verb: &str) -> String {
    format!("/v1/deliveries/{}{verb}", step(id))
}

fn show(remote: &Remote, delivery: &Value) -> Result<(), Failure> {
    remote.output.object(delivery)
}

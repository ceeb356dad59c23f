//! `driftgate events`: what happened, and what is happening.
//!
//! Owns following the log across restarts of the instance without repeating an event.

use std::time::Duration;

use super::output::Column;
use super::remote::{Answer, Failure, Remote, step, with_query};

/// What happened
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Only those that happened since: RFC 3339, or `-15m`
        #[arg(long, allow_hyphen_values = true)]
        since: Option<String>,
        /// Only those that happened before: RFC 3339, or `-15m`
        #[arg(long, allow_hyphen_values = true)]
        until: Option<String>,
    },
    /// Show one event with its data and what became of it
    Show { id: String },
    /// Print events as they happen, until interrupted; goes on when the instance restarts
    Tail {
        #[command(flatten)]
        filter: Filter,
    },
    /// List the types of events that driftgate raises
    Types,
}

#[derive(Debug, Clone, clap::Args)]
struct Filter {
    /// Only this type: a name, or a pattern such as `contract.*`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only those of this API
    #[arg(long)]
    api: Option<String>,
}

const COLUMNS: &[Column] = &[
    ("TIME", "/time"),
    ("TYPE", "/type"),
    ("SUBJECT", "/subject"),
    ("SEVERITY", "/severitytext"),
    ("ID", "/id"),
];

const TYPES: &[Column] =
    &[("TYPE", "/type"), ("CLASS", "/class"), ("NAME", "/display_name"), ("WHEN", "/description")];

/// Between two looks for new events.
const TAIL_PAUSE: Duration = Duration::from_secs(1);

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::List { filter, since, until } => {
            let parameters = [("since", since.as_deref()), ("until", until.as_deref())];
            let path = with_query("/v1/events", parameters.into_iter().chain(filter.parameters()));
            remote.output.list(remote, &path, COLUMNS)?;
        }
        Command::Show { id } => {
            remote.output.object(&remote.get(&format!("/v1/events/{}", step(id)))?)?;
        }
        Command::Tail { filter } => tail(filter, remote)?,
        Command::Types => {
            remote.output.list(remote, "/v1/event-types", TYPES)?;
        }
    }
    Ok(Answer::Yes)
}

impl Filter {
    fn parameters(&self) -> [(&'static str, Option<&str>); 2] {
        [("type", self.kind.as_deref()), ("api", self.api.as_deref())]
    }
}

/// Reads what is newer than the newest known, page by page. The cursor is the memory, so nothing is printed twice; an instance
/// that goes away meanwhile is asked again. What was there before is history, which `list` shows.
fn tail(filter: &Filter, remote: &Remote) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    let mut looked = false;
    let mut printed = false;
    loop {
        let from = [("cursor", cursor.as_deref()), ("limit", Some("250"))];
        let path = with_query("/v1/events", filter.parameters().into_iter().chain(from));
        match remote.get(&path) {
            Ok(list) => {
                let mut items = list["items"].as_array().cloned().unwrap_or_default();
                items.reverse();
                if looked && !items.is_empty() {
                    remote.output.items(&items, COLUMNS, !printed)?;
                    printed = true;
                }
                looked = true;
                cursor = list["prev"].as_str().map(str::to_owned).or(cursor);
            }
            Err(Failure::Unusable(_)) if looked => {}
            Err(failure) => return Err(failure),
        }
        remote.pause(TAIL_PAUSE);
    }
}

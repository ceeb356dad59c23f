//! `driftgate init`: a configuration file to begin with.

use std::path::PathBuf;

use super::console::{say_line, tell};
use crate::runtime::files;

/// Write a commented configuration file to begin with
///
/// Never overwrites a file.
///
/// Exit codes: 0 written, 1 a file of that name is there already, 2 it cannot be written.
///
/// Examples:
///   driftgate init --upstream <http://127.0.0.1:3000>
///   driftgate init --full -o reference.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// Where your API listens
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The file to write
    #[arg(short, long, default_value = "driftgate.yaml", value_name = "FILE")]
    output: PathBuf,
    /// Every key with its default and meaning, instead of the few to begin with
    #[arg(long)]
    full: bool,
}

const MINIMAL: &str = include_str!("../../config/minimal.yaml");
const REFERENCE: &str = include_str!("../../config/reference.yaml");
/// What both texts name as the API.
const EXAMPLE_UPSTREAM: &str = "http://127.0.0.1:3000";

pub(super) fn run(arguments: &Arguments) -> u8 {
    let file = arguments.output.display();
    if files::exists(&arguments.output) {
        tell(&format!(
            "error[init.file-exists]: `{file}` is there already\n  = name another with `-o FILE`"
        ));
        return 1;
    }
    let template = if arguments.full { REFERENCE } else { MINIMAL };
    let text = match &arguments.upstream {
        Some(upstream) => template.replace(EXAMPLE_UPSTREAM, upstream),
        None => template.to_owned(),
    };
    if let Err(error) = files::write_atomic(&arguments.output, text.as_bytes()) {
        tell(&format!("error[init.unwritable]: {error}"));
        return 2;
    }
    say_line(&format!(
        "wrote `{file}`\n\nnext:\n  driftgate check {file}\n  driftgate run --config {file}"
    ));
    0
}

//! The command line (layer 6).
//!
//! Owns the subcommands, one file each, and their exit codes: 0 done or yes, 1 the answer is no, 2 could not run, 3 and up per
//! subcommand. Refuses to own what the subcommands do.

// on this machine
mod check;
mod demo;
mod diff;
mod infer;
mod init;
mod run;
mod test;
mod verify;
mod version;

// on a running instance
pub mod actions;
pub mod apis;
pub mod call;
pub mod deliveries;
pub mod events;
pub mod findings;
pub mod remote;
pub mod spec;
pub mod status;
pub mod webhooks;

// what they share
pub mod console;
pub mod output;
pub mod progress;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A sidecar reverse proxy that learns what an API does and says when it changes
///
/// driftgate stands in front of an HTTP API, lets every byte through untouched and learns from what it sees: it infers the
/// API's OpenAPI specification, notices when the API leaves its contract, raises events about it, tests the contract on
/// demand, and delivers every event to webhooks, actions and Kafka without losing one.
///
/// Begin with `driftgate demo`, or put it in front of your own API: `driftgate run --upstream http://127.0.0.1:3000`.
#[derive(Debug, Parser)]
#[command(name = "driftgate", version, max_term_width = 100, arg_required_else_help = true)]
struct CommandLine {
    /// The configuration file
    #[arg(short, long, global = true, env = "DRIFTGATE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long work shows its progress on standard error
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    progress: progress::When,
    #[command(flatten)]
    connection: remote::Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Demo(demo::Arguments),
    Infer(Box<infer::Arguments>),
    Check(check::Arguments),
    Init(init::Arguments),
    Diff(Box<diff::Arguments>),
    Test(test::Arguments),
    Verify(verify::Arguments),
    /// Print version and features
    Version,
    #[command(flatten)]
    Ask(Question),
}

/// What is asked of a running instance.
#[derive(Debug, Subcommand)]
enum Question {
    Status(status::Arguments),
    Apis(apis::Arguments),
    Spec(spec::Arguments),
    Findings(findings::Arguments),
    Events(events::Arguments),
    Webhooks(webhooks::Arguments),
    Deliveries(deliveries::Arguments),
    Actions(actions::Arguments),
    Call(call::Arguments),
}

/// Reads the arguments, does what they say, and gives the exit code of the process.
#[must_use]
pub fn main() -> ExitCode {
    match CommandLine::try_parse() {
        Ok(line) => ExitCode::from(line.run()),
        Err(told) => {
            // Help and version are answers; everything else could not be understood.
            let code = if told.use_stderr() { 2 } else { 0 };
            drop(told.print());
            ExitCode::from(code)
        }
    }
}

impl CommandLine {
    fn run(&self) -> u8 {
        let config = self.config.as_deref();
        match &self.command {
            Command::Run(arguments) => run::run(arguments, config),
            Command::Demo(arguments) => demo::run(arguments, self.connection.json),
            Command::Infer(arguments) => infer::run(arguments),
            Command::Check(arguments) => check::run(arguments, config),
            Command::Init(arguments) => init::run(arguments),
            Command::Diff(arguments) => diff::run(arguments, self.connection.json),
            Command::Test(arguments) => test::run(arguments, self.connection.json, self.progress),
            Command::Verify(arguments) => verify::run(arguments, self.connection.json),
            Command::Version => version::run(self.connection.json),
            Command::Ask(question) => {
                remote::run(&self.connection, config, |remote| question.ask(remote))
            }
        }
    }
}

impl Question {
    fn ask(&self, remote: &remote::Remote) -> Result<remote::Answer, remote::Failure> {
        match self {
            Self::Status(arguments) => status::run(arguments, remote),
            Self::Apis(arguments) => apis::run(arguments, remote),
            Self::Spec(arguments) => spec::run(arguments, remote),
            Self::Findings(arguments) => findings::run(arguments, remote),
            Self::Events(arguments) => events::run(arguments, remote),
            Self::Webhooks(arguments) => webhooks::run(arguments, remote),
            Self::Deliveries(arguments) => deliveries::run(arguments, remote),
            Self::Actions(arguments) => actions::run(arguments, remote),
            Self::Call(arguments) => call::run(arguments, remote),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_short_help_is_short() {
        let mut command = CommandLine::command();
        command.clone().debug_assert();
        assert!(command.render_help().to_string().lines().count() <= 45);
    }
}

//! Standard output and standard error of subcommands that speak for themselves.
//!
//! Owns the two streams: results go to standard output, everything else to standard error. A reader that went away is no
//! error: what is left unsaid stays unsaid.

use std::io::{self, IsTerminal as _, Write as _};

/// Prints a result.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Prints a result and ends the line.
pub fn say_line(text: &str) {
    say(&format!("{text}\n"));
}

/// Says what is wrong, or what else a person should know; ends the line.
pub fn tell(text: &str) {
    let mut error = io::stderr().lock();
    drop(writeln!(error, "{text}"));
}

/// Whether a person reads the results.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

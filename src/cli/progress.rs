//! How far long work has come, on standard error.
//!
//! Owns the bar of a terminal and the lines of a log; both are silent in a pipe. Refuses to own results.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::tell;

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum When {
    /// A bar on a terminal, silence elsewhere.
    #[default]
    Auto,
    /// A line for every tenth of the way, for logs.
    Plain,
    /// Never.
    Never,
}

/// The progress of one piece of work. One summary line stays when it is finished.
pub struct Progress {
    bar: ProgressBar,
    when: When,
    phase: String,
    total: u64,
    /// Tenths that were told as lines.
    told: u64,
}

/// Redraws a second at most.
const REDRAWS: u8 = 10;

impl Progress {
    /// `total` steps of `phase`; 0 when it is not known how many.
    #[must_use]
    pub fn new(when: When, phase: &str, total: u64) -> Self {
        let visible = when == When::Auto && io::stderr().is_terminal();
        let target = if visible {
            ProgressDrawTarget::stderr_with_hz(REDRAWS)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target);
        let template = if total > 0 {
            "{msg} {bar:30} {human_pos} of {human_len}, {per_sec}, {elapsed} elapsed, {eta} left"
        } else {
            "{msg} {spinner} {human_pos}, {per_sec}, {elapsed} elapsed"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(phase.to_owned());
        if total == 0 {
            bar.enable_steady_tick(Duration::from_secs(1) / u32::from(REDRAWS));
        }
        Self { bar, when, phase: phase.to_owned(), total, told: 0 }
    }

    /// Says that `done` steps are done.
    pub fn at(&mut self, done: u64) {
        self.bar.set_position(done);
        let tenth = (done * 10).checked_div(self.total).unwrap_or(0);
        if self.when == When::Plain && tenth > self.told {
            self.told = tenth;
            tell(&format!("{}: {done} of {}", self.phase, self.total));
        }
    }

    /// Takes the bar away and leaves a line.
    pub fn finish(self, summary: &str) {
        self.bar.finish_and_clear();
        if self.when == When::Plain || !self.bar.is_hidden() {
            tell(summary);
        }
    }
}

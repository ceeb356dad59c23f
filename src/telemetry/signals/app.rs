//! What the composition root tells: start, reload, shutdown.

use tracing::{error, info, warn};

/// Every part runs.
pub struct Started<'a> {
    pub listeners: &'a str,
    pub admin: &'a str,
    pub apis: usize,
    pub webhooks: usize,
}

impl Started<'_> {
    pub fn tell(self) {
        info!(
            listeners = self.listeners,
            admin = self.admin,
            apis = self.apis,
            webhooks = self.webhooks,
            "driftgate runs"
        );
    }
}

/// A new configuration serves.
pub struct Reloaded {
    pub generation: u64,
}

impl Reloaded {
    pub fn tell(self) {
        info!(generation = self.generation, "configuration reloaded");
    }
}

/// A file was refused; the former configuration goes on.
pub struct ReloadRefused<'a> {
    pub problems: &'a str,
}

impl ReloadRefused<'_> {
    pub fn tell(self) {
        error!(problems = self.problems, "configuration refused, the former one goes on");
    }
}

/// What became of the APIs could not be read or written; it is told with the next configuration.
pub struct CensusFailed<'a> {
    pub error: &'a dyn std::fmt::Display,
}

impl CensusFailed<'_> {
    pub fn tell(self) {
        warn!(error = %self.error, "events about added, changed and removed APIs wait for the next start or reload");
    }
}

/// Shutdown began.
pub struct Draining {
    pub in_flight: u64,
}

impl Draining {
    pub fn tell(self) {
        info!(
            in_flight = self.in_flight,
            "stopping: no new exchanges, waiting for those in flight"
        );
    }
}

/// The drain deadline passed with work left.
pub struct Abandoned<'a> {
    pub parts: &'a str,
}

impl Abandoned<'_> {
    pub fn tell(self) {
        warn!(parts = self.parts, "the drain deadline passed, abandoned what was left");
    }
}

/// Everything ended in time.
pub struct Stopped;

impl Stopped {
    pub fn tell(self) {
        info!("stopped");
    }
}

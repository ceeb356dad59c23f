//! What actions tell: contract tests and results that could not be told.

use tracing::{error, info};

/// A contract test came to its end.
pub struct TestEnded<'a> {
    pub action: &'a str,
    pub status: &'a str,
    pub source: &'a str,
    pub requests: u64,
    pub violations: usize,
}

impl TestEnded<'_> {
    pub fn tell(self) {
        info!(
            action = self.action,
            status = self.status,
            source = self.source,
            requests = self.requests,
            violations = self.violations,
            "contract test ended"
        );
    }
}

/// The events of a result could not be written.
pub struct ResultLost<'a> {
    pub action: &'a str,
    pub error: &'a str,
}

impl ResultLost<'_> {
    pub fn tell(self) {
        error!(action = self.action, error = self.error, "the result of an action was not stored");
    }
}

//! What the store tells: failing and recovering, trimming.

use std::error::Error;

use tracing::{debug, error, info, warn};

/// The first commit that failed because of the store itself.
pub struct CommitFailed<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl CommitFailed<'_> {
    pub fn tell(self) {
        error!(error = self.error, cause = self.error.source(), "the store cannot write");
    }
}

/// A change that nobody waited for was not written: the mark of an attempt's beginning, say.
pub struct UnawaitedFailed<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl UnawaitedFailed<'_> {
    pub fn tell(self) {
        warn!(error = self.error, cause = self.error.source(), "a queued change was not written");
    }
}

/// The first commit that succeeded after failures.
pub struct Recovered;

impl Recovered {
    pub fn tell(self) {
        info!("the store writes again");
    }
}

/// A round of trimming removed something.
pub struct Trimmed {
    pub rows: usize,
}

impl Trimmed {
    pub fn tell(self) {
        debug!(rows = self.rows, "history trimmed");
    }
}

/// A round of trimming failed; the next one tries again.
pub struct TrimFailed<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl TrimFailed<'_> {
    pub fn tell(self) {
        warn!(error = self.error, cause = self.error.source(), "history could not be trimmed");
    }
}

/// The reserve for a full disk could not be set aside or given back.
pub struct ReserveFailed<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl ReserveFailed<'_> {
    pub fn tell(self) {
        warn!(
            error = self.error,
            cause = self.error.source(),
            "the reserve for a full disk could not be set aside or given back"
        );
    }
}

//! What the delivery of events tells.

use std::error::Error;

use tracing::{error, warn};

/// The store could not be read; it is tried again.
pub struct Unreadable<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl Unreadable<'_> {
    pub fn tell(self) {
        warn!(error = self.error, "deliveries cannot be read from the store; trying again");
    }
}

/// Outcomes that the store refused for good: their deliveries are attempted again.
pub struct OutcomesLost<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl OutcomesLost<'_> {
    pub fn tell(self) {
        error!(error = self.error, "outcomes of attempts could not be stored; they are repeated");
    }
}

//! What the analysis tells: captures it skipped, evidence it set aside, transactions that the store refused.

use std::error::Error;

use tracing::{error, info, warn};

/// One capture made the analysis panic.
pub struct Skipped<'a> {
    pub sequence: u64,
    pub api: &'a str,
}

impl Skipped<'_> {
    pub fn tell(self) {
        error!(
            sequence = self.sequence,
            api = self.api,
            "an exchange could not be analysed and was skipped"
        );
    }
}

/// Stored evidence does not load; learning begins anew beside it.
pub struct EvidenceSetAside<'a> {
    pub api: &'a str,
    pub error: &'a (dyn Error + 'static),
}

impl EvidenceSetAside<'_> {
    pub fn tell(self) {
        warn!(
            api = self.api,
            error = self.error,
            "stored evidence was set aside, learning begins anew"
        );
    }
}

/// A stored baseline does not load any more.
pub struct BaselineUnusable<'a> {
    pub api: &'a str,
    pub problems: &'a str,
}

impl BaselineUnusable<'_> {
    pub fn tell(self) {
        error!(
            api = self.api,
            problems = self.problems,
            "the stored baseline does not load, drift is not judged until a new one is frozen"
        );
    }
}

/// The store cannot be read at start.
pub struct NotRestored<'a> {
    pub api: &'a str,
    pub error: &'a (dyn Error + 'static),
}

impl NotRestored<'_> {
    pub fn tell(self) {
        error!(api = self.api, error = self.error, "what was known of this api could not be read");
    }
}

/// The store refuses a transaction; it is tried again.
pub struct StoreRefused<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl StoreRefused<'_> {
    pub fn tell(self) {
        error!(
            error = self.error,
            "the store refuses what the analysis raised; analysis waits, traffic does not"
        );
    }
}

/// The store takes transactions again.
pub struct StoreBack;

impl StoreBack {
    pub fn tell(self) {
        info!("the store takes what the analysis raises again");
    }
}

/// The process ends while the store refuses.
pub struct Lost {
    pub events: usize,
}

impl Lost {
    pub fn tell(self) {
        error!(
            events = self.events,
            "unacknowledged events were given up at shutdown because the store refused them"
        );
    }
}

/// A freeze that the configuration asks for failed; it is tried again.
pub struct FreezeFailed<'a> {
    pub api: &'a str,
    pub error: &'a (dyn Error + 'static),
}

impl FreezeFailed<'_> {
    pub fn tell(self) {
        error!(api = self.api, error = self.error, "what was learned could not be frozen");
    }
}

//! What the bus tells: brokers that come and go, a relay that fails and goes on.

use std::error::Error;
use std::time::Duration;

use tracing::{error, info, warn};

/// A broker answers.
pub struct Reachable {
    pub away_ms: i64,
}

impl Reachable {
    pub fn tell(self) {
        info!(away_ms = self.away_ms, "Kafka is reachable");
    }
}

/// No broker answers any more; events are kept and follow later.
pub struct Unreachable;

impl Unreachable {
    pub fn tell(self) {
        warn!("Kafka is unreachable, events are kept and follow later");
    }
}

/// A session of the relay failed; another follows.
pub struct RelayFailed<'a> {
    pub error: &'a (dyn Error + 'static),
    pub wait: Duration,
}

impl RelayFailed<'_> {
    pub fn tell(self) {
        warn!(
            error = self.error,
            cause = self.error.source(),
            wait_ms = self.wait.as_millis(),
            "the relay to Kafka begins again at its cursor"
        );
    }
}

/// The relay cannot go on; events are kept until driftgate is started again.
pub struct RelayStopped<'a> {
    pub error: &'a (dyn Error + 'static),
}

impl RelayStopped<'_> {
    pub fn tell(self) {
        error!(error = self.error, cause = self.error.source(), "the relay to Kafka stopped");
    }
}

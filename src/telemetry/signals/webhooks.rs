//! What webhooks tell.

use tracing::warn;

/// A receiver answered 410: its webhook is no longer executed.
pub struct Gone<'a> {
    pub webhook: &'a str,
}

impl Gone<'_> {
    pub fn tell(self) {
        warn!(webhook = self.webhook, "the receiver is gone (410); its webhook becomes inactive");
    }
}

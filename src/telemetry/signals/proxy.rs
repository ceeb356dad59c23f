//! What the data plane tells. Never a path, a query, a host that a client sent, or an address of a client.

use std::fmt::Display;

use tracing::{info, warn};

/// The name of an upstream could not be looked up; the last addresses stay.
pub struct Unresolved<'a> {
    pub api: &'a str,
    pub error: &'a dyn Display,
}

impl Unresolved<'_> {
    pub fn tell(self) {
        warn!(api = self.api, error = %self.error, "the name of an upstream could not be resolved");
    }
}

/// A listener accepts connections.
pub struct Listening<'a> {
    pub listener: &'a str,
    pub address: &'a str,
}

impl Listening<'_> {
    pub fn tell(self) {
        info!(listener = self.listener, address = self.address, "listening");
    }
}

/// The threads of the data plane ended although nobody asked them to.
pub struct PlaneEnded;

impl PlaneEnded {
    pub fn tell(self) {
        warn!("the data plane ended before it was told to");
    }
}

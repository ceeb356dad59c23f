//! Whose fault an error is and whether trying again can help.
//!
//! Every error that leaves a folder answers both questions by type, never by its text.

/// Whose fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller of ours: a bad request, a wrong argument.
    Client,
    /// The API behind the proxy.
    Upstream,
    /// The receiver of an outgoing call.
    Destination,
    /// Whoever runs driftgate: configuration, disk, network, broker.
    Operator,
    /// Ours.
    Bug,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    No,
    Now,
    /// After a wait in milliseconds.
    After(u64),
}

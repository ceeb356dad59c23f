//! The data plane on real sockets: a test for each protocol and each trap of `spec/proxy.md` 17.

/// A chunk that begins so makes the tap panic.
pub(super) const PANIC_IN_TAP: &[u8] = b"\0panic in the tap\0";

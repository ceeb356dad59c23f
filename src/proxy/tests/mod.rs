//! The data plane on real sockets: a test for each protocol and each trap of `spec/proxy.md` 17.

mod answers;
mod fail_open;
mod http1;
mod http2;
mod life;
mod limits;
mod streams;
mod support;
mod tls;

/// A chunk that begins so makes the tap panic.
pub(super) const PANIC_IN_TAP: &[u8] = b"\0panic in the tap\0";

#[test]
fn the_tap_neither_waits_nor_locks() {
    let source = include_str!("../tap.rs");
    for banned in [".await", "async ", "Mutex", "RwLock", ".lock()", "park", "sleep"] {
        assert!(!source.contains(banned), "{banned}");
    }
}

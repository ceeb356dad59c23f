//! JSON bodies, whole and cut off: what is taken for whole must be what other readers take.
#![no_main]

use driftgate::model::hash::HashKey;
use driftgate::model::observation::Body;
use driftgate::observe::{Lens, Observer};

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let Some(exchange) = driftgate_fuzz::exchange("/things/1", "application/json", body) else { return };
    let mut observer = Observer::new(HashKey::OFFLINE, Lens::default());
    let malformed = matches!(observer.observe(&exchange).response, Body::Malformed { .. });
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // serde_json stops at a depth of 128 and reads numbers beyond an f64 as errors; neither is ill-formed.
    if let Err(error) = serde_json::from_slice::<serde_json::Value>(text) {
        let ours = error.to_string();
        let theirs_alone = ours.starts_with("recursion") || ours.starts_with("number out of range");
        assert!(malformed || theirs_alone || text.is_empty(), "taken, though {error}");
    } else {
        assert!(!malformed, "refused, though it is JSON");
    }
    driftgate_fuzz::learn(&exchange);
});

//! Paths, queries, fields and cookies as they come.
#![no_main]

libfuzzer_sys::fuzz_target!(|target: &str| {
    if let Some(exchange) = driftgate_fuzz::exchange(&format!("/{target}"), "application/json", b"{}") {
        driftgate_fuzz::learn(&exchange);
    }
});

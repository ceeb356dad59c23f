//! XML bodies.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    if let Some(exchange) = driftgate_fuzz::exchange("/things/1", "application/xml", body) {
        driftgate_fuzz::learn(&exchange);
    }
});

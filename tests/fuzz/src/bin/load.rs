//! Specifications, YAML and JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(driftgate_fuzz::specification(text));
});

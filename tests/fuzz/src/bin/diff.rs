//! Two schemas, one on each line, in documents that are otherwise the same: both ways, and each against itself.
#![no_main]

use driftgate::contract::diff::{Options, diff};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (old, new) = driftgate_fuzz::first_line(data);
    let read = |schema: &[u8]| {
        let schema = serde_json::from_slice(schema).ok()?;
        driftgate_fuzz::specification(&driftgate_fuzz::document(&schema))
    };
    let (Some(old), Some(new)) = (read(old), read(new)) else { return };
    let options = Options::default();
    drop(diff(&old, &new, &options));
    drop(diff(&new, &old, &options));
    assert!(diff(&old, &old, &options).changes.is_empty(), "a document differs from itself");
});

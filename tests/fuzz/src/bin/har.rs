//! HAR files, cut into entries.
#![no_main]

use driftgate::capture::har;
use driftgate::capture::records::{Format, Records};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut records = Records::new(data, Some(Format::Har)).expect("a slice is read");
    while let Some(record) = records.next_record().expect("a slice is read") {
        if let Some(exchange) = driftgate_fuzz::open(&record.bytes, har::capture) {
            driftgate_fuzz::learn(&exchange);
        }
    }
});

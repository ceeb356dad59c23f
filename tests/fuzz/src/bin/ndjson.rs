//! Recorded exchanges, one on each line; the format is guessed.
#![no_main]

use driftgate::capture::ndjson;
use driftgate::capture::records::Records;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut records = Records::new(data, None).expect("a slice is read");
    while let Some(record) = records.next_record().expect("a slice is read") {
        if let Some(exchange) = driftgate_fuzz::open(&record.bytes, ndjson::capture) {
            driftgate_fuzz::learn(&exchange);
        }
    }
});

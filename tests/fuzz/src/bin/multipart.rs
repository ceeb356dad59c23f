//! Multipart bodies: the boundary is the first line. Url-encoded forms and streams of items take the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (boundary, body) = driftgate_fuzz::first_line(data);
    let boundary = String::from_utf8_lossy(boundary);
    let multipart = format!("multipart/form-data; boundary=\"{boundary}\"");
    let forms = "application/x-www-form-urlencoded";
    for media in [&*multipart, forms, "application/x-ndjson", "text/event-stream"] {
        if let Some(exchange) = driftgate_fuzz::exchange("/things/1", media, body) {
            driftgate_fuzz::learn(&exchange);
        }
    }
});

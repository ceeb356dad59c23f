//! A body held to a schema: the schema is the first line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (schema, body) = driftgate_fuzz::first_line(data);
    let Ok(schema) = serde_json::from_slice(schema) else { return };
    let document = driftgate_fuzz::document(&schema);
    let Some(specification) = driftgate_fuzz::specification(&document) else { return };
    if let Some(exchange) = driftgate_fuzz::exchange("/things/1", "application/json", body) {
        driftgate_fuzz::judge(specification, &exchange);
    }
});

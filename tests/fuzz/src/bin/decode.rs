//! Parameters and forms held to a specification.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (target, body) = driftgate_fuzz::first_line(data);
    let target = format!("/things/{}", String::from_utf8_lossy(target));
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "size": { "type": "integer" },
            "tags": { "type": "array", "items": { "enum": ["a", "b"] } },
            "shape": { "type": "object", "additionalProperties": { "type": "boolean" } },
        },
        "required": ["size"],
    });
    let multipart = "multipart/form-data; boundary=b";
    for media in ["application/x-www-form-urlencoded", multipart, "application/json"] {
        let Some(exchange) = driftgate_fuzz::exchange(&target, media, body) else { return };
        let document = driftgate_fuzz::document(&schema);
        let specification = driftgate_fuzz::specification(&document).expect("it is our own");
        driftgate_fuzz::judge(specification, &exchange);
    }
});

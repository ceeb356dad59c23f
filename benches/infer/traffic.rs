//! Recorded lines for the bench, made up but alike to what APIs send: identities, times, states, nested items.

use serde_json::{Map, Value, json};

/// Operations of the known traffic.
const OPERATIONS: usize = 200;

/// Nouns of paths and members.
const NOUNS: [&str; 20] = [
    "order", "invoice", "customer", "product", "shipment", "payment", "refund", "ticket",
    "project", "report", "device", "session", "message", "contract", "account", "booking",
    "lesson", "recipe", "vehicle", "sensor",
];

/// One record with every kind of value.
fn record(noun: &str, number: usize) -> Value {
    let state = ["open", "pending", "closed", "failed"][number % 4];
    json!({
        "id": number,
        "reference": format!("0190d8a2-7f3c-7000-8000-{number:012}"),
        format!("{noun}_number"): number * 7,
        "state": state,
        "created_at": format!("2025-03-{:02}T10:{:02}:00Z", number % 28 + 1, number % 60),
        "updated_at": format!("2025-04-{:02}T11:{:02}:00Z", number % 28 + 1, number % 60),
        "title": format!("The {noun} with the number {number}, as somebody would describe it"),
        "price": {"amount": f64::from(u32::try_from(number).unwrap_or(0)) / 4.0 + 0.1, "currency": "EUR", "taxed": number.is_multiple_of(2)},
        "owner": {"id": number % 97, "email": format!("person{number}@example.org"), "active": true},
        "note": if number.is_multiple_of(3) { Value::Null } else { json!("handle with care") },
    })
}

fn line(method: &str, path: &str, request: Option<&Value>, response: &Value) -> String {
    answered(method, path, request, 200, response)
}

fn answered(
    method: &str,
    path: &str,
    request: Option<&Value>,
    status: u16,
    response: &Value,
) -> String {
    let mut sent = json!({
        "method": method,
        "url": format!("https://api.example.com{path}"),
        "headers": [["accept", "application/json"], ["authorization", "Bearer abc"], ["user-agent", "bench"]],
    });
    if let (Some(body), Some(members)) = (request, sent.as_object_mut()) {
        members.insert("json".to_owned(), body.clone());
    }
    json!({
        "v": 1,
        "time": "2025-03-01T10:00:00Z",
        "request": sent,
        "response": {"status": status, "headers": [["content-type", "application/json"]], "json": response},
    })
    .to_string()
}

/// Exchanges of [`OPERATIONS`] operations, in turn.
pub(crate) fn known(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| {
            let operation = index % OPERATIONS;
            let noun = NOUNS[operation % NOUNS.len()];
            let area = operation / NOUNS.len();
            let base = format!("/v{}/{noun}s", area / 2 + 1);
            let number = index / OPERATIONS + 100;
            if area.is_multiple_of(2) {
                let items: Vec<Value> = (0..3).map(|item| record(noun, number + item)).collect();
                line(
                    "GET",
                    &format!("{base}?page={}&sort=asc", index % 9),
                    None,
                    &json!({"items": items, "total": number}),
                )
            } else {
                let record = record(noun, number);
                line("PUT", &format!("{base}/{number}"), Some(&record), &record)
            }
        })
        .collect()
}

/// Exchanges of which each has its own path and its own names.
pub(crate) fn novel(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| {
            let members: Map<String, Value> = (0..20)
                .map(|member| (format!("{}{}", NOUNS[member], letters(index)), record("x", index)))
                .take(4)
                .collect();
            line(
                "GET",
                &format!("/{}/{}", letters(index), NOUNS[index % NOUNS.len()]),
                None,
                &Value::Object(members),
            )
        })
        .collect()
}

/// One exchange of one of many operations with about 40 schema nodes each, half of which have names of their own.
pub(crate) fn of_many(index: usize, operations: usize) -> String {
    let operation = index % operations;
    let noun = NOUNS[operation % NOUNS.len()];
    let number = index / operations + 100;
    let path = format!("/{}/{noun}s/{number}", letters(operation / NOUNS.len()));
    let own: Map<String, Value> = (0..8)
        .map(|member| (format!("{}_{}", letters(operation), NOUNS[member]), json!(number + member)))
        .collect();
    let record =
        json!({"record": record(noun, number), "own": own, "related": [record("x", number + 1)]});
    line("GET", &path, None, &record)
}

/// One request of a scan: a path of its own, and always the same answer.
pub(crate) fn scanned(index: usize, status: u16) -> String {
    let path = format!("/{}-{}", letters(index), letters(index / 7));
    answered("GET", &path, None, status, &json!({"message": "hello", "code": 1}))
}

/// A number as a word.
fn letters(number: usize) -> String {
    let mut rest = number + 676;
    let mut word = String::new();
    while rest > 0 {
        word.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    word
}

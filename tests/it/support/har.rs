//! Recorded traffic as a script: HAR 1.2 entries turned into the bytes of requests and of the answers to them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One recorded exchange as it goes over the wire.
pub(crate) struct Entry {
    pub method: String,
    pub request: Vec<u8>,
    pub response: Vec<u8>,
}

/// Fields that a recorder's connection had and ours sets anew.
const CONNECTION: [&str; 4] = ["connection", "content-length", "transfer-encoding", "keep-alive"];

/// The entries of a recording in order of time, as a client would send them and a server answer.
pub(crate) fn entries(har: &Value) -> Vec<Entry> {
    let mut entries: Vec<&Value> =
        har["log"]["entries"].as_array().expect("entries").iter().collect();
    entries.sort_by_key(|entry| entry["startedDateTime"].as_str().unwrap_or_default().to_owned());
    entries.into_iter().filter(|entry| entry["response"]["status"] != 0).map(read).collect()
}

fn read(entry: &Value) -> Entry {
    let (request, response) = (&entry["request"], &entry["response"]);
    let method = request["method"].as_str().expect("a method").to_owned();
    let url = request["url"].as_str().expect("a URL");
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, target) = match after_scheme.find('/') {
        Some(slash) => after_scheme.split_at(slash),
        None => (after_scheme, "/"),
    };
    let body = body(&request["postData"]);
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    let fields = fields(request);
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("Host: {authority}\r\n"));
    }
    push_fields(&mut head, &fields);
    if !body.is_empty() || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    Entry { response: render_response(&method, response), request: finish(head, &body), method }
}

fn render_response(method: &str, response: &Value) -> Vec<u8> {
    let status = response["status"].as_u64().expect("a status");
    let reason = response["statusText"].as_str().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    // A recorded text is decoded, and its coding is not sent again; bytes are as they were.
    let as_it_was = response["content"]["encoding"] == "base64";
    let fields: Vec<_> = fields(response)
        .into_iter()
        .filter(|(name, _)| as_it_was || !name.eq_ignore_ascii_case("content-encoding"))
        .collect();
    push_fields(&mut head, &fields);
    let body = body(&response["content"]);
    if status == 204 || status == 304 {
        return finish(head, &[]);
    }
    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    finish(head, if method == "HEAD" { &[] } else { &body })
}

fn finish(mut head: String, body: &[u8]) -> Vec<u8> {
    head.push_str("\r\n");
    // Field values are Latin-1 on the wire.
    let mut bytes: Vec<u8> =
        head.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect();
    bytes.extend_from_slice(body);
    bytes
}

fn fields(message: &Value) -> Vec<(String, String)> {
    let pairs = message["headers"].as_array().into_iter().flatten();
    pairs
        .map(|pair| {
            (
                pair["name"].as_str().unwrap_or_default().to_owned(),
                pair["value"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .filter(|(name, _)| {
            !name.starts_with(':')
                && !CONNECTION.iter().any(|known| name.eq_ignore_ascii_case(known))
        })
        .collect()
}

fn push_fields(head: &mut String, fields: &[(String, String)]) {
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
}

fn body(content: &Value) -> Vec<u8> {
    let text = content["text"].as_str().unwrap_or_default();
    if content["encoding"] == "base64" {
        return STANDARD.decode(text).expect("base64");
    }
    text.as_bytes().to_vec()
}

/// A small recording of our own: a shop with lists, items, errors, odd fields, binary and empty bodies.
pub(crate) fn shop(exchanges: usize) -> Value {
    let entries: Vec<Value> = (0..exchanges).map(shop_entry).collect();
    json!({ "log": { "version": "1.2", "creator": { "name": "test", "version": "1" }, "entries": entries } })
}

fn shop_entry(number: usize) -> Value {
    let id = format!("{:08x}-0000-4000-8000-{:012x}", number * 7919, number);
    let item = json!({ "id": id, "name": format!("thing {number}"), "price": 5 + number, "tags": ["a", "b"], "note": null });
    let (method, path, sent, status, answer): (&str, String, Option<Value>, u16, Option<Value>) =
        match number % 6 {
            0 => (
                "GET",
                "/items?limit=10".to_owned(),
                None,
                200,
                Some(json!({ "items": [item], "total": number })),
            ),
            1 => (
                "POST",
                "/items".to_owned(),
                Some(json!({ "name": "new", "price": number })),
                201,
                Some(item),
            ),
            2 | 3 => ("GET", format!("/items/{id}"), None, 200, Some(item)),
            4 => (
                "GET",
                format!("/items/{id}"),
                None,
                404,
                Some(json!({ "error": "not found", "code": 404 })),
            ),
            _ => ("DELETE", format!("/items/{id}"), None, 204, None),
        };
    let second = number % 60;
    let minute = number / 60 % 60;
    let mut request = json!({
        "method": method, "url": format!("http://shop.example{path}"), "httpVersion": "HTTP/1.1",
        "headers": [{ "name": "Accept", "value": "application/json" }, { "name": "X-Odd", "value": "a,b" }, { "name": "X-Odd", "value": "" }],
        "queryString": [], "cookies": [], "headersSize": -1, "bodySize": -1,
    });
    if let Some(sent) = sent {
        request["headers"]
            .as_array_mut()
            .expect("a list")
            .push(json!({ "name": "Content-Type", "value": "application/json" }));
        request["postData"] = json!({ "mimeType": "application/json", "text": sent.to_string() });
    }
    let text = answer.map(|answer| answer.to_string()).unwrap_or_default();
    let mut headers = vec![
        json!({ "name": "Set-Cookie", "value": "a=1" }),
        json!({ "name": "Set-Cookie", "value": "b=2" }),
    ];
    if !text.is_empty() {
        headers.push(json!({ "name": "Content-Type", "value": "application/json; charset=utf-8" }));
    }
    json!({
        "startedDateTime": format!("2026-03-01T10:{minute:02}:{second:02}.000Z"), "time": 3, "cache": {}, "timings": {},
        "request": request,
        "response": {
            "status": status, "statusText": "Fine", "httpVersion": "HTTP/1.1", "headers": headers, "cookies": [], "redirectURL": "",
            "content": { "size": text.len(), "mimeType": "application/json", "text": text }, "headersSize": -1, "bodySize": -1,
        },
    })
}

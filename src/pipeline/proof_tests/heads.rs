//! Random parameters, headers, credentials and forms, and messages that nearly keep them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::dice::Dice;
use crate::model::exchange::{
    Body, Credential, CredentialKind, CredentialPlace, Exchange, Field, Message, Text,
};
use crate::model::media::MediaType;

/// Names of query parameters: some are documented, one is never read, one says nothing about an API.
const QUERY: [&str; 9] =
    ["limit", "tags", "filter%5Bkind%5D", "filter[items]", "password", "json", "name", "more", "_"];

/// Texts as they travel.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "cat",
    "dog",
    "7",
    "-1",
    "2.50",
    "true",
    "null",
    "1,2,x",
    "a+b%2C",
    "2024-02-29",
    "%7B%22id%22:1%7D",
    "gr%C3%B6%C3%9Fe",
];

const FIELDS: [&str; 5] = ["x-thing", "x-list", "x-more", "x-key", "x-request-id"];

/// Parameters of the one operation.
pub(super) fn parameters(dice: &mut Dice) -> Value {
    let list = |dice: &mut Dice| json!({"type": "array", "items": dice.schema(0)});
    let style = dice.pick(&["form", "spaceDelimited", "pipeDelimited"]);
    let (is_required, is_exploded) = (dice.one_in(2), dice.one_in(2));
    json!([
        {"in": "path", "name": "id", "required": true, "schema": dice.schema(0)},
        {"in": "query", "name": "limit", "required": is_required, "schema": dice.schema(0),
            "allowEmptyValue": dice.one_in(4)},
        {"in": "query", "name": "tags", "style": style, "explode": is_exploded,
            "schema": list(dice)},
        {"in": "query", "name": "filter", "style": "deepObject", "schema": dice.object(1)},
        {"in": "query", "name": "password", "schema": dice.schema(0)},
        {"in": "query", "name": "json", "content": {"application/json": {"schema": dice.schema(1)}}},
        {"in": "query", "name": "record", "schema": dice.object(0)},
        {"in": "header", "name": "X-Thing", "required": dice.one_in(2), "schema": dice.schema(0)},
        {"in": "header", "name": "X-List", "schema": list(dice)},
        {"in": "cookie", "name": "session", "required": dice.one_in(2), "schema": {}}
    ])
}

/// Headers of its answers.
pub(super) fn headers(dice: &mut Dice) -> Value {
    json!({
        "X-Thing": {"required": dice.one_in(2), "schema": dice.schema(0)},
        "X-List": {"schema": {"type": "array", "items": dice.schema(0), "uniqueItems": dice.one_in(4)}}
    })
}

/// What the operation asks of credentials.
pub(super) fn security(dice: &mut Dice) -> Value {
    match dice.below(5) {
        0 => json!([]),
        1 => json!([{"bearer": []}]),
        2 => json!([{"key": []}, {"bearer": []}]),
        3 => json!([{"asked": []}]),
        _ => json!([{}, {"bearer": []}]),
    }
}

pub(super) fn schemes() -> Value {
    json!({
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "asked": {"type": "apiKey", "in": "query", "name": "more"}
    })
}

/// Gives an exchange a path, a query, fields and credentials, and sometimes a form.
pub(super) fn dress(dice: &mut Dice, exchange: &mut Exchange) {
    exchange.path = format!("/things/{}", dice.pick(&TEXTS));
    exchange.query = (!dice.one_in(4)).then(|| pairs(dice, &QUERY));
    exchange.request.fields = fields(dice);
    exchange.response.fields = fields(dice);
    exchange.credentials = credentials(dice);
    if dice.one_in(3) {
        let names = ["id", "kind", "name", "note", "password", "items", "zebra"];
        exchange.request = Message {
            media: MediaType::parse("application/x-www-form-urlencoded"),
            body: Body::Bytes { bytes: Bytes::from(pairs(dice, &names)), truncated: false },
            ..std::mem::take(&mut exchange.request)
        };
    }
}

fn pairs(dice: &mut Dice, names: &[&'static str]) -> String {
    let pairs: Vec<String> =
        (0..dice.below(5)).map(|_| format!("{}={}", dice.pick(names), dice.pick(&TEXTS))).collect();
    pairs.join("&")
}

fn fields(dice: &mut Dice) -> Vec<Field> {
    let value = |dice: &mut Dice| match dice.below(8) {
        0 => Text::Redacted(7),
        _ => Text::Plain(dice.pick(&TEXTS).into()),
    };
    let named =
        (0..dice.below(4)).map(|_| Field { name: dice.pick(&FIELDS).into(), value: value(dice) });
    let mut fields: Vec<Field> = named.collect();
    if dice.one_in(4) {
        fields.push(Field { name: "cookie".into(), value: Text::Redacted(9) });
    }
    if dice.one_in(8) {
        let text = dice.pick(&["HIT from cache", "MISS"]);
        fields.push(Field { name: "x-cache".into(), value: Text::Plain(text.into()) });
    }
    fields
}

fn credentials(dice: &mut Dice) -> Vec<Credential> {
    let (kind, place, name) = match dice.below(4) {
        0 => return Vec::new(),
        1 => (CredentialKind::ApiKey, CredentialPlace::Header, "x-key"),
        2 => (CredentialKind::ApiKey, CredentialPlace::Query, "more"),
        _ => (CredentialKind::Bearer, CredentialPlace::Header, "authorization"),
    };
    vec![Credential { kind, place, name: name.into() }]
}

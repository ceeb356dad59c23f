//! The wire forms of an event: CloudEvents 1.0, structured JSON and binary headers (`spec/delivery.md` 2).
//!
//! Owns order, spelling and escaping of attributes, and reading both forms back. `data` passes through verbatim in either
//! direction. Refuses to own which events may come from outside.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::value::RawValue;

use crate::model::event::Event;
use crate::model::limits::EVENT_DATA_BYTES_MAX;
use crate::model::problem::{Problem, pointer};

use super::pattern::is_type_name;

/// Media type of one structured event.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// Media type of `data`.
pub const DATA: &str = "application/json";
const VERSION: &str = "1.0";
const ID_BYTES_MAX: usize = 128;

/// Everything but U+0021-U+007E, and of those `"` and `%` (CloudEvents HTTP binding 3.1.3.2).
const HTTP_ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// How binary headers are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// `ce-` names, percent-encoded values.
    Http,
    /// `ce_` names, plain UTF-8.
    Kafka,
}

impl Binding {
    fn prefix(self) -> &'static str {
        match self {
            Self::Http => "ce-",
            Self::Kafka => "ce_",
        }
    }
}

enum Attribute<'a> {
    Text(Cow<'a, str>),
    Number(u32),
    Flag,
}

/// The attributes that the event has, in the order of the specification.
fn attributes(event: &Event) -> Vec<(&'static str, Attribute<'_>)> {
    fn text(value: &str) -> Option<Attribute<'_>> {
        (!value.is_empty()).then_some(Attribute::Text(Cow::Borrowed(value)))
    }
    let maybe = |value: &'_ Option<String>| value.clone().map(|text| Attribute::Text(text.into()));
    let time = |ms: i64| (ms != 0).then(|| Attribute::Text(rfc3339(ms).into()));
    let sequence =
        (event.sequence > 0).then(|| Attribute::Text(format!("{:020}", event.sequence).into()));
    let all = [
        ("specversion", text(VERSION)),
        ("id", text(&event.id)),
        ("source", text(&event.source)),
        ("type", text(&event.kind)),
        ("subject", maybe(&event.subject)),
        ("time", Some(Attribute::Text(rfc3339(event.time_ms).into()))),
        ("recordedtime", time(event.recorded_ms)),
        ("datacontenttype", text(DATA)),
        ("dataschema", maybe(&event.dataschema)),
        ("partitionkey", text(&event.partitionkey)),
        ("sequence", sequence),
        ("instance", text(&event.instance)),
        ("correlationid", text(&event.correlationid)),
        ("causationid", maybe(&event.causationid)),
        ("chaindepth", Some(Attribute::Number(event.chaindepth))),
        ("chainpath", text(&event.chainpath)),
        ("traceparent", maybe(&event.traceparent)),
        ("exchangeid", maybe(&event.exchangeid)),
        ("severitytext", maybe(&event.severitytext)),
        ("eventcode", maybe(&event.eventcode)),
        ("testevent", event.testevent.then_some(Attribute::Flag)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The structured form: attributes in the table's order, then `data` verbatim.
#[must_use]
pub fn structured(event: &Event) -> String {
    let mut text = String::with_capacity(event.data.len() + 1024);
    text.push('{');
    for (name, value) in attributes(event) {
        let value = match value {
            Attribute::Text(value) => serde_json::Value::from(value).to_string(),
            Attribute::Number(number) => number.to_string(),
            Attribute::Flag => "true".to_owned(),
        };
        text.extend(["\"", name, "\":", &value, ","]);
    }
    text.extend(["\"data\":", data_of(event), "}"]);
    text
}

/// What is sent as data: never nothing, since a null is a tombstone on Kafka.
#[must_use]
pub fn data_of(event: &Event) -> &str {
    if event.data.is_empty() { "{}" } else { &event.data }
}

/// The headers of the binary form, `content-type` last; the body is [`data_of`].
#[must_use]
pub fn headers(event: &Event, binding: Binding) -> Vec<(String, String)> {
    let mut headers = Vec::with_capacity(20);
    for (name, value) in attributes(event) {
        let value = match value {
            Attribute::Text(value) if binding == Binding::Http => {
                utf8_percent_encode(&value, HTTP_ESCAPED).to_string()
            }
            Attribute::Text(value) => value.into_owned(),
            Attribute::Number(number) => number.to_string(),
            Attribute::Flag => "true".to_owned(),
        };
        // The binary form says the media type of the data as every message does.
        if name != "datacontenttype" {
            headers.push((format!("{}{name}", binding.prefix()), value));
        }
    }
    headers.push(("content-type".to_owned(), DATA.to_owned()));
    headers
}

/// Reads the structured form.
///
/// # Errors
/// The first thing wrong, with the attribute as pointer.
pub fn parse_structured(text: &str) -> Result<Event, Problem> {
    let members: HashMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(|error| {
        wrong("", format!("the event is not a JSON object: {error}"), "send one CloudEvent")
    })?;
    let mut data = "{}".to_owned();
    let mut found = HashMap::with_capacity(members.len());
    for (name, raw) in members {
        match name.as_str() {
            "data" => raw.get().clone_into(&mut data),
            _ => {
                found.insert(name.clone(), text_value(&name, &raw)?);
            }
        }
    }
    build(found, data)
}

/// An attribute as text: strings lose their quotes, numbers and booleans keep their spelling.
fn text_value(name: &str, raw: &RawValue) -> Result<String, Problem> {
    let text = raw.get();
    if text.starts_with(['{', '[', 'n']) {
        let message = format!("attribute `{name}` is neither text, number nor boolean");
        return Err(wrong(name, message, "CloudEvents attributes are scalars"));
    }
    if text.starts_with('"') {
        return serde_json::from_str(text)
            .map_err(|_| wrong(name, format!("`{name}` is not UTF-8 text"), "send UTF-8"));
    }
    Ok(text.to_owned())
}

/// Reads the binary form; headers of other kinds are passed over.
///
/// # Errors
/// As [`parse_structured`].
pub fn parse_binary<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    binding: Binding,
    body: &str,
) -> Result<Event, Problem> {
    let mut found = HashMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let Some(attribute) = name.strip_prefix(binding.prefix()) else { continue };
        let value = match binding {
            Binding::Kafka => value.to_owned(),
            Binding::Http => percent_decode_str(value)
                .decode_utf8()
                .map_err(|_| wrong(attribute, format!("`{name}` is not UTF-8"), "encode it so"))?
                .into_owned(),
        };
        found.insert(attribute.to_owned(), value);
    }
    let data = if body.is_empty() { "{}" } else { body };
    if let Err(error) = serde_json::from_str::<&RawValue>(data) {
        return Err(wrong("data", format!("the data is not JSON: {error}"), "send JSON"));
    }
    build(found, data.to_owned())
}

fn build(mut found: HashMap<String, String>, data: String) -> Result<Event, Problem> {
    if data.len() > EVENT_DATA_BYTES_MAX {
        let message = format!("`data` has {} bytes", data.len());
        return Err(wrong("data", message, "at most 262144 bytes can be kept"));
    }
    for (name, expected) in [("specversion", VERSION), ("datacontenttype", DATA)] {
        let given = found.remove(name);
        let optional = name == "datacontenttype";
        if given.as_deref().map_or(!optional, |value| value != expected) {
            let message = format!("`{name}` is not `{expected}`");
            return Err(wrong(name, message, format!("set it to `{expected}`")));
        }
    }
    let mut take = |name: &str| found.remove(name);
    let id = required(&mut take, "id", |id| {
        id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
    })?;
    let event = Event {
        source: required(&mut take, "source", |source| !source.contains(char::is_control))?,
        kind: required(&mut take, "type", is_type_name)?,
        subject: take("subject"),
        time_ms: time(&mut take, "time")?,
        recorded_ms: time(&mut take, "recordedtime")?,
        dataschema: take("dataschema"),
        partitionkey: take("partitionkey").unwrap_or_default(),
        sequence: number(&mut take, "sequence")?,
        instance: take("instance").unwrap_or_default(),
        correlationid: take("correlationid").unwrap_or_else(|| id.clone()),
        causationid: take("causationid"),
        chaindepth: number(&mut take, "chaindepth")?,
        chainpath: take("chainpath").unwrap_or_default(),
        traceparent: take("traceparent"),
        exchangeid: take("exchangeid"),
        severitytext: take("severitytext"),
        eventcode: take("eventcode"),
        testevent: take("testevent").is_some_and(|flag| flag == "true"),
        data: data.into(),
        id,
    };
    match found.into_keys().min() {
        None => Ok(event),
        Some(name) => Err(wrong(&name, format!("extension `{name}` is not known"), "leave it out")),
    }
}

fn required(
    take: &mut impl FnMut(&str) -> Option<String>,
    name: &str,
    legal: impl Fn(&str) -> bool,
) -> Result<String, Problem> {
    match take(name) {
        None => Err(wrong(name, format!("`{name}` is missing"), "every event has it")),
        Some(value) if value.is_empty() || !legal(&value) => {
            Err(wrong(name, format!("`{value}` is no `{name}`"), "see CloudEvents 1.0"))
        }
        Some(value) => Ok(value),
    }
}

fn number<N: std::str::FromStr + Default>(
    take: &mut impl FnMut(&str) -> Option<String>,
    name: &str,
) -> Result<N, Problem> {
    take(name).map_or(Ok(N::default()), |text| {
        text.parse().map_err(|_| wrong(name, format!("`{text}` is no number"), "send digits"))
    })
}

fn time(take: &mut impl FnMut(&str) -> Option<String>, name: &str) -> Result<i64, Problem> {
    take(name).map_or(Ok(0), |text| {
        text.parse::<jiff::Timestamp>()
            .map(jiff::Timestamp::as_millisecond)
            .map_err(|_| wrong(name, format!("`{text}` is no RFC 3339 time"), "send UTC"))
    })
}

fn wrong(attribute: &str, message: String, remedy: impl Into<String>) -> Problem {
    let place = if attribute.is_empty() { String::new() } else { pointer("", attribute) };
    Problem::error(place, "event.malformed", message).remedy(remedy)
}

/// RFC 3339, UTC, milliseconds.
#[must_use]
pub fn rfc3339(unix_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

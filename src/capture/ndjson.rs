//! NDJSON exchanges, version 1 (`spec/inference.md` 2): one line becomes a capture.
//!
//! Owns the format. Refuses to own cutting a file into lines (`records`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::har::time_ms;
use super::recorded::{Frame, Recorded, RecordedBody, Unusable};
use crate::model::capture::Capture;

#[derive(Deserialize)]
struct Exchange<'a> {
    #[serde(default)]
    v: Option<u32>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    weight: Option<u32>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow)]
    response: Response<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    method: String,
    url: String,
    #[serde(default)]
    headers: Fields,
    #[serde(default, borrow)]
    json: Option<&'a RawValue>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    encoded: bool,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    bytes: Option<i64>,
}

#[derive(Deserialize)]
struct Response<'a> {
    status: u16,
    #[serde(default)]
    headers: Fields,
    #[serde(default, borrow)]
    json: Option<&'a RawValue>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    base64: Option<String>,
    #[serde(default)]
    encoded: bool,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    bytes: Option<i64>,
}

/// A list of pairs, or an object of texts or lists of texts.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("header fields as a list of pairs, or as an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(pair) = items.next_element::<(String, String)>()? {
            fields.push(pair);
        }
        Ok(Fields(fields))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, values)) = members.next_entry::<String, Values>()? {
            fields.extend(values.0.into_iter().map(|value| (name.clone(), value)));
        }
        Ok(Fields(fields))
    }
}

/// One text, or a list of them.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValuesVisitor;
        impl<'de> Visitor<'de> for ValuesVisitor {
            type Value = Values;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = items.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_any(ValuesVisitor)
    }
}

/// Reads one line.
///
/// # Errors
/// When it is not an exchange of version 1.
pub fn capture(record: &[u8], frame: &Frame) -> Result<Capture, Unusable> {
    let exchange: Exchange<'_> =
        serde_json::from_slice(record).map_err(|error| super::records::bad(&error))?;
    let Exchange { v, time, weight, request, response } = exchange;
    if v.is_some_and(|version| version != 1) {
        return Err(bad("`v` is not 1"));
    }
    if !(100..=599).contains(&response.status) {
        return Err(bad("`response.status` is not between 100 and 599"));
    }
    if weight == Some(0) {
        return Err(bad("`weight` is less than 1"));
    }
    let encoded = request.encoded || response.encoded;
    let request_body = Body {
        json: request.json,
        text: request.text,
        base64: request.base64,
        truncated: request.truncated,
        bytes: request.bytes,
    };
    let response_body = Body {
        json: response.json,
        text: response.text,
        base64: response.base64,
        truncated: response.truncated,
        bytes: response.bytes,
    };
    let mut request_fields = request.headers.0;
    let mut response_fields = response.headers.0;
    request_body.name_type(&mut request_fields);
    response_body.name_type(&mut response_fields);
    let recorded = Recorded {
        method: request.method,
        url: request.url,
        request_fields,
        request: request_body.recorded("request")?,
        status: response.status,
        response_fields,
        response: response_body.recorded("response")?,
        time_ms: time.as_deref().map_or(0, time_ms),
        duration_ms: 0.0,
        weight: weight.unwrap_or(1),
        encoded,
    };
    recorded.into_capture(frame)
}

/// A body in one of its three spellings.
struct Body<'a> {
    json: Option<&'a RawValue>,
    text: Option<String>,
    base64: Option<String>,
    truncated: bool,
    bytes: Option<i64>,
}

impl Body<'_> {
    /// A body written as JSON says what it is.
    fn name_type(&self, fields: &mut Vec<(String, String)>) {
        let named = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.json.is_some() && !named {
            fields.push(("content-type".to_owned(), "application/json".to_owned()));
        }
    }

    fn recorded(self, direction: &str) -> Result<RecordedBody, Unusable> {
        let bytes = match (self.json, self.text, self.base64) {
            (Some(json), None, None) => json.get().as_bytes().to_vec(),
            (None, Some(text), None) => text.into_bytes(),
            (None, None, Some(text)) => STANDARD
                .decode(text)
                .map_err(|_| bad(&format!("`{direction}.base64` is not base64")))?,
            (None, None, None) => return Ok(RecordedBody::of_size(self.bytes)),
            _ => return Err(bad(&format!("`{direction}` has two bodies"))),
        };
        Ok(RecordedBody::Bytes { bytes, cut: self.truncated })
    }
}

fn bad(reason: &str) -> Unusable {
    Unusable::Bad { line: 1, column: 1, reason: reason.to_owned() }
}

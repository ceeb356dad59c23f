//! HAR 1.2 (HTTP Archive): one entry of a log becomes a capture.
//!
//! Owns the pitfalls of the format: bodies are decoded although `content-encoding` is listed, sizes without texts, posted
//! parameters without text, header names of HTTP/2. Refuses to own finding the entries in a file (`records`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::recorded::{Frame, Recorded, RecordedBody, Unusable};
use crate::model::capture::Capture;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: Option<String>,
    #[serde(default)]
    time: f64,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    post_data: Option<PostData>,
    #[serde(default)]
    body_size: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: i64,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    size: Option<i64>,
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

/// Reads one entry of `log.entries`.
///
/// # Errors
/// When it is not an entry, or one without an answer.
pub fn capture(record: &[u8], frame: &Frame) -> Result<Capture, Unusable> {
    let entry: Entry =
        serde_json::from_slice(record).map_err(|error| super::records::bad(&error))?;
    let Ok(status @ 100..=599) = u16::try_from(entry.response.status) else {
        return Err(Unusable::Skipped("no answer"));
    };
    let Request { method, url, headers, post_data, body_size } = entry.request;
    let mut request_fields = pairs(headers);
    let request = post_data
        .map_or_else(|| RecordedBody::of_size(body_size), |data| posted(data, &mut request_fields));
    let mut response_fields = pairs(entry.response.headers);
    let (response, encoded) = content(entry.response.content, &mut response_fields)?;
    let recorded = Recorded {
        method,
        url,
        request_fields,
        request,
        status,
        response_fields,
        response,
        time_ms: entry.started_date_time.as_deref().map_or(0, time_ms),
        duration_ms: entry.time,
        weight: 1,
        encoded,
    };
    recorded.into_capture(frame)
}

fn pairs(pairs: Vec<Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}

/// Unix milliseconds of an RFC 3339 time; 0 for what is none.
pub(super) fn time_ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond)
}

impl RecordedBody {
    /// A body of which only the size was recorded; sizes below 1 mean that there was none or that nobody knows.
    pub(super) fn of_size(size: Option<i64>) -> Self {
        match size.map(u64::try_from) {
            Some(Ok(size @ 1..)) => Self::Unknown(size),
            _ => Self::None,
        }
    }
}

/// The posted body; its text beats its parameters, which may come alone.
fn posted(data: PostData, fields: &mut Vec<(String, String)>) -> RecordedBody {
    name_type(fields, &data.mime_type);
    let bytes = match (data.text, data.encoding.as_deref()) {
        (Some(text), Some("base64")) => STANDARD.decode(text.trim()).unwrap_or_default(),
        (Some(text), _) if !text.is_empty() || data.params.is_empty() => text.into_bytes(),
        _ if data.mime_type.starts_with("application/x-www-form-urlencoded") => {
            form(&data.params).into_bytes()
        }
        _ if data.params.is_empty() => Vec::new(),
        _ => return RecordedBody::Unknown(1),
    };
    RecordedBody::Bytes { bytes, cut: false }
}

fn form(params: &[Pair]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> = params
        .iter()
        .map(|pair| format!("{}={}", encode(&pair.name), encode(&pair.value)))
        .collect();
    pairs.join("&")
}

/// The answered body, and whether it is still content-encoded: recorders decode, except some that keep bytes in base64.
fn content(
    content: Content,
    fields: &mut Vec<(String, String)>,
) -> Result<(RecordedBody, bool), Unusable> {
    name_type(fields, &content.mime_type);
    let Some(text) = content.text else { return Ok((RecordedBody::of_size(content.size), false)) };
    if content.encoding.as_deref() != Some("base64") {
        return Ok((RecordedBody::Bytes { bytes: text.into_bytes(), cut: false }, false));
    }
    let bytes = STANDARD.decode(text.trim()).map_err(|_| Unusable::Bad {
        line: 1,
        column: 1,
        reason: "`response.content.text` is not base64".to_owned(),
    })?;
    let listed = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let textual = content.mime_type.contains("json") || content.mime_type.starts_with("text/");
    let encoded = listed && textual && std::str::from_utf8(&bytes).is_err();
    Ok((RecordedBody::Bytes { bytes, cut: false }, encoded))
}

/// Sanitised logs lack header fields; the media type is then beside the body.
fn name_type(fields: &mut Vec<(String, String)>, media: &str) {
    let named = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !named && !media.is_empty() && media != "x-unknown" {
        fields.push(("content-type".to_owned(), media.to_owned()));
    }
}

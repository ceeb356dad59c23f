//! Parameter values as they stand in a path, a query, a header or a cookie (`style` and `explode` of OpenAPI, RFC 6570).
//!
//! Owns spelling. Refuses to own which values are sent (`plan`). Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::contract::specification::{Parameter, Style};

/// RFC 3986 section 2.3: what never needs encoding.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What `allowReserved` leaves alone besides, but for the delimiters of a query.
const RESERVED_TOO: AsciiSet = UNRESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';');

/// A scalar as text; none for a list or object.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn encode(text: &str, set: &'static AsciiSet) -> String {
    utf8_percent_encode(text, set).to_string()
}

/// Name and text of each part of a value: items without name, members with theirs. None for what no style can spell.
fn parts(value: &Value) -> Option<Vec<(Option<&str>, String)>> {
    match value {
        Value::Array(items) => items.iter().map(|item| Some((None, scalar(item)?))).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| Some((Some(name.as_str()), scalar(member)?)))
            .collect(),
        other => Some(vec![(None, scalar(other)?)]),
    }
}

/// Parts with their names joined: `a,1,b,2`, or exploded `a=1,b=2`.
fn joined(
    value: &Value,
    delimiter: &str,
    explode: bool,
    encode: impl Fn(&str) -> String,
) -> Option<String> {
    let inner = if explode { "=" } else { delimiter };
    let texts = parts(value)?.into_iter().map(|(name, text)| match name {
        Some(name) => format!("{}{inner}{}", encode(name), encode(&text)),
        None => encode(&text),
    });
    Some(texts.collect::<Vec<_>>().join(delimiter))
}

/// What stands in a path template's slot, percent-encoded. None for a value that cannot stand there: empty, or a dot segment,
/// which every URL parser would resolve away.
pub(super) fn path(parameter: &Parameter, value: &Value) -> Option<String> {
    let encoded = |text: &str| encode(text, &UNRESERVED);
    let text = match parameter.style {
        Style::Label => {
            let delimiter = if parameter.explode { "." } else { "," };
            format!(".{}", joined(value, delimiter, parameter.explode, encoded)?)
        }
        Style::Matrix if parameter.explode && !matches!(value, Value::Object(_)) => {
            let items = parts(value)?.into_iter();
            let items = items.map(|(_, text)| format!(";{}={}", parameter.name, encoded(&text)));
            items.collect::<Vec<_>>().concat()
        }
        Style::Matrix if parameter.explode => format!(";{}", joined(value, ";", true, encoded)?),
        Style::Matrix => format!(";{}={}", parameter.name, joined(value, ",", false, encoded)?),
        _ => joined(value, ",", parameter.explode, encoded)?,
    };
    (!matches!(text.as_str(), "" | "." | "..")).then_some(text)
}

/// `name=value` pairs, percent-encoded, as they stand between the `&` of a query. None for a value that no style can spell.
pub(super) fn query(parameter: &Parameter, value: &Value) -> Option<Vec<String>> {
    let set = if parameter.allow_reserved { &RESERVED_TOO } else { &UNRESERVED };
    let name = encode(&parameter.name, &UNRESERVED);
    let encoded = |text: &str| encode(text, set);
    if parameter.media.is_some() {
        return Some(vec![format!("{name}={}", encoded(&value.to_string()))]);
    }
    let delimiter = match parameter.style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        Style::TabDelimited => "%09",
        _ => ",",
    };
    match (value, parameter.style) {
        (Value::Object(_), Style::DeepObject) => Some(
            parts(value)?
                .into_iter()
                .map(|(member, text)| {
                    let member = encode(member.unwrap_or_default(), &UNRESERVED);
                    format!("{name}%5B{member}%5D={}", encoded(&text))
                })
                .collect(),
        ),
        (Value::Object(_), Style::Form) if parameter.explode => Some(
            parts(value)?
                .into_iter()
                .map(|(member, text)| {
                    format!(
                        "{}={}",
                        encode(member.unwrap_or_default(), &UNRESERVED),
                        encoded(&text)
                    )
                })
                .collect(),
        ),
        (Value::Array(_), _) if parameter.explode => {
            let items = parts(value)?.into_iter();
            Some(items.map(|(_, text)| format!("{name}={}", encoded(&text))).collect())
        }
        _ => Some(vec![format!("{name}={}", joined(value, delimiter, false, encoded)?)]),
    }
}

/// The value of a header. None for what a header cannot carry.
pub(super) fn header(parameter: &Parameter, value: &Value) -> Option<String> {
    let text = joined(value, ",", parameter.explode, str::to_owned)?;
    let sendable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (sendable && text.trim() == text).then_some(text)
}

/// `name=value` of a cookie.
pub(super) fn cookie(parameter: &Parameter, value: &Value) -> Option<String> {
    let encoded = |text: &str| encode(text, &UNRESERVED);
    Some(format!("{}={}", parameter.name, joined(value, ",", false, encoded)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::specification::Place;

    fn parameter(style: Style, explode: bool) -> Parameter {
        Parameter {
            place: Place::Query,
            name: "color".to_owned(),
            required: true,
            deprecated: false,
            style,
            explode,
            allow_reserved: false,
            allow_empty_value: false,
            greedy: false,
            schema: None,
            media: None,
            examples: Vec::new(),
            default: None,
            pointer: String::new(),
        }
    }

    /// The table of styles of OpenAPI 3.1.1 section 4.8.12.
    #[test]
    fn styles_spell_as_the_specification_shows() {
        let list = json!(["blue", "black"]);
        let object = json!({"R": 100, "G": 200});
        let paths = [
            (Style::Matrix, false, &list, ";color=blue,black"),
            (Style::Matrix, true, &list, ";color=blue;color=black"),
            (Style::Matrix, false, &object, ";color=R,100,G,200"),
            (Style::Matrix, true, &object, ";R=100;G=200"),
            (Style::Label, false, &list, ".blue,black"),
            (Style::Label, true, &list, ".blue.black"),
            (Style::Label, true, &object, ".R=100.G=200"),
            (Style::Simple, false, &object, "R,100,G,200"),
            (Style::Simple, true, &object, "R=100,G=200"),
        ];
        for (style, explode, value, expected) in paths {
            assert_eq!(path(&parameter(style, explode), value).as_deref(), Some(expected));
        }
        let queries = [
            (Style::Form, false, &list, "color=blue,black"),
            (Style::Form, true, &list, "color=blue&color=black"),
            (Style::Form, false, &object, "color=R,100,G,200"),
            (Style::Form, true, &object, "R=100&G=200"),
            (Style::SpaceDelimited, false, &list, "color=blue%20black"),
            (Style::PipeDelimited, false, &list, "color=blue%7Cblack"),
            (Style::DeepObject, true, &object, "color%5BR%5D=100&color%5BG%5D=200"),
        ];
        for (style, explode, value, expected) in queries {
            let pairs = query(&parameter(style, explode), value).expect("spelled");
            assert_eq!(pairs.join("&"), expected);
        }
    }

    #[test]
    fn what_would_change_its_meaning_on_the_way_is_not_sent() {
        let simple = parameter(Style::Simple, false);
        for value in [json!(""), json!("."), json!(".."), json!(null), json!([])] {
            assert_eq!(path(&simple, &value), None, "{value}");
        }
        assert_eq!(path(&simple, &json!("a/b?c")).as_deref(), Some("a%2Fb%3Fc"));
        for value in [json!("a\r\nb"), json!("ü"), json!(" a")] {
            assert_eq!(header(&simple, &value), None, "{value}");
        }
        assert_eq!(query(&parameter(Style::Form, true), &json!([[1]])), None, "nested");
    }
}

//! Parameters and forms as values (`spec/contract.md` 3, step 2).
//!
//! Owns styles and explode for path, query and headers, `content` parameters, and urlencoded forms; texts are coerced by the
//! types of the schema. Refuses to own judging the value. What is withheld by redaction is present and nothing more.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::model::redaction::Plan;

use super::specification::{Content, Parameter, Style};
use super::wire::{Ambiguous, Wire, coerce};

/// Most pairs of a query or form that are read.
const PAIRS_MAX: usize = 4_096;

/// What a parameter was found to be.
#[derive(Debug, PartialEq)]
pub(super) enum Decoded {
    Absent,
    /// There, and withheld or void: nothing can be said of its value.
    Present,
    Value(Value),
    /// Its texts cannot be what the schema describes.
    Malformed,
    /// Two types of the schema could have produced it.
    Ambiguous,
}

/// The pairs of a query or an urlencoded form, names decoded, values as sent.
#[derive(Debug, Default)]
pub(super) struct Pairs<'t>(SmallVec<[(Cow<'t, str>, &'t str); 8]>);

impl<'t> Pairs<'t> {
    pub(super) fn parse(text: &'t str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(PAIRS_MAX);
        let read = |pair: &'t str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), value)
        };
        Self(pairs.map(read).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The values of a name, as sent.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'t str> + 's {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// How one named value travels.
#[derive(Clone, Copy)]
struct Travel<'s> {
    name: &'s str,
    style: Style,
    explode: bool,
    schema: Option<&'s Value>,
    wire: Wire<'s>,
}

impl<'s> Travel<'s> {
    fn of(parameter: &'s Parameter, wire: Wire<'s>) -> Self {
        let schema = parameter.schema.as_ref().map(|schema| wire.schemas.get(wire.side, schema));
        let Parameter { name, style, explode, .. } = parameter;
        Self { name, style: *style, explode: *explode, schema, wire }
    }

    fn may_be(&self, kind: &str) -> bool {
        self.schema.is_some_and(|schema| self.wire.types(schema).has(kind))
    }
}

/// A query parameter.
pub(super) fn query(
    parameter: &Parameter,
    pairs: &Pairs<'_>,
    wire: Wire<'_>,
    plan: &Plan,
) -> Decoded {
    let travel = Travel::of(parameter, wire);
    if plan.hides_parameter(&parameter.name) {
        return match pairs.all(&parameter.name).next() {
            Some(_) => Decoded::Present,
            None => Decoded::Absent,
        };
    }
    if parameter.media.is_some() {
        return pairs
            .all(&parameter.name)
            .next()
            .map_or(Decoded::Absent, |text| document(&plain(text)));
    }
    if parameter.allow_empty_value && pairs.all(&parameter.name).any(str::is_empty) {
        return Decoded::Present;
    }
    named(&travel, pairs)
}

/// The slot of a path.
pub(super) fn slot(parameter: &Parameter, raw: &str, wire: Wire<'_>) -> Decoded {
    let travel = Travel::of(parameter, wire);
    let (text, separator) = match parameter.style {
        Style::Label => {
            (raw.strip_prefix('.').unwrap_or(raw), if parameter.explode { '.' } else { ',' })
        }
        Style::Matrix => {
            let own = format!(";{}=", parameter.name);
            let separator = if parameter.explode { ';' } else { ',' };
            return match raw.strip_prefix(own.as_str()) {
                Some(rest) if parameter.explode => {
                    let repeated = rest.replace(&own, ";");
                    delimited(&travel, &repeated, separator)
                }
                Some(rest) => delimited(&travel, rest, separator),
                None if travel.may_be("object") => {
                    delimited(&travel, raw.trim_start_matches(';'), separator)
                }
                None => Decoded::Malformed,
            };
        }
        _ => (raw, ','),
    };
    delimited(&travel, text, separator)
}

/// A header, all of its lines joined. Header values are not percent-encoded.
pub(super) fn header(
    (name, explode): (&str, bool),
    schema: Option<&Value>,
    text: &str,
    wire: Wire<'_>,
) -> Decoded {
    let travel = Travel { name, style: Style::Simple, explode, schema, wire };
    let parts = || text.split(',').map(|part| Cow::Borrowed(part.trim()));
    if travel.may_be("array") {
        return array(&travel, parts());
    }
    if travel.may_be("object") {
        return object(&travel, &parts().collect::<Vec<_>>());
    }
    scalar(&travel, text.trim())
}

/// A value of a query or form by its style.
fn named(travel: &Travel<'_>, pairs: &Pairs<'_>) -> Decoded {
    if travel.style == Style::DeepObject {
        return deep_object(travel, pairs);
    }
    if travel.may_be("object") && travel.explode && travel.style == Style::Form {
        return exploded_object(travel, pairs);
    }
    let mut values = pairs.all(travel.name);
    let Some(first) = values.next() else { return Decoded::Absent };
    let is_repeated = values.next().is_some();
    if travel.may_be("array") && (travel.explode || is_repeated) && travel.style == Style::Form {
        return array(travel, pairs.all(travel.name).map(plain));
    }
    if is_repeated {
        // A scalar sent twice is no scalar; which of them the server takes nobody knows.
        return Decoded::Malformed;
    }
    delimited_by_style(travel, first)
}

fn delimited_by_style(travel: &Travel<'_>, text: &str) -> Decoded {
    match travel.style {
        Style::SpaceDelimited => {
            delimited(travel, &text.replace("%20", " ").replace('+', " "), ' ')
        }
        Style::PipeDelimited => {
            delimited(travel, &text.replace("%7C", "|").replace("%7c", "|"), '|')
        }
        Style::TabDelimited => delimited(travel, &text.replace("%09", "\t"), '\t'),
        // In a query a plus is a space; in a path it is itself, so paths do not come here.
        _ => delimited(travel, &text.replace('+', "%20"), ','),
    }
}

/// One text: an array or object in parts, or a scalar.
fn delimited(travel: &Travel<'_>, text: &str, separator: char) -> Decoded {
    let parts = || text.split(separator).map(percent);
    if travel.may_be("array") {
        return array(travel, parts());
    }
    if travel.may_be("object") {
        return object(travel, &parts().collect::<Vec<_>>());
    }
    scalar(travel, &percent(text))
}

fn scalar(travel: &Travel<'_>, text: &str) -> Decoded {
    let types = travel.schema.map(|schema| travel.wire.types(schema)).unwrap_or_default();
    coerce(types, text).map_or(Decoded::Ambiguous, Decoded::Value)
}

fn array<'t>(travel: &Travel<'_>, parts: impl Iterator<Item = Cow<'t, str>>) -> Decoded {
    let items = travel.schema.and_then(|schema| travel.wire.items(schema));
    let types = items.map(|items| travel.wire.types(items)).unwrap_or_default();
    let values: Result<Vec<Value>, Ambiguous> = parts.map(|part| coerce(types, &part)).collect();
    values.map_or(Decoded::Ambiguous, |values| Decoded::Value(Value::Array(values)))
}

/// `a,1,b,2`, or exploded `a=1,b=2`.
fn object(travel: &Travel<'_>, parts: &[Cow<'_, str>]) -> Decoded {
    let mut members = Map::new();
    if travel.explode {
        for part in parts {
            let Some((name, text)) = part.split_once('=') else { return Decoded::Malformed };
            let Ok(value) = member(travel, name, text) else { return Decoded::Ambiguous };
            members.insert(name.to_owned(), value);
        }
        return Decoded::Value(Value::Object(members));
    }
    if !parts.len().is_multiple_of(2) {
        return Decoded::Malformed;
    }
    for pair in parts.chunks_exact(2) {
        let Ok(value) = member(travel, &pair[0], &pair[1]) else { return Decoded::Ambiguous };
        members.insert(pair[0].clone().into_owned(), value);
    }
    Decoded::Value(Value::Object(members))
}

fn member(travel: &Travel<'_>, name: &str, text: &str) -> Result<Value, Ambiguous> {
    let schema = travel.schema.and_then(|schema| travel.wire.property(schema, name));
    coerce(schema.map(|schema| travel.wire.types(schema)).unwrap_or_default(), text)
}

/// Each property a pair of its own.
fn exploded_object(travel: &Travel<'_>, pairs: &Pairs<'_>) -> Decoded {
    let names = travel.schema.map(|schema| travel.wire.property_names(schema)).unwrap_or_default();
    let mut members = Map::new();
    for (name, text) in &pairs.0 {
        if names.contains(&&**name) {
            let Ok(value) = member(travel, name, &plain(text)) else { return Decoded::Ambiguous };
            members.insert(name.to_string(), value);
        }
    }
    if members.is_empty() { Decoded::Absent } else { Decoded::Value(Value::Object(members)) }
}

/// `name[a]=1&name[b][c]=2`, and lists as PHP and Rails spell them: `name[d][]=3`.
fn deep_object(travel: &Travel<'_>, pairs: &Pairs<'_>) -> Decoded {
    let mut root = Map::new();
    for (full, text) in &pairs.0 {
        let Some(rest) = full.strip_prefix(travel.name).filter(|rest| rest.starts_with('[')) else {
            continue;
        };
        let mut keys: Vec<&str> = rest
            .split('[')
            .skip(1)
            .map(|key| key.strip_suffix(']').unwrap_or(key))
            .take(8)
            .collect();
        let is_item = keys.len() > 1 && keys.pop_if(|key| key.is_empty()).is_some();
        let Some((last, path)) = keys.split_last() else { continue };
        let mut schema = travel.schema;
        let mut target = &mut root;
        for key in path {
            schema = schema.and_then(|schema| travel.wire.property(schema, key));
            let entry =
                target.entry((*key).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = entry else { return Decoded::Malformed };
            target = next;
        }
        let schema = schema.and_then(|schema| travel.wire.property(schema, last));
        let listed = schema.filter(|schema| travel.wire.types(schema).has("array"));
        let schema = listed.map_or(schema, |schema| travel.wire.items(schema));
        let types = schema.map(|schema| travel.wire.types(schema)).unwrap_or_default();
        let Ok(value) = coerce(types, &plain(text)) else { return Decoded::Ambiguous };
        if is_item || listed.is_some() {
            let entry =
                target.entry((*last).to_owned()).or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(items) = entry else { return Decoded::Malformed };
            items.push(value);
        } else {
            target.insert((*last).to_owned(), value);
        }
    }
    if root.is_empty() { Decoded::Absent } else { Decoded::Value(Value::Object(root)) }
}

/// The JSON document of a `content` parameter.
fn document(text: &str) -> Decoded {
    serde_json::from_str(text).map_or(Decoded::Malformed, Decoded::Value)
}

/// Whether a parameter of the query is spoken for by a documented one.
pub(super) fn is_spoken_for(parameter: &Parameter, name: &str, wire: Wire<'_>) -> bool {
    if parameter.name == name {
        return true;
    }
    let travel = Travel::of(parameter, wire);
    if parameter.style == Style::DeepObject {
        return name
            .strip_prefix(parameter.name.as_str())
            .is_some_and(|rest| rest.starts_with('['));
    }
    // `ids[]=1&ids[]=2`: an array as PHP and Rails spell it.
    if name.strip_suffix("[]") == Some(&parameter.name) {
        return true;
    }
    parameter.explode
        && travel.may_be("object")
        && travel.schema.is_some_and(|schema| travel.wire.property(schema, name).is_some())
}

/// The field that a name in a form belongs to: that before the brackets, where the field is written so.
fn field_of<'n>(content: &Content, name: &'n str) -> &'n str {
    let base = name.split_once('[').map_or(name, |(base, _)| base);
    let deep = content.encoding.get(base).is_some_and(|field| field.style == Style::DeepObject);
    if deep { base } else { name }
}

/// An urlencoded form as the object that its schema describes.
pub(super) fn form(content: &Content, pairs: &Pairs<'_>, wire: Wire<'_>) -> Decoded {
    let schema = content.schema.as_ref().map(|schema| wire.schemas.get(wire.side, schema));
    let mut names: Vec<&str> = pairs.names().map(|name| field_of(content, name)).collect();
    names.sort_unstable();
    names.dedup();
    let mut members = Map::new();
    for name in names {
        let encoding = content.encoding.get(name);
        let property = schema.and_then(|schema| wire.property(schema, name));
        let travel = Travel {
            name,
            style: encoding.map_or(Style::Form, |encoding| encoding.style),
            explode: encoding.is_none_or(|encoding| encoding.explode),
            schema: property,
            wire,
        };
        match named(&travel, pairs) {
            Decoded::Value(value) => drop(members.insert(name.to_owned(), value)),
            Decoded::Ambiguous => return Decoded::Ambiguous,
            Decoded::Absent | Decoded::Present | Decoded::Malformed => {
                let first = pairs.all(name).next().unwrap_or_default();
                members.insert(name.to_owned(), Value::String(plain(first).into_owned()));
            }
        }
    }
    Decoded::Value(Value::Object(members))
}

/// Percent-decoded, a plus being a space.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        return percent(&text.replace('+', " ")).into_owned().into();
    }
    percent(text)
}

/// Percent-decoded.
pub(super) fn percent(text: &str) -> Cow<'_, str> {
    // Most texts are spelled as they are.
    if text.contains('%') { percent_decode_str(text).decode_utf8_lossy() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::load::{LoadOptions, load};
    use crate::contract::specification::{Place, Side};
    use serde_json::json;

    /// Decodes one text by a parameter written as YAML.
    fn decoded(parameter: &str, sent: &str) -> Decoded {
        let text = format!(
            "openapi: 3.1.0\npaths: {{'/a/{{p}}': {{get: {{parameters: [{parameter}], responses: {{}}}}}}}}"
        );
        let (specification, _) = load(&text, &LoadOptions::default()).expect("loads");
        let wire = Wire { schemas: &specification.schemas, side: Side::Request };
        let parameter = &specification.operations[0].parameters[0];
        match parameter.place {
            Place::Query => query(parameter, &Pairs::parse(sent), wire, &Plan::default()),
            Place::Path => slot(parameter, sent, wire),
            _ => {
                let schema =
                    parameter.schema.as_ref().map(|schema| wire.schemas.get(wire.side, schema));
                header((&parameter.name, parameter.explode), schema, sent, wire)
            }
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn every_style_is_read() {
        let array = "schema: {type: array, items: {type: integer}}";
        let object = "schema: {type: object, properties: {a: {type: integer}, b: {type: string}}}";
        let list = json!([1, 2]);
        let record = json!({"a": 1, "b": "x"});
        for (parameter, sent, expected) in [
            ("{in: query, name: p, schema: {type: integer}}".to_owned(), "p=5", Some(json!(5))),
            (
                "{in: query, name: p, schema: {type: string}}".to_owned(),
                "p=a+b%2B",
                Some(json!("a b+")),
            ),
            ("{in: query, name: p, schema: {type: integer}}".to_owned(), "p=5&p=6", None),
            (format!("{{in: query, name: p, {array}}}"), "p=1&p=2", Some(list.clone())),
            (format!("{{in: query, name: p, {array}}}"), "p=1", Some(json!([1]))),
            (
                format!("{{in: query, name: p, explode: false, {array}}}"),
                "p=1,2",
                Some(list.clone()),
            ),
            (
                format!("{{in: query, name: p, style: spaceDelimited, {array}}}"),
                "p=1%202",
                Some(list.clone()),
            ),
            (
                format!("{{in: query, name: p, style: pipeDelimited, {array}}}"),
                "p=1|2",
                Some(list.clone()),
            ),
            (
                format!("{{in: query, name: p, style: deepObject, {object}}}"),
                "p[a]=1&p[b]=x",
                Some(record.clone()),
            ),
            (
                "{in: query, name: p, style: deepObject, schema: {type: object, properties: {a: {type: array, items: {type: integer}}}}}".to_owned(),
                "p[a][]=1&p[a][]=2",
                Some(json!({"a": [1, 2]})),
            ),
            (format!("{{in: query, name: p, {object}}}"), "a=1&b=x&c=9", Some(record.clone())),
            (
                format!("{{in: query, name: p, explode: false, {object}}}"),
                "p=a,1,b,x",
                Some(record.clone()),
            ),
            (
                "{in: query, name: p, content: {application/json: {schema: {}}}}".to_owned(),
                "p=%7B%22a%22:1%7D",
                Some(json!({"a": 1})),
            ),
            (format!("{{in: path, name: p, {array}}}"), "1,2", Some(list.clone())),
            (format!("{{in: path, name: p, style: label, {array}}}"), ".1,2", Some(list.clone())),
            (
                format!("{{in: path, name: p, style: label, explode: true, {array}}}"),
                ".1.2",
                Some(list.clone()),
            ),
            (
                format!("{{in: path, name: p, style: matrix, {array}}}"),
                ";p=1,2",
                Some(list.clone()),
            ),
            (
                format!("{{in: path, name: p, style: matrix, explode: true, {array}}}"),
                ";p=1;p=2",
                Some(list.clone()),
            ),
            (
                format!("{{in: path, name: p, style: matrix, explode: true, {object}}}"),
                ";a=1;b=x",
                Some(record.clone()),
            ),
            (
                format!("{{in: path, name: p, explode: true, {object}}}"),
                "a=1,b=x",
                Some(record.clone()),
            ),
            (
                "{in: path, name: p, schema: {type: string}}".to_owned(),
                "a+b%2F",
                Some(json!("a+b/")),
            ),
            (format!("{{in: header, name: p, {array}}}"), "1, 2", Some(list)),
            (format!("{{in: header, name: p, explode: true, {object}}}"), "a=1,b=x", Some(record)),
        ] {
            let expected = expected.map_or(Decoded::Malformed, Decoded::Value);
            assert_eq!(decoded(&parameter, sent), expected, "{parameter} {sent}");
        }
    }

    #[test]
    fn what_two_types_could_have_produced_is_ambiguous() {
        let parameter = "{in: query, name: p, schema: {type: [string, integer]}}";
        assert_eq!(decoded(parameter, "p=12"), Decoded::Ambiguous);
        assert_eq!(decoded(parameter, "p=x"), Decoded::Value(json!("x")));
    }
}

//! `multipart/form-data` bodies as the objects that their schemas describe.
//!
//! Owns what a part becomes: a file a withheld text, of which nothing but its being there is judged; JSON its value; any other
//! text what the types of its property make of it. What is not cut by its boundary, not closed, or of too many parts cannot
//! be judged. Refuses to own the cutting (`model::multipart`).

use serde_json::{Map, Value};

use super::body::{self, Read, Unread, push_step};
use super::judgement::Reason;
use super::specification::Content;
use super::wire::{Types, Wire, coerce};
use crate::model::multipart::{Part, cut};
use crate::model::redaction::Plan;

/// Reads a body, and withholds what the plan hides and all files.
pub(super) fn read(
    content: &Content,
    (bytes, boundary): (&[u8], &str),
    wire: Wire<'_>,
    plan: &Plan,
) -> Result<Read, Unread> {
    if bytes.len() > body::BODY_BYTES_MAX {
        return Err(Unread::Unvalidatable(Reason::TooLarge));
    }
    let Some((parts, true)) = cut(bytes, boundary) else {
        return Err(Unread::Unvalidatable(Reason::Undecodable));
    };
    let schema = content.schema.as_ref().map(|schema| wire.schemas.get(wire.side, schema));
    let (mut members, mut files) = (Map::new(), Vec::new());
    for part in &parts {
        if members.contains_key(part.name) {
            continue;
        }
        let property = schema.and_then(|schema| wire.property(schema, part.name));
        let types = property.map(|property| wire.types(property)).unwrap_or_default();
        let same: Vec<&Part<'_>> = parts.iter().filter(|other| other.name == part.name).collect();
        let mut place = String::new();
        push_step(&mut place, part.name);
        let value = if types.has("array") && !(same.len() == 1 && part.json) {
            let items = property.and_then(|property| wire.items(property));
            let types = items.map(|items| wire.types(items)).unwrap_or_default();
            let read = |(at, part): (usize, &&Part<'_>)| {
                value_of(part, types, (&format!("{place}/{at}"), &mut files))
            };
            Value::Array(same.iter().enumerate().map(read).collect::<Result<_, _>>()?)
        } else {
            value_of(part, types, (&place, &mut files))?
        };
        members.insert(part.name.to_owned(), value);
    }
    let mut value = Value::Object(members);
    let mut withheld = body::withhold(&mut value, plan);
    withheld.extend(files);
    Ok(Read { value, withheld })
}

/// The value of one part; the place of a file is noted.
fn value_of(
    part: &Part<'_>,
    types: Types,
    (place, files): (&str, &mut Vec<String>),
) -> Result<Value, Unread> {
    if part.file.is_some() {
        files.push(place.to_owned());
        return Ok(Value::String(String::new()));
    }
    let text = std::str::from_utf8(part.body).unwrap_or_default();
    if part.json || types.has("object") {
        match body::json(part.body, &Plan::default()) {
            Ok(read) => return Ok(read.value),
            Err(Unread::Malformed) => {}
            Err(unread) => return Err(unread),
        }
    }
    coerce(types, text).map_err(|_| Unread::Unvalidatable(Reason::Ambiguous))
}

//! A valid request was refused: which field does the server complain about?
//!
//! Owns reading error bodies for the names of documented fields and parameters. Only names that the contract knows come out;
//! the texts of the server stay where they are.

use serde_json::{Value, json};

use crate::model::finding::Direction;
use crate::model::kind::Kind;

use super::super::body;
use super::super::decode::Pairs;
use super::super::judgement::{Deviation, Judgement};
use super::super::specification::{Place, Side};
use super::flaw::{Flaw, brief};
use super::{Case, deviation, media};

/// Members of error bodies that name what was wrong.
const NAMING: &[&str] = &[
    "field",
    "fields",
    "name",
    "param",
    "parameter",
    "path",
    "pointer",
    "property",
    "loc",
    "location",
    "key",
    "errors",
    "details",
    "invalid_params",
    "invalid-params",
    "violations",
    "source",
    "instancePath",
    "target",
];

/// Nodes of an error body that are looked at.
const NODES_MAX: usize = 512;

/// What to raise when requests of this form are refused often enough.
pub(super) fn refusal(
    case: &Case<'_>,
    request: Option<&Value>,
    judgement: &Judgement,
) -> Deviation {
    let error = error_body(case);
    let flaw = error.as_ref().and_then(|error| {
        named_field(case, error, request).or_else(|| named_parameter(case, error))
    });
    let flaw = flaw.unwrap_or_else(|| {
        let expected = json!({"status": "2XX"});
        let seen = json!({"status": case.exchange.status});
        Flaw::of_message(Kind::RequestRefused, expected, seen)
    });
    deviation(judgement, Direction::Request, flaw)
}

fn error_body(case: &Case<'_>) -> Option<Value> {
    let bytes = media::bytes(&case.exchange.response).ok()??;
    body::json(bytes, &case.exchange.plan).ok().map(|read| read.value)
}

/// A flaw that names a documented parameter which was not sent.
fn named_parameter(case: &Case<'_>, error: &Value) -> Option<Flaw> {
    let parameters = &case.operation.parameters;
    let known: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let name = first_name(error, &known)?;
    let parameter = parameters.iter().find(|parameter| parameter.name == name)?;
    let is_sent = match parameter.place {
        Place::Query => Pairs::parse(case.exchange.query.as_deref().unwrap_or_default())
            .names()
            .any(|it| it == name),
        Place::Header => {
            case.exchange.request.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
        }
        _ => true,
    };
    if is_sent || parameter.required {
        return None;
    }
    let seen = json!({"absent": true, "status": case.exchange.status});
    let flaw = Flaw::of_message(Kind::ParamRequiredMissing, json!({"required": false}), seen);
    let place = match parameter.place {
        Place::Header => format!("header/{}", name.to_ascii_lowercase()),
        place => format!("{}/{name}", place.as_str()),
    };
    Some(flaw.at(place, "required"))
}

/// A flaw that names a field of the request body.
fn named_field(case: &Case<'_>, error: &Value, request: Option<&Value>) -> Option<Flaw> {
    let sent = case.exchange.request.media.as_ref()?;
    let content = media::find(&case.operation.body.as_ref()?.content, sent)?;
    let wire = case.wire(Side::Request);
    let schema = wire.schemas.get(wire.side, content.schema.as_ref()?);
    let known = wire.property_names(schema);
    let name = first_name(error, &known)?;
    let property = wire.property(schema, name)?;
    let is_sent = request?.get(name).is_some();
    let members = wire.schemas.resolve(wire.side, property).get("enum");
    let mut flaw = match (is_sent, members) {
        (false, _) => {
            let flaw = Flaw::of_message(
                Kind::FieldRequiredMissing,
                json!({"required": false}),
                json!({"absent": true, "status": case.exchange.status}),
            );
            // The contract has no `required` here that could be hashed.
            flaw.at("", "required")
        }
        (true, Some(members)) => {
            let seen = json!({"status": case.exchange.status});
            let flaw = Flaw::of_message(Kind::EnumNarrowed, brief("enum", members), seen);
            flaw.at("", "enum").written(members.clone())
        }
        (true, None) => {
            let seen = json!({"status": case.exchange.status});
            Flaw::of_message(Kind::RequestRefused, json!({"status": "2XX"}), seen)
        }
    };
    flaw.location.pointer.clear();
    body::push_step(&mut flaw.location.pointer, name);
    if flaw.kind != Kind::RequestRefused {
        flaw.location.media_type.clone_from(&content.media.text);
    }
    Some(flaw)
}

/// The first documented name that an error body points at.
fn first_name<'k>(error: &Value, known: &[&'k str]) -> Option<&'k str> {
    let mut left = NODES_MAX;
    let mut waiting = vec![(error, false)];
    while let Some((value, naming)) = waiting.pop() {
        left = left.checked_sub(1)?;
        match value {
            Value::String(text) if naming => {
                // `body.items.0.sku`, `/sku`, `$.sku`, `sku`: the last word that is a known name.
                let mut words = text.split(['.', '/', '[', ']', '$']).rev();
                if let Some(name) = words.find_map(|word| known.iter().find(|name| **name == word))
                {
                    return Some(name);
                }
            }
            Value::Array(items) => waiting.extend(items.iter().rev().map(|item| (item, naming))),
            Value::Object(members) => {
                for (name, member) in members.iter().rev() {
                    // `{"errors": {"sku": ["is required"]}}`
                    if naming && let Some(known) = known.iter().find(|known| *known == name) {
                        return Some(known);
                    }
                    waiting.push((member, NAMING.contains(&name.as_str())));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_of_many_makers_name_their_field() {
        let known = ["sku", "amount"];
        for (error, expected) in [
            (json!({"field": "sku"}), Some("sku")),
            (json!({"detail": [{"loc": ["body", "sku"], "msg": "field required"}]}), Some("sku")),
            (json!({"errors": {"amount": ["is required"]}}), Some("amount")),
            (json!({"errors": [{"source": {"pointer": "/data/sku"}}]}), Some("sku")),
            (json!({"invalid-params": [{"name": "amount", "reason": "x"}]}), Some("amount")),
            (json!({"details": [{"location": "body", "name": "sku"}]}), Some("sku")),
            (json!({"message": "sku is wrong"}), None),
            (json!({"field": "other"}), None),
        ] {
            assert_eq!(first_name(&error, &known), expected, "{error}");
        }
    }
}

//! The request: parameters, media type, body.
//!
//! Owns whether a request keeps the contract. Which of its flaws are told depends on the answer: that is `oracle`'s.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::json;

use crate::model::exchange::{CredentialPlace, Field, Message};
use crate::model::kind::Kind;
use crate::model::noise::is_noise_field;

use super::super::body::{self, Unread, Withheld};
use super::super::decode::{self, Decoded, Pairs};
use super::super::judgement::{Reason, Seen, Validity};
use super::super::multipart;
use super::super::names::{is_data, is_noise};
use super::super::proof::{HeadName, Look, Proof};
use super::super::route::Slots;
use super::super::specification::{Content, Parameter, Place, SchemaRef, SchemeKind, Side};
use super::content::Judged;
use super::flaw::{Flaw, brief};
use super::{Case, head, media};

/// What was found.
#[derive(Default)]
pub(super) struct Requested {
    pub(super) validity: Validity,
    pub(super) flaws: Vec<Flaw>,
    /// Redacted body, where it could be read as a value.
    pub(super) body: Seen,
    /// Hash of its names and types.
    pub(super) form: Option<u64>,
    /// Which of the documented contents that body is.
    pub(super) content: Option<usize>,
}

impl Requested {
    fn invalid(&mut self, flaw: Flaw) {
        self.validity = Validity::Invalid;
        self.flaws.push(flaw);
    }

    /// What cannot be judged does not weigh against what is known to be wrong.
    fn unvalidatable(&mut self, reason: Reason) {
        if self.validity == Validity::Valid {
            self.validity = Validity::Unvalidatable(reason);
        }
    }
}

pub(super) fn judge(case: &Case<'_>, slots: &Slots<'_>) -> Requested {
    let pairs = Pairs::parse(case.exchange.query.as_deref().unwrap_or_default());
    let mut requested = Requested::default();
    let has_names = case.exchange.query.is_some() || case.baseline.judges(Kind::ParamUndocumented);
    if has_names || !case.operation.parameters.is_empty() {
        let head = case.judge_head(
            HeadName { operation: case.index, response: None },
            |plan, fields| head::of_request(case, (slots, &pairs), (plan, fields)),
            || judge_parameters(case, slots, &pairs),
        );
        (requested.validity, requested.flaws) = (head.validity, head.flaws.clone());
    }
    judge_body(case, &mut requested);
    requested
}

fn judge_parameters(case: &Case<'_>, slots: &Slots<'_>, pairs: &Pairs<'_>) -> Proof {
    let mut requested = Requested::default();
    for parameter in &case.operation.parameters {
        let decoded = decode(case, parameter, slots, pairs);
        let name = public_name(parameter, slots);
        judge_parameter(case, (&name, parameter), decoded, &mut requested);
    }
    for name in undocumented_names(case, pairs) {
        let seen = json!({"type": "string"});
        let flaw = Flaw::of_message(Kind::ParamUndocumented, json!({"absent": true}), seen);
        requested.flaws.push(flaw.at(format!("query/{name}"), "parameters"));
    }
    if case.baseline.judges(Kind::ParamUndocumented) {
        tell_headers(case, &mut requested);
    }
    let Requested { flaws, validity, .. } = requested;
    Proof { flaws, validity, ..Proof::default() }
}

/// Headers that no parameter and no security scheme speaks for.
fn tell_headers(case: &Case<'_>, requested: &mut Requested) {
    let schemes = case.baseline.specification.schemes.values();
    let keys: Vec<&str> = schemes
        .filter_map(|scheme| match &scheme.kind {
            SchemeKind::ApiKey { place: Place::Header, name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let parameters = case.operation.parameters.iter();
    let known: Vec<&str> = parameters
        .filter(|parameter| parameter.place == Place::Header)
        .map(|parameter| parameter.name.as_str())
        .chain(keys)
        .collect();
    for name in names_of(&case.exchange.request) {
        let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !is_known && !is_noise_field(name) && !is_data(name) {
            let (expected, seen) = (json!({"absent": true}), json!({"type": "string"}));
            let flaw = Flaw::of_message(Kind::ParamUndocumented, expected, seen);
            requested.flaws.push(flaw.at(format!("header/{name}"), "parameters"));
        }
    }
}

/// Names of the fields of a message, whatever their order.
pub(super) fn names_of(message: &Message) -> BTreeSet<&str> {
    message.fields.iter().map(|field| &*field.name).collect()
}

/// The name of a parameter as far as it is part of the contract: of a slot that is its position.
fn public_name(parameter: &Parameter, slots: &Slots<'_>) -> String {
    match parameter.place {
        Place::Path => slots
            .iter()
            .position(|(name, _)| *name == parameter.name)
            .map_or_else(String::new, |position| position.to_string()),
        Place::Header => parameter.name.to_ascii_lowercase(),
        _ => parameter.name.clone(),
    }
}

/// A parameter as it was sent.
pub(super) fn decode(
    case: &Case<'_>,
    parameter: &Parameter,
    slots: &Slots<'_>,
    pairs: &Pairs<'_>,
) -> Decoded {
    let exchange = case.exchange;
    let wire = case.wire(Side::Request);
    match parameter.place {
        Place::Path => slots
            .iter()
            .find(|(name, _)| *name == parameter.name)
            .map_or(Decoded::Present, |(_, raw)| decode::slot(parameter, raw, wire)),
        Place::Query => decode::query(parameter, pairs, wire, &exchange.plan),
        Place::Header => {
            let schema =
                parameter.schema.as_ref().map(|schema| wire.schemas.get(wire.side, schema));
            let name = parameter.name.as_str();
            header_value(&exchange.request, name).map_or(Decoded::Absent, |text| {
                text.map_or(Decoded::Present, |text| {
                    decode::header((name, parameter.explode), schema, &text, wire)
                })
            })
        }
        // The field `cookie` is withheld as a whole: which cookies it held is not known here.
        Place::Cookie => match header_value(&exchange.request, "cookie") {
            None => Decoded::Absent,
            Some(_) => Decoded::Present,
        },
        Place::QueryString => Decoded::Present,
    }
}

/// All lines of a field joined; the inner none if a line is withheld.
pub(super) fn header_value<'m>(message: &'m Message, name: &str) -> Option<Option<Cow<'m, str>>> {
    let named = |field: &&Field| field.name.eq_ignore_ascii_case(name);
    let mut lines = message.fields.iter().filter(named).map(|field| field.value.as_str());
    let Some(mut text) = lines.next()?.map(Cow::Borrowed) else { return Some(None) };
    for line in lines {
        let Some(line) = line else { return Some(None) };
        text.to_mut().extend([", ", line]);
    }
    Some(Some(text))
}

fn judge_parameter(
    case: &Case<'_>,
    (name, parameter): (&str, &Parameter),
    decoded: Decoded,
    requested: &mut Requested,
) {
    let place = format!("{}/{name}", parameter.place.as_str());
    let value = match decoded {
        Decoded::Absent if parameter.required => {
            let expected = json!({"required": [parameter.name]});
            let flaw =
                Flaw::of_message(Kind::ParamRequiredMissing, expected, json!({"absent": true}));
            requested.invalid(flaw.at(place, "required").written(json!(true)));
            return;
        }
        Decoded::Absent | Decoded::Present => return,
        Decoded::Malformed => {
            let seen = json!({"type": "string"});
            let expected = json!({"style": format!("{:?}", parameter.style)});
            let flaw = Flaw::of_message(Kind::ParamInvalid, expected, seen);
            requested.invalid(flaw.at(place, "style"));
            return;
        }
        Decoded::Ambiguous => return requested.unvalidatable(Reason::Ambiguous),
        Decoded::Value(value) => value,
    };
    let Some(schema) = &parameter.schema else { return };
    match case.flaws(Side::Request, schema, &value, &Withheld::default()) {
        Err(reason) => requested.unvalidatable(reason),
        Ok((_, Validity::Valid | Validity::Unvalidatable(_))) => {}
        Ok((flaws, Validity::Invalid)) => {
            requested.validity = Validity::Invalid;
            // One flaw per parameter: what a client sees is a parameter that is wrong.
            if let Some(inner) = flaws.list.into_iter().next() {
                let keyword = inner.location.keyword.clone();
                let flaw = Flaw { kind: Kind::ParamInvalid, ..inner };
                requested.flaws.push(flaw.at(place, &keyword));
            }
        }
    }
}

/// Names of the query that no parameter and no security scheme speaks for.
fn undocumented_names(case: &Case<'_>, pairs: &Pairs<'_>) -> Vec<String> {
    let wire = case.wire(Side::Request);
    let parameters = &case.operation.parameters;
    if parameters.iter().any(|parameter| parameter.place == Place::QueryString) {
        return Vec::new();
    }
    let is_key = |name: &str| {
        case.baseline.specification.schemes.values().any(|scheme| {
            matches!(&scheme.kind, SchemeKind::ApiKey { place: Place::Query, name: known } if known == name)
        }) || name == "access_token"
            // A key where the contract asks for none is `security`'s to tell.
            || case.exchange.credentials.iter().any(|credential| {
                credential.place == CredentialPlace::Query && *credential.name == *name
            })
    };
    let mut names: Vec<String> = pairs
        .names()
        .filter(|name| {
            !is_noise(name)
                && !is_key(name)
                && !parameters.iter().any(|parameter| {
                    parameter.place == Place::Query && decode::is_spoken_for(parameter, name, wire)
                })
        })
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(32);
    names
}

fn judge_body(case: &Case<'_>, requested: &mut Requested) {
    let message = &case.exchange.request;
    let bytes = match media::bytes(message) {
        Err(reason) => return requested.unvalidatable(reason),
        Ok(bytes) => bytes,
    };
    match (&case.operation.body, bytes) {
        (Some(body), None) if body.required => requested.validity = Validity::Invalid,
        (_, None) => {}
        (None, Some(_)) => {
            let expected = json!({"absent": true});
            let seen = json!({"media_type": message.media.as_ref().map(crate::model::media::MediaType::essence)});
            requested.flaws.push(Flaw::of_message(Kind::BodyUndocumented, expected, seen));
        }
        (Some(body), Some(bytes)) => match &message.media {
            Some(sent) => {
                if let Some(content) = media::find(&body.content, sent) {
                    judge_content(case, content, bytes, requested);
                } else {
                    let known: Vec<&str> =
                        body.content.iter().map(|entry| entry.media.text.as_str()).collect();
                    let seen = json!({"media_type": sent.essence()});
                    let expected = brief("content", &json!(known));
                    let mut flaw = Flaw::of_message(Kind::MediaTypeUndocumented, expected, seen);
                    sent.essence().clone_into(&mut flaw.location.media_type);
                    requested.invalid(flaw.at("", "content"));
                }
            }
            None => requested.unvalidatable(Reason::Undecodable),
        },
    }
}

fn judge_content(case: &Case<'_>, content: &Content, bytes: &[u8], requested: &mut Requested) {
    let (Some(schema), Some(media)) = (&content.schema, &case.exchange.request.media) else {
        return;
    };
    let judged = if media.is_json() {
        case.judge_json(Side::Request, schema, bytes)
    } else if media.is_form() {
        judge_form(case, (content, schema), bytes)
    } else if media.essence() == "multipart/form-data" {
        let (wire, plan) = (case.wire(Side::Request), &case.exchange.plan);
        let boundary = media.parameter("boundary").unwrap_or_default();
        let read = || multipart::read(content, (bytes, boundary), wire, plan);
        case.judge_body((Side::Request, schema), (bytes, Look::Nothing), read)
    } else {
        return requested.unvalidatable(Reason::Binary);
    };
    let judged = match judged {
        Ok(judged) => judged,
        Err(Unread::Unvalidatable(reason)) => return requested.unvalidatable(reason),
        Err(Unread::Malformed) => {
            requested.validity = Validity::Invalid;
            return;
        }
    };
    match judged.proof.validity {
        Validity::Unvalidatable(reason) => requested.unvalidatable(reason),
        Validity::Invalid => requested.validity = Validity::Invalid,
        Validity::Valid => {}
    }
    requested.flaws.extend(judged.proof.flaws.iter().cloned().map(|mut flaw| {
        flaw.location.media_type.clone_from(&content.media.text);
        flaw
    }));
    requested.form = Some(judged.proof.form);
    requested.body = judged.seen;
    let documented = case.operation.body.iter().flat_map(|body| &body.content);
    requested.content = documented.into_iter().position(|known| std::ptr::eq(known, content));
}

fn judge_form(
    case: &Case<'_>,
    (content, schema): (&Content, &SchemaRef),
    bytes: &[u8],
) -> Result<Judged, Unread> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unread::Malformed)?;
    if bytes.len() > body::BODY_BYTES_MAX {
        return Err(Unread::Unvalidatable(Reason::TooLarge));
    }
    let pairs = Pairs::parse(text);
    let wire = case.wire(Side::Request);
    let plan = &case.exchange.plan;
    case.judge_form(
        schema,
        bytes,
        &|guard, root| head::of_form(content, &pairs, (wire, plan), (guard, root)),
        || match decode::form(content, &pairs, wire) {
            Decoded::Value(mut value) => {
                let withheld = body::withhold(&mut value, plan);
                Ok(body::Read { value, withheld })
            }
            _ => Err(Unread::Unvalidatable(Reason::Ambiguous)),
        },
    )
}

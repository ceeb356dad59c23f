//! What of a head decides how it is judged: one hash over its parameters or headers.
//!
//! Owns that hash for requests, answers and forms. It reads each field exactly as judging does, so that equal hashes mean equal
//! flaws; scalars count by how they stand to their schema, everything else by its whole value. Refuses to own what is known of
//! a head (`proof`).

use super::super::decode::{self, Decoded, Pairs};
use super::super::guard::Plan;
use super::super::proof::Field;
use super::super::route::Slots;
use super::super::specification::{Content, Header, Parameter, Place, Side, Style};
use super::super::wire::{Ambiguous, Wire, read};
use super::Case;
use super::request::{self, header_value};
use crate::model::exchange::{CredentialPlace, Message};
use crate::model::hash::{fold, fold_bytes};
use crate::model::kind::Kind;
use crate::model::redaction;

/// What a field may be beside a value.
const ABSENT: u64 = 1;
const PRESENT: u64 = 2;
const MALFORMED: u64 = 3;
const AMBIGUOUS: u64 = 4;
const VALUE: u64 = 5;

/// Begins the hash of a form, so that no body of another kind has the same.
const FORM: u64 = 6;

/// The hash of a request's parameters, the undocumented ones by name.
pub(super) fn of_request(
    case: &Case<'_>,
    (slots, pairs): (&Slots<'_>, &Pairs<'_>),
    (plan, fields): (&Plan, &[Field]),
) -> Option<u64> {
    let mut hash = fold(0, names(case, pairs));
    for (parameter, field) in case.operation.parameters.iter().zip(fields) {
        let answer = if field.plain {
            plain(case, (parameter, field), (slots, pairs), plan)?
        } else {
            whole(plan, field, &request::decode(case, parameter, slots, pairs))?
        };
        hash = fold(hash, answer);
    }
    Some(hash)
}

/// The hash of an answer's documented headers, the other ones by name where they are told.
pub(super) fn of_answer(
    case: &Case<'_>,
    headers: &[Header],
    (plan, fields): (&Plan, &[Field]),
) -> Option<u64> {
    let message = &case.exchange.response;
    let names = if case.baseline.judges(Kind::HeaderUndocumented) { names_of(message) } else { 0 };
    let mut hash = fold(1, names);
    for (header, field) in headers.iter().zip(fields) {
        let answer = match header_value(message, &header.name) {
            None => ABSENT,
            Some(None) => PRESENT,
            Some(Some(text)) if field.plain => scalar(plan, field, text.trim())?,
            Some(Some(text)) => {
                let wire = case.wire(Side::Response);
                let schema = header.schema.as_ref();
                let schema = schema.map(|schema| wire.schemas.get(wire.side, schema));
                let name = (header.name.as_str(), header.explode);
                whole(plan, field, &decode::header(name, schema, &text, wire))?
            }
        };
        hash = fold(hash, answer);
    }
    Some(hash)
}

/// The hash of a form of nothing but scalars, each sent once; `root` is where the plan of its schema begins.
pub(super) fn of_form(
    content: &Content,
    pairs: &Pairs<'_>,
    (wire, redaction): (Wire<'_>, &redaction::Plan),
    (plan, root): (&Plan, usize),
) -> Option<u64> {
    let schema = wire.schemas.get(wire.side, content.schema.as_ref()?);
    let (mut hash, mut count) = (FORM, 0);
    for name in pairs.names() {
        let mut texts = pairs.all(name);
        let (text, further) = (texts.next()?, texts.next());
        if further.is_some() || name.contains('[') {
            return None;
        }
        let is_plain = content.encoding.get(name).is_none_or(|it| it.style == Style::Form);
        let property = wire.property(schema, name);
        let types = property.map(|property| wire.types(property)).unwrap_or_default();
        if !is_plain || types.has("array") || types.has("object") {
            return None;
        }
        let (own, place) = plan.member(root, name)?;
        let text = decode::plain(text);
        // What is ambiguous leaves the form unread.
        let value = read(types, &text).ok()?;
        let answer = plan.scalar(place, &value, redaction.hides_body(&[name]))?;
        hash = fold(fold(hash, own), answer);
        count += 1;
    }
    plan.close(root, hash, count)
}

/// A parameter that is one scalar, or whose value nobody looks at.
fn plain(
    case: &Case<'_>,
    (parameter, field): (&Parameter, &Field),
    (slots, pairs): (&Slots<'_>, &Pairs<'_>),
    plan: &Plan,
) -> Option<u64> {
    let name = parameter.name.as_str();
    match parameter.place {
        Place::Path => {
            let slot = slots.iter().find(|(known, _)| *known == name);
            slot.map_or(Some(PRESENT), |(_, raw)| scalar(plan, field, &decode::percent(raw)))
        }
        Place::Query => {
            let mut texts = pairs.all(name);
            let Some(text) = texts.next() else { return Some(ABSENT) };
            if case.exchange.plan.hides_parameter(name) {
                return Some(PRESENT);
            }
            // A scalar sent twice is no scalar.
            let is_repeated = texts.next().is_some();
            if is_repeated { Some(MALFORMED) } else { scalar(plan, field, &decode::plain(text)) }
        }
        Place::Header => match header_value(&case.exchange.request, name) {
            None => Some(ABSENT),
            Some(None) => Some(PRESENT),
            Some(Some(text)) => scalar(plan, field, text.trim()),
        },
        Place::Cookie => {
            let is_there = header_value(&case.exchange.request, "cookie").is_some();
            Some(if is_there { PRESENT } else { ABSENT })
        }
        Place::QueryString => Some(PRESENT),
    }
}

fn scalar(plan: &Plan, field: &Field, text: &str) -> Option<u64> {
    match read(field.types, text) {
        Ok(value) => Some(fold(VALUE, plan.scalar(field.place, &value, false)?)),
        Err(Ambiguous) => Some(AMBIGUOUS),
    }
}

fn whole(plan: &Plan, field: &Field, decoded: &Decoded) -> Option<u64> {
    Some(match decoded {
        Decoded::Absent => ABSENT,
        Decoded::Present => PRESENT,
        Decoded::Malformed => MALFORMED,
        Decoded::Ambiguous => AMBIGUOUS,
        Decoded::Value(value) => fold(VALUE, plan.value(field.place, value)?),
    })
}

/// All names that could be undocumented, and those of credentials, which are never.
fn names(case: &Case<'_>, pairs: &Pairs<'_>) -> u64 {
    let parameters = &case.operation.parameters;
    let is_documented = |name: &str| {
        parameters.iter().any(|known| known.place == Place::Query && known.name == name)
    };
    let unknown = pairs.names().filter(|name| !is_documented(name));
    let credentials = case.exchange.credentials.iter();
    let keys = credentials.filter(|known| known.place == CredentialPlace::Query);
    let queried = sum(1, unknown).wrapping_add(sum(2, keys.map(|known| &*known.name)));
    if case.baseline.judges(Kind::ParamUndocumented) {
        return queried.wrapping_add(names_of(&case.exchange.request));
    }
    queried
}

fn names_of(message: &Message) -> u64 {
    sum(3, message.fields.iter().map(|field| &*field.name))
}

/// A hash of names in any order.
fn sum<'n>(seed: u64, names: impl Iterator<Item = &'n str>) -> u64 {
    names.fold(0, |sum, name| sum.wrapping_add(fold_bytes(seed, name.as_bytes())))
}

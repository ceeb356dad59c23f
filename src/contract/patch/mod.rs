//! Suggested changes of a document, as written, that make it allow what a finding saw (`spec/contract.md` 8).
//!
//! Owns which change each kind of finding asks for, least invasive first, in the spelling of the document's own dialect, and
//! RFC 6902 to carry it out. Every change is preceded by a test of what stands there, so that a document that has moved on
//! refuses it. Refuses to own promotion: whoever applies a patch loads the result as any other document.

mod apply;
mod written;

use serde_json::{Value, json};

pub use apply::{Failed, apply};

use crate::model::finding::{Direction, Finding};
use crate::model::kind::Kind;
use crate::model::problem::pointer;
use apply::Draft;
use written::{Spelling, Written};

/// Most alternatives for one finding.
const ALTERNATIVES_MAX: usize = 3;

/// One way to change a document: RFC 6902 operations in order.
pub type Patch = Vec<Value>;

/// Ways to change a document so that it allows what a finding saw, the least invasive first; none where no document could, or
/// where a `$ref` leads out of it.
#[must_use]
pub fn suggest(document: &Value, finding: &Finding) -> Vec<Patch> {
    let written = Written::new(document);
    let mut drafts = alternatives(&written, finding);
    drafts.truncate(ALTERNATIVES_MAX);
    drafts.into_iter().map(Draft::into_patch).filter(|patch| !patch.is_empty()).collect()
}

fn alternatives(written: &Written<'_>, finding: &Finding) -> Vec<Draft> {
    use Kind as K;
    let of_structure = |draft: Option<Draft>| draft.into_iter().collect();
    match finding.kind {
        K::EndpointUndocumented | K::EndpointRemovedInUse | K::MethodUndocumented => {
            of_structure(add_operation(written, finding))
        }
        K::EndpointUnimplemented | K::EndpointSilent => {
            of_structure(mark_deprecated(written, finding))
        }
        K::StatusUndocumented | K::TransportRedirected => {
            of_structure(add_status(written, finding))
        }
        K::MediaTypeUndocumented => of_structure(add_media(written, finding)),
        K::AuthUnauthenticatedSuccess => of_structure(allow_anonymous(written, finding)),
        K::ParamUndocumented | K::ParamRequiredMissing | K::ParamInvalid => {
            of_structure(change_parameter(written, finding))
        }
        K::HeaderRequiredMissing | K::HeaderInvalid | K::HeaderUndocumented => {
            of_structure(change_header(written, finding))
        }
        _ => change_field(written, finding),
    }
}

fn add_operation(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let paths = "/paths";
    let path = pointer(paths, &spelled(&finding.template));
    let status = finding.observed.get("status").map_or("200".to_owned(), Value::to_string);
    let mut operation = json!({"responses": {status: {"description": "as seen in traffic"}}});
    let slots = parameters_of(&spelled(&finding.template), written.spelling);
    if !slots.is_empty() {
        operation["parameters"] = json!(slots);
    }
    let method = finding.method.to_ascii_lowercase();
    let mut draft = Draft::default();
    if let Some(item) = written.at(&path) {
        let resolved = written.resolve(&path)?;
        draft.test(&resolved, item);
        draft.add(pointer(&resolved, &method), operation);
    } else {
        draft.test(paths, written.at(paths)?);
        draft.add(path, json!({method: operation}));
    }
    Some(draft)
}

/// A template with a name for each slot that has none.
fn spelled(template: &str) -> String {
    let mut count = 0;
    let segments = template.split('/').map(|segment| {
        if segment == "{}" {
            count += 1;
            format!("{{id{}}}", if count == 1 { String::new() } else { count.to_string() })
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

fn parameters_of(template: &str, spelling: Spelling) -> Vec<Value> {
    let slots = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    slots.map(|(name, _)| parameter("path", name, true, spelling)).collect()
}

/// A parameter of which nothing is known but that texts are sent.
fn parameter(place: &str, name: &str, required: bool, spelling: Spelling) -> Value {
    match spelling {
        Spelling::Swagger20 => {
            json!({"in": place, "name": name, "required": required, "type": "string"})
        }
        _ => json!({"in": place, "name": name, "required": required, "schema": {"type": "string"}}),
    }
}

fn mark_deprecated(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let operation = written.operation(finding)?;
    let mut draft = Draft::default();
    draft.set(written, &operation, "deprecated", json!(true));
    Some(draft)
}

fn add_status(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let operation = written.operation(finding)?;
    let status = finding.observed.get("status")?.to_string();
    let responses = written.resolve(&pointer(&operation, "responses"))?;
    let mut draft = Draft::default();
    draft.test(&responses, written.at(&responses)?);
    draft.add(pointer(&responses, &status), json!({"description": "as seen in traffic"}));
    Some(draft)
}

fn add_media(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let media = finding.observed.get("media_type")?.as_str()?;
    let mut draft = Draft::default();
    if written.spelling == Spelling::Swagger20 {
        let operation = written.operation(finding)?;
        let name = if finding.direction == Direction::Request { "consumes" } else { "produces" };
        let inherited = || written.at(&format!("/{name}")).cloned();
        let own = written.at(&pointer(&operation, name)).cloned().or_else(inherited);
        let mut list = own.unwrap_or_else(|| json!([]));
        list.as_array_mut()?.push(json!(media));
        draft.set(written, &operation, name, list);
        return Some(draft);
    }
    let content = written.content(finding)?;
    draft.test(&content, written.at(&content)?);
    draft.add(pointer(&content, media), json!({}));
    Some(draft)
}

fn allow_anonymous(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let operation = written.operation(finding)?;
    let own = written.at(&pointer(&operation, "security"));
    let mut needs = own.or_else(|| written.at("/security"))?.clone();
    needs.as_array_mut()?.push(json!({}));
    let mut draft = Draft::default();
    draft.set(written, &operation, "security", needs);
    Some(draft)
}

fn change_parameter(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let (place, name) = finding.location.pointer.split_once('/')?;
    let operation = written.operation(finding)?;
    let mut draft = Draft::default();
    if finding.kind == Kind::ParamUndocumented {
        let list = pointer(&operation, "parameters");
        let new = parameter(place, name, false, written.spelling);
        match written.at(&list) {
            Some(known) => {
                draft.test(&list, known);
                draft.add(format!("{list}/-"), new);
            }
            None => draft.set(written, &operation, "parameters", json!([new])),
        }
        return Some(draft);
    }
    let parameter = written.parameter(&operation, (place, name))?;
    if finding.kind == Kind::ParamRequiredMissing {
        let required = finding.expected.get("required") == Some(&json!(false));
        draft.set(written, &parameter, "required", json!(required));
        return Some(draft);
    }
    let schema = match written.spelling {
        Spelling::Swagger20 => parameter,
        _ => written.resolve(&pointer(&parameter, "schema"))?,
    };
    loosen(written, &mut draft, (&schema, &finding.location.keyword));
    Some(draft)
}

fn change_header(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let name = finding.location.pointer.strip_prefix("header/")?;
    let response = written.response(finding)?;
    let headers = pointer(&response, "headers");
    let mut draft = Draft::default();
    if finding.kind == Kind::HeaderUndocumented {
        let new = match written.spelling {
            Spelling::Swagger20 => json!({"type": "string"}),
            _ => json!({"schema": {"type": "string"}}),
        };
        match written.at(&headers) {
            Some(known) => {
                draft.test(&headers, known);
                draft.add(pointer(&headers, name), new);
            }
            None => draft.set(written, &response, "headers", json!({name: new})),
        }
        return Some(draft);
    }
    let known = written.at(&headers)?.as_object()?;
    let spelled = known.keys().find(|known| known.eq_ignore_ascii_case(name))?;
    let header = written.resolve(&pointer(&headers, spelled))?;
    if finding.kind == Kind::HeaderRequiredMissing {
        draft.set(written, &header, "required", json!(false));
        return Some(draft);
    }
    let schema = match written.spelling {
        Spelling::Swagger20 => header,
        _ => written.resolve(&pointer(&header, "schema"))?,
    };
    loosen(written, &mut draft, (&schema, &finding.location.keyword));
    Some(draft)
}

/// What asserts one thing no more.
fn loosen(written: &Written<'_>, draft: &mut Draft, (schema, keyword): (&str, &str)) {
    let keyword = if keyword == "style" { "type" } else { keyword };
    let place = pointer(schema, keyword);
    if let Some(value) = written.at(&place) {
        draft.remove(place, value);
    } else if let Some(format) = written.at(&pointer(schema, "format")) {
        // `int32` and `int64` are bounds that no keyword spells.
        draft.remove(pointer(schema, "format"), format);
    }
}

fn change_field(written: &Written<'_>, finding: &Finding) -> Vec<Draft> {
    use Kind as K;
    let one = |draft: Option<Draft>| draft.into_iter().collect();
    match finding.kind {
        K::FieldUndocumented => one(add_field(written, finding)),
        K::FieldRequiredMissing => one(change_required(written, finding)),
        K::FieldVanished => one(of_schema(written, finding, |draft, place| {
            draft.set(written, place, "deprecated", json!(true));
        })),
        K::NullUnexpected => one(of_schema(written, finding, |draft, place| {
            allow_null(written, draft, place);
        })),
        K::TypeChanged => one(of_schema(written, finding, |draft, place| {
            let seen = finding.observed.get("type").and_then(Value::as_str).unwrap_or("string");
            allow_type(written, draft, (place, seen));
        })),
        K::EnumWidened => {
            let open = |draft: &mut Draft, place: &str| {
                if let Some(members) = written.at(&pointer(place, "enum")) {
                    draft.remove(pointer(place, "enum"), members);
                    draft.add(pointer(place, "x-extensible-enum"), members.clone());
                }
            };
            let drop = |draft: &mut Draft, place: &str| loosen(written, draft, (place, "enum"));
            [of_schema(written, finding, open), of_schema(written, finding, drop)]
                .into_iter()
                .flatten()
                .collect()
        }
        K::BoundExceeded | K::PatternBroken | K::FormatBroken | K::ConstChanged => {
            one(of_schema(written, finding, |draft, place| {
                loosen(written, draft, (place, &finding.location.keyword));
            }))
        }
        K::ReadWriteViolated => one(of_schema(written, finding, |draft, place| {
            loosen(written, draft, (place, &finding.location.keyword));
        })),
        K::UnionNoBranch | K::UnionAmbiguous => one(of_schema(written, finding, |draft, place| {
            open_union(written, draft, place);
        })),
        _ => Vec::new(),
    }
}

/// A draft that changes the schema of the finding's own place.
fn of_schema(
    written: &Written<'_>,
    finding: &Finding,
    change: impl FnOnce(&mut Draft, &str),
) -> Option<Draft> {
    let place = written.schema(finding)?;
    let mut draft = Draft::default();
    change(&mut draft, &place);
    Some(draft)
}

fn add_field(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let (parent, name) = written.parent(finding)?;
    let kind = finding.observed.get("type").and_then(Value::as_str).unwrap_or("any");
    let schema = match (kind, written.spelling) {
        ("any", _) | ("null", Spelling::OpenApi30 | Spelling::Swagger20) => json!({}),
        ("array", Spelling::OpenApi30 | Spelling::Swagger20) => {
            json!({"type": "array", "items": {}})
        }
        (kind, _) => json!({"type": kind}),
    };
    let mut draft = Draft::default();
    if name == "{}" {
        draft.set(written, &parent, "additionalProperties", json!(true));
        return Some(draft);
    }
    let properties = pointer(&parent, "properties");
    match written.at(&properties) {
        Some(known) => {
            draft.test(&properties, known);
            draft.add(pointer(&properties, &name), schema);
        }
        None => draft.set(written, &parent, "properties", json!({name: schema})),
    }
    Some(draft)
}

/// Takes a name out of `required`, or puts it in where the server asks for it.
fn change_required(written: &Written<'_>, finding: &Finding) -> Option<Draft> {
    let (parent, name) = written.parent(finding)?;
    let asks = finding.expected.get("required") == Some(&json!(false));
    let place = written.holder(&parent, "required", &name).unwrap_or(parent);
    let list = written.at(&pointer(&place, "required"));
    let known: Vec<Value> = list.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut changed: Vec<Value> = known.into_iter().filter(|known| *known != name).collect();
    if asks {
        changed.push(json!(name));
    }
    let mut draft = Draft::default();
    match list {
        // Before draft 5 `required` may not be empty.
        Some(list) if changed.is_empty() => draft.remove(pointer(&place, "required"), list),
        _ => draft.set(written, &place, "required", json!(changed)),
    }
    Some(draft)
}

fn allow_null(written: &Written<'_>, draft: &mut Draft, place: &str) {
    match written.spelling {
        Spelling::OpenApi31 => allow_type(written, draft, (place, "null")),
        Spelling::OpenApi30 => draft.set(written, place, "nullable", json!(true)),
        Spelling::Swagger20 => draft.set(written, place, "x-nullable", json!(true)),
    }
    let members = written.at(&pointer(place, "enum")).and_then(Value::as_array);
    if let Some(members) = members.filter(|members| !members.contains(&Value::Null)) {
        let mut members = members.clone();
        members.push(Value::Null);
        draft.set(written, place, "enum", json!(members));
    }
}

fn allow_type(written: &Written<'_>, draft: &mut Draft, (place, seen): (&str, &str)) {
    let Some(known) = written.at(&pointer(place, "type")) else { return };
    if written.spelling != Spelling::OpenApi31 {
        // These dialects have no lists of types; what a union would say can be said by saying nothing.
        draft.remove(pointer(place, "type"), known);
        return;
    }
    let mut types = match known {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    types.push(json!(seen));
    draft.set(written, place, "type", json!(types));
}

/// Any branch suffices, and one more accepts what was seen.
fn open_union(written: &Written<'_>, draft: &mut Draft, place: &str) {
    if let Some(branches) = written.at(&pointer(place, "oneOf")) {
        draft.remove(pointer(place, "oneOf"), branches);
        draft.add(pointer(place, "anyOf"), branches.clone());
    } else if let Some(Value::Array(branches)) = written.at(&pointer(place, "anyOf")) {
        let mut open = branches.clone();
        open.push(json!({}));
        draft.set(written, place, "anyOf", json!(open));
    }
}

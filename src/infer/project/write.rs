//! The model to a document, in either dialect, in canonical order (`spec/inference.md` 11.4-11.7).
//!
//! Owns everything but schemas (`spell`) and examples (`examples`). Refuses to decide anything. The documents are written
//! directly rather than through typed structures, which would drop the order of members; that `openapiv3` reads and writes a
//! 3.0 document without loss is a test.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::bodies::is_form;
use super::examples::{Examples, Side};
use super::ir::{
    Model, Operation, Parameter, Place, Property, Response, Schema, Scheme, Style, Support,
};
use super::spell::{Speller, evidence};
use crate::infer::{Dialect, ProjectOptions, View};
use crate::model::observation::Method;

/// Takes all extensions of ours out of a document.
pub(super) fn strip(document: &mut Value) {
    match document {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with("x-driftgate"));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Writes the whole document.
pub(super) fn document(model: &Model, options: &ProjectOptions) -> Value {
    let spell = Speller { dialect: options.dialect, extensions: options.extensions };
    let examples = options.examples.then(|| Examples::of(&model.components));
    let writer = Writer { spell, examples };
    let mut document = Map::new();
    let version = match options.dialect {
        Dialect::OpenApi30 => "3.0.3",
        Dialect::OpenApi31 => "3.1.0",
    };
    document.insert("openapi".into(), version.into());
    document.insert("info".into(), json!({ "title": model.title, "version": "0.0.0" }));
    if !model.servers.is_empty() {
        let servers: Vec<Value> = model.servers.iter().map(|url| json!({ "url": url })).collect();
        document.insert("servers".into(), servers.into());
    }
    document.insert("paths".into(), writer.paths(model).into());
    let components = writer.components(model);
    if !components.is_empty() {
        document.insert("components".into(), components.into());
    }
    if options.extensions {
        document.insert("x-driftgate".into(), summary(model, options.view).into());
    }
    Value::Object(document)
}

/// What the document is made of.
fn summary(model: &Model, view: View) -> Map<String, Value> {
    let mut summary = Map::new();
    let view = match view {
        View::Strict => "strict",
        View::Permissive => "permissive",
    };
    summary.insert("view".into(), view.into());
    if let Some((from, to)) = model.window {
        summary.insert("window".into(), json!({ "from": time(from), "to": time(to) }));
    }
    summary.insert("exchanges".into(), model.exchanges.into());
    if !model.limits.is_empty() {
        let limits = model.limits.iter().map(|(name, count)| ((*name).to_owned(), (*count).into()));
        summary.insert("limits".into(), Value::Object(limits.collect()));
    }
    summary
}

/// Unix milliseconds as RFC 3339 spells them, to the second.
fn time(milliseconds: i64) -> Option<String> {
    Timestamp::from_second(milliseconds.div_euclid(1_000)).ok().map(|time| time.to_string())
}

fn scheme_value(scheme: &Scheme) -> Value {
    match scheme {
        Scheme::Http { scheme, bearer_format: None } => json!({ "type": "http", "scheme": scheme }),
        Scheme::Http { scheme, bearer_format: Some(format) } => {
            json!({ "type": "http", "scheme": scheme, "bearerFormat": format })
        }
        Scheme::Key { place, name } => json!({ "type": "apiKey", "in": place, "name": name }),
    }
}

struct Writer<'m> {
    spell: Speller,
    examples: Option<Examples<'m>>,
}

impl Writer<'_> {
    fn components(&self, model: &Model) -> Map<String, Value> {
        let schemas: Map<String, Value> = model
            .components
            .iter()
            .map(|(name, schema)| (name.clone(), self.spell.schema(schema)))
            .collect();
        let schemes: Map<String, Value> = model
            .schemes
            .iter()
            .map(|(name, scheme)| (name.clone(), scheme_value(scheme)))
            .collect();
        [("schemas", schemas), ("securitySchemes", schemes)]
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(name, parts)| (name.to_owned(), parts.into()))
            .collect()
    }

    fn paths(&self, model: &Model) -> Map<String, Value> {
        let mut paths: Map<String, Value> = Map::new();
        for operation in &model.operations {
            let item = paths.entry(operation.template.clone()).or_insert_with(|| json!({}));
            let method = Method::DOCUMENTED.get(usize::from(operation.method));
            if let (Some(item), Some(method)) = (item.as_object_mut(), method) {
                item.insert(method.as_str().to_ascii_lowercase(), self.operation(operation));
            }
        }
        for (template, methods) in &model.other_methods {
            let item = paths.get_mut(template).and_then(Value::as_object_mut);
            if let Some(item) = item.filter(|_| self.spell.extensions) {
                item.insert("x-driftgate-methods".into(), methods.clone().into());
            }
        }
        paths
    }

    fn operation(&self, operation: &Operation) -> Value {
        let mut value = Map::new();
        value.insert("operationId".into(), operation.id.as_str().into());
        if !operation.parameters.is_empty() {
            let parameters: Vec<Value> =
                operation.parameters.iter().map(|parameter| self.parameter(parameter)).collect();
            value.insert("parameters".into(), parameters.into());
        }
        if let Some(request) = &operation.request {
            let mut body = Map::new();
            body.insert("content".into(), self.content(&request.content, Side::Request).into());
            if request.required {
                body.insert("required".into(), true.into());
            }
            value.insert("requestBody".into(), body.into());
        }
        value.insert("responses".into(), self.responses(operation).into());
        if let Some(alternatives) = &operation.security {
            let alternatives: Vec<Value> = alternatives
                .iter()
                .map(|names| {
                    names.iter().map(|name| (name.clone(), json!([]))).collect::<Map<_, _>>()
                })
                .map(Value::Object)
                .collect();
            value.insert("security".into(), alternatives.into());
        }
        if self.spell.extensions {
            extend(operation, &mut value);
        }
        value.into()
    }

    fn responses(&self, operation: &Operation) -> Map<String, Value> {
        let known = operation
            .responses
            .iter()
            .map(|(status, response)| (status.to_string(), self.response(*status, response)));
        let mut responses: Map<String, Value> = known.collect();
        if operation.others || responses.is_empty() {
            responses.insert("default".into(), json!({ "description": "Any other answer" }));
        }
        responses
    }

    fn parameter(&self, parameter: &Parameter) -> Value {
        let mut value = Map::new();
        value.insert("name".into(), parameter.name.as_str().into());
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        };
        value.insert("in".into(), place.into());
        if parameter.required {
            value.insert("required".into(), true.into());
        }
        if parameter.may_be_empty {
            value.insert("allowEmptyValue".into(), true.into());
        }
        if parameter.place == Place::Query {
            add_style(parameter.style, &mut value);
        }
        value.insert("schema".into(), self.spell.schema(&parameter.schema));
        if let Some(example) = self.example(&parameter.schema, Side::Request) {
            value.insert("example".into(), example);
        }
        if parameter.style == Style::Greedy && self.spell.extensions {
            value.insert("x-driftgate-greedy".into(), true.into());
        }
        self.add_evidence(&mut value, parameter.support);
        value.into()
    }

    fn response(&self, status: u16, response: &Response) -> Value {
        let mut value = Map::new();
        value.insert("description".into(), reason(status).into());
        if !response.headers.is_empty() {
            let headers: Map<String, Value> = response
                .headers
                .iter()
                .map(|(name, schema)| {
                    (name.clone(), json!({ "schema": self.spell.schema(schema) }))
                })
                .collect();
            value.insert("headers".into(), headers.into());
        }
        if !response.content.is_empty() {
            value.insert("content".into(), self.content(&response.content, Side::Response).into());
        }
        self.add_evidence(&mut value, response.support);
        value.into()
    }

    fn content(&self, content: &[(String, Schema)], side: Side) -> Map<String, Value> {
        content
            .iter()
            .map(|(media, schema)| (media.clone(), self.media(media, schema, side)))
            .collect()
    }

    fn media(&self, media: &str, schema: &Schema, side: Side) -> Value {
        let mut value = Map::new();
        value.insert("schema".into(), self.spell.schema(schema));
        if let Some(example) = self.example(schema, side) {
            value.insert("example".into(), example);
        }
        if is_form(media) {
            let encodings: Map<String, Value> = schema
                .properties
                .iter()
                .filter_map(|property| Some((property.name.clone(), encoding(media, property)?)))
                .collect();
            if !encodings.is_empty() {
                value.insert("encoding".into(), encodings.into());
            }
        }
        value.into()
    }

    fn example(&self, schema: &Schema, side: Side) -> Option<Value> {
        self.examples.as_ref()?.of_schema(schema, side)
    }

    fn add_evidence(&self, value: &mut Map<String, Value>, support: Support) {
        if self.spell.extensions {
            value.insert("x-driftgate-evidence".into(), evidence(support).into());
        }
    }
}

/// What is known of an operation beside what OpenAPI can say.
fn extend(operation: &Operation, value: &mut Map<String, Value>) {
    value.insert("x-driftgate-id".into(), operation.stable_id.as_str().into());
    if let Some(protocol) = operation.protocol {
        value.insert("x-driftgate-protocol".into(), protocol.into());
    }
    if operation.unproven {
        value.insert("x-driftgate-unproven".into(), true.into());
    }
    let mut evidence = evidence(operation.support);
    evidence.insert("consumers".into(), operation.consumers.into());
    if let Some(last) = i64::try_from(operation.last_ms).ok().filter(|last| *last > 0) {
        evidence.insert("last".into(), time(last).into());
    }
    value.insert("x-driftgate-evidence".into(), evidence.into());
}

/// How the values of a query parameter are written, where that is not the default.
fn add_style(style: Style, value: &mut Map<String, Value>) {
    let (name, explode) = match style {
        Style::Usual | Style::Greedy => return,
        Style::Joined('|') => (Some("pipeDelimited"), false),
        Style::Joined(' ') => (Some("spaceDelimited"), false),
        Style::Joined(_) => (None, false),
        Style::Deep => (Some("deepObject"), true),
    };
    value.extend(name.map(|name| ("style".to_owned(), name.into())));
    value.insert("explode".into(), explode.into());
}

/// How a field of a form is written: the types of files, and objects whose members are fields with brackets.
fn encoding(media: &str, field: &Property) -> Option<Value> {
    let schema = &field.schema;
    let files = schema.items.as_deref().map_or(&schema.files, |items| &items.files);
    if !files.is_empty() {
        return Some(json!({ "contentType": files.join(", ") }));
    }
    let nested = !schema.properties.is_empty() || schema.additional.is_some();
    let urlencoded = media == "application/x-www-form-urlencoded";
    (nested && urlencoded).then(|| json!({ "style": "deepObject", "explode": true }))
}

/// The reason phrase of a status (RFC 9110), as description.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Other")
}

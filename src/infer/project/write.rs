//! The model to a document, in either dialect, in canonical order (`spec/inference.md` 11.4-11.6).
//!
//! Owns the spelling: `nullable` and `oneOf` in 3.0, type arrays in 3.1, and the extensions that say how sure each fact is.
//! Refuses to decide anything. The documents are written directly rather than through typed structures, which would drop the
//! order of members; that `openapiv3` reads and writes a 3.0 document without loss is a test.

use serde_json::{Map, Value, json};

use super::ir::{
    Choice, Kinds, Model, Operation, Parameter, Place, Property, Response, Schema, Scheme, Support,
};
use super::xml::Xml;
use crate::infer::{Dialect, ProjectOptions, View};
use crate::model::observation::Method;

/// Writes the whole document.
pub(super) fn document(model: &Model, options: &ProjectOptions) -> Value {
    let writer = Writer { dialect: options.dialect, extensions: options.extensions };
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
    document.insert("paths".into(), writer.paths(&model.operations).into());
    let components = writer.components(model);
    if !components.is_empty() {
        document.insert("components".into(), components.into());
    }
    if options.extensions {
        let view = match options.view {
            View::Strict => "strict",
            View::Permissive => "permissive",
        };
        document
            .insert("x-driftgate".into(), json!({ "view": view, "exchanges": model.exchanges }));
    }
    Value::Object(document)
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

struct Writer {
    dialect: Dialect,
    extensions: bool,
}

impl Writer {
    fn components(&self, model: &Model) -> Map<String, Value> {
        let schemas: Map<String, Value> = model
            .components
            .iter()
            .map(|(name, schema)| (name.clone(), self.schema(schema)))
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

    fn paths(&self, operations: &[Operation]) -> Map<String, Value> {
        let mut paths: Map<String, Value> = Map::new();
        for operation in operations {
            let item = paths.entry(operation.template.clone()).or_insert_with(|| json!({}));
            let method = Method::DOCUMENTED.get(usize::from(operation.method));
            if let (Some(item), Some(method)) = (item.as_object_mut(), method) {
                item.insert(method.as_str().to_ascii_lowercase(), self.operation(operation));
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
            body.insert("content".into(), self.content(&request.content).into());
            if request.required {
                body.insert("required".into(), true.into());
            }
            value.insert("requestBody".into(), body.into());
        }
        let responses: Map<String, Value> = operation
            .responses
            .iter()
            .map(|(status, response)| (status.to_string(), self.response(*status, response)))
            .collect();
        value.insert("responses".into(), responses.into());
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
        if self.extensions {
            value.insert("x-driftgate-id".into(), operation.stable_id.as_str().into());
            let mut evidence = evidence(operation.support);
            evidence.insert("consumers".into(), operation.consumers.into());
            value.insert("x-driftgate-evidence".into(), evidence.into());
        }
        value.into()
    }

    fn parameter(&self, parameter: &Parameter) -> Value {
        let mut value = Map::new();
        value.insert("name".into(), parameter.name.as_str().into());
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        };
        value.insert("in".into(), place.into());
        if parameter.required {
            value.insert("required".into(), true.into());
        }
        match parameter.joined {
            Some('|') if parameter.place == Place::Query => {
                value.insert("style".into(), "pipeDelimited".into());
                value.insert("explode".into(), false.into());
            }
            Some(_) if parameter.place == Place::Query => {
                value.insert("explode".into(), false.into());
            }
            _ => {}
        }
        value.insert("schema".into(), self.schema(&parameter.schema));
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
                .map(|(name, schema)| (name.clone(), json!({ "schema": self.schema(schema) })))
                .collect();
            value.insert("headers".into(), headers.into());
        }
        if !response.content.is_empty() {
            value.insert("content".into(), self.content(&response.content).into());
        }
        self.add_evidence(&mut value, response.support);
        value.into()
    }

    fn content(&self, content: &[(String, Schema)]) -> Map<String, Value> {
        content
            .iter()
            .map(|(media, schema)| (media.clone(), json!({ "schema": self.schema(schema) })))
            .collect()
    }

    fn add_evidence(&self, value: &mut Map<String, Value>, support: Support) {
        if self.extensions {
            value.insert("x-driftgate-evidence".into(), evidence(support).into());
        }
    }

    fn schema(&self, schema: &Schema) -> Value {
        let kinds: Vec<(Kinds, &str)> =
            Kinds::NAMES.into_iter().filter(|(kind, _)| schema.kinds.has(*kind)).collect();
        let nullable = schema.kinds.has(Kinds::NULL);
        let referring = schema.reference.is_some() || schema.choice.is_some();
        match (kinds.as_slice(), self.dialect) {
            // Only null was seen, or nothing: that tells no type.
            ([], _) => Value::Object(Map::new()),
            ([(kind, name)], Dialect::OpenApi30) => self.of_kind_3_0(schema, *kind, name).into(),
            (kinds, Dialect::OpenApi31) if !referring => self.of_kinds_3_1(schema, kinds).into(),
            (kinds, dialect) => {
                let three_one = dialect == Dialect::OpenApi31;
                let mut branches: Vec<Value> = kinds
                    .iter()
                    .map(|(kind, name)| match dialect {
                        Dialect::OpenApi30 => self.of_kind_3_0(schema, *kind, name).into(),
                        Dialect::OpenApi31 => self.of_kind(schema, *kind, name).into(),
                    })
                    .collect();
                if three_one && nullable {
                    branches.push(json!({ "type": "null" }));
                }
                if let (1, Some(only)) = (branches.len(), branches.first()) {
                    return only.clone();
                }
                // With null every branch of 3.0 would hold at once, which `oneOf` forbids.
                let word = if nullable { "anyOf" } else { "oneOf" };
                json!({ word: branches })
            }
        }
    }

    /// One kind, which may be null.
    fn of_kind_3_0(&self, schema: &Schema, kind: Kinds, name: &str) -> Map<String, Value> {
        let mut value = self.of_kind(schema, kind, name);
        if !schema.kinds.has(Kinds::NULL) {
            return value;
        }
        if let Some(reference) = value.remove("$ref") {
            // What stands beside a reference is ignored.
            value.insert("allOf".into(), json!([{ "$ref": reference }]));
        }
        value.insert("nullable".into(), true.into());
        if let Some(Value::Array(values)) = value.get_mut("enum") {
            values.push(Value::Null);
        }
        value
    }

    /// All kinds in one schema.
    fn of_kinds_3_1(&self, schema: &Schema, kinds: &[(Kinds, &str)]) -> Map<String, Value> {
        let nullable = schema.kinds.has(Kinds::NULL);
        let mut names: Vec<Value> = kinds.iter().map(|(_, name)| (*name).into()).collect();
        if nullable {
            names.push("null".into());
        }
        let mut value = Map::new();
        let single = names.len() == 1;
        value.insert("type".into(), if single { names.remove(0) } else { names.into() });
        for (kind, _) in kinds {
            self.describe(schema, *kind, &mut value);
        }
        value.extend(schema.xml.as_ref().map(|xml| ("xml".to_owned(), of_xml(xml))));
        if let (true, Some(Value::Array(values))) = (nullable, value.get_mut("enum")) {
            values.push(Value::Null);
        }
        value
    }

    fn of_kind(&self, schema: &Schema, kind: Kinds, name: &str) -> Map<String, Value> {
        let mut value = Map::new();
        if let Some(component) = schema.reference.as_ref().filter(|_| kind == Kinds::OBJECT) {
            value.insert("$ref".into(), pointer(component).into());
            return value;
        }
        if let Some(choice) = schema.choice.as_ref().filter(|_| kind == Kinds::OBJECT) {
            return choice_value(choice);
        }
        value.insert("type".into(), name.into());
        self.describe(schema, kind, &mut value);
        value.extend(schema.xml.as_ref().map(|xml| ("xml".to_owned(), of_xml(xml))));
        value
    }

    /// The schema of the items of a stream, or one for each event.
    fn stream(&self, items: &[(String, Schema)]) -> Value {
        match items {
            [(event, only)] if event.is_empty() => self.schema(only),
            items => items
                .iter()
                .map(|(event, item)| (event.clone(), self.schema(item)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// The keywords that belong to one kind.
    fn describe(&self, schema: &Schema, kind: Kinds, value: &mut Map<String, Value>) {
        if kind == Kinds::INTEGER || kind == Kinds::STRING {
            let int = kind == Kinds::INTEGER;
            if let Some(format) = schema.format.filter(|format| (*format == "int64") == int) {
                value.insert("format".into(), format.into());
            }
        }
        if kind == Kinds::BOOLEAN && !schema.values.is_empty() {
            let values = schema.values.iter().map(|value| Value::Bool(value == "true"));
            value.insert("enum".into(), values.collect());
        }
        if kind == Kinds::STRING {
            if !schema.excluded.is_empty() {
                value.insert("not".into(), json!({ "enum": schema.excluded }));
            }
            if !schema.values.is_empty() {
                value.insert("enum".into(), schema.values.clone().into());
            }
            if !schema.stream.is_empty() && self.extensions {
                value.insert("x-driftgate-item".into(), self.stream(&schema.stream));
            }
            if let Some(class) = schema.class.filter(|_| self.extensions) {
                value.insert("x-driftgate-class".into(), class.into());
            }
        }
        if kind == Kinds::ARRAY {
            let items =
                schema.items.as_deref().map_or_else(|| json!({}), |items| self.schema(items));
            value.insert("items".into(), items);
        }
        if kind == Kinds::OBJECT {
            self.members(schema, value);
        }
    }

    fn members(&self, schema: &Schema, value: &mut Map<String, Value>) {
        let required: Vec<Value> = schema
            .properties
            .iter()
            .filter(|property| property.required)
            .map(|property| property.name.as_str().into())
            .collect();
        if !required.is_empty() {
            value.insert("required".into(), required.into());
        }
        if !schema.properties.is_empty() {
            let properties: Map<String, Value> = schema
                .properties
                .iter()
                .map(|property| (property.name.clone(), self.property(property)))
                .collect();
            value.insert("properties".into(), properties.into());
        }
        if let Some(additional) = &schema.additional {
            value.insert("additionalProperties".into(), self.schema(additional));
        }
    }

    fn property(&self, property: &Property) -> Value {
        let mut value = self.schema(&property.schema);
        // Beside a reference there is no room for it.
        if let Some(members) = value.as_object_mut().filter(|value| !value.contains_key("$ref")) {
            self.add_evidence(members, property.support);
        }
        value
    }
}

fn evidence(support: Support) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("n".into(), support.n.into());
    value.insert("k".into(), support.k.into());
    value.insert("level".into(), support.level().into());
    value
}

fn pointer(component: &str) -> String {
    format!("#/components/schemas/{component}")
}

fn choice_value(choice: &Choice) -> Map<String, Value> {
    let components = choice.components.iter().map(|name| json!({ "$ref": pointer(name) }));
    let mut value = Map::from_iter([("oneOf".to_owned(), components.collect())]);
    if let Some(tag) = &choice.tag {
        let mapping: Map<String, Value> = choice
            .values
            .iter()
            .zip(&choice.components)
            .map(|(value, name)| (value.clone(), pointer(name).into()))
            .collect();
        let discriminator = json!({ "propertyName": tag, "mapping": mapping });
        value.insert("discriminator".into(), discriminator);
    }
    value
}

/// The reason phrase of a status (RFC 9110), as description.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Other")
}

fn of_xml(xml: &Xml) -> Value {
    let mut value = Map::new();
    let name = xml.name.as_ref().map(|name| ("name", name));
    let prefix = xml.prefix.as_ref().map(|prefix| ("prefix", prefix));
    for (key, text) in name.into_iter().chain(prefix) {
        value.insert(key.to_owned(), text.as_str().into());
    }
    if xml.attribute {
        value.insert("attribute".to_owned(), true.into());
    }
    value.into()
}

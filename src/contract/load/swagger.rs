//! What operations hold in Swagger 2.0, read into the words of OpenAPI 3.
//!
//! Owns parameters that are schemas themselves, bodies and forms among the parameters, `consumes` and `produces`,
//! `collectionFormat` and `securityDefinitions` (`spec/contract.md` 1).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::specification::{
    Content, Encoding, Header, Parameter, Place, RequestBody, Response, SchemaRef, SchemeKind,
    SecurityScheme, Server, Side, Style,
};
use super::documents::Node;
use super::openapi::{api_key, schema_examples};
use super::reader::{Reader, Schemes, server, texts};

/// Members of a parameter or header that say how it travels; all others are its schema.
const TRAVEL: &[&str] =
    &["name", "in", "required", "description", "collectionFormat", "allowEmptyValue"];

/// A parameter outside the body; none for `body` and `formData`.
pub(super) fn read_parameter<'d>(reader: &mut Reader<'d>, node: &Node<'d>) -> Option<Parameter> {
    let place = match node.text("in") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        Some("header") => Place::Header,
        Some("body" | "formData") => return None,
        other => {
            let message = format!("`in` is `{}`", other.unwrap_or_default());
            let remedy = "use path, query, header, body or formData";
            reader.lint(node, "spec.malformed-parameter", message, remedy);
            return None;
        }
    };
    let (style, explode) = read_format(node, place);
    let mut samples = schema_examples(node);
    samples.extend(node.value.get("x-example").cloned());
    Some(Parameter {
        place,
        name: node.text("name").unwrap_or_default().to_owned(),
        required: node.flag("required") || place == Place::Path,
        deprecated: false,
        style,
        explode,
        allow_reserved: false,
        allow_empty_value: node.flag("allowEmptyValue"),
        greedy: place == Place::Path && node.flag("x-driftgate-greedy"),
        schema: Some(own_schema(reader, node, Side::Request)),
        media: None,
        examples: samples,
        default: node.value.get("default").cloned(),
        pointer: reader.documents.shown(node.document, &node.pointer),
    })
}

/// Request body and responses of an operation.
pub(super) fn read_messages<'d>(
    reader: &mut Reader<'d>,
    operation: &Node<'d>,
) -> (Option<RequestBody>, Vec<Response>) {
    let own = operation.get("parameters").into_iter().flat_map(|list| list.items());
    let mut parameters: Vec<_> = own.map(|node| reader.documents.follow(node)).collect();
    parameters.extend(shared_parameters(reader, operation));
    let body = read_body(reader, operation, &parameters);
    let mut responses = Vec::new();
    for (text, node) in operation.get("responses").iter().flat_map(Node::members) {
        let Some(key) = reader.read_response_key(text, &node) else { continue };
        let node = reader.documents.follow(node);
        responses.push(Response {
            key,
            description: node.text("description").unwrap_or_default().to_owned(),
            headers: read_headers(reader, &node),
            content: read_response_content(reader, operation, &node),
            pointer: reader.documents.shown(node.document, &node.pointer),
        });
    }
    (body, responses)
}

/// Body and form parameters of the path item, which apply unless the operation has its own.
fn shared_parameters<'d>(reader: &Reader<'d>, operation: &Node<'d>) -> Vec<Node<'d>> {
    let item = operation.pointer.rsplit_once('/').map_or("", |(item, _)| item);
    let list = reader
        .documents
        .at(operation.document, item.to_owned())
        .and_then(|item| item.get("parameters"));
    list.into_iter()
        .flat_map(|list| list.items())
        .map(|node| reader.documents.follow(node))
        .collect()
}

fn read_body<'d>(
    reader: &mut Reader<'d>,
    operation: &Node<'d>,
    parameters: &[Node<'d>],
) -> Option<RequestBody> {
    if let Some(body) = parameters.iter().find(|node| node.text("in") == Some("body")) {
        let schema = body.get("schema").map(|schema| reader.pool.add(schema, Side::Request));
        let consumes = media_types(reader, operation, "consumes");
        let content = content_of(reader, &consumes, schema.as_ref(), body);
        return Some(RequestBody { required: body.flag("required"), content });
    }
    let mut fields: Vec<&Node<'d>> = Vec::new();
    for node in parameters.iter().filter(|node| node.text("in") == Some("formData")) {
        if !fields.iter().any(|known| known.text("name") == node.text("name")) {
            fields.push(node);
        }
    }
    (!fields.is_empty()).then(|| read_form(reader, operation, &fields))
}

/// Form fields as one object.
fn read_form<'d>(
    reader: &mut Reader<'d>,
    operation: &Node<'d>,
    fields: &[&Node<'d>],
) -> RequestBody {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut encoding = BTreeMap::new();
    for field in fields {
        let name = field.text("name").unwrap_or_default().to_owned();
        if field.flag("required") {
            required.push(name.clone());
        }
        let (style, explode) = read_format(field, Place::Query);
        encoding.insert(name.clone(), Encoding { style, explode, content_type: None });
        properties.insert(name, schema_part(field));
    }
    let has_file = fields.iter().any(|field| field.text("type") == Some("file"));
    let is_required = !required.is_empty();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let place = format!("{}/parameters", operation.pointer);
    let schema = reader.pool.add_made(schema, operation.document, &place, Side::Request);
    let mut consumes = media_types(reader, operation, "consumes");
    consumes.retain(|text| text.contains("form"));
    if consumes.is_empty() {
        let form =
            if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        consumes.push(form.to_owned());
    }
    let mut content = content_of(reader, &consumes, Some(&schema), operation);
    for entry in &mut content {
        entry.encoding.clone_from(&encoding);
    }
    RequestBody { required: is_required, content }
}

fn read_response_content<'d>(
    reader: &mut Reader<'d>,
    operation: &Node<'d>,
    response: &Node<'d>,
) -> Vec<Content> {
    let Some(schema) = response.get("schema") else { return Vec::new() };
    let schema = reader.pool.add(schema, Side::Response);
    let produces = media_types(reader, operation, "produces");
    let mut content = content_of(reader, &produces, Some(&schema), response);
    for entry in &mut content {
        let example = response.value.get("examples").and_then(|map| map.get(&entry.media.text));
        entry.examples.extend(example.cloned());
    }
    content
}

fn content_of(
    reader: &mut Reader<'_>,
    media_types: &[String],
    schema: Option<&SchemaRef>,
    node: &Node<'_>,
) -> Vec<Content> {
    let mut content = Vec::new();
    for text in media_types {
        if let Some(media) = reader.read_media(text, node) {
            content.push(Content {
                media,
                schema: schema.cloned(),
                encoding: BTreeMap::new(),
                examples: Vec::new(),
                pointer: reader.documents.shown(node.document, &node.pointer),
            });
        }
    }
    content
}

/// `consumes` or `produces` of the operation, else of the document, else everything.
fn media_types(reader: &Reader<'_>, operation: &Node<'_>, name: &str) -> Vec<String> {
    let root = reader.documents.root();
    let global = || root.as_ref().and_then(|root| root.value.get(name));
    let list = texts(operation.value.get(name).or_else(global));
    if list.is_empty() { vec!["*/*".to_owned()] } else { list }
}

fn read_headers<'d>(reader: &mut Reader<'d>, response: &Node<'d>) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, node) in response.get("headers").iter().flat_map(Node::members) {
        headers.push(Header {
            name: name.to_ascii_lowercase(),
            required: false,
            explode: false,
            schema: Some(own_schema(reader, &node, Side::Response)),
            pointer: reader.documents.shown(node.document, &node.pointer),
        });
    }
    headers
}

/// The schema that a parameter or header is itself.
fn own_schema<'d>(reader: &mut Reader<'d>, node: &Node<'d>, side: Side) -> SchemaRef {
    reader.pool.add_made(schema_part(node), node.document, &node.pointer, side)
}

fn schema_part(node: &Node<'_>) -> Value {
    let members = node.value.as_object().into_iter().flatten();
    let schema: Map<String, Value> = members
        .filter(|(name, _)| !TRAVEL.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(schema)
}

/// `collectionFormat` as style and explode.
fn read_format(node: &Node<'_>, place: Place) -> (Style, bool) {
    let plain = if place == Place::Query { Style::Form } else { Style::Simple };
    match node.text("collectionFormat") {
        Some("multi") => (Style::Form, true),
        Some("ssv") => (Style::SpaceDelimited, false),
        Some("tsv") => (Style::TabDelimited, false),
        Some("pipes") => (Style::PipeDelimited, false),
        _ => (plain, false),
    }
}

/// `securityDefinitions` as security schemes.
pub(super) fn read_schemes<'d>(reader: &mut Reader<'d>, root: &Node<'d>) -> Schemes {
    let mut schemes = Schemes::new();
    for (name, node) in root.get("securityDefinitions").iter().flat_map(Node::members) {
        let kind = match node.text("type") {
            Some("apiKey") => api_key(&node),
            Some("basic") => SchemeKind::Http("basic".to_owned()),
            Some("oauth2") => SchemeKind::OAuth2,
            other => {
                let text = other.unwrap_or_default().to_owned();
                reader.lint(
                    &node,
                    "spec.unknown-scheme",
                    format!("`{text}` is no scheme type"),
                    "",
                );
                SchemeKind::Unknown(text)
            }
        };
        let pointer = reader.documents.shown(node.document, &node.pointer);
        schemes.insert(name.to_owned(), SecurityScheme { kind, pointer });
    }
    schemes
}

/// `host`, `basePath` and `schemes` as servers.
pub(super) fn read_servers(root: &Node<'_>) -> Vec<Server> {
    let base = root.text("basePath").unwrap_or_default();
    let Some(host) = root.text("host") else {
        return if base.is_empty() { Vec::new() } else { vec![server(base.to_owned())] };
    };
    let mut schemes = texts(root.value.get("schemes"));
    if schemes.is_empty() {
        schemes.push("https".to_owned());
    }
    schemes.iter().map(|scheme| server(format!("{scheme}://{host}{base}"))).collect()
}

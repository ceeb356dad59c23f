//! What operations hold in OpenAPI 3.0, 3.1 and, leniently, 3.2.
//!
//! Owns parameters, request bodies, responses, headers and security schemes of these versions.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::specification::{
    Content, Encoding, Header, Parameter, Place, RequestBody, Response, SchemaRef, SchemeKind,
    SecurityScheme, Side, Style,
};
use super::documents::Node;
use super::reader::{Reader, Schemes, examples};

pub(super) fn read_parameter<'d>(reader: &mut Reader<'d>, node: &Node<'d>) -> Option<Parameter> {
    let place = match node.text("in") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        Some("header") => Place::Header,
        Some("cookie") => Place::Cookie,
        Some("querystring") => Place::QueryString,
        other => {
            let message =
                format!("`in` is {}", other.map_or("missing".into(), |text| format!("`{text}`")));
            let remedy = "use path, query, header or cookie";
            reader.lint(node, "spec.malformed-parameter", message, remedy);
            return None;
        }
    };
    let name = node.text("name").unwrap_or_default().to_owned();
    if name.is_empty() && place != Place::QueryString {
        reader.lint(node, "spec.malformed-parameter", "a parameter without `name`".into(), "");
        return None;
    }
    let style = node.text("style").and_then(read_style).unwrap_or(default_style(place));
    let content = node.get("content").and_then(|content| {
        let (text, entry) = content.members().next()?;
        Some((reader.read_media(text, &entry)?, entry))
    });
    let (media, holder) = content.map_or((None, node.clone()), |(media, node)| (Some(media), node));
    let schema = holder.get("schema");
    let resolved = schema.clone().map(|schema| reader.documents.follow(schema));
    let mut samples = examples(reader.documents, node);
    samples.extend(examples(reader.documents, &holder));
    samples.extend(resolved.iter().flat_map(schema_examples));
    samples.dedup();
    Some(Parameter {
        place,
        required: node.flag("required") || place == Place::Path,
        deprecated: node.flag("deprecated"),
        style,
        explode: read_explode(node, style),
        allow_reserved: node.flag("allowReserved"),
        allow_empty_value: node.flag("allowEmptyValue"),
        greedy: place == Place::Path && node.flag("x-driftgate-greedy"),
        schema: schema.map(|schema| reader.pool.add(schema, Side::Request)),
        media,
        examples: samples,
        default: resolved.and_then(|schema| schema.value.get("default").cloned()),
        pointer: reader.documents.shown(node.document, &node.pointer),
        name,
    })
}

/// Request body and responses of an operation.
pub(super) fn read_messages<'d>(
    reader: &mut Reader<'d>,
    operation: &Node<'d>,
) -> (Option<RequestBody>, Vec<Response>) {
    let body = operation.get("requestBody").map(|node| {
        let node = reader.documents.follow(node);
        RequestBody {
            required: node.flag("required"),
            content: read_content(reader, &node, Side::Request),
        }
    });
    let mut responses = Vec::new();
    for (text, node) in operation.get("responses").iter().flat_map(Node::members) {
        let Some(key) = reader.read_response_key(text, &node) else { continue };
        let node = reader.documents.follow(node);
        responses.push(Response {
            key,
            description: node.text("description").unwrap_or_default().to_owned(),
            headers: read_headers(reader, &node),
            content: read_content(reader, &node, Side::Response),
            pointer: reader.documents.shown(node.document, &node.pointer),
        });
    }
    (body, responses)
}

fn read_content<'d>(reader: &mut Reader<'d>, node: &Node<'d>, side: Side) -> Vec<Content> {
    let mut content = Vec::new();
    for (text, entry) in node.get("content").iter().flat_map(Node::members) {
        let entry = reader.documents.follow(entry);
        let Some(media) = reader.read_media(text, &entry) else { continue };
        content.push(Content {
            media,
            schema: add_schema(reader, &entry, side),
            encoding: read_encoding(&entry),
            examples: examples(reader.documents, &entry),
            pointer: reader.documents.shown(entry.document, &entry.pointer),
        });
    }
    content
}

fn read_headers<'d>(reader: &mut Reader<'d>, node: &Node<'d>) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, header) in node.get("headers").iter().flat_map(Node::members) {
        let name = name.to_ascii_lowercase();
        let header = reader.documents.follow(header);
        if name != "content-type" {
            headers.push(Header {
                name,
                required: header.flag("required"),
                explode: header.flag("explode"),
                schema: add_schema(reader, &header, Side::Response),
                pointer: reader.documents.shown(header.document, &header.pointer),
            });
        }
    }
    headers
}

fn add_schema<'d>(reader: &mut Reader<'d>, node: &Node<'d>, side: Side) -> Option<SchemaRef> {
    node.get("schema").map(|schema| reader.pool.add(schema, side))
}

fn read_encoding(node: &Node<'_>) -> BTreeMap<String, Encoding> {
    let entry = |(name, node): (&str, Node<'_>)| {
        let style = node.text("style").and_then(read_style).unwrap_or(Style::Form);
        let content_type = node.text("contentType").map(str::to_owned);
        (name.to_owned(), Encoding { style, explode: read_explode(&node, style), content_type })
    };
    node.get("encoding").iter().flat_map(Node::members).map(entry).collect()
}

/// Schemes below `components`.
pub(super) fn read_schemes<'d>(reader: &mut Reader<'d>, root: &Node<'d>) -> Schemes {
    let list = root.get("components").and_then(|components| components.get("securitySchemes"));
    let mut schemes = Schemes::new();
    for (name, node) in list.iter().flat_map(Node::members) {
        let node = reader.documents.follow(node);
        let kind = match node.text("type") {
            Some("apiKey") => api_key(&node),
            Some("http") => {
                SchemeKind::Http(node.text("scheme").unwrap_or_default().to_ascii_lowercase())
            }
            Some("oauth2") => SchemeKind::OAuth2,
            Some("openIdConnect") => SchemeKind::OpenIdConnect,
            Some("mutualTLS") => SchemeKind::MutualTls,
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

/// `apiKey` with its place, in any dialect.
pub(super) fn api_key(node: &Node<'_>) -> SchemeKind {
    let place = match node.text("in") {
        Some("query") => Place::Query,
        Some("cookie") => Place::Cookie,
        _ => Place::Header,
    };
    SchemeKind::ApiKey { place, name: node.text("name").unwrap_or_default().to_owned() }
}

/// Values that a schema itself offers.
pub(super) fn schema_examples(schema: &Node<'_>) -> Vec<Value> {
    let single = schema.value.get("example").cloned();
    let several = schema.value.get("examples").and_then(Value::as_array).cloned();
    single.into_iter().chain(several.into_iter().flatten()).collect()
}

fn read_style(text: &str) -> Option<Style> {
    Some(match text {
        "simple" => Style::Simple,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "form" | "cookie" => Style::Form,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "deepObject" => Style::DeepObject,
        _ => return None,
    })
}

fn default_style(place: Place) -> Style {
    match place {
        Place::Path | Place::Header => Style::Simple,
        Place::Query | Place::Cookie | Place::QueryString => Style::Form,
    }
}

fn read_explode(node: &Node<'_>, style: Style) -> bool {
    node.value.get("explode").and_then(Value::as_bool).unwrap_or(style == Style::Form)
}

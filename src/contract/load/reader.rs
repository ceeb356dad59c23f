//! What reading has in common over all dialects: path items, templates, security, lints.
//!
//! Owns the walk over paths and the duties of a document as a whole. What an operation holds differs per dialect: `openapi`
//! and `swagger` read that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::media::MediaType;
use crate::model::problem::{Problem, Problems, nearest};

use super::super::lower::{EVIDENCE, Pool};
use super::super::specification::{
    Dialect, MediaRange, Operation, Parameter, Place, Requirement, ResponseKey, Server,
};
use super::documents::{Documents, Node};
use super::{openapi, swagger};

const METHODS: &[&str] =
    &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// Members of a document, of all versions together.
const ROOT: &[&str] = &[
    "openapi",
    "swagger",
    "info",
    "jsonSchemaDialect",
    "$self",
    "servers",
    "host",
    "basePath",
    "schemes",
    "consumes",
    "produces",
    "paths",
    "webhooks",
    "components",
    "definitions",
    "parameters",
    "responses",
    "securityDefinitions",
    "security",
    "tags",
    "externalDocs",
];

const PATH_ITEM: &[&str] =
    &["summary", "description", "servers", "parameters", "additionalOperations", "$ref"];

/// A reading in progress.
pub(super) struct Reader<'d> {
    pub(super) documents: &'d Documents,
    pub(super) dialect: Dialect,
    pub(super) pool: Pool<'d>,
    pub(super) errors: Problems,
    pub(super) lints: Problems,
    pub(super) operations: Vec<Operation>,
    operation_ids: BTreeSet<String>,
    pub(super) operations_max: usize,
}

impl<'d> Reader<'d> {
    pub(super) fn new(
        documents: &'d Documents,
        dialect: Dialect,
        pool: Pool<'d>,
        operations_max: usize,
    ) -> Self {
        Self {
            documents,
            dialect,
            pool,
            errors: Problems::default(),
            lints: Problems::default(),
            operations: Vec::new(),
            operation_ids: BTreeSet::new(),
            operations_max,
        }
    }

    /// Members of the root that no version knows.
    pub(super) fn lint_root(&mut self, root: &Node<'d>) {
        for (name, node) in root.members().filter(|(name, _)| !ROOT.contains(name)) {
            self.lint_unknown(&node, name, ROOT.iter().copied());
        }
    }

    /// Requirements that name a scheme which is not defined.
    pub(super) fn lint_security(&mut self, schemes: &Schemes) {
        let mut unknown = BTreeSet::new();
        for operation in &self.operations {
            let needs = operation.security.iter().flat_map(|need| &need.schemes);
            for (name, _) in needs.filter(|(name, _)| !schemes.contains_key(name)) {
                unknown.insert((name.clone(), operation.pointer.clone()));
            }
        }
        for (name, pointer) in unknown {
            let message = format!("the security scheme `{name}` is not defined");
            self.lints.push(Problem::warning(pointer, "spec.unknown-scheme", message));
        }
    }

    /// Reads every operation below `paths`.
    pub(super) fn read_paths(&mut self, root: &Node<'d>) {
        let security = self.read_security(root).unwrap_or_default();
        let Some(paths) = root.get("paths") else {
            if self.dialect != Dialect::OpenApi31 {
                let problem = Problem::error("", "spec.missing-paths", "there is no `paths`");
                self.errors.push(problem.remedy("add `paths: {}` and the operations below it"));
            }
            return;
        };
        if !paths.value.is_object() {
            let problem =
                Problem::error(paths.pointer, "spec.malformed-paths", "`paths` is not an object");
            self.errors.push(problem.remedy("write one member per path, `/orders/{orderId}:`"));
            return;
        }
        for (template, item) in paths.members() {
            if template.starts_with("x-") {
                continue;
            }
            if !template.starts_with('/') {
                let message = format!("the path `{template}` does not begin with a slash");
                self.lint(&item, "spec.no-leading-slash", message, "put a `/` before it");
            }
            let item = self.documents.follow(item);
            self.read_path_item(template, &item, &security);
        }
    }

    fn read_path_item(&mut self, template: &str, item: &Node<'d>, security: &[Requirement]) {
        let shared = self.read_parameters(item);
        let servers = self.read_servers(item);
        for (name, node) in item.members() {
            if METHODS.contains(&name) {
                let method = name.to_ascii_uppercase();
                self.read_operation(&method, template, &node, (&shared, &servers, security));
            } else if name == "additionalOperations" {
                for (method, node) in node.members() {
                    self.read_operation(method, template, &node, (&shared, &servers, security));
                }
            } else if !PATH_ITEM.contains(&name) {
                self.lint_unknown(&node, name, PATH_ITEM.iter().chain(METHODS).copied());
            }
        }
    }

    fn read_operation(
        &mut self,
        method: &str,
        template: &str,
        node: &Node<'d>,
        (shared, servers, security): (&[Parameter], &[Server], &[Requirement]),
    ) {
        if self.operations.len() >= self.operations_max {
            if self.errors.is_empty() {
                let message = format!("more than {} operations", self.operations_max);
                self.errors.push(Problem::error(&*node.pointer, "spec.too-large", message));
            }
            return;
        }
        if !node.value.is_object() {
            self.lint(node, "spec.malformed-operation", "an operation is an object".into(), "");
            return;
        }
        let mut parameters = self.read_parameters(node);
        for parameter in shared {
            let same =
                |own: &&Parameter| own.place == parameter.place && own.name == parameter.name;
            if !parameters.iter().any(|own| same(&own)) {
                parameters.push(parameter.clone());
            }
        }
        self.lint_slots(template, &parameters, node);
        let (body, responses) = match self.dialect {
            Dialect::Swagger20 => swagger::read_messages(self, node),
            _ => openapi::read_messages(self, node),
        };
        if responses.is_empty() {
            let remedy = "document at least the success";
            self.lint(node, "spec.no-responses", "no response is documented".into(), remedy);
        }
        let own_servers = self.read_servers(node);
        let operation = Operation {
            method: method.into(),
            template: template.into(),
            id: self.read_operation_id(node),
            summary: node.text("summary").map(str::to_owned),
            tags: texts(node.value.get("tags")),
            deprecated: node.flag("deprecated"),
            learned_from: node.get(EVIDENCE).and_then(|evidence| evidence.value.get("n")?.as_u64()),
            pointer: self.documents.shown(node.document, &node.pointer),
            parameters,
            body,
            responses,
            security: self.read_security(node).unwrap_or_else(|| security.to_vec()),
            servers: if own_servers.is_empty() { servers.to_vec() } else { own_servers },
        };
        self.operations.push(operation);
    }

    fn read_operation_id(&mut self, node: &Node<'d>) -> Option<String> {
        let id = node.text("operationId")?.to_owned();
        if !self.operation_ids.insert(id.clone()) {
            let message = format!("the operation id `{id}` is used twice");
            self.lint(node, "spec.duplicate-operation-id", message, "give each its own");
        }
        Some(id)
    }

    fn read_parameters(&mut self, node: &Node<'d>) -> Vec<Parameter> {
        let Some(list) = node.get("parameters") else { return Vec::new() };
        let mut parameters = Vec::new();
        for item in list.items() {
            let item = self.documents.follow(item);
            let read = match self.dialect {
                Dialect::Swagger20 => swagger::read_parameter(self, &item),
                _ => openapi::read_parameter(self, &item),
            };
            // Void by the specification: these belong to content negotiation and security.
            let void = |parameter: &Parameter| {
                parameter.place == Place::Header
                    && ["accept", "content-type", "authorization"]
                        .contains(&parameter.name.to_ascii_lowercase().as_str())
            };
            parameters.extend(read.filter(|parameter| !void(parameter)));
        }
        parameters
    }

    /// `security` of an object, if it has one.
    fn read_security(&self, node: &Node<'d>) -> Option<Vec<Requirement>> {
        let list = node.value.get("security")?.as_array()?;
        let alternative = |entry: &Value| Requirement {
            schemes: entry
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, scopes)| (name.clone(), texts(Some(scopes))))
                .collect(),
        };
        Some(list.iter().map(alternative).collect())
    }

    pub(super) fn read_servers(&self, node: &Node<'d>) -> Vec<Server> {
        node.get("servers")
            .into_iter()
            .flat_map(|list| list.items())
            .filter_map(read_server)
            .collect()
    }

    /// The same slots in the template and among the path parameters.
    fn lint_slots(&mut self, template: &str, parameters: &[Parameter], node: &Node<'d>) {
        let slots = slots(template);
        for slot in &slots {
            let known = parameters
                .iter()
                .any(|parameter| parameter.place == Place::Path && parameter.name == *slot);
            if !known {
                let message = format!("the slot `{{{slot}}}` has no path parameter");
                self.lint(node, "spec.slot-without-parameter", message, "declare it, `in: path`");
            }
        }
        for parameter in parameters {
            if parameter.place == Place::Path && !slots.contains(&parameter.name.as_str()) {
                let message = format!("the path has no slot `{{{}}}`", parameter.name);
                self.lint(node, "spec.parameter-without-slot", message, "remove the parameter");
            }
        }
    }

    pub(super) fn lint(
        &mut self,
        node: &Node<'_>,
        code: &'static str,
        message: String,
        remedy: &str,
    ) {
        let place = self.documents.shown(node.document, &node.pointer);
        self.lints.push(Problem::warning(place, code, message).remedy(remedy));
    }

    /// Lints a member that no version of OpenAPI knows there.
    pub(super) fn lint_unknown<'k>(
        &mut self,
        node: &Node<'_>,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        if name.starts_with("x-") {
            return;
        }
        let remedy =
            nearest(name, known).map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        self.lint(node, "spec.unknown-field", format!("`{name}` is not known here"), &remedy);
    }

    /// A documented response key; none, with a lint, for what is no key.
    pub(super) fn read_response_key(&mut self, text: &str, node: &Node<'_>) -> Option<ResponseKey> {
        let key = match text {
            "default" => Some(ResponseKey::Default),
            exact if exact.len() == 3 && exact.parse::<u16>().is_ok_and(|status| status >= 100) => {
                exact.parse().ok().map(ResponseKey::Exact)
            }
            range => match range.as_bytes() {
                [digit @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => {
                    Some(ResponseKey::Range(digit - b'0'))
                }
                _ => None,
            },
        };
        if key.is_none() && !text.starts_with("x-") {
            let message = format!("`{text}` is no response key");
            self.lint(node, "spec.unknown-field", message, "use a status, `2XX` or `default`");
        }
        key
    }

    /// A documented media type or range; none, with a lint, for what is neither.
    pub(super) fn read_media(&mut self, text: &str, node: &Node<'_>) -> Option<MediaRange> {
        let media = MediaType::parse(text);
        if media.is_none() {
            let message = format!("`{text}` is no media type");
            self.lint(node, "spec.malformed-media-type", message, "write `type/subtype`");
        }
        media.map(|media| MediaRange { text: text.to_owned(), media })
    }
}

/// Names of the slots of a template, in order.
pub(super) fn slots(template: &str) -> Vec<&str> {
    let pieces = template.split('{').skip(1);
    pieces.filter_map(|piece| piece.split_once('}').map(|(name, _)| name)).collect()
}

/// The texts of an array of texts.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// One server with its variables filled by their defaults.
fn read_server(node: Node<'_>) -> Option<Server> {
    let mut url = node.text("url")?.to_owned();
    for (name, variable) in node.get("variables").iter().flat_map(Node::members) {
        url = url.replace(&format!("{{{name}}}"), variable.text("default").unwrap_or_default());
    }
    Some(server(url))
}

/// A server of a URL, absolute or relative.
pub(super) fn server(url: String) -> Server {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| rest.split_at(slash).1),
        None => url.as_str(),
    };
    let path = path.split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
    let base_path =
        if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Server { url, base_path }
}

/// Examples beside a schema: `example`, and `examples` as a map of objects with `value`.
pub(super) fn examples(documents: &Documents, node: &Node<'_>) -> Vec<Value> {
    let single = node.value.get("example").cloned();
    let named = node.get("examples").into_iter().flat_map(|map| map.members());
    let named =
        named.filter_map(|(_, example)| documents.follow(example).value.get("value").cloned());
    single.into_iter().chain(named).collect()
}

/// Security schemes by name.
pub(super) type Schemes = BTreeMap<String, super::super::specification::SecurityScheme>;

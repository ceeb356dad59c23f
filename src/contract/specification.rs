//! The one thin model that every dialect is read into.
//!
//! Owns operations, parameters, bodies, responses, security and servers as judging and testing need them. Schemas stay raw JSON
//! Schema 2020-12, lowered once for requests and once for responses ([`Schemas`]). Refuses to own reading (`load`) and
//! meaning (`check`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::model::media::MediaType;

/// A specification as it was understood.
#[derive(Debug, Clone)]
pub struct Specification {
    pub dialect: Dialect,
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// In the order of the document.
    pub servers: Vec<Server>,
    pub operations: Vec<Operation>,
    pub schemes: BTreeMap<String, SecurityScheme>,
    pub schemas: Schemas,
    /// The documents as read, bundled: what the revision id is the hash of.
    pub document: Arc<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Swagger20,
    OpenApi30,
    /// Also 3.2, read leniently.
    OpenApi31,
}

impl Specification {
    /// Base paths of all servers, those of operations included.
    pub(super) fn bases(&self) -> impl Iterator<Item = &str> {
        let own = self.operations.iter().flat_map(|operation| &operation.servers);
        self.servers.iter().chain(own).map(|server| server.base_path.as_str())
    }
}

/// A base URL with its variables filled by their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub url: String,
    /// Path of the URL without a trailing slash; empty for the root.
    pub base_path: String,
}

#[derive(Debug, Clone)]
pub struct Operation {
    /// Upper case.
    pub method: Arc<str>,
    /// As written, `/orders/{orderId}`.
    pub template: Arc<str>,
    pub id: Option<String>,
    pub summary: Option<String>,
    pub tags: Vec<String>,
    pub deprecated: bool,
    /// Exchanges that a learned document was made from, at this operation.
    pub learned_from: Option<u64>,
    /// JSON pointer of the operation in the document as written.
    pub pointer: String,
    /// Those of the path item and its own, overridden by place and name.
    pub parameters: Vec<Parameter>,
    pub body: Option<RequestBody>,
    pub responses: Vec<Response>,
    /// Alternatives, any of which suffices; none at all, or one that asks for nothing: public.
    pub security: Vec<Requirement>,
    /// Its own or its path item's; empty: those of the specification.
    pub servers: Vec<Server>,
}

impl Operation {
    /// Whether the contract asks for credentials, with no anonymous alternative.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        !self.security.is_empty() && self.security.iter().all(|need| !need.schemes.is_empty())
    }

    /// The template with a mark at parameters that take several segments: `/files/{path+}`.
    #[must_use]
    pub fn route(&self) -> Cow<'_, str> {
        let greedy = self.parameters.iter().filter(|parameter| parameter.greedy);
        greedy.fold(Cow::Borrowed(&*self.template), |route, parameter| {
            let name = &parameter.name;
            Cow::Owned(route.replace(&format!("{{{name}}}"), &format!("{{{name}+}}")))
        })
    }

    /// The entry that speaks for a status: exact, then its range, then `default`.
    #[must_use]
    pub fn response(&self, status: u16) -> Option<&Response> {
        let range = u8::try_from(status / 100).unwrap_or(0);
        let find = |key: ResponseKey| self.responses.iter().find(|response| response.key == key);
        find(ResponseKey::Exact(status))
            .or_else(|| find(ResponseKey::Range(range)))
            .or_else(|| find(ResponseKey::Default))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// One parameter over the whole query (3.2).
    QueryString,
}

impl Place {
    /// As `in:` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::QueryString => "querystring",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
    /// `collectionFormat: tsv` of Swagger 2.0.
    TabDelimited,
}

impl Style {
    /// As `style:` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Label => "label",
            Self::Matrix => "matrix",
            Self::Form => "form",
            Self::SpaceDelimited => "spaceDelimited",
            Self::PipeDelimited => "pipeDelimited",
            Self::DeepObject => "deepObject",
            Self::TabDelimited => "tabDelimited",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub place: Place,
    /// As written; header names compare without case.
    pub name: String,
    pub required: bool,
    pub deprecated: bool,
    pub style: Style,
    pub explode: bool,
    pub allow_reserved: bool,
    pub allow_empty_value: bool,
    /// Of a path: it takes one segment or more, as `x-driftgate-greedy` says; OpenAPI has no word for it.
    pub greedy: bool,
    pub schema: Option<SchemaRef>,
    /// Of a `content` parameter: its one media type.
    pub media: Option<MediaRange>,
    pub examples: Vec<Value>,
    pub default: Option<Value>,
    pub pointer: String,
}

#[derive(Debug, Clone)]
pub struct RequestBody {
    pub required: bool,
    pub content: Vec<Content>,
}

/// One media type of a body.
#[derive(Debug, Clone)]
pub struct Content {
    pub media: MediaRange,
    pub schema: Option<SchemaRef>,
    /// `encoding` of forms: style, explode and content type by property.
    pub encoding: BTreeMap<String, Encoding>,
    pub examples: Vec<Value>,
    pub pointer: String,
}

#[derive(Debug, Clone)]
pub struct Encoding {
    pub style: Style,
    pub explode: bool,
    pub content_type: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Response {
    pub key: ResponseKey,
    pub description: String,
    pub headers: Vec<Header>,
    pub content: Vec<Content>,
    pub pointer: String,
}

/// `200`, `2XX` or `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResponseKey {
    Exact(u16),
    /// The first digit.
    Range(u8),
    Default,
}

impl std::fmt::Display for ResponseKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(status) => write!(formatter, "{status}"),
            Self::Range(digit) => write!(formatter, "{digit}XX"),
            Self::Default => formatter.write_str("default"),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Header {
    /// Lower case.
    pub name: String,
    pub required: bool,
    pub explode: bool,
    pub schema: Option<SchemaRef>,
    pub pointer: String,
}

/// One alternative: all of its schemes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// Name of the scheme and the scopes asked for.
    pub schemes: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityScheme {
    pub kind: SchemeKind,
    pub pointer: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeKind {
    /// `name` as written.
    ApiKey {
        place: Place,
        name: String,
    },
    /// An `Authorization` scheme, lower case: `basic`, `bearer`, `digest`, ...
    Http(String),
    OAuth2,
    OpenIdConnect,
    MutualTls,
    /// A type that no version of OpenAPI knows.
    Unknown(String),
}

/// `type/subtype` as documented, either part possibly `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaRange {
    /// As written.
    pub text: String,
    pub media: MediaType,
}

/// The name of one lowered schema in [`Schemas`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemaRef {
    pub(super) key: Arc<str>,
}

impl SchemaRef {
    /// Key below `$defs` of the bundles.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Which of the two lowered forms of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    Request,
    Response,
}

/// Every schema of a specification, lowered to JSON Schema 2020-12 for both sides. In a bundle each schema sits below `$defs`
/// and every `$ref` reads `#/$defs/<key>`.
#[derive(Debug, Clone)]
pub struct Schemas {
    pub(super) request: Arc<Value>,
    pub(super) response: Arc<Value>,
    /// Key to JSON pointer in the document as written.
    pub(super) pointers: BTreeMap<Arc<str>, String>,
}

impl Schemas {
    /// The whole bundle of a side, `{"$defs": {...}}`.
    #[must_use]
    pub fn bundle(&self, side: Side) -> &Arc<Value> {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    /// One lowered schema; `true` for a name from another specification.
    #[must_use]
    pub fn get(&self, side: Side, schema: &SchemaRef) -> &Value {
        self.by_key(side, &schema.key).unwrap_or(&Value::Bool(true))
    }

    /// Follows `$ref` until something else stands there; at most 64 steps.
    #[must_use]
    pub fn resolve<'a>(&'a self, side: Side, schema: &'a Value) -> &'a Value {
        let mut current = schema;
        for _ in 0..64 {
            let target = current
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix("#/$defs/"))
                .and_then(|key| self.by_key(side, key));
            match target {
                Some(target) => current = target,
                None => break,
            }
        }
        current
    }

    /// JSON pointer of a schema in the document as written.
    #[must_use]
    pub fn pointer(&self, schema: &SchemaRef) -> &str {
        self.pointers.get(&schema.key).map_or("", String::as_str)
    }

    fn by_key(&self, side: Side, key: &str) -> Option<&Value> {
        self.bundle(side).get("$defs")?.get(key)
    }
}

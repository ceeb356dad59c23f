//! One row of the table of routes: path, access, input, output and work, all taken from the types of the handler, so that
//! router and `OpenAPI` document cannot disagree.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::dto::Nothing;
use super::super::problem::Refusal;
use super::call::Call;
use super::fields::Fields;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody, on both listeners, even when all request slots are taken.
    Probe,
    /// Everybody.
    Open,
    /// As `admin.metrics` says, on both listeners.
    Metrics,
    /// Intake and admin tokens.
    Intake,
    /// Viewer and admin tokens.
    Viewer,
    /// Admin tokens.
    Admin,
}

pub(super) type Reply = Result<Response<Body>, Refusal>;
type Work = Arc<dyn Fn(Call, Body) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// A row of the table.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    /// With `{parameter}`s.
    pub(super) path: &'static str,
    /// operationId and label of metrics.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    /// Schema of the query parameters as an object.
    pub(super) query: Option<Describe>,
    pub(super) body: Option<Describe>,
    /// Media types of the body.
    pub(super) takes: &'static [&'static str],
    pub(super) output: Output,
    /// Codes that this route refuses with besides those of every route.
    pub(super) codes: &'static [&'static str],
    pub(super) work: Work,
}

/// What a route answers when it does not refuse.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) status: u16,
    pub(super) media: &'static [&'static str],
    /// None: not JSON.
    pub(super) schema: Option<Describe>,
}

/// What a handler may return.
pub(super) trait Answer {
    fn output() -> Output;
    fn respond(self) -> Reply;
}

/// 200 with JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize + JsonSchema> Answer for Json<T> {
    fn output() -> Output {
        let schema: Describe = |generator| generator.subschema_for::<T>();
        Output { status: 200, media: &["application/json"], schema: Some(schema) }
    }

    fn respond(self) -> Reply {
        let text = serde_json::to_vec(&self.0).map_err(Refusal::internal)?;
        Ok(response(StatusCode::OK, "application/json", text))
    }
}

/// JSON whose shape is another's: the tree of the configuration, a schema.
pub(super) struct AnyJson(pub(super) Value);

impl Answer for AnyJson {
    fn output() -> Output {
        Output { status: 200, media: &["application/json"], schema: Some(Value::json_schema) }
    }

    fn respond(self) -> Reply {
        Ok(response(StatusCode::OK, "application/json", self.0.to_string()))
    }
}

/// A body with its media type.
pub(super) fn response(
    status: StatusCode,
    media: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

impl Route {
    /// A GET whose query parameters are the members of `Q`.
    pub(super) fn get<Q, A, W, F>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        work: W,
    ) -> Self
    where
        Q: DeserializeOwned + JsonSchema + Send,
        A: Answer,
        W: Fn(Call, Q) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<A, Refusal>> + Send,
    {
        let fields = Arc::new(Fields::of::<Q>());
        let run: Work = Arc::new(move |call: Call, _body| {
            let fields = Arc::clone(&fields);
            Box::pin(async move {
                let query = fields.read_query(&call.query)?;
                work(call, query).await?.respond()
            })
        });
        let mut route = Self::new(Method::GET, path, (id, summary), A::output(), run);
        route.query = Some(SchemaGenerator::subschema_for::<Q>);
        route
    }

    /// A POST whose body is a `B`; it takes no query parameters and an admin token.
    pub(super) fn post<B, A, W, F>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        work: W,
    ) -> Self
    where
        B: DeserializeOwned + JsonSchema + Send,
        A: Answer,
        W: Fn(Call, B) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<A, Refusal>> + Send,
    {
        let (fields, none) = (Arc::new(Fields::of::<B>()), Arc::new(Fields::of::<Nothing>()));
        let run: Work = Arc::new(move |call: Call, body| {
            let (fields, none) = (Arc::clone(&fields), Arc::clone(&none));
            Box::pin(async move {
                none.read_query::<Nothing>(&call.query)?;
                let order = call.order(body, &fields).await?;
                work(call, order).await?.respond()
            })
        });
        let mut route = Self::new(Method::POST, path, (id, summary), A::output(), run);
        route.access = Access::Admin;
        route.body = Some(SchemaGenerator::subschema_for::<B>);
        route
    }

    /// A POST whose body the handler reads itself; it takes no query parameters.
    pub(super) fn raw<A, W, F>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        work: W,
    ) -> Self
    where
        A: Answer,
        W: Fn(Call, Body) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<A, Refusal>> + Send,
    {
        let none = Arc::new(Fields::of::<Nothing>());
        let run: Work = Arc::new(move |call: Call, body| {
            let none = Arc::clone(&none);
            Box::pin(async move {
                none.read_query::<Nothing>(&call.query)?;
                work(call, body).await?.respond()
            })
        });
        let mut route = Self::new(Method::POST, path, (id, summary), A::output(), run);
        route.body = Some(Value::json_schema);
        route
    }

    pub(super) fn takes(mut self, media: &'static [&'static str]) -> Self {
        self.takes = media;
        self
    }

    fn new(
        method: Method,
        path: &'static str,
        (id, summary): (&'static str, &'static str),
        output: Output,
        work: Work,
    ) -> Self {
        let access = Access::Viewer;
        Self {
            method,
            path,
            id,
            summary,
            access,
            query: None,
            body: None,
            takes: &["application/json"],
            output,
            codes: &[],
            work,
        }
    }

    /// The same with another method than POST.
    pub(super) fn by(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(super) fn codes(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    /// Whether the health listener serves it too.
    pub(super) fn is_for_health(&self) -> bool {
        matches!(self.access, Access::Probe | Access::Metrics)
    }
}

//! Answers that say no: problem details of RFC 9457, one form for every route.
//!
//! Owns [`Refusal`], which handlers and the traits of `source` return, and its JSON. What went wrong inside stays in the log,
//! joined by the trace id: a client never sees a path, SQL or an address of the host.

use std::error::Error as StdError;
use std::fmt;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::code;
use crate::model::problem::{Problem, Problems};

/// Why a call was not done. Built by the kind of refusal, so that callers need not know of status codes.
#[derive(Debug)]
pub struct Refusal(Box<Content>);

/// Boxed, since a refusal is rare and every handler can return one.
#[derive(Debug)]
struct Content {
    status: StatusCode,
    code: &'static str,
    detail: String,
    faults: Vec<Fault>,
    allowed: Vec<String>,
    retry_after_s: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// One thing wrong with the call, with its place.
#[derive(Debug, Clone)]
struct Fault {
    /// `pointer`, `parameter` or `header`.
    place: (&'static str, String),
    code: String,
    message: String,
    remedy: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            status,
            code,
            detail: detail.into(),
            faults: Vec::new(),
            allowed: Vec::new(),
            retry_after_s: None,
            source: None,
        }))
    }

    /// 400: the call cannot be read.
    #[must_use]
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 403: this caller may not.
    #[must_use]
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: no such thing.
    #[must_use]
    pub fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 406: it cannot be shown that way.
    #[must_use]
    pub fn not_acceptable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, code, detail)
    }

    /// 409: not in the state that things are in; name what is allowed with [`Refusal::allowed`].
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 410: it was there, retention took it.
    #[must_use]
    pub fn gone(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, code, detail)
    }

    /// 422: it can be read and is wrong.
    #[must_use]
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 507: no room for what was sent.
    #[must_use]
    pub fn full(code: &'static str) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, code, "there is no room to store this")
    }

    /// Adds all problems, each with its place.
    #[must_use]
    pub fn with(mut self, problems: &Problems) -> Self {
        self.0.faults.extend(problems.0.iter().map(Fault::of));
        self
    }

    /// 422 with all problems at once.
    #[must_use]
    pub fn invalid(code: &'static str, detail: impl Into<String>, problems: &Problems) -> Self {
        Self::unprocessable(code, detail).with(problems)
    }

    /// 503: not now.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(1)
    }

    /// 500: a part failed. The client learns that something did; the log gets the error.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let detail = "the answer could not be made; the log has the reason under this trace id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "api.internal", detail).because(source)
    }

    /// Keeps the inner error for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What may be done instead.
    #[must_use]
    pub fn allowed<T: Into<String>>(mut self, allowed: impl IntoIterator<Item = T>) -> Self {
        self.0.allowed = allowed.into_iter().map(Into::into).collect();
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds a fault at a query parameter.
    pub(super) fn at_parameter(self, name: &str, message: String, remedy: String) -> Self {
        self.at(("parameter", name.to_owned()), message, remedy)
    }

    /// Adds a fault at a place in the body.
    pub(super) fn at_pointer(self, pointer: String, message: String, remedy: String) -> Self {
        self.at(("pointer", pointer), message, remedy)
    }

    fn at(mut self, place: (&'static str, String), message: String, remedy: String) -> Self {
        self.0.faults.push(Fault { place, code: self.0.code.to_owned(), message, remedy });
        self
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    pub(super) fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }

    /// The answer. `trace_id` is 32 hexadecimal digits.
    pub(super) fn respond(&self, trace_id: &str) -> Response<Body> {
        let mut response = Response::new(Body::from(self.document(trace_id).to_string()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"driftgate\""));
        }
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.0.status == StatusCode::METHOD_NOT_ALLOWED
            && let Ok(methods) = HeaderValue::from_str(&self.0.allowed.join(", "))
        {
            headers.insert(ALLOW, methods);
        }
        response
    }

    fn document(&self, trace_id: &str) -> Value {
        let title = code::find(self.0.code)
            .map_or_else(|| self.0.code.replace(['.', '-'], " "), |code| code.title.to_owned());
        let mut document = json!({
            "type": format!("/v1/problems/{}", self.0.code),
            "title": title,
            "status": self.0.status.as_u16(),
            "detail": self.0.detail,
            "code": self.0.code,
            "trace_id": trace_id,
        });
        if !self.0.faults.is_empty() {
            document["problems"] = self.0.faults.iter().map(Fault::document).collect();
        }
        if !self.0.allowed.is_empty() {
            document["allowed"] = json!(self.0.allowed);
        }
        if let Some(seconds) = self.0.retry_after_s {
            document["retry_after"] = json!(seconds);
        }
        document
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.code, self.0.detail)
    }
}

impl Fault {
    fn of(problem: &Problem) -> Self {
        let position = problem.position.map_or_else(String::new, |place| {
            format!("line {}, column {}: ", place.line, place.column)
        });
        Self {
            place: ("pointer", problem.pointer.clone()),
            code: problem.code.to_owned(),
            message: position + &problem.message,
            remedy: problem.remedy.clone(),
        }
    }

    fn document(&self) -> Value {
        let mut members = Map::new();
        members.insert(self.place.0.to_owned(), Value::from(self.place.1.as_str()));
        members.insert("code".to_owned(), Value::from(self.code.as_str()));
        members.insert("message".to_owned(), Value::from(self.message.as_str()));
        if !self.remedy.is_empty() {
            members.insert("remedy".to_owned(), Value::from(self.remedy.as_str()));
        }
        Value::Object(members)
    }
}

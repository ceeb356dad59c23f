//! The table of routes, and the way of a call through it: name, origin, token, input, work, answer.
//!
//! Owns what every call has in common. Refuses to own what single routes do: a file per family.

mod call;
mod destinations;
mod events;
mod fields;
mod findings;
mod intake;
mod inventory;
mod listing;
mod openapi;
mod process;
mod route;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::routing::any;
use tower::ServiceExt as _;

use super::guard;
use super::options::MetricsAccess;
use super::problem::Refusal;
use super::serve::Answer;
use super::service::State;
use super::token::{Caller, Scope, Verdict};
use crate::model::hash::hexadecimal;
use crate::model::problem::nearest;
use crate::runtime::rng::Rng;
use crate::telemetry::signals::admin as signals;

pub(super) use call::Entrance;
use call::{Call, Origin};
use route::{Access, Reply, Route};

/// All routes.
fn table() -> Vec<Route> {
    [
        process::routes(),
        inventory::routes(),
        findings::routes(),
        events::routes(),
        intake::routes(),
        destinations::routes(),
        openapi::routes(),
    ]
    .concat()
}

/// How many routes there are.
#[cfg(test)]
pub(super) fn count() -> usize {
    table().len()
}

/// The function that answers every request of one listener.
pub(super) fn answer(state: Arc<State>, entrance: Entrance) -> Answer {
    let router = router(&state, entrance);
    Arc::new(move |request, from| {
        let (state, router) = (Arc::clone(&state), router.clone());
        Box::pin(async move {
            let trace_id = trace_id(request.headers(), &state.rng).into();
            let origin = Origin { trace_id, from, entrance };
            respond(&state, router, request.map(Body::new), origin).await
        })
    })
}

async fn respond(
    state: &State,
    router: Router,
    mut request: Request,
    origin: Origin,
) -> Response<Body> {
    let checked = match origin.entrance {
        Entrance::Main => state.names.check(&request),
        Entrance::Health => Ok(()),
    };
    let mut response = match checked {
        Ok(()) => {
            request.extensions_mut().insert(origin);
            router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
        }
        Err(refusal) => {
            state.counters.refused(refusal.code());
            refusal.respond(&origin.trace_id)
        }
    };
    guard::dress(response.headers_mut(), &state.instance);
    response
}

type Parameters = Result<RawPathParams, RawPathParamsRejection>;

/// All routes of one path.
struct Resource {
    state: Arc<State>,
    routes: Vec<Route>,
}

fn router(state: &Arc<State>, entrance: Entrance) -> Router {
    let mut resources: Vec<Resource> = Vec::new();
    let served = |route: &Route| entrance == Entrance::Main || route.is_for_health();
    for route in table().into_iter().filter(served) {
        match resources.iter_mut().find(|resource| resource.path() == route.path) {
            Some(resource) => resource.routes.push(route),
            None => resources.push(Resource { state: Arc::clone(state), routes: vec![route] }),
        }
    }
    let paths: Arc<[&'static str]> = resources.iter().map(Resource::path).collect();
    let mut router = Router::new();
    for resource in resources {
        let (path, resource) = (resource.path(), Arc::new(resource));
        let serve = move |parameters: Parameters, request: Request| {
            let resource = Arc::clone(&resource);
            async move { resource.serve(parameters, request).await }
        };
        router = router.route(path, any(serve));
    }
    let state = Arc::clone(state);
    router.fallback(move |request: Request| {
        let (state, paths) = (Arc::clone(&state), Arc::clone(&paths));
        async move { unknown_route(&state, &paths, &request) }
    })
}

impl Resource {
    fn path(&self) -> &'static str {
        self.routes.first().map_or("/", |route| route.path)
    }

    async fn serve(&self, parameters: Parameters, request: Request) -> Response<Body> {
        let Some(origin) = request.extensions().get::<Origin>().cloned() else {
            return Refusal::internal("a request without origin").respond("");
        };
        let (route, reply) = match self.find(request.method()) {
            Some(route) => (route.id, self.run(route, parameters, request, &origin).await),
            None => ("none", self.refuse_method(&request, &origin)),
        };
        let response = reply.unwrap_or_else(|refusal| {
            if let Some(error) = refusal.source() {
                signals::AnswerFailed { trace_id: &origin.trace_id, route, error }.tell();
            }
            refusal.respond(&origin.trace_id)
        });
        self.state.counters.answered(route, response.status().as_u16());
        response
    }

    /// HEAD is a GET whose body is not sent.
    fn find(&self, method: &Method) -> Option<&Route> {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().find(|route| route.method == *wanted)
    }

    async fn run(
        &self,
        route: &Route,
        parameters: Parameters,
        request: Request,
        origin: &Origin,
    ) -> Reply {
        let state = &self.state;
        let caller = authorise(state, route.access, request.headers(), origin)?;
        let _slot = match route.access {
            Access::Probe => None,
            _ => Some(state.in_progress.try_acquire().map_err(|_| too_many(state))?),
        };
        let unreadable = |_| Refusal::malformed("request.bad-path", "the path is not UTF-8");
        let parameters = parameters.map_err(unreadable)?;
        let (head, body) = request.into_parts();
        let call = Call {
            state: Arc::clone(state),
            trace_id: Arc::clone(&origin.trace_id),
            caller,
            headers: head.headers,
            parameters: parameters
                .iter()
                .map(|(name, value)| (name.into(), value.to_owned()))
                .collect(),
            path: self.path(),
            query: head.uri.query().unwrap_or_default().to_owned(),
        };
        let limit = state.options.limits.answer_time;
        tokio::select! {
            reply = (route.work)(call, body) => reply,
            () = state.clock.sleep(limit.0) => {
                state.counters.limit_hit("answer_time");
                let detail = format!("the answer took longer than {limit}");
                Err(Refusal::unavailable("admin.answer-timeout", detail))
            }
        }
    }

    /// Which methods there are is told only to who may read.
    fn refuse_method(&self, request: &Request, origin: &Origin) -> Reply {
        let open = self
            .routes
            .iter()
            .all(|route| matches!(route.access, Access::Probe | Access::Open | Access::Metrics));
        let access = if open { Access::Open } else { Access::Viewer };
        authorise(&self.state, access, request.headers(), origin)?;
        let allowed = self.routes.iter().map(|route| route.method.as_str());
        let detail = format!("`{}` is not a method of `{}`", request.method(), self.path());
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Err(Refusal::new(status, "request.method-not-allowed", detail).allowed(allowed))
    }
}

fn too_many(state: &State) -> Refusal {
    state.counters.limit_hit("requests");
    let detail = format!("{} requests are in progress", state.options.limits.requests);
    Refusal::unavailable("admin.too-many-requests", detail)
}

/// Who calls, if the route asks and the token suffices.
fn authorise(
    state: &State,
    access: Access,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Option<Caller>, Refusal> {
    let needed = match access {
        Access::Probe | Access::Open => return Ok(None),
        Access::Metrics if state.options.metrics == MetricsAccess::Open => return Ok(None),
        Access::Metrics | Access::Viewer => Scope::Viewer,
        Access::Intake => Scope::Intake,
        Access::Admin => Scope::Admin,
    };
    let refuse = |refusal: Refusal| {
        state.counters.refused(refusal.code());
        refusal
    };
    let caller = authenticate(state, headers, origin).map_err(refuse)?;
    if caller.scope == Scope::Admin || caller.scope == needed {
        return Ok(Some(caller));
    }
    let detail = format!(
        "this call needs a token of scope {}, this one has scope {}",
        needed.as_str(),
        caller.scope.as_str()
    );
    Err(refuse(Refusal::forbidden("auth.scope", detail)))
}

fn authenticate(state: &State, headers: &HeaderMap, origin: &Origin) -> Result<Caller, Refusal> {
    let refused = |code, detail| Refusal::new(StatusCode::UNAUTHORIZED, code, detail);
    let presented = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(presented) = presented else {
        return Err(refused("auth.required", "send `Authorization: Bearer TOKEN`"));
    };
    match state.tokens.judge(presented, origin.from) {
        Verdict::Known(caller) => Ok(caller),
        Verdict::Wrong => Err(refused("auth.wrong-token", "this token is not known here")),
        Verdict::TooMany(seconds) => Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "auth.too-many-wrong",
            "too many wrong tokens came from this address",
        )
        .retry_after(seconds)),
    }
}

/// Which routes there are is in a public document, so an unknown one needs no token to be told.
fn unknown_route(state: &State, paths: &[&'static str], request: &Request) -> Response<Body> {
    let asked = request.uri().path();
    let detail = match nearest(asked, paths.iter().copied()) {
        Some(near) => format!("there is no such route; did you mean `{near}`?"),
        None => "there is no such route; `GET /v1/openapi.json` lists all".to_owned(),
    };
    state.counters.answered("none", 404);
    let trace_id = request.extensions().get::<Origin>().map(|origin| Arc::clone(&origin.trace_id));
    Refusal::missing("request.unknown-route", detail).respond(trace_id.as_deref().unwrap_or(""))
}

/// The trace of the caller (W3C `traceparent`), else a new one: 32 hexadecimal digits.
fn trace_id(headers: &HeaderMap, rng: &Rng) -> String {
    let is_trace = |text: &&str| {
        text.len() == 32
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && text.bytes().any(|byte| byte != b'0')
    };
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split('-').nth(1))
        .filter(is_trace)
        .map_or_else(|| hexadecimal(&rng.bytes::<16>()), str::to_owned)
}

//! A custom action: a payload, sent to an integration (`spec/actions.md` 4, 5.1).
//!
//! Owns the payload and one attempt at sending it, signed like a webhook. Refuses to own when it is made.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::deliver::client::{Client, Failure, Reply, Request, Timeouts};
use crate::deliver::guard::Trust;
use crate::deliver::{Context, Credentials, Report, schedule, sign};
use crate::events::chain::{self, Chain};
use crate::events::cloudevent::{rfc3339, structured};
use crate::events::expression::{EVENT_ROOTS, Failed, Scope, Tree};
use crate::model::delivery::OutcomeKind;
use crate::model::event::Event;
use crate::model::hash::hexadecimal;
use crate::model::problem::{Problem, Problems};
use crate::model::secret::MASK;
use crate::runtime::clock::Clock;

use super::contract_test::execute::custom_headers;
use super::options::{self, Custom, Integration, WebhookIntegration};
use super::world::{Identity, World, credentials};

/// Version of the payload; raised when a member is renamed or removed.
const PAYLOAD_VERSION: &str = "1";
const AGENT: &str = concat!("driftgate/", env!("CARGO_PKG_VERSION"));
/// What the attempt log keeps of the head of an answer, bytes.
const RESPONSE_HEADERS_BYTES_MAX: usize = 8 * 1_024;

/// A custom action, compiled and resolved.
pub(super) struct Call {
    url: Url,
    /// The integration's, then the action's over them; all sensitive.
    headers: HeaderMap,
    keys: Vec<sign::Key>,
    credentials: Option<Arc<dyn Credentials>>,
    context: Tree,
    timeouts: Timeouts,
    trust: Trust,
    client: Client,
    clock: Clock,
    chain_key: chain::Key,
}

impl Call {
    /// # Errors
    /// Everything that does not work; pointers are relative to the action.
    pub(super) fn new(
        custom: &Custom,
        integrations: &[Integration],
        world: &World,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let found = integrations.iter().find(|known| known.name() == custom.integration);
        let Some(Integration::Webhook(integration)) = found else {
            let message = format!("there is no integration named `{}`", custom.integration);
            let place = "/custom/integration";
            problems.push(
                Problem::error(place, "action.unknown-reference", message)
                    .remedy("define it under `integrations`"),
            );
            return Err(problems);
        };
        let url = read_url(integration, world).map_err(only)?;
        let keys = read_keys(integration).map_err(only)?;
        let provider = custom.auth_provider.as_ref().or(integration.auth_provider.as_ref());
        let credentials = credentials(provider, world).map_err(only)?;
        let tree = Value::Object(custom.context.clone().into_iter().collect());
        let context = Tree::compile(&tree, EVENT_ROOTS).map_err(|found| {
            let mut below = Problems::default();
            below.extend_below("/custom/context", found);
            below
        })?;
        let mut headers = custom_headers(&integration.headers);
        headers.extend(custom_headers(&custom.headers));
        Ok(Self {
            url,
            headers,
            keys,
            credentials,
            context,
            timeouts: client_timeouts(integration.timeouts),
            trust: world.trust,
            client: world.client.clone(),
            clock: world.clock.clone(),
            chain_key: world.chain_key.clone(),
        })
    }

    pub(super) async fn attempt(&self, identity: &Identity<'_>, context: &Context) -> Report {
        let unsent = |outcome, error| self.unsent(identity, outcome, error);
        let event = &context.event;
        let payload = match self.payload(identity, event, context) {
            Ok(payload) => payload,
            Err(failed) => return unsent(OutcomeKind::Render, failed.to_string()),
        };
        let request = match self.request(identity, context, payload) {
            Ok(request) => request,
            Err(error) => return unsent(OutcomeKind::Render, error.to_string()),
        };
        let (report, again) = self.exchange(identity, request.clone()).await;
        // A token may have been withdrawn before its time: one more try with a fresh one.
        if again { self.exchange(identity, request).await.0 } else { report }
    }

    /// The payload of an invocation: equal at every attempt.
    fn payload(
        &self,
        identity: &Identity<'_>,
        event: &Event,
        context: &Context,
    ) -> Result<String, Failed> {
        let filled = self.context.render(&Scope::of_event(event))?;
        let kind = if event.testevent { "test" } else { "event" };
        let invoked_at = rfc3339(context.delivery.created_ms);
        let id = &context.delivery.id;
        let api = match identity.api {
            Some((name, api)) => json!({"name": name, "base_url": api.base_url}),
            None => Value::Null,
        };
        let action = json!({
            "id": identity.id,
            "name": identity.action.name,
            "description": identity.action.description,
            "version": identity.version,
        });
        let event = structured(event);
        Ok(format!(
            r#"{{"version":"{PAYLOAD_VERSION}","type":"{kind}","id":"{id}","invoked_at":"{invoked_at}","api":{api},"action":{action},"context":{filled},"event":{event},"callback":null}}"#
        ))
    }

    fn request(
        &self,
        identity: &Identity<'_>,
        context: &Context,
        payload: String,
    ) -> Result<Request, http::Error> {
        let body = Bytes::from(payload);
        let now_ms = self.clock.now_ms();
        let seconds = now_ms.div_euclid(1_000);
        let id = &context.delivery.id;
        let event = &context.event;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let mut set = |name: &str, value: String| -> Result<(), http::Error> {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            Ok(())
        };
        set(sign::ID_HEADER, id.clone())?;
        set(sign::TIMESTAMP_HEADER, seconds.to_string())?;
        if !self.keys.is_empty() {
            set(sign::SIGNATURE_HEADER, sign::sign(&self.keys, id, seconds, &body))?;
        }
        set("driftgate-attempt", context.number.to_string())?;
        set(chain::HEADER, chain_of(identity, event, now_ms).seal(&self.chain_key))?;
        if let Some(trace) = &event.traceparent {
            set("traceparent", trace.clone())?;
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let request = Request::new(Method::POST, self.url.clone(), self.trust);
        Ok(Request { headers, body, timeouts: self.timeouts, ..request })
    }

    /// One exchange, and whether another one with fresh credentials makes sense.
    async fn exchange(&self, identity: &Identity<'_>, mut request: Request) -> (Report, bool) {
        let body_sha256 = hexadecimal(&Sha256::digest(&request.body));
        if let Some(credentials) = &self.credentials
            && let Err(error) = credentials.authorise(&mut request).await
        {
            let report = self.unsent(identity, OutcomeKind::Auth, error);
            return (Report { body_sha256, ..report }, false);
        }
        let request_headers = listed(&request.headers, usize::MAX);
        let answered = self.client.send(request).await;
        let is_refused =
            answered.as_ref().is_ok_and(|reply| reply.status == StatusCode::UNAUTHORIZED);
        let again = is_refused
            && self.credentials.as_ref().is_some_and(|credentials| credentials.refused());
        let report = self.report(identity, answered);
        (Report { request_headers, body_sha256, ..report }, again)
    }

    fn report(&self, identity: &Identity<'_>, answered: Result<Reply, Failure>) -> Report {
        let reply = match answered {
            Ok(reply) => reply,
            Err(failure) => return self.unsent(identity, failure.outcome, failure.error),
        };
        let outcome = reply.outcome();
        let retry_after = reply.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Report {
            retry_after_ms: retry_after
                .and_then(|value| schedule::retry_after(value, self.clock.now_ms())),
            address: reply.address.map(|address| address.to_string()),
            status: Some(reply.status.as_u16()),
            response_headers: listed(&reply.headers, RESPONSE_HEADERS_BYTES_MAX),
            error: (outcome != OutcomeKind::Ok)
                .then(|| format!("the integration answered {}", reply.status)),
            response_body: reply.body,
            ..self.unsent(identity, outcome, String::new())
        }
    }

    fn unsent(&self, identity: &Identity<'_>, outcome: OutcomeKind, error: String) -> Report {
        Report {
            target_version: identity.version,
            url: self.url.to_string(),
            ..Report::unsent(outcome, error)
        }
    }
}

/// The mark that continues the chain of the event.
fn chain_of(identity: &Identity<'_>, event: &Event, time_ms: i64) -> Chain {
    let passed = event.chainpath.split(' ').filter(|id| !id.is_empty()).map(str::to_owned);
    Chain {
        kind: chain::Kind::Action,
        correlation: event.correlationid.clone(),
        depth: event.chaindepth.saturating_add(1),
        path: passed.chain([identity.id.to_owned()]).collect(),
        time_ms,
    }
}

fn only(problem: Problem) -> Problems {
    Problems(vec![problem])
}

fn read_url(integration: &WebhookIntegration, world: &World) -> Result<Url, Problem> {
    let place = "/custom/integration";
    let url = Url::parse(&integration.url).map_err(|error| {
        Problem::error(place, "action.bad-url", format!("`{}`: {error}", integration.url))
    })?;
    world
        .client
        .check(&url, world.trust)
        .map_err(|why| Problem::error(place, "egress.blocked", why).remedy("see `egress`"))?;
    Ok(url)
}

fn read_keys(integration: &WebhookIntegration) -> Result<Vec<sign::Key>, Problem> {
    let bad = |why: String| {
        Problem::error("/custom/integration", "action.bad-secret", why)
            .remedy("give `whsec_` and the base64 of 24 to 64 bytes")
    };
    let read = |source: &crate::model::secret::SecretSource| {
        let secret = source.resolved().ok_or_else(|| bad("the secret was not read".to_owned()))?;
        sign::Key::read(secret.reveal()).map_err(|error| bad(error.to_string()))
    };
    integration.secrets.iter().map(read).collect()
}

fn client_timeouts(given: options::Timeouts) -> Timeouts {
    let options::Timeouts { connect, head, total } = given;
    Timeouts { dns: connect.0, connect: connect.0, head: head.0, total: total.0 }
}

/// Headers as the attempt log keeps them: secrets masked, cut at `bytes_max`.
fn listed(headers: &HeaderMap, bytes_max: usize) -> Vec<(String, String)> {
    let mut left = bytes_max;
    let mut list = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let text = if value.is_sensitive() {
            MASK.to_owned()
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let size = name.as_str().len() + text.len();
        if size > left {
            break;
        }
        left -= size;
        list.push((name.as_str().to_owned(), text));
    }
    list
}

//! One webhook, ready to send: what the configuration says, compiled and resolved.
//!
//! Owns one attempt: render, sign, send, report. Refuses to own when it is made (`deliver`) and which events it gets
//! (`registry`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use url::Url;

use crate::deliver::client::{Client, Failure, Reply, Request};
use crate::deliver::guard::Trust;
use crate::deliver::{Context, Credentials, Destination, Policy, Report, schedule, sign};
use crate::events::Pattern;
use crate::events::expression::{Condition, EVENT_ROOTS, Tree};
use crate::model::delivery::{Hold, OutcomeKind};
use crate::model::event::Event;
use crate::model::hash::hexadecimal;
use crate::model::problem::Problem;
use crate::model::secret::{Secret, SecretSource};
use crate::runtime::clock::Clock;
use crate::telemetry::signals::webhooks as signals;

use super::World;
use super::options::{self, Format, OnGone};
use super::render::{Render, Rendered};
use super::secrets::Kept;

const USER_AGENT: &str = concat!("driftgate/", env!("CARGO_PKG_VERSION"));
/// What the attempt log keeps of the head of an answer, bytes.
const RESPONSE_HEADERS_BYTES_MAX: usize = 8 * 1024;

/// A webhook in force.
pub(super) struct Webhook {
    pub(super) id: String,
    /// +1 per change.
    pub(super) version: u64,
    pub(super) options: options::Webhook,
    pub(super) patterns: Vec<Pattern>,
    pub(super) filter: Option<Condition>,
    /// The first signing secret, for the operator to hand to the receiver.
    pub(super) secret: Secret,
    /// It answered 410.
    pub(super) gone: AtomicBool,
    /// Without user and password: those are a header.
    pub(super) url: Url,
    render: Render,
    keys: Vec<sign::Key>,
    headers: HeaderMap,
    credentials: Option<Arc<dyn Credentials>>,
    policy: schedule::Policy,
    trust: Trust,
    client: Client,
    clock: Clock,
}

impl Webhook {
    /// Compiles and resolves what was checked.
    ///
    /// # Errors
    /// The first thing that does not work, its pointer relative to the webhook.
    pub(super) fn new(
        options: &options::Webhook,
        (id, version): (String, u64),
        kept: &mut Kept,
        world: &World,
    ) -> Result<Self, Problem> {
        let mut url = options::parse_url(&options.url)?;
        let mut headers = HeaderMap::new();
        add_user(&mut url, &mut headers)?;
        world
            .client
            .check(&url, world.trust)
            .map_err(|why| Problem::error("/url", "egress.blocked", why).remedy("see `egress`"))?;
        add_fixed(options, &mut headers, kept, &id)?;
        let secrets = signing_secrets(options, kept, &id)?;
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in &secrets {
            keys.push(sign::Key::read(secret.reveal()).map_err(|error| {
                Problem::error("/secret", "webhook.bad-secret", error.to_string())
            })?);
        }
        let filter = match &options.filter {
            Some(text) => Some(Condition::compile(text, EVENT_ROOTS).map_err(below("/filter"))?),
            None => None,
        };
        Ok(Self {
            patterns: options.events.iter().filter_map(|text| Pattern::parse(text)).collect(),
            render: render_of(options)?,
            credentials: credentials_of(options, world)?,
            secret: secrets.into_iter().next().unwrap_or_else(|| Secret::new("")),
            policy: options.retry.to_policy(),
            options: options.clone(),
            gone: AtomicBool::new(false),
            trust: world.trust,
            client: world.client.clone(),
            clock: world.clock.clone(),
            id,
            version,
            filter,
            url,
            keys,
            headers,
        })
    }

    pub(super) fn is_active(&self) -> bool {
        self.options.active && !self.gone.load(Ordering::Relaxed)
    }

    /// The policy while nothing but the webhook itself is asked.
    pub(super) fn policy(&self) -> Policy {
        Policy {
            retry: self.policy,
            concurrency: self.options.concurrency,
            hold: (!self.is_active()).then_some(Hold::Inactive),
        }
    }

    /// One request for an event. `message` is the `webhook-id`: equal at every attempt of a delivery.
    pub(super) async fn send(&self, event: &Event, message: &str, number: u32) -> Report {
        let rendered = match self.render.render(event) {
            Ok(rendered) => rendered,
            Err(failed) => return self.unsent(OutcomeKind::Render, failed.to_string()),
        };
        let request = match self.request(event, rendered, message, number) {
            Ok(request) => request,
            Err(error) => return self.unsent(OutcomeKind::Render, error.to_string()),
        };
        let (report, retry) = self.exchange(request.clone()).await;
        // A token may have been withdrawn before its time: one more try with a fresh one.
        if retry { self.exchange(request).await.0 } else { report }
    }

    async fn exchange(&self, mut request: Request) -> (Report, bool) {
        let body_sha256 = hexadecimal(&Sha256::digest(&request.body));
        if let Some(credentials) = &self.credentials
            && let Err(error) = credentials.authorise(&mut request).await
        {
            let report = self.unsent(OutcomeKind::Auth, error);
            return (Report { body_sha256, ..report }, false);
        }
        let request_headers = listed(&request.headers, usize::MAX);
        let answered = self.client.send(request).await;
        let refused = matches!(&answered, Ok(reply) if reply.status == http::StatusCode::UNAUTHORIZED)
            && self.credentials.as_ref().is_some_and(|credentials| credentials.refused());
        let report = Report { request_headers, body_sha256, ..self.report(answered) };
        (report, refused)
    }

    fn report(&self, answered: Result<Reply, Failure>) -> Report {
        match answered {
            Err(failure) => self.unsent(failure.outcome, failure.error),
            Ok(reply) => {
                let outcome = reply.outcome();
                let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok());
                let now_ms = self.clock.now_ms();
                Report {
                    retry_after_ms: header(RETRY_AFTER)
                        .and_then(|value| schedule::retry_after(value, now_ms)),
                    address: reply.address.map(|address| address.to_string()),
                    status: Some(reply.status.as_u16()),
                    response_headers: listed(&reply.headers, RESPONSE_HEADERS_BYTES_MAX),
                    error: (outcome != OutcomeKind::Ok)
                        .then(|| format!("the receiver answered {}", reply.status)),
                    response_body: reply.body,
                    ..self.unsent(outcome, "")
                }
            }
        }
    }

    fn unsent(&self, outcome: OutcomeKind, error: impl Into<String>) -> Report {
        Report {
            target_version: self.version,
            url: self.url.to_string(),
            ..Report::unsent(outcome, error)
        }
    }

    fn request(
        &self,
        event: &Event,
        rendered: Rendered,
        message: &str,
        number: u32,
    ) -> Result<Request, http::Error> {
        let body = Bytes::from(rendered.body);
        let unix_seconds = self.clock.now_ms().div_euclid(1_000);
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: String| -> Result<(), http::Error> {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            Ok(())
        };
        for (name, value) in rendered.headers {
            set(&name, value)?;
        }
        set("user-agent", USER_AGENT.to_owned())?;
        set(sign::ID_HEADER, message.to_owned())?;
        set(sign::TIMESTAMP_HEADER, unix_seconds.to_string())?;
        set(sign::SIGNATURE_HEADER, sign::sign(&self.keys, message, unix_seconds, &body))?;
        set("driftgate-attempt", number.to_string())?;
        if let Some(trace) = &event.traceparent {
            set("traceparent", trace.clone())?;
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(Request {
            headers,
            body,
            timeouts: self.options.timeouts.to_client(),
            ..Request::new(Method::POST, self.url.clone(), self.trust)
        })
    }
}

#[async_trait]
impl Destination for Webhook {
    fn policy(&self) -> Policy {
        Self::policy(self)
    }

    async fn attempt(&self, context: Context) -> Report {
        let report = self.send(&context.event, &context.delivery.id, context.number).await;
        if report.outcome == OutcomeKind::Gone && self.options.retry.on_gone == OnGone::Deactivate {
            let was_gone = self.gone.swap(true, Ordering::Relaxed);
            if !was_gone {
                signals::Gone { webhook: &self.options.name }.tell();
            }
        }
        report
    }
}

/// User and password of a URL become a header: a URL is shown and logged.
fn add_user(url: &mut Url, headers: &mut HeaderMap) -> Result<(), Problem> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = decode(url.username());
    pair.push(b':');
    pair.extend(decode(url.password().unwrap_or_default()));
    let value = Secret::new(format!("Basic {}", STANDARD.encode(pair)));
    headers.insert(AUTHORIZATION, sensitive("/url", &value)?);
    let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
    if cleared {
        Ok(())
    } else {
        Err(Problem::error("/url", "webhook.bad-url", "the URL has no host"))
    }
}

/// The headers that are equal at every attempt: all of them are secrets.
fn add_fixed(
    options: &options::Webhook,
    headers: &mut HeaderMap,
    kept: &mut Kept,
    id: &str,
) -> Result<(), Problem> {
    let mut set = |place: &str, name: &str, value: &Secret| {
        let bad = |_| Problem::error(place, "webhook.bad-header", format!("`{name}` is no header"));
        headers.insert(HeaderName::try_from(name).map_err(bad)?, sensitive(place, value)?);
        Ok(())
    };
    if let Some(fixed) = &options.static_secret {
        let value = match &fixed.value {
            Some(source) => read("/static_secret/value", source)?,
            None => kept.fixed(id),
        };
        set("/static_secret/header", &fixed.header, &value)?;
    }
    for (name, source) in &options.headers {
        let place = crate::model::problem::pointer("/headers", name);
        set(&place, name, &read(&place, source)?)?;
    }
    Ok(())
}

fn signing_secrets(
    options: &options::Webhook,
    kept: &mut Kept,
    id: &str,
) -> Result<Vec<Secret>, Problem> {
    let mut secrets = Vec::new();
    for source in options.secret.iter().chain(&options.secrets) {
        secrets.push(read("/secret", source)?);
    }
    if secrets.is_empty() {
        secrets.push(kept.signing(id));
    }
    Ok(secrets)
}

fn render_of(options: &options::Webhook) -> Result<Render, Problem> {
    Ok(match (options.format, &options.template) {
        (Format::Cloudevents, _) => Render::Structured,
        (Format::CloudeventsBinary, _) => Render::Binary,
        (Format::Standard, _) => Render::Standard,
        (Format::Template, template) => {
            let tree = template.clone().unwrap_or_default();
            let compiled = Tree::compile(&tree, EVENT_ROOTS).map_err(|problems| {
                problems.0.into_iter().next().unwrap_or_else(|| {
                    Problem::error("", "webhook.no-template", "the template cannot be used")
                })
            });
            Render::Template(Box::new(compiled.map_err(below("/template"))?))
        }
    })
}

fn credentials_of(
    options: &options::Webhook,
    world: &World,
) -> Result<Option<Arc<dyn Credentials>>, Problem> {
    let Some(name) = &options.auth_provider else { return Ok(None) };
    let found = world.providers.get(name).ok_or_else(|| {
        let message = format!("there is no auth provider `{name}`");
        Problem::error("/auth_provider", "webhook.unknown-auth-provider", message)
            .remedy("name one of `auth_providers`")
    })?;
    Ok(Some(found))
}

fn read(place: &str, source: &SecretSource) -> Result<Secret, Problem> {
    source.resolved().cloned().ok_or_else(|| {
        Problem::error(place, "webhook.unread-secret", "a file or variable cannot be named here")
            .remedy("give the text of the secret")
    })
}

fn sensitive(place: &str, value: &Secret) -> Result<HeaderValue, Problem> {
    let mut header = HeaderValue::try_from(value.reveal()).map_err(|_| {
        Problem::error(place, "webhook.bad-header", "the value cannot be sent in a header")
            .remedy("use visible ASCII")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn below(place: &'static str) -> impl Fn(Problem) -> Problem {
    move |mut problem| {
        problem.pointer.insert_str(0, place);
        problem
    }
}

/// Headers as the attempt log keeps them: secrets masked, cut at `bytes_max`.
fn listed(headers: &HeaderMap, bytes_max: usize) -> Vec<(String, String)> {
    let mut left = bytes_max;
    let mut list = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let text = if value.is_sensitive() {
            "***".to_owned()
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

//! What the config file says about webhooks (`spec/delivery.md` 5).
//!
//! Owns their shape, defaults and everything that can be checked without the world. Refuses to own making them ready to send
//! (`webhook`).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::deliver::schedule::Policy;
use crate::deliver::{client, sign};
use crate::events::expression::{Condition, EVENT_ROOTS, Tree};
use crate::events::{Pattern, catalogue};
use crate::model::problem::{Problem, Problems, nearest, pointer};
use crate::model::secret::{SecretSource, VisitSecret};
use crate::model::units::Span;

use super::headers;

/// Webhooks of one API, and webhooks of none, at most.
const PER_API_MAX: usize = 5;
const UNSCOPED_MAX: usize = 100;
const EVENTS_MAX: usize = 200;
const URL_BYTES_MAX: usize = 2_048;
const HEADERS_MAX: usize = 32;
const HEADERS_BYTES_MAX: usize = 16 * 1024;
const CONCURRENCY_MAX: usize = 64;
const TIMEOUT_MAX: Span = Span::seconds(60);

/// A destination of events: an HTTP POST for each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// Where to send: http or https, at most 2,048 characters, no fragment.
    pub url: String,
    /// Event types: exact names, `prefix.*` or `*`, 1-200 of them. `*` leaves out what is about driftgate itself.
    pub events: Vec<String>,
    /// Only events of this API; absent: of every API.
    #[serde(default)]
    pub api: Option<String>,
    /// Expression over `event` and `data` that must be true.
    #[serde(default)]
    pub filter: Option<String>,
    /// Whether events are sent. An inactive webhook keeps what is pending and gets nothing new.
    #[serde(default = "yes")]
    pub active: bool,
    /// What the body looks like.
    #[serde(default)]
    pub format: Format,
    /// JSON whose texts are templates over `event` and `data`; belongs to format `template`.
    #[serde(default)]
    pub template: Option<serde_json::Value>,
    /// Signing secret, `whsec_…`. Without one it is made at the first start; `driftgate webhooks` shows it.
    #[serde(default)]
    pub secret: Option<SecretSource>,
    /// Further secrets during a rotation: every one signs.
    #[serde(default)]
    pub secrets: Vec<SecretSource>,
    /// A fixed secret in a header of every request; proves less than the signature.
    #[serde(default)]
    pub static_secret: Option<StaticSecret>,
    /// Headers of each request, up to 32.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// Name of an auth provider.
    #[serde(default)]
    pub auth_provider: Option<String>,
    /// How failed attempts are retried.
    #[serde(default)]
    pub retry: Retry,
    /// How long a request may take.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Requests at once, 1-64.
    #[serde(default = "eight")]
    pub concurrency: usize,
    /// Accept event names that driftgate does not know: custom events.
    #[serde(default)]
    pub allow_unknown: bool,
}

/// What the body of a request looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// CloudEvents 1.0, all in one JSON object.
    #[default]
    Cloudevents,
    /// CloudEvents 1.0, attributes in `ce-` headers and the data as body.
    CloudeventsBinary,
    /// `{"type", "timestamp", "data"}` as Standard Webhooks suggests.
    Standard,
    /// What `template` says.
    Template,
}

impl Format {
    /// As the configuration spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cloudevents => "cloudevents",
            Self::CloudeventsBinary => "cloudevents_binary",
            Self::Standard => "standard",
            Self::Template => "template",
        }
    }
}

/// A fixed secret in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaticSecret {
    /// Name of the header.
    pub header: String,
    /// Its value. Without one it is made at the first start.
    pub value: Option<SecretSource>,
}

/// How failed attempts are retried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// First wait, doubled at each step: 1 second to 1 hour.
    pub base: Span,
    /// Longest wait, at most 24 hours.
    pub cap: Span,
    /// Relative spread of each wait, 0 to 1.
    pub jitter: f64,
    /// When to give up: 1 minute to 30 days after the event.
    pub deadline: Span,
    /// What an answer of 410 does.
    pub on_gone: OnGone,
}

/// What an answer of 410 does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnGone {
    /// The webhook becomes inactive until its settings change or driftgate starts anew.
    #[default]
    Deactivate,
    /// It is a failure like any other.
    Retry,
}

/// Limits of one request, each up to 60 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until the name is resolved.
    pub dns: Span,
    /// Until the connection stands.
    pub connect: Span,
    /// Until the response head is there.
    pub head: Span,
    /// Until everything is there.
    pub total: Span,
}

const fn yes() -> bool {
    true
}

const fn eight() -> usize {
    8
}

impl Default for StaticSecret {
    fn default() -> Self {
        Self { header: "x-driftgate-webhook-secret".to_owned(), value: None }
    }
}

impl Default for Retry {
    /// 5 s, doubling up to 6 h, for 10 days.
    fn default() -> Self {
        Self {
            base: Span::seconds(5),
            cap: Span::seconds(6 * 3_600),
            jitter: 0.2,
            deadline: Span::seconds(10 * 86_400),
            on_gone: OnGone::Deactivate,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Span::seconds;
        Self { dns: seconds(5), connect: seconds(5), head: seconds(15), total: seconds(20) }
    }
}

impl Timeouts {
    #[must_use]
    pub fn to_client(self) -> client::Timeouts {
        client::Timeouts {
            dns: self.dns.0,
            connect: self.connect.0,
            head: self.head.0,
            total: self.total.0,
        }
    }
}

impl Retry {
    #[must_use]
    pub fn to_policy(self) -> Policy {
        Policy {
            base_ms: self.base.as_ms(),
            cap_ms: self.cap.as_ms(),
            jitter: self.jitter,
            deadline_ms: self.deadline.as_ms(),
        }
    }

    fn check(&self, problems: &mut Problems) {
        let ranges = [
            ("/retry/base", self.base, Span::seconds(1), Span::seconds(3_600)),
            ("/retry/cap", self.cap, self.base, Span::seconds(86_400)),
            ("/retry/deadline", self.deadline, Span::seconds(60), Span::seconds(30 * 86_400)),
        ];
        for (place, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                let message = format!("`{value}` is not between {least} and {most}");
                problems.push(
                    Problem::error(place, "webhook.bad-retry", message)
                        .remedy("leave it out for the default"),
                );
            }
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            let message = format!("`{}` is not between 0 and 1", self.jitter);
            problems.push(
                Problem::error("/retry/jitter", "webhook.bad-retry", message)
                    .remedy("0.2 spreads each wait by a fifth"),
            );
        }
    }
}

impl Webhook {
    /// Shows each secret to `visit`.
    pub fn secrets(&mut self, visit: VisitSecret<'_>) {
        if let Some(secret) = &mut self.secret {
            visit("/secret", secret);
        }
        for (index, secret) in self.secrets.iter_mut().enumerate() {
            visit(&format!("/secrets/{index}"), secret);
        }
        if let Some(value) = self.static_secret.as_mut().and_then(|fixed| fixed.value.as_mut()) {
            visit("/static_secret/value", value);
        }
        for (name, value) in &mut self.headers {
            visit(&pointer("/headers", name), value);
        }
    }

    /// Reports everything wrong with this webhook; pointers are relative to it.
    pub fn check(&self, problems: &mut Problems) {
        self.check_name(problems);
        if let Err(problem) = parse_url(&self.url) {
            problems.push(problem);
        }
        self.check_events(problems);
        self.check_expressions(problems);
        self.check_secrets(problems);
        self.check_headers(problems);
        self.retry.check(problems);
        self.check_limits(problems);
    }

    fn check_name(&self, problems: &mut Problems) {
        let length = self.name.chars().count();
        if !(1..=100).contains(&length) || self.name.chars().any(char::is_control) {
            problems.push(
                Problem::error(
                    "/name",
                    "webhook.bad-name",
                    "a name has 1 to 100 printable characters",
                )
                .remedy("choose a short name, `slack` for example"),
            );
        }
    }

    fn check_events(&self, problems: &mut Problems) {
        if self.events.is_empty() || self.events.len() > EVENTS_MAX {
            let message = format!("{} events are named", self.events.len());
            problems.push(
                Problem::error("/events", "webhook.event-count", message)
                    .remedy("name 1 to 200, `contract.drift.*` for example"),
            );
        }
        for (index, text) in self.events.iter().enumerate() {
            let place = format!("/events/{index}");
            match Pattern::parse(text) {
                None => problems.push(
                    Problem::error(place, "event.bad-pattern", format!("`{text}` names no event"))
                        .remedy("use a type, `prefix.*` or `*`"),
                ),
                Some(pattern) if !pattern.is_known() && !self.allow_unknown => {
                    let names = catalogue::CATALOGUE.iter().map(|known| known.name);
                    let remedy = nearest(text, names).map_or_else(
                        || "set `allow_unknown: true` if it is a custom event".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    problems.push(
                        Problem::error(
                            place,
                            "event.unknown-type",
                            format!("there is no event `{text}`"),
                        )
                        .remedy(remedy),
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn check_expressions(&self, problems: &mut Problems) {
        if let Some(Err(mut problem)) =
            self.filter.as_deref().map(|filter| Condition::compile(filter, EVENT_ROOTS))
        {
            problem.pointer.insert_str(0, "/filter");
            // The position is one in the expression; in a file it would point to the wrong line.
            problem.position = None;
            problems.push(problem);
        }
        match (&self.template, self.format) {
            (Some(template), Format::Template) => {
                if let Err(found) = Tree::compile(template, EVENT_ROOTS) {
                    problems.extend_below("/template", found);
                }
            }
            (None, Format::Template) => problems.push(
                Problem::error(
                    "/format",
                    "webhook.no-template",
                    "format `template` has no template",
                )
                .remedy("add `template`"),
            ),
            (Some(_), _) => problems.push(
                Problem::error("/template", "webhook.idle-template", "the template is not used")
                    .remedy("set `format: template`"),
            ),
            (None, _) => {}
        }
    }

    fn check_secrets(&self, problems: &mut Problems) {
        let further = self.secrets.iter().enumerate();
        let places = self
            .secret
            .iter()
            .map(|secret| ("/secret".to_owned(), secret))
            .chain(further.map(|(index, secret)| (format!("/secrets/{index}"), secret)));
        let mut count = 0;
        for (place, secret) in places {
            count += 1;
            if let Some(Err(error)) = secret.resolved().map(|text| sign::Key::read(text.reveal())) {
                problems.push(
                    Problem::error(place, "webhook.bad-secret", error.to_string())
                        .remedy("make one with `echo whsec_$(openssl rand -base64 32)`"),
                );
            }
        }
        if count > sign::KEYS_MAX {
            problems.push(
                Problem::error(
                    "/secrets",
                    "webhook.too-many-secrets",
                    format!("{count} secrets are valid"),
                )
                .remedy(format!("keep at most {}", sign::KEYS_MAX)),
            );
        }
    }

    fn check_headers(&self, problems: &mut Problems) {
        let mut bytes = 0;
        for (name, value) in &self.headers {
            bytes += name.len() + value.resolved().map_or(0, |text| text.reveal().len());
            headers::check(&pointer("/headers", name), name, Some(value), problems);
        }
        if self.headers.len() > HEADERS_MAX || bytes > HEADERS_BYTES_MAX {
            let message = format!("{} headers of {bytes} bytes", self.headers.len());
            problems.push(
                Problem::error("/headers", "webhook.too-many-headers", message)
                    .remedy("keep at most 32 of 16 KiB in all"),
            );
        }
        if let Some(fixed) = &self.static_secret {
            let place = "/static_secret/header";
            headers::check(place, &fixed.header, fixed.value.as_ref(), problems);
        }
    }

    fn check_limits(&self, problems: &mut Problems) {
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            let message = format!("`{}` is not between 1 and {CONCURRENCY_MAX}", self.concurrency);
            problems.push(
                Problem::error("/concurrency", "webhook.bad-concurrency", message)
                    .remedy("8 is enough for most receivers"),
            );
        }
        let Timeouts { dns, connect, head, total } = self.timeouts;
        for (name, value) in [("dns", dns), ("connect", connect), ("head", head), ("total", total)]
        {
            if value == Span::millis(0) || value > TIMEOUT_MAX {
                let message = format!("`{value}` is not between 1ms and {TIMEOUT_MAX}");
                problems.push(
                    Problem::error(format!("/timeouts/{name}"), "webhook.bad-timeout", message)
                        .remedy("receivers should answer at once and work later"),
                );
            }
        }
    }
}

/// Reads the URL of a webhook.
///
/// # Errors
/// When it is not one that can be called.
pub fn parse_url(text: &str) -> Result<Url, Problem> {
    let wrong = |message: String| {
        Problem::error("/url", "webhook.bad-url", message)
            .remedy("write it like `https://hooks.example.com/path`")
    };
    if text.len() > URL_BYTES_MAX {
        return Err(wrong(format!("the URL has {} bytes, more than {URL_BYTES_MAX}", text.len())));
    }
    let url = Url::parse(text).map_err(|error| wrong(format!("`{text}` is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong(format!("`{text}` is not an http or https URL")));
    }
    if url.fragment().is_some() {
        return Err(wrong(format!("`{text}` has a fragment, which is never sent")));
    }
    Ok(url)
}

/// Checks a list of webhooks: each by itself, that no name stands twice, and how many an API may have.
pub fn check_all(webhooks: &[Webhook], problems: &mut Problems) {
    let mut names = BTreeSet::new();
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for (index, webhook) in webhooks.iter().enumerate() {
        let mut own = Problems::default();
        webhook.check(&mut own);
        if !names.insert(&webhook.name) {
            let message = format!("two webhooks are named `{}`", webhook.name);
            own.push(Problem::error("/name", "webhook.double-name", message).remedy("rename one"));
        }
        let count = counts.entry(webhook.api.as_deref()).or_default();
        *count += 1;
        let most = if webhook.api.is_some() { PER_API_MAX } else { UNSCOPED_MAX };
        if *count == most + 1 {
            let message = format!("more than {most} webhooks have this scope");
            own.push(
                Problem::error("", "webhook.too-many", message)
                    .remedy("let one of them take the events of several"),
            );
        }
        problems.extend_below(&format!("/{index}"), own);
    }
}

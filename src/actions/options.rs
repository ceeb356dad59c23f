//! What the config file says about actions and integrations (`spec/actions.md` 4, 5).
//!
//! Owns their shape, defaults and everything that can be checked without the world. Refuses to own running them. The settings
//! of a contract test have a file of their own (`contract_test::options`).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::model::problem::{Problem, Problems, nearest, pointer};
use crate::model::secret::{SecretSource, VisitSecret};
use crate::model::units::Span;

use super::contract_test::options::ContractTest;

/// What runs on events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// For people, up to 1,000 characters.
    #[serde(default)]
    pub description: String,
    /// Whether events start it.
    #[serde(default = "yes")]
    pub active: bool,
    /// The API whose events start it; absent: every API.
    #[serde(default)]
    pub api: Option<String>,
    /// Event types: exact names, `prefix.*` or `*`, 1-200 of them.
    pub events: Vec<String>,
    /// Expression over `event` and `data` that must be true.
    #[serde(default)]
    pub filter: Option<String>,
    /// Sends a payload to an integration. Exactly one of `custom` and `managed`.
    #[serde(default)]
    pub custom: Option<Custom>,
    /// Runs something that driftgate brings along. Exactly one of `custom` and `managed`.
    #[serde(default)]
    pub managed: Option<Managed>,
    /// How failed attempts are retried; the defaults depend on what runs.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Invocations at once: 1-64 (default 8) for custom actions, 1-16 (default 1) for managed ones.
    #[serde(default)]
    pub concurrency: Option<usize>,
}

/// A custom action: an integration and what it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// Name of the integration that is called.
    pub integration: String,
    /// Name of an auth provider; replaces the integration's.
    #[serde(default)]
    pub auth_provider: Option<String>,
    /// Parameters of the action, up to 32; text leaves are templates over `event` and `data`.
    #[serde(default)]
    pub context: BTreeMap<String, Value>,
    /// Headers of each request, up to 32; they win over the integration's.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
}

/// A managed action, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Managed {
    /// Asks a running API whether it does what a specification says.
    pub contract_test: ContractTest,
}

/// How failed attempts are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// First wait, doubled at each step: 1 second to 1 hour.
    pub base: Span,
    /// Longest wait, at most 24 hours.
    pub cap: Span,
    /// When to give up: 1 minute to 30 days after the event.
    pub deadline: Span,
}

/// Where custom actions send to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Integration {
    /// An HTTP receiver of signed requests.
    Webhook(WebhookIntegration),
}

/// An HTTP receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookIntegration {
    /// Unique name, 1-100 characters.
    pub name: String,
    /// http or https, at most 2,048 characters, no fragment.
    pub url: String,
    /// Headers of each request, up to 32.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// Name of an auth provider.
    #[serde(default)]
    pub auth_provider: Option<String>,
    /// Signing secrets, `whsec_…`; several are a rotation and all sign. None: requests are not signed.
    #[serde(default)]
    pub secrets: Vec<SecretSource>,
    /// How long a request may take.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// Limits of one request of an integration, each up to 900 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Span,
    /// Until the response head is there.
    pub head: Span,
    /// Until everything is there.
    pub total: Span,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Span::seconds(5), head: Span::seconds(30), total: Span::seconds(60) }
    }
}

impl Default for Retry {
    /// As for webhooks: 5 s, doubling up to 6 h, for 10 days.
    fn default() -> Self {
        Self {
            base: Span::seconds(5),
            cap: Span::seconds(6 * 3_600),
            deadline: Span::seconds(10 * 86_400),
        }
    }
}

impl Retry {
    /// Of managed actions: what a run has to say is stale after an hour.
    pub const MANAGED: Self =
        Self { base: Span::seconds(60), cap: Span::seconds(600), deadline: Span::seconds(3_600) };
}

const fn yes() -> bool {
    true
}

/// Names that other parts of the configuration define, which actions refer to.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    pub apis: BTreeSet<&'a str>,
    pub auth_providers: BTreeSet<&'a str>,
    pub integrations: BTreeSet<&'a str>,
}

impl Action {
    /// How failed attempts are retried, with the default of what runs.
    #[must_use]
    pub fn retry(&self) -> Retry {
        let default = if self.managed.is_some() { Retry::MANAGED } else { Retry::default() };
        self.retry.unwrap_or(default)
    }

    /// Invocations at once, with the default of what runs.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        let default = if self.managed.is_some() { 1 } else { 8 };
        self.concurrency.unwrap_or(default)
    }

    /// Shows each secret to `visit`.
    pub fn secrets(&mut self, visit: VisitSecret<'_>) {
        if let Some(custom) = &mut self.custom {
            visit_headers("/custom/headers", &mut custom.headers, visit);
        }
        if let Some(managed) = &mut self.managed {
            let headers = &mut managed.contract_test.headers;
            visit_headers("/managed/contract_test/headers", headers, visit);
        }
    }

    /// Reports everything wrong with this action; pointers are relative to it.
    pub fn check(&self, known: &Known<'_>, problems: &mut Problems) {
        check_name(&self.name, problems);
        if self.description.chars().count() > 1_000 {
            problems.push(out_of_range("/description", "it has more than 1,000 characters"));
        }
        if !(1..=200).contains(&self.events.len()) {
            problems.push(
                Problem::error(
                    "/events",
                    "action.no-events",
                    "an action needs 1 to 200 event types",
                )
                .remedy("name what starts it, `contract.drift.opened` for example"),
            );
        }
        if let Some(api) = &self.api {
            check_reference("/api", "API", api, &known.apis, problems);
        }
        self.retry().check(problems);
        self.check_what_runs(known, problems);
    }

    fn check_what_runs(&self, known: &Known<'_>, problems: &mut Problems) {
        match (&self.custom, &self.managed) {
            (Some(custom), None) => {
                let mut own = Problems::default();
                custom.check(known, &mut own);
                problems.extend_below("/custom", own);
                check_range("/concurrency", self.concurrency(), 1..=64, problems);
            }
            (None, Some(managed)) => {
                let mut own = Problems::default();
                managed.contract_test.check(known, &mut own);
                problems.extend_below("/managed/contract_test", own);
                check_range("/concurrency", self.concurrency(), 1..=16, problems);
            }
            _ => problems.push(
                Problem::error("", "action.one-of", "an action is either `custom` or `managed`")
                    .remedy("give exactly one of them"),
            ),
        }
    }
}

impl Custom {
    fn check(&self, known: &Known<'_>, problems: &mut Problems) {
        let (name, known_names) = (&self.integration, &known.integrations);
        check_reference("/integration", "integration", name, known_names, problems);
        if let Some(name) = &self.auth_provider {
            let known_names = &known.auth_providers;
            check_reference("/auth_provider", "auth provider", name, known_names, problems);
        }
        if self.context.len() > 32 {
            problems.push(out_of_range("/context", "it has more than 32 keys"));
        }
        check_headers(&self.headers, problems);
    }
}

impl Retry {
    fn check(self, problems: &mut Problems) {
        let within = |span: Span, least: u64, most: u64| {
            (Span::seconds(least)..=Span::seconds(most)).contains(&span)
        };
        if !within(self.base, 1, 3_600) {
            problems.push(out_of_range("/retry/base", "it is not between 1s and 1h"));
        }
        if self.cap < self.base || !within(self.cap, 1, 86_400) {
            problems.push(out_of_range("/retry/cap", "it is not between `base` and 24h"));
        }
        if !within(self.deadline, 60, 30 * 86_400) {
            problems.push(out_of_range("/retry/deadline", "it is not between 1m and 30d"));
        }
    }
}

impl Integration {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook(webhook) => &webhook.name,
        }
    }

    /// Shows each secret to `visit`.
    pub fn secrets(&mut self, visit: VisitSecret<'_>) {
        match self {
            Self::Webhook(webhook) => {
                visit_headers("/headers", &mut webhook.headers, visit);
                for (index, secret) in webhook.secrets.iter_mut().enumerate() {
                    visit(&format!("/secrets/{index}"), secret);
                }
            }
        }
    }

    /// Reports everything wrong with this integration; pointers are relative to it.
    pub fn check(&self, known: &Known<'_>, problems: &mut Problems) {
        check_name(self.name(), problems);
        match self {
            Self::Webhook(webhook) => webhook.check(known, problems),
        }
    }
}

impl WebhookIntegration {
    fn check(&self, known: &Known<'_>, problems: &mut Problems) {
        check_url("/url", &self.url, problems);
        check_headers(&self.headers, problems);
        if let Some(name) = &self.auth_provider {
            let known_names = &known.auth_providers;
            check_reference("/auth_provider", "auth provider", name, known_names, problems);
        }
        if self.secrets.len() > 5 {
            problems.push(out_of_range("/secrets", "at most 5 secrets can sign at once"));
        }
        let limit = Span::seconds(900);
        let Timeouts { connect, head, total } = self.timeouts;
        for (name, span) in [("connect", connect), ("head", head), ("total", total)] {
            if span > limit || span.0.is_zero() {
                let place = pointer("/timeouts", name);
                problems.push(out_of_range(place, "it is not between 1ms and 900s"));
            }
        }
    }
}

/// Checks all actions and integrations: each by itself, and that no name stands twice. Pointers begin with `/actions` and
/// `/integrations`.
pub fn check_all(
    actions: &[Action],
    integrations: &[Integration],
    known: &Known<'_>,
    problems: &mut Problems,
) {
    let mut names = BTreeSet::new();
    for (index, action) in actions.iter().enumerate() {
        let mut own = Problems::default();
        action.check(known, &mut own);
        if !names.insert((action.api.as_deref(), action.name.as_str())) {
            own.push(double_name("actions", &action.name));
        }
        problems.extend_below(&format!("/actions/{index}"), own);
    }
    let mut names = BTreeSet::new();
    for (index, integration) in integrations.iter().enumerate() {
        let mut own = Problems::default();
        integration.check(known, &mut own);
        if !names.insert(integration.name()) {
            own.push(double_name("integrations", integration.name()));
        }
        problems.extend_below(&format!("/integrations/{index}"), own);
    }
}

fn double_name(kind: &str, name: &str) -> Problem {
    Problem::error("/name", "action.double-name", format!("two {kind} are named `{name}`"))
        .remedy("rename one of them")
}

fn out_of_range(pointer: impl Into<String>, message: &str) -> Problem {
    Problem::error(pointer, "config.out-of-range", message)
}

fn check_range(
    pointer: &str,
    value: usize,
    range: std::ops::RangeInclusive<usize>,
    problems: &mut Problems,
) {
    if !range.contains(&value) {
        let message = format!("{value} is not between {} and {}", range.start(), range.end());
        problems.push(out_of_range(pointer, &message));
    }
}

fn check_name(name: &str, problems: &mut Problems) {
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        problems.push(
            Problem::error("/name", "action.bad-name", "a name has 1 to 100 printable characters")
                .remedy("choose a short name, `verify-contract` for example"),
        );
    }
}

/// A name that must be defined elsewhere in the configuration.
pub(super) fn check_reference(
    pointer: &str,
    kind: &str,
    name: &str,
    known: &BTreeSet<&str>,
    problems: &mut Problems,
) {
    if known.contains(name) {
        return;
    }
    let remedy = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("define the {kind} first"),
        None => {
            format!("known are {}", known.iter().copied().collect::<Vec<_>>().join(", "))
        }
    };
    let message = format!("there is no {kind} named `{name}`");
    problems.push(Problem::error(pointer, "action.unknown-reference", message).remedy(remedy));
}

pub(super) fn check_url(pointer: &str, text: &str, problems: &mut Problems) {
    let good = Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
    });
    if !good || text.len() > 2_048 {
        let message = format!("`{text}` is not an http or https URL without fragment");
        problems.push(
            Problem::error(pointer, "action.bad-url", message)
                .remedy("write it like `https://api.example.com/v1`"),
        );
    }
}

/// Names that belong to the protocol, the signature or the trace, and prefixes of such names.
const RESERVED_HEADERS: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "cookie",
    "traceparent",
    "tracestate",
    "baggage",
];
const RESERVED_PREFIXES: &[&str] = &["webhook-", "ce-", "driftgate-", "proxy-"];

/// Custom headers: known to be names, not ours, visible in value, 32 at most. Pointers begin with `/headers`.
pub(super) fn check_headers(headers: &BTreeMap<String, SecretSource>, problems: &mut Problems) {
    if headers.len() > 32 {
        problems.push(out_of_range("/headers", "there are more than 32 headers"));
    }
    for (name, source) in headers {
        let place = pointer("/headers", name);
        let lower = name.to_ascii_lowercase();
        let reserved = RESERVED_HEADERS.contains(&lower.as_str())
            || RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
        if reserved {
            let message = format!("`{name}` is set by driftgate");
            problems.push(
                Problem::error(place, "action.reserved-header", message).remedy("leave it out"),
            );
        } else if http::HeaderName::try_from(name.as_str()).is_err() || name.len() > 128 {
            let message = format!("`{name}` is not a header name");
            problems.push(
                Problem::error(place, "action.bad-header", message)
                    .remedy("use letters, digits and hyphens"),
            );
        } else if source.resolved().is_some_and(|value| !is_sendable(value.reveal())) {
            let message = format!("the value of `{name}` is not visible ASCII of at most 4 KiB");
            problems.push(
                Problem::error(place, "action.bad-header", message)
                    .remedy("check the file or variable it is read from"),
            );
        }
    }
}

fn is_sendable(value: &str) -> bool {
    value.len() <= 4_096 && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn visit_headers(
    place: &str,
    headers: &mut BTreeMap<String, SecretSource>,
    visit: VisitSecret<'_>,
) {
    for (name, source) in headers {
        visit(&pointer(place, name), source);
    }
}

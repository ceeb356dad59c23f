//! What the config file says about a contract test (`spec/contract-test.md` 1).
//!
//! Owns the form's fields, their defaults and checks. Refuses to own how a specification is found (`choice`) and what is sent
//! (`plan`, `execute`). The command line fills the same type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::actions::options::{Known, check_headers, check_reference, check_url};
use crate::model::problem::{Problem, Problems};
use crate::model::revision::RevisionId;
use crate::model::secret::SecretSource;
use crate::model::units::{Rate, Size, Span};

/// One contract test: what is tested against what, and how gently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContractTest {
    /// API URL: every operation below it is tested. Default: the upstream of the event's API.
    pub base_url: Option<String>,
    /// A single endpoint, as a URL whose path matches a template of the specification: only that path is tested.
    pub endpoint: Option<String>,
    /// On: test against the specification revision that the triggering event names, which asks whether the API does what it
    /// was seen doing. Off: test against `specification`, which asks whether the API keeps its promise.
    pub use_event_specification: bool,
    /// The API specification used when the switch is off or the event names none: a file, an http(s) URL, a revision id,
    /// `baseline` or `learned`.
    pub specification: Option<SpecificationSource>,
    /// Name of the auth provider whose credentials the requests carry.
    pub auth_provider: Option<String>,
    /// Headers of each request, up to 32.
    pub headers: BTreeMap<String, SecretSource>,
    /// What may be sent.
    pub mode: Mode,
    /// How much may be sent.
    pub budget: Budget,
    /// Requests per time, at most.
    pub rate: Rate,
    /// Requests at once, 1-16.
    pub concurrency: usize,
    /// Operations to test: globs over `METHOD /path`, tags or operation ids. Empty: all.
    pub include: Vec<String>,
    /// Operations not to test, as `include`; wins over it.
    pub exclude: Vec<String>,
    /// Operations that may be sent although a word of their path or id is in `unsafe_words`, as `include`.
    pub allow: Vec<String>,
    /// Words that make an operation too dangerous to send in safe mode.
    pub unsafe_words: Vec<String>,
    /// Fixed values of parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// Mildest violation that fails a run.
    pub fail_on: FailOn,
    /// Shortest time from the end of one run to the start of the next.
    pub min_interval: Span,
}

/// What a test may send (`spec/contract-test.md` 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing: the specification alone is judged.
    Observe,
    /// GET, HEAD and OPTIONS with values that the specification declares or the run has read.
    #[default]
    Safe,
}

/// The mildest violation that fails a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    Info,
    Low,
    #[default]
    Medium,
    High,
    Critical,
}

/// Limits of one run; they bind together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Requests. Default: the greater of 1,000 and 20 per operation.
    pub requests: Option<u64>,
    /// Time.
    pub duration: Span,
    /// Answer bytes read.
    pub bytes: Size,
    /// Requests per operation, 1-200.
    pub per_operation: u64,
}

impl Default for ContractTest {
    fn default() -> Self {
        Self {
            base_url: None,
            endpoint: None,
            use_event_specification: true,
            specification: None,
            auth_provider: None,
            headers: BTreeMap::new(),
            mode: Mode::default(),
            budget: Budget::default(),
            rate: Rate::per_second(5),
            concurrency: 2,
            include: Vec::new(),
            exclude: Vec::new(),
            allow: Vec::new(),
            unsafe_words: UNSAFE_WORDS.iter().map(|word| (*word).to_owned()).collect(),
            parameters: BTreeMap::new(),
            fail_on: FailOn::default(),
            min_interval: Span::seconds(60),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            requests: None,
            duration: Span::seconds(600),
            bytes: Size(256 << 20),
            per_operation: 200,
        }
    }
}

impl Budget {
    /// Requests of a run over this many operations.
    #[must_use]
    pub fn requests(&self, operations: usize) -> u64 {
        self.requests.unwrap_or_else(|| 1_000.max(20 * operations as u64))
    }
}

impl Mode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Safe => "safe",
        }
    }
}

impl FailOn {
    #[must_use]
    pub fn severity(self) -> crate::model::finding::Severity {
        use crate::model::finding::Severity;
        match self {
            Self::Info => Severity::Info,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

/// Words of operations that do something even when asked by GET. Compared as whole words of path segments and operation ids
/// (`/orders/{id}/send-reminder`, `triggerBuild`).
pub const UNSAFE_WORDS: &[&str] = &[
    "activate",
    "approve",
    "archive",
    "cancel",
    "charge",
    "checkout",
    "clear",
    "close",
    "confirm",
    "create",
    "deactivate",
    "delete",
    "deploy",
    "destroy",
    "disable",
    "drop",
    "empty",
    "enable",
    "erase",
    "execute",
    "expire",
    "flush",
    "invalidate",
    "kill",
    "lock",
    "logout",
    "notify",
    "pay",
    "publish",
    "purchase",
    "purge",
    "quit",
    "reboot",
    "refund",
    "regenerate",
    "reindex",
    "reject",
    "reload",
    "remove",
    "reset",
    "restart",
    "restore",
    "resume",
    "revoke",
    "rotate",
    "run",
    "send",
    "shutdown",
    "signout",
    "start",
    "stop",
    "subscribe",
    "suspend",
    "sync",
    "terminate",
    "trigger",
    "truncate",
    "unlock",
    "unregister",
    "unsubscribe",
    "wipe",
];

/// Where the predefined specification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecificationSource {
    /// The API's current baseline.
    Baseline,
    /// The API's newest learned revision.
    Learned,
    /// A revision that this instance keeps.
    Revision(RevisionId),
    /// Read through the guarded client at each run.
    Url(String),
    /// Relative to the config file until `config` has made it absolute.
    File(PathBuf),
}

impl SpecificationSource {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(revision) = RevisionId::parse(text) {
            return Self::Revision(revision);
        }
        match text {
            "baseline" => Self::Baseline,
            "learned" => Self::Learned,
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Self::Url(url.to_owned())
            }
            path => Self::File(path.into()),
        }
    }
}

impl fmt::Display for SpecificationSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => formatter.write_str("baseline"),
            Self::Learned => formatter.write_str("learned"),
            Self::Revision(id) => id.fmt(formatter),
            Self::Url(url) => formatter.write_str(url),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl Serialize for SpecificationSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SpecificationSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

impl JsonSchema for SpecificationSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpecificationSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl ContractTest {
    /// Reports everything wrong with this test; pointers are relative to it.
    pub fn check(&self, known: &Known<'_>, problems: &mut Problems) {
        self.check_target(problems);
        if !self.use_event_specification && self.specification.is_none() {
            let message = "without the event's specification there is none to test against";
            problems.push(
                Problem::error("/specification", "action.no-specification", message)
                    .remedy("set `specification`, or switch `use_event_specification` on"),
            );
        }
        if let Some(name) = &self.auth_provider {
            let names: &BTreeSet<&str> = &known.auth_providers;
            check_reference("/auth_provider", "auth provider", name, names, problems);
        }
        check_headers(&self.headers, problems);
        self.check_limits(problems);
    }

    fn check_target(&self, problems: &mut Problems) {
        for (place, url) in [("/base_url", &self.base_url), ("/endpoint", &self.endpoint)] {
            if let Some(url) = url {
                check_url(place, url, problems);
            }
        }
        if self.base_url.is_some() && self.endpoint.is_some() {
            problems.push(
                Problem::error(
                    "/endpoint",
                    "action.one-of",
                    "`base_url` and `endpoint` exclude each other",
                )
                .remedy("keep `endpoint` to test one path, `base_url` to test all"),
            );
        }
    }

    fn check_limits(&self, problems: &mut Problems) {
        let outside = |place, message| Problem::error(place, "config.out-of-range", message);
        if !(1..=16).contains(&self.concurrency) {
            problems.push(outside("/concurrency", "it is not between 1 and 16"));
        }
        if self.budget.requests == Some(0) {
            problems.push(outside("/budget/requests", "a test without requests tests nothing"));
        }
        if self.budget.duration.0.is_zero() || self.budget.duration > Span::seconds(86_400) {
            problems.push(outside("/budget/duration", "it is not between 1ms and 24h"));
        }
        if !(1..=200).contains(&self.budget.per_operation) {
            problems.push(outside("/budget/per_operation", "it is not between 1 and 200"));
        }
    }
}

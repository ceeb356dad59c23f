//! What came of a run, as data (`spec/contract-test.md` 10).
//!
//! Owns the record that every report is rendered from, and the rules that turn counts into outcomes: inconclusive is never
//! green. Refuses to own collecting (`execute`) and wording (`report`). Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::finding::{Direction, Location, Severity};
use crate::model::revision::RevisionId;

use super::options::{FailOn, Mode};

/// Everything a run has to say. Holds no secret and, of values, only what stands in the cases' paths and queries.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: String,
    pub seed: u64,
    pub mode: Mode,
    /// Base URL or endpoint, without credentials.
    pub target: String,
    /// None: there was none to test against.
    pub specification: Option<Used>,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub duration_ms: u64,
    pub requests: u64,
    /// Answer bytes read.
    pub bytes: u64,
    pub fail_on: FailOn,
    pub status: Status,
    /// Why it could not run, or ended early.
    pub reason: Option<Cause>,
    /// In the order of the plan.
    pub operations: Vec<OperationResult>,
    /// One per fingerprint, worst first.
    pub violations: Vec<Violation>,
    /// What the specification itself does wrong: warnings of its reader, ready to print.
    pub lints: Vec<String>,
}

/// The specification that a run used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub source: Source,
    pub revision: RevisionId,
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// Where it was read from, for people.
    pub place: String,
}

/// Which of the two switches chose it (`spec/contract-test.md` 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The revision that the triggering event names.
    Event,
    /// The API Specification, because the event named none or its revision cannot be used; the reason.
    Fallback(String),
    /// The API Specification, because the switch is off.
    Predefined,
}

impl Source {
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Fallback(_) => "fallback",
            Self::Predefined => "predefined",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Passed,
    /// A violation at or above `fail_on`.
    Failed,
    /// Too little could be decided.
    Inconclusive,
    /// Nothing could run.
    Errored,
    /// Stopped before its end.
    Aborted,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Errored => "errored",
            Self::Aborted => "aborted",
        }
    }

    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Errored => 2,
            Self::Inconclusive => 3,
            Self::Aborted => 4,
        }
    }
}

/// Why a run errored or was aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `no_specification`, `unreachable`, `credentials`, `budget`, … stable.
    pub code: &'static str,
    /// One sentence with the remedy.
    pub message: String,
}

/// What came of one operation.
#[derive(Debug, Clone)]
pub struct OperationResult {
    pub method: String,
    pub template: String,
    pub id: Option<String>,
    pub outcome: Outcome,
    pub tally: Tally,
    /// Checks that applied, and whether each held.
    pub checks: BTreeMap<Check, bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// How many distinct ones.
    Violations(usize),
    Inconclusive(Doubt),
    Skipped(Skip),
    /// A limit was reached before it.
    NotReached,
    /// Mode observe: the document alone was judged.
    NotSent,
}

/// Why an operation is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// `include` or `exclude` say so.
    Excluded,
    /// The mode does not send this method.
    Method,
    /// A word of `unsafe_words` in its path or id.
    Unsafe(String),
    /// Not the endpoint that is tested.
    OtherEndpoint,
}

/// Why an operation could not be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// At least 90 % 401 or 403.
    Auth,
    /// At least 90 % 404 and no 2xx.
    NoData,
    /// No value for these parameters may be sent.
    NoValue(Vec<String>),
    /// At least 90 % of the positive cases refused.
    Rejected,
    /// No positive case was accepted.
    NoPositive,
    /// No body could be judged.
    Undecoded,
    /// 405 throughout.
    Method,
    /// At least half 429.
    Limited,
    /// No answers.
    Unavailable(String),
}

impl Doubt {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::NoData | Self::NoValue(_) => "no_data",
            Self::Rejected => "rejected",
            Self::NoPositive => "no_positive",
            Self::Undecoded => "undecoded",
            Self::Method => "method",
            Self::Limited => "limited",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// The families of checks (`spec/contract-test.md` 5) that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    ServerError,
    Status,
    ContentType,
    BodyParseable,
    ResponseSchema,
    ResponseStrict,
    ResponseHeaders,
    PositiveAccepted,
    AuthEnforced,
    AuthOverdemanded,
}

impl Check {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServerError => "server-error",
            Self::Status => "status",
            Self::ContentType => "content-type",
            Self::BodyParseable => "body-parseable",
            Self::ResponseSchema => "response-schema",
            Self::ResponseStrict => "response-strict",
            Self::ResponseHeaders => "response-headers",
            Self::PositiveAccepted => "positive-accepted",
            Self::AuthEnforced => "auth-enforced",
            Self::AuthOverdemanded => "auth-overdemanded",
        }
    }
}

/// One violated promise, seen at least once.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Equal for drift and contract tests at one place.
    pub fingerprint: String,
    pub check: Check,
    /// One of the kinds of `spec/contract.md` 4 or, of contract tests alone, `server.error`.
    pub kind: String,
    pub severity: Severity,
    pub direction: Direction,
    pub method: String,
    pub template: String,
    pub location: Location,
    /// What the contract says, as a shape.
    pub expected: Value,
    /// What was seen, as a shape.
    pub observed: Value,
    pub reproduced: Reproduced,
    /// Exchanges that showed it, repetitions aside.
    pub count: u64,
    pub case: String,
    pub scenario: String,
    /// Status of the first answer that showed it.
    pub status: u16,
    /// A command line that shows it, credentials as `$DRIFTGATE_AUTH`.
    pub curl: String,
    /// JSON pointer of the operation in the specification as written.
    pub pointer: String,
}

/// How often a violation showed among the times its request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reproduced {
    pub times: u8,
    pub of: u8,
}

impl Reproduced {
    /// Once in three: reported, and fails nothing.
    #[must_use]
    pub fn is_flaky(self) -> bool {
        self.of >= 3 && self.times < 2
    }
}

/// What the answers of an operation were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Positive requests that were answered.
    pub answered: u64,
    /// Requests without an answer, and what became of the last one.
    pub unanswered: u64,
    pub last_failure: Option<String>,
    pub statuses: BTreeMap<u16, u64>,
    /// 2xx answers whose body is documented, and how many of them could be judged.
    pub bodies: u64,
    pub bodies_judged: u64,
    /// Cases that the server would not read as meant; sent, but proving nothing.
    pub neutralised: u64,
}

impl Tally {
    fn count(&self, matches: impl Fn(u16) -> bool) -> u64 {
        self.statuses.iter().filter(|(status, _)| matches(**status)).map(|(_, n)| n).sum()
    }

    /// Why the answers decide nothing, if they do not.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        let all = self.answered;
        if all == 0 {
            let why = self.last_failure.clone().unwrap_or_else(|| "nothing was sent".to_owned());
            return Some(Doubt::Unavailable(why));
        }
        let most = |some: u64| some * 10 >= all * 9;
        let accepted = self.count(|status| (200..400).contains(&status));
        if self.count(|status| status == 429) * 2 >= all {
            Some(Doubt::Limited)
        } else if most(self.count(|status| matches!(status, 401 | 403))) {
            Some(Doubt::Auth)
        } else if self.count(|status| status == 405) == all {
            Some(Doubt::Method)
        } else if accepted == 0 && most(self.count(|status| status == 404)) {
            Some(Doubt::NoData)
        } else if most(self.count(|status| matches!(status, 400 | 415 | 422))) {
            Some(Doubt::Rejected)
        } else if accepted == 0 {
            Some(Doubt::NoPositive)
        } else if self.bodies > 0 && self.bodies_judged == 0 {
            Some(Doubt::Undecoded)
        } else {
            None
        }
    }
}

impl OperationResult {
    /// Whether the operation was to be tested at all.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        !matches!(self.outcome, Outcome::Skipped(_))
    }
}

impl Violation {
    /// Whether it fails a run with this threshold.
    #[must_use]
    pub fn fails(&self, fail_on: FailOn) -> bool {
        !self.reproduced.is_flaky() && self.severity >= fail_on.severity()
    }
}

impl Run {
    /// 100 × mean over selected operations of (checks passed / checks applicable), inconclusive and not reached = 0. None
    /// where nothing was selected or nothing was sent.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let selected: Vec<_> = self.operations.iter().filter(|one| one.is_selected()).collect();
        if selected.is_empty() || self.mode == Mode::Observe {
            return None;
        }
        let sum: f64 = selected.iter().map(|operation| share_passed(operation)).sum();
        #[expect(clippy::cast_precision_loss, reason = "operations are at most 20,000")]
        let mean = sum / selected.len() as f64;
        Some((mean * 1_000.0).round() / 10.0)
    }

    /// Distinct operations by what became of them: passed, failed, inconclusive, skipped, not reached.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let names = ["passed", "failed", "inconclusive", "skipped", "not_reached"];
        let mut counts: BTreeMap<_, _> = names.into_iter().map(|name| (name, 0)).collect();
        for operation in &self.operations {
            let name = match operation.outcome {
                Outcome::Passed | Outcome::NotSent => "passed",
                Outcome::Violations(_) => "failed",
                Outcome::Inconclusive(_) => "inconclusive",
                Outcome::Skipped(_) => "skipped",
                Outcome::NotReached => "not_reached",
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    /// Operations with a violation that counts, for the events: their `METHOD /template`.
    #[must_use]
    pub fn failing_operations(&self) -> BTreeSet<String> {
        let failing = self.violations.iter().filter(|violation| violation.fails(self.fail_on));
        failing.map(|violation| format!("{} {}", violation.method, violation.template)).collect()
    }

    /// The outcome of a run that came to its end or was cut by a limit: failed before inconclusive before passed.
    #[must_use]
    pub fn verdict(&self) -> Status {
        if self.violations.iter().any(|violation| violation.fails(self.fail_on)) {
            return Status::Failed;
        }
        let open = |operation: &OperationResult| {
            matches!(operation.outcome, Outcome::Inconclusive(_) | Outcome::NotReached)
        };
        let nothing = !self.operations.iter().any(OperationResult::is_selected);
        if nothing || self.operations.iter().any(open) {
            Status::Inconclusive
        } else {
            Status::Passed
        }
    }
}

fn share_passed(operation: &OperationResult) -> f64 {
    if !matches!(operation.outcome, Outcome::Passed | Outcome::Violations(_)) {
        return 0.0;
    }
    let passed = operation.checks.values().filter(|held| **held).count();
    #[expect(clippy::cast_precision_loss, reason = "there are a dozen checks")]
    let share = passed as f64 / operation.checks.len().max(1) as f64;
    share
}

//! Stand-ins for what `app` implements, and one webhook that answers as it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::{Configuration, Directory, Health, Inventory, Probe, Refusal, dto};
use crate::bus::{Matcher, Matches};
use crate::deliver::{self, Context, Destination, Destinations, Report, schedule};
use crate::model::delivery::OutcomeKind;
use crate::model::event::Event;
use crate::model::problem::{Problem, Problems};

pub(super) const HOOK: &str = "whk_0123456789abcdefghjkmnpqrs";
/// Must never be seen in an answer.
pub(super) const SECRET: &str = "planted-secret";

pub(super) struct Fakes {
    /// Reasons to say no, to every probe.
    pub(super) failing: Mutex<Vec<String>>,
    /// What the webhook answers.
    pub(super) status: AtomicU16,
    pub(super) reload_fails: AtomicBool,
    /// Lets `apis` hang until notified.
    pub(super) hangs: AtomicBool,
    pub(super) release: Notify,
    /// Calls of `apis`.
    pub(super) asked: AtomicU16,
    pub(super) frozen: Mutex<Vec<(String, String)>>,
    /// Decisions about findings, as they came.
    pub(super) decided: Mutex<Vec<String>>,
    pub(super) evidence: AtomicU16,
}

impl Default for Fakes {
    fn default() -> Self {
        Self {
            failing: Mutex::default(),
            status: AtomicU16::new(204),
            reload_fails: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            release: Notify::new(),
            asked: AtomicU16::new(0),
            frozen: Mutex::default(),
            decided: Mutex::default(),
            evidence: AtomicU16::new(1),
        }
    }
}

fn baseline() -> dto::Baseline {
    dto::Baseline {
        state: dto::BaselineState::Learning,
        revision: None,
        origin: None,
        since: None,
        ready: 1,
        seen: 2,
        lacks: "1 of 2 operations are ready".to_owned(),
    }
}

fn api(name: &str) -> dto::Api {
    dto::Api {
        id: format!("api_{name}"),
        name: name.to_owned(),
        origin: "file".to_owned(),
        hosts: Vec::new(),
        path_prefix: "/".to_owned(),
        upstream: Some("http://127.0.0.1:3000".to_owned()),
        baseline: baseline(),
        operations: dto::OperationCounts { draft: 1, ready: 1, silent: 0 },
        exchanges: dto::ExchangeCounts { seen: 7, learned: 5, judged: 0 },
        left_out: [("asset".to_owned(), 2)].into(),
        findings: [("high".to_owned(), 1)].into(),
        last_seen: Some(dto::Time(1_700_000_000_125)),
    }
}

#[async_trait]
impl Inventory for Fakes {
    async fn apis(&self) -> Vec<dto::Api> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        if self.hangs.load(Ordering::Acquire) {
            self.release.notified().await;
        }
        vec![api("orders"), api("empty")]
    }

    async fn operations(&self, _api: &str) -> Result<Vec<dto::Operation>, Refusal> {
        Ok(vec![dto::Operation {
            id: "op_1".to_owned(),
            method: "GET".to_owned(),
            template: "/orders/{orderId}".to_owned(),
            state: dto::OperationState::Ready,
            relation: Some(dto::Relation::Undocumented),
            n: 5,
            statuses: vec!["200".to_owned()],
        }])
    }

    async fn specification(
        &self,
        api: &str,
        question: &dto::SpecificationQuery,
    ) -> Result<dto::Document, Refusal> {
        if api == "empty" {
            let detail = "nothing is proven: 1 operation was seen, 2 of 3 exchanges are needed";
            return Err(Refusal::missing("spec.nothing-learned", detail));
        }
        let evidence = self.evidence.load(Ordering::Acquire);
        Ok(dto::Document {
            revision: format!("sha256:{}", "0123456789abcdef".repeat(4)),
            origin: "learned",
            dialect: question.openapi.unwrap_or_default(),
            format: question.format.unwrap_or_default(),
            text: format!("openapi: x # {evidence}\n").into(),
            losses: Vec::new(),
        })
    }

    async fn revisions(&self, _api: &str) -> Result<Vec<dto::Revision>, Refusal> {
        Ok(vec![dto::Revision {
            id: format!("sha256:{}", "0".repeat(64)),
            origin: "learned".to_owned(),
            created: dto::Time(0),
            reason: "frozen by hand".to_owned(),
            parent: None,
            baseline: true,
        }])
    }

    async fn baseline(&self, _api: &str) -> Result<dto::Baseline, Refusal> {
        Ok(baseline())
    }

    async fn decide(
        &self,
        (api, fingerprint): (&str, &str),
        decision: &dto::Decision,
        (reason, by): (&str, &str),
    ) -> Result<dto::Finding, Refusal> {
        self.decided.lock().push(format!("{api} {fingerprint} {decision:?} {reason} {by}"));
        Err(Refusal::conflict("finding.not-allowed", "it is resolved").allowed(["reopen"]))
    }

    async fn promote(
        &self,
        _api: &str,
        order: &dto::PromoteOrder,
        _by: &str,
    ) -> Result<dto::Promoted, Refusal> {
        let explained = order.findings.iter().map(|finding| finding.id.clone()).collect();
        Ok(dto::Promoted { revision: "sha256:1".to_owned(), explained, patch: Vec::new() })
    }

    async fn hold(
        &self,
        _api: &str,
        order: &dto::HoldOrder,
        _by: &str,
    ) -> Result<dto::Baseline, Refusal> {
        Ok(dto::Baseline { revision: Some(order.revision.clone()), ..baseline() })
    }

    async fn upload(&self, _api: &str, text: String, _by: &str) -> Result<dto::Uploaded, Refusal> {
        let operations = text.len() as u64;
        Ok(dto::Uploaded { revision: "sha256:2".to_owned(), operations, lints: Vec::new() })
    }

    async fn freeze(
        &self,
        api: &str,
        order: &dto::FreezeOrder,
        by: &str,
    ) -> Result<dto::Frozen, Refusal> {
        if !order.force {
            let detail = "GET /orders/{orderId} lacks 295 exchanges and 2 hours";
            return Err(Refusal::conflict("baseline.not-ready", detail));
        }
        self.frozen.lock().push((api.to_owned(), by.to_owned()));
        Ok(dto::Frozen { revision: "sha256:0".to_owned(), operations: 1, forced: Vec::new() })
    }
}

impl Health for Fakes {
    fn failing(&self, _probe: Probe) -> Vec<String> {
        self.failing.lock().clone()
    }

    fn parts(&self) -> Vec<dto::Part> {
        vec![dto::Part {
            name: "store".to_owned(),
            state: dto::PartState::Ok,
            code: String::new(),
            since: None,
            detail: String::new(),
            remedy: String::new(),
            numbers: serde_json::Map::new(),
        }]
    }
}

#[async_trait]
impl Configuration for Fakes {
    fn effective(&self) -> Value {
        json!({ "admin": { "address": { "value": "127.0.0.1:0", "origin": "file" } } })
    }

    async fn reload(&self) -> Result<dto::Reloaded, Refusal> {
        if self.reload_fails.load(Ordering::Acquire) {
            let problem =
                Problem::error("/apis/0/upstrem", "config.unknown-key", "`upstrem` is not known");
            let problems = Problems(vec![problem.remedy("did you mean `upstream`?")]);
            let detail = "the file has 1 problem; the former configuration goes on";
            return Err(Refusal::invalid("config.invalid", detail, &problems));
        }
        Ok(dto::Reloaded { generation: 2, changed: Vec::new(), restart_needed: Vec::new() })
    }
}

impl Directory for Fakes {
    fn webhooks(&self) -> Vec<dto::Webhook> {
        vec![dto::Webhook {
            id: HOOK.to_owned(),
            name: "slack".to_owned(),
            version: 1,
            origin: "file",
            url: format!("https://user:{SECRET}@hooks.example/x"),
            events: vec!["contract.*".to_owned()],
            api: None,
            active: true,
            format: "cloudevents".to_owned(),
            deliveries: BTreeMap::default(),
        }]
    }

    fn actions(&self) -> Vec<dto::Action> {
        vec![dto::Action {
            id: "act_0123456789abcdefghjkmnpqrs".to_owned(),
            name: "verify".to_owned(),
            description: String::new(),
            kind: "managed",
            origin: "file",
            events: vec!["contract.drift.opened".to_owned()],
            api: None,
            active: true,
            deliveries: BTreeMap::default(),
        }]
    }
}

impl Matcher for Fakes {
    fn matches(&self, _event: &Event) -> Matches {
        Matches { deliveries: vec![HOOK.to_owned()], skips: Vec::new() }
    }
}

impl Destinations for Fakes {
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>> {
        (id == HOOK).then(|| Arc::new(Hook(self.status.load(Ordering::Acquire))) as _)
    }
}

struct Hook(u16);

#[async_trait]
impl Destination for Hook {
    fn policy(&self) -> deliver::Policy {
        deliver::Policy { retry: schedule::Policy::default(), concurrency: 8, hold: None }
    }

    async fn attempt(&self, _context: Context) -> Report {
        let outcome = if self.0 < 300 { OutcomeKind::Ok } else { OutcomeKind::ServerError };
        let error = (outcome != OutcomeKind::Ok).then(|| format!("answered {}", self.0));
        Report {
            status: Some(self.0),
            error,
            url: "https://hooks.example/x".to_owned(),
            request_headers: vec![("authorization".to_owned(), "***".to_owned())],
            response_headers: vec![("server".to_owned(), "test".to_owned())],
            response_body: b"thanks \xff".to_vec(),
            ..Report::unsent(outcome, String::new())
        }
    }
}

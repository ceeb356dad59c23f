//! What a turn of the analysis wants written: events to raise and changes to store, in one transaction.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::contract::patch::Patch;
use crate::contract::{Change as Life, Storm, Transition, render};
use crate::events::{Raise, one_change};
use crate::infer::Published;
use crate::model::event::Event;
use crate::model::finding::Finding;
use crate::model::revision::{Revision, RevisionId};
use crate::store::{self, Change};

use super::operations::News;

/// Kind of the object in which drift's memory of an API is kept.
pub(super) const MEMORY: &str = "drift-memory";

/// Kind of the object in which decisions and names of an API's learned revisions are kept.
pub(super) const PUBLISHED: &str = "published";

/// Collected in the order in which it happened.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) events: Vec<Event>,
    pub(super) changes: Vec<Change>,
}

impl Effects {
    /// Everything so far, if anything; the collection is empty afterwards.
    pub(super) fn take(&mut self) -> Option<(Vec<Event>, Vec<Change>)> {
        if self.events.is_empty() && self.changes.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut self.events), std::mem::take(&mut self.changes)))
    }

    /// A step in the life of a finding: its event, unless the storm limit silenced it.
    pub(super) fn transition(
        &mut self,
        transition: Transition,
        patches: &[Patch],
        (now_ms, raise): (i64, &Raise),
    ) {
        if transition.silent {
            return;
        }
        let kind = match transition.change {
            Life::Opened => "contract.drift.opened",
            Life::Updated => "contract.drift.updated",
            Life::Resolved => "contract.drift.resolved",
            Life::Reopened => "contract.drift.reopened",
        };
        let finding = &transition.finding;
        let mut data = render::event_data(finding);
        if let Some(first) = patches.first() {
            data["suggested_patch"] = json!(first);
            data["patch_alternatives"] = json!(patches.len());
        }
        let mut event = raise.event(kind, Some(&finding.api), now_ms, &data);
        event.subject = Some(format!("{} {}", finding.method, finding.template));
        event.partitionkey = format!("{} {} {}", finding.api, finding.method, finding.template);
        event.severitytext = Some(finding.severity.as_str().to_owned());
        event.exchangeid = transition.exchange;
        self.events.push(event);
    }

    /// A finding as it is now, with what its counter needs after a restart.
    pub(super) fn finding(&mut self, finding: Finding, state: &Value) {
        self.changes.push(Change::finding(finding, state.to_string()));
    }

    /// A finding that is not kept any more.
    pub(super) fn forgotten(&mut self, api: &Arc<str>, fingerprint: String) {
        let (api, version) = (Arc::clone(api), String::new());
        self.changes.push(Change::FindingGone { api, version, fingerprint });
    }

    /// What drift remembers of an API besides its findings.
    pub(super) fn memory(&mut self, api: &Arc<str>, memory: &Value, now_ms: i64) {
        self.object(MEMORY, api, memory, now_ms);
    }

    /// What was said in a learned revision, for those to come.
    pub(super) fn published(&mut self, api: &Arc<str>, published: &Published, now_ms: i64) {
        self.object(PUBLISHED, api, &published.to_value(), now_ms);
    }

    fn object(&mut self, kind: &'static str, api: &Arc<str>, body: &Value, now_ms: i64) {
        self.changes.push(Change::Object(store::Object {
            kind,
            id: api.to_string(),
            name: api.to_string(),
            origin: store::ObjectOrigin::Api,
            version: now_ms.unsigned_abs(),
            body: body.to_string(),
            updated_ms: now_ms,
        }));
    }

    /// Findings that opened without an event of their own, told by one.
    pub(super) fn storm(&mut self, api: &Arc<str>, storm: &Storm, (now_ms, raise): (i64, &Raise)) {
        let data = json!({
            "count": storm.count,
            "cause": storm.cause,
            "first_fingerprint": storm.first,
            "last_fingerprint": storm.last,
            "spec_revision": storm.revision.as_str(),
        });
        self.events.push(raise.event("contract.drift.storm", Some(api), now_ms, &data));
    }

    /// A bound on what is learned of an API bit; with its value, where it is one that can be set.
    pub(super) fn limited(
        &mut self,
        api: &Arc<str>,
        (limit, value): (&str, Option<u64>),
        (now_ms, raise): (i64, &Raise),
    ) {
        let data = json!({ "limit": limit, "value": value });
        self.events.push(raise.event("inference.limited", Some(api), now_ms, &data));
    }

    /// A learned revision and the news of it: what became of its operations, then that there is a newer document.
    pub(super) fn learned(
        &mut self,
        revision: Revision,
        first: bool,
        (operations, news): (usize, &[News]),
        raise: &Raise,
    ) {
        let mut events: Vec<Event> =
            news.iter().map(|news| operation(news, &revision, raise)).collect();
        let kind = if first { "documentation.created" } else { "documentation.updated" };
        let data = json!({
            "object": { "api": &*revision.api, "operations": operations },
            "actor": "traffic",
            "spec_revision": revision.id.as_str(),
            "event_specification": revision.id.as_str(),
            "parent": revision.parent.as_ref().map(RevisionId::as_str),
            "reason": revision.reason,
        });
        events.push(raise.event(kind, Some(&revision.api), revision.created_ms, &data));
        self.events.extend(one_change(events));
        self.changes.push(Change::Revision(revision));
    }

    /// The news of a revision that becomes the baseline.
    pub(super) fn baseline(
        &mut self,
        (kind, revision): (&'static str, &Revision),
        former: Option<&RevisionId>,
        (by, raise): (&str, &Raise),
    ) {
        let data = json!({
            "object": { "api": &*revision.api },
            "spec_revision": revision.id.as_str(),
            "event_specification": revision.id.as_str(),
            "previous_revision": former.map(RevisionId::as_str),
            "reason": revision.reason,
            "actor": by,
        });
        self.events.push(raise.event(kind, Some(&revision.api), revision.created_ms, &data));
    }
}

fn operation(news: &News, revision: &Revision, raise: &Raise) -> Event {
    let api = &*revision.api;
    let data = json!({
        "object": { "api": api, "id": news.id, "method": news.method, "template": news.template },
        "changed": news.changed,
        "actor": "traffic",
        "spec_revision": revision.id.as_str(),
        "event_specification": revision.id.as_str(),
    });
    let mut event = raise.event(news.kind, Some(api), revision.created_ms, &data);
    event.subject = Some(format!("{} {}", news.method, news.template));
    event.partitionkey = format!("{api} {} {}", news.method, news.template);
    event
}

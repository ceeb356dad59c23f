//! What a turn of the analysis wants written: events to raise and changes to store, in one transaction.

use serde_json::{Value, json};

use crate::contract::{Change as Life, Transition, render};
use crate::events::Raise;
use crate::model::event::Event;
use crate::model::finding::Finding;
use crate::model::revision::Revision;
use crate::store::{self, Change};

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
    pub(super) fn transition(&mut self, transition: Transition, now_ms: i64, raise: &Raise) {
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
        let mut event = raise.event(kind, Some(&finding.api), now_ms, &render::event_data(finding));
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

    /// A learned revision and the news of it.
    pub(super) fn learned(
        &mut self,
        revision: Revision,
        first: bool,
        operations: usize,
        raise: &Raise,
    ) {
        let kind = if first { "documentation.created" } else { "documentation.updated" };
        let data = json!({
            "object": { "api": &*revision.api, "operations": operations },
            "spec_revision": revision.id.as_str(),
            "event_specification": revision.id.as_str(),
            "parent": revision.parent.as_ref().map(crate::model::revision::RevisionId::as_str),
            "reason": revision.reason,
        });
        let event = raise.event(kind, Some(&revision.api), revision.created_ms, &data);
        self.events.push(event);
        self.changes.push(Change::Revision(revision));
    }

    /// A revision that becomes the baseline, and the news of it.
    pub(super) fn frozen(
        &mut self,
        revision: Revision,
        by: &str,
        operations: usize,
        raise: &Raise,
    ) {
        let data = json!({
            "object": { "api": &*revision.api, "operations": operations },
            "spec_revision": revision.id.as_str(),
            "event_specification": revision.id.as_str(),
            "reason": revision.reason,
            "actor": by,
        });
        let event = raise.event(
            "contract.baseline.frozen",
            Some(&revision.api),
            revision.created_ms,
            &data,
        );
        self.events.push(event);
        self.changes.push(Change::Baseline(store::Baseline {
            api: revision.api.clone(),
            revision: revision.id.clone(),
            since_ms: revision.created_ms,
            file_hash: None,
            reason: revision.reason.clone(),
        }));
        self.changes.push(Change::Revision(revision));
    }
}

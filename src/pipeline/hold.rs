//! Another baseline: promoted from findings, chosen among the kept revisions, frozen from what was learned.
//!
//! Owns the order: prepared and read back, stored with its news in one transaction, and only then held. If any of that fails
//! the old baseline stays. Refuses to own what is learned (`revise`) and how documents are changed (`contract::patch`).

use std::sync::Arc;

use serde_json::Value;

use super::api::{Api, BaselineSetting};
use super::effects::Effects;
use super::revise::{Candidate, read};
use super::view::{AnswerBody, Promoted, Question, Which};
use super::{Error, HoldOrder, PromoteOrder};
use crate::contract::patch::{self, Patch};
use crate::infer::{self, Dialect, View};
use crate::model::finding::Finding;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::store::{self, Change};

impl Api {
    /// The baseline with the chosen patches of some findings.
    ///
    /// # Errors
    /// When nothing is held yet, it is another revision than the caller saw, a finding or its patch does not exist, a patch
    /// does not fit, or the result is no specification.
    pub(super) fn promotion(
        &self,
        order: &PromoteOrder,
        now_ms: i64,
    ) -> Result<(Candidate, Promoted), Error> {
        let held = self.baseline.as_ref().ok_or(Error::NoBaseline)?;
        let in_force = &held.baseline.revision;
        if order.base.as_ref().is_some_and(|base| !in_force.as_str().contains(base.as_str())) {
            return Err(Error::BaselineChanged(in_force.clone()));
        }
        let mut document = Value::clone(&held.baseline.specification.document);
        let mut whole = Patch::new();
        let mut findings = Vec::new();
        for (fingerprint, choice) in &order.findings {
            let missing = || Error::NoSuchFinding(fingerprint.clone());
            let finding = self.drift.finding(fingerprint).ok_or_else(missing)?;
            let chosen = patch::suggest(&document, finding).into_iter().nth(*choice);
            let chosen = chosen.ok_or_else(|| Error::NoSuchPatch(fingerprint.clone()))?;
            document = patch::apply(&document, &chosen)
                .map_err(|failed| Error::Unfit { fingerprint: fingerprint.clone(), failed })?;
            whole.extend(chosen);
            findings.push(fingerprint.clone());
        }
        let text = if held.text.trim_start().starts_with('{') {
            format!("{document:#}\n")
        } else {
            infer::yaml::write(&document)
        };
        let revision = Revision {
            id: RevisionId::of(&document),
            api: Arc::clone(self.name()),
            origin: Origin::Promoted,
            text: text.into(),
            created_ms: now_ms,
            parent: Some(in_force.clone()),
            reason: format!("{} ({})", order.reason, findings.join(", ")),
        };
        let specification = read(&revision).map_err(Error::Unusable)?;
        let promoted =
            Promoted { revision: revision.id.clone(), explained: Vec::new(), patch: whole };
        let specification = Arc::new(specification);
        Ok((Candidate { specification, revision, accepts: findings }, promoted))
    }

    /// A kept revision, ready to be held.
    ///
    /// # Errors
    /// When there is none, or it does not read back.
    pub(super) fn chosen(
        &self,
        order: &HoldOrder,
        store: &store::Handle,
        now_ms: i64,
    ) -> Result<Candidate, Error> {
        let question = Question {
            which: Which::Revision(order.revision.clone()),
            dialect: Dialect::OpenApi30,
            view: View::Strict,
            extensions: true,
        };
        let answer = self.specification(&question, store)?;
        let text = match answer.body {
            AnswerBody::Text(text) => text,
            AnswerBody::Tree(tree) => infer::yaml::write(&tree).into(),
        };
        let revision = Revision {
            id: answer.revision,
            api: Arc::clone(self.name()),
            origin: answer.origin,
            text,
            created_ms: now_ms,
            parent: self.baseline.as_ref().map(|held| held.baseline.revision.clone()),
            reason: order.reason.clone(),
        };
        let specification = read(&revision).map_err(Error::Unusable)?;
        Ok(Candidate { specification: Arc::new(specification), revision, accepts: Vec::new() })
    }

    /// What is to be stored so that a revision is held after a restart too. One that replaces a file counts as long as that
    /// file says the same.
    pub(super) fn baseline_changes(&self, revision: &Revision) -> Vec<Change> {
        let file_hash = match &self.settings.baseline {
            BaselineSetting::Predefined { revision, .. } => Some(revision.id.to_string()),
            BaselineSetting::Learn { .. } => None,
        };
        let baseline = store::Baseline {
            api: revision.api.clone(),
            revision: revision.id.clone(),
            since_ms: revision.created_ms,
            file_hash,
            reason: revision.reason.clone(),
        };
        vec![Change::Baseline(baseline), Change::Revision(revision.clone())]
    }

    /// What is to be stored of a document that the configuration names, unless it was held before: what follows it is
    /// compared with it, even after a restart.
    pub(super) fn named_baseline(&self, former: Option<&RevisionId>) -> Vec<Change> {
        match &self.settings.baseline {
            BaselineSetting::Predefined { revision, .. } if former != Some(&revision.id) => {
                self.baseline_changes(revision)
            }
            _ => Vec::new(),
        }
    }

    /// Findings that a baseline explains, of those that are not over yet.
    pub(super) fn open_findings(&self) -> Vec<Finding> {
        let is_open = |finding: &&Finding| !finding.state.is_over();
        self.drift.findings().filter(is_open).cloned().collect()
    }
}

/// News of a baseline, and what it took the place of.
pub(super) fn tell(
    effects: &mut Effects,
    (kind, candidate): (&'static str, &Candidate),
    former: Option<&RevisionId>,
    (by, raise): (&str, &crate::events::Raise),
) {
    let former = former.filter(|former| **former != candidate.revision.id);
    effects.baseline((kind, &candidate.revision), former, (by, raise));
    if former.is_some() {
        let kind = "contract.baseline.superseded";
        effects.baseline((kind, &candidate.revision), former, (by, raise));
    }
}

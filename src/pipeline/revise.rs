//! Learned revisions: when one is made, how it becomes a baseline, and the documents that people ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::contract::{self, LoadOptions, Specification};
use crate::events::Raise;
use crate::infer::{self, ProjectOptions, View};
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::store;

use super::api::{Api, BaselineSetting};
use super::effects::Effects;
use super::operations::{Inventory, each_operation};
use super::view::{Answer, AnswerBody, Frozen, OperationView, Question, Which};
use super::{Error, FreezeOrder};

/// Least time between two learned revisions of an API, unless a finding opens or a baseline is frozen.
pub(super) const REVISION_INTERVAL_MS: i64 = 5 * 60_000;
/// What is new must have stayed so for as long, unless that never happens within two intervals.
const STAY_MS: i64 = 60_000;
/// Time until the next look when there was nothing to write down yet.
const EMPTY_INTERVAL_MS: i64 = 10_000;
/// Accepted exchanges from which an operation may become part of a baseline without being forced.
pub const READY_EXCHANGES: u64 = 50;
/// Fewest digits by which a revision can be asked for.
const REVISION_DIGITS_MIN: usize = 6;

/// What a freeze is about to make; held only after the store took it.
pub(super) struct Candidate {
    pub(super) specification: Arc<Specification>,
    pub(super) revision: Revision,
    /// Fingerprints of findings that are accepted by it.
    pub(super) accepts: Vec<String>,
}

impl Api {
    /// Makes a learned revision when something new was learned and the last one is old enough.
    pub(super) fn revise_when_due(&mut self, now_ms: i64, raise: &Raise, effects: &mut Effects) {
        let age_ms = now_ms - self.learned_ms;
        let has_stayed = now_ms - self.novel_ms >= STAY_MS;
        let is_old = age_ms >= REVISION_INTERVAL_MS;
        if self.novel && is_old && (has_stayed || age_ms >= 2 * REVISION_INTERVAL_MS) {
            self.revise(now_ms, "traffic showed something new", raise, effects);
        }
    }

    /// Makes a learned revision of what is known, unless the newest one says the same already.
    pub(super) fn revise(
        &mut self,
        now_ms: i64,
        reason: &str,
        raise: &Raise,
        effects: &mut Effects,
    ) {
        let mut projection = infer::project(&self.evidence, &self.project_options());
        if projection.report.operations == 0 {
            self.learned_ms = now_ms - REVISION_INTERVAL_MS + EMPTY_INTERVAL_MS;
            return;
        }
        self.learned_ms = now_ms;
        self.novel = false;
        let id = RevisionId::of(&projection.document);
        if self.learned.as_ref() == Some(&id) {
            return;
        }
        let parent = self.learned.replace(id.clone());
        // With a document of its own the API is documented already.
        let first = parent.is_none()
            && !matches!(self.settings.baseline, BaselineSetting::Predefined { .. });
        let revision = Revision {
            id,
            api: Arc::clone(self.name()),
            origin: Origin::Learned,
            text: infer::yaml::write(&projection.document).into(),
            created_ms: now_ms,
            parent,
            reason: reason.to_owned(),
        };
        projection.published.seal(revision.id.as_str());
        self.published = Arc::new(projection.published);
        effects.published(self.name(), &self.published, now_ms);
        let operations = Inventory::of(&projection.document);
        let news = operations.since(&self.operations);
        self.operations = operations;
        effects.learned(revision, first, (projection.report.operations, &news), raise);
    }

    /// Whether it is time to freeze by configuration.
    pub(super) fn freeze_is_due(&self, now_ms: i64) -> bool {
        let BaselineSetting::Learn { freeze_after: Some(after) } = &self.settings.baseline else {
            return false;
        };
        self.baseline.is_none() && now_ms - self.begun_ms >= after.as_ms()
    }

    /// Prepares what was learned as a baseline: projected, and read back as any document is.
    ///
    /// # Errors
    /// When nothing was learned, an operation is not ready and not forced, or the document does not read back.
    pub(super) fn candidate(
        &self,
        order: &FreezeOrder,
        now_ms: i64,
    ) -> Result<(Candidate, Frozen), Error> {
        let options = ProjectOptions { view: order.view, ..self.project_options() };
        let projection = infer::project(&self.evidence, &options);
        if projection.report.operations == 0 {
            return Err(self.nothing_learned());
        }
        let unready = unready(&projection.document);
        if !unready.is_empty() && !order.force {
            return Err(Error::NotReady(unready));
        }
        let revision = Revision {
            id: RevisionId::of(&projection.document),
            api: Arc::clone(self.name()),
            origin: Origin::Learned,
            text: infer::yaml::write(&projection.document).into(),
            created_ms: now_ms,
            parent: self.baseline.as_ref().map(|held| held.baseline.revision.clone()),
            reason: order.reason.clone(),
        };
        let specification = read(&revision).map_err(Error::Unusable)?;
        let frozen = Frozen {
            revision: revision.id.clone(),
            operations: projection.report.operations,
            forced: unready,
        };
        let specification = Arc::new(specification);
        Ok((Candidate { specification, revision, accepts: Vec::new() }, frozen))
    }

    /// A document as asked for.
    ///
    /// # Errors
    /// When there is no such document.
    pub(super) fn specification(
        &self,
        question: &Question,
        store: &store::Handle,
    ) -> Result<Answer, Error> {
        match &question.which {
            Which::Current => {
                let options = ProjectOptions {
                    dialect: question.dialect,
                    view: question.view,
                    extensions: question.extensions,
                    ..self.project_options()
                };
                let projection = infer::project(&self.evidence, &options);
                if projection.report.operations == 0 {
                    return Err(self.nothing_learned());
                }
                let revision = RevisionId::of(&projection.document);
                Ok(Answer {
                    revision,
                    origin: Origin::Learned,
                    body: AnswerBody::Tree(projection.document),
                })
            }
            Which::Baseline => {
                let held = self.baseline.as_ref().ok_or(Error::NoBaseline)?;
                Ok(Answer {
                    revision: held.baseline.revision.clone(),
                    origin: held.baseline.origin,
                    body: AnswerBody::Text(Arc::clone(&held.text)),
                })
            }
            Which::Newest => {
                let newest = self.learned.as_ref().ok_or_else(|| self.nothing_learned())?;
                self.kept(newest.as_str(), store)
            }
            Which::Revision(digits) => self.kept(digits, store),
        }
    }

    /// A kept revision, or the predefined one in force, by its first digits.
    fn kept(&self, digits: &str, store: &store::Handle) -> Result<Answer, Error> {
        let digits = digits.trim_start_matches("sha256:");
        let missing = || Error::NoSuchRevision(digits.to_owned());
        if digits.len() < REVISION_DIGITS_MIN {
            return Err(missing());
        }
        let fits = |id: &RevisionId| id.as_str().trim_start_matches("sha256:").starts_with(digits);
        if let Some(held) = self.baseline.as_ref().filter(|held| fits(&held.baseline.revision)) {
            return Ok(Answer {
                revision: held.baseline.revision.clone(),
                origin: held.baseline.origin,
                body: AnswerBody::Text(Arc::clone(&held.text)),
            });
        }
        let name = Arc::clone(self.name());
        let found = store.read_blocking(|reader| {
            let summaries = reader.revisions(&name)?;
            let Some(summary) = summaries.iter().find(|summary| fits(&summary.id)) else {
                return Ok(None);
            };
            reader.revision(&name, &summary.id)
        });
        let revision = found.map_err(Error::Store)?.ok_or_else(missing)?;
        Ok(Answer {
            revision: revision.id,
            origin: revision.origin,
            body: AnswerBody::Text(revision.text),
        })
    }

    /// The operations learned and documented, by template and method.
    pub(super) fn operation_views(&self) -> Vec<OperationView> {
        let options = ProjectOptions { view: View::Strict, ..self.project_options() };
        let document = infer::project(&self.evidence, &options).document;
        let mut operations: BTreeMap<(String, String), OperationView> = BTreeMap::new();
        each_operation(&document, |template, method, operation| {
            operations.insert(
                (template.to_owned(), method.to_owned()),
                learned_operation(template, method, operation),
            );
        });
        for documented in
            self.baseline.iter().flat_map(|held| &held.baseline.specification.operations)
        {
            let key = (documented.template.to_string(), documented.method.to_string());
            operations.entry(key).or_insert_with(|| documented_operation(documented)).documented =
                true;
        }
        operations.into_values().collect()
    }

    fn nothing_learned(&self) -> Error {
        Error::NothingLearned { seen: self.counts.seen, learned: self.counts.learned }
    }
}

/// Reads a kept revision as a specification.
///
/// # Errors
/// The problems, as one text.
pub(super) fn read(revision: &Revision) -> Result<Specification, String> {
    let name = format!("revision {}", revision.id.short());
    let options = LoadOptions { name: &name, ..LoadOptions::default() };
    match contract::load(&revision.text, &options) {
        Ok((specification, _lints)) => Ok(specification),
        Err(problems) => Err(problems.to_string()),
    }
}

/// Operations with fewer exchanges than a baseline should rest on, each with what it lacks.
fn unready(document: &Value) -> Vec<String> {
    let mut unready = Vec::new();
    each_operation(document, |template, method, operation| {
        let n = accepted(operation);
        if n < READY_EXCHANGES {
            unready.push(format!("{method} {template}: {n} of {READY_EXCHANGES} exchanges"));
        }
    });
    unready
}

/// Whether at least four fifths of the operations that carry a hundredth of the traffic or more are ready to be a baseline.
pub(super) fn is_mostly_ready(document: &Value) -> bool {
    let mut counts = Vec::new();
    each_operation(document, |_, _, operation| counts.push(accepted(operation)));
    let total: u64 = counts.iter().sum();
    let (mut busy, mut ready) = (0_u64, 0_u64);
    for n in counts.into_iter().filter(|n| n.saturating_mul(100) >= total) {
        busy += 1;
        ready += u64::from(n >= READY_EXCHANGES);
    }
    busy > 0 && ready * 5 >= busy * 4
}

fn accepted(operation: &Value) -> u64 {
    operation.pointer("/x-driftgate-evidence/n").and_then(Value::as_u64).unwrap_or(0)
}

fn learned_operation(template: &str, method: &str, operation: &Value) -> OperationView {
    let id = operation.get("x-driftgate-id").and_then(Value::as_str).unwrap_or_default();
    let responses = operation.get("responses").and_then(Value::as_object);
    OperationView {
        id: id.to_owned(),
        method: method.to_owned(),
        template: template.to_owned(),
        learned: true,
        documented: false,
        n: accepted(operation),
        statuses: responses.into_iter().flatten().map(|(status, _)| status.clone()).collect(),
    }
}

fn documented_operation(documented: &contract::specification::Operation) -> OperationView {
    OperationView {
        id: documented.id.clone().unwrap_or_default(),
        method: documented.method.to_string(),
        template: documented.template.to_string(),
        learned: false,
        documented: true,
        n: 0,
        statuses: documented.responses.iter().map(|response| response.key.to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readiness_counts_operations_that_carry_traffic() {
        let document = |counts: &[u64]| {
            let paths = counts.iter().enumerate().map(|(index, n)| {
                let get = json!({"responses": {}, "x-driftgate-evidence": {"n": n}});
                (format!("/a{index}"), json!({"get": get}))
            });
            json!({"paths": paths.collect::<serde_json::Map<_, _>>()})
        };
        for (counts, expected) in [
            (&[][..], false),
            (&[49], false),
            (&[50], true),
            (&[1_000, 1_000, 1_000, 1_000, 45], true),
            (&[200, 200, 200, 40, 40], false),
            // A hundredth of the traffic and less is not waited for.
            (&[10_000, 1, 2, 3], true),
        ] {
            assert_eq!(is_mostly_ready(&document(counts)), expected, "{counts:?}");
        }
    }
}

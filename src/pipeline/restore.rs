//! What the store kept of an API, put back: evidence, findings, the frozen baseline.
//!
//! Nothing that does not load is overwritten: damaged or newer evidence is set aside under another name, and learning
//! begins anew beside it.

use std::sync::Arc;

use serde_json::Value;

use crate::contract::Drift;
use crate::infer::{self, Evidence, Published};
use crate::model::finding::Finding;
use crate::model::hash::HashKey;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::store::{self, Change, FindingFilter};
use crate::telemetry::signals::pipeline as signals;

use super::api::{Api, ApiSettings, BaselineSetting};
use super::effects::{MEMORY, PUBLISHED};
use super::revise;
use super::service::World;

/// Everything the store knows of one API.
#[derive(Default)]
struct Kept {
    evidence: Option<Vec<u8>>,
    findings: Vec<(Finding, Value)>,
    learned: Option<Revision>,
    baseline: Option<(Revision, store::Baseline)>,
    memory: Option<String>,
    published: Option<String>,
}

/// The API as it was left, or new.
pub(super) fn api(settings: ApiSettings, world: &World, store: &store::Handle, now_ms: i64) -> Api {
    let name = Arc::clone(&settings.name);
    let kept = match store.read_blocking(|reader| kept(reader, &name)) {
        Ok(kept) => kept,
        Err(error) => {
            signals::NotRestored { api: &name, error: &error }.tell();
            Kept::default()
        }
    };
    let named = match &settings.baseline {
        BaselineSetting::Predefined { revision, .. } => Some(revision.id.clone()),
        BaselineSetting::Learn { .. } => None,
    };
    let mut drift = Drift::restore(Arc::clone(&name), settings.drift.clone(), kept.findings);
    if let Some(memory) = kept.memory {
        drift.remember(&state(&memory));
    }
    let evidence =
        kept.evidence.and_then(|bytes| evidence(&name, bytes, &world.key, store, now_ms));
    let mut api = Api::new(settings, world, now_ms);
    let published = kept.published.map(|text| Published::from_value(&state(&text)));
    api.adopt(evidence, drift, kept.learned.as_ref(), published.unwrap_or_default());
    let former = kept.baseline.as_ref().map(|(revision, _)| revision.id.clone());
    if let Some((revision, record)) =
        kept.baseline.filter(|(kept, _)| Some(&kept.id) != named.as_ref())
    {
        let is_ours = named.is_some() || record.file_hash.is_none();
        // What was promoted counts while the file is what it was; a changed file wins, and follows what was held.
        let is_ahead = record.file_hash.as_deref() == named.as_ref().map(RevisionId::as_str);
        match revise::read(&revision) {
            Ok(_) if !is_ours => {}
            Ok(specification) => {
                api.baseline = None;
                api.hold(Arc::new(specification), &revision, record.since_ms);
                if !is_ahead {
                    api.hold_predefined(now_ms);
                }
            }
            Err(problems) => signals::BaselineUnusable { api: &name, problems: &problems }.tell(),
        }
    }
    let is_named = api.baseline.as_ref().map(|held| &held.baseline.revision) == named.as_ref();
    let changes = if is_named { api.named_baseline(former.as_ref()) } else { Vec::new() };
    if !changes.is_empty()
        && let Err(error) = store.commit_blocking(changes)
    {
        signals::NotRestored { api: &name, error: &error }.tell();
    }
    api
}

fn kept(reader: &store::Reader, name: &str) -> Result<Kept, store::Error> {
    let filter = FindingFilter { api: Some(name.to_owned()), ..FindingFilter::default() };
    let findings = reader.findings(&filter)?;
    let baseline = match reader.baseline(name)? {
        Some(baseline) => {
            reader.revision(name, &baseline.revision)?.map(|revision| (revision, baseline))
        }
        None => None,
    };
    Ok(Kept {
        evidence: reader.evidence(name)?,
        findings: findings
            .into_iter()
            .map(|record| (record.finding, state(&record.state)))
            .collect(),
        learned: reader.latest_revision(name, Origin::Learned)?,
        baseline,
        memory: reader.object(MEMORY, name)?.map(|object| object.body),
        published: reader.object(PUBLISHED, name)?.map(|object| object.body),
    })
}

/// A counter's state; what does not read back is begun anew by the counter.
fn state(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn evidence(
    name: &Arc<str>,
    bytes: Vec<u8>,
    key: &HashKey,
    store: &store::Handle,
    now_ms: i64,
) -> Option<Evidence> {
    let error = match infer::decode(&bytes) {
        Ok(evidence) if evidence.key_id() == key.id() => return Some(evidence),
        Ok(evidence) => infer::Error::OtherKey { ours: key.id(), theirs: evidence.key_id() },
        Err(error) => error,
    };
    signals::EvidenceSetAside { api: name, error: &error }.tell();
    let aside = Change::Evidence { api: format!("{name}.bad.{now_ms}").into(), bytes };
    if let Err(error) = store.commit_blocking(vec![aside]) {
        signals::NotRestored { api: name, error: &error }.tell();
    }
    None
}

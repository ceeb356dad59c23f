//! The admin API's questions about APIs, answered from the configuration, the pipeline and the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;

use crate::admin::{self, Refusal, dto};
use crate::config::Config;
use crate::contract::{self, Decision, LoadOptions, Until};
use crate::infer::{self, Dialect, View};
use crate::model::finding::Severity;
use crate::model::id;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::pipeline::{
    self, Answer, AnswerBody, ApiView, BaselineState, DecideOrder, Error, FreezeOrder, HoldOrder,
    PromoteOrder, Question, READY_EXCHANGES, Which,
};
use crate::runtime::clock::Clock;
use crate::runtime::supervise::{self, Panics};
use crate::store;

/// Answers for the admin API.
pub(super) struct Inventory {
    pub(super) config: Arc<ArcSwap<Config>>,
    pub(super) pipeline: pipeline::Handle,
    pub(super) store: store::Handle,
    pub(super) clock: Clock,
    pub(super) panics: Panics,
}

#[async_trait]
impl admin::Inventory for Inventory {
    async fn apis(&self) -> Vec<dto::Api> {
        let config = self.config.load_full();
        let views = self.pipeline.apis().await.unwrap_or_default();
        let described = config.apis.iter().map(|api| {
            let view = views.iter().find(|view| *view.name == *api.name);
            describe(api, view)
        });
        described.collect()
    }

    async fn operations(&self, api: &str) -> Result<Vec<dto::Operation>, Refusal> {
        let operations = self.pipeline.operations(api).await.map_err(|error| refuse(&error))?;
        Ok(operations.into_iter().map(operation).collect())
    }

    async fn specification(
        &self,
        api: &str,
        question: &dto::SpecificationQuery,
    ) -> Result<dto::Document, Refusal> {
        let asked = Question {
            which: match question.revision.as_deref() {
                None | Some("current") if question.live == Some(false) => Which::Newest,
                None | Some("current") => Which::Current,
                Some("baseline") => Which::Baseline,
                Some(digits) => Which::Revision(digits.to_owned()),
            },
            dialect: match question.openapi {
                Some(dto::Dialect::V31) => Dialect::OpenApi31,
                _ => Dialect::OpenApi30,
            },
            view: view(question.view),
            extensions: question.extensions.unwrap_or(true),
        };
        let answer =
            self.pipeline.specification(api, asked).await.map_err(|error| refuse(&error))?;
        Ok(document(answer, question))
    }

    async fn revisions(&self, api: &str) -> Result<Vec<dto::Revision>, Refusal> {
        let view = self.view(api).await?;
        let name = api.to_owned();
        let kept = self.store.read(move |reader| reader.revisions(&name)).await;
        let kept = kept.map_err(|error| refuse(&Error::Store(error)))?;
        let in_force = view.baseline.revision;
        let listed = kept.into_iter().map(|summary| dto::Revision {
            baseline: in_force.as_ref() == Some(&summary.id),
            id: summary.id.to_string(),
            origin: summary.origin.as_str().to_owned(),
            created: dto::Time(summary.created_ms),
            reason: summary.reason,
            parent: summary.parent.map(|parent| parent.to_string()),
        });
        Ok(listed.collect())
    }

    async fn baseline(&self, api: &str) -> Result<dto::Baseline, Refusal> {
        Ok(baseline(&self.view(api).await?))
    }

    async fn decide(
        &self,
        finding: (&str, &str),
        decided: &dto::Decision,
        (reason, by): (&str, &str),
    ) -> Result<dto::Finding, Refusal> {
        let url = match decided {
            dto::Decision::Reject { url } => url.clone(),
            _ => String::new(),
        };
        let order = DecideOrder {
            api: finding.0.to_owned(),
            fingerprint: finding.1.to_owned(),
            decision: decision(decided),
            reason: reason.to_owned(),
            url,
            by: by.to_owned(),
        };
        let decided = self.pipeline.decide(order).await;
        decided.map(dto::Finding::from).map_err(|error| refuse(&error))
    }

    async fn promote(
        &self,
        api: &str,
        order: &dto::PromoteOrder,
        by: &str,
    ) -> Result<dto::Promoted, Refusal> {
        let chosen = order.findings.iter();
        let order = PromoteOrder {
            api: api.to_owned(),
            findings: chosen.map(|it| (it.id.clone(), usize::from(it.patch))).collect(),
            base: order.base.clone(),
            reason: order.reason.clone().unwrap_or_else(|| "promoted by hand".to_owned()),
            by: by.to_owned(),
        };
        let promoted = self.pipeline.promote(order).await.map_err(|error| refuse(&error))?;
        Ok(dto::Promoted {
            revision: promoted.revision.to_string(),
            explained: promoted.explained,
            patch: promoted.patch,
        })
    }

    async fn hold(
        &self,
        api: &str,
        order: &dto::HoldOrder,
        by: &str,
    ) -> Result<dto::Baseline, Refusal> {
        let order = HoldOrder {
            api: api.to_owned(),
            revision: order.revision.clone(),
            reason: order.reason.clone().unwrap_or_else(|| "chosen by hand".to_owned()),
            by: by.to_owned(),
        };
        self.pipeline.hold(order).await.map_err(|error| refuse(&error))?;
        Ok(baseline(&self.view(api).await?))
    }

    async fn upload(&self, api: &str, text: String, by: &str) -> Result<dto::Uploaded, Refusal> {
        let read = supervise::blocking("reading an upload", &self.panics, move || {
            let options = LoadOptions { name: "upload", ..LoadOptions::default() };
            contract::load(&text, &options)
                .map(|(specification, lints)| (specification, lints, text))
        });
        let read = read.await.ok_or_else(|| refuse(&Error::Stopped))?;
        let (specification, lints, text) = read.map_err(|problems| {
            let detail = "the document is no specification; nothing was kept";
            Refusal::invalid("spec.invalid", detail, &problems)
        })?;
        let revision = Revision {
            id: RevisionId::of(&specification.document),
            api: api.into(),
            origin: Origin::Predefined,
            text: text.into(),
            created_ms: self.clock.now_ms(),
            parent: None,
            reason: format!("uploaded by {by}"),
        };
        let id = revision.id.to_string();
        let kept = self.store.commit(vec![store::Change::Revision(revision)]).await;
        kept.map_err(|error| refuse(&Error::Store(error)))?;
        Ok(dto::Uploaded {
            revision: id,
            operations: specification.operations.len() as u64,
            lints: lints.0.iter().map(ToString::to_string).collect(),
        })
    }

    async fn freeze(
        &self,
        api: &str,
        order: &dto::FreezeOrder,
        by: &str,
    ) -> Result<dto::Frozen, Refusal> {
        let order = FreezeOrder {
            api: api.to_owned(),
            reason: order.reason.clone().unwrap_or_else(|| "frozen by hand".to_owned()),
            by: by.to_owned(),
            force: order.force,
            view: view(order.view),
        };
        let frozen = self.pipeline.freeze(order).await;
        let frozen = frozen.map_err(|error| refuse(&error))?;
        Ok(dto::Frozen {
            revision: frozen.revision.to_string(),
            operations: frozen.operations as u64,
            forced: frozen.forced,
        })
    }
}

fn view(asked: Option<dto::View>) -> View {
    match asked {
        Some(dto::View::Permissive) => View::Permissive,
        _ => View::Strict,
    }
}

fn decision(decision: &dto::Decision) -> Decision {
    match decision {
        dto::Decision::Acknowledge => Decision::Acknowledge,
        dto::Decision::Mute(None) => Decision::Mute(Until::Revision),
        dto::Decision::Mute(Some(dto::Time(time_ms))) => Decision::Mute(Until::Time(*time_ms)),
        dto::Decision::Reject { .. } => Decision::Reject,
        dto::Decision::Reopen => Decision::Reopen,
    }
}

impl Inventory {
    async fn view(&self, api: &str) -> Result<ApiView, Refusal> {
        let views = self.pipeline.apis().await.map_err(|error| refuse(&error))?;
        let found = views.into_iter().find(|view| *view.name == *api);
        found.ok_or_else(|| refuse(&Error::NoSuchApi(api.to_owned())))
    }
}

fn describe(api: &crate::config::Api, view: Option<&ApiView>) -> dto::Api {
    let findings = view.map(|view| {
        let counted = Severity::ALL.iter().zip(view.findings);
        counted.map(|(severity, count)| (severity.as_str().to_owned(), count as u64)).collect()
    });
    dto::Api {
        id: id::object("api", "api", &api.name),
        name: api.name.clone(),
        origin: "file".to_owned(),
        hosts: api.hosts.clone(),
        path_prefix: api.path_prefix.clone(),
        upstream: Some(api.upstream.url.clone()),
        baseline: view.map_or_else(unknown_baseline, baseline),
        operations: dto::OperationCounts {
            draft: view.map_or(0, |view| view.unproven as u64),
            ready: view.map_or(0, |view| view.operations as u64),
            silent: 0,
        },
        exchanges: view.map_or_else(dto::ExchangeCounts::default, |view| dto::ExchangeCounts {
            seen: view.exchanges.seen,
            learned: view.exchanges.learned,
            judged: view.exchanges.judged,
        }),
        left_out: view.map(left_out).unwrap_or_default(),
        findings: findings.unwrap_or_default(),
        last_seen: view.map(|view| view.last_seen_ms).filter(|ms| *ms > 0).map(dto::Time),
    }
}

/// What evidence left out, and what never got as far.
fn left_out(view: &ApiView) -> BTreeMap<String, u64> {
    let counts = view.exchanges;
    let early = [
        ("own test", counts.own_tests),
        ("not completed", counts.unfit),
        ("unreadable", counts.unreadable),
    ];
    let reasons = view.left_out.iter().copied().chain(early);
    reasons
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| (reason.to_owned(), count))
        .collect()
}

fn baseline(view: &ApiView) -> dto::Baseline {
    let held = &view.baseline;
    dto::Baseline {
        state: match held.state {
            BaselineState::Predefined => dto::BaselineState::Predefined,
            BaselineState::Learning => dto::BaselineState::Learning,
            BaselineState::Candidate => dto::BaselineState::Candidate,
            BaselineState::Frozen => dto::BaselineState::Frozen,
        },
        revision: held.revision.as_ref().map(ToString::to_string),
        origin: held.origin.map(|origin| origin.as_str().to_owned()),
        since: Some(dto::Time(held.since_ms)),
        ready: view.operations as u64,
        seen: (view.operations + view.unproven) as u64,
        lacks: match held.state {
            BaselineState::Candidate => "freeze it: what was learned is settled".to_owned(),
            BaselineState::Learning => {
                "freeze what was learned, or name a file in `apis[].baseline`".to_owned()
            }
            _ => String::new(),
        },
    }
}

/// While the analysis does not answer.
fn unknown_baseline() -> dto::Baseline {
    dto::Baseline {
        state: dto::BaselineState::Learning,
        revision: None,
        origin: None,
        since: None,
        ready: 0,
        seen: 0,
        lacks: "the analysis does not answer".to_owned(),
    }
}

fn operation(view: pipeline::OperationView) -> dto::Operation {
    let ready = view.n >= READY_EXCHANGES;
    dto::Operation {
        state: if ready { dto::OperationState::Ready } else { dto::OperationState::Draft },
        relation: Some(match (view.learned, view.documented) {
            (true, true) => dto::Relation::Documented,
            (true, false) => dto::Relation::Undocumented,
            (false, _) => dto::Relation::Orphan,
        }),
        id: view.id,
        method: view.method,
        template: view.template,
        n: view.n,
        statuses: view.statuses,
    }
}

fn document(answer: Answer, question: &dto::SpecificationQuery) -> dto::Document {
    let format = question.format.unwrap_or_default();
    let text: Arc<str> = match (answer.body, format) {
        (AnswerBody::Text(text), _) => text,
        (AnswerBody::Tree(tree), dto::Format::Yaml) => infer::yaml::write(&tree).into(),
        (AnswerBody::Tree(tree), dto::Format::Json) => format!("{tree:#}\n").into(),
    };
    dto::Document {
        revision: answer.revision.to_string(),
        origin: answer.origin.as_str(),
        dialect: question.openapi.unwrap_or_default(),
        format,
        text,
        losses: Vec::new(),
    }
}

fn refuse(error: &Error) -> Refusal {
    match error {
        Error::NoSuchApi(_) => Refusal::missing("api.no-such-api", error.to_string()),
        Error::NothingLearned { .. } => Refusal::missing("spec.nothing-learned", error.to_string()),
        Error::NoSuchRevision(_) | Error::NoBaseline => {
            Refusal::missing("spec.no-such-revision", error.to_string())
        }
        Error::BaselineChanged(_) => Refusal::conflict("baseline.changed", error.to_string()),
        Error::NoSuchPatch(_) | Error::Unfit { .. } => {
            Refusal::conflict("baseline.patch-refused", error.to_string())
        }
        Error::NoSuchFinding(_) => Refusal::missing("finding.not-found", error.to_string()),
        Error::NotAllowed { allowed, .. } => {
            Refusal::conflict("finding.not-allowed", error.to_string())
                .allowed(allowed.iter().copied())
        }
        Error::NotReady(lacking) => Refusal::conflict("baseline.not-ready", lacking.join("; ")),
        Error::Unusable(_) | Error::Store(_) | Error::Stopped => {
            Refusal::unavailable("analysis.unavailable", error.to_string())
        }
    }
}

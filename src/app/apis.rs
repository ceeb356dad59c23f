//! From the `apis` of the configuration to what the parts take: routes for the proxy, settings for the pipeline, facts for
//! the actions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actions;
use crate::config::{self, Config};
use crate::contract::Specification;
use crate::model::api::{Scope, normalise_host};
use crate::model::problem::Problems;
use crate::model::redaction::Plan;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::pipeline::options::Baseline;
use crate::pipeline::{ApiSettings, BaselineSetting};
use crate::proxy::ApiRoute;

/// What the proxy routes by.
pub(super) fn routes(config: &Config) -> Vec<ApiRoute> {
    config.apis.iter().map(route).collect()
}

fn route(api: &config::Api) -> ApiRoute {
    ApiRoute {
        name: api.name.as_str().into(),
        scope: Scope {
            hosts: api.hosts.iter().map(|host| normalise_host(host).into()).collect(),
            path_prefix: api.path_prefix.as_str().into(),
        },
        strip_prefix: api.strip_prefix,
        listeners: api.listeners.clone(),
        forward: api.forward.clone(),
        upstream: api.upstream.clone(),
        capture: api.capture,
    }
}

/// What the analysis holds each API to. Specification files are read here.
///
/// # Errors
/// All problems of all specification files.
pub(super) fn settings(config: &Config, now_ms: i64) -> Result<Vec<ApiSettings>, Problems> {
    let mut problems = Problems::default();
    let mut settings = Vec::with_capacity(config.apis.len());
    for (index, api) in config.apis.iter().enumerate() {
        match setting(api, config, now_ms) {
            Ok(setting) => settings.push(setting),
            Err(found) => problems.extend_below(&format!("/apis/{index}/baseline/file"), found),
        }
    }
    if problems.has_errors() { Err(problems) } else { Ok(settings) }
}

fn setting(api: &config::Api, config: &Config, now_ms: i64) -> Result<ApiSettings, Problems> {
    let name: Arc<str> = api.name.as_str().into();
    let baseline = match &api.baseline {
        Baseline::Learn(learn) => BaselineSetting::Learn { freeze_after: learn.freeze_after },
        Baseline::File(path) => {
            let (specification, text) = config::specification(path)?;
            let revision = predefined(&name, &specification, text, now_ms);
            BaselineSetting::Predefined { specification: Arc::new(specification), revision }
        }
    };
    Ok(ApiSettings {
        plan: Arc::new(Plan::new(&api.redact.headers, &api.redact.query, &api.redact.body)),
        path_prefix: api.path_prefix.clone(),
        pins: Arc::new(api.pins.clone()),
        drift: config.drift.clone(),
        inference: config.inference.clone(),
        apis: config.apis.len(),
        baseline,
        name,
    })
}

fn predefined(
    api: &Arc<str>,
    specification: &Specification,
    text: String,
    now_ms: i64,
) -> Revision {
    Revision {
        id: RevisionId::of(&specification.document),
        api: Arc::clone(api),
        origin: Origin::Predefined,
        text: text.into(),
        created_ms: now_ms,
        parent: None,
        reason: "named by the configuration".to_owned(),
    }
}

/// What actions may know of the inventory.
pub(super) fn facts(config: &Config) -> BTreeMap<String, actions::Api> {
    let facts = config.apis.iter().map(|api| {
        let fact = actions::Api {
            base_url: api.upstream.url.clone(),
            path_prefix: api.path_prefix.clone(),
            baseline_file: match &api.baseline {
                Baseline::File(path) => Some(path.clone()),
                Baseline::Learn(_) => None,
            },
        };
        (api.name.clone(), fact)
    });
    facts.collect()
}

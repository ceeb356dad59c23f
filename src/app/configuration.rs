//! The configuration in force, and taking a new one over: all of it or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::Value;

use crate::admin::{self, ReadTokens, Refusal, Tokens, dto};
use crate::config::{self, Config, Loaded};
use crate::model::problem::{Problem, Problems};
use crate::proxy::View;
use crate::runtime::supervise::{self, Panics};
use crate::telemetry::Metrics;
use crate::telemetry::signals::app as told;
use crate::{pipeline, proxy};

use super::parts::Control;
use super::{World, apis, census};

/// The pointer of a section, and whether two configurations differ there.
type Section = (&'static str, fn(&Config, &Config) -> bool);

/// Sections that are read once: a change waits for a restart.
const FIXED: &[Section] = &[
    ("/deployment", |old, new| old.deployment != new.deployment),
    ("/instance", |old, new| old.instance != new.instance),
    ("/data_dir", |old, new| old.data_dir != new.data_dir),
    ("/listeners", |old, new| old.listeners != new.listeners),
    ("/data_plane", |old, new| old.data_plane != new.data_plane),
    ("/limits", |old, new| old.limits != new.limits),
    ("/capture", |old, new| old.capture != new.capture),
    ("/analysis", |old, new| old.analysis != new.analysis),
    ("/egress", |old, new| old.egress != new.egress),
    ("/store", |old, new| old.store != new.store),
    ("/kafka", |old, new| old.kafka != new.kafka),
    ("/admin", |old, new| !old.admin.differs_in_tokens_alone(&new.admin)),
    ("/log", |old, new| old.log != new.log),
];

/// Sections that a reload puts in force.
const LIVE: &[Section] = &[
    ("/apis", |old, new| old.apis != new.apis),
    ("/drift", |old, new| old.drift != new.drift),
    ("/inference", |old, new| old.inference != new.inference),
    ("/auth_providers", |old, new| old.auth_providers != new.auth_providers),
    ("/webhooks", |old, new| old.webhooks != new.webhooks),
    ("/integrations", |old, new| old.integrations != new.integrations),
    ("/actions", |old, new| old.actions != new.actions),
    ("/admin", |old, new| old.admin != new.admin && old.admin.differs_in_tokens_alone(&new.admin)),
    ("/shutdown", |old, new| old.shutdown != new.shutdown),
];

/// Where two configurations differ.
fn differing(sections: &[Section], old: &Config, new: &Config) -> Vec<String> {
    let differing = sections.iter().filter(|(_, differs)| differs(old, new));
    differing.map(|(pointer, _)| (*pointer).to_owned()).collect()
}

/// Answers the admin API and the reload signal.
pub(super) struct Configuration {
    /// What the process was started with: its fixed sections are in force until the end.
    pub(super) started: Arc<Config>,
    /// What was taken over last.
    pub(super) loaded: Arc<ArcSwap<Loaded>>,
    /// The same configuration for those who need no more.
    pub(super) config: Arc<ArcSwap<Config>>,
    pub(super) proxy: proxy::Handle,
    pub(super) pipeline: pipeline::Handle,
    pub(super) tokens: Arc<Tokens>,
    pub(super) control: Control,
    pub(super) counters: Counters,
    /// One reload at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What operators see of reloads.
#[derive(Debug, Default)]
pub(super) struct Counters {
    generation: AtomicU64,
    successful: Gauge,
    restart_needed: Gauge,
}

impl Counters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counters = Self::default();
        counters.successful.set(1);
        let help = "1 when the last reload was taken over, else 0";
        metrics.register("config_last_reload_successful", help, &counters.successful);
        let help = "Sections whose new value waits for a restart";
        metrics.register("config_restart_needed", help, &counters.restart_needed);
        counters
    }

    fn taken_over(&self, waiting: usize) -> u64 {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        self.successful.set(1);
        self.restart_needed.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        generation
    }
}

impl Configuration {
    pub(super) fn panics(&self) -> Panics {
        self.control.world.panics.clone()
    }

    /// Reads the source again and takes it over, or leaves everything as it was.
    pub(super) async fn reload(&self) -> Result<dto::Reloaded, Refusal> {
        let _turn = self.turn.lock().await;
        match self.take_over().await {
            Ok(reloaded) => {
                told::Reloaded { generation: reloaded.generation }.tell();
                Ok(reloaded)
            }
            Err(problems) => {
                self.counters.successful.set(0);
                told::ReloadRefused { problems: &problems.to_string() }.tell();
                Err(Refusal::invalid(
                    "config.invalid",
                    "the new configuration is refused, the former one goes on",
                    &problems,
                ))
            }
        }
    }

    async fn take_over(&self) -> Result<dto::Reloaded, Problems> {
        let (former, started) = (self.loaded.load_full(), Arc::clone(&self.started));
        let World { clock, rng, panics, .. } = self.control.world.clone();
        // Files are read off the runtime's threads. Everything that can fail happens before anything is changed.
        let work = move || -> Result<_, Problems> {
            let loaded = former.reload(&config::environment).map_err(|error| problem_of(&error))?;
            let new = &loaded.config;
            let settings = apis::settings(new, clock.now_ms())?;
            // Listeners are bound for the life of the process: new APIs are routed on those that there are.
            let view = View::build(&started.listeners, &apis::routes(new))?;
            let tokens = ReadTokens::of(&new.admin, &started.data_dir, &rng);
            let tokens = tokens.map_err(|error| one(&error.to_string()))?;
            Ok((loaded, settings, view, tokens))
        };
        let read = supervise::blocking("reload", &panics, work).await;
        let (loaded, settings, view, tokens) =
            read.unwrap_or_else(|| Err(one("the reload itself failed; the log says where")))?;
        let destinations = self.control.prepare(&loaded.config)?;
        let served = census::apis(&loaded.config, &settings);
        if self.pipeline.configure(settings).await.is_err() {
            return Err(one("the analysis does not answer"));
        }
        // The view is made of the listeners that run, the one thing it could be refused for.
        self.proxy.reload(view).await.map_err(|error| one(&error.to_string()))?;
        self.control.put(destinations);
        self.control.census().take(&served).await;
        self.tokens.replace(tokens);
        let changed = differing(LIVE, &self.config.load(), &loaded.config);
        let waiting = differing(FIXED, &self.started, &loaded.config);
        self.config.store(Arc::clone(&loaded.config));
        self.loaded.store(Arc::new(loaded));
        let generation = self.counters.taken_over(waiting.len());
        Ok(dto::Reloaded { generation, changed, restart_needed: waiting })
    }
}

fn one(message: &str) -> Problems {
    Problems(vec![Problem::error("", "config.not-taken-over", message)])
}

fn problem_of(error: &config::Error) -> Problems {
    match error {
        config::Error::Invalid(report) => Problems(report.problems().cloned().collect()),
        config::Error::Unreadable(error) => {
            Problems(vec![Problem::error("", "config.unreadable", error.to_string())])
        }
    }
}

/// What the admin API sees of it.
pub(super) struct Shared(pub(super) Arc<Configuration>);

#[async_trait]
impl admin::Configuration for Shared {
    fn effective(&self) -> Value {
        Value::String(self.0.loaded.load().effective())
    }

    async fn reload(&self) -> Result<dto::Reloaded, Refusal> {
        self.0.reload().await
    }
}

//! All webhooks as they are now: which events they get, and where their deliveries go.
//!
//! Owns the table and swapping it whole, so that a reload is live at once and never half. Refuses to own the schedule of
//! attempts (`deliver`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use async_trait::async_trait;

use crate::bus::{Matcher, Matches, Skip, SkipReason};
use crate::deliver::auth::Providers;
use crate::deliver::client::Client;
use crate::deliver::guard::Trust;
use crate::deliver::{Context, Destination, Destinations, Policy, Report};
use crate::events::catalogue;
use crate::events::expression::Scope;
use crate::model::delivery::Hold;
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::{Problem, Problems};
use crate::model::secret::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;

use super::options;
use super::secrets::{self, Kept};
use super::subscribe::Subscriptions;
use super::webhook::Webhook;

/// What webhooks need of the world.
#[derive(Clone)]
pub struct World {
    pub client: Client,
    pub clock: Clock,
    pub rng: Rng,
    pub providers: Providers,
    /// How far URLs are trusted, by where they were written.
    pub trust: Trust,
    /// Where secrets are kept that the configuration leaves out.
    pub data_dir: PathBuf,
}

/// All webhooks. Made empty, so that the bus can hold it as a matcher before the world that webhooks need exists.
pub struct Registry {
    table: ArcSwap<Table>,
    /// *Enable event triggers*: off holds all webhooks.
    triggers: Arc<AtomicBool>,
}

#[derive(Default)]
struct Table {
    /// In the order of the configuration.
    webhooks: Vec<Arc<Webhook>>,
    by_id: HashMap<String, Arc<Webhook>>,
    subscriptions: Subscriptions,
}

/// A webhook as shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub id: String,
    pub version: u64,
    /// Whether it is executed; `reason` says why not.
    pub active: bool,
    /// `user` or `gone`.
    pub reason: Option<&'static str>,
    /// Secrets in it print as `***`.
    pub options: options::Webhook,
}

/// A set of webhooks that can work, not in force yet.
pub struct Prepared(Arc<Table>);

impl Default for Registry {
    fn default() -> Self {
        Self { table: ArcSwap::default(), triggers: Arc::new(AtomicBool::new(true)) }
    }
}

impl Registry {
    /// Makes a new set of webhooks ready for [`Registry::put`]; the former one stays in force meanwhile. One that is unchanged
    /// keeps its version and state. Pointers of problems begin with `/webhooks`.
    ///
    /// # Errors
    /// When one of them cannot work or its secret cannot be kept.
    pub fn prepare(
        &self,
        options: &[options::Webhook],
        world: &World,
    ) -> Result<Prepared, Problems> {
        let mut problems = Problems::default();
        let failed = |error: &secrets::Error| {
            Problem::error("/webhooks", "webhook.secrets-not-kept", chain(error))
        };
        let mut kept = match Kept::open(&world.data_dir, world.rng.clone()) {
            Ok(kept) => kept,
            Err(error) => {
                problems.push(failed(&error));
                return Err(problems);
            }
        };
        let former = self.table.load();
        let mut webhooks = Vec::with_capacity(options.len());
        for (index, option) in options.iter().enumerate() {
            let id = id_of(&option.name);
            let before = former.by_id.get(&id);
            let version =
                before.map_or(1, |known| known.version + u64::from(known.options != *option));
            match Webhook::new(option, (id, version), &mut kept, world) {
                Ok(webhook) => {
                    let same = before.filter(|known| known.version == version);
                    let gone = same.is_some_and(|known| known.gone.load(Ordering::Relaxed));
                    webhook.gone.store(gone, Ordering::Relaxed);
                    webhooks.push(Arc::new(webhook));
                }
                Err(mut problem) => {
                    problem.pointer.insert_str(0, &format!("/webhooks/{index}"));
                    problems.push(problem);
                }
            }
        }
        if let Err(error) = kept.save() {
            problems.push(failed(&error));
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let patterns = webhooks.iter().map(|webhook| webhook.patterns.as_slice());
        let subscriptions = Subscriptions::new(patterns);
        let by_id = webhooks.iter().map(|webhook| (webhook.id.clone(), Arc::clone(webhook)));
        let by_id = by_id.collect();
        Ok(Prepared(Arc::new(Table { webhooks, by_id, subscriptions })))
    }

    /// Puts webhooks in force: from the next event on, and for every later attempt.
    pub fn put(&self, prepared: Prepared) {
        self.table.store(prepared.0);
    }

    /// Switches all webhooks at once.
    pub fn enable_triggers(&self, enabled: bool) {
        self.triggers.store(enabled, Ordering::Relaxed);
    }

    /// All of them, in the order of the configuration.
    #[must_use]
    pub fn list(&self) -> Vec<Summary> {
        self.table.load().webhooks.iter().map(|webhook| summary(webhook)).collect()
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<Summary> {
        self.find_webhook(id).map(|webhook| summary(&webhook))
    }

    /// The signing secret, for the operator to hand to the receiver.
    #[must_use]
    pub fn secret(&self, id: &str) -> Option<Secret> {
        self.find_webhook(id).map(|webhook| webhook.secret.clone())
    }

    /// Sends one event to a webhook at once, active or not: no delivery, no retry. `event` should be a test event; its id
    /// becomes the `webhook-id`. None when there is no such webhook.
    pub async fn test(&self, id: &str, event: &Event) -> Option<Report> {
        let webhook = self.find_webhook(id)?;
        Some(webhook.send(event, &format!("test_{}", event.id), 1).await)
    }

    fn find_webhook(&self, id: &str) -> Option<Arc<Webhook>> {
        self.table.load().by_id.get(id).cloned()
    }
}

/// The id of a webhook of the configuration: equal on every instance and after every restart.
#[must_use]
pub fn id_of(name: &str) -> String {
    id::object("whk", "webhook", name)
}

fn summary(webhook: &Webhook) -> Summary {
    let reason = if webhook.options.active { "gone" } else { "user" };
    Summary {
        id: webhook.id.clone(),
        version: webhook.version,
        active: webhook.is_active(),
        reason: (!webhook.is_active()).then_some(reason),
        // Without user and password, which are a secret.
        options: options::Webhook { url: webhook.url.to_string(), ..webhook.options.clone() },
    }
}

fn chain(error: &secrets::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl Matcher for Registry {
    fn matches(&self, event: &Event) -> Matches {
        let table = self.table.load();
        let triggers = self.triggers.load(Ordering::Relaxed);
        let mut matches = Matches::default();
        // Parsed at most once, and only if a filter asks.
        let mut scope = None;
        for position in table.subscriptions.naming(&event.kind) {
            let Some(webhook) = table.webhooks.get(position) else { continue };
            match refusal(webhook, event, triggers, &mut scope) {
                None => matches.deliveries.push(webhook.id.clone()),
                Some((reason, detail)) => {
                    matches.skips.push(Skip { destination: webhook.id.clone(), reason, detail });
                }
            }
        }
        matches
    }
}

/// Why an event of a type that the webhook names is not sent to it.
fn refusal(
    webhook: &Webhook,
    event: &Event,
    triggers: bool,
    scope: &mut Option<Scope>,
) -> Option<(SkipReason, String)> {
    let skip = |reason| Some((reason, String::new()));
    if event.partitionkey == webhook.id && catalogue::is_operational(&event.kind) {
        return skip(SkipReason::Itself);
    }
    if webhook.options.api.as_deref().is_some_and(|api| event.api() != Some(api)) {
        return skip(SkipReason::OutOfScope);
    }
    if !webhook.is_active() {
        return skip(SkipReason::Inactive);
    }
    if !triggers {
        return skip(SkipReason::TriggersOff);
    }
    let filter = webhook.filter.as_ref()?;
    match filter.holds(scope.get_or_insert_with(|| Scope::of_event(event))) {
        Ok(true) => None,
        Ok(false) => skip(SkipReason::FilterFalse),
        Err(failed) => Some((SkipReason::FilterError, failed.to_string())),
    }
}

impl Destinations for Registry {
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>> {
        let webhook = self.find_webhook(id)?;
        Some(Arc::new(Switched { webhook, triggers: Arc::clone(&self.triggers) }))
    }
}

/// A webhook under the switch of all webhooks.
struct Switched {
    webhook: Arc<Webhook>,
    triggers: Arc<AtomicBool>,
}

#[async_trait]
impl Destination for Switched {
    fn policy(&self) -> Policy {
        let policy = self.webhook.policy();
        let off = !self.triggers.load(Ordering::Relaxed);
        Policy { hold: policy.hold.or_else(|| off.then_some(Hold::TriggersOff)), ..policy }
    }

    async fn attempt(&self, context: Context) -> Report {
        self.webhook.attempt(context).await
    }
}

//! All actions as they are now: which events start them, and where their deliveries go.
//!
//! Owns the table and swapping it whole, so that a reload is live at once and never half. Refuses to own what an action does
//! (`custom`, `managed`) and deciding when it is tried (`deliver`).

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;

use crate::bus::{self, Matches, Skip, SkipReason};
use crate::deliver::{Context, Destination, Destinations, Policy, Report, schedule};
use crate::events::expression::{Condition, EVENT_ROOTS, Scope};
use crate::events::{Pattern, caused_by};
use crate::model::delivery::{Hold, OutcomeKind};
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::{Problem, Problems, pointer};
use crate::runtime::shutdown::{Stage, Watch};
use crate::telemetry::signals::actions as signals;

use super::custom::Call;
use super::managed::{Lanes, Test};
use super::options::{Action, Integration};
use super::world::{Identity, World, extended};

/// Attempts of a managed action at once: one that runs, the newest that waits, and those that hear that they were replaced.
const MANAGED_ATTEMPTS: usize = 4;
/// Relative spread of waits between attempts.
const JITTER: f64 = 0.2;
/// A chain of events causing events longer than this is stopped (`spec/actions.md` 8).
const CHAIN_DEPTH_MAX: u32 = 16;

/// All actions. Made empty, so that the bus can hold it as a matcher before the world that actions need exists.
#[derive(Default)]
pub struct Registry {
    table: ArcSwap<Table>,
    lanes: Arc<Lanes>,
    stage: Stage,
}

/// A set of actions that can work, not in force yet.
pub struct Prepared(Arc<Table>);

/// In the order of the configuration.
#[derive(Default)]
struct Table {
    entries: Vec<Arc<Entry>>,
}

/// One action in force.
struct Entry {
    id: String,
    version: u64,
    action: Action,
    patterns: Vec<Pattern>,
    filter: Option<Condition>,
    work: Work,
    world: World,
}

/// What runs.
enum Work {
    Custom(Box<Call>),
    Test(Box<Test>),
}

/// An action as shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub id: String,
    pub version: u64,
    /// Secrets in it print as `***`.
    pub options: Action,
}

impl Registry {
    /// Makes a new set of actions ready for [`Registry::put`]; the former one stays in force meanwhile. Pointers of problems
    /// begin with `/actions`.
    ///
    /// # Errors
    /// When one of them cannot work.
    pub fn prepare(
        &self,
        actions: &[Action],
        integrations: &[Integration],
        world: &World,
    ) -> Result<Prepared, Problems> {
        let former = self.table.load();
        let mut problems = Problems::default();
        let mut entries = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            let id = id_of(action);
            let version = former.version(&id, action);
            let made = Entry::new(action, (id, version), integrations, world, self);
            match made {
                Ok(entry) => entries.push(Arc::new(entry)),
                Err(own) => problems.extend_below(&format!("/actions/{index}"), own),
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        Ok(Prepared(Arc::new(Table { entries })))
    }

    /// Puts actions in force: from the next event on, and for every later attempt.
    pub fn put(&self, prepared: Prepared) {
        self.table.store(prepared.0);
    }

    /// All of them, in the order of the configuration.
    #[must_use]
    pub fn list(&self) -> Vec<Summary> {
        self.table.load().entries.iter().map(|entry| entry.summary()).collect()
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<Summary> {
        self.table.load().find(id).map(|entry| entry.summary())
    }

    /// Ends the contract tests that run: no new request. They are run again after the next start.
    pub fn stop(&self) {
        self.stage.begin();
    }

    fn watch(&self) -> Watch {
        self.stage.watch()
    }
}

impl Table {
    fn find(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The version of an action: the former one while it is unchanged, else one more.
    fn version(&self, id: &str, action: &Action) -> u64 {
        let former = self.find(id);
        former.map_or(1, |entry| entry.version + u64::from(entry.action != *action))
    }
}

/// The id of an action of the configuration: equal on every instance and after every restart.
#[must_use]
pub fn id_of(action: &Action) -> String {
    match &action.api {
        Some(api) => id::object("act", "action", &format!("{api}/{}", action.name)),
        None => id::object("act", "action", &action.name),
    }
}

impl Entry {
    /// Compiles and resolves what was checked; pointers of problems are relative to the action.
    fn new(
        action: &Action,
        (id, version): (String, u64),
        integrations: &[Integration],
        world: &World,
        registry: &Registry,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let patterns = read_patterns(action, &mut problems);
        let filter = read_filter(action, &mut problems);
        let lanes = || Arc::clone(&registry.lanes);
        let work = match (&action.custom, &action.managed) {
            (Some(custom), _) => {
                Call::new(custom, integrations, world).map(|call| Work::Custom(Box::new(call)))
            }
            (None, Some(managed)) => {
                Test::new(&managed.contract_test, world, lanes(), registry.watch())
                    .map(|test| Work::Test(Box::new(test)))
            }
            (None, None) => Err(Problems(vec![Problem::error(
                "",
                "action.one-of",
                "an action is either `custom` or `managed`",
            )])),
        };
        let work = match work {
            Ok(work) if problems.is_empty() => work,
            Ok(_) => return Err(problems),
            Err(more) => {
                problems.extend_below("", more);
                return Err(problems);
            }
        };
        let (action, world) = (action.clone(), world.clone());
        Ok(Self { id, version, action, patterns, filter, work, world })
    }

    fn summary(&self) -> Summary {
        Summary { id: self.id.clone(), version: self.version, options: self.action.clone() }
    }

    fn identity<'a>(&'a self, event: &'a Event) -> Identity<'a> {
        let name = self.action.api.as_deref().or_else(|| event.api());
        let api = name.and_then(|name| self.world.apis.get_key_value(name));
        Identity {
            id: &self.id,
            version: self.version,
            action: &self.action,
            api: api.map(|(name, api)| (name.as_str(), api)),
        }
    }

    /// Why an event of a type that this action names does not start it.
    fn refusal(&self, event: &Event) -> Option<(SkipReason, String)> {
        let skip = |reason| Some((reason, String::new()));
        if self.action.api.as_deref().is_some_and(|api| event.api() != Some(api)) {
            return skip(SkipReason::OutOfScope);
        }
        if event.chainpath.split(' ').any(|passed| passed == self.id) {
            return skip(SkipReason::Itself);
        }
        if event.chaindepth >= CHAIN_DEPTH_MAX {
            let detail = format!("the chain of events is {CHAIN_DEPTH_MAX} long");
            return Some((SkipReason::Limit, detail));
        }
        if !self.action.active {
            return skip(SkipReason::Inactive);
        }
        match self.filter.as_ref()?.holds(&Scope::of_event(event)) {
            Ok(true) => None,
            Ok(false) => skip(SkipReason::FilterFalse),
            Err(failed) => Some((SkipReason::FilterError, failed.to_string())),
        }
    }

    /// Says that a custom action was delivered.
    async fn complete(&self, identity: &Identity<'_>, context: &Context) {
        let data = serde_json::json!({
            "action": self.action.name,
            "delivery": context.delivery.id,
            "status": "succeeded",
        });
        let api = identity.api.map(|(name, _)| name);
        let now_ms = self.world.clock.now_ms();
        let raised = self.world.raise.event("action.completed", api, now_ms, &data);
        let mut event = caused_by(raised, &context.event);
        event.chainpath = extended(&event.chainpath, &self.id);
        event.subject = Some(self.action.name.clone());
        if let Err(error) = self.world.bus.publish(vec![event], Vec::new()).await {
            signals::ResultLost { action: &self.action.name, error: &error.to_string() }.tell();
        }
    }
}

fn read_patterns(action: &Action, problems: &mut Problems) -> Vec<Pattern> {
    let mut patterns = Vec::with_capacity(action.events.len());
    for (index, text) in action.events.iter().enumerate() {
        if let Some(pattern) = Pattern::parse(text) {
            patterns.push(pattern);
            continue;
        }
        let place = pointer("/events", &index.to_string());
        problems.push(
            Problem::error(place, "event.bad-pattern", format!("`{text}` names no event"))
                .remedy("use a type, `prefix.*` or `*`"),
        );
    }
    patterns
}

fn read_filter(action: &Action, problems: &mut Problems) -> Option<Condition> {
    match Condition::compile(action.filter.as_ref()?, EVENT_ROOTS) {
        Ok(filter) => Some(filter),
        Err(mut problem) => {
            problem.pointer.insert_str(0, "/filter");
            problems.push(problem);
            None
        }
    }
}

#[async_trait]
impl Destination for Entry {
    fn policy(&self) -> Policy {
        let retry = self.action.retry();
        let concurrency = match self.work {
            Work::Custom(_) => self.action.concurrency(),
            Work::Test(_) => MANAGED_ATTEMPTS.max(self.action.concurrency()),
        };
        Policy {
            retry: schedule::Policy {
                base_ms: retry.base.as_ms(),
                cap_ms: retry.cap.as_ms(),
                jitter: JITTER,
                deadline_ms: retry.deadline.as_ms(),
            },
            concurrency,
            hold: (!self.action.active).then_some(Hold::Inactive),
        }
    }

    async fn attempt(&self, context: Context) -> Report {
        let identity = self.identity(&context.event);
        match &self.work {
            Work::Test(test) => test.attempt(&identity, &context).await,
            Work::Custom(call) => {
                let report = call.attempt(&identity, &context).await;
                if report.outcome == OutcomeKind::Ok {
                    self.complete(&identity, &context).await;
                }
                report
            }
        }
    }
}

impl bus::Matcher for Registry {
    fn matches(&self, event: &Event) -> Matches {
        let mut matches = Matches::default();
        for entry in &self.table.load().entries {
            if !entry.patterns.iter().any(|pattern| pattern.matches(&event.kind)) {
                continue;
            }
            match entry.refusal(event) {
                None => matches.deliveries.push(entry.id.clone()),
                Some((reason, detail)) => {
                    let destination = entry.id.clone();
                    matches.skips.push(Skip { destination, reason, detail });
                }
            }
        }
        matches
    }
}

impl Destinations for Registry {
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>> {
        let table = self.table.load();
        table.find(id).map(|entry| Arc::clone(entry) as Arc<dyn Destination>)
    }
}

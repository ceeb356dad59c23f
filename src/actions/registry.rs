//! All actions as they are now: which events start them, and where their deliveries go.
//!
//! Owns the table and swapping it whole, so that a reload is live at once and never half. Refuses to own what an action does
//! (`custom`, `managed`) and deciding when it is tried (`deliver`).

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::bus::{self, Matches, Skip, SkipReason};
use crate::deliver::auth::Providers;
use crate::deliver::client::Client;
use crate::deliver::guard::Trust;
use crate::deliver::{Destination, Destinations};
use crate::events::{Pattern, Raise, chain};
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::{Problem, Problems, pointer};
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::Panics;
use crate::store;

use super::options::{Action, Integration};

/// A chain of events causing events longer than this is stopped (`spec/actions.md` 8).
const CHAIN_DEPTH_MAX: u32 = 16;

/// What actions need of the world.
#[derive(Clone)]
pub struct World {
    pub store: store::Handle,
    pub bus: bus::Handle,
    pub raise: Raise,
    pub client: Client,
    pub clock: Clock,
    pub rng: Rng,
    pub panics: Panics,
    pub providers: Providers,
    /// Seals the mark on requests of ours.
    pub chain_key: chain::Key,
    /// How far URLs of actions and integrations are trusted, by where they were written.
    pub trust: Trust,
    /// The inventory by name.
    pub apis: BTreeMap<String, Api>,
}

/// What an action may know of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Where its upstream answers, with the path that comes before the templates of its specification.
    pub base_url: String,
    /// Prefix under which the proxy serves it, `/` for none.
    pub path_prefix: String,
}

/// All actions. Made empty, so that the bus can hold it as a matcher before the world that actions need exists.
#[derive(Default)]
pub struct Registry {
    table: ArcSwap<Table>,
}

/// In the order of the configuration.
#[derive(Default)]
struct Table {
    entries: Vec<Arc<Entry>>,
}

/// One action.
struct Entry {
    id: String,
    version: u64,
    action: Action,
    patterns: Vec<Pattern>,
}

impl Registry {
    /// Puts a new set of actions in force; from the next event on and for every later attempt. Pointers of problems begin with
    /// `/actions` and `/integrations`.
    ///
    /// # Errors
    /// When one of them cannot work; then the former set stays.
    pub fn replace(
        &self,
        actions: &[Action],
        integrations: &[Integration],
        world: &World,
    ) -> Result<(), Problems> {
        let _ = (integrations, world);
        let former = self.table.load();
        let mut problems = Problems::default();
        let mut entries = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            let mut own = Problems::default();
            let patterns = read_patterns(action, &mut own);
            problems.extend_below(&format!("/actions/{index}"), own);
            let id = id_of(action);
            let version = former.version(&id, action);
            entries.push(Arc::new(Entry { id, version, action: action.clone(), patterns }));
        }
        if problems.has_errors() {
            return Err(problems);
        }
        self.table.store(Arc::new(Table { entries }));
        Ok(())
    }
}

impl Table {
    /// The version of an action: the former one while it is unchanged, else one more.
    fn version(&self, id: &str, action: &Action) -> u64 {
        let former = self.entries.iter().find(|entry| entry.id == id);
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

fn read_patterns(action: &Action, problems: &mut Problems) -> Vec<Pattern> {
    let mut patterns = Vec::with_capacity(action.events.len());
    for (index, text) in action.events.iter().enumerate() {
        match Pattern::parse(text) {
            Some(pattern) => patterns.push(pattern),
            None => {
                let place = pointer("/events", &index.to_string());
                problems.push(
                    Problem::error(place, "event.bad-pattern", format!("`{text}` names no event"))
                        .remedy("use a type, `prefix.*` or `*`"),
                );
            }
        }
    }
    patterns
}

impl Entry {
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
        None
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
    fn find(&self, _id: &str) -> Option<Arc<dyn Destination>> {
        None
    }
}

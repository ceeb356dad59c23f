//! Webhooks and actions as the admin API lists them, read from the configuration in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::actions;
use crate::admin::{self, dto};
use crate::config::Config;

/// Answers for the admin API.
pub(super) struct Directory {
    pub(super) config: Arc<ArcSwap<Config>>,
}

impl admin::Directory for Directory {
    fn webhooks(&self) -> Vec<dto::Webhook> {
        Vec::new()
    }

    fn actions(&self) -> Vec<dto::Action> {
        self.config.load().actions.iter().map(action).collect()
    }
}

fn action(action: &actions::options::Action) -> dto::Action {
    dto::Action {
        id: actions::id_of(action),
        name: action.name.clone(),
        description: action.description.clone(),
        kind: if action.managed.is_some() { "managed" } else { "custom" },
        origin: "file",
        events: action.events.clone(),
        api: action.api.clone(),
        active: action.active,
        // Counted by whoever lists them: the numbers are the store's.
        deliveries: BTreeMap::new(),
    }
}

//! Webhooks and actions as the admin API lists them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admin::{self, dto};
use crate::{actions, webhooks};

/// Answers for the admin API.
pub(super) struct Directory {
    pub(super) webhooks: Arc<webhooks::Registry>,
    pub(super) actions: Arc<actions::Registry>,
}

impl admin::Directory for Directory {
    fn webhooks(&self) -> Vec<dto::Webhook> {
        self.webhooks.list().into_iter().map(webhook).collect()
    }

    fn actions(&self) -> Vec<dto::Action> {
        self.actions.list().into_iter().map(action).collect()
    }
}

fn webhook(summary: webhooks::Summary) -> dto::Webhook {
    let options = summary.options;
    dto::Webhook {
        id: summary.id,
        name: options.name,
        version: summary.version,
        origin: "file",
        url: options.url,
        events: options.events,
        api: options.api,
        active: summary.active,
        format: options.format.as_str().to_owned(),
        // Counted by whoever lists them: the numbers are the store's.
        deliveries: BTreeMap::new(),
    }
}

fn action(summary: actions::Summary) -> dto::Action {
    let options = summary.options;
    dto::Action {
        id: summary.id,
        name: options.name,
        description: options.description,
        kind: if options.managed.is_some() { "managed" } else { "custom" },
        origin: "file",
        events: options.events,
        api: options.api,
        active: options.active,
        deliveries: BTreeMap::new(),
    }
}

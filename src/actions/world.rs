//! What an action is given: the handles it works with, and who it is.
//!
//! Owns what `custom` and `managed` share. Refuses to own the table of actions (`registry`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::deliver::Credentials;
use crate::deliver::auth::Providers;
use crate::deliver::client::Client;
use crate::deliver::guard::Trust;
use crate::events::{Raise, chain};
use crate::model::problem::Problem;
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::Panics;
use crate::{bus, store};

use super::options::Action;

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
    /// The file of its predefined baseline; none when what it is held to was learned, and is in the store.
    pub baseline_file: Option<PathBuf>,
}

/// Which action runs, and for which API.
pub(super) struct Identity<'a> {
    pub(super) id: &'a str,
    pub(super) version: u64,
    pub(super) action: &'a Action,
    pub(super) api: Option<(&'a str, &'a Api)>,
}

/// The auth provider of this name.
pub(super) fn credentials(
    name: Option<&String>,
    world: &World,
) -> Result<Option<Arc<dyn Credentials>>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let found = world.providers.get(name).ok_or_else(|| {
        let message = format!("there is no auth provider named `{name}`");
        Problem::error("", "action.unknown-reference", message)
            .remedy("define it under `auth_providers`")
    })?;
    Ok(Some(found))
}

/// A chain path with one more id passed.
pub(super) fn extended(path: &str, id: &str) -> String {
    if path.is_empty() { id.to_owned() } else { format!("{path} {id}") }
}

//! What only the whole configuration can get wrong: names given twice, references to nothing, APIs that collide.
//!
//! Owns the rules between sections and calling each part's own check. Refuses to own the parts' rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::load::chain;
use super::options::{Api, Config};
use super::specification;
use crate::actions::contract_test::options::SpecificationSource;
use crate::actions::{self, options::Known};
use crate::deliver::auth;
use crate::model::problem::{Problem, Problems, nearest};
use crate::pipeline::options::Baseline;
use crate::proxy::options::Listener;
use crate::webhooks;

/// Every name that the text gives, also of objects that are wrong otherwise: a reference to one of those is no mistake.
pub(super) struct Names(BTreeMap<&'static str, BTreeSet<String>>);

impl Names {
    const LISTS: [&'static str; 6] =
        ["listeners", "apis", "auth_providers", "integrations", "webhooks", "actions"];

    pub(super) fn of(tree: &Value) -> Self {
        let names = |list: &str| {
            let items = tree.get(list).and_then(Value::as_array).into_iter().flatten();
            let labels = items.flat_map(|item| [item.get("name"), item.get("address")]);
            labels.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self(Self::LISTS.into_iter().map(|list| (list, names(list))).collect())
    }

    fn all(&self, list: &'static str) -> BTreeSet<&str> {
        self.0.get(list).into_iter().flatten().map(String::as_str).collect()
    }

    /// Reports a reference to a name that no object of `list` has.
    fn refer(&self, list: &'static str, name: &str, at: String, problems: &mut Problems) {
        let Some(known) = self.0.get(list) else { return };
        if known.contains(name) {
            return;
        }
        let remedy = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it to `{list}`, or name one that is there"),
        };
        let message = format!("`{name}` is not in `{list}`");
        problems.push(Problem::error(at, "config.unknown-reference", message).remedy(remedy));
    }
}

/// Every part's own check, then the rules between them.
pub(super) fn check(config: &Config, names: &Names, problems: &mut Problems) {
    parts(config, names, problems);
    duplicates(config, problems);
    references(config, names, problems);
    collisions(config, problems);
    if config.listeners.is_empty() {
        problems.push(
            Problem::error("/listeners", "config.no-listener", "no address to listen on")
                .remedy("remove the empty list to listen on 127.0.0.1:8080, or name an address"),
        );
    }
    if names.all("apis").is_empty() {
        problems.push(
            Problem::warning("", "config.no-api", "no API is defined: every request gets a 404")
                .remedy("add one under `apis`, or start with `--upstream URL`"),
        );
    }
}

fn parts(config: &Config, names: &Names, problems: &mut Problems) {
    let mut part = |prefix: &str, check: &dyn Fn(&mut Problems)| {
        let mut found = Problems::default();
        check(&mut found);
        problems.extend_below(prefix, found);
    };
    for (index, listener) in config.listeners.iter().enumerate() {
        part(&format!("/listeners/{index}"), &|found| listener.check(found));
    }
    for (index, api) in config.apis.iter().enumerate() {
        let at = format!("/apis/{index}");
        part(&at, &|found| api.check(found));
        part(&format!("{at}/upstream"), &|found| api.upstream.check(found));
        part(&format!("{at}/pins"), &|found| api.pins.check(found));
        if let Some(forward) = &api.forward {
            part(&format!("{at}/forward"), &|found| forward.check(found));
        }
    }
    part("/data_plane", &|found| config.data_plane.check(found));
    part("/limits", &|found| config.limits.check(found));
    part("/capture", &|found| config.capture.check(found));
    part("/analysis", &|found| config.analysis.check(found));
    part("/inference", &|found| config.inference.check(found));
    part("/drift", &|found| config.drift.check(found));
    part("/egress", &|found| config.egress.check(found));
    part("/store", &|found| config.store.check(found));
    part("/admin", &|found| config.admin.check(found));
    part("/auth_providers", &|found| auth::options::check_all(&config.auth_providers, found));
    part("/webhooks", &|found| webhooks::options::check_all(&config.webhooks, found));
    if let Some(kafka) = &config.kafka {
        part("/kafka", &|found| kafka.check(found));
    }
    let known = Known {
        apis: names.all("apis"),
        auth_providers: names.all("auth_providers"),
        integrations: names.all("integrations"),
    };
    let (actions, integrations) = (&config.actions, &config.integrations);
    part("", &|found| actions::options::check_all(actions, integrations, &known, found));
}

impl Api {
    /// Reports what is wrong with name, hosts and prefix; pointers begin below the API.
    fn check(&self, problems: &mut Problems) {
        if !is_api_name(&self.name) {
            problems.push(
                Problem::error(
                    "/name",
                    "config.bad-name",
                    format!("`{}` is no API name", self.name),
                )
                .remedy("use 1-64 lower-case letters, digits, `-` and `_`, a letter first"),
            );
        }
        if !self.path_prefix.starts_with('/') || self.path_prefix.contains(['?', '#', ' ']) {
            let message = format!("`{}` is no path prefix", self.path_prefix);
            problems.push(
                Problem::error("/path_prefix", "config.bad-prefix", message)
                    .remedy("begin with `/`, without query and fragment"),
            );
        }
        for (index, host) in self.hosts.iter().enumerate() {
            let name = host.strip_prefix("*.").unwrap_or(host);
            if name.is_empty() || name.contains(['/', '*', ':', '@', ' ']) {
                let message = format!("`{host}` is no host name");
                problems.push(
                    Problem::error(format!("/hosts/{index}"), "config.bad-host", message)
                        .remedy("write `api.example.com` or `*.example.com`, without port"),
                );
            }
        }
    }
}

fn is_api_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The names of each list, in its order.
fn named(config: &Config) -> Vec<(&'static str, Vec<&str>)> {
    vec![
        ("listeners", config.listeners.iter().map(Listener::label).collect()),
        ("apis", config.apis.iter().map(|api| api.name.as_str()).collect()),
    ]
}

fn duplicates(config: &Config, problems: &mut Problems) {
    for (list, names) in named(config) {
        let mut seen = BTreeMap::new();
        for (index, name) in names.into_iter().enumerate() {
            if let Some(first) = seen.insert(name, index) {
                seen.insert(name, first);
                let at = format!("/{list}/{index}/name");
                let message =
                    format!("`{name}` is already the name of `{list}` entry {}", first + 1);
                problems.push(
                    Problem::error(at, "config.duplicate-name", message)
                        .remedy("give each its own name"),
                );
            }
        }
    }
}

fn references(config: &Config, names: &Names, problems: &mut Problems) {
    for (index, api) in config.apis.iter().enumerate() {
        for (nth, listener) in api.listeners.iter().enumerate() {
            let at = format!("/apis/{index}/listeners/{nth}");
            names.refer("listeners", listener, at, problems);
        }
    }
    for (index, webhook) in config.webhooks.iter().enumerate() {
        let references = [
            ("apis", "api", &webhook.api),
            ("auth_providers", "auth_provider", &webhook.auth_provider),
        ];
        for (list, key, name) in references {
            if let Some(name) = name {
                names.refer(list, name, format!("/webhooks/{index}/{key}"), problems);
            }
        }
    }
}

/// Two APIs with equal host and prefix on one listener: which one a request meant could not be told.
fn collisions(config: &Config, problems: &mut Problems) {
    let mut taken: BTreeMap<(String, String, &str), &str> = BTreeMap::new();
    for (index, api) in config.apis.iter().enumerate() {
        let any = [String::new()];
        let hosts: Vec<String> = api.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let hosts = if hosts.is_empty() { &any[..] } else { &hosts };
        let prefix = api.path_prefix.trim_end_matches('/');
        let serving = |label: &&str| {
            api.listeners.is_empty() || api.listeners.iter().any(|name| name == label)
        };
        let scopes =
            config.listeners.iter().map(Listener::label).filter(serving).flat_map(|label| {
                hosts.iter().map(move |host| (label.to_owned(), host.clone(), prefix))
            });
        let mut other = None;
        for scope in scopes {
            let first = *taken.entry(scope).or_insert(&api.name);
            other = other.or_else(|| (first != api.name).then_some(first));
        }
        if let Some(other) = other {
            let message =
                format!("`{}` and `{other}` answer to the same host and prefix", api.name);
            problems.push(
                Problem::error(format!("/apis/{index}"), "config.same-scope", message)
                    .remedy("tell them apart by `hosts` or `path_prefix`"),
            );
        }
    }
}

/// What is wrong inside a file that the configuration names.
pub(super) struct Inside {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) problems: Problems,
}

/// Reads the specifications that the configuration names. One that cannot be read is a problem of the configuration.
pub(super) fn named_files(config: &Config, problems: &mut Problems) -> Vec<Inside> {
    let mut named: BTreeMap<&Path, String> = BTreeMap::new();
    for (index, action) in config.actions.iter().enumerate() {
        let test = action.managed.as_ref().map(|managed| &managed.contract_test);
        if let Some(SpecificationSource::File(path)) =
            test.and_then(|test| test.specification.as_ref())
        {
            named.insert(path, format!("/actions/{index}/managed/contract_test/specification"));
        }
    }
    for (index, api) in config.apis.iter().enumerate() {
        if let Baseline::File(path) = &api.baseline {
            named.insert(path, format!("/apis/{index}/baseline/file"));
        }
    }
    let mut inside = Vec::new();
    for (path, pointer) in named {
        match specification::read(path) {
            Ok(read) => inside.push(Inside {
                file: path.to_string_lossy().into_owned(),
                text: read.text,
                problems: read.parsed.map_or_else(|problems| problems, |(_, lints)| lints),
            }),
            Err(error) => problems.push(
                Problem::error(pointer, "config.unreadable-file", chain(&error))
                    .remedy("name a readable OpenAPI or Swagger document, relative to this file"),
            ),
        }
    }
    inside
}

//! What concerns the document as a whole: servers, security schemes, webhooks, callbacks, its version.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::super::specification::{Operation, Server, Specification};
use super::super::change::Subject;
use super::draft::Draft;
use super::{Pair, Table, at};
use crate::model::finding::{Direction, Verdict};

impl<'d> Table<'d> {
    pub(super) fn document(&self) {
        let found =
            servers("api-server", &self.old.servers, &self.new.servers, ("/servers", "/servers"));
        for draft in found {
            self.keep(Subject::default(), draft);
        }
        self.schemes();
        self.webhooks();
        if self.options.check_version {
            self.version();
        }
    }

    /// Servers of the operation or its path, where it has its own.
    pub(super) fn operation_servers(&self, pair: Pair<'d>) {
        let Pair { old, new } = pair;
        if !old.servers.is_empty() && !new.servers.is_empty() {
            let places = (&*old.pointer, &*new.pointer);
            for draft in servers("operation-server", &old.servers, &new.servers, places) {
                self.put(new, draft);
            }
        }
        self.callbacks(pair);
    }

    fn callbacks(&self, pair: Pair<'d>) {
        let names = |specification: &Specification, operation: &Operation| {
            keys(specification.document.pointer(&operation.pointer), "callbacks")
        };
        let (old, new) = (names(self.old, pair.old), names(self.new, pair.new));
        for (step, verdict, name) in steps(&old, &new) {
            let draft = Draft::new(format!("callback-{step}"), Direction::Request, verdict)
                .text(format!("callback `{name}` {step}"))
                .pointing(format!("callbacks/{name}"))
                .between(at(&pair.old.pointer, ""), at(&pair.new.pointer, ""));
            self.put(pair.new, draft);
        }
    }

    fn webhooks(&self) {
        let names = |specification: &Specification| keys(Some(&specification.document), "webhooks");
        for (step, verdict, name) in steps(&names(self.old), &names(self.new)) {
            let place = format!("/webhooks/{}", name.replace('~', "~0").replace('/', "~1"));
            let (old, new) = if step == "removed" {
                (at(&place, &*name), None)
            } else {
                (None, at(&place, &*name))
            };
            let draft = Draft::structure(format!("webhook-{step}"), verdict)
                .text(format!("webhook `{name}` {step}"))
                .pointing(format!("webhooks/{name}"))
                .between(old, new);
            self.keep(Subject::default(), draft);
        }
    }

    fn version(&self) {
        let (old, new) = (&self.old.version, &self.new.version);
        let parts = |text: &str| -> Vec<u64> {
            text.trim_start_matches('v')
                .split(['.', '-', '+'])
                .map_while(|part| part.parse().ok())
                .collect()
        };
        let (before, after) = (parts(old), parts(new));
        let is_broken =
            self.changes.borrow().iter().any(|change| change.verdict == Verdict::Breaking);
        let is_changed = !self.changes.borrow().is_empty();
        let label = if after < before {
            "api-version-decreased"
        } else if is_broken && after.first() <= before.first() {
            "api-major-version-not-bumped"
        } else if is_changed && after == before {
            "api-version-not-bumped"
        } else {
            return;
        };
        let draft = Draft::structure(label, Verdict::PotentiallyBreaking)
            .text(format!("version: {old} → {new}"))
            .because("the version does not tell what changed")
            .between(at("/info/version", &**old), at("/info/version", &**new));
        self.keep(Subject::default(), draft);
    }
}

/// Where the API answers. A client is configured with a URL, so one that is gone may be somebody's.
fn servers(
    label: &str,
    old: &[Server],
    new: &[Server],
    (old_place, new_place): (&str, &str),
) -> Vec<Draft> {
    let urls = |servers: &[Server]| -> BTreeSet<String> {
        servers.iter().map(|server| server.url.trim_end_matches('/').to_owned()).collect()
    };
    let (old, new) = (urls(old), urls(new));
    let draft = |url: &String, step: &str, verdict: Verdict| {
        Draft::structure(format!("{label}-{step}"), verdict)
            .text(format!("server {url} {step}"))
            .pointing(format!("servers/{url}"))
            .between(at(old_place, &**url), at(new_place, &**url))
    };
    let gone = old.difference(&new).map(|url| draft(url, "removed", Verdict::PotentiallyBreaking));
    let come = new.difference(&old).map(|url| draft(url, "added", Verdict::Compatible));
    gone.chain(come).collect()
}

fn keys(value: Option<&Value>, name: &str) -> BTreeSet<String> {
    let members = value.and_then(|value| value.get(name)?.as_object());
    members.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Names that came and went.
fn steps(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<(&'static str, Verdict, String)> {
    let gone = old.difference(new).map(|name| ("removed", Verdict::Breaking, name.clone()));
    let come = new.difference(old).map(|name| ("added", Verdict::Compatible, name.clone()));
    gone.chain(come).collect()
}

//! Operations: which are the same, which came, went or moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::super::specification::{Operation, Specification};
use super::draft::Draft;
use super::lifecycle::Ending;
use super::{Pair, Table, at, templates};
use crate::model::finding::Verdict;

/// Method and template without the names of its slots.
type Key = (Arc<str>, String);

impl<'d> Table<'d> {
    pub(super) fn operations(&self) {
        let (strip_old, strip_new) = &self.options.strip_prefix;
        let old = by_key(&self.old.operations, strip_old);
        let mut new = by_key(&self.new.operations, strip_new);
        let mut lost: Vec<&Operation> = Vec::new();
        for (key, old) in old {
            match new.remove(&key) {
                Some(new) => self.pair(Pair { old, new }),
                None => lost.push(old),
            }
        }
        lost.retain(|old| {
            // What moved from the path into the server's URL, or back, is called as before.
            let same = new
                .iter()
                .find(|(_, other)| old.method == other.method && self.is_called_alike(old, other));
            let Some((key, other)) = same.map(|(key, other)| (key.clone(), *other)) else {
                return true;
            };
            new.remove(&key);
            self.pair(Pair { old, new: other });
            false
        });
        let mut serving = BTreeSet::new();
        lost.retain(|old| {
            let other = new.iter().find(|(_, other)| templates::serves(self.new, other, old));
            let Some((key, other)) = other.map(|(key, other)| (key.clone(), *other)) else {
                return true;
            };
            serving.insert(key);
            let pair = Pair { old, new: other };
            self.generalized(pair);
            self.pair(pair);
            false
        });
        new.retain(|key, _| !serving.contains(key));
        lost.retain(|old| {
            let moved = new
                .iter()
                .find(|(_, new)| old.id.is_some() && old.id == new.id && old.method == new.method);
            let Some((key, new_operation)) = moved.map(|(key, new)| (key.clone(), *new)) else {
                return true;
            };
            new.remove(&key);
            let pair = Pair { old, new: new_operation };
            self.moved(pair);
            self.pair(pair);
            false
        });
        for operation in &lost {
            self.gone(operation);
        }
        for operation in new.values() {
            let text = format!("{} {} is new", operation.method, operation.template);
            let draft = Draft::structure("endpoint-added", Verdict::Compatible)
                .forward(Verdict::Breaking)
                .text(text)
                .between(
                    None,
                    at(&operation.pointer, operation.summary.clone().unwrap_or_default()),
                );
            self.put(operation, draft);
        }
    }

    fn pair(&self, pair: Pair<'d>) {
        self.identity(pair);
        self.lifecycle(pair);
        self.parameters(pair);
        self.request_bodies(pair);
        self.responses(pair);
        self.security(pair);
        self.operation_servers(pair);
    }

    /// Whether some server of each document makes one URL of both.
    fn is_called_alike(&self, old: &Operation, new: &Operation) -> bool {
        let paths = |specification: &Specification, operation: &Operation| -> Vec<String> {
            let own = if operation.servers.is_empty() {
                &specification.servers
            } else {
                &operation.servers
            };
            let whole = |base: &str| erased(&format!("{base}{}", operation.template));
            let mut found: Vec<String> =
                own.iter().map(|server| whole(&server.base_path)).collect();
            if found.is_empty() {
                found.push(whole(""));
            }
            found
        };
        let (old, new) = (paths(self.old, old), paths(self.new, new));
        old.iter().any(|path| new.contains(path))
    }

    /// A path that is written out became one of those that a template names.
    fn generalized(&self, pair: Pair<'d>) {
        let text = format!("{} is now one of {}", pair.old.template, pair.new.template);
        self.path_changed(pair, Verdict::Compatible, text);
    }

    fn moved(&self, pair: Pair<'d>) {
        let text = format!("{} moved to {}", pair.old.template, pair.new.template);
        self.path_changed(pair, Verdict::Breaking, text);
    }

    fn path_changed(&self, pair: Pair<'d>, verdict: Verdict, text: String) {
        let draft = Draft::structure("api-path-changed", verdict)
            .forward(Verdict::Breaking)
            .text(text)
            .between(
                at(&pair.old.pointer, &*pair.old.template),
                at(&pair.new.pointer, &*pair.new.template),
            );
        self.put(pair.old, draft);
    }

    /// An operation that nothing in the new document answers.
    fn gone(&self, operation: &Operation) {
        let whole_path =
            !self.new.operations.iter().any(|other| other.template == operation.template);
        let path = if whole_path { "path-" } else { "" };
        let ending = self.ending(&operation.pointer, operation.deprecated);
        let label = match ending {
            Ending::Sudden => format!("api-{path}removed-without-deprecation"),
            Ending::Early => format!("api-{path}removed-before-sunset"),
            Ending::Unreadable => "api-path-sunset-parse".to_owned(),
            Ending::Announced | Ending::Over => format!("api-{path}removed-with-deprecation"),
        };
        let verdict = if ending == Ending::Over { Verdict::Compatible } else { Verdict::Breaking };
        let text = format!("{} {} is gone", operation.method, operation.template);
        let draft = Draft::structure(label, verdict)
            .text(text)
            .between(at(&operation.pointer, operation.summary.clone().unwrap_or_default()), None);
        self.put(operation, draft);
    }

    /// Operation id, tags and the names of slots.
    fn identity(&self, pair: Pair<'d>) {
        let Pair { old, new } = pair;
        let label = match (&old.id, &new.id) {
            (Some(left), Some(right)) if left != right => Some("api-operation-id-changed"),
            (None, Some(_)) => Some("api-operation-id-added"),
            (Some(_), None) => Some("api-operation-id-removed"),
            _ => None,
        };
        if let Some(label) = label {
            let id = |operation: &Operation| operation.id.clone().unwrap_or_else(|| "none".into());
            let draft = Draft::structure(label, Verdict::Cosmetic)
                .forward(Verdict::Cosmetic)
                .text(format!("operation id: {} → {}", id(old), id(new)))
                .between(at(&old.pointer, id(old)), at(&new.pointer, id(new)));
            self.put(new, draft);
        }
        for (tags, others, step) in
            [(&new.tags, &old.tags, "added"), (&old.tags, &new.tags, "removed")]
        {
            for tag in tags.iter().filter(|tag| !others.contains(tag)) {
                let draft = Draft::structure(format!("api-tag-{step}"), Verdict::Cosmetic)
                    .forward(Verdict::Cosmetic)
                    .text(format!("tag `{tag}` {step}"))
                    .pointing(format!("tags/{tag}"))
                    .between(at(&old.pointer, ""), at(&new.pointer, ""));
                self.put(new, draft);
            }
        }
        if old.template != new.template && erased(&old.template) == erased(&new.template) {
            let draft = Draft::structure("api-path-parameter-renamed", Verdict::Cosmetic)
                .forward(Verdict::Cosmetic)
                .text(format!("{} is now written {}", old.template, new.template))
                .between(at(&old.pointer, &*old.template), at(&new.pointer, &*new.template));
            self.put(new, draft);
        }
    }
}

fn by_key<'d>(operations: &'d [Operation], strip: &str) -> BTreeMap<Key, &'d Operation> {
    operations
        .iter()
        .map(|operation| {
            let template = operation.template.strip_prefix(strip).unwrap_or(&operation.template);
            ((operation.method.clone(), erased(template)), operation)
        })
        .collect()
}

/// A template with `{}` for every slot and no trailing slash.
pub(super) fn erased(template: &str) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str("{}");
        text.push_str(piece.split_once('}').map_or("", |(_, behind)| behind));
    }
    if text.len() > 1 { text.trim_end_matches('/').to_owned() } else { text }
}

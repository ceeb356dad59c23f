//! What was last published of an API: decisions about its paths, and the names of its operations (`spec/inference.md` 6.6).
//!
//! Owns the record and its spelling as JSON. With it, documents that follow each other agree: a decision turns only on clear
//! evidence, an operation keeps its id whatever becomes of its template, and an id that is gone leads to the one that came
//! after it. Offline there is no record, so that the order of traffic cannot matter. Refuses to own where it is kept.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Children of one place whose decisions are remembered; those of the others are made anew.
const CHILDREN_MAX: usize = 256;

/// Aliases that are followed before a ring is suspected.
const ALIASES_MAX: usize = 64;

/// The record of one API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// By the template of the parent, names erased, then by the keyed hash of the child.
    pub(super) decisions: BTreeMap<String, BTreeMap<u64, Decision>>,
    /// By method and template, names erased.
    pub(super) operations: BTreeMap<(String, String), Names>,
    /// By the id that is gone.
    pub(super) aliases: BTreeMap<String, Alias>,
}

/// Whether a child of the trie is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) is_value: bool,
    /// How often it had been visited.
    pub(super) visits: u32,
}

/// What an operation was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// `op_…`, for ever.
    pub(super) id: String,
    pub(super) operation_id: String,
    /// Of its path, in order.
    pub(super) parameters: Vec<String>,
}

/// Where an id went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) to: String,
    /// The revision that did it; empty until that is named.
    pub(super) revision: String,
}

impl Published {
    /// Names the revision that this record belongs to.
    pub fn seal(&mut self, revision: &str) {
        for alias in self.aliases.values_mut().filter(|alias| alias.revision.is_empty()) {
            revision.clone_into(&mut alias.revision);
        }
    }

    /// The id that an operation has now, by any that it ever had.
    #[must_use]
    pub fn resolve<'a>(&'a self, id: &'a str) -> &'a str {
        let mut now = id;
        for _ in 0..ALIASES_MAX {
            match self.aliases.get(now) {
                Some(alias) => now = &alias.to,
                None => break,
            }
        }
        now
    }

    /// Remembers a decision, if there is room.
    pub(super) fn decide(&mut self, place: &str, child: u64, decision: Decision) {
        let children = match self.decisions.get_mut(place) {
            Some(children) => children,
            None => self.decisions.entry(place.to_owned()).or_default(),
        };
        children.insert(child, decision);
        if children.len() > CHILDREN_MAX {
            children.pop_last();
        }
    }

    /// The decision about a child, if one was published.
    pub(super) fn decision(&self, place: &str, child: u64) -> Option<Decision> {
        self.decisions.get(place)?.get(&child).copied()
    }

    /// As JSON, to be kept.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let decisions = self.decisions.iter().map(|(place, children)| {
            let children = children.iter().map(|(child, decision)| {
                (format!("{child:016x}"), json!([decision.is_value, decision.visits]))
            });
            (place.clone(), Value::Object(children.collect()))
        });
        let operations = self.operations.iter().map(|((method, template), names)| {
            json!({
                "method": method,
                "template": template,
                "id": names.id,
                "operation_id": names.operation_id,
                "parameters": names.parameters,
            })
        });
        let aliases = self.aliases.iter().map(
            |(from, alias)| json!({ "from": from, "to": alias.to, "revision": alias.revision }),
        );
        json!({
            "decisions": decisions.collect::<Map<_, _>>(),
            "operations": operations.collect::<Vec<_>>(),
            "aliases": aliases.collect::<Vec<_>>(),
        })
    }

    /// Reads what [`Self::to_value`] wrote; what does not read back is as if it had never been published.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let list = |name: &str| value[name].as_array().into_iter().flatten();
        let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
        let mut published = Self::default();
        for (place, children) in value["decisions"].as_object().into_iter().flatten() {
            for (child, decision) in children.as_object().into_iter().flatten() {
                let visits = decision[1].as_u64().and_then(|visits| u32::try_from(visits).ok());
                let read = (u64::from_str_radix(child, 16).ok(), decision[0].as_bool(), visits);
                if let (Some(child), Some(is_value), Some(visits)) = read {
                    published.decide(place, child, Decision { is_value, visits });
                }
            }
        }
        published.operations = list("operations")
            .filter_map(|operation| {
                let key = (text(operation, "method")?, text(operation, "template")?);
                let parameters = operation["parameters"].as_array()?.iter();
                let names = Names {
                    id: text(operation, "id")?,
                    operation_id: text(operation, "operation_id")?,
                    parameters: parameters.filter_map(Value::as_str).map(str::to_owned).collect(),
                };
                Some((key, names))
            })
            .collect();
        published.aliases = list("aliases")
            .filter_map(|alias| {
                let (to, revision) = (text(alias, "to")?, text(alias, "revision")?);
                Some((text(alias, "from")?, Alias { to, revision }))
            })
            .collect();
        published
    }
}

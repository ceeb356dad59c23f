//! Where a configuration comes from: a file, flags over it, or flags alone.
//!
//! Owns `--set KEY=VALUE` and the configuration that `--upstream` stands for. Refuses to own argument parsing.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::model::document::{Document, ReadOptions};
use crate::model::problem::{Problem, Problems, pointer};

/// Everything that decides what is loaded. A reload reads the same source again.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The file; none: the flags stand on the defaults.
    pub file: Option<PathBuf>,
    /// One API without a file, or besides those of the file.
    pub api: Option<QuickApi>,
    /// Values that win over the file.
    pub set: Vec<Setting>,
}

/// `--upstream URL [--listen ADDR] [--api NAME]`.
#[derive(Debug, Clone)]
pub struct QuickApi {
    pub name: String,
    pub upstream: String,
    pub listen: Option<String>,
}

/// `--set KEY=VALUE`: a key like `apis.orders.capture` and a value as YAML would have it.
#[derive(Debug, Clone)]
pub struct Setting {
    pub key: String,
    pub value: String,
}

impl Setting {
    /// Reads `KEY=VALUE`; none without the `=` or a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key, value) = text.split_once('=')?;
        (!key.is_empty()).then(|| Self { key: key.to_owned(), value: value.to_owned() })
    }
}

impl Source {
    /// Lays the flags over the tree of the file; gives the pointers that now come from flags.
    pub(super) fn apply(&self, tree: &mut Value, problems: &mut Problems) -> Vec<String> {
        if tree.is_null() {
            *tree = Value::Object(Map::new());
        }
        let mut set = Vec::new();
        if let Some(api) = &self.api {
            set.extend(api.apply(tree));
        }
        for setting in &self.set {
            match setting.apply(tree) {
                Ok(pointer) => set.push(pointer),
                Err(problem) => problems.push(problem),
            }
        }
        set
    }
}

impl QuickApi {
    fn apply(&self, tree: &mut Value) -> Vec<String> {
        let Value::Object(members) = tree else { return Vec::new() };
        let mut set = Vec::new();
        if let Some(address) = &self.listen {
            members.insert("listeners".to_owned(), json!([{ "address": address }]));
            set.push("/listeners".to_owned());
        }
        let apis = members.entry("apis").or_insert_with(|| json!([]));
        if let Value::Array(apis) = apis {
            set.push(format!("/apis/{}", apis.len()));
            apis.push(json!({ "name": self.name, "upstream": self.upstream }));
        }
        set
    }
}

impl Setting {
    fn apply(&self, tree: &mut Value) -> Result<String, Problem> {
        let refuse = |message: String| {
            Problem::error("", "config.bad-setting", message)
                .remedy("write `--set section.key=value`, for example `--set log.level=debug`")
        };
        let value = Document::parse(&self.value, &ReadOptions::default())
            .map_err(|found| refuse(format!("`--set {}=…` is no YAML value: {found}", self.key)))?;
        let mut place = tree;
        let mut at = String::new();
        for step in self.key.split('.') {
            let (name, next) = slot(place, step).ok_or_else(|| {
                refuse(format!("`--set {}`: `{at}` has no item `{step}`", self.key))
            })?;
            at = pointer(&at, &name);
            place = next;
        }
        *place = value.value;
        Ok(at)
    }
}

/// The place below `parent` that a step names, made if it can be, and the step as a pointer spells it.
fn slot<'t>(parent: &'t mut Value, step: &str) -> Option<(String, &'t mut Value)> {
    if let Value::Array(items) = parent {
        let index = position(items, step)?;
        return Some((index.to_string(), items.get_mut(index)?));
    }
    if !parent.is_object() {
        *parent = Value::Object(Map::new());
    }
    Some((step.to_owned(), parent.as_object_mut()?.entry(step).or_insert(Value::Null)))
}

/// The item that a step names: by its `name`, or by its index.
fn position(items: &[Value], step: &str) -> Option<usize> {
    let named =
        items.iter().position(|item| item.get("name").and_then(Value::as_str) == Some(step));
    named.or_else(|| step.parse().ok())
}

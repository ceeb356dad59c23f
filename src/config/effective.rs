//! What is really in force, and where each value came from.
//!
//! Owns `driftgate check --effective`: the frozen configuration as YAML, each value with its origin as a comment. Secrets are
//! `***`, because that is how their type writes itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use super::Loaded;
use crate::model::document::Document;
use crate::model::problem::pointer;

/// Knows the origin of a value by its pointer.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    document: Document,
    set: BTreeSet<String>,
    file: Option<PathBuf>,
}

impl Origins {
    pub(super) fn new(document: Document, set: Vec<String>, file: Option<PathBuf>) -> Self {
        Self { document, set: set.into_iter().collect(), file }
    }

    fn of(&self, pointer: &str) -> String {
        let by_flag = |set: &String| {
            pointer
                .strip_prefix(set.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.set.iter().any(by_flag) {
            return "flag".to_owned();
        }
        // A short form (an upstream as a text) speaks for everything that is written out below it.
        let Some(place) =
            self.document.value.pointer(pointer).map(|_| self.document.locate(pointer))
        else {
            return "default".to_owned();
        };
        if self.document.is_interpolated(pointer) {
            return "environment".to_owned();
        }
        let file = self.file.as_ref().and_then(|file| file.file_name()).unwrap_or_default();
        let line = place.map_or(0, |place| place.line);
        format!("{}:{line}", file.to_string_lossy())
    }
}

impl Loaded {
    /// The configuration in force as YAML, each value followed by its origin: `default`, `FILE:LINE`, `environment`, `flag`.
    #[must_use]
    pub fn effective(&self) -> String {
        let tree = serde_json::to_value(&*self.config).unwrap_or_default();
        let mut lines = Vec::new();
        self.write(&tree, "", 0, &mut lines);
        let width =
            lines.iter().map(|(text, _)| text.chars().count()).filter(|width| *width < 70).max();
        let width = width.unwrap_or(0);
        lines
            .into_iter()
            .map(|(text, origin)| match origin {
                Some(origin) => format!("{text:width$}  # {origin}\n"),
                None => format!("{text}\n"),
            })
            .collect()
    }

    fn write(
        &self,
        value: &Value,
        at: &str,
        depth: usize,
        lines: &mut Vec<(String, Option<String>)>,
    ) {
        let indent = "  ".repeat(depth);
        let entry = |label: String, at: String, value: &Value, lines: &mut Vec<_>| match value {
            Value::Object(members) if !members.is_empty() => {
                lines.push((format!("{indent}{label}"), None));
                self.write(value, &at, depth + 1, lines);
            }
            Value::Array(items) if !items.is_empty() => {
                lines.push((format!("{indent}{label}"), None));
                self.write(value, &at, depth + 1, lines);
            }
            scalar => lines.push((format!("{indent}{label} {scalar}"), Some(self.origins.of(&at)))),
        };
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    entry(format!("{key}:"), pointer(at, key), value, lines);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    entry("-".to_owned(), pointer(at, &index.to_string()), value, lines);
                }
            }
            _ => {}
        }
    }
}

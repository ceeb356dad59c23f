//! What people may decide about a specification, whatever traffic shows (`spec/inference.md` 11.2).
//!
//! Owns the form of pins and which of them contradict each other. Refuses to apply them (`project`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems};

/// `apis[].pins`, and the file of `driftgate infer --pins`: decisions that hold against the evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pins {
    /// Path templates, without the path prefix of the API: `/users/{login}`.
    pub template: Vec<String>,
    /// Paths whose last segment is a fixed word; `*` is any segment: `/users/local`, `/rpc/*`.
    pub literal: Vec<String>,
    /// Path templates whose last parameter takes all segments that are left: `/files/{path}`.
    pub greedy: Vec<String>,
    /// Paths that are not stated: `*` is any segment, `**` at the end any number of them: `/internal/**`.
    pub ignore: Vec<String>,
    /// Public URLs of the API, for `servers`.
    pub server: Vec<String>,
    /// Names of operations, by method and path template: `GET /users/{login}`.
    pub operation: BTreeMap<String, Operation>,
    /// Facts about properties, by JSON pointer into the specification, references followed.
    pub fact: BTreeMap<String, Fact>,
}

/// What an operation is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operation {
    /// Its `operationId`.
    pub operation_id: Option<String>,
    /// Its one tag.
    pub tag: Option<String>,
    /// Its summary.
    pub summary: Option<String>,
}

/// What holds of a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fact {
    /// It is always there.
    pub required: bool,
    /// It may be absent.
    pub optional: bool,
    /// It may be null.
    pub nullable: bool,
    /// The texts that it may be; others than were seen, too.
    #[serde(rename = "enum")]
    pub values: Vec<String>,
    /// It may be any text, although few were seen.
    pub open: bool,
    /// Its names are data: all its values are alike.
    pub map: bool,
    /// Its names are those seen, and no map.
    pub record: bool,
    /// Its `format`.
    pub format: Option<String>,
    /// It is not stated.
    pub ignore: bool,
    /// The name of its schema among the components.
    pub component: Option<String>,
}

impl Pins {
    /// Whether nothing is pinned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reports pins that are malformed or contradict each other, pointers relative to `pins`.
    pub fn check(&self, problems: &mut Problems) {
        self.check_forms(problems);
        self.check_paths(problems);
        for (pointer, fact) in &self.fact {
            if let Some((first, second)) = fact.conflict() {
                let place = format!("/fact/{}", pointer.replace('~', "~0").replace('/', "~1"));
                problems.push(conflict(
                    &place,
                    &format!("`{first}` of `{pointer}`"),
                    &format!("`{second}` of `{pointer}`"),
                ));
            }
        }
    }

    fn check_forms(&self, problems: &mut Problems) {
        for (name, paths) in self.paths() {
            for (index, path) in paths.iter().enumerate().filter(|(_, path)| !path.starts_with('/'))
            {
                let message = format!("the path `{path}` does not begin with a slash");
                let problem =
                    Problem::error(format!("/{name}/{index}"), "config.malformed-pin", message);
                problems.push(problem.remedy("write it as in the specification: `/users/{id}`"));
            }
        }
        for name in self.operation.keys().filter(|name| !name.contains(" /")) {
            let place = format!("/operation/{}", name.replace('~', "~0").replace('/', "~1"));
            let message = format!("`{name}` is no method and path template");
            let problem = Problem::error(place, "config.malformed-pin", message);
            problems.push(problem.remedy("write both: `GET /users/{id}`"));
        }
    }

    /// Two pins that say different things of one path, both named.
    fn check_paths(&self, problems: &mut Problems) {
        let mut seen: BTreeMap<String, (&str, &str)> = BTreeMap::new();
        for (name, paths) in self.paths() {
            for (index, path) in paths.iter().enumerate() {
                let former = seen.insert(erased(path), (name, path));
                if let Some((other, text)) = former.filter(|former| *former != (name, path)) {
                    problems.push(conflict(
                        &format!("/{name}/{index}"),
                        &format!("{name} `{path}`"),
                        &format!("{other} `{text}`"),
                    ));
                }
            }
        }
    }

    fn paths(&self) -> [(&'static str, &[String]); 4] {
        let Self { template, literal, greedy, ignore, .. } = self;
        [("template", template), ("literal", literal), ("greedy", greedy), ("ignore", ignore)]
    }
}

impl Fact {
    /// Two statements that cannot both hold.
    fn conflict(&self) -> Option<(&'static str, &'static str)> {
        let others = self.required || self.nullable || self.format.is_some() || self.open;
        [
            (self.required && self.optional, ("required", "optional")),
            (!self.values.is_empty() && self.open, ("enum", "open")),
            (self.map && self.record, ("map", "record")),
            (
                self.ignore && (others || self.optional || self.map || self.record),
                ("ignore", "the rest"),
            ),
        ]
        .into_iter()
        .find_map(|(conflicts, names)| conflicts.then_some(names))
    }
}

/// A template without the names of its parameters.
fn erased(template: &str) -> String {
    let mut erased = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        erased.push_str(before);
        erased.push_str("{}");
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    erased + rest
}

fn conflict(place: &str, first: &str, second: &str) -> Problem {
    let message = format!("the pins {first} and {second} contradict each other");
    Problem::error(place, "config.conflicting-pins", message).remedy("keep the one that holds")
}

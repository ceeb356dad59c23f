//! The shape of a tree against our own JSON Schema: every wrong type, unknown key and missing key at once.
//!
//! Owns the part of JSON Schema that our own types produce, and choosing among variants: by the kind of value, by `kind`, or by
//! the one key present, so that a mistake inside a variant is reported there and not as "matches none". What does not fit is
//! left out of the result, so that the checks of the parts still run over all the rest. Also resolves relative paths, since
//! only the schema knows which texts are paths. Refuses to own whether values make sense.

mod choose;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use self::words::{found, wanted};
use crate::model::document::plain;
use crate::model::problem::{Problem, Problems, nearest, pointer};

/// What a tree is fitted to.
pub(super) struct Frame<'a> {
    /// Our JSON Schema.
    pub(super) schema: &'a Value,
    /// Relative paths begin here.
    pub(super) folder: &'a Path,
    /// Whether the value at a pointer came from a variable: such texts may stand for numbers and truth values.
    pub(super) is_variable: &'a dyn Fn(&str) -> bool,
}

/// The part of a tree that fits.
pub(super) struct Fitted {
    pub(super) value: Value,
    /// For each list (by its pointer in the text) the items that were left out.
    left_out: BTreeMap<String, Vec<usize>>,
}

impl Fitted {
    /// The pointer into the text for a pointer into the fitted value, which lacks the items that were left out.
    pub(super) fn pointer_in_text(&self, fitted: &str) -> String {
        let mut original = String::new();
        for step in fitted.split('/').skip(1) {
            let gaps = self.left_out.get(&original);
            let step = match (gaps, step.parse::<usize>()) {
                (Some(gaps), Ok(index)) => gaps
                    .iter()
                    .fold(index, |index, gap| if *gap <= index { index + 1 } else { index })
                    .to_string(),
                _ => step.to_owned(),
            };
            original.push('/');
            original.push_str(&step);
        }
        original
    }
}

/// Fits `value` into the frame; says everything that does not.
pub(super) fn fit(value: Value, frame: &Frame<'_>) -> (Fitted, Problems) {
    let mut fitter = Fitter { frame, problems: Problems::default(), left_out: BTreeMap::new() };
    let value = fitter.fit(frame.schema, value, "");
    let value = value.unwrap_or_else(|| Value::Object(Map::new()));
    (Fitted { value, left_out: fitter.left_out }, fitter.problems)
}

struct Fitter<'a> {
    frame: &'a Frame<'a>,
    problems: Problems,
    left_out: BTreeMap<String, Vec<usize>>,
}

impl<'a> Fitter<'a> {
    /// The value as far as it fits; none when nothing of it does, which is reported.
    fn fit(&mut self, schema: &'a Value, value: Value, at: &str) -> Option<Value> {
        let mut branches = Vec::new();
        self.flatten(schema, &mut branches);
        let value = self.fill(&branches, value, at);
        let admitting: Vec<&'a Value> =
            branches.iter().copied().filter(|branch| admits(branch, &value)).collect();
        if admitting.is_empty() {
            self.report_type(&branches, &value, at);
            return None;
        }
        match value {
            Value::Object(members) => {
                let branch = self.choose_object(&admitting, &members, at)?;
                self.object(branch, members, at)
            }
            Value::Array(items) => {
                let items = self.array(admitting.first()?, items, at);
                Some(Value::Array(items))
            }
            scalar => self.scalar(&admitting, &scalar, at).then_some(scalar),
        }
    }

    /// Every alternative of a schema, references followed.
    fn flatten(&self, schema: &'a Value, branches: &mut Vec<&'a Value>) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|at| self.frame.schema.pointer(at));
            return target.into_iter().for_each(|target| self.flatten(target, branches));
        }
        let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf"));
        match alternatives.and_then(Value::as_array) {
            Some(list) => list.iter().for_each(|branch| self.flatten(branch, branches)),
            None => branches.push(schema),
        }
    }

    /// A variable's value is a text; where a number or a truth value is wanted, it is read as one.
    fn fill(&self, branches: &[&Value], value: Value, at: &str) -> Value {
        match &value {
            Value::String(text)
                if !branches.iter().any(|branch| admits(branch, &value))
                    && (self.frame.is_variable)(at) =>
            {
                plain(text)
            }
            _ => value,
        }
    }

    fn object(
        &mut self,
        schema: &'a Value,
        members: Map<String, Value>,
        at: &str,
    ) -> Option<Value> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut fitted = Map::new();
        let mut excused = Vec::new();
        let mut whole = true;
        for (key, value) in members {
            let below = pointer(at, &key);
            if let Some(property) = properties.and_then(|properties| properties.get(&key)) {
                match self.fit(property, value, &below) {
                    Some(value) => drop(fitted.insert(key.clone(), self.resolve(&key, value))),
                    None => whole &= !is_required(schema, &key),
                }
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    let known = properties.into_iter().flatten().map(|(name, _)| name.as_str());
                    excused.extend(self.report_unknown(&key, known, &below));
                }
                Some(any @ Value::Object(_)) => {
                    if let Some(value) = self.fit(any, value, &below) {
                        fitted.insert(key, value);
                    }
                }
                _ => drop(fitted.insert(key, value)),
            }
        }
        for name in required(schema) {
            // A mistyped key was reported as that, with this name beside it.
            let missing = !fitted.contains_key(name);
            if missing && whole && !excused.contains(&name) {
                let message = format!("`{name}` is missing");
                let remedy =
                    properties.and_then(|properties| properties.get(name)?.get("description"));
                let remedy = remedy.and_then(Value::as_str).unwrap_or("add it");
                self.problems.push(
                    Problem::error(at, "config.missing-key", message)
                        .remedy(format!("add it: {}", words::first_sentence(remedy))),
                );
            }
            whole &= !missing;
        }
        whole.then_some(Value::Object(fitted))
    }

    fn array(&mut self, schema: &'a Value, items: Vec<Value>, at: &str) -> Vec<Value> {
        let Some(of) = schema.get("items") else { return items };
        let mut fitted = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match self.fit(of, item, &pointer(at, &index.to_string())) {
                Some(item) => fitted.push(item),
                None => self.left_out.entry(at.to_owned()).or_default().push(index),
            }
        }
        fitted
    }

    /// A declared key that names a file holds a path, relative to the file that names it.
    fn resolve(&self, key: &str, value: Value) -> Value {
        match value {
            Value::String(path) if words::names_a_path(key) && !path.is_empty() => {
                Value::String(self.frame.folder.join(path).to_string_lossy().into_owned())
            }
            value => value,
        }
    }

    fn report_type(&mut self, branches: &[&Value], value: &Value, at: &str) {
        let message = format!("expected {}, found {}", wanted(branches), found(value));
        let problem = Problem::error(at, "config.wrong-type", message);
        self.problems.push(match words::type_remedy(branches, value) {
            Some(remedy) => problem.remedy(remedy),
            None => problem,
        });
    }

    /// Reports an unknown key and gives the name that was probably meant.
    fn report_unknown<'n>(
        &mut self,
        key: &str,
        known: impl Iterator<Item = &'n str> + Clone,
        at: &str,
    ) -> Option<&'n str> {
        let meant = nearest(key, known.clone());
        let remedy = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known here: {}", words::list(known)),
        };
        let message = format!("`{key}` is not a key of this section");
        self.problems.push(Problem::error(at, "config.unknown-key", message).remedy(remedy));
        meant
    }
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_required(schema: &Value, key: &str) -> bool {
    required(schema).any(|name| name == key)
}

/// Whether a branch without alternatives takes values of this kind.
fn admits(branch: &Value, value: &Value) -> bool {
    let kinds: Vec<&str> = match branch.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return true,
    };
    kinds.into_iter().any(|kind| match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => {
            kind == "number" || (kind == "integer" && (number.is_i64() || number.is_u64()))
        }
        Value::String(_) => kind == "string",
        Value::Array(_) => kind == "array",
        Value::Object(_) => kind == "object",
    })
}

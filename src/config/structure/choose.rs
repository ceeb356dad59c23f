//! Choosing among the variants of a value, and judging a scalar against the ones that take it.
//!
//! Owns the rule "by `kind`, or by the one key present, never guessed".

use regex::Regex;
use serde_json::{Map, Value};

use super::words::list;
use super::{Fitter, required};
use crate::model::problem::{Problem, nearest, pointer};

impl<'a> Fitter<'a> {
    /// The variant that a mapping means; none, and a problem, when it names none or several.
    pub(super) fn choose_object(
        &mut self,
        branches: &[&'a Value],
        members: &Map<String, Value>,
        at: &str,
    ) -> Option<&'a Value> {
        if let [only] = branches {
            return Some(only);
        }
        if branches.iter().any(|branch| kind(branch).is_some()) {
            return self.choose_by_kind(branches, members, at);
        }
        let keys = || branches.iter().flat_map(|branch| required(branch));
        let named = |branch: &&&Value| required(branch).any(|key| members.contains_key(key));
        let meant: Vec<&&Value> = branches.iter().filter(named).collect();
        let problem = match *meant {
            [only] => return Some(only),
            [] => match members.keys().next() {
                Some(key) => {
                    self.report_unknown(
                        key,
                        keys().collect::<Vec<_>>().into_iter(),
                        &pointer(at, key),
                    );
                    return None;
                }
                None => Problem::error(at, "config.no-variant", "nothing is chosen here"),
            },
            _ => Problem::error(at, "config.several-variants", "more than one variant is named"),
        };
        self.problems.push(problem.remedy(format!("give one of {}", list(keys()))));
        None
    }

    fn choose_by_kind(
        &mut self,
        branches: &[&'a Value],
        members: &Map<String, Value>,
        at: &str,
    ) -> Option<&'a Value> {
        let chosen = members.get("kind").map(|given| {
            branches.iter().find(|branch| kind(branch) == given.as_str()).ok_or(given)
        });
        let kinds: Vec<&Value> =
            branches.iter().filter_map(|branch| branch.pointer("/properties/kind/const")).collect();
        let problem = match chosen {
            Some(Ok(branch)) => return Some(branch),
            Some(Err(given)) => unknown_value(&kinds, given, &pointer(at, "kind")),
            None => {
                let names = kinds.iter().filter_map(|kind| kind.as_str());
                Problem::error(at, "config.missing-key", "`kind` is missing")
                    .remedy(format!("take one of {}", list(names)))
            }
        };
        self.problems.push(problem);
        None
    }

    /// Whether one of the branches takes this scalar; reports why not.
    pub(super) fn scalar(&mut self, branches: &[&Value], value: &Value, at: &str) -> bool {
        let allowed: Vec<&Value> = branches.iter().flat_map(|branch| members(branch)).collect();
        let open = branches.iter().find(|branch| members(branch).next().is_none());
        let problem = match open {
            _ if allowed.contains(&value) => None,
            Some(branch) => misfit(branch, value, at),
            None => Some(unknown_value(&allowed, value, at)),
        };
        let fits = problem.is_none();
        self.problems.0.extend(problem);
        fits
    }
}

/// What `kind` must be for this variant.
fn kind(branch: &Value) -> Option<&str> {
    branch.pointer("/properties/kind/const")?.as_str()
}

/// The values that a branch lists; none when it is open.
fn members(branch: &Value) -> impl Iterator<Item = &Value> {
    let listed = branch.get("enum").and_then(Value::as_array).into_iter().flatten();
    listed.chain(branch.get("const"))
}

fn unknown_value(allowed: &[&Value], value: &Value, at: &str) -> Problem {
    let names: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
    let given = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let remedy = match nearest(&given, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("take one of {}", list(names.into_iter())),
    };
    Problem::error(at, "config.unknown-value", format!("`{given}` is not known here"))
        .remedy(remedy)
}

/// Why an open branch refuses a scalar of its kind: its form or its range.
fn misfit(branch: &Value, value: &Value, at: &str) -> Option<Problem> {
    match value {
        Value::String(text) => bad_form(branch, text, at),
        Value::Number(_) => out_of_range(branch, value, at),
        _ => None,
    }
}

fn bad_form(branch: &Value, text: &str, at: &str) -> Option<Problem> {
    let pattern = branch.get("pattern")?.as_str()?;
    if Regex::new(pattern).ok()?.is_match(text) {
        return None;
    }
    let message = format!("`{text}` is not of the expected form");
    let remedy = match branch.pointer("/examples/0").and_then(Value::as_str) {
        Some(example) => format!("write it like `{example}`"),
        None => format!("it must match `{pattern}`"),
    };
    Some(Problem::error(at, "config.bad-form", message).remedy(remedy))
}

fn out_of_range(branch: &Value, value: &Value, at: &str) -> Option<Problem> {
    let number = value.as_f64()?;
    let bound = |name: &str| branch.get(name).and_then(Value::as_f64);
    let message = match (bound("minimum"), bound("maximum")) {
        (Some(least), _) if number < least => format!("{value} is less than {least}"),
        (_, Some(most)) if number > most => format!("{value} is more than {most}"),
        _ => return None,
    };
    Some(Problem::error(at, "config.out-of-range", message).remedy("take a value inside the range"))
}

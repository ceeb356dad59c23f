//! Bodies as values, redacted before anybody looks.
//!
//! Owns the reading of JSON within limits, the placeholders that stand for withheld values (same type, no content), and the
//! memory of where they stand. Refuses to own judging.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::redaction::Plan;

use super::judgement::Reason;

/// Largest body that is judged, bytes.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// A body as read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) value: Value,
    pub(super) withheld: Withheld,
}

/// Concrete JSON pointers at which placeholders stand.
#[derive(Debug, Default)]
pub(super) struct Withheld(BTreeSet<String>);

impl Withheld {
    pub(super) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Adds places that hold placeholders too.
    pub(super) fn extend(&mut self, places: Vec<String>) {
        self.0.extend(places);
    }

    /// Whether the value at a pointer is a placeholder or inside of one.
    pub(super) fn covers(&self, place: &str) -> bool {
        !self.0.is_empty()
            && (self.0.contains(place)
                || place.match_indices('/').any(|(end, _)| {
                    place.get(..end).is_some_and(|ancestor| self.0.contains(ancestor))
                }))
    }

    /// Whether there is a placeholder below a pointer.
    pub(super) fn is_below(&self, place: &str) -> bool {
        let first = format!("{place}/");
        self.0.range(first.clone()..).next().is_some_and(|next| next.starts_with(&first))
    }
}

/// Why a body is no JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not JSON at all.
    Malformed,
    Unvalidatable(Reason),
}

/// Reads a JSON body and withholds what the plan hides.
pub(super) fn json(bytes: &[u8], plan: &Plan) -> Result<Read, Unread> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(Unread::Unvalidatable(Reason::TooLarge));
    }
    if depth(bytes) >= JSON_DEPTH_MAX {
        return Err(Unread::Unvalidatable(Reason::TooDeep));
    }
    let mut value = serde_json::from_slice(bytes).map_err(|_| Unread::Malformed)?;
    let withheld = withhold(&mut value, plan);
    Ok(Read { value, withheld })
}

/// Replaces what the plan hides by placeholders.
pub(super) fn withhold(value: &mut Value, plan: &Plan) -> Withheld {
    let mut withholding = Withholding { plan, items: Vec::new(), found: BTreeSet::new() };
    withholding.walk(value, &mut Vec::new(), false);
    Withheld(withholding.found)
}

/// Appends one step to a JSON pointer in place.
pub(super) fn push_step(place: &mut String, step: &str) {
    place.push('/');
    if step.contains(['~', '/']) {
        place.push_str(&step.replace('~', "~0").replace('/', "~1"));
    } else {
        place.push_str(step);
    }
}

/// Deepest nesting of brackets outside of texts.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Withholding<'p> {
    plan: &'p Plan,
    /// The items on the way from the root: at which step, and their numbers.
    items: Vec<(usize, usize)>,
    found: BTreeSet<String>,
}

impl Withholding<'_> {
    fn walk<'v>(&mut self, value: &'v mut Value, steps: &mut Vec<&'v str>, hidden: bool) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    steps.push(name);
                    let hidden = hidden || self.hides(steps);
                    self.walk(member, steps, hidden);
                    steps.pop();
                }
            }
            Value::Array(items) => {
                steps.push("*");
                for (index, item) in items.iter_mut().enumerate() {
                    self.items.push((steps.len(), index));
                    self.walk(item, steps, hidden);
                    self.items.pop();
                }
                steps.pop();
            }
            scalar if hidden => {
                *scalar = placeholder(scalar);
                self.found.insert(self.place(steps));
            }
            _ => {}
        }
    }

    /// The pointer of where the walk is.
    fn place(&self, steps: &[&str]) -> String {
        let (mut place, mut items) = (String::new(), self.items.iter().peekable());
        for (at, step) in steps.iter().enumerate() {
            match items.next_if(|(item, _)| *item == at + 1) {
                Some((_, index)) => push_step(&mut place, &index.to_string()),
                None => push_step(&mut place, step),
            }
        }
        place
    }

    fn hides(&self, steps: &[&str]) -> bool {
        // Without configured paths only the name decides, whatever leads to it.
        let last = steps.len().saturating_sub(1);
        let relevant =
            if self.plan.has_body_paths() { steps } else { steps.get(last..).unwrap_or(&[]) };
        self.plan.hides_body(relevant)
    }
}

/// A value of the same type that says nothing.
fn placeholder(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::String(String::new()),
        Value::Bool(_) => Value::Bool(false),
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            Number::from_f64(if whole { 0.0 } else { 0.5 }).map_or(Value::Null, Value::Number)
        }
        Value::Number(_) => Value::from(0),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_keep_type_and_structure() {
        let plan = Plan::new(&[], &[], &["card.*".to_owned()]);
        let body = json!({"name": "a", "password": "hunter2", "card": {"n": 4.5, "m": [7, true]},
            "list": [{"api_key": null}]});
        let read = json(body.to_string().as_bytes(), &plan).expect("read");
        let expected = json!({"name": "a", "password": "", "card": {"n": 0.5, "m": [0, false]},
            "list": [{"api_key": null}]});
        assert_eq!(read.value, expected);
        assert!(read.withheld.covers("/password") && read.withheld.covers("/card/m/0"));
        assert!(!read.withheld.covers("/name") && !read.withheld.covers("/card"));
        assert!(read.withheld.is_below("/card") && read.withheld.is_below("/list/0"));
        assert!(!read.withheld.is_below("/name"));
    }

    #[test]
    fn hostile_bodies_are_unvalidatable() {
        let plan = Plan::default();
        let deep = "[".repeat(10_000);
        let unread = json(deep.as_bytes(), &plan).expect_err("deep");
        assert_eq!(unread, Unread::Unvalidatable(Reason::TooDeep));
        let fits = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(json(fits.as_bytes(), &plan).is_ok());
        let large = vec![b' '; BODY_BYTES_MAX + 1];
        let unread = json(&large, &plan).expect_err("large");
        assert_eq!(unread, Unread::Unvalidatable(Reason::TooLarge));
        assert_eq!(json(b"{", &plan).expect_err("cut"), Unread::Malformed);
        assert_eq!(json(b"\"\xff\"", &plan).expect_err("not UTF-8"), Unread::Malformed);
    }
}

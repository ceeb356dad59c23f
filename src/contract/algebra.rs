//! Questions about small schemas without references: does one cover another, is a value valid, does a name match.
//!
//! Owns the only contact with the canonical module of the validator, which is experimental and renamed between minors. It
//! answers in three values and is asked about leaves only, since differences of wide objects explode. Refuses to own taking
//! schemas apart (`diff::inclusion`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use jsonschema::canonical::{self, CanonicalSchema, Containment};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};

/// Steps that one match of a pattern with look-around may take.
const BACKTRACK_MAX: usize = 100_000;

/// Bytes that one compiled pattern may hold.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Largest text of a schema that inclusion is asked for.
const TEXT_MAX: usize = 4_096;

/// Compiled schemas kept; beyond it all are dropped.
const COMPILED_MAX: usize = 10_000;

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tri {
    Yes,
    No,
    Unknown,
}

/// Set algebra over small schemas of JSON Schema 2020-12.
pub(super) trait SchemaAlgebra {
    /// Whether `big` accepts whatever `small` accepts.
    fn covers(&self, big: &Value, small: &Value) -> Tri;

    /// What `taken` accepts and `removed` does not, if it can be written as a schema.
    fn difference(&self, taken: &Value, removed: &Value) -> Option<Value>;
}

/// The algebra of the validator's crate, with a memory of what it compiled.
#[derive(Default)]
pub(super) struct Algebra {
    compiled: RefCell<HashMap<String, Option<Rc<Validator>>>>,
}

impl SchemaAlgebra for Algebra {
    fn covers(&self, big: &Value, small: &Value) -> Tri {
        let asked = catch_unwind(AssertUnwindSafe(|| {
            canonical_of(big)?.covers(&canonical_of(small)?).ok()
        }));
        match asked {
            Ok(Some(Containment::Yes)) => Tri::Yes,
            Ok(Some(Containment::No)) => Tri::No,
            _ => Tri::Unknown,
        }
    }

    fn difference(&self, taken: &Value, removed: &Value) -> Option<Value> {
        let asked = catch_unwind(AssertUnwindSafe(|| {
            canonical_of(taken)?.subtract(&canonical_of(removed)?).ok()
        }));
        asked.ok().flatten().map(|schema| schema.to_json_schema())
    }
}

impl Algebra {
    /// Whether a schema without references accepts a value; false where it cannot be said.
    pub(super) fn accepts(&self, schema: &Value, value: &Value) -> bool {
        let text = schema.to_string();
        let known = self.compiled.borrow().get(&text).cloned();
        let validator = known.unwrap_or_else(|| {
            let built =
                catch_unwind(AssertUnwindSafe(|| build(schema))).ok().flatten().map(Rc::new);
            let mut compiled = self.compiled.borrow_mut();
            if compiled.len() >= COMPILED_MAX {
                compiled.clear();
            }
            compiled.insert(text, built.clone());
            built
        });
        let Some(validator) = validator else { return false };
        catch_unwind(AssertUnwindSafe(|| validator.is_valid(value))).unwrap_or(false)
    }

    /// Whether a name matches a pattern.
    pub(super) fn matches(&self, pattern: &str, name: &str) -> bool {
        self.accepts(&json!({"pattern": pattern}), &json!(name))
    }
}

fn canonical_of(schema: &Value) -> Option<CanonicalSchema> {
    if schema.to_string().len() > TEXT_MAX {
        return None;
    }
    canonical::options()
        .offline()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .canonicalize(schema)
        .ok()
}

fn build(schema: &Value) -> Option<Validator> {
    let patterns =
        PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_MAX).size_limit(PATTERN_BYTES_MAX);
    jsonschema::options()
        .offline()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(patterns)
        .build(schema)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusion_is_answered_in_three_values() {
        let algebra = Algebra::default();
        let cases = [
            (json!({"type": "number"}), json!({"type": "integer"}), Tri::Yes),
            (json!({"type": "integer"}), json!({"type": "number"}), Tri::No),
            (json!({"enum": [1, 2]}), json!({"const": 2}), Tri::Yes),
            (json!({"minLength": 2}), json!({"type": "string", "minLength": 3}), Tri::Yes),
            (json!({"pattern": "a|b"}), json!({"pattern": "(x|y)z*"}), Tri::No),
        ];
        for (big, small, wanted) in cases {
            let found = algebra.covers(&big, &small);
            assert!(found == wanted || found == Tri::Unknown, "{big} {small} {found:?}");
            if wanted == Tri::Yes {
                assert_eq!(found, Tri::Yes, "{big} {small}");
            }
        }
        let left = algebra.difference(&json!({"enum": [1, 2, 3]}), &json!({"enum": [1, 2]}));
        assert!(left.is_some_and(|left| algebra.accepts(&left, &json!(3))));
    }
}

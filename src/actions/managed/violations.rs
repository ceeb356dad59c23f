//! Which violations of an action are open: each is told when it opens and when two runs have not found it again.
//!
//! Owns the record that survives restarts and what a run changes in it. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::actions::contract_test::outcome::{Outcome, Run};
use crate::actions::contract_test::report;

/// Conclusive runs without a violation until it counts as gone.
const MISSES_MAX: u64 = 2;
/// Events of one run at most.
const EVENTS_MAX: usize = 100;

/// Open violations by fingerprint.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Violations(BTreeMap<String, Open>);

#[derive(Debug, PartialEq)]
struct Open {
    misses: u64,
    /// What was told when it opened.
    data: Value,
}

/// An event to raise: its type and data.
pub(super) type Told = (&'static str, Value);

impl Violations {
    /// Reads the record back; one that cannot be read is empty, so that what is open is told again.
    pub(super) fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let open = value.get("open").and_then(Value::as_object);
        let entry = |(fingerprint, open): (&String, &Value)| {
            let misses = open.get("misses")?.as_u64()?;
            Some((fingerprint.clone(), Open { misses, data: open.get("data")?.clone() }))
        };
        Self(open.into_iter().flatten().filter_map(entry).collect())
    }

    pub(super) fn to_text(&self) -> String {
        let open: serde_json::Map<String, Value> = self
            .0
            .iter()
            .map(|(fingerprint, open)| {
                (fingerprint.clone(), json!({"misses": open.misses, "data": open.data}))
            })
            .collect();
        json!({ "open": open }).to_string()
    }

    /// Takes in a run: what opened and what is over.
    pub(super) fn take_in(&mut self, run: &Run) -> Vec<Told> {
        let mut told = Vec::new();
        for violation in run.violations.iter().filter(|one| !one.reproduced.is_flaky()) {
            if let Some(open) = self.0.get_mut(&violation.fingerprint) {
                open.misses = 0;
                continue;
            }
            let data = report::violation_data(run, violation);
            told.push(("contract.violation.opened", data.clone()));
            self.0.insert(violation.fingerprint.clone(), Open { misses: 0, data });
        }
        let found =
            |fingerprint: &str| run.violations.iter().any(|one| one.fingerprint == fingerprint);
        self.0.retain(|fingerprint, open| {
            if found(fingerprint) || !was_decided(run, &open.data) {
                return true;
            }
            open.misses += 1;
            let is_over = open.misses >= MISSES_MAX;
            if is_over {
                told.push(("contract.violation.resolved", open.data.clone()));
            }
            !is_over
        });
        told.truncate(EVENTS_MAX);
        told
    }
}

/// Whether the run could have found the violation: its operation was tested and decided.
fn was_decided(run: &Run, data: &Value) -> bool {
    run.operations.iter().any(|operation| {
        data.get("method").and_then(Value::as_str) == Some(&operation.method)
            && data.get("template").and_then(Value::as_str) == Some(&operation.template)
            && matches!(operation.outcome, Outcome::Passed | Outcome::Violations(_))
    })
}

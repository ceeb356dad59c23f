//! Deprecation, sunset and stability of operations.

use serde_json::Value;

use super::super::super::specification::{Operation, Specification};
use super::draft::Draft;
use super::{Pair, Table, at};
use crate::model::finding::Verdict;

/// Levels from the least to the most settled.
const LEVELS: &[&str] = &["draft", "alpha", "beta", "stable"];

impl<'d> Table<'d> {
    pub(super) fn lifecycle(&self, pair: Pair<'d>) {
        let Pair { old, new } = pair;
        let (was, is) = (self.sunset(self.old, old), self.sunset(self.new, new));
        let put = |label: &str, verdict: Verdict, text: String| {
            let draft = Draft::structure(label, verdict)
                .text(text)
                .between(at(&old.pointer, was.clone()), at(&new.pointer, is.clone()));
            self.put(new, draft);
        };
        match (old.deprecated, new.deprecated) {
            (false, true) => match &is {
                Some(date) => {
                    let text = format!("deprecated, to be removed on {date}");
                    put("endpoint-deprecated-with-sunset", Verdict::Compatible, text);
                }
                None => put("endpoint-deprecated", Verdict::Compatible, "deprecated".to_owned()),
            },
            (true, false) => {
                put("endpoint-reactivated", Verdict::Compatible, "no longer deprecated".to_owned());
            }
            (true, true) => match (&was, &is) {
                (Some(date), None) => {
                    let text = format!("the sunset date {date} is gone");
                    put("sunset-deleted", Verdict::Breaking, text);
                }
                (Some(before), Some(after)) if after < before => {
                    let text = format!("the sunset moved forward: {before} → {after}");
                    put("api-sunset-date-changed-too-small", Verdict::Breaking, text);
                }
                _ => {}
            },
            (false, false) => {}
        }
        self.stability(pair);
    }

    fn stability(&self, pair: Pair<'d>) {
        let level = |specification: &Specification, operation: &Operation| {
            let text = raw(specification, operation)?.get("x-stability-level")?.as_str()?;
            LEVELS.iter().position(|level| *level == text)
        };
        let (old, new) = (level(self.old, pair.old), level(self.new, pair.new));
        let (Some(before), Some(after)) = (old, new) else { return };
        if before == after {
            return;
        }
        let (step, verdict) = if after < before {
            ("decreased", Verdict::Breaking)
        } else {
            ("increased", Verdict::Compatible)
        };
        let draft = Draft::structure(format!("api-stability-{step}"), verdict)
            .text(format!("stability: {} → {}", LEVELS[before], LEVELS[after]))
            .between(at(&pair.old.pointer, LEVELS[before]), at(&pair.new.pointer, LEVELS[after]));
        self.put(pair.new, draft);
    }

    /// The day an operation goes away, `YYYY-MM-DD`.
    pub(super) fn sunset(
        &self,
        specification: &Specification,
        operation: &Operation,
    ) -> Option<String> {
        let text = raw(specification, operation)?.get("x-sunset")?.as_str()?;
        text.get(..10).map(str::to_owned)
    }
}

/// The operation as written.
fn raw<'s>(specification: &'s Specification, operation: &Operation) -> Option<&'s Value> {
    specification.document.pointer(&operation.pointer)
}

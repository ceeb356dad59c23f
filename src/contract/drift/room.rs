//! Room for one more finding, and what has to go for it.
//!
//! Owns the bounds: findings of an API, findings at one part of its contract. Candidates go first, then what is resolved.

use std::sync::Arc;

use crate::model::finding::FindingState;

use super::super::slot::Slot;
use super::Drift;

/// Findings at one part of the contract. Each exchange visits those of the parts it passes; a server that answers every path
/// must not make it slow.
pub(super) const SLOT_FINDINGS_MAX: usize = 256;

impl Drift {
    /// Makes room for one more finding at a slot: the oldest candidates go, else the oldest resolved ones; none if all there
    /// are live.
    pub(super) fn make_room(&mut self, slot: Slot) -> Option<()> {
        let here = self.by_slot.get(&slot).map_or(&[][..], Vec::as_slice);
        let oldest = if here.len() >= SLOT_FINDINGS_MAX {
            self.expendable(here.iter())
        } else if self.tracked.len() >= self.options.findings {
            self.expendable(self.tracked.keys())
        } else {
            return Some(());
        };
        self.dropped += 1;
        for fingerprint in &oldest {
            self.forget(fingerprint);
        }
        (!oldest.is_empty()).then_some(())
    }

    /// The oldest tenth of what may go.
    fn expendable<'f>(&self, among: impl Iterator<Item = &'f Arc<str>>) -> Vec<Arc<str>> {
        let mut total = 0;
        let mut list: Vec<(bool, i64, &Arc<str>)> = Vec::new();
        for fingerprint in among {
            let Some(tracked) = self.tracked.get(fingerprint) else { continue };
            let state = tracked.finding.state;
            total += 1;
            if matches!(state, FindingState::Candidate | FindingState::Resolved) {
                let resolved = state == FindingState::Resolved;
                list.push((resolved, tracked.finding.last_seen_ms, fingerprint));
            }
        }
        list.sort_unstable();
        list.truncate((total / 10).max(1));
        list.into_iter().map(|(_, _, fingerprint)| fingerprint.clone()).collect()
    }
}

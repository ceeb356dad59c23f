//! The life of a finding as a table (`spec/contract.md` 8).
//!
//! Owns which state follows from what, and which of the steps is told. Refuses to own when something happens.

use crate::model::finding::FindingState;

use super::{Change, Decision, Until};

/// What can happen to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The thresholds are reached.
    Due,
    /// The thresholds of a finding that was open before are reached.
    DueAgain,
    /// Occurrences go on, and the last word was long ago.
    StillThere,
    /// Nothing was seen for long, or the baseline changed so that it is no deviation any more.
    Over,
    MuteExpired,
    Decided(Decision),
}

/// The state that follows and what is told of it; none where the cause means nothing in that state.
pub(super) fn step(state: FindingState, cause: Cause) -> Option<(FindingState, Option<Change>)> {
    use FindingState::{Accepted, Acknowledged, Candidate, Muted, Open, Rejected, Resolved};
    match (state, cause) {
        (Candidate, Cause::Due) => Some((Open, Some(Change::Opened))),
        (Resolved | Accepted, Cause::DueAgain) | (Resolved, Cause::Decided(Decision::Reopen)) => {
            Some((Open, Some(Change::Reopened)))
        }
        (Open | Acknowledged, Cause::StillThere) => Some((state, Some(Change::Updated))),
        (Open | Acknowledged | Muted | Rejected, Cause::Over) => {
            Some((Resolved, Some(Change::Resolved)))
        }
        (Muted, Cause::MuteExpired)
        | (Acknowledged | Muted | Rejected, Cause::Decided(Decision::Reopen)) => Some((Open, None)),
        (Open, Cause::Decided(Decision::Acknowledge)) => Some((Acknowledged, None)),
        (Open | Acknowledged, Cause::Decided(Decision::Mute(_))) => Some((Muted, None)),
        (Open | Acknowledged | Muted, Cause::Decided(Decision::Accept)) => {
            Some((Accepted, Some(Change::Resolved)))
        }
        (Open | Acknowledged | Muted, Cause::Decided(Decision::Reject)) => Some((Rejected, None)),
        _ => None,
    }
}

/// Names of the decisions that a state allows.
pub(super) fn allowed(state: FindingState) -> Vec<&'static str> {
    [
        ("acknowledge", Decision::Acknowledge),
        ("mute", Decision::Mute(Until::Revision)),
        ("accept", Decision::Accept),
        ("reject", Decision::Reject),
        ("reopen", Decision::Reopen),
    ]
    .into_iter()
    .filter(|(_, decision)| step(state, Cause::Decided(*decision)).is_some())
    .map(|(name, _)| name)
    .collect()
}

/// The state that a decision leads to: deciding the same again changes nothing.
pub(super) fn outcome(decision: Decision) -> FindingState {
    match decision {
        Decision::Acknowledge => FindingState::Acknowledged,
        Decision::Mute(_) => FindingState::Muted,
        Decision::Accept => FindingState::Accepted,
        Decision::Reject => FindingState::Rejected,
        Decision::Reopen => FindingState::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_cause_has_its_row() {
        use FindingState::{Accepted, Acknowledged, Candidate, Muted, Open, Rejected, Resolved};
        let causes = [
            Cause::Due,
            Cause::DueAgain,
            Cause::StillThere,
            Cause::Over,
            Cause::MuteExpired,
            Cause::Decided(Decision::Acknowledge),
            Cause::Decided(Decision::Mute(Until::Time(1))),
            Cause::Decided(Decision::Accept),
            Cause::Decided(Decision::Reject),
            Cause::Decided(Decision::Reopen),
        ];
        // Due, again, still, over, expired; acknowledge, mute, accept, reject, reopen.
        let rows = [
            (Candidate, "o---- -----"),
            (Open, "--or- amcj-"),
            (Acknowledged, "--ar- -mcjo"),
            (Muted, "---ro --cjo"),
            (Accepted, "-o--- -----"),
            (Rejected, "---r- ----o"),
            (Resolved, "-o--- ----o"),
        ];
        assert_eq!(rows.len(), FindingState::ALL.len());
        let letter = |state: FindingState| match state {
            Candidate => 'n',
            Open => 'o',
            Acknowledged => 'a',
            Muted => 'm',
            Accepted => 'c',
            Rejected => 'j',
            Resolved => 'r',
        };
        for (state, expected) in rows {
            let found: String = causes
                .iter()
                .map(|cause| step(state, *cause).map_or('-', |(next, _)| letter(next)))
                .collect();
            assert_eq!(found, expected.replace(' ', ""), "{state:?}");
        }
        assert_eq!(allowed(Open), ["acknowledge", "mute", "accept", "reject"]);
        assert_eq!(allowed(Resolved), ["reopen"]);
        assert_eq!(allowed(Accepted), [""; 0]);
    }
}

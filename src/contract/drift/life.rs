//! The life of a finding as a table (`spec/contract.md` 8).
//!
//! Owns which state follows from what, and which of the steps is told. Refuses to own when something happens.

use crate::model::finding::FindingState;

use super::{Change, Decision};

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
        (Resolved | Accepted, Cause::DueAgain) => Some((Open, Some(Change::Reopened))),
        (Open | Acknowledged, Cause::StillThere) => Some((state, Some(Change::Updated))),
        (Open | Acknowledged | Muted | Rejected, Cause::Over) => {
            Some((Resolved, Some(Change::Resolved)))
        }
        (Muted, Cause::MuteExpired) => Some((Open, None)),
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
        ("mute", Decision::Mute(0)),
        ("accept", Decision::Accept),
        ("reject", Decision::Reject),
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
            Cause::Decided(Decision::Mute(1)),
            Cause::Decided(Decision::Accept),
            Cause::Decided(Decision::Reject),
        ];
        let rows: &[(FindingState, [Option<FindingState>; 9])] = &[
            (Candidate, [Some(Open), None, None, None, None, None, None, None, None]),
            (
                Open,
                [
                    None,
                    None,
                    Some(Open),
                    Some(Resolved),
                    None,
                    Some(Acknowledged),
                    Some(Muted),
                    Some(Accepted),
                    Some(Rejected),
                ],
            ),
            (
                Acknowledged,
                [
                    None,
                    None,
                    Some(Acknowledged),
                    Some(Resolved),
                    None,
                    None,
                    Some(Muted),
                    Some(Accepted),
                    Some(Rejected),
                ],
            ),
            (
                Muted,
                [
                    None,
                    None,
                    None,
                    Some(Resolved),
                    Some(Open),
                    None,
                    None,
                    Some(Accepted),
                    Some(Rejected),
                ],
            ),
            (Rejected, [None, None, None, Some(Resolved), None, None, None, None, None]),
            (Accepted, [None, Some(Open), None, None, None, None, None, None, None]),
            (Resolved, [None, Some(Open), None, None, None, None, None, None, None]),
        ];
        assert_eq!(rows.len(), FindingState::ALL.len());
        for (state, expected) in rows {
            for (cause, next) in causes.iter().zip(expected) {
                let found = step(*state, *cause).map(|(next, _)| next);
                assert_eq!(found, *next, "{state:?} {cause:?}");
            }
        }
        assert_eq!(allowed(Open), ["acknowledge", "mute", "accept", "reject"]);
        assert_eq!(allowed(Resolved), [""; 0]);
    }
}

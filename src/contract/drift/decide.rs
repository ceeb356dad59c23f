//! What happens to findings from outside: decisions of people, and a new baseline.
//!
//! Owns both steps. Refuses to own which decision a state allows (`life`).

use super::life::{self, Cause, step};
use super::refusals::Refusals;
use super::{Baseline, Drift, Transition, explain};

/// A decision of a person about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Acknowledge,
    Mute(Until),
    /// The baseline is to be changed to allow it.
    Accept,
    /// The API is wrong.
    Reject,
    /// A former decision, or its end, is taken back.
    Reopen,
}

/// How long a finding is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Unix milliseconds.
    Time(i64),
    /// The next baseline.
    Revision,
}

/// A finding does not allow a decision in its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    /// Names of those that it does allow; empty for an unknown finding too.
    pub allowed: Vec<&'static str>,
}

impl Drift {
    /// Holds the findings against a new baseline: what is no deviation from it any more is resolved. Opportunities are
    /// counted anew.
    pub fn on_new_baseline(&mut self, baseline: &Baseline, now_ms: i64) -> Vec<Transition> {
        self.totals.clear();
        self.refusals = Refusals::default();
        self.watch.renew(baseline);
        let mut transitions = Vec::new();
        let mut gone = Vec::new();
        for (fingerprint, tracked) in &mut self.tracked {
            if tracked.was_open() || explain::still_deviates(baseline, &tracked.finding) {
                if tracked.muted_until == Until::Revision {
                    tracked.step(Cause::MuteExpired);
                    self.changed.insert(fingerprint.clone());
                }
                continue;
            }
            tracked.spoke_ms = now_ms;
            match tracked.step(Cause::Over) {
                Some(change) => {
                    self.changed.insert(fingerprint.clone());
                    transitions.push(tracked.transition(change, None));
                }
                None => gone.push(fingerprint.clone()),
            }
        }
        for fingerprint in gone {
            self.forget(&fingerprint);
        }
        transitions
    }

    /// Applies a decision. Deciding the same again changes nothing.
    ///
    /// # Errors
    /// The decisions that the finding's state allows; none at all for an unknown fingerprint.
    pub fn decide(
        &mut self,
        fingerprint: &str,
        decision: Decision,
        now_ms: i64,
    ) -> Result<Vec<Transition>, Illegal> {
        let Some(tracked) = self.tracked.get_mut(fingerprint) else {
            return Err(Illegal { allowed: Vec::new() });
        };
        let state = tracked.finding.state;
        if state == life::outcome(decision) {
            if let Decision::Mute(until) = decision {
                tracked.muted_until = until;
                self.changed.insert(tracked.fingerprint.clone());
            }
            return Ok(Vec::new());
        }
        if step(state, Cause::Decided(decision)).is_none() {
            return Err(Illegal { allowed: life::allowed(state) });
        }
        if let Decision::Mute(until) = decision {
            tracked.muted_until = until;
        }
        self.changed.insert(tracked.fingerprint.clone());
        tracked.spoke_ms = now_ms;
        let change = tracked.step(Cause::Decided(decision));
        Ok(change.map(|change| tracked.transition(change, None)).into_iter().collect())
    }
}

//! Decisions of people about findings: acknowledged, muted, rejected, reopened.
//!
//! Owns carrying them to the counters, and writing finding, event and audit in one transaction before anybody is answered.
//! Refuses to own which decision is legal when (`contract`).

use serde_json::json;

use super::api::Api;
use super::effects::Effects;
use super::service::World;
use super::{DecideOrder, Error};
use crate::contract::{Decision, Until};
use crate::model::finding::{Finding, FindingState};
use crate::store::{Audit, Change};

impl Api {
    /// Applies a decision; the finding as it is afterwards.
    ///
    /// # Errors
    /// When there is no such finding, or its state does not allow the decision.
    pub(super) fn decide(
        &mut self,
        order: &DecideOrder,
        world: &World,
        effects: &mut Effects,
    ) -> Result<Finding, Error> {
        let now_ms = world.clock.now_ms();
        let missing = || Error::NoSuchFinding(order.fingerprint.clone());
        let before = self.drift.finding(&order.fingerprint).ok_or_else(missing)?.state;
        let decided = self.drift.decide(&order.fingerprint, order.decision, now_ms);
        let transitions = decided
            .map_err(|illegal| Error::NotAllowed { state: before, allowed: illegal.allowed })?;
        self.tell_all(transitions, world, effects);
        self.flush_findings(effects);
        let after = self.drift.finding(&order.fingerprint).ok_or_else(missing)?.clone();
        effects.changes.push(Change::Audit(audit(order, (before, after.state), now_ms)));
        Ok(after)
    }
}

fn audit(order: &DecideOrder, (before, after): (FindingState, FindingState), now_ms: i64) -> Audit {
    let until = match order.decision {
        Decision::Mute(Until::Time(time_ms)) => json!(time_ms),
        Decision::Mute(Until::Revision) => json!("revision"),
        _ => json!(null),
    };
    let action = match order.decision {
        Decision::Acknowledge => "finding.acknowledge",
        Decision::Mute(_) => "finding.mute",
        Decision::Accept => "finding.accept",
        Decision::Reject => "finding.reject",
        Decision::Reopen => "finding.reopen",
    };
    let after = json!({
        "state": after.as_str(), "reason": order.reason, "url": order.url, "until": until,
    });
    Audit {
        time_ms: now_ms,
        actor: order.by.clone(),
        action: action.to_owned(),
        target: format!("{}/{}", order.api, order.fingerprint),
        before: json!({"state": before.as_str()}).to_string(),
        after: after.to_string(),
    }
}

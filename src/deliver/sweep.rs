//! What no due time would find: attempts that a crash cut, deliveries whose destination is gone or holds.
//!
//! Owns looking for them: at the start, each minute, and when destinations have changed. Refuses to own what becomes of them
//! (`machine`).

use std::time::Duration;

use crate::model::delivery::{Delivery, OutcomeKind, State};
use crate::store::{self, Change, Reader};
use crate::telemetry::signals::deliver as signals;

use super::Policy;
use super::machine::{self, Due};
use super::service::{Service, UNWRITTEN_MAX};

impl Service {
    /// What a crash left behind: attempts that began and have no outcome are recorded as unknown and repeated at once.
    pub(super) async fn recover(&mut self) {
        let unfinished = loop {
            match self.parts.store.read(Reader::unfinished_attempts).await {
                Ok(rows) => break rows,
                Err(error) => {
                    signals::Unreadable { error: &error }.tell();
                    self.parts.clock.sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let now_ms = self.now_ms();
        for row in unfinished {
            let mut attempt = row.attempt;
            let Some(delivery) = self.record(&attempt.delivery).await else { continue };
            attempt.outcome = OutcomeKind::Unknown;
            attempt.error = Some("driftgate ended during the attempt".to_owned());
            let repeated = machine::interrupted(&delivery, attempt.number, now_ms);
            self.ledger.write(repeated, vec![Change::Attempt(Box::new(attempt))]);
        }
    }

    /// Looks at all open deliveries whose destination is gone or holds: what no due time would find.
    pub(super) async fn sweep(&mut self) {
        let Ok(counts) = self.parts.store.read(Reader::delivery_counts).await else {
            return;
        };
        for count in counts.into_iter().filter(|count| count.state.is_open() && count.count > 0) {
            match self.parts.destinations.find(&count.destination) {
                None => self.sweep_one(&count.destination, count.state, None).await,
                Some(destination) => {
                    let policy = destination.policy();
                    if policy.hold.is_some() {
                        self.sweep_one(&count.destination, count.state, Some(policy)).await;
                    }
                }
            }
        }
    }

    /// Ends the open deliveries of one destination: all of a deleted one, the expired ones of one that holds.
    async fn sweep_one(&mut self, destination: &str, state: State, held: Option<Policy>) {
        let mut page = store::Page::default();
        loop {
            let filter = store::DeliveryFilter {
                state: Some(state),
                destination: Some(destination.to_owned()),
                to_ms: held.as_ref().map(|policy| self.now_ms() - policy.retry.deadline_ms + 1),
                ..store::DeliveryFilter::default()
            };
            let at = page.clone();
            let read = self.parts.store.read(move |reader| reader.deliveries(&filter, &at)).await;
            let Ok(listing) = read else { return };
            for delivery in listing.items {
                if self.ledger.is_busy(&delivery.id) {
                    continue;
                }
                self.sweep_away(&delivery, held.as_ref());
            }
            match listing.older {
                Some(older) if self.ledger.unwritten() < UNWRITTEN_MAX => page.at = Some(older),
                _ => return,
            }
        }
    }

    /// Ends an open delivery whose destination is gone, or holds beyond its deadline.
    fn sweep_away(&mut self, delivery: &Delivery, held: Option<&Policy>) {
        let Some(policy) = held else {
            self.ledger.write(machine::deleted(delivery), Vec::new());
            return;
        };
        if let Due::Expired(failed) = machine::due(delivery, policy.hold, self.now(policy)) {
            self.expire(failed);
        }
    }
}

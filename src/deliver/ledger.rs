//! What the scheduler knows and the disk does not yet: deliveries under way, and the next commit.
//!
//! Owns the newest record of every delivery that is being attempted or written. Outcomes are written in batches, one after
//! the other, so that records reach the disk in the order in which they came about. Refuses to own transitions (`machine`).

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::model::delivery::Delivery;
use crate::model::event::Event;
use crate::store::Change;

use super::handle::Applied;

/// A delivery that must not be taken from the disk: something about it is under way.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) delivery: Delivery,
    pub(super) attempting: bool,
    /// Commits of it that have not ended.
    uncommitted: usize,
    /// Attempts asked for by hand that have not begun.
    pub(super) manual: Vec<oneshot::Sender<Delivery>>,
    /// Who waits for the end of the attempt that was begun by hand.
    pub(super) waiter: Option<oneshot::Sender<Delivery>>,
}

/// Changes that are committed together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) changes: Vec<Change>,
    ids: Vec<String>,
    applied: Vec<(Applied, Delivery)>,
    settled: Vec<(oneshot::Sender<Delivery>, Delivery)>,
}

/// Those who hear of a batch once it is on disk.
pub(super) struct Receipts {
    pub(super) ids: Vec<String>,
    applied: Vec<(Applied, Delivery)>,
    settled: Vec<(oneshot::Sender<Delivery>, Delivery)>,
}

impl Receipts {
    /// Tells them. One that no longer listens is fine.
    pub(super) fn tell(self) -> Vec<String> {
        for (applied, delivery) in self.applied {
            drop(applied.send(Ok(delivery)));
        }
        for (settled, delivery) in self.settled {
            drop(settled.send(delivery));
        }
        self.ids
    }
}

#[derive(Default)]
pub(super) struct Ledger {
    busy: HashMap<String, Busy>,
    batch: Batch,
    /// Attempts in flight, by destination.
    in_flight: HashMap<String, usize>,
    total: usize,
}

impl Ledger {
    pub(super) fn is_busy(&self, id: &str) -> bool {
        self.busy.contains_key(id)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Busy> {
        self.busy.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Busy> {
        self.busy.get_mut(id)
    }

    /// The entry of a delivery, made from its record if there is none.
    pub(super) fn enter(&mut self, delivery: &Delivery) -> &mut Busy {
        self.busy.entry(delivery.id.clone()).or_insert_with(|| Busy {
            delivery: delivery.clone(),
            attempting: false,
            uncommitted: 0,
            manual: Vec::new(),
            waiter: None,
        })
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, delivery: &Delivery) {
        let busy = self.enter(delivery);
        busy.delivery = delivery.clone();
        busy.attempting = true;
        *self.in_flight.entry(delivery.destination.clone()).or_default() += 1;
        self.total += 1;
    }

    /// An attempt has ended; answers the newest record and who waits for it.
    pub(super) fn end(
        &mut self,
        id: &str,
    ) -> Option<(Delivery, Option<oneshot::Sender<Delivery>>)> {
        let busy = self.busy.get_mut(id)?;
        busy.attempting = false;
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.in_flight.get_mut(&busy.delivery.destination) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(&busy.delivery.destination);
            }
        }
        Some((busy.delivery.clone(), busy.waiter.take()))
    }

    pub(super) fn in_flight(&self, destination: &str) -> usize {
        self.in_flight.get(destination).copied().unwrap_or(0)
    }

    pub(super) fn in_flight_total(&self) -> usize {
        self.total
    }

    /// Queues a record for the disk, with whatever belongs to it.
    pub(super) fn write(&mut self, delivery: Delivery, also: Vec<Change>) {
        let busy = self.enter(&delivery);
        busy.uncommitted += 1;
        busy.delivery = delivery.clone();
        self.batch.ids.push(delivery.id.clone());
        self.batch.changes.push(Change::Delivery(delivery));
        self.batch.changes.extend(also);
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.batch.events.push(event);
    }

    pub(super) fn answer(&mut self, applied: Applied, delivery: Delivery) {
        self.batch.applied.push((applied, delivery));
    }

    pub(super) fn settle(&mut self, settled: oneshot::Sender<Delivery>, delivery: Delivery) {
        self.batch.settled.push((settled, delivery));
    }

    /// Outcomes that wait for the disk.
    pub(super) fn unwritten(&self) -> usize {
        self.batch.ids.len()
    }

    /// What is to be committed next, if anything.
    pub(super) fn take(&mut self) -> Option<(Vec<Event>, Vec<Change>, Receipts)> {
        let batch = std::mem::take(&mut self.batch);
        let receipts = Receipts { ids: batch.ids, applied: batch.applied, settled: batch.settled };
        (!receipts.ids.is_empty()).then_some((batch.events, batch.changes, receipts))
    }

    /// A batch is on disk, or is given up: its deliveries may be read again. Answers when the first of them is due.
    pub(super) fn written(&mut self, ids: Vec<String>) -> Option<i64> {
        let mut due_ms = None;
        for id in ids {
            let Some(busy) = self.busy.get_mut(&id) else { continue };
            busy.uncommitted = busy.uncommitted.saturating_sub(1);
            if busy.uncommitted == 0 && !busy.attempting && busy.manual.is_empty() {
                let open = busy.delivery.state.is_open().then_some(busy.delivery.due_ms);
                due_ms = due_ms.into_iter().chain(open).min();
                self.busy.remove(&id);
            }
        }
        due_ms
    }

    /// Deliveries for which an attempt was asked for by hand and that are free for it.
    pub(super) fn asked_for(&self) -> Vec<String> {
        let free = |busy: &&Busy| !busy.attempting && !busy.manual.is_empty();
        self.busy.values().filter(free).map(|busy| busy.delivery.id.clone()).collect()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.total == 0 && self.batch.ids.is_empty()
    }
}

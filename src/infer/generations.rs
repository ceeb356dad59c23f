//! What one operation showed, epoch by epoch, and how old epochs leave (`spec/inference.md` 12).
//!
//! Owns the rule of ageing: it looks at counts and epochs alone, so that it does not matter when it is applied. A generation
//! goes when the newer ones hold enough and it is not among the newest two, or when it lies too far behind the newest epoch
//! of the API. Refuses to own what an epoch is; observations bring theirs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::codec::{Corrupt, Reader, Writer};
use super::evidence::{Cell, Node};
use super::monoid::Monoid;

/// Newer exchanges that make an older generation superfluous.
const ENOUGH: u64 = 300;

/// Generations that stay however many exchanges the newest one holds.
const KEPT: usize = 2;

/// Epochs of a week after which an idle operation is forgotten: the first whole number beyond 90 days.
const EPOCHS_MAX: u64 = 13;

/// The generations of one operation, by epoch; 0 where epochs are off.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Generations {
    by_epoch: BTreeMap<u16, Cell>,
}

impl Generations {
    /// The generation of an epoch. Second: whether the operation was never seen before.
    pub(super) fn of(&mut self, epoch: u16) -> (&mut Cell, bool) {
        let first = self.by_epoch.is_empty();
        (self.by_epoch.entry(epoch).or_default(), first)
    }

    /// Whether the generation of an epoch would stay, `newest` being the newest epoch of the API.
    pub(super) fn wants(&self, epoch: u16, newest: u64) -> bool {
        let newer = self.by_epoch.iter().rev().take_while(|(other, _)| **other > epoch);
        let (count, n) = newer.fold((0, 0_u64), |(count, n), (_, cell)| {
            (count + 1, n.saturating_add(u64::from(cell.n.0)))
        });
        !is_past(epoch, newest) && !is_superfluous(count, n)
    }

    /// All that counts, taken together.
    pub(super) fn live(&self) -> Cow<'_, Cell> {
        let mut cells = self.by_epoch.values();
        let Some(first) = cells.next() else { return Cow::Owned(Cell::default()) };
        let mut live = Cow::Borrowed(first);
        for cell in cells {
            live.to_mut().merge(cell);
        }
        live
    }

    /// The cells of all epochs.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.by_epoch.values()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_epoch.is_empty()
    }

    /// Drops what is superfluous or too old, `newest` being the newest epoch of the API.
    pub(super) fn age(&mut self, newest: u64) {
        let mut newer = 0_u64;
        let mut end = None;
        for (kept, (epoch, cell)) in self.by_epoch.iter().rev().enumerate() {
            if is_superfluous(kept, newer) || is_past(*epoch, newest) {
                end = Some(*epoch);
                break;
            }
            newer += u64::from(cell.n.0);
        }
        if let Some(last) = end {
            self.by_epoch.retain(|epoch, _| *epoch > last);
        }
    }
}

/// Whether so many newer generations with so many exchanges say enough.
fn is_superfluous(newer: usize, exchanges: u64) -> bool {
    newer >= KEPT && exchanges >= ENOUGH
}

/// Whether an epoch lies too far behind the newest.
fn is_past(epoch: u16, newest: u64) -> bool {
    u64::from(epoch) + EPOCHS_MAX < newest
}

/// Ages all operations of a trie; those without a generation left are gone.
pub(super) fn age(node: &mut Node, newest: u64) {
    node.cells.retain(|_, generations| {
        generations.age(newest);
        !generations.is_empty()
    });
    for child in node.children.values_mut().chain(node.star.as_deref_mut()) {
        age(child, newest);
    }
}

impl Monoid for Generations {
    fn merge(&mut self, other: &Self) {
        Monoid::merge(&mut self.by_epoch, &other.by_epoch);
    }

    fn write(&self, writer: &mut Writer) {
        self.by_epoch.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        Ok(Self { by_epoch: Monoid::read(reader)? })
    }
}

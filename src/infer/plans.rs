//! Known shapes: for an object whose names came in an order seen before, where their counts are (`spec/inference.md` 5).
//!
//! Owns a cache and its budget. It is no evidence: it is not written, not compared, and a budget of nothing gives equal
//! evidence. A plan holds places in a table of members, so it is dropped whenever that table grows or merges.

use super::codec::{Corrupt, Reader, Writer};
use super::monoid::Monoid;

/// Plans of one object.
const PLANS: usize = 2;

/// Objects of more members are looked up name by name.
pub(super) const MEMBERS_MAX: usize = 128;

/// Bytes of all plans of one evidence.
const BYTES_MAX: usize = 4 << 20;

/// The plans of one place.
#[derive(Debug, Default)]
pub(super) struct Plans(Option<Box<[Option<Plan>; PLANS]>>);

/// Where the members of an object are counted.
#[derive(Debug)]
pub(super) struct Plan {
    /// Hash of the names in their order.
    order: u64,
    /// Of the set of names.
    pub(super) signature: u64,
    /// Place of each member in its table, in order of appearance.
    places: Box<[u16]>,
}

/// What plans may still take.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: BYTES_MAX }
    }
}

impl Budget {
    /// Plans are not to be made any more.
    pub(super) fn none() -> Self {
        Self { left: 0 }
    }
}

impl Plan {
    pub(super) fn new(order: u64, signature: u64, places: &[u16]) -> Self {
        Self { order, signature, places: places.into() }
    }

    /// The place of a member by its position.
    pub(super) fn place(&self, position: usize) -> Option<usize> {
        self.places.get(position).map(|place| usize::from(*place))
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.places.len() * size_of::<u16>()
    }
}

impl Plans {
    /// Takes the plan for an order of names out, to be [put back](Self::put_back) after use.
    pub(super) fn take(&mut self, order: u64) -> Option<Plan> {
        let slot = self
            .0
            .as_mut()?
            .iter_mut()
            .find(|slot| slot.as_ref().is_some_and(|plan| plan.order == order))?;
        slot.take()
    }

    pub(super) fn put_back(&mut self, plan: Plan) {
        if let Some(slot) = self.0.as_mut().and_then(|plans| plans.iter_mut().find(|p| p.is_none()))
        {
            *slot = Some(plan);
        }
    }

    /// Keeps a new plan, if there is room for it.
    pub(super) fn add(&mut self, plan: Plan, budget: &mut Budget) {
        let Some(left) = budget.left.checked_sub(plan.bytes()) else { return };
        let plans = self.0.get_or_insert_default();
        if let Some(slot) = plans.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(plan);
            budget.left = left;
        }
    }

    /// Whether one more plan would be kept.
    pub(super) fn has_room(&self, budget: &Budget) -> bool {
        budget.left > 0 && self.0.as_ref().is_none_or(|plans| plans.iter().any(Option::is_none))
    }

    /// Forgets all, since places have moved.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        let plans = self.0.take().into_iter().flat_map(|plans| plans.into_iter().flatten());
        budget.left += plans.map(|plan| plan.bytes()).sum::<usize>();
    }
}

impl Clone for Plans {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Plans {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Monoid for Plans {
    fn merge(&mut self, _: &Self) {
        *self = Self::default();
    }

    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut Reader<'_>) -> Result<Self, Corrupt> {
        Ok(Self::default())
    }
}

//! Due deliveries in memory: a page of each destination, served in fair turns.
//!
//! Owns whose turn it is. Memory depends on the number of destinations, not of pending deliveries: a dead one with a million
//! of them holds one page. Refuses to own when pages are read (`service`).

use std::collections::{HashMap, HashSet, VecDeque};

use crate::model::delivery::Delivery;

/// Rows read of each destination: more than may be in flight, so that those in flight do not hide all others.
pub(super) const PAGE: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Ready {
    pages: HashMap<String, VecDeque<Delivery>>,
    /// Destinations with a page, next turn first.
    turns: VecDeque<String>,
    /// Destinations that may have more on disk than was read.
    full: HashSet<String>,
}

impl Ready {
    /// Replaces all pages. `rows` are ordered by destination; those that `skip` names are left out.
    pub(super) fn replace(&mut self, rows: Vec<Delivery>, skip: impl Fn(&str) -> bool) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        self.pages.clear();
        for row in rows {
            *counts.entry(row.destination.clone()).or_default() += 1;
            if !skip(&row.id) {
                self.pages.entry(row.destination.clone()).or_default().push_back(row);
            }
        }
        self.full = counts.into_iter().filter(|(_, n)| *n >= PAGE).map(|(name, _)| name).collect();
        // Who waited keeps the place; who is new comes last.
        self.turns.retain(|name| self.pages.contains_key(name));
        let waiting: HashSet<&String> = self.turns.iter().collect();
        let mut new: Vec<_> =
            self.pages.keys().filter(|name| !waiting.contains(name)).cloned().collect();
        new.sort_unstable();
        self.turns.extend(new);
    }

    /// The next delivery in turn among the destinations that `admits`.
    pub(super) fn next(&mut self, mut admits: impl FnMut(&str) -> bool) -> Option<Delivery> {
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let Some(page) = self.pages.get_mut(&name).filter(|page| !page.is_empty()) else {
                self.pages.remove(&name);
                continue;
            };
            let delivery = if admits(&name) { page.pop_front() } else { None };
            self.turns.push_back(name);
            if delivery.is_some() {
                return delivery;
            }
        }
        None
    }

    /// Takes a delivery out: something else happens to it.
    pub(super) fn remove(&mut self, delivery: &Delivery) {
        if let Some(page) = self.pages.get_mut(&delivery.destination) {
            page.retain(|other| other.id != delivery.id);
        }
    }

    /// Whether a page ran out although the disk may hold more.
    pub(super) fn wants_more(&self) -> bool {
        self.full.iter().any(|name| self.pages.get(name).is_none_or(VecDeque::is_empty))
    }

    pub(super) fn len(&self) -> usize {
        self.pages.values().map(VecDeque::len).sum()
    }
}

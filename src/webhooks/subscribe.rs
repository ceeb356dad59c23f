//! Which destinations name the type of an event: exact names by map, prefixes by their dotted steps. Pure.
//!
//! Owns the index, whose cost does not grow with those that do not name the type. Refuses to own scope and filter.

use std::collections::HashMap;

use crate::events::{Pattern, catalogue};

/// Positions of destinations by what they name.
#[derive(Debug, Default)]
pub struct Subscriptions {
    exact: HashMap<String, Vec<usize>>,
    /// With their trailing dots.
    prefixes: HashMap<String, Vec<usize>>,
    any: Vec<usize>,
}

impl Subscriptions {
    /// From the patterns of each destination, in order.
    pub fn new<'a>(destinations: impl IntoIterator<Item = &'a [Pattern]>) -> Self {
        let mut index = Self::default();
        for (position, patterns) in destinations.into_iter().enumerate() {
            for pattern in patterns {
                let list = match pattern {
                    Pattern::Exact(name) => index.exact.entry(name.clone()).or_default(),
                    Pattern::Prefix(prefix) => index.prefixes.entry(prefix.clone()).or_default(),
                    Pattern::Any => &mut index.any,
                };
                list.push(position);
            }
        }
        index
    }

    /// The positions of those that name the type, each once, in order.
    #[must_use]
    pub fn naming(&self, kind: &str) -> Vec<usize> {
        let mut found = self.exact.get(kind).cloned().unwrap_or_default();
        for (dot, _) in kind.match_indices('.') {
            if let Some(list) = kind.get(..=dot).and_then(|prefix| self.prefixes.get(prefix)) {
                found.extend(list);
            }
        }
        if !catalogue::is_operational(kind) {
            found.extend(&self.any);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

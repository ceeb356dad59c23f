//! Kinds of exchanges that teach nothing new: under overload their bodies are the first to be left out.
//!
//! Owns counting how long a kind has been quiet. Refuses to own shedding (`capture`).

use std::collections::HashMap;

/// Exchanges of one kind in a row without anything new or wrong, after which its bodies count as known.
const QUIET: u16 = 256;

/// How long each kind has been quiet, by the slot that the data plane knows it by.
#[derive(Debug, Default)]
pub(super) struct Settling(HashMap<usize, u16>);

impl Settling {
    /// Counts one exchange; what the data plane is to be told, if that has changed.
    pub(super) fn count(&mut self, slot: usize, is_new: bool) -> Option<bool> {
        let quiet = self.0.entry(slot).or_default();
        let was_settled = *quiet >= QUIET;
        *quiet = if is_new { 0 } else { quiet.saturating_add(1) };
        let is_settled = *quiet >= QUIET;
        (was_settled != is_settled).then_some(is_settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_settled_after_long_quiet_until_something_new() {
        let mut settling = Settling::default();
        let told: Vec<Option<bool>> = (0..300).map(|_| settling.count(1, false)).collect();
        assert_eq!(told.iter().position(Option::is_some), Some(255));
        assert_eq!(told.iter().flatten().count(), 1);
        assert_eq!(settling.count(2, true), None);
        assert_eq!(settling.count(1, true), Some(false));
        assert_eq!(settling.count(1, true), None);
    }
}

//! When the bounds of learning are told of: once a day and API, and only when one bit anew.
//!
//! Owns what was told. Refuses to know the bounds; `infer` says which of them bit and how often.

use crate::infer::Evidence;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3_600_000;

/// What was told of one API.
#[derive(Debug, Default)]
pub(super) struct Limited {
    day: Option<i64>,
    known: Vec<(&'static str, u64)>,
}

impl Limited {
    /// What bit before this process began, of which nobody needs to hear again.
    pub(super) fn of(evidence: &Evidence) -> Self {
        Self { day: None, known: evidence.pressure() }
    }

    /// The limit to tell of now; none if nothing bit anew, or enough was told today. `pressure`: what bit, how often.
    pub(super) fn news(
        &mut self,
        pressure: Vec<(&'static str, u64)>,
        now_ms: i64,
    ) -> Option<&'static str> {
        let day = now_ms.div_euclid(DAY_MS);
        if self.day == Some(day) {
            return None;
        }
        let new = pressure.into_iter().find(|limit| !self.known.contains(limit))?;
        self.day = Some(day);
        // The others stay news, for another day.
        self.known.retain(|(name, _)| *name != new.0);
        self.known.push(new);
        Some(new.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_once_a_day_and_only_if_it_bit_anew() {
        let mut limited = Limited { day: None, known: vec![("nodes", 1)] };
        assert_eq!(limited.news(vec![("nodes", 1)], 0), None);
        assert_eq!(limited.news(vec![("nodes", 1), ("cells", 4)], 5), Some("cells"));
        assert_eq!(limited.news(vec![("nodes", 2), ("cells", 9)], DAY_MS - 1), None);
        assert_eq!(limited.news(vec![("nodes", 2), ("cells", 9)], DAY_MS), Some("nodes"));
        assert_eq!(limited.news(vec![("nodes", 2), ("cells", 9)], 3 * DAY_MS), Some("cells"));
        assert_eq!(limited.news(vec![("nodes", 2), ("cells", 9)], 4 * DAY_MS), None);
    }
}

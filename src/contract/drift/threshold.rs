//! When a candidate opens and when a finding is over (`spec/contract.md` 5).
//!
//! Owns the table of thresholds. Pure over the counters of an episode.

use super::super::kinds::Rule;
use super::super::options::Thresholds;
use super::episode::Episode;
use super::statistics::wilson;

/// Least time over which an undocumented field must be seen.
const FIELD_SPREAD_MS: i64 = 120_000;

/// Opportunities without occurrence after which 1 % is refuted at 95 %.
const REFUTED_AFTER: u64 = 299;

/// Whether the occurrences suffice. `halved`: it was open before. `learned_from`: opportunities behind a learned fact, which
/// the new rate has to exceed beyond doubt.
pub(super) fn is_due(
    rule: Rule,
    episode: &Episode,
    thresholds: &Thresholds,
    halved: bool,
    learned_from: Option<u64>,
) -> bool {
    let least = |count: u64| if halved { count.div_ceil(2) } else { count };
    let Episode { opportunities: n, occurrences: k, windows, .. } = *episode;
    let spread = episode.last_ms - episode.first_ms;
    let due = match rule {
        Rule::Refusal | Rule::Absence => false,
        Rule::Unauthenticated => k >= least(thresholds.unauthenticated),
        Rule::Undocumented => k >= least(thresholds.undocumented),
        Rule::UndocumentedField => {
            let wait = if halved { FIELD_SPREAD_MS / 2 } else { FIELD_SPREAD_MS };
            k >= least(thresholds.undocumented_field) && spread >= wait
        }
        Rule::Contradiction => {
            let independent = episode.consumers() >= 2 || windows >= 2;
            let frequent = n >= 1_000 && k.saturating_mul(1_000) >= n;
            k >= least(thresholds.contradiction) && (independent || frequent || k == n)
        }
        // Some of what is public may be closed to strangers; an operation that is closed answers none of them.
        Rule::Closed => {
            let as_a_rule = k.saturating_mul(10) >= episode.since_first.saturating_mul(9);
            let independent = episode.consumers() >= 2 || windows >= 2 || k == n;
            k >= least(thresholds.contradiction) && as_a_rule && independent
        }
        Rule::Redirect => n >= 20 && k.saturating_mul(100) >= n.saturating_mul(95),
        Rule::Failure => k >= 3 && n >= 100 && k.saturating_mul(100) >= n && windows >= 2,
    };
    due && learned_from.is_none_or(|count| wilson(k, n).0 > wilson(0, count).1)
}

/// Whether nothing was seen for so long that the deviation is gone: opportunities enough to refute 1 %, and three times as
/// many as it took to raise it.
pub(super) fn is_over(episode: &Episode) -> bool {
    episode.quiet >= REFUTED_AFTER.max(episode.raised_after.saturating_mul(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An episode of `k` in `n` by consumers in windows.
    fn episode(n: u64, k: u64, consumers: u64, windows: i64, spread_ms: i64) -> Episode {
        let mut episode = Episode::new(n - k);
        for index in 0..k {
            let window = i64::try_from(index).expect("small") % windows * 300_000;
            let last = if index + 1 == k { spread_ms } else { 0 };
            episode.occur(index % consumers, window.max(last));
        }
        episode
    }

    #[test]
    fn thresholds_read_as_their_table() {
        use Rule::{
            Closed, Contradiction, Failure, Redirect, Refusal, Unauthenticated, Undocumented,
            UndocumentedField,
        };
        for (rule, n, k, consumers, windows, spread, expected) in [
            (Contradiction, 100, 2, 2, 2, 0, false),
            (Contradiction, 100, 3, 1, 1, 0, false),
            (Contradiction, 100, 3, 2, 1, 0, true),
            (Contradiction, 100, 3, 1, 2, 0, true),
            (Contradiction, 3, 3, 1, 1, 0, true),
            (Contradiction, 1_000, 3, 1, 1, 0, true),
            (Contradiction, 4_000, 3, 1, 1, 0, false),
            (Unauthenticated, 9, 1, 1, 1, 0, false),
            (Unauthenticated, 9, 2, 1, 1, 0, true),
            (UndocumentedField, 9, 5, 1, 1, 1_000, false),
            (UndocumentedField, 9, 4, 1, 1, 120_000, false),
            (UndocumentedField, 9, 5, 1, 1, 120_000, true),
            (Undocumented, 9, 2, 2, 2, 0, false),
            (Undocumented, 9, 3, 1, 1, 0, true),
            (Failure, 50, 50, 2, 2, 0, false),
            (Failure, 100, 50, 2, 1, 0, false),
            (Failure, 100, 50, 2, 2, 0, true),
            (Failure, 1_000, 9, 2, 2, 0, false),
            (Closed, 100, 3, 1, 1, 0, false),
            (Closed, 100, 2, 2, 2, 0, false),
            (Closed, 100, 3, 2, 1, 0, true),
            (Redirect, 19, 19, 2, 2, 0, false),
            (Redirect, 20, 19, 2, 2, 0, true),
            (Redirect, 100, 94, 2, 2, 0, false),
            (Refusal, 100, 100, 9, 9, 0, false),
        ] {
            let episode = episode(n, k, consumers, windows, spread);
            let due = is_due(rule, &episode, &Thresholds::default(), false, None);
            assert_eq!(due, expected, "{rule:?} {k} of {n}, c {consumers}, w {windows}");
        }
    }

    #[test]
    fn what_is_closed_to_some_is_not_closed() {
        let mut episode = episode(100, 3, 3, 1, 0);
        let thresholds = Thresholds::default();
        assert!(is_due(Rule::Closed, &episode, &thresholds, false, None));
        episode.pass();
        assert!(!is_due(Rule::Closed, &episode, &thresholds, false, None));
    }

    #[test]
    fn a_finding_that_was_open_before_needs_half() {
        let twice = episode(100, 2, 2, 1, 0);
        let thresholds = Thresholds::default();
        assert!(is_due(Rule::Contradiction, &twice, &thresholds, true, None));
        assert!(!is_due(Rule::Contradiction, &twice, &thresholds, false, None));
    }

    #[test]
    fn a_learned_fact_must_be_exceeded_beyond_doubt() {
        let thresholds = Thresholds::default();
        // 3 of 300 after a fact learned from 40 cases: one in a hundred would not have shown in those.
        let rare = episode(300, 3, 3, 3, 0);
        assert!(!is_due(Rule::Contradiction, &rare, &thresholds, false, Some(40)));
        assert!(is_due(Rule::Contradiction, &rare, &thresholds, false, Some(2_995)));
        let common = episode(30, 20, 3, 3, 0);
        assert!(is_due(Rule::Contradiction, &common, &thresholds, false, Some(40)));
    }

    #[test]
    fn over_takes_enough_silence() {
        let mut episode = episode(10, 3, 2, 1, 0);
        episode.raised_after = 200;
        for _ in 0..599 {
            episode.pass();
        }
        assert!(!is_over(&episode));
        episode.pass();
        assert!(is_over(&episode));
        episode.touch(9);
        assert!(!is_over(&episode));
    }
}

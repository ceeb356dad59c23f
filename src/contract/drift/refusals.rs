//! Valid requests that are refused: per form of a request, was it accepted before, and is it refused now?
//!
//! Owns the rule *refused though valid* of `spec/contract.md` 5. Not stored: after a restart the forms are learned anew.

use super::super::options::Thresholds;
use crate::model::hash::ByHash;

/// Forms remembered per API; beyond it the half that was not seen for longest goes.
const FORMS_MAX: usize = 4_096;

/// Length of the look back, exchanges.
const RECENT: u32 = 20;

#[derive(Debug, Default)]
pub(super) struct Refusals {
    forms: ByHash<Form>,
}

#[derive(Debug, Default)]
struct Form {
    accepted: u64,
    refused: u64,
    /// Since the first refusal, newest lowest, a set bit per refusal; how many bits count.
    recent: (u32, u32),
    consumers: Vec<u64>,
    last_ms: i64,
}

impl Refusals {
    pub(super) fn accepted(&mut self, shape: u64, time_ms: i64) {
        let form = self.form(shape, time_ms);
        form.accepted += 1;
        if form.refused > 0 {
            form.remember(false);
        }
        if form.recent == (0, RECENT) {
            // Accepted ever since: what was refused is history.
            (form.refused, form.recent) = (0, (0, 0));
            form.consumers.clear();
        }
    }

    /// Counts a refusal; whether this form is now refused as a rule.
    pub(super) fn refused(
        &mut self,
        shape: u64,
        consumer: u64,
        time_ms: i64,
        thresholds: &Thresholds,
    ) -> bool {
        let form = self.form(shape, time_ms);
        form.refused += 1;
        form.remember(true);
        if !form.consumers.contains(&consumer) && form.consumers.len() < 8 {
            form.consumers.push(consumer);
        }
        let (bits, length) = form.recent;
        let as_a_rule = u64::from(bits.count_ones()) * 10 >= u64::from(length) * 9;
        let least = thresholds.refused;
        let enough = if form.accepted >= 3 {
            form.refused >= least && form.consumers.len() >= 2 || form.refused >= least * 2
        } else {
            form.refused >= least * 2
        };
        as_a_rule && enough
    }

    fn form(&mut self, shape: u64, time_ms: i64) -> &mut Form {
        if self.forms.len() >= FORMS_MAX && !self.forms.contains_key(&shape) {
            let mut times: Vec<i64> = self.forms.values().map(|form| form.last_ms).collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or(i64::MAX);
            self.forms.retain(|_, form| form.last_ms > middle);
        }
        let form = self.forms.entry(shape).or_default();
        form.last_ms = time_ms;
        form
    }
}

impl Form {
    fn remember(&mut self, refused: bool) {
        let mask = (1 << RECENT) - 1;
        let (bits, length) = self.recent;
        self.recent = (((bits << 1) | u32::from(refused)) & mask, (length + 1).min(RECENT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` accepted, a digit: refused to that consumer; how many refusals it took, if it was told at all.
    fn told_after(history: &str) -> Option<usize> {
        let mut refusals = Refusals::default();
        let mut count = 0;
        for letter in history.chars() {
            match letter.to_digit(10) {
                None => refusals.accepted(1, 0),
                Some(consumer) => {
                    count += 1;
                    let due = refusals.refused(1, consumer.into(), 0, &Thresholds::default());
                    if due {
                        return Some(count);
                    }
                }
            }
        }
        None
    }

    #[test]
    fn a_form_that_was_accepted_and_is_refused_is_told() {
        for (history, expected) in [
            ("aaa12121", Some(5)),
            ("aaa1111111111", Some(10)),
            ("aaa1111", None),
            ("1111111111", Some(10)),
            ("121212", None),
            // As often accepted as refused: that depends on values, not on the form.
            ("aaa1a2a1a2a1a2a1a2a1a2a1a2a1a2", None),
            ("aaa1aaaaaaaaaaaaaaaaaaaa2121", None),
        ] {
            assert_eq!(told_after(history), expected, "{history}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut refusals = Refusals::default();
        for shape in 0..20_000_u64 {
            refusals.accepted(shape, i64::try_from(shape).expect("small"));
            assert!(refusals.forms.len() <= FORMS_MAX);
        }
        assert!(refusals.forms.contains_key(&19_999));
    }
}

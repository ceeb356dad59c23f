//! The counters of one finding between two resolutions.
//!
//! Owns counting and the form in which counters are stored beside a finding. All sets are bounded.

use serde_json::{Value, json};

/// Length of a window, milliseconds: sightings in two windows are independent of one burst.
pub(super) const WINDOW_MS: i64 = 300_000;

/// Distinct consumers that are told apart.
const CONSUMERS_MAX: usize = 32;

/// Pairs of consumer and window; more do not raise the confidence.
const PAIRS_MAX: usize = 10;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Episode {
    /// Opportunities, those before the first occurrence included.
    pub(super) opportunities: u64,
    pub(super) occurrences: u64,
    /// Opportunities since the first occurrence.
    pub(super) since_first: u64,
    /// Opportunities since the last occurrence.
    pub(super) quiet: u64,
    /// `since_first` when it opened.
    pub(super) raised_after: u64,
    pub(super) windows: u32,
    last_window: i64,
    consumers: Vec<u64>,
    pairs: Vec<(u64, i64)>,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

impl Episode {
    /// Begins with the opportunities that passed before.
    pub(super) fn new(opportunities_before: u64) -> Self {
        Self { opportunities: opportunities_before, last_window: i64::MIN, ..Self::default() }
    }

    /// An opportunity that was not taken.
    pub(super) fn pass(&mut self) {
        self.opportunities += 1;
        self.since_first += 1;
        self.quiet += 1;
    }

    /// An occurrence; it is an opportunity too.
    pub(super) fn occur(&mut self, consumer: u64, time_ms: i64) {
        if self.occurrences == 0 {
            self.first_ms = time_ms;
        }
        self.opportunities += 1;
        self.since_first += 1;
        self.occurrences += 1;
        self.touch(time_ms);
        let window = time_ms.div_euclid(WINDOW_MS);
        // Recordings may be out of order; a window met again after another one counts twice at most.
        if window != self.last_window {
            self.windows = self.windows.saturating_add(1);
            self.last_window = window;
        }
        if !self.consumers.contains(&consumer) && self.consumers.len() < CONSUMERS_MAX {
            self.consumers.push(consumer);
        }
        if !self.pairs.contains(&(consumer, window)) && self.pairs.len() < PAIRS_MAX {
            self.pairs.push((consumer, window));
        }
    }

    /// The same payload again: it lives, but counts for nothing.
    pub(super) fn touch(&mut self, time_ms: i64) {
        self.quiet = 0;
        self.last_ms = self.last_ms.max(time_ms);
    }

    pub(super) fn consumers(&self) -> u32 {
        u32::try_from(self.consumers.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    pub(super) fn encode(&self) -> Value {
        json!({
            "n": self.opportunities, "k": self.occurrences, "since": self.since_first,
            "quiet": self.quiet, "raised": self.raised_after, "windows": self.windows,
            "window": self.last_window, "consumers": self.consumers, "pairs": self.pairs,
            "first": self.first_ms, "last": self.last_ms,
        })
    }

    /// Reads what [`Self::encode`] wrote; what is missing or malformed is zero.
    pub(super) fn decode(value: &Value) -> Self {
        let count = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
        let time = |name: &str| value.get(name).and_then(Value::as_i64).unwrap_or(0);
        let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
        Self {
            opportunities: count("n"),
            occurrences: count("k"),
            since_first: count("since"),
            quiet: count("quiet"),
            raised_after: count("raised"),
            windows: u32::try_from(count("windows")).unwrap_or(u32::MAX),
            last_window: time("window"),
            consumers: list("consumers").filter_map(Value::as_u64).take(CONSUMERS_MAX).collect(),
            pairs: list("pairs")
                .filter_map(|pair| Some((pair.get(0)?.as_u64()?, pair.get(1)?.as_i64()?)))
                .take(PAIRS_MAX)
                .collect(),
            first_ms: time("first"),
            last_ms: time("last"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_survive_being_stored() {
        let mut episode = Episode::new(40);
        for index in 0..50_u64 {
            episode.pass();
            episode.occur(index % 40, 1_000_000 * i64::try_from(index).expect("small"));
        }
        assert_eq!(Episode::decode(&episode.encode()), episode);
        assert_eq!((episode.opportunities, episode.occurrences), (140, 50));
        assert_eq!((episode.consumers(), episode.pairs()), (32, 10));
        assert_eq!(Episode::decode(&Value::Null), Episode::default());
    }
}

//! Rates and how far they may be trusted (`spec/contract.md` 5): Wilson's interval at 95 %.
//!
//! Owns arithmetic over counters alone, so that replicas could merge them.

const Z: f64 = 1.96;

/// Bounds of the rate behind `hits` of `trials`; 0 and 1 when nothing was tried.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts stay far below 2^52, and rates are shown, not compared exactly"
)]
pub(in crate::contract) fn wilson(hits: u64, trials: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (hits, trials) = (hits.min(trials) as f64, trials as f64);
    let rate = hits / trials;
    let square = Z * Z;
    let middle = rate + square / (2.0 * trials);
    let margin = Z * (rate * (1.0 - rate) / trials + square / (4.0 * trials * trials)).sqrt();
    let whole = 1.0 + square / trials;
    (((middle - margin) / whole).max(0.0), ((middle + margin) / whole).min(1.0))
}

/// How sure an absence is: its rules refute chance at 95 %.
pub(super) const ABSENT: f64 = 0.95;

/// How sure a finding is: `(1 − 2^−e) · s` with `e` distinct pairs of consumer and window, at most 10, and `s` the trust in the
/// fact that is deviated from.
pub(super) fn confidence(pairs: usize, learned_from: Option<u64>) -> f64 {
    let pairs = i32::try_from(pairs.min(10)).unwrap_or(10);
    (1.0 - 0.5_f64.powi(pairs)) * trust(learned_from)
}

/// 1 for a written baseline, `0.05^(1/n0)` for a fact learned from `n0` opportunities.
#[expect(clippy::cast_precision_loss, reason = "as above")]
pub(super) fn trust(learned_from: Option<u64>) -> f64 {
    learned_from.map_or(1.0, |count| 0.05_f64.powf(1.0 / (count.max(1) as f64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Wilson score intervals, 95 %, as tables of statistics give them.
        for (hits, trials, low, high) in [
            (0, 10, 0.0, 0.2775),
            (10, 10, 0.7225, 1.0),
            (9, 412, 0.0115, 0.0410),
            (50, 100, 0.4038, 0.5962),
        ] {
            let (found_low, found_high) = wilson(hits, trials);
            assert!((found_low - low).abs() < 5e-4, "{hits}/{trials}: {found_low}");
            assert!((found_high - high).abs() < 5e-4, "{hits}/{trials}: {found_high}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn confidence_grows_with_independent_sightings() {
        assert!((confidence(1, None) - 0.5).abs() < 1e-9);
        assert!(confidence(100, None) > 0.999);
        assert!(confidence(10, Some(299)) > 0.98 && confidence(10, Some(3)) < 0.4);
    }
}

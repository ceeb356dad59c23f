//! Waits grow, stay bounded, and are asked for in every form of `Retry-After`.

use proptest::prelude::*;

use crate::deliver::schedule::{Failure, Policy, retry_after};
use crate::model::delivery::OutcomeKind;

proptest! {
    #![proptest_config(super::properties())]

    #[test]
    fn waits_are_monotone_in_the_step_and_bounded(
        base_ms in 1_000_i64..3_600_000,
        factor in 1_i64..1_000,
        chance in 0.0_f64..1.0,
        jitter in 0.0_f64..=1.0,
    ) {
        let policy = Policy {
            base_ms,
            cap_ms: (base_ms * factor).min(86_400_000).max(base_ms),
            jitter,
            deadline_ms: 864_000_000,
        };
        let mut last = 0;
        for step in 1..80 {
            let wait = policy.wait_ms(step, OutcomeKind::ServerError, chance);
            prop_assert!(wait >= last, "step {step}: {wait} after {last}");
            #[expect(clippy::cast_precision_loss, reason = "a test of magnitudes")]
            let most = policy.cap_ms as f64 * (1.0 + jitter);
            #[expect(clippy::cast_precision_loss, reason = "a test of magnitudes")]
            let within = wait as f64 <= most;
            prop_assert!(within, "step {step}: {wait}");
            last = wait;
        }
    }

    #[test]
    fn nothing_is_due_after_the_deadline_or_in_the_past(
        now in 0_i64..2_000_000_000,
        step in 1_u32..100,
        asked in proptest::option::of(any::<i64>()),
        chance in 0.0_f64..1.0,
    ) {
        let policy = Policy::default();
        for outcome in OutcomeKind::ALL.iter().copied() {
            let failure = Failure { step, outcome, retry_after_ms: asked, chance };
            let due = policy.next_due(&failure, now, 0);
            prop_assert!(due <= policy.deadline_ms);
            prop_assert!(due >= now.min(policy.deadline_ms));
        }
    }
}

#[test]
fn jitter_spreads_both_ways_by_its_part() {
    let policy = Policy::default();
    let wait = |chance| policy.wait_ms(5, OutcomeKind::Closed, chance);
    assert_eq!((wait(0.0), wait(0.5)), (64_000, 80_000));
    assert!((95_000..96_000).contains(&wait(0.999)));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now_ms = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
    for (value, expected) in [
        ("120", Some(120_000)),
        (" 0 ", Some(0)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
        ("Sun Nov  6 08:50:37 1994", Some(60_000)),
        ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
        ("99999999999999999999999", Some(i64::MAX)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after(value, now_ms), expected, "{value}");
    }
}

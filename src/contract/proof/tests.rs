//! The table keeps what is used, and no more than it may.

use super::table::{PROOFS_MAX, Table};
use super::*;

fn proof(form: u64) -> Arc<Proof> {
    let validity = Validity::Valid;
    Arc::new(Proof { flaws: Vec::new(), validity, fields: Vec::new(), form, plain: true })
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let mut table = Table::default();
    // All of one bucket.
    let key = |number: u64| number << 1 | 9 << 40;
    table.insert(key(0), &proof(0));
    for number in 1..1_000 {
        assert!(table.get(key(0)).is_some_and(|proof| proof.form == 0), "{number}");
        table.insert(key(number), &proof(number));
    }
    let kept = (0..1_000).filter(|number| table.get(key(*number)).is_some()).count();
    assert_eq!(kept, 8);
    table.remove(key(0));
    assert!(table.get(key(0)).is_none());
}

#[test]
fn the_table_holds_so_many_and_no_more() {
    let mut table = Table::default();
    let key = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for number in 0..2 * PROOFS_MAX as u64 {
        table.insert(key(number), &proof(number));
    }
    let kept = (0..2 * PROOFS_MAX as u64)
        .filter_map(|number| table.get(key(number)).map(|proof| assert_eq!(proof.form, number)));
    let kept = kept.count();
    assert!((PROOFS_MAX / 2..=PROOFS_MAX).contains(&kept), "{kept}");
}

#[test]
fn a_schema_whose_shapes_seldom_come_again_is_cold() {
    let mut slot = Slot::default();
    (0..WINDOW).for_each(|number| slot.count(number % 3 == 0));
    assert!(slot.is_cold);
    (0..WINDOW).for_each(|number| slot.count(number % 3 != 0));
    assert!(!slot.is_cold);
}

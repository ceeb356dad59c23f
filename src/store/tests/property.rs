//! Any sequence of commits, then reads: equal to a model in memory, also after reopening.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// Publish events with these numbers; a few numbers, so that duplicates and conflicts happen.
    Publish(Vec<(u8, bool)>),
    /// Move the n-th known delivery.
    Move(usize, State, i64),
    Cursor(i64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let state = proptest::sample::select(State::ALL);
    prop_oneof![
        6 => proptest::collection::vec((any::<u8>(), proptest::bool::weighted(0.1)), 1..4)
            .prop_map(Step::Publish),
        5 => (any::<usize>(), state, 0..500_i64)
            .prop_map(|(which, state, due)| Step::Move(which, state, due)),
        1 => any::<i64>().prop_map(Step::Cursor),
        1 => Just(Step::Reopen),
    ]
}

/// What the store should hold.
#[derive(Debug, Default, Clone)]
struct Model {
    events: BTreeMap<i64, Event>,
    deliveries: BTreeMap<String, Delivery>,
    cursor: Option<i64>,
}

/// Event number `n`: its time, data and destinations follow from it; `other` gives the same identity other data.
fn numbered(number: u8, other: bool) -> (Event, Matches) {
    let destinations = ["whk_a", "whk_b", "whk_c"];
    let chosen = destinations.iter().enumerate().filter(|(bit, _)| number & (1 << bit) != 0);
    let chosen: Vec<_> = chosen.map(|(_, name)| *name).collect();
    let data = format!("{{\"number\":{number},\"other\":{other}}}");
    let event = Event { data: data.into(), ..event(&number.to_string(), i64::from(number) % 16) };
    (event, to(&chosen))
}

impl Model {
    /// The model after publishing, or nothing if one of the events is in conflict.
    fn publish(&self, events: &[(u8, bool)], receipt: &Receipt) -> Option<Self> {
        let mut next = self.clone();
        for (index, (number, other)) in events.iter().enumerate() {
            let (event, matches) = numbered(*number, *other);
            let known = next.events.iter().find(|(_, known)| known.id == event.id);
            match known {
                Some((_, known)) if known.data != event.data => return None,
                Some((row, _)) => {
                    assert_eq!(receipt.events.get(index), Some(&Stored::Duplicate(*row)));
                }
                None => {
                    let row = receipt.events.get(index)?.row();
                    for destination in &matches.deliveries {
                        let delivery = Delivery::created(&event, row, destination);
                        next.deliveries.insert(delivery.id.clone(), delivery);
                    }
                    let sequence = row.unsigned_abs();
                    next.events.insert(row, Event { sequence, ..event });
                }
            }
        }
        Some(next)
    }

    fn compare(&self, store: &Handle) {
        let read = store.read_blocking(|reader| {
            let rows = reader.events_after(0, 10_000)?;
            let events: BTreeMap<_, _> = rows.into_iter().map(|row| (row.row, row.event)).collect();
            assert_eq!(events, self.events);
            self.compare_lists(reader)?;
            assert_eq!(reader.cursor("test")?, self.cursor);
            Ok(())
        });
        read.expect("read");
    }

    fn compare_lists(&self, reader: &Reader) -> Result<(), Error> {
        let mut listed = Vec::new();
        let mut page = Page { limit: 3, at: None };
        loop {
            let listing = reader.deliveries(&DeliveryFilter::default(), &page)?;
            listed.extend(listing.items);
            page.at = listing.older;
            if page.at.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = self.deliveries.values().cloned().collect();
        expected.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
        assert_eq!(listed, expected);

        let now = 250;
        let open = || expected.iter().filter(|delivery| delivery.state.is_open());
        let due = reader.due(now, 1_000)?;
        let due: BTreeSet<_> = due.iter().map(|delivery| &delivery.id).collect();
        let expected_due: BTreeSet<_> =
            open().filter(|it| it.due_ms <= now).map(|delivery| &delivery.id).collect();
        assert_eq!(due, expected_due);
        let next = open().map(|it| it.due_ms).filter(|due_ms| *due_ms > now).min();
        assert_eq!(reader.next_due(now)?, next);
        Ok(())
    }
}

fn reopen(folder: &Path) -> Handle {
    open(folder, &Options::default(), Clock::real(), Panics::default()).expect("opens").0
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn commits_then_reads_equal_the_model(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut store = reopen(folder.path());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Publish(events) => {
                    let changes = events.iter().map(|(number, other)| {
                        let (event, matches) = numbered(*number, *other);
                        Change::event(event, matches)
                    });
                    match store.commit_blocking(changes.collect()) {
                        Ok(receipt) => {
                            model = model.publish(&events, &receipt).expect("no conflict");
                        }
                        Err(Error::Conflict { .. }) => {
                            // Rows are a guess here: a conflict is found before they matter.
                            let guess = Receipt { events: (0..events.len())
                                .map(|index| conflicted(&model, &events, index)).collect() };
                            prop_assert!(model.publish(&events, &guess).is_none());
                        }
                        Err(error) => prop_assert!(false, "{error}"),
                    }
                }
                Step::Move(which, state, due_ms) => {
                    let count = model.deliveries.len().max(1);
                    if let Some(delivery) = model.deliveries.values_mut().nth(which % count) {
                        delivery.state = state;
                        delivery.due_ms = due_ms;
                        store.commit_blocking(vec![Change::Delivery(delivery.clone())])
                            .expect("committed");
                    }
                }
                Step::Cursor(position) => {
                    store.commit_blocking(vec![Change::Cursor { name: "test", position }])
                        .expect("committed");
                    model.cursor = model.cursor.max(Some(position));
                }
                Step::Reopen => {
                    runtime.block_on(store.close());
                    store = reopen(folder.path());
                }
            }
            model.compare(&store);
        }
        runtime.block_on(store.close());
    }
}

/// What the receipt would say of an event, were there no conflict behind it.
fn conflicted(model: &Model, events: &[(u8, bool)], index: usize) -> Stored {
    let number = events[index].0;
    let known = model.events.iter().find(|(_, event)| event.id == number.to_string());
    let guess = 1_000_000 + i64::from(number);
    match known {
        Some((row, _)) => Stored::Duplicate(*row),
        None if events[..index].iter().any(|(earlier, _)| *earlier == number) => {
            Stored::Duplicate(guess)
        }
        None => Stored::New(guess),
    }
}

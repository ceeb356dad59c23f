//! The laws of evidence (`spec/inference.md` 5) as properties, with tables of full size and with tables of two to four
//! entries, so that every limit bites.

use proptest::prelude::*;

use super::*;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..5_000_000_000).prop_map(Value::from),
        (-10.0..10.0_f64).prop_map(Value::from),
        "[a-c]{1,2}".prop_map(Value::from),
        Just(json!("2024-01-01T00:00:00Z")),
        Just(json!("jane@example.org")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-d]|id|type|[0-9]{2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

pub(super) fn shots() -> impl Strategy<Value = Shot> {
    let path = prop::collection::vec(
        prop_oneof![
            Just("orders".to_owned()),
            Just("search".to_owned()),
            "[0-9]{1,2}",
            "[0-9]{1,2}\\.(json|csv)",
            "[a-z]{5}",
            Just("jane@example.org".to_owned())
        ],
        0..4,
    );
    let method =
        prop_oneof![Just("GET"), Just("POST"), Just("HEAD"), Just("OPTIONS"), Just("PURGE")];
    let status = prop_oneof![
        Just(200_u16),
        Just(201),
        Just(204),
        Just(304),
        Just(400),
        Just(404),
        Just(500)
    ];
    let query = prop::option::of("([a-c](\\[[ab0]?\\])?=[a-z0-9]{0,2}&){0,3}");
    let bodies = (prop::option::of(values()), prop::option::of(values()));
    let media = prop_oneof![4 => Just("application/json"), 1 => Just("application/x-ndjson")];
    let when = (0_u64..4, prop_oneof![Just(100_i64), 100_i64..120]);
    (method, path, query, status, bodies, when, media).prop_map(
        |(method, path, query, status, (request, response), (consumer, week), media)| Shot {
            method,
            path: format!("/{}", path.join("/")),
            query,
            request,
            status,
            response,
            consumer,
            media,
            week,
        },
    )
}

/// Exchanges with a crowd of things that have names of their own, some of which show little of themselves, and now and then
/// with one that is like none of them.
fn crowds() -> impl Strategy<Value = Vec<Shot>> {
    let shot = (0_usize..110, 0_u8..8, any::<bool>(), 0_u64..4).prop_map(
        |(thing, kind, small, consumer)| {
            let path = format!("/v1/places/{}", growth::word(thing));
            let whole = json!({"zone": thing, "size": 1, "open": small, "parts": [{"a": 1}]});
            let shot = match (thing % 37, kind) {
                (36, _) => Shot::get(&path, json!({"bells": 1, "whistles": small, "rope": "x"})),
                (_, 0) => Shot::post(&path, json!({"zone": 1, "size": 2}), 204, Value::Null),
                (_, 1) => {
                    Shot::get(&format!("{path}/gates/{}", thing % 3), json!({"gate": 1, "of": 2}))
                }
                (_, 2) => Shot::get(&format!("{path}/{}", growth::word(thing + 7)), whole),
                (_, 3) => Shot::get(&path, json!({"zone": thing, "size": 1})),
                _ => Shot::get(&path, whole),
            };
            Shot { consumer, ..shot }
        },
    );
    prop::collection::vec(shot, 0..400)
}

/// So many cases, unless `PROPTEST_CASES` asks for others; what failed once is kept beside this file.
pub(super) fn config(cases: u32) -> ProptestConfig {
    let kept = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    let default = ProptestConfig::default();
    let cases = if default.cases == 256 { cases } else { default.cases };
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..default }
}

/// Room in all tables.
fn room() -> impl Strategy<Value = Option<usize>> {
    prop::option::of(2_usize..5)
}

/// Evidence of so many shots, learned with so much room.
fn learned_in(room: Option<usize>, shots: &[Shot]) -> Evidence {
    caps::with(room, || learned(shots))
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn order_does_not_matter(
        room in room(),
        shots in prop::collection::vec(shots(), 0..12).prop_flat_map(|shots| {
            (Just(shots.clone()), Just(shots).prop_shuffle())
        })
    ) {
        let (first, second) = shots;
        prop_assert_eq!(encode(&learned_in(room, &first)), encode(&learned_in(room, &second)));
    }

    #[test]
    fn parts_merge_into_the_whole_in_any_order(
        room in room(),
        shots in prop::collection::vec((shots(), 0..3_usize), 0..12)
    ) {
        let all: Vec<Shot> = shots.iter().map(|(shot, _)| shot.clone()).collect();
        let part = |wanted: usize| {
            let of_part = shots.iter().filter(|(_, part)| *part == wanted);
            let chosen: Vec<Shot> = of_part.map(|(shot, _)| shot.clone()).collect();
            learned_in(room, &chosen)
        };
        let whole = encode(&learned_in(room, &all));
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut merged = Evidence::new("test", KEY.id());
            for index in order {
                caps::with(room, || merge(&mut merged, &part(index))).expect("one key");
            }
            prop_assert_eq!(&encode(&merged), &whole);
        }
        let mut right = part(1);
        caps::with(room, || merge(&mut right, &part(2))).expect("one key");
        let mut left = part(0);
        caps::with(room, || merge(&mut left, &right)).expect("one key");
        prop_assert_eq!(encode(&left), whole);
    }

    #[test]
    fn plans_make_no_difference(
        room in room(),
        shots in prop::collection::vec(shots(), 0..8),
    ) {
        let thrice: Vec<Shot> = [&shots, &shots, &shots].into_iter().flatten().cloned().collect();
        let plain = caps::with(room, || {
            let mut plain = Evidence::new("test", KEY.id()).without_plans();
            for shot in &thrice {
                learn(&mut plain, &shot.observe());
            }
            plain
        });
        prop_assert_eq!(encode(&plain), encode(&learned_in(room, &thrice)));
    }

    #[test]
    fn evidence_reads_back_and_nothing_is_neutral(
        room in room(),
        shots in prop::collection::vec(shots(), 0..8),
    ) {
        let mut evidence = learned_in(room, &shots);
        let bytes = encode(&evidence);
        prop_assert_eq!(&decode(&bytes).expect("sound bytes"), &evidence);
        caps::with(room, || merge(&mut evidence, &Evidence::new("test", KEY.id()))).expect("one key");
        prop_assert_eq!(encode(&evidence), bytes);
    }

    #[test]
    fn bytes_that_are_no_evidence_are_refused(
        shots in prop::collection::vec(shots(), 1..4),
        at in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let mut bytes = encode(&learned(&shots));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn what_was_shown_before_is_no_news(shots in prop::collection::vec(shots(), 1..6)) {
        let mut evidence = learned(&shots);
        for _ in 0..2 {
            for shot in &shots {
                learn(&mut evidence, &shot.observe());
            }
        }
        for shot in &shots {
            let news = learn(&mut evidence, &shot.observe());
            prop_assert_eq!(Novelty { due: false, ..news }, Novelty::default());
        }
    }

    #[test]
    fn documents_keep_no_redacted_value(shots in prop::collection::vec(shots(), 0..8)) {
        for view in [View::Strict, View::Permissive] {
            let options = ProjectOptions { view, samples_min: 1, ..ProjectOptions::default() };
            let text = project(&learned(&shots), &options).document.to_string();
            prop_assert!(!text.contains("jane") && !text.contains("2024-01-01"));
        }
    }

    #[test]
    fn yaml_reads_back_as_the_same_json(value in values(), text in "\\PC{0,12}|[~#&*!|>%@`?:, \\-\\n\\t0-9eEnoyNO.x]{0,6}") {
        let value = json!({"value": value, "text": text, text: [[], {}, [[1]], [{"a": [1], "b": {}}]]});
        let written = yaml::write(&value);
        let read: Value = serde_saphyr::from_str(&written).expect("YAML");
        prop_assert_eq!(read, value, "{}", written);
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn crowds_do_not_depend_on_order_or_parts(
        (first, second) in crowds().prop_flat_map(|shots| {
            (Just(shots.clone()), Just(shots).prop_shuffle())
        }),
        parts in 1_usize..5,
    ) {
        let settled = |mut evidence: Evidence| {
            evidence.settle();
            encode(&evidence)
        };
        let whole = settled(learned(&first));
        prop_assert_eq!(&settled(learned(&second)), &whole);
        let mut merged = Evidence::new("test", KEY.id());
        for part in second.chunks(first.len() / parts + 1) {
            merge(&mut merged, &learned(part)).expect("one key");
        }
        prop_assert_eq!(settled(merged), whole);
    }
}

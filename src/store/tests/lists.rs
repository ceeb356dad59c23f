//! Lists and lookups: filters, pages that stay while rows arrive, what is due.

use serde_json::json;

use super::*;
use crate::model::finding::{
    Direction, Finding, FindingState, Location, Severity, Statistics, Verdict,
};
use crate::model::kind::Kind;
use crate::model::revision::{Origin, Revision, RevisionId};

fn page(limit: usize, at: Option<Bookmark>) -> Page {
    Page { limit, at }
}

fn ids(listing: &Listing<EventRow>) -> Vec<&str> {
    listing.items.iter().map(|row| row.event.id.as_str()).collect()
}

#[test]
fn pages_are_stable_while_rows_arrive_and_lead_both_ways() {
    let fixture = Fixture::new();
    // Equal times: the order of arrival decides.
    for number in 0..10 {
        fixture.store_event(&number.to_string(), 100 + number / 3, &[]);
    }
    let all = EventFilter::default();
    let first = fixture.read(|reader| reader.events(&all, &page(4, None)));
    assert_eq!(ids(&first), ["9", "8", "7", "6"]);
    let newer = first.newer.clone().expect("a way to news");
    // New rows arrive, and one that happened long ago.
    fixture.store_event("new", 500, &[]);
    fixture.store_event("late", 50, &[]);
    let second = fixture.read(|reader| reader.events(&all, &page(4, first.older.clone())));
    assert_eq!(ids(&second), ["5", "4", "3", "2"]);
    let third = fixture.read(|reader| reader.events(&all, &page(4, second.older.clone())));
    assert_eq!(ids(&third), ["1", "0", "late"]);
    assert_eq!(third.older, None);
    let back = fixture.read(|reader| reader.events(&all, &page(4, third.newer.clone())));
    assert_eq!(ids(&back), ids(&second));
    let news = fixture.read(|reader| reader.events(&all, &page(4, Some(newer))));
    assert_eq!(ids(&news), ["new"]);
    // Nothing newer: an empty page from which one can ask again.
    let none = fixture.read(|reader| reader.events(&all, &page(4, news.newer.clone())));
    assert!(none.items.is_empty() && none.newer == news.newer);
    fixture.store_event("newest", 501, &[]);
    let news = fixture.read(|reader| reader.events(&all, &page(4, none.newer.clone())));
    assert_eq!(ids(&news), ["newest"]);
}

#[test]
fn bookmarks_read_what_they_print_and_nothing_else() {
    let bookmark = Bookmark::parse("o1700000000000.dlv_0abc").expect("one of ours");
    assert_eq!(Bookmark::parse(&bookmark.to_string()), Some(bookmark));
    for text in ["", "o", "x1.2", "o1", "o1.", "o.2", "oa.2", "o1.a b", "é1.2"] {
        assert_eq!(Bookmark::parse(text), None, "{text}");
    }
}

#[test]
fn events_are_filtered_by_type_prefix_api_time_id_and_text() {
    let fixture = Fixture::new();
    let given = [
        Event { kind: "contract.drift.opened".into(), data: "{\"a\":1}".into(), ..event("1", 10) },
        Event { kind: "contract.drift".into(), ..event("2", 20) },
        Event { kind: "contract.driftwood".into(), ..event("3", 30) },
        Event { source: "/driftgate/apis/users".into(), ..event("4", 40) },
        Event { source: "/driftgate".into(), kind: "webhook.created".into(), ..event("5", 50) },
        Event { correlationid: "1".into(), subject: Some("Übung".into()), ..event("6", 60) },
    ];
    for given in given {
        fixture.commit(vec![Change::event(given, to(&[]))]);
    }
    let none = EventFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (EventFilter { kind: text("*"), ..none() }, "6 5 4 3 2 1"),
        (EventFilter { kind: text("contract.drift"), ..none() }, "2"),
        (EventFilter { kind: text("contract.drift.*"), ..none() }, "6 4 1"),
        (EventFilter { kind: text("contract.*"), ..none() }, "6 4 3 2 1"),
        (EventFilter { api: text("users"), ..none() }, "4"),
        (EventFilter { from_ms: Some(20), to_ms: Some(40), ..none() }, "3 2"),
        (EventFilter { id: text("1"), ..none() }, "6 1"),
        (EventFilter { id: text("exchange-4"), ..none() }, "4"),
        (EventFilter { text: text("\"A\":1"), ..none() }, "1"),
        (EventFilter { text: text("WEBHOOK"), ..none() }, "5"),
        (EventFilter { text: text("bung"), kind: text("*"), ..none() }, "6"),
        (EventFilter { text: text("%"), ..none() }, ""),
    ] {
        let listing = fixture.read(|reader| reader.events(&filter, &Page::default()));
        assert_eq!(ids(&listing).join(" "), expected, "{filter:?}");
        assert!(!listing.bounded);
    }
}

#[test]
fn a_text_search_stops_at_its_limit_says_so_and_goes_on_where_it_stopped() {
    let fixture = Fixture::new();
    let needle = Event { data: "\"needle\"".into(), ..event("needle", 1) };
    let hay = (0..10_050).map(|number: i64| event(&number.to_string(), 10 + number));
    let changes = std::iter::once(needle).chain(hay).map(|event| Change::event(event, to(&[])));
    fixture.commit(changes.collect());
    let filter = EventFilter { text: Some("needle".into()), ..EventFilter::default() };
    let first = fixture.read(|reader| reader.events(&filter, &Page::default()));
    assert!(first.items.is_empty() && first.bounded);
    let second = fixture.read(|reader| reader.events(&filter, &page(250, first.older.clone())));
    assert_eq!((ids(&second), second.bounded), (vec!["needle"], false));
}

#[test]
fn deliveries_are_filtered_and_counted() {
    let fixture = Fixture::new();
    let row = fixture.store_event("1", 10, &["whk_a", "whk_b"]);
    fixture.store_event("2", 20, &["whk_a"]);
    let failed = Delivery {
        state: State::Failed,
        last_outcome: Some(OutcomeKind::ServerError),
        last_status: Some(503),
        ..fixture.read(|reader| reader.fate(row)).deliveries.remove(1)
    };
    fixture.commit(vec![Change::Delivery(failed.clone())]);
    let none = DeliveryFilter::default;
    for (filter, expected) in [
        (none(), 3),
        (DeliveryFilter { state: Some(State::Failed), ..none() }, 1),
        (DeliveryFilter { destination: Some("whk_a".into()), ..none() }, 2),
        (DeliveryFilter { event: Some(row), ..none() }, 2),
        (DeliveryFilter { outcome: Some(OutcomeKind::ServerError), ..none() }, 1),
        (DeliveryFilter { status: Some(503), ..none() }, 1),
        (DeliveryFilter { status: Some(500), ..none() }, 0),
        (DeliveryFilter { from_ms: Some(11), ..none() }, 1),
        (DeliveryFilter { to_ms: Some(20), ..none() }, 2),
    ] {
        let listing = fixture.read(|reader| reader.deliveries(&filter, &Page::default()));
        assert_eq!(listing.items.len(), expected, "{filter:?}");
    }
    assert_eq!(fixture.read(|reader| reader.delivery(&failed.id)), Some(failed));
    let counts = fixture.read(Reader::delivery_counts);
    let counts: Vec<_> =
        counts.iter().map(|it| (it.destination.as_str(), it.state, it.count)).collect();
    assert_eq!(counts, [("whk_a", State::Created, 2), ("whk_b", State::Failed, 1)]);
}

#[test]
fn what_is_due_comes_fairly_from_every_destination() {
    let fixture = Fixture::new();
    for number in 0..50 {
        fixture.store_event(&number.to_string(), 100 - number, &["whk_busy"]);
    }
    fixture.store_event("x", 70, &["act_one", "whk_late"]);
    let late = fixture
        .read(|reader| reader.due(i64::MAX, 1))
        .into_iter()
        .find(|delivery| delivery.destination == "whk_late")
        .expect("due");
    fixture.commit(vec![Change::Delivery(Delivery { due_ms: 900, ..late.clone() })]);

    let due = fixture.read(|reader| reader.due(100, 3));
    let due: Vec<_> = due.iter().map(|it| (it.destination.as_str(), it.due_ms)).collect();
    assert_eq!(due, [("act_one", 70), ("whk_busy", 51), ("whk_busy", 52), ("whk_busy", 53)]);
    assert_eq!(fixture.read(|reader| reader.next_due(0)), Some(51));
    assert_eq!(fixture.read(|reader| reader.next_due(100)), Some(900));
    fixture.commit(vec![Change::Delivery(delivered(&late))]);
    assert_eq!(fixture.read(|reader| reader.next_due(100)), None);
}

#[test]
fn what_is_due_is_found_by_the_index_alone() {
    let fixture = Fixture::new();
    fixture.read(|reader| {
        let plan = reader.all(
            "EXPLAIN QUERY PLAN SELECT * FROM deliveries WHERE state IN ('created', 'retrying') \
             AND destination = 'whk_a' AND due_ms <= 1 ORDER BY due_ms, id LIMIT 64",
            [],
            |row| row.get::<_, String>(3),
        )?;
        assert_eq!(
            plan,
            ["SEARCH deliveries USING INDEX deliveries_due (destination=? AND due_ms<?)"]
        );
        Ok(())
    });
}

fn finding(api: &str, fingerprint: &str, state: FindingState) -> Finding {
    Finding {
        fingerprint: fingerprint.into(),
        api: api.into(),
        version: String::new(),
        kind: Kind::parse("field.required-missing").expect("a kind"),
        label: "response-property-became-optional".into(),
        state,
        verdict: Verdict::Breaking,
        severity: Severity::High,
        confidence: 0.1 + 0.2,
        direction: Direction::Response,
        method: "GET".into(),
        template: "/orders/{orderId}".into(),
        location: Location {
            status: "200".into(),
            media_type: "application/json".into(),
            pointer: "/items/*/sku".into(),
            keyword: "required".into(),
        },
        expected: json!({"required": ["sku"], "n": 1.5}),
        observed: json!(null),
        statistics: Statistics { n: 100, k: 7, windows: 3, consumers: 2 },
        first_seen_ms: 1,
        last_seen_ms: 2,
        message: "`sku` is missing".into(),
        remedy: "restore it".into(),
        spec_revision: RevisionId::of(&json!({})),
        spec_origin: Origin::Predefined,
        event_specification: Some(RevisionId::of(&json!({"a": 1}))),
        reopened: 1,
    }
}

#[test]
fn findings_come_back_as_they_went_and_are_one_for_each_place() {
    let fixture = Fixture::new();
    let open = finding("orders", "f1", FindingState::Open);
    let other = Finding { last_seen_ms: 9, ..finding("users", "f1", FindingState::Resolved) };
    let candidate = finding("orders", "f2", FindingState::Candidate);
    fixture.commit(vec![
        Change::finding(finding("orders", "f1", FindingState::Candidate), "old".into()),
        Change::finding(open.clone(), "{\"k\":1}".into()),
        Change::finding(other.clone(), String::new()),
        Change::finding(candidate, String::new()),
        Change::FindingGone {
            api: "orders".into(),
            version: String::new(),
            fingerprint: "f2".into(),
        },
    ]);
    let found = |filter: FindingFilter| fixture.read(|reader| reader.findings(&filter));
    let all = found(FindingFilter::default());
    let expected = [
        FindingRecord { finding: other, state: String::new() },
        FindingRecord { finding: open, state: "{\"k\":1}".into() },
    ];
    assert_eq!(all, expected);
    assert_eq!(fixture.read(|reader| reader.findings_of("f1")).len(), 2);
    let states = vec![FindingState::Open, FindingState::Acknowledged];
    let of_orders = FindingFilter { api: Some("orders".into()), states, kind: None };
    assert_eq!(found(of_orders), expected[1..]);
    let kind = Some("status.undocumented".to_owned());
    assert_eq!(found(FindingFilter { kind, ..FindingFilter::default() }), []);
}

#[test]
fn revisions_stay_and_baselines_and_evidence_are_replaced() {
    let fixture = Fixture::new();
    let revision = |text: &str, origin, created_ms| Revision {
        id: RevisionId::of(&json!({ "text": text })),
        api: "orders".into(),
        origin,
        text: text.into(),
        created_ms,
        parent: None,
        reason: "first".into(),
    };
    let first = revision("é: 1\n", Origin::Predefined, 1);
    let learned = revision("b: 1\n", Origin::Learned, 2);
    let newer = Revision { parent: Some(learned.id.clone()), ..revision("c", Origin::Learned, 3) };
    let rewritten = Revision { reason: "second".into(), ..first.clone() };
    fixture.commit(
        [&first, &learned, &newer, &rewritten].map(|it| Change::Revision(it.clone())).to_vec(),
    );
    fixture.read(|reader| {
        let list = reader.revisions("orders")?;
        assert_eq!(list.iter().map(|it| it.created_ms).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(list[2].bytes, 6);
        let found = reader.revision("orders", &first.id)?.expect("there");
        assert_eq!((&*found.text, found.reason.as_str()), ("é: 1\n", "first"));
        let latest = reader.latest_revision("orders", Origin::Learned)?.expect("there");
        assert_eq!((latest.id, latest.parent), (newer.id.clone(), newer.parent.clone()));
        assert!(reader.latest_revision("orders", Origin::Promoted)?.is_none());
        assert!(reader.baseline("orders")?.is_none() && reader.evidence("orders")?.is_none());
        Ok(())
    });
    let baseline = |revision: &Revision| Baseline {
        api: "orders".into(),
        revision: revision.id.clone(),
        since_ms: 4,
        file_hash: Some("00".into()),
        reason: "frozen".into(),
    };
    fixture.commit(vec![
        Change::Baseline(baseline(&first)),
        Change::Baseline(baseline(&newer)),
        Change::Evidence { api: "orders".into(), bytes: vec![1] },
        Change::Evidence { api: "orders".into(), bytes: vec![2, 0] },
    ]);
    assert_eq!(fixture.read(|reader| reader.baseline("orders")), Some(baseline(&newer)));
    assert_eq!(fixture.read(|reader| reader.evidence("orders")), Some(vec![2, 0]));
}

#[test]
fn objects_are_kept_by_kind_and_id() {
    let fixture = Fixture::new();
    let object = |id: &str, name: &str, version| Object {
        kind: "webhook",
        id: id.into(),
        name: name.into(),
        origin: ObjectOrigin::Api,
        version,
        body: "{\"url\":\"https://example.com\"}".into(),
        updated_ms: 7,
    };
    fixture.commit(vec![
        Change::Object(object("whk_b", "beta", 1)),
        Change::Object(object("whk_a", "zeta", 1)),
        Change::Object(object("whk_a", "alpha", 2)),
        Change::Object(Object { kind: "action", ..object("whk_a", "other", 1) }),
    ]);
    let expected = [object("whk_a", "alpha", 2), object("whk_b", "beta", 1)];
    assert_eq!(fixture.read(|reader| reader.objects("webhook")), expected);
    fixture.commit(vec![Change::ObjectGone { kind: "webhook", id: "whk_a".into() }]);
    assert_eq!(fixture.read(|reader| reader.object("webhook", "whk_a")), None);
    assert!(fixture.read(|reader| reader.object("action", "whk_a")).is_some());
}

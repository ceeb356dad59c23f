//! Pages stay what they were while rows arrive, and cursors go on with their own list alone.

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use super::routes::{finding, keep};
use super::*;

/// Ids of a page and its cursors.
fn page(server: &Server, path: &str) -> (Vec<String>, Option<String>, Option<String>) {
    let list = server.get(path).json();
    let items = list["items"].as_array().expect("a list");
    let ids = items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    let cursor = |name: &str| list[name].as_str().map(str::to_owned);
    (ids, cursor("next"), cursor("prev"))
}

/// Follows `next` to the end, calling `between` before each page but the first.
fn walk(server: &Server, path: &str, mut between: impl FnMut()) -> Vec<String> {
    let (mut all, mut next, _) = page(server, path);
    while let Some(cursor) = next {
        between();
        let (ids, after, _) = page(server, &format!("{path}&cursor={cursor}"));
        assert!(!ids.is_empty(), "a cursor promises at least one row");
        all.extend(ids);
        next = after;
    }
    all
}

#[test]
fn events_that_arrive_while_a_list_is_read_neither_repeat_nor_hide_rows() {
    let server = Server::start();
    server.publish((0..23).map(event).collect());
    let mut number = 100;
    let read = walk(&server, "/v1/events?limit=5", || {
        number += 1;
        server.publish(vec![event(number)]);
    });
    let expected: Vec<String> = (0..23).rev().map(|number| format!("event-{number}")).collect();
    assert_eq!(read, expected);
    // What arrived meanwhile is before the first page.
    let (_, _, prev) = page(&server, "/v1/events?limit=250&until=2023-11-14T22:13:20.023Z");
    let newer = format!(
        "/v1/events?limit=250&until=2023-11-14T22:13:20.023Z&cursor={}",
        prev.expect("a cursor")
    );
    assert_eq!(page(&server, &newer).0, Vec::<String>::new());
}

#[test]
fn what_is_newer_than_a_page_can_be_asked_for_again_and_again() {
    let server = Server::start();
    server.publish(vec![event(1)]);
    let (_, _, mut prev) = page(&server, "/v1/events");
    for number in 2..5 {
        let path = |cursor: &Option<String>| {
            format!("/v1/events?cursor={}", cursor.as_deref().expect("a cursor"))
        };
        let (none, _, _) = page(&server, &path(&prev));
        assert_eq!(none, Vec::<String>::new());
        server.publish(vec![event(number)]);
        let (ids, _, newer) = page(&server, &path(&prev));
        assert_eq!(ids, [format!("event-{number}")]);
        prev = newer;
    }
}

#[test]
fn findings_that_are_updated_while_their_list_is_read_keep_their_places() {
    let server = Server::start();
    (0..17).for_each(|number| keep(&server, finding(number)));
    let all = walk(&server, "/v1/findings?limit=250", || {});
    let mut seen = 2_000_000_000_000;
    let read = walk(&server, "/v1/findings?limit=4", || {
        seen += 1;
        keep(&server, crate::model::finding::Finding { last_seen_ms: seen, ..finding(3) });
    });
    assert_eq!(read, all);
    let (_, next, _) = page(&server, "/v1/findings?limit=4");
    let (second, _, prev) =
        page(&server, &format!("/v1/findings?limit=4&cursor={}", next.expect("a cursor")));
    assert_eq!(second, all[4..8]);
    let (first, _, _) =
        page(&server, &format!("/v1/findings?limit=4&cursor={}", prev.expect("a cursor")));
    assert_eq!(first, all[..4], "and back");
}

#[test]
fn a_cursor_belongs_to_its_list_and_filter() {
    let server = Server::start();
    server.publish((0..5).map(event).collect());
    let (_, next, _) = page(&server, "/v1/events?limit=2&api=orders&type=contract.*");
    let cursor = next.expect("a cursor");
    for path in
        ["/v1/events?api=orders&type=contract.*", "/v1/events?type=contract.*&api=orders&limit=250"]
    {
        assert_eq!(page(&server, &format!("{path}&cursor={cursor}")).0.len(), 3, "{path}");
    }
    for path in [
        "/v1/events?",
        "/v1/events?api=orders&",
        "/v1/events?api=other&type=contract.*&",
        "/v1/tests?api=orders&type=contract.*&",
        "/v1/deliveries?",
        "/v1/findings?",
    ] {
        let reply = server.get(&format!("{path}cursor={cursor}"));
        assert_eq!((reply.status, reply.code().as_str()), (400, "list.cursor-mismatch"), "{path}");
    }
    let mut changed = cursor.clone();
    changed.replace_range(0..1, if cursor.starts_with('A') { "B" } else { "A" });
    for cursor in [changed.as_str(), "", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "%00"] {
        let reply = server.get(&format!("/v1/events?api=orders&type=contract.*&cursor={cursor}"));
        assert_eq!(reply.code(), "list.cursor-mismatch", "{cursor}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::WithSource("regressions"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn sealed_places_open_for_their_question_alone(
        question in ".{0,40}", other in ".{0,40}", place in "[on][0-9]{1,12}\\.[a-z0-9_]{1,30}",
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let cursors = cursor::Cursors::load(folder.path(), &Rng::seeded(1)).expect("a key");
        let text = cursors.seal(&question, &place);
        let again = cursor::Cursors::load(folder.path(), &Rng::seeded(2)).expect("the same key");
        let open = |question: &str| again.open(question, &text, |text| Some(text.to_owned())).ok();
        prop_assert_eq!(open(&question), Some(place));
        prop_assert_eq!(open(&other).is_some(), question == other);
    }

    #[test]
    fn arbitrary_cursors_are_refused_and_never_panic(text in ".{0,80}") {
        let folder = tempfile::tempdir().expect("a folder");
        let cursors = cursor::Cursors::load(folder.path(), &Rng::seeded(1)).expect("a key");
        prop_assert!(cursors.open("", &text, |text| Some(text.to_owned())).is_err());
    }
}

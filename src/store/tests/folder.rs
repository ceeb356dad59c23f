//! Opening and closing: one process, a sound file, clear refusals.

#![expect(clippy::disallowed_methods, reason = "tests break files as no part of driftgate would")]

use std::fs;

use super::*;

fn try_open(folder: &Path) -> Result<Handle, Error> {
    open(folder, &Options::default(), Clock::real(), Panics::default()).map(|(store, _)| store)
}

fn close(store: &Handle) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.close());
}

#[test]
fn a_folder_has_one_user_and_is_free_again_after_closing() {
    let fixture = Fixture::new();
    let path = fixture.folder.path();
    let row = fixture.store_event("1", 5, &["whk_a"]);
    let refused = try_open(path).expect_err("in use");
    assert!(matches!(refused, Error::InUse { .. }));
    assert!(refused.to_string().contains("another driftgate"), "{refused}");

    close(&fixture.store);
    assert!(matches!(fixture.store.commit_blocking(Vec::new()), Err(Error::Closed)));
    assert!(matches!(fixture.store.read_blocking(|reader| reader.event(row)), Err(Error::Closed)));
    let again = try_open(path).expect("free");
    assert_eq!(*again.committed().borrow(), row);
    assert!(again.read_blocking(|reader| reader.event(row)).expect("read").is_some());
    close(&again);
}

#[test]
fn what_was_queued_is_written_before_closing() {
    let fixture = Fixture::new();
    let path = fixture.folder.path();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for position in 1..=2_000 {
            let changes = vec![Change::Cursor { name: "test", position }];
            fixture.store.enqueue(changes).await.expect("queued");
        }
        fixture.store.close().await;
    });
    let again = try_open(path).expect("free");
    assert_eq!(again.read_blocking(|reader| reader.cursor("test")).expect("read"), Some(2_000));
    close(&again);
}

#[test]
fn files_that_cannot_be_used_are_refused_with_a_remedy_and_left_as_they_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let database = path.join("driftgate.db");

    let file = path.join("file");
    fs::write(&file, b"").expect("written");
    let refused = try_open(&file.join("data")).expect_err("a file is in the way");
    assert!(matches!(refused, Error::Folder { .. }) && refused.to_string().contains("data_dir"));

    fs::write(&database, vec![7; 8192]).expect("written");
    let refused = try_open(path).expect_err("not a database");
    assert!(matches!(refused, Error::Damaged { .. }), "{refused:?}");
    assert_eq!(fs::read(&database).expect("read"), vec![7; 8192], "left as it was");

    fs::remove_file(&database).expect("removed");
    fs::create_dir(&database).expect("made");
    let refused = try_open(path).expect_err("a folder is in the way");
    assert!(matches!(refused, Error::Unwritable { .. }), "{refused:?}");
}

#[test]
fn a_damaged_page_is_found_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = try_open(folder.path()).expect("opened");
    for number in 0..200 {
        let change = Change::event(event(&number.to_string(), number), to(&["whk_a", "whk_b"]));
        store.commit_blocking(vec![change]).expect("committed");
    }
    close(&store);
    let database = folder.path().join("driftgate.db");
    let mut bytes = fs::read(&database).expect("read");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&database, bytes).expect("written");
    let refused = try_open(folder.path()).expect_err("damaged");
    assert!(matches!(refused, Error::Damaged { .. }), "{refused:?}");
}

#[test]
fn a_newer_schema_is_refused() {
    let fixture = Fixture::new();
    fixture.on_writer(|connection| {
        connection.pragma_update(None, "user_version", 99).expect("updated");
    });
    close(&fixture.store);
    let refused = try_open(fixture.folder.path()).expect_err("newer");
    assert!(matches!(refused, Error::NewerSchema { found: 99, .. }), "{refused:?}");
}

#[test]
fn the_settings_hold_that_durability_rests_on() {
    let fixture = Fixture::new();
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    fixture.on_writer(move |connection| {
        let text = |pragma: &str| {
            connection
                .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
                .expect("answered")
        };
        let names = ["journal_mode", "synchronous", "auto_vacuum", "foreign_keys", "mmap_size"];
        sender.send(names.map(text)).expect("heard");
    });
    let expected = ["wal".to_owned().into(), 2.into(), 2.into(), 1.into(), 0.into()];
    assert_eq!(receiver.recv().expect("answered"), expected);
    fixture.read(|reader| {
        let loose: i64 = reader
            .connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list \
                 WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0",
                [],
                |row| row.get(0),
            )
            .expect("counted");
        assert_eq!(loose, 0, "every table is STRICT");
        let written = reader.connection.execute("DELETE FROM events", []);
        assert!(written.is_err(), "readers cannot write");
        Ok(())
    });
}

#[test]
fn a_read_that_takes_too_long_is_cut_and_the_next_one_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = try_open(folder.path()).expect("opened");
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT max(i) FROM n";
    for _ in 0..=reader::READERS {
        let cut = store.read_blocking(|reader| reader.all(endless, [], |row| row.get::<_, i64>(0)));
        assert!(matches!(cut, Err(Error::Cut)), "{cut:?}");
        if store.read_blocking(|reader| reader.event(1)).expect("read").is_none() {
            break;
        }
    }
    close(&store);
}

#[test]
fn options_out_of_range_are_problems_with_a_place() {
    let mut problems = crate::model::problem::Problems::default();
    Options::default().check(&mut problems);
    assert!(problems.is_empty());
    let wrong: Options = serde_json::from_str(
        r#"{"sync": "normal", "max_bytes": "1MiB", "retention": {"events": "5m", "audit": "1s"}}"#,
    )
    .expect("well formed");
    wrong.check(&mut problems);
    let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(places, ["/max_bytes", "/retention/events", "/retention/audit"]);
}

//! Kill -9 at any point: what was acknowledged is there, whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::*;

/// Tells the test below to be the process that gets killed.
const FOLDER: &str = "DRIFTGATE_TEST_CRASH_FOLDER";

/// Not a test of its own: the process that `a_kill_loses_nothing_acknowledged` kills. Without its folder it has nothing to
/// write and ends.
#[test]
fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (store, _service) =
        open(&folder, &Options::default(), Clock::real(), Panics::default()).expect("opened");
    let first = *store.committed().borrow();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            supervise::thread("writer", &Panics::default(), move || {
                for number in 0.. {
                    write_one(&store, &format!("{first}-{thread}-{number}"));
                }
            })
            .expect("started")
        })
        .collect();
    for thread in threads {
        thread.join().expect("killed before it ends");
    }
}

/// Commits an event with two deliveries, one of them ended, and a cursor; then tells the parent.
fn write_one(store: &Handle, id: &str) {
    let event = event(id, START_MS);
    let ended = delivered(&Delivery::created(&event, 1, "whk_b"));
    let receipt = store
        .commit_blocking(vec![Change::event(event, to(&["whk_a", "whk_b"]))])
        .expect("committed");
    let ended = Delivery { event_sequence: receipt.events[0].row(), ..ended };
    store.commit_blocking(vec![Change::Delivery(ended)]).expect("committed");
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {id}").and_then(|()| out.flush()).expect("the parent listens");
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "store::tests::crash::writer_to_be_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

#[test]
fn a_kill_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut acknowledged = Vec::new();
    for round in 0..8 {
        let mut child = start(folder.path());
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut told = |line: String| {
            if let Some(id) = line.strip_prefix("acknowledged ") {
                acknowledged.push(id.to_owned());
            }
        };
        let wanted = 30 + round * 17;
        (&mut lines).map_while(Result::ok).take(wanted).for_each(&mut told);
        if round == 0 {
            let second = open(folder.path(), &Options::default(), Clock::real(), Panics::default());
            assert!(matches!(second, Err(Error::InUse { .. })), "a second process is refused");
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        // What it still told before it died counts as well; its last line may be cut.
        let rest: Vec<_> = lines.map_while(Result::ok).collect();
        rest.into_iter().filter(|line| line.matches('-').count() == 2).for_each(&mut told);
    }
    assert!(acknowledged.len() > 200, "{}", acknowledged.len());

    let (store, _service) =
        open(folder.path(), &Options::default(), Clock::real(), Panics::default())
            .expect("opens after the kills");
    store
        .read_blocking(|reader| {
            for id in &acknowledged {
                let row = reader.event_of("/driftgate/apis/orders", id)?.expect(id).row;
                let states: Vec<_> =
                    reader.fate(row)?.deliveries.iter().map(|it| it.state).collect();
                assert_eq!(states, [State::Created, State::Success], "{id}");
            }
            // Half a transaction would show as an event without its two deliveries.
            let torn: i64 = reader
                .connection
                .query_row(
                    "SELECT count(*) FROM events \
                     WHERE (SELECT count(*) FROM deliveries WHERE event = seq) <> 2",
                    [],
                    |row| row.get(0),
                )
                .expect("counted");
            assert_eq!(torn, 0);
            Ok(())
        })
        .expect("read");
}

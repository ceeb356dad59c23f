//! Recorded servers answered by a replaying upstream, the recorded requests sent through the running proxy: nothing may
//! differ but what `spec/proxy.md` 7 allows, and what was learned live is what `driftgate infer` learns of the same file.
//!
//! Runs on a recording of our own; `DRIFTGATE_RECORDINGS` names folders (separated by `:`) whose `*.har` are replayed too,
//! with the learned documents left beside the program's data when `DRIFTGATE_LEARNED` names a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::eventually;
use super::support::har::{self, Entry};
use super::support::http::{Connection, Message};
use super::support::sidecar::{self, Builder, Sidecar};
use super::support::upstream::Upstream;

#[test]
fn p1_a_recorded_shop_passes_untouched_and_is_learned_as_offline() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.har");
    std::fs::write(&path, har::shop(600).to_string()).expect("written");
    replay(&path);
    for path in recordings() {
        replay(&path);
    }
}

fn recordings() -> Vec<PathBuf> {
    let folders = std::env::var("DRIFTGATE_RECORDINGS").unwrap_or_default();
    let mut found: Vec<PathBuf> = folders
        .split(':')
        .filter(|folder| !folder.is_empty())
        .flat_map(|folder| std::fs::read_dir(folder).expect("the folder of recordings"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "har"))
        .collect();
    found.sort();
    found
}

fn replay(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a recording");
    let entries = Arc::new(har::entries(&serde_json::from_str(&text).expect("JSON")));
    assert!(!entries.is_empty(), "{}: empty", path.display());
    let next = Arc::new(AtomicUsize::new(0));
    let upstream = {
        let (entries, next) = (Arc::clone(&entries), Arc::clone(&next));
        Upstream::start(move |_| entries[next.fetch_add(1, Ordering::SeqCst)].response.clone())
    };
    let sidecar = Builder::new(&upstream.url()).start();
    let mut connection = Connection::open(sidecar.proxy()).expect("connected");
    for (number, entry) in entries.iter().enumerate() {
        let answer = exchange(&mut connection, &sidecar, entry)
            .unwrap_or_else(|error| panic!("{number} {}: {error}", entry.method));
        same_answer(number, entry, &answer);
        if number % AT_ONCE == AT_ONCE - 1 {
            analysed(&sidecar, number + 1);
        }
    }
    analysed(&sidecar, entries.len());
    same_requests(&entries, &upstream.seen());
    same_learned(&sidecar, path);
    println!("{}: {} exchanges passed untouched", path.display(), entries.len());
}

/// One exchange; a server that closes gets a new connection, as any client would open.
fn exchange(
    connection: &mut Connection,
    sidecar: &Sidecar,
    entry: &Entry,
) -> std::io::Result<Message> {
    let answer = connection.exchange(&entry.method, &entry.request)?;
    if answer.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        *connection = Connection::open(sidecar.proxy())?;
    }
    Ok(answer)
}

fn parse(method: &str, bytes: &[u8]) -> Message {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut sender =
        std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let (receiver, _) = listener.accept().expect("accepted");
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || {
        std::io::Write::write_all(&mut sender, &bytes).expect("written");
    });
    let message = Connection::wrap(receiver).read_response(method).expect("a message");
    writer.join().expect("written");
    message
}

/// D1 and D2: `Date` is replaced, `Connection` is ours. D7: order of different fields may change, not that of one.
fn comparable(message: &Message) -> BTreeMap<String, Vec<String>> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &message.fields {
        let name = name.to_ascii_lowercase();
        if !["date", "connection"].contains(&name.as_str()) {
            fields.entry(name).or_default().push(value.clone());
        }
    }
    fields
}

fn same_answer(number: usize, entry: &Entry, answer: &Message) {
    let sent = parse(&entry.method, &entry.response);
    let place = format!(
        "answer {number} to {}",
        String::from_utf8_lossy(&entry.request[..entry.request.len().min(200)])
    );
    assert_eq!(answer.status(), sent.status(), "{place}");
    assert_eq!(comparable(answer), comparable(&sent), "{place}");
    assert!(answer.body == sent.body, "{place}: bodies differ");
}

/// D3: the forwarding fields are added.
fn same_requests(entries: &[Entry], seen: &[Message]) {
    assert_eq!(entries.len(), seen.len(), "every request arrived once");
    for (number, (entry, arrived)) in entries.iter().zip(seen).enumerate() {
        let head_end =
            entry.request.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        let head: String = entry.request[..head_end].iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(head.lines().next(), Some(arrived.start.as_str()), "request line {number}");
        assert!(entry.request[head_end..] == arrived.body[..], "request body {number}");
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
            expected.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        // D3: the peer is appended to what the client sent.
        if let Some(lines) = expected.get_mut("x-forwarded-for") {
            *lines = vec![format!("{}, 127.0.0.1", lines.join(", "))];
        }
        let mut fields = comparable(arrived);
        fields.retain(|name, _| !name.starts_with("x-forwarded-") || expected.contains_key(name));
        for removed in ["connection", "te", "upgrade", "keep-alive", "proxy-connection"] {
            expected.remove(removed);
            fields.remove(removed);
        }
        assert_eq!(fields, expected, "fields of request {number}");
    }
}

/// Exchanges sent before the analysis is waited for: nothing may be shed here, however slow the machine is.
const AT_ONCE: usize = 40;

/// Waits until the analysis has taken so many exchanges.
fn analysed(sidecar: &Sidecar, exchanges: usize) {
    eventually("every exchange is analysed", || {
        let taken = sidecar.metric("driftgate_analysis_exchanges_total");
        (taken >= f64::from(u32::try_from(exchanges).expect("a recording"))).then_some(())
    });
}

fn same_learned(sidecar: &Sidecar, path: &Path) {
    assert!(
        (sidecar.metric("driftgate_tap_dropped_total")).abs() < f64::EPSILON,
        "no capture was dropped"
    );
    let live =
        sidecar.call("GET", "/v1/apis/api/spec?openapi=3.0&format=yaml&extensions=false", None);
    assert_eq!(live.status(), 200, "{}", live.text());
    let key = sidecar.data().join("keys/evidence.key");
    let (path_text, key_text) = (path.to_string_lossy(), key.to_string_lossy());
    let (code, offline, errors) = sidecar::run(&[
        "infer",
        &path_text,
        "--api",
        "api",
        "--key-file",
        &key_text,
        "--no-extensions",
    ]);
    assert_eq!(code, 0, "{errors}");
    keep(path, &live.text(), &offline);
    let differs =
        live.text().lines().zip(offline.lines()).position(|(live, offline)| live != offline);
    assert!(
        live.text() == offline,
        "{}: live and offline differ from line {differs:?} on",
        path.display()
    );
}

/// Leaves both documents in the folder of `DRIFTGATE_LEARNED`, to be read and scored.
fn keep(path: &Path, live: &str, offline: &str) {
    let Ok(folder) = std::env::var("DRIFTGATE_LEARNED") else { return };
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    for (kind, text) in [("live", live), ("offline", offline)] {
        let file = Path::new(&folder).join(format!("{parent}-{name}-{kind}.yaml"));
        std::fs::write(file, text).expect("written");
    }
}

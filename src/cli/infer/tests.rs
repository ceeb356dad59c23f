//! Promises of `infer`: exit codes, one sentence for unusable input, the same bytes however the work is split.

#![expect(clippy::disallowed_methods, reason = "tests prepare files of their own")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use serde_json::{Value, json};

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(folder: &Path, more: &[&str]) -> Arguments {
    let output = folder.join("out.yaml");
    let report = folder.join("report.json");
    let mut all: Vec<String> = vec!["infer".into(), "-o".into(), output.display().to_string()];
    all.extend(["--report".to_owned(), report.display().to_string()]);
    all.extend(more.iter().map(|argument| (*argument).to_owned()));
    Line::try_parse_from(all).expect("arguments").arguments
}

/// The exit code, and the sentence where there is one.
fn outcome(arguments: &Arguments) -> (u8, String) {
    arguments
        .infer()
        .map_or_else(|failure| (failure.code, failure.sentence), |code| (code, String::new()))
}

fn line(host: &str, path: &str) -> String {
    json!({
        "request": {"method": "GET", "url": format!("http://{host}{path}"), "headers": {}},
        "response": {"status": 200, "headers": {}, "json": {"id": path.len(), "state": "open"}}
    })
    .to_string()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path: PathBuf = folder.join(name);
    fs::write(&path, content).expect("written");
    path.display().to_string()
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).expect("a report")).expect("JSON")
}

fn output(folder: &Path) -> String {
    fs::read_to_string(folder.join("out.yaml")).expect("a document")
}

/// Exchanges of a few operations.
fn traffic() -> Vec<String> {
    (0..200)
        .map(|n| match n % 3 {
            0 => line("a.example", &format!("/orders/{n}")),
            1 => line("a.example", "/orders"),
            _ => line("a.example", &format!("/users/{n}/orders?page={n}")),
        })
        .collect()
}

#[test]
fn traffic_in_specification_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "in.ndjson", traffic().join("\n"));
    assert_eq!(outcome(&arguments(folder.path(), &[&file])), (0, String::new()));
    let document = output(folder.path());
    for path in
        ["/orders:", "/orders/{orderId}:", "/users/{userId}/orders:", "url: http://a.example"]
    {
        assert!(document.contains(path), "{path} in {document}");
    }
    assert_eq!(report(folder.path())["operations"], 3);
}

#[test]
fn jobs_parts_and_saved_evidence_give_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = traffic();
    let key = write(folder.path(), "key", "00112233445566778899aabbccddeeff\n");
    let whole = write(folder.path(), "whole.ndjson", lines.join("\n"));
    let first = write(folder.path(), "first.ndjson", lines[..70].join("\n"));
    let second = write(folder.path(), "second.ndjson", lines[70..].join("\n"));
    let saved = folder.path().join("evidence").display().to_string();
    let run = |more: &[&str]| {
        let mut all = vec!["--key-file", &*key];
        all.extend_from_slice(more);
        assert_eq!(outcome(&arguments(folder.path(), &all)), (0, String::new()));
        output(folder.path())
    };
    let expected = run(&[&whole]);
    assert_eq!(run(&[&whole, "--jobs", "2"]), expected);
    assert_eq!(run(&[&whole, "--jobs", "16"]), expected);
    assert_eq!(run(&[&second, &first]), expected);
    run(&[&second, "--save-evidence", &saved]);
    assert_eq!(run(&[&first, "--load-evidence", &saved]), expected);
    run(&[&whole, "--save-evidence", &saved]);
    assert_eq!(run(&["--load-evidence", &saved]), expected);
}

#[test]
fn packed_files_are_unpacked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(traffic().join("\n").as_bytes()).expect("packed");
    let file = write(folder.path(), "in.ndjson.gz", packer.finish().expect("packed"));
    assert_eq!(outcome(&arguments(folder.path(), &[&file])).0, 0);
    assert_eq!(report(folder.path())["read"], 200);
}

#[test]
fn unusable_input_is_one_sentence_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content, expected) in [
        ("empty", &b""[..], "is empty; record some traffic first"),
        ("binary", b"\x7fELF\0\0\0", "is binary; give a HAR or NDJSON file"),
        (
            "cut.har",
            b"{\"log\":{\"entries\":[{\"request\":",
            "cut off before its first complete entry",
        ),
        ("none.har", b"{\"log\":{}}", "has no `log.entries`"),
    ] {
        let file = write(folder.path(), name, content);
        let (code, sentence) = outcome(&arguments(folder.path(), &[&file]));
        assert!(code == 2 && sentence.contains(expected), "{name}: {code} {sentence}");
        assert!(!folder.path().join("out.yaml").exists());
    }
    let (code, sentence) = outcome(&arguments(folder.path(), &["/nowhere/at.har"]));
    assert!(code == 2 && sentence.contains("/nowhere/at.har"));
    let (code, sentence) = outcome(&arguments(folder.path(), &[]));
    assert!(code == 2 && sentence.contains("no input"));
}

#[test]
fn a_log_that_is_cut_off_gives_its_complete_entries_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let entry = json!({
        "request": {"method": "GET", "url": "http://a.example/orders"},
        "response": {"status": 200, "content": {"mimeType": "application/json", "text": "{}"}}
    });
    let log = format!("{{\"log\":{{\"entries\":[{entry},{entry},{entry},{{\"request\"");
    let file = write(folder.path(), "cut.har", log);
    assert_eq!(outcome(&arguments(folder.path(), &[&file])).0, 0);
    let note = report(folder.path())["notes"][0].as_str().unwrap_or_default().to_owned();
    assert!(note.contains("is cut off; its 3 complete entries were read"), "{note}");
}

#[test]
fn bad_records_are_shown_with_their_place_and_fatal_only_if_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = traffic();
    lines.insert(1, "{\"request\":{\"method\":\"secret\"}}".to_owned());
    let file = write(folder.path(), "in.ndjson", lines.join("\n"));
    assert_eq!(outcome(&arguments(folder.path(), &[&file])).0, 0);
    let bad = report(folder.path())["bad"][0].as_str().unwrap_or_default().to_owned();
    assert!(bad.contains("in.ndjson:2:") && bad.contains("missing field"), "{bad}");
    assert!(!bad.contains("secret"));
    fs::remove_file(folder.path().join("out.yaml")).expect("removed");
    assert_eq!(outcome(&arguments(folder.path(), &[&file, "--strict-input"])).0, 3);
    assert!(!folder.path().join("out.yaml").exists());
}

#[test]
fn the_host_most_like_an_api_is_taken_unless_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = traffic();
    lines.extend((0..20).map(|n| line("b.example", &format!("/things/{n}"))));
    let file = write(folder.path(), "in.ndjson", lines.join("\n"));
    assert_eq!(outcome(&arguments(folder.path(), &[&file])).0, 0);
    assert_eq!(report(folder.path())["left_out"]["other host"], 20);
    let named = arguments(folder.path(), &[&file, "--base-url", "http://b.example/things"]);
    assert_eq!(outcome(&named).0, 0);
    assert!(output(folder.path()).contains("/{id}:"));
    assert!(output(folder.path()).contains("url: http://b.example/things"));
    let wrong = arguments(folder.path(), &[&file, "--base-url", "https://a.example"]);
    assert_eq!(outcome(&wrong).0, 1);
    let note = report(folder.path())["notes"][0].as_str().unwrap_or_default().to_owned();
    assert!(
        note.contains(
            "200 of 220 exchanges are for http://a.example, --base-url is https://a.example"
        ),
        "{note}"
    );
    assert!(output(folder.path()).contains("paths: {}"));
}

#[test]
fn evidence_under_another_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "in.ndjson", traffic().join("\n"));
    let saved = folder.path().join("evidence").display().to_string();
    assert_eq!(outcome(&arguments(folder.path(), &[&file, "--save-evidence", &saved])).0, 0);
    assert!(folder.path().join("evidence.key").exists());
    let key = write(folder.path(), "key", "00112233445566778899aabbccddeeff");
    let other = arguments(folder.path(), &["--load-evidence", &saved, "--key-file", &key]);
    let (code, sentence) = outcome(&other);
    assert!(code == 4 && sentence.contains("hash key"), "{sentence}");
    fs::write(folder.path().join("evidence"), b"DGEV").expect("damaged");
    assert_eq!(outcome(&arguments(folder.path(), &["--load-evidence", &saved])).0, 4);
}

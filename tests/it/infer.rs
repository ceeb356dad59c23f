//! `driftgate infer` as people call it: good input gives a document, and every kind of bad input its exit code and one
//! sentence that names the place and the remedy.

use std::io::Write as _;
use std::path::Path;

use super::support::sidecar::run;

const KEY: &str = "00112233445566778899aabbccddeeff\n";

/// A line of an NDJSON recording.
fn line(host: &str, path: &str, id: usize) -> String {
    format!(
        "{{\"time\":\"2025-03-01T10:00:00Z\",\"request\":{{\"method\":\"GET\",\"url\":\"http://{host}{path}\"}},\
         \"response\":{{\"status\":200,\"json\":{{\"id\":{id},\"state\":\"open\"}}}}}}"
    )
}

fn lines(host: &str) -> String {
    let all: Vec<String> = (0..60).map(|id| line(host, &format!("/orders/{id}"), id)).collect();
    all.join("\n")
}

/// An entry of a HAR log.
fn entry(url: &str) -> String {
    format!(
        "{{\"startedDateTime\":\"2025-03-01T10:00:00Z\",\"time\":1,\"request\":{{\"method\":\"GET\",\"url\":\"{url}\"}},\
         \"response\":{{\"status\":200,\"content\":{{\"mimeType\":\"application/json\",\"text\":\"{{}}\"}}}}}}"
    )
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).expect("packed");
    packer.finish().expect("packed")
}

/// One kind of input.
struct Case {
    name: &'static str,
    content: Vec<u8>,
    arguments: &'static [&'static str],
    code: i32,
    /// What standard error has to say.
    says: &'static [&'static str],
}

fn case(
    name: &'static str,
    content: impl Into<Vec<u8>>,
    arguments: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
) -> Case {
    Case { name, content: content.into(), arguments, code, says }
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cases() -> Vec<Case> {
    let good = lines("a.example");
    let har = |entries: &[String]| format!("{{\"log\":{{\"entries\":[{}]}}}}", entries.join(","));
    let entries = vec![entry("http://a.example/orders"); 5];
    let unanswered = entries[0].replace("\"status\":200", "\"status\":0");
    let mut cut = har(&entries);
    cut.truncate(cut.len() - 40);
    let mut bad_line = good.clone();
    bad_line.insert_str(0, "{\"request\":{}}\n");
    let mut cut_pack = packed(good.repeat(50).as_bytes());
    cut_pack.truncate(cut_pack.len() / 2);
    let scan: Vec<String> = (0..9).map(|id| line("a.example", "/wp-login.php", id)).collect();
    let two_bodies = good.replace("\"json\"", "\"text\":\"x\",\"json\"");
    vec![
        case("good.ndjson", good.clone(), &[], 0, &["60 exchanges read, 60 learned; 1 operations"]),
        case("good.har", har(&entries), &[], 0, &["5 exchanges read, 5 learned"]),
        case("packed.ndjson.gz", packed(good.as_bytes()), &[], 0, &["60 exchanges read"]),
        case("mark.har", format!("\u{feff}{}", har(&entries)), &[], 0, &["5 exchanges read"]),
        case("empty", "", &[], 2, &["`", "empty", "record some traffic first"]),
        case("blank.ndjson", "\n\n  \n", &[], 2, &["is empty"]),
        case(
            "binary",
            b"\x7fELF\x02\x00\x00".to_vec(),
            &[],
            2,
            &["is binary; give a HAR or NDJSON file"],
        ),
        case("cut.har", cut, &[], 0, &["is cut off; its 4 complete entries were read"]),
        case(
            "none.har",
            "{\"log\":{\"entries\":[{\"request\":",
            &[],
            2,
            &["cut off before its first complete entry"],
        ),
        case("other.json", "{\"log\":{}}", &[], 2, &["has no `log.entries`"]),
        case("cut.gz", cut_pack, &[], 0, &["is cut off"]),
        case("bad.ndjson", bad_line.clone(), &[], 0, &["1 bad records", "bad.ndjson:1:"]),
        case(
            "strict.ndjson",
            bad_line,
            &["--strict-input"],
            3,
            &["1 bad records; nothing was written"],
        ),
        case("two.ndjson", two_bodies, &[], 1, &["has two bodies", "60 of the records are bad"]),
        case(
            "host.ndjson",
            good.clone(),
            &["--base-url", "https://a.example"],
            1,
            &["60 of 60 exchanges are for http://a.example, --base-url is https://a.example"],
        ),
        case(
            "path.ndjson",
            good.clone(),
            &["--base-url", "http://a.example/v2"],
            1,
            &["not below --base-url http://a.example/v2"],
        ),
        case(
            "rare.ndjson",
            line("a.example", "/orders", 1),
            &[],
            1,
            &["seen too rarely", "--min-samples 1"],
        ),
        case(
            "rare1.ndjson",
            line("a.example", "/orders", 1),
            &["--min-samples", "1"],
            0,
            &["1 operations"],
        ),
        case(
            "scan.ndjson",
            scan.join("\n"),
            &[],
            1,
            &["9 of 9 exchanges were left out as scanner"],
        ),
        case(
            "silent.har",
            har(&vec![unanswered; 3]),
            &[],
            1,
            &["no answer 3", "record until the answers are there"],
        ),
        case(
            "url.ndjson",
            good.clone(),
            &["--base-url", "a.example"],
            2,
            &["is no base URL; write `https://"],
        ),
        case("key.ndjson", good.clone(), &["--key-file", "/nowhere/key"], 2, &["/nowhere/key"]),
        case(
            "load.ndjson",
            good,
            &["--load-evidence", "/nowhere/evidence"],
            2,
            &["/nowhere/evidence"],
        ),
    ]
}

#[test]
fn every_kind_of_input_has_its_exit_code_and_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    for Case { name, content, arguments, code: expected, says } in cases() {
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("written");
        let output = folder.path().join(format!("{name}.yaml"));
        let (file, output) = (file.display().to_string(), output.display().to_string());
        let mut all = vec!["infer", &*file, "-o", &*output];
        all.extend_from_slice(arguments);
        let (code, _, told) = run(&all);
        assert_eq!(code, expected, "{name}: {told}");
        for needle in says {
            assert!(told.contains(needle), "{name}: no `{needle}` in:\n{told}");
        }
        assert!(!told.contains("panicked"), "{name}: {told}");
        assert_eq!(
            Path::new(&output).exists(),
            expected <= 1,
            "{name}: a document if anything was read"
        );
    }
}

#[test]
fn without_input_it_says_what_it_wants() {
    let (code, out, told) = run(&["infer"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(told.contains("no input; name a HAR or NDJSON file"), "{told}");
}

#[test]
fn parts_jobs_and_saved_evidence_give_one_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    };
    let all = lines("a.example");
    let (first, second) = all.split_at(all.match_indices('\n').nth(20).map_or(0, |(at, _)| at + 1));
    let key = write("key", KEY);
    let [whole, first, second] = [("whole", &*all), ("first", first), ("second", second)]
        .map(|(name, text)| write(&format!("{name}.ndjson"), text));
    let evidence = folder.path().join("evidence").display().to_string();
    let document = |arguments: &[&str]| {
        let mut line = vec!["infer", "--key-file", &*key];
        line.extend_from_slice(arguments);
        let (code, out, told) = run(&line);
        assert_eq!(code, 0, "{arguments:?}: {told}");
        out
    };
    let expected = document(&[&whole]);
    for jobs in ["1", "2", "16"] {
        assert_eq!(document(&[&second, &first, "--jobs", jobs]), expected, "{jobs} jobs");
    }
    document(&[&second, "--save-evidence", &evidence]);
    assert_eq!(document(&[&first, "--load-evidence", &evidence]), expected);
    assert_eq!(document(&[&whole, "--epochs", "7d"]), expected);
}

#[test]
fn evidence_that_cannot_merge_is_named_with_the_reason_and_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("in.ndjson"), lines("a.example")).expect("written");
    for name in ["one", "two"] {
        let (code, _, told) = run(&["infer", &path("in.ndjson"), "--save-evidence", &path(name)]);
        assert_eq!(code, 0, "{told}");
    }
    let loaded = [&*path("one"), &*path("two")].map(str::to_owned);
    let (code, _, told) =
        run(&["infer", "--load-evidence", &loaded[0], "--load-evidence", &loaded[1]]);
    assert_eq!(code, 4, "{told}");
    assert!(
        told.contains(&loaded[0]) && told.contains(&loaded[1]) && told.contains("hash key"),
        "{told}"
    );
    let mut newer = std::fs::read(path("one")).expect("evidence");
    newer[5] = 99;
    for (name, bytes, needle) in
        [("newer", newer, "engine 99"), ("damaged", b"DGEV".to_vec(), "damaged")]
    {
        std::fs::write(path(name), &bytes).expect("written");
        let (code, _, told) = run(&["infer", "--load-evidence", &path(name)]);
        assert_eq!(code, 4, "{name}: {told}");
        assert!(told.contains(needle) && told.contains(&path(name)), "{told}");
        assert_eq!(std::fs::read(path(name)).expect("evidence"), bytes, "{name} is left alone");
    }
}

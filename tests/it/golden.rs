//! Documents of small recorded APIs, byte for byte: what a person would look at first after a change of the rules.
//!
//! Each folder of `tests/golden/infer` holds a recording and the documents made of it, perhaps with pins. With
//! `DRIFTGATE_GOLDEN=write` the documents are written anew; review reads the difference.

use std::path::{Path, PathBuf};

use super::support::sidecar::run;

/// The documents of a case, and how each is asked for.
const DOCUMENTS: [(&str, &[&str]); 3] = [
    ("strict-3.0.yaml", &[]),
    ("strict-3.1.yaml", &["--openapi", "3.1"]),
    ("permissive-3.1.yaml", &["--openapi", "3.1", "--view", "permissive"]),
];

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/infer"));
    let entries = std::fs::read_dir(folder).expect("the folder of cases");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    cases.sort();
    cases
}

#[test]
fn recorded_cases_give_their_documents_byte_for_byte() {
    let writes = std::env::var("DRIFTGATE_GOLDEN").is_ok_and(|value| value == "write");
    let mut different = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 10, "{cases:?}");
    for case in cases {
        let recording = case.join("exchanges.ndjson").display().to_string();
        let pins = case.join("pins.yaml").display().to_string();
        let name = case.file_name().map(|name| name.to_string_lossy()).expect("a name");
        for (document, how) in DOCUMENTS {
            let mut line = vec!["infer", &*recording, "--api", &*name];
            line.extend_from_slice(how);
            if Path::new(&pins).exists() {
                line.extend(["--pins", &*pins]);
            }
            let (code, made, told) = run(&line);
            assert_eq!(code, 0, "{name}: {told}");
            let path = case.join(document);
            if writes {
                std::fs::write(&path, made).expect("written");
            } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&made) {
                different.push(path);
            }
        }
    }
    assert!(different.is_empty(), "write them anew with DRIFTGATE_GOLDEN=write: {different:#?}");
}

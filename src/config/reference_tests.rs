//! The files in `config/` against the schema, both ways.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::structure::{self, Frame};
use super::{Error, Source, load, schema};
use crate::deliver::sign::new_secret;
use crate::model::document::{Document, ReadOptions};
use crate::model::problem::pointer;
use crate::runtime::files;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"))
}

fn text(name: &str) -> String {
    files::read_text(&folder().join(name), 1 << 20).expect(name)
}

/// The reference with everything that stands behind a `#` without a space.
fn written_out() -> Value {
    let mut whole = String::new();
    let mut inside = false;
    for line in text("reference.yaml").lines() {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let used = rest.strip_prefix('#').unwrap_or(" ");
        // Such a section begins with a key or an item and goes on as long as its lines do.
        inside = used.starts_with(|c: char| c.is_ascii_lowercase() || c == '-')
            || (inside && rest.starts_with('#') && used.starts_with("  "));
        whole += &if inside { format!("{indent}{used}\n") } else { format!("{line}\n") };
    }
    // An empty mapping that the example below fills.
    let whole = whole.replace("learn: {}\n", "learn:\n");
    Document::parse(&whole, &ReadOptions::default())
        .unwrap_or_else(|found| panic!("{found}\n{whole}"))
        .value
}

/// Every key that a schema knows, as a path with `[]` for items; variants share their place.
fn keys_of_schema(root: &Value, schema: &Value, at: &str, keys: &mut BTreeSet<String>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(target.trim_start_matches('#')).expect(target);
        keys_of_schema(root, target, at, keys);
    }
    for list in ["anyOf", "oneOf"] {
        for branch in schema.get(list).and_then(Value::as_array).into_iter().flatten() {
            keys_of_schema(root, branch, at, keys);
        }
    }
    for (name, property) in
        schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        let at = pointer(at, name);
        keys_of_schema(root, property, &at, keys);
        keys.insert(at);
    }
    if let Some(items) = schema.get("items") {
        keys_of_schema(root, items, &format!("{at}/[]"), keys);
    }
}

fn keys_of_tree(tree: &Value, at: &str, keys: &mut BTreeSet<String>) {
    match tree {
        Value::Object(members) => {
            for (name, value) in members {
                let at = pointer(at, name);
                keys_of_tree(value, &at, keys);
                keys.insert(at);
            }
        }
        Value::Array(items) => {
            for item in items {
                keys_of_tree(item, &format!("{at}/[]"), keys);
            }
        }
        _ => {}
    }
}

#[test]
fn the_reference_shows_every_key_of_the_schema_and_no_other() {
    let schema = schema();
    let mut known = BTreeSet::new();
    keys_of_schema(&schema, &schema, "", &mut known);
    let tree = written_out();
    let mut shown = BTreeSet::new();
    keys_of_tree(&tree, "", &mut shown);
    // A secret may always be a file or a variable: said once, at the top.
    let missing: Vec<_> = known
        .difference(&shown)
        .filter(|key| !["/file", "/env"].iter().any(|source| key.ends_with(source)))
        .collect();
    assert!(missing.is_empty(), "not in config/reference.yaml: {missing:#?}");
    let frame = Frame { schema: &schema, folder: Path::new(""), is_variable: &|_| false };
    let (_, problems) = structure::fit(tree, &frame);
    assert!(problems.is_empty(), "config/reference.yaml: {problems}");
}

#[test]
fn the_reference_shows_the_defaults() {
    let tree =
        Document::parse(&text("reference.yaml"), &ReadOptions::default()).expect("read").value;
    let loaded =
        |tree: &Value| serde_json::from_value::<super::Config>(tree.clone()).expect("typed");
    let default = serde_json::to_value(super::Config::default()).expect("written");
    let shown = serde_json::to_value(loaded(&tree)).expect("written");
    for (key, value) in default.as_object().expect("an object") {
        if !matches!(key.as_str(), "listeners" | "apis") {
            assert_eq!(shown[key], *value, "{key}");
        }
    }
    let upstream =
        serde_json::json!({ "apis": [{ "name": "api", "upstream": "http://127.0.0.1:3000" }] });
    assert_eq!(loaded(&tree).apis, loaded(&upstream).apis);
}

#[test]
fn every_file_in_the_folder_loads() {
    let there = tempfile::tempdir().expect("a folder");
    let secret = there.path().join("webhook-secret");
    files::write_private(&secret, new_secret([7; 32]).reveal().as_bytes()).expect("written");
    let names = files::names_in(folder());
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        // In the image, the receiver has made this file by then.
        let text = text(&name).replace("/run/demo", &there.path().display().to_string());
        let file = there.path().join(&name);
        files::write_atomic(&file, text.as_bytes()).expect("written");
        let source = Source { file: Some(file), ..Source::default() };
        match load(&source, &|_| None) {
            Ok(loaded) => {
                // In an image the admin API is published on the host's loopback address.
                let mut others =
                    loaded.report.problems().filter(|one| one.code != "admin.cleartext-address");
                assert!(others.next().is_none(), "{name}: {}", loaded.report);
            }
            Err(Error::Invalid(report)) => panic!("{report}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

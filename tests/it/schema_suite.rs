//! The JSON-Schema-Test-Suite asked of what traffic is judged with: each schema as that of an answer, draft 2020-12 in a
//! document of OpenAPI 3.1, draft 4 in one of 3.0.
//!
//! The suite is not part of this repository: `DRIFTGATE_SCHEMA_SUITE` names a copy of it (with `tests` and `remotes`), which is
//! then run whole. Without it the cases below that are our own are run, in the suite's form.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use driftgate::contract::specification::Side;
use driftgate::contract::{self, Baseline, LoadOptions, Validity};
use driftgate::model::revision::{Origin, RevisionId};
use serde_json::{Value, json};

/// What of the required tests does not hold, and why: draft, file, how the description of the group begins.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("draft2020-12", "anchor", "Location-independent identifier with", EMBEDDED),
    ("draft2020-12", "anchor", "same $anchor with different base uri", EMBEDDED),
    ("draft2020-12", "defs", "validate definition against metaschema", META),
    ("draft2020-12", "dynamicRef", "", DYNAMIC),
    ("draft2020-12", "format", "", "formats are asserted, as people expect of a contract"),
    ("draft2020-12", "ref", "$id must be resolved against nearest parent", EMBEDDED),
    ("draft2020-12", "ref", "Recursive references between schemas", EMBEDDED),
    ("draft2020-12", "ref", "URN", EMBEDDED),
    ("draft2020-12", "ref", "order of evaluation: $id", EMBEDDED),
    ("draft2020-12", "ref", "ref to ", EMBEDDED),
    ("draft2020-12", "ref", "ref with absolute-path-reference", EMBEDDED),
    ("draft2020-12", "ref", "refs with relative uris and defs", EMBEDDED),
    ("draft2020-12", "ref", "relative refs with absolute uris and defs", EMBEDDED),
    ("draft2020-12", "ref", "remote ref, containing refs itself", META),
    ("draft2020-12", "ref", "simple URN base URI with $ref via the URN", EMBEDDED),
    ("draft2020-12", "refRemote", "base URI change", EMBEDDED),
    ("draft2020-12", "refRemote", "remote HTTP ref with nested absolute ref", EMBEDDED),
    ("draft2020-12", "unevaluatedItems", "unevaluatedItems with $dynamicRef", DYNAMIC),
    ("draft2020-12", "unevaluatedProperties", "unevaluatedProperties with $dynamicRef", DYNAMIC),
    (
        "draft2020-12",
        "vocabulary",
        "",
        "vocabularies are those of OpenAPI 3.1, whatever is declared",
    ),
    ("draft4", "additionalItems", "", TUPLES),
    ("draft4", "definitions", "validate definition against metaschema", META),
    ("draft4", "dependencies", "", "OpenAPI 3.0 has no dependencies"),
    ("draft4", "items", "items and subitems", TUPLES),
    ("draft4", "ref", "$ref prevents a sibling id from changing the base uri", IDS),
    ("draft4", "ref", "Location-independent identifier", IDS),
    ("draft4", "ref", "Recursive references between schemas", IDS),
    ("draft4", "ref", "id must be resolved against nearest parent", IDS),
    ("draft4", "ref", "remote ref, containing refs itself", META),
    ("draft4", "refRemote", "Location-independent identifier in remote ref", IDS),
    ("draft4", "refRemote", "base URI change", IDS),
    ("draft4", "uniqueItems", "uniqueItems with an array of items and", TUPLES),
    ("draft4", "uniqueItems", "uniqueItems=false with an array of items and", TUPLES),
];

const EMBEDDED: &str = "documents are found by where they lie, not by an `$id` inside of another";
const META: &str = "the meta-schema is no document at hand, and nobody fetches it";
const DYNAMIC: &str = "a dynamic reference counts where it can mean one place only";
const TUPLES: &str = "OpenAPI 3.0 has no tuples";
const IDS: &str = "OpenAPI 3.0 has no `id`";

/// Where the suite's schemas refer to.
const REMOTES: &str = "http://localhost:1234/";

/// What a schema is called that does not name itself.
const OWN: &str = "https://suite.invalid/schema.json";

/// How the groups of one file came out: those that hold, and what went wrong with the others.
#[derive(Default)]
struct Outcome {
    held: usize,
    wrong: BTreeMap<String, Vec<String>>,
}

#[test]
fn schemas_mean_what_their_draft_says() {
    let own = json!([
        {"description": "an integer in a range", "schema": {"type": "integer", "minimum": 1},
            "tests": [{"description": "1.0 is one", "data": 1.0, "valid": true},
                {"description": "below", "data": 0, "valid": false}]},
        {"description": "a tree", "schema": {"$defs": {"tree": {"type": "object", "properties":
            {"left": {"$ref": "#/$defs/tree"}}, "additionalProperties": false}}, "$ref": "#/$defs/tree"},
            "tests": [{"description": "deep", "data": {"left": {"left": {}}}, "valid": true},
                {"description": "odd", "data": {"left": {"right": {}}}, "valid": false}]}
    ]);
    let outcome = run("draft2020-12", &own, Path::new("."));
    assert_eq!((outcome.held, outcome.wrong.len()), (2, 0), "{:?}", outcome.wrong);
    let Ok(suite) = std::env::var("DRIFTGATE_SCHEMA_SUITE") else { return };
    let unexpected: Vec<String> = ["draft2020-12", "draft4"]
        .into_iter()
        .flat_map(|draft| run_draft(draft, Path::new(&suite)))
        .collect();
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// Runs the required tests of a draft; what does not hold and is not among the exceptions.
fn run_draft(draft: &str, suite: &Path) -> Vec<String> {
    let folder = suite.join("tests").join(draft);
    let entries = std::fs::read_dir(&folder).expect("the folder of a draft");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut held, mut excepted, mut unexpected) = (0, 0, Vec::new());
    for path in files {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a file of the suite");
        let groups = serde_json::from_str(&text).expect("JSON");
        let outcome = run(draft, &groups, &suite.join("remotes"));
        held += outcome.held;
        for (group, wrong) in outcome.wrong {
            let is_known = EXCEPTIONS.iter().any(|(of, in_file, begins, _)| {
                *of == draft && *in_file == file && group.starts_with(begins)
            });
            if is_known {
                excepted += 1;
            } else {
                unexpected.push(format!("{draft} {file}: {group}: {}", wrong.join("; ")));
            }
        }
    }
    println!("{draft}: {held} groups hold, {excepted} excepted, {} do not", unexpected.len());
    unexpected
}

fn run(draft: &str, groups: &Value, remotes: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    for group in groups.as_array().expect("groups") {
        let wrong = run_group(draft, group, remotes);
        if wrong.is_empty() {
            outcome.held += 1;
        } else {
            let name = group["description"].as_str().unwrap_or_default().to_owned();
            outcome.wrong.insert(name, wrong);
        }
    }
    outcome
}

/// What is wrong with a group of tests of one schema.
fn run_group(draft: &str, group: &Value, remotes: &Path) -> Vec<String> {
    let schema = &group["schema"];
    let id = if draft == "draft4" { "id" } else { "$id" };
    let own = schema[id].as_str().filter(|id| id.contains("://")).unwrap_or(OWN);
    // Its references begin at itself, so that it is a document of its own.
    let named = if schema.is_object() { json!({"$ref": own}) } else { schema.clone() };
    let version = if draft == "draft4" { "3.0.3" } else { "3.1.0" };
    let document = json!({"openapi": version, "info": {"title": "suite", "version": "1"}, "paths":
        {"/t": {"get": {"responses": {"200": {"description": "", "content":
            {"application/json": {"schema": named}}}}}}}});
    let resolve = |base: &str, reference: &str| {
        if reference == own {
            return Ok((own.to_owned(), schema.to_string()));
        }
        remote(base, reference, remotes)
    };
    let options = LoadOptions { resolver: &resolve, ..LoadOptions::default() };
    let specification = match contract::load(&document.to_string(), &options) {
        Ok((specification, _)) => specification,
        Err(problems) => return vec![format!("does not load: {problems}")],
    };
    let revision = RevisionId::of(&specification.document);
    let baseline = Baseline::new(Arc::new(specification), revision, Origin::Predefined, "/");
    let content = &baseline.specification.operations[0].responses[0].content[0];
    let schema = content.schema.as_ref().expect("a schema");
    let tests = group["tests"].as_array().expect("tests").iter();
    tests
        .filter_map(|test| {
            let expected = if test["valid"] == true { Validity::Valid } else { Validity::Invalid };
            let found = baseline.validate(Side::Response, schema, &test["data"]);
            (found != expected).then(|| format!("{} is {found:?}", test["description"]))
        })
        .collect()
}

/// The text of a document that the suite would serve.
fn remote(base: &str, reference: &str, remotes: &Path) -> Result<(String, String), String> {
    let whole = if reference.contains("://") {
        reference.to_owned()
    } else {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{reference}")
    };
    let path = whole.strip_prefix(REMOTES).ok_or_else(|| format!("`{whole}` is not served"))?;
    let text = std::fs::read_to_string(remotes.join(path)).map_err(|error| error.to_string())?;
    Ok((whole, text))
}

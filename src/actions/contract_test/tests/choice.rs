//! The table of the two switches, row by row.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actions::contract_test::choice::{Found, Shelf, choose};
use crate::actions::contract_test::options::{ContractTest, SpecificationSource};
use crate::actions::contract_test::outcome::Source;
use crate::actions::options::Known;
use crate::events::Raise;
use crate::model::event::Event;
use crate::model::problem::Problems;
use crate::model::revision::RevisionId;

/// Keeps one revision and one file.
struct Two(RevisionId);

#[async_trait]
impl Shelf for Two {
    async fn revision(&self, id: &RevisionId) -> Result<Found, String> {
        if *id == self.0 { Ok(found("kept")) } else { Err("it is gone".to_owned()) }
    }

    async fn predefined(&self, source: &SpecificationSource) -> Result<Found, String> {
        match source {
            SpecificationSource::File(path) if path == Path::new("a.yaml") => Ok(found("file")),
            SpecificationSource::File(path) if path == Path::new("bad.yaml") => Ok(found("bad")),
            other => Err(format!("there is no {other}")),
        }
    }
}

fn found(text: &str) -> Found {
    Found { text: text.to_owned(), place: text.to_owned(), file: None }
}

fn event(specification: &str) -> Event {
    let raise = Raise::new("driftgate", Arc::new(|_| "1".to_owned()));
    raise.event(
        "contract.drift.opened",
        Some("orders"),
        0,
        &json!({"event_specification": specification}),
    )
}

fn options(on: bool, specification: Option<&str>) -> ContractTest {
    ContractTest {
        use_event_specification: on,
        specification: specification.map(SpecificationSource::parse),
        ..ContractTest::default()
    }
}

/// What is used and why: the text and the source, or the code of the cause.
async fn chosen(options: &ContractTest, event: Option<&Event>) -> (String, String) {
    let kept = RevisionId::of(&json!({"kept": true}));
    let load = |found: &Found| match found.text.as_str() {
        "bad" => Err("line 1: not a specification".to_owned()),
        text => Ok(text.to_owned()),
    };
    match choose(options, event, &Two(kept), load).await {
        Ok(choice) => match choice.source {
            Source::Fallback(why) => (choice.loaded, format!("fallback: {why}")),
            source => (choice.loaded, source.as_str().to_owned()),
        },
        Err(cause) => (String::new(), cause.code.to_owned()),
    }
}

#[tokio::test]
async fn each_row_of_the_table_uses_what_it_says_and_names_the_source() {
    let kept = RevisionId::of(&json!({"kept": true}));
    let gone = RevisionId::of(&json!({"gone": true}));
    let carries = event(kept.as_str());
    let pruned = event(gone.as_str());
    let nothing = event("");

    // on, carried, any
    for predefined in [None, Some("a.yaml")] {
        let used = chosen(&options(true, predefined), Some(&carries)).await;
        assert_eq!(used, ("kept".to_owned(), "event".to_owned()));
    }
    // on, none or gone, set
    for (event, why) in
        [(Some(&nothing), "names no"), (None, "names no"), (Some(&pruned), "is gone")]
    {
        let (text, source) = chosen(&options(true, Some("a.yaml")), event).await;
        assert_eq!(text, "file");
        assert!(source.starts_with("fallback: ") && source.contains(why), "{source}");
    }
    // on, none or gone, not set
    for event in [Some(&nothing), None, Some(&pruned)] {
        let (_, code) = chosen(&options(true, None), event).await;
        assert_eq!(code, "no_specification");
    }
    // off, any, set
    for event in [Some(&carries), Some(&nothing), None] {
        let used = chosen(&options(false, Some("a.yaml")), event).await;
        assert_eq!(used, ("file".to_owned(), "predefined".to_owned()));
    }
    // off, any, not set: refused when it is saved
    let mut problems = Problems::default();
    options(false, None).check(&Known::default(), &mut problems);
    let codes: Vec<_> = problems.0.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["action.no-specification"]);
}

#[tokio::test]
async fn a_predefined_specification_that_does_not_load_is_another_error() {
    for name in ["bad.yaml", "missing.yaml"] {
        let (_, code) = chosen(&options(false, Some(name)), None).await;
        assert_eq!(code, "specification", "{name}");
    }
}

#[tokio::test]
async fn a_url_inside_an_event_is_never_looked_at() {
    let api = super::Api::new(|_| (200, "application/json", "{}".to_owned()));
    let url = api.start().await;
    for text in [url.as_str(), "file:///etc/passwd", "sha256:zz", "../a.yaml"] {
        let (_, source) = chosen(&options(true, Some("a.yaml")), Some(&event(text))).await;
        assert_eq!(source, "fallback: the event names no specification");
    }
    assert_eq!(api.seen().len(), 0);
}

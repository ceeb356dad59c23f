//! Which specification a run uses: the table of the two switches (`spec/contract-test.md` 1).
//!
//! Owns the five rows. A URL inside an event is never looked at: an event names a revision by its hash, or carries none. Refuses
//! to own reading a specification (`Shelf`).

use std::path::PathBuf;

use async_trait::async_trait;

use crate::model::event::Event;
use crate::model::revision::RevisionId;

use super::options::{ContractTest, SpecificationSource};
use super::outcome::{Cause, Source};

/// A specification as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// JSON or YAML.
    pub text: String,
    /// Where it was, for people: a path, a URL, a revision id.
    pub place: String,
    /// The file it was read from; what it refers to lies beside it.
    pub file: Option<PathBuf>,
}

/// Where specifications are kept.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// A revision that this instance keeps.
    ///
    /// # Errors
    /// One sentence, when it is gone or cannot be read.
    async fn revision(&self, id: &RevisionId) -> Result<Found, String>;

    /// What the option names.
    ///
    /// # Errors
    /// One sentence, when it cannot be had.
    async fn predefined(&self, source: &SpecificationSource) -> Result<Found, String>;
}

/// A chosen specification that loads, whatever loading makes of it.
#[derive(Debug)]
pub struct Choice<T> {
    pub source: Source,
    pub place: String,
    pub loaded: T,
}

/// Chooses and loads. `load` makes something of a text, or says in one sentence why it cannot.
///
/// # Errors
/// `no_specification` where neither switch gives one: such a run is never retried. `specification` where the predefined one
/// does not load.
pub async fn choose<T>(
    options: &ContractTest,
    event: Option<&Event>,
    shelf: &dyn Shelf,
    load: impl Fn(&Found) -> Result<T, String> + Sync,
) -> Result<Choice<T>, Cause> {
    if !options.use_event_specification {
        return predefined(options, Source::Predefined, shelf, load).await;
    }
    let why = match event.and_then(carried) {
        None => "the event names no specification".to_owned(),
        Some(id) => {
            let found = shelf.revision(&id).await;
            let loaded = found.and_then(|found| Ok((load(&found)?, found.place)));
            match loaded {
                Ok((loaded, place)) => return Ok(Choice { source: Source::Event, place, loaded }),
                Err(why) => {
                    format!("the event's specification {} cannot be used: {why}", id.short())
                }
            }
        }
    };
    predefined(options, Source::Fallback(why), shelf, load).await
}

/// The revision that an event names in `data.event_specification`; anything but a revision id counts as none.
fn carried(event: &Event) -> Option<RevisionId> {
    let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
    RevisionId::parse(data.get("event_specification")?.as_str()?)
}

async fn predefined<T>(
    options: &ContractTest,
    source: Source,
    shelf: &dyn Shelf,
    load: impl Fn(&Found) -> Result<T, String>,
) -> Result<Choice<T>, Cause> {
    let Some(named) = &options.specification else {
        let why = match source {
            Source::Fallback(why) => why,
            Source::Event | Source::Predefined => "the switch is off".to_owned(),
        };
        return Err(Cause {
            code: "no_specification",
            message: format!("{why}, and no API specification is set; set `specification`"),
        });
    };
    let failed = |why| Cause {
        code: "specification",
        message: format!("the API specification `{named}` cannot be used: {why}"),
    };
    let found = shelf.predefined(named).await.map_err(failed)?;
    let loaded = load(&found).map_err(failed)?;
    Ok(Choice { source, place: found.place, loaded })
}

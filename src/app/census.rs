//! What became of the APIs between two configurations, and the events of it (`spec/delivery.md` 3.3).
//!
//! Owns remembering, in the store, which APIs were served last, and comparing. Refuses to own what traffic shows of them
//! (`pipeline`). Each API is one transaction: its events, and that they were raised. What cannot be written is told with the
//! next configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::bus;
use crate::config::Config;
use crate::events::{Raise, one_change};
use crate::model::event::Event;
use crate::pipeline::{ApiSettings, BaselineSetting};
use crate::runtime::clock::Clock;
use crate::store::{self, Change, Object, ObjectOrigin};
use crate::telemetry::signals::app as told;

/// Kind of the objects in which the APIs served last are kept.
const KIND: &str = "api";

/// What is known of each API by name: one JSON object each, without secrets.
pub(super) type Apis = BTreeMap<String, Value>;

/// The APIs of a configuration, as they are told to others.
pub(super) fn apis(config: &Config, settings: &[ApiSettings]) -> Apis {
    let described = config.apis.iter().map(|api| {
        let held = settings.iter().find(|setting| *setting.name == *api.name);
        let document = held.and_then(|setting| match &setting.baseline {
            BaselineSetting::Predefined { specification, revision } => {
                Some((specification, revision))
            }
            BaselineSetting::Learn { .. } => None,
        });
        let version = api.version.clone();
        let version = version.or_else(|| document.map(|(document, _)| document.version.clone()));
        let object = json!({
            "name": api.name,
            "hosts": api.hosts,
            "path_prefix": api.path_prefix,
            "version": version,
            "base_url": api.upstream.url,
            "documentation": document.map(|(_, revision)| revision.id.as_str()),
        });
        (api.name.clone(), object)
    });
    described.collect()
}

/// Tells what changed.
pub(super) struct Census {
    pub(super) store: store::Handle,
    pub(super) bus: bus::Handle,
    pub(super) raise: Raise,
    pub(super) clock: Clock,
}

impl Census {
    /// Compares with the APIs that were served last, raises what became of them and remembers these instead.
    pub(super) async fn take(&self, apis: &Apis) {
        if let Err(error) = self.compare(apis).await {
            told::CensusFailed { error: &error }.tell();
        }
    }

    async fn compare(&self, apis: &Apis) -> Result<(), store::Error> {
        let kept = self.store.read(|reader| reader.objects(KIND)).await?;
        let kept = kept.into_iter().filter_map(|object| {
            Some((object.name, serde_json::from_str::<Value>(&object.body).ok()?))
        });
        let former: Apis = kept.collect();
        let names: BTreeSet<&String> = former.keys().chain(apis.keys()).collect();
        for name in names {
            let (old, new) = (former.get(name), apis.get(name));
            let news = news(old, new);
            if !news.is_empty() {
                let events = news.iter().map(|news| self.event(name, news)).collect();
                self.bus.publish(one_change(events), vec![self.memory(name, new)]).await?;
            }
        }
        Ok(())
    }

    fn event(&self, api: &str, news: &News) -> Event {
        let data = json!({
            "object": news.object, "changed": news.changed, "actor": "config",
            "spec_revision": news.revision, "event_specification": news.revision,
        });
        let mut event = self.raise.event(news.kind, Some(api), self.clock.now_ms(), &data);
        event.subject = Some(api.to_owned());
        event
    }

    fn memory(&self, name: &str, api: Option<&Value>) -> Change {
        let now_ms = self.clock.now_ms();
        match api {
            Some(api) => Change::Object(Object {
                kind: KIND,
                id: name.to_owned(),
                name: name.to_owned(),
                origin: ObjectOrigin::File,
                version: now_ms.unsigned_abs(),
                body: api.to_string(),
                updated_ms: now_ms,
            }),
            None => Change::ObjectGone { kind: KIND, id: name.to_owned() },
        }
    }
}

/// One event to be raised.
#[derive(Debug, PartialEq)]
struct News {
    kind: &'static str,
    object: Value,
    /// Pointers into the object.
    changed: Vec<String>,
    /// The document's, where the event is about one.
    revision: Option<String>,
}

/// A part of an API with events of its own, by its member, and its created, updated and deleted.
struct Part {
    member: &'static str,
    kinds: [&'static str; 3],
}

const VERSION: Part = Part {
    member: "version",
    kinds: ["api_version.created", "api_version.updated", "api_version.deleted"],
};
const BASE_URL: Part = Part {
    member: "base_url",
    kinds: ["base_url.created", "base_url.updated", "base_url.deleted"],
};
const DOCUMENTATION: Part = Part {
    member: "documentation",
    kinds: ["documentation.created", "documentation.updated", "documentation.deleted"],
};

/// What is to be told of an API that was, and is now, in the order of the cascade.
fn news(old: Option<&Value>, new: Option<&Value>) -> Vec<News> {
    let api = |kind, object: &Value, changed: &[String]| News {
        kind,
        object: object.clone(),
        changed: changed.to_vec(),
        revision: None,
    };
    let (object, mut news) = match (old, new) {
        (None, Some(new)) => {
            (new, vec![api("api.created", new, &[]), api("api.updated", new, &[])])
        }
        (Some(old), None) => (old, vec![api("api.deleted", old, &[])]),
        (Some(old), Some(new)) if old != new => {
            (new, vec![api("api.updated", new, &differing(old, new))])
        }
        _ => return Vec::new(),
    };
    for part in [VERSION, BASE_URL, DOCUMENTATION] {
        let kind = match (member(old, part.member), member(new, part.member)) {
            (None, Some(_)) => part.kinds[0],
            // A version is touched by whatever changes the API.
            (Some(was), Some(is)) if was != is || part.member == VERSION.member => part.kinds[1],
            (Some(_), None) => part.kinds[2],
            _ => continue,
        };
        // Of what is gone is told what it was.
        let holder =
            if member(new, part.member).is_some() { object } else { old.unwrap_or(object) };
        news.push(of_part(kind, &part, holder));
    }
    news
}

fn of_part(kind: &'static str, part: &Part, api: &Value) -> News {
    let value = api.get(part.member).cloned().unwrap_or_default();
    let revision = (part.member == DOCUMENTATION.member).then(|| value.as_str().map(str::to_owned));
    let object = json!({ "api": api["name"], part.member: value });
    News { kind, object, changed: Vec::new(), revision: revision.flatten() }
}

fn member<'a>(api: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    api?.get(name).filter(|value| !value.is_null())
}

/// Pointers to the members that differ.
fn differing(old: &Value, new: &Value) -> Vec<String> {
    let members = new.as_object().into_iter().flatten();
    let differing = members.filter(|(name, value)| old.get(name) != Some(value));
    differing.map(|(name, _)| format!("/{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(version: Option<&str>, base_url: &str, documentation: Option<&str>) -> Value {
        json!({
            "name": "orders", "hosts": [], "path_prefix": "/", "version": version,
            "base_url": base_url, "documentation": documentation,
        })
    }

    #[test]
    fn each_change_of_an_api_raises_its_cascade() {
        let (plain, full) =
            (api(None, "http://a", None), api(Some("1"), "http://a", Some("sha256:1")));
        let moved = api(Some("2"), "http://b", Some("sha256:2"));
        for (old, new, expected) in [
            (None, Some(&plain), &["api.created", "api.updated", "base_url.created"][..]),
            (
                None,
                Some(&full),
                &[
                    "api.created",
                    "api.updated",
                    "api_version.created",
                    "base_url.created",
                    "documentation.created",
                ],
            ),
            (Some(&full), Some(&full), &[]),
            (
                Some(&full),
                Some(&moved),
                &[
                    "api.updated",
                    "api_version.updated",
                    "base_url.updated",
                    "documentation.updated",
                ],
            ),
            (
                Some(&full),
                Some(&plain),
                &["api.updated", "api_version.deleted", "documentation.deleted"],
            ),
            (
                Some(&full),
                None,
                &[
                    "api.deleted",
                    "api_version.deleted",
                    "base_url.deleted",
                    "documentation.deleted",
                ],
            ),
        ] {
            let kinds: Vec<&str> = news(old, new).iter().map(|news| news.kind).collect();
            assert_eq!(kinds, expected);
        }
        let gone = news(Some(&full), Some(&plain));
        assert_eq!(gone[1].object["version"], "1");
        assert_eq!(gone[2].revision.as_deref(), Some("sha256:1"));
        let changed = news(Some(&full), Some(&moved)).swap_remove(0).changed;
        assert_eq!(changed, ["/version", "/base_url", "/documentation"]);
    }
}

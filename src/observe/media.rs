//! Names of media types as a specification lists them.
//!
//! Owns which parameters belong to a type, and how its bodies are to be read. Refuses to own reading.

use std::sync::Arc;

use crate::model::media::MediaType;
use crate::model::observation::Framing;

/// Types whose names are remembered.
const REMEMBERED: usize = 32;

/// Names of the types seen lately.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<(MediaType, Arc<str>)>,
}

impl Names {
    /// The name under which bodies are filed; empty for a body of no type.
    pub(super) fn of(&mut self, media: Option<&MediaType>) -> Arc<str> {
        let Some(media) = media else { return Arc::default() };
        if let Some((_, name)) = self.known.iter().find(|(known, _)| known == media) {
            return Arc::clone(name);
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let name: Arc<str> = name(media).into();
        self.known.push((media.clone(), Arc::clone(&name)));
        name
    }
}

/// Parameters are left out but those that tell versions apart.
fn name(media: &MediaType) -> String {
    let mut name = media.essence().to_owned();
    for parameter in ["v", "version"] {
        if let Some(value) = media.parameter(parameter) {
            name.extend(["; ", parameter, "=", value]);
        }
    }
    name
}

/// How the bodies of a type are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    /// Text, or of no type: perhaps JSON.
    Text,
    UrlEncoded,
    Multipart,
    Items(Framing),
    Xml,
    Opaque,
}

impl Syntax {
    pub(super) fn of(media: Option<&MediaType>) -> Self {
        let Some(media) = media else { return Self::Text };
        let essence = media.essence();
        match essence {
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            "multipart/form-data" => Self::Multipart,
            "text/event-stream" => Self::Items(Framing::EventStream),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/x-json-stream"
            | "application/stream+json" => Self::Items(Framing::Concatenated),
            "application/json-seq" => Self::Items(Framing::Sequence),
            "text/json" | "application/x-json" => Self::Json,
            "application/xml" | "text/xml" => Self::Xml,
            "text/plain" | "application/octet-stream" | "application/javascript" => Self::Text,
            _ if essence.ends_with("+json-seq") => Self::Items(Framing::Sequence),
            _ if essence.ends_with("+xml") && !is_page(essence) => Self::Xml,
            _ if media.is_json() => Self::Json,
            _ => Self::Opaque,
        }
    }
}

/// XML that is for eyes.
fn is_page(essence: &str) -> bool {
    matches!(essence, "application/xhtml+xml" | "image/svg+xml")
}

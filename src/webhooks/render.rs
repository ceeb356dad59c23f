//! The body of a request and the headers that belong to it: a pure function of event and webhook.
//!
//! Owns the four formats. The same event and the same version of a webhook give the same bytes at every attempt.

use crate::events::cloudevent::{self, Binding};
use crate::events::expression::{Failed, Scope, Tree};
use crate::model::event::Event;

/// What the body looks like, ready to fill in.
#[derive(Debug)]
pub(super) enum Render {
    Structured,
    Binary,
    Standard,
    Template(Box<Tree>),
}

/// A body and its headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) body: String,
    /// `content-type` last.
    pub(super) headers: Vec<(String, String)>,
}

impl Render {
    /// # Errors
    /// When a template gives no value.
    pub(super) fn render(&self, event: &Event) -> Result<Rendered, Failed> {
        let of_type = |body: String, media_type: &str| {
            let headers = vec![("content-type".to_owned(), media_type.to_owned())];
            Rendered { body, headers }
        };
        Ok(match self {
            Self::Structured => of_type(cloudevent::structured(event), cloudevent::STRUCTURED),
            Self::Binary => Rendered {
                body: cloudevent::data_of(event).to_owned(),
                headers: cloudevent::headers(event, Binding::Http),
            },
            Self::Standard => of_type(standard(event), cloudevent::DATA),
            Self::Template(tree) => {
                of_type(tree.render(&Scope::of_event(event))?, cloudevent::DATA)
            }
        })
    }
}

fn standard(event: &Event) -> String {
    let kind = serde_json::Value::from(event.kind.as_str());
    let time = cloudevent::rfc3339(event.time_ms);
    let data = cloudevent::data_of(event);
    format!(r#"{{"type":{kind},"timestamp":"{time}","data":{data}}}"#)
}

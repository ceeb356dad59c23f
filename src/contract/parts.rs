//! The parts of each operation at which opportunities are counted, named once for a baseline.
//!
//! Owns the table beside the operations of a specification, in their order. Refuses to own what a part's name is made of
//! (`slot`).

use super::slot::Slot;
use super::specification::{Content, Operation, Response};

/// Parts of one operation.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) own: Slot,
    /// By documented content of the request.
    pub(super) request: Vec<Slot>,
    /// By documented response.
    pub(super) responses: Vec<ResponseParts>,
}

/// Parts of one documented response.
#[derive(Debug)]
pub(super) struct ResponseParts {
    /// `200`, `2XX` or `default`.
    pub(super) key: String,
    pub(super) own: Slot,
    /// By documented content.
    pub(super) bodies: Vec<Slot>,
}

impl Parts {
    pub(super) fn of(operation: &Operation) -> Self {
        let Operation { method, template, body, responses, .. } = operation;
        let slots = |key: &str, contents: &[Content]| {
            let slot = |content: &Content| Slot::body(method, template, key, &content.media.text);
            contents.iter().map(slot).collect()
        };
        let response = |response: &Response| {
            let key = response.key.to_string();
            let own = Slot::response(method, template, &key);
            ResponseParts { own, bodies: slots(&key, &response.content), key }
        };
        Self {
            own: Slot::operation(method, template),
            request: body.as_ref().map(|body| slots("", &body.content)).unwrap_or_default(),
            responses: responses.iter().map(response).collect(),
        }
    }
}

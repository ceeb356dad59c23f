//! A specification in force: routed, compiled on demand, asked about one exchange at a time.
//!
//! Owns the one object that traffic and contract tests are held to. Refuses to own counting (`drift`).

use std::sync::Arc;

use serde_json::Value;

use crate::model::exchange::Exchange;
use crate::model::revision::{Origin, RevisionId};

use super::judgement::{Judgement, Validity};
use super::specification::{SchemaRef, Side, Specification};

/// One baseline. Cheap to share; nothing of it changes but the cache of compiled validators.
#[derive(Debug)]
pub struct Baseline {
    pub specification: Arc<Specification>,
    pub revision: RevisionId,
    pub origin: Origin,
}

impl Baseline {
    /// `path_prefix` is that of the API's scope, `/` for none.
    #[must_use]
    pub fn new(
        specification: Arc<Specification>,
        revision: RevisionId,
        origin: Origin,
        _path_prefix: &str,
    ) -> Self {
        Self { specification, revision, origin }
    }

    /// Judges one exchange. Never panics, never takes longer than its limits allow.
    #[must_use]
    pub fn judge(&self, _exchange: &Exchange) -> Judgement {
        Judgement::default()
    }

    /// Whether a value is what a lowered schema allows.
    #[must_use]
    pub fn validate(&self, _side: Side, _schema: &SchemaRef, _value: &Value) -> Validity {
        Validity::Valid
    }
}

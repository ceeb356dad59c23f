//! A specification in force: routed, compiled on demand, asked about one exchange at a time.
//!
//! Owns the one object that traffic and contract tests are held to. Refuses to own counting (`drift`).

use std::sync::Arc;

use serde_json::Value;

use crate::model::exchange::Exchange;
use crate::model::revision::{Origin, RevisionId};

use super::check;
use super::compile::Validators;
use super::judgement::{Judgement, Validity};
use super::lower::Flavour;
use super::route::Router;
use super::specification::{Operation, SchemaRef, Side, Specification};

/// One baseline. Cheap to share; nothing of it changes but the cache of compiled validators.
#[derive(Debug)]
pub struct Baseline {
    pub specification: Arc<Specification>,
    pub revision: RevisionId,
    pub origin: Origin,
    pub(super) router: Router,
    pub(super) validators: Validators,
}

impl Baseline {
    /// `path_prefix` is that of the API's scope, `/` for none.
    #[must_use]
    pub fn new(
        specification: Arc<Specification>,
        revision: RevisionId,
        origin: Origin,
        path_prefix: &str,
    ) -> Self {
        let router = Router::new(&specification, path_prefix);
        let validators = Validators::new(&specification.schemas);
        Self { specification, revision, origin, router, validators }
    }

    /// Judges one exchange. Exchanges of our own contract tests are skipped: whoever judges those clears `own_test`.
    #[must_use]
    pub fn judge(&self, exchange: &Exchange) -> Judgement {
        check::judge(self, exchange)
    }

    /// Whether a value is what a lowered schema allows.
    #[must_use]
    pub fn validate(&self, side: Side, schema: &SchemaRef, value: &Value) -> Validity {
        match self.validators.is_valid((side, Flavour::Declared), schema, value) {
            Ok(true) => Validity::Valid,
            Ok(false) => Validity::Invalid,
            Err(reason) => Validity::Unvalidatable(reason),
        }
    }

    /// The operation at an index that routing gave.
    pub(super) fn operation(&self, index: usize) -> &Operation {
        &self.specification.operations[index]
    }
}

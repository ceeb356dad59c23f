//! A specification in force: routed, compiled on demand, asked about one exchange at a time.
//!
//! Owns the one object that traffic and contract tests are held to, and what it knows of the baseline before it: operations
//! that are gone. Refuses to own counting (`drift`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::model::exchange::Exchange;
use crate::model::kind::Kind;
use crate::model::observation::Observation;
use crate::model::revision::{Origin, RevisionId};

use super::check;
use super::compile::Validators;
use super::judgement::{Judgement, Validity};
use super::lower::Flavour;
use super::parts::Parts;
use super::proof::Proofs;
use super::route::{Route, Router};
use super::specification::{Dialect, Operation, SchemaRef, Side, Specification};
use super::time;

/// Operations of former baselines that are remembered.
const REMOVED_MAX: usize = 20_000;

/// One baseline. Cheap to share; nothing of it changes but the cache of compiled validators.
#[derive(Debug)]
pub struct Baseline {
    pub specification: Arc<Specification>,
    pub revision: RevisionId,
    pub origin: Origin,
    pub(super) router: Router,
    pub(super) validators: Validators,
    /// By operation.
    facts: Vec<Facts>,
    parts: Vec<Parts>,
    removed: Removed,
    /// Kinds that are off unless asked for.
    also: Vec<Kind>,
    prefix: String,
}

/// What a document says of an operation beside what judging asks at every step.
#[derive(Debug, Default)]
struct Facts {
    /// When its `x-sunset` is, Unix milliseconds.
    sunset: Option<i64>,
    /// Swagger 2.0 says what the answers are made of (`produces`) without saying it of each.
    leaves_answers_open: bool,
}

impl Facts {
    fn of(specification: &Specification, operation: &Operation) -> Self {
        let written = specification.document.pointer(&operation.pointer);
        let sunset = written.and_then(|written| written.get("x-sunset")?.as_str());
        let produces = |value: &Value| {
            value.get("produces").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
        };
        Self {
            sunset: sunset.and_then(time::read_date),
            leaves_answers_open: specification.dialect == Dialect::Swagger20
                && (written.is_some_and(produces) || produces(&specification.document)),
        }
    }
}

/// Operations that a former baseline had and this one has not.
#[derive(Debug, Default)]
struct Removed {
    /// Method and template.
    operations: Vec<(Arc<str>, Arc<str>)>,
    router: Router,
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
        let operations = specification.operations.iter();
        let facts = operations.map(|operation| Facts::of(&specification, operation)).collect();
        let parts = specification.operations.iter().map(Parts::of).collect();
        Self {
            router,
            validators,
            facts,
            parts,
            removed: Removed::default(),
            also: Vec::new(),
            prefix: path_prefix.to_owned(),
            specification,
            revision,
            origin,
        }
    }

    /// Remembers what the baseline before had beyond this one, so that it is told as removed and not as unheard of.
    #[must_use]
    pub fn after(mut self, former: &Self) -> Self {
        let name = |operation: &Operation| (operation.method.clone(), operation.template.clone());
        let documented: BTreeSet<_> = self.specification.operations.iter().map(name).collect();
        let gone: Vec<(Arc<str>, Arc<str>)> = former
            .specification
            .operations
            .iter()
            .map(name)
            .chain(former.removed.operations.iter().cloned())
            .filter(|name| !documented.contains(name))
            .take(REMOVED_MAX)
            .collect();
        let entries = gone.iter().map(|(method, template)| (&**method, &**template));
        let bases = former.specification.bases().chain(self.specification.bases());
        let router = Router::of(entries, bases.collect(), &self.prefix);
        self.removed = Removed { operations: gone, router };
        self
    }

    /// Judges these kinds too, which are off by default: `header.undocumented`, `read-write.violated` of requests,
    /// `param.undocumented` of headers.
    #[must_use]
    pub fn also(mut self, kinds: &[Kind]) -> Self {
        self.also = kinds.to_vec();
        self
    }

    /// Judges one exchange. Exchanges of our own contract tests are skipped: whoever judges those clears `own_test`.
    #[must_use]
    pub fn judge(&self, exchange: &Exchange) -> Judgement {
        check::judge(self, exchange, None)
    }

    /// The same with what was observed of the exchange and what is known of bodies like its own.
    #[must_use]
    pub fn judge_observed(
        &self,
        exchange: &Exchange,
        observation: &Observation,
        proofs: &mut Proofs,
    ) -> Judgement {
        check::judge(self, exchange, Some(check::Known { observation, proofs }))
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

    /// The parts of that operation.
    pub(super) fn parts(&self, index: usize) -> &Parts {
        &self.parts[index]
    }

    /// When the document says that an operation ends, Unix milliseconds.
    pub(super) fn sunset(&self, index: usize) -> Option<i64> {
        self.facts.get(index).and_then(|facts| facts.sunset)
    }

    /// Whether an answer that is documented without a body may have one.
    pub(super) fn leaves_answers_open(&self, index: usize) -> bool {
        self.facts.get(index).is_some_and(|facts| facts.leaves_answers_open)
    }

    /// The template of a former baseline that a request is of.
    pub(super) fn removed(&self, method: &str, path: &str) -> Option<&Arc<str>> {
        match self.removed.router.route(method, path) {
            Route::Operation { index, .. } => {
                self.removed.operations.get(index).map(|(_, template)| template)
            }
            Route::OtherMethod(_) | Route::Unknown(_) => None,
        }
    }

    /// Whether a kind that is off by default was asked for.
    pub(super) fn judges(&self, kind: Kind) -> bool {
        self.also.contains(&kind)
    }
}

//! Lowered schemas → compiled validators, on demand and once.
//!
//! Owns the only contact with the validator: offline, draft 2020-12, formats asserted, patterns limited in steps and size,
//! every call guarded against panics. What it cannot judge it says so ([`Reason`]) instead of guessing. Refuses to own what a
//! violation means (`check`).

#[cfg(test)]
mod tests;
mod violation;
mod weigh;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Registry, Validator};
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};

use super::judgement::Reason;
use super::lower::Flavour;
use super::specification::{SchemaRef, Schemas, Side};
pub(super) use violation::{Detail, Step, Violation};

/// Compiled validators kept per baseline; beyond it all are dropped and built again as they are needed.
const VALIDATORS_MAX: usize = 4_096;

/// Steps that one match of a pattern with look-around may take.
const BACKTRACK_MAX: usize = 100_000;

/// Bytes that one compiled pattern may hold.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Errors of one value that are looked at.
const ERRORS_MAX: usize = 1_024;

const REQUEST_URI: &str = "https://driftgate.invalid/request";
const RESPONSE_URI: &str = "https://driftgate.invalid/response";

/// The validators of one specification.
pub(super) struct Validators {
    schemas: Schemas,
    /// None when the bundles could not be indexed; then nothing is judged.
    registry: Option<Registry<'static>>,
    compiled: RwLock<BTreeMap<(Side, Flavour, Arc<str>), Compiled>>,
}

type Compiled = Option<Arc<Validator>>;

impl std::fmt::Debug for Validators {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Validators").finish_non_exhaustive()
    }
}

impl Validators {
    pub(super) fn new(schemas: &Schemas) -> Self {
        let registry = catch_unwind(AssertUnwindSafe(|| {
            Registry::new()
                .draft(Draft::Draft202012)
                .add(REQUEST_URI, schemas.request.clone())?
                .add(RESPONSE_URI, schemas.response.clone())?
                .prepare()
        }));
        Self {
            schemas: schemas.clone(),
            registry: registry.ok().and_then(Result::ok),
            compiled: RwLock::default(),
        }
    }

    /// Whether a value is allowed.
    ///
    /// # Errors
    /// Why it cannot be said.
    pub(super) fn is_valid(
        &self,
        (side, flavour): (Side, Flavour),
        schema: &SchemaRef,
        value: &Value,
    ) -> Result<bool, Reason> {
        let validator = self.validator(side, flavour, schema)?;
        catch_unwind(AssertUnwindSafe(|| validator.is_valid(value))).map_err(|_| Reason::Panic)
    }

    /// What is wrong with a value, at most 1,024 violations.
    ///
    /// # Errors
    /// Why it cannot be said: a pattern ran out of steps, the schema does not compile or has too many errors to list.
    pub(super) fn violations(
        &self,
        (side, flavour): (Side, Flavour),
        schema: &SchemaRef,
        value: &Value,
    ) -> Result<Vec<Violation>, Reason> {
        let validator = self.validator(side, flavour, schema)?;
        let bundle = self.schemas.bundle(side);
        let name = format!("{}{}", schema.key, flavour.suffix());
        let written = bundle.get("$defs").and_then(|schemas| schemas.get(&name));
        if !written.is_some_and(|written| weigh::is_bearable(bundle, written, value)) {
            return Err(Reason::TooComplex);
        }
        catch_unwind(AssertUnwindSafe(|| {
            let errors = validator.iter_errors(value).take(ERRORS_MAX);
            errors.map(|error| Violation::read(&error, bundle, value)).collect()
        }))
        .map_err(|_| Reason::Panic)?
    }

    fn validator(
        &self,
        side: Side,
        flavour: Flavour,
        schema: &SchemaRef,
    ) -> Result<Arc<Validator>, Reason> {
        let slot = (side, flavour, schema.key.clone());
        if let Some(compiled) = self.compiled.read().get(&slot) {
            return compiled.clone().ok_or(Reason::Schema);
        }
        let compiled = self.compile(side, flavour, schema);
        let mut cache = self.compiled.write();
        if cache.len() >= VALIDATORS_MAX {
            cache.clear();
        }
        cache.insert(slot, compiled.clone());
        compiled.ok_or(Reason::Schema)
    }

    /// A validator of one schema of the bundle; none for what does not compile.
    fn compile(&self, side: Side, flavour: Flavour, schema: &SchemaRef) -> Compiled {
        let registry = self.registry.as_ref()?;
        let base = match side {
            Side::Request => REQUEST_URI,
            Side::Response => RESPONSE_URI,
        };
        let target = json!({"$ref": format!("{base}#/$defs/{}{}", schema.key, flavour.suffix())});
        build(registry, &target).map(Arc::new)
    }

    /// One keyword by itself, as every validator of this specification understands it; none for what does not compile.
    pub(super) fn lone(&self, keyword: &str, written: &Value) -> Option<Lone> {
        let target = json!({keyword: written});
        let validator = build(self.registry.as_ref()?, &target)?;
        Some(Lone { validator, text: Mutex::default() })
    }
}

fn build(registry: &Registry<'static>, target: &Value) -> Option<Validator> {
    let patterns =
        PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_MAX).size_limit(PATTERN_BYTES_MAX);
    let built = catch_unwind(AssertUnwindSafe(|| {
        jsonschema::options()
            .offline()
            .with_draft(Draft::Draft202012)
            .with_registry(registry)
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .build(target)
    }));
    built.ok().and_then(Result::ok)
}

/// A keyword without a schema around it, to be asked about scalars.
pub(super) struct Lone {
    validator: Validator,
    /// Memory for the text asked about, so that asking does not allocate.
    text: Mutex<String>,
}

/// What a keyword says of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Holds,
    Fails,
    /// It ran out of its steps.
    Unfinished,
}

impl std::fmt::Debug for Lone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lone").finish_non_exhaustive()
    }
}

impl Lone {
    pub(super) fn text(&self, text: &str) -> Answer {
        let mut memory = self.text.lock();
        let mut owned = std::mem::take(&mut *memory);
        owned.clear();
        owned.push_str(text);
        let value = Value::String(owned);
        let answer = self.scalar(&value);
        if let Value::String(owned) = value {
            *memory = owned;
        }
        answer
    }

    pub(super) fn scalar(&self, value: &Value) -> Answer {
        let asked = catch_unwind(AssertUnwindSafe(|| {
            if self.validator.is_valid(value) {
                return Answer::Holds;
            }
            let fails = self.validator.iter_errors(value).all(|error| {
                !matches!(
                    error.kind(),
                    ValidationErrorKind::BacktrackLimitExceeded { .. }
                        | ValidationErrorKind::RegexEngineFailure { .. }
                )
            });
            if fails { Answer::Fails } else { Answer::Unfinished }
        }));
        asked.unwrap_or(Answer::Unfinished)
    }
}

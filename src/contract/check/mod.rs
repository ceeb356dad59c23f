//! One exchange against one baseline (`spec/contract.md` 3, 4).
//!
//! Owns the order of judging: route, request, what the answer says about it, response, security. Compiles nothing and clones
//! no schema: after routing and parsing, each declared body costs one validation of its declared and one of its strict form.
//! Refuses to own counting.

mod blame;
mod content;
mod flaw;
#[cfg(test)]
mod form_tests;
mod head;
mod media;
mod presence;
mod request;
mod response;
mod security;
mod shape;
mod structure;
#[cfg(test)]
mod tests;
mod union;

use serde_json::Value;

use crate::model::capture::Outcome;
use crate::model::exchange::Exchange;
use crate::model::finding::{Direction, Severity};
use crate::model::kind::Kind;
use crate::model::observation::Observation;

use std::cell::RefCell;

use super::baseline::Baseline;
use super::body::Withheld;
use super::compile::Violation;
use super::fingerprint::fingerprint;
use super::judgement::{Deviation, Effect, Judgement, Reason, Skip, Validity};
use super::kinds;
use super::lower::Flavour;
use super::oracle;
use super::proof::Proofs;
use super::route::{Route, Slots};
use super::slot::Slot;
use super::specification::{Operation, SchemaRef, Side};
use super::wire::Wire;
pub(super) use flaw::Flaw;
use flaw::Reading;
pub(super) use media::find as find_content;
pub(super) use security::is_anonymous;

/// What is known of an exchange before it is judged.
pub(super) struct Known<'a> {
    pub(super) observation: &'a Observation,
    pub(super) proofs: &'a mut Proofs,
}

/// Judges one exchange.
pub(super) fn judge(
    baseline: &Baseline,
    exchange: &Exchange,
    known: Option<Known<'_>>,
) -> Judgement {
    let mut judgement = Judgement { skipped: skip(exchange), ..Judgement::default() };
    if judgement.skipped.is_some() {
        return judgement;
    }
    judgement.tally.slots.push(Slot::api());
    judgement.tally.payload = shape::payload(exchange);
    match baseline.router.route(&exchange.method, &exchange.path) {
        Route::Unknown(path) => {
            judgement.method = exchange.method.as_str().into();
            structure::unknown((baseline, exchange), path, &mut judgement);
            judgement.tally.answer = Some(shape::answer(exchange));
        }
        Route::OtherMethod(index) => {
            judgement.method = exchange.method.as_str().into();
            structure::other_method((baseline, exchange), index, &mut judgement);
        }
        Route::Operation { index, slots } => {
            let operation = baseline.operation(index);
            let (observation, proofs) = match known {
                Some(Known { observation, proofs }) => (Some(observation), Some(proofs)),
                None => (None, None),
            };
            let proofs = proofs.map(|proofs| {
                proofs.meet(exchange.consumer);
                RefCell::new(proofs)
            });
            let case = Case { baseline, exchange, operation, index, observation, proofs };
            judge_operation(&case, &slots, &mut judgement);
        }
    }
    judgement
}

fn skip(exchange: &Exchange) -> Option<Skip> {
    if exchange.own_test {
        return Some(Skip::OwnTest);
    }
    if exchange.outcome != Outcome::Ok || !(200..=599).contains(&exchange.status) {
        return Some(Skip::Incomplete);
    }
    let is_preflight = exchange.method == "OPTIONS"
        && exchange.request.field("access-control-request-method").is_some();
    is_preflight.then_some(Skip::Preflight)
}

fn judge_operation(case: &Case<'_>, slots: &Slots<'_>, judgement: &mut Judgement) {
    let Case { baseline, exchange, operation, index, .. } = *case;
    judgement.operation = Some(index);
    judgement.template = operation.template.clone();
    // What is said of HEAD is said of the GET that answers it.
    judgement.method = operation.method.clone();
    judgement.tally.slots.push(baseline.parts(index).own);
    if matches!(exchange.status, 404 | 405 | 501) {
        judgement.tally.answer = Some(shape::answer(exchange));
    }

    let request = request::judge(case, slots);
    judgement.request = request.validity;
    judgement.effect = oracle::effect(request.validity, exchange.status);
    judgement.tally.request_shape = shape::request(exchange, index, request.form);
    if judgement.effect == Effect::Refused {
        judgement.tally.refusal = Some(blame::refusal(case, request.body.value(), judgement));
    }
    if judgement.effect == Effect::Accepted {
        let parts = &baseline.parts(index).request;
        judgement.tally.slots.extend(request.content.and_then(|at| parts.get(at)).copied());
        for flaw in request.flaws {
            if tells_of_acceptance(flaw.kind) || baseline.judges(flaw.kind) {
                raise(judgement, Direction::Request, flaw);
            }
        }
    }
    judgement.tally.request = request.body;

    if exchange.method != "HEAD" {
        response::judge(case, judgement);
    }
    structure::judge(case, judgement);
    if let Some(flaw) = security::judge(case) {
        raise(judgement, Direction::Structure, flaw);
    }
}

/// Kinds that an accepted request shows; of a value beyond a bound or an enum nothing follows for anybody.
fn tells_of_acceptance(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::FieldUndocumented
            | Kind::FieldRequiredMissing
            | Kind::TypeChanged
            | Kind::ParamUndocumented
            | Kind::ParamRequiredMissing
            | Kind::ParamInvalid
            | Kind::MediaTypeUndocumented
            | Kind::BodyUndocumented
    )
}

/// What every part of judging an operation looks at.
struct Case<'a> {
    baseline: &'a Baseline,
    exchange: &'a Exchange,
    operation: &'a Operation,
    /// Of the operation among those of the specification.
    index: usize,
    observation: Option<&'a Observation>,
    /// Written while the case is looked at from several sides.
    proofs: Option<RefCell<&'a mut Proofs>>,
}

/// The flaws of a value.
#[derive(Default)]
struct Flaws {
    list: Vec<Flaw>,
    /// Nothing was found because there is nothing, not because it was withheld.
    plain: bool,
}

impl<'a> Case<'a> {
    fn wire(&self, side: Side) -> Wire<'a> {
        Wire { schemas: &self.baseline.specification.schemas, side }
    }

    /// Flaws of a value against a schema: those of the declared form, or, if it accepts, of the strict form.
    fn flaws(
        &self,
        side: Side,
        schema: &SchemaRef,
        value: &Value,
        withheld: &Withheld,
    ) -> Result<(Flaws, Validity), Reason> {
        let validators = &self.baseline.validators;
        let mut plain = true;
        for (flavour, validity) in
            [(Flavour::Declared, Validity::Invalid), (Flavour::Strict, Validity::Valid)]
        {
            if validators.is_valid((side, flavour), schema, value)? {
                continue;
            }
            plain = false;
            let violations: Vec<Violation> =
                validators.violations((side, flavour), schema, value)?;
            let strict = flavour == Flavour::Strict;
            let reading = Reading { value, withheld, wire: self.wire(side), strict };
            let flaws = reading.flaws(violations);
            // Nothing but withheld values was wrong: the strict form may still say more.
            if flaws.is_empty() && !strict {
                continue;
            }
            return Ok((Flaws { list: flaws, plain }, validity));
        }
        Ok((Flaws { list: Vec::new(), plain }, Validity::Valid))
    }
}

/// Adds a deviation to a judgement, unless the kind is off.
fn raise(judgement: &mut Judgement, direction: Direction, flaw: Flaw) {
    let deviation = deviation(judgement, direction, flaw);
    let is_known =
        judgement.deviations.iter().any(|known| known.fingerprint == deviation.fingerprint);
    if !is_known {
        judgement.deviations.push(deviation);
    }
}

/// A flaw as a deviation of the operation that a judgement is of.
pub(super) fn deviation(judgement: &Judgement, direction: Direction, flaw: Flaw) -> Deviation {
    let accepted = judgement.effect == Effect::Accepted;
    let place = (&*judgement.method, &*judgement.template);
    let severity = match (flaw.kind, flaw.location.status.parse()) {
        (Kind::StatusUndocumented, Ok(status)) => kinds::status_severity(status),
        // An extensible enum says itself that more members may come.
        (Kind::EnumWidened, _) if flaw.location.keyword == "x-extensible-enum" => Severity::Info,
        (kind, _) => kinds::severity(kind, direction, accepted),
    };
    Deviation {
        kind: flaw.kind,
        direction,
        severity,
        verdict: kinds::verdict(flaw.kind, direction, accepted),
        fingerprint: fingerprint(place, direction, flaw.kind, &flaw.location, &flaw.written),
        slot: Slot::of(flaw.kind, direction, place, &flaw.location),
        location: flaw.location,
        expected: flaw.expected,
        observed: flaw.observed,
        prior: flaw.prior,
    }
}

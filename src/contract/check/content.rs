//! One body against its schema, one head against its fields: by proof where its like was judged before, in full otherwise.
//!
//! Owns what judging in full gives and which part of it is kept as a [`Proof`]. Refuses to own which schema speaks of a body.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::body::{self, Read, Unread};
use super::super::guard::Plan;
use super::super::judgement::{Reason, Seen, Validity};
use super::super::proof::{Advice, Field, HeadName, Look, Proof, Proofs, Question};
use super::super::specification::{SchemaRef, Side};
use super::{Case, Flaws, presence, shape};
use crate::model::observation::{Body, Tape};

/// A body that was judged.
pub(super) struct Judged {
    pub(super) proof: Arc<Proof>,
    /// The body as far as counting needs it.
    pub(super) seen: Seen,
}

impl Case<'_> {
    /// Judges a JSON body.
    pub(super) fn judge_json(
        &self,
        side: Side,
        schema: &SchemaRef,
        bytes: &[u8],
    ) -> Result<Judged, Unread> {
        if bytes.len() > body::BODY_BYTES_MAX {
            return Err(Unread::Unvalidatable(Reason::TooLarge));
        }
        let look = self.tape(side).map_or(Look::Nothing, Look::Tape);
        let read = || body::json(bytes, &self.exchange.plan);
        self.judge_body((side, schema), (bytes, look), read)
    }

    /// Judges a form, whose shape `hash` finds.
    pub(super) fn judge_form(
        &self,
        schema: &SchemaRef,
        bytes: &[u8],
        hash: &dyn Fn(&Plan, usize) -> Option<u64>,
        read: impl FnOnce() -> Result<Read, Unread>,
    ) -> Result<Judged, Unread> {
        self.judge_body((Side::Request, schema), (bytes, Look::Form(hash)), read)
    }

    /// Judges a body that `read` makes a value of, where what `look` sees of it is not known.
    pub(super) fn judge_body(
        &self,
        (side, schema): (Side, &SchemaRef),
        (bytes, look): (&[u8], Look<'_>),
        read: impl FnOnce() -> Result<Read, Unread>,
    ) -> Result<Judged, Unread> {
        // Of a refused request the value itself is asked which field was meant: no proof helps, but the limit holds.
        let is_refused = side == Side::Request && matches!(self.exchange.status, 400 | 415 | 422);
        match &self.proofs {
            Some(proofs) if !is_refused => {
                self.consult(&mut proofs.borrow_mut(), (side, schema), (bytes, look), read)
            }
            Some(proofs) if !proofs.borrow_mut().admit_refused(self.exchange.time_ms) => {
                Err(Unread::Unvalidatable(Reason::Skipped))
            }
            _ => Ok(self.judge_read(side, schema, read()?)),
        }
    }

    fn consult(
        &self,
        proofs: &mut Proofs,
        (side, schema): (Side, &SchemaRef),
        (bytes, look): (&[u8], Look<'_>),
        read: impl FnOnce() -> Result<Read, Unread>,
    ) -> Result<Judged, Unread> {
        let exchange = self.exchange;
        let question = Question {
            side,
            schema,
            look,
            body: bytes,
            redaction: &exchange.plan,
            status: exchange.status,
            time_ms: exchange.time_ms,
        };
        match proofs.ask(self.baseline, &question) {
            Advice::Known(proof) => {
                let seen = if matches!(look, Look::Form(_)) { Seen::Scalars } else { Seen::Unread };
                Ok(Judged { proof, seen })
            }
            Advice::Skip => Err(Unread::Unvalidatable(Reason::Skipped)),
            Advice::Judge(ticket) => {
                let read = match read() {
                    Ok(read) => read,
                    Err(unread) => {
                        proofs.refute(&ticket);
                        return Err(unread);
                    }
                };
                let proof = proofs.learn(ticket, self.prove(side, schema, &read));
                Ok(Judged { proof, seen: Seen::Value(read.value) })
            }
        }
    }

    /// Judges the parameters or headers of a message: by what is known of heads of the same `hash`, or in full by `judge`.
    pub(super) fn judge_head(
        &self,
        name: HeadName,
        hash: impl FnOnce(&Plan, &[Field]) -> Option<u64>,
        judge: impl FnOnce() -> Proof,
    ) -> Arc<Proof> {
        let Some(proofs) = &self.proofs else { return Arc::new(judge()) };
        let mut proofs = proofs.borrow_mut();
        match proofs.ask_head(self.baseline, name, hash) {
            Advice::Known(proof) => proof,
            Advice::Judge(ticket) => proofs.learn(ticket, judge()),
            Advice::Skip => Arc::new(judge()),
        }
    }

    fn judge_read(&self, side: Side, schema: &SchemaRef, read: Read) -> Judged {
        let proof = Arc::new(self.prove(side, schema, &read));
        Judged { proof, seen: Seen::Value(read.value) }
    }

    /// Judges in full.
    fn prove(&self, side: Side, schema: &SchemaRef, read: &Read) -> Proof {
        let Read { value, withheld } = read;
        let (Flaws { list: flaws, plain }, validity) =
            match self.flaws(side, schema, value, withheld) {
                Ok((flaws, validity)) => (flaws, validity),
                Err(reason) => (Flaws::default(), Validity::Unvalidatable(reason)),
            };
        // Where something is missing anyway nothing can be missed, and a form is asked of requests alone.
        let fields = if side == Side::Response && validity != Validity::Invalid {
            self.fields(schema, value)
        } else {
            BTreeMap::new()
        };
        let plain = plain && fields.len() < presence::FIELDS_MAX;
        let fields = fields.into_iter().map(|(name, is_there)| (name.into(), is_there)).collect();
        let form = if side == Side::Request { shape::form(value) } else { 0 };
        Proof { flaws, validity, fields, form, plain }
    }

    fn fields(&self, schema: &SchemaRef, value: &Value) -> BTreeMap<String, bool> {
        let wire = self.wire(Side::Response);
        presence::fields(wire, wire.schemas.get(wire.side, schema), value)
    }

    /// What was observed of a body.
    fn tape(&self, side: Side) -> Option<&Tape> {
        let observation = self.observation?;
        let body = match side {
            Side::Request => &observation.request,
            Side::Response => &observation.response,
        };
        match body {
            Body::Tape { tape, .. } => Some(tape),
            _ => None,
        }
    }
}

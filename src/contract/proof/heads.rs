//! What is known of the heads of messages: parameters of requests, headers of answers.
//!
//! Owns, for each operation and each of its documented answers, the fields that are judged there and where their schemas
//! stand in the plan. A head is looked up in the same table as bodies, is audited as often, and is never skipped, since it is
//! short. Refuses to own the hash of a head (`check::head`).

use super::super::baseline::Baseline;
use super::super::guard::{FREE, Plan, Shape};
use super::super::specification::{Parameter, Place, SchemaRef, Side, Style};
use super::super::wire::{Types, Wire};
use super::{AUDIT_EACH, Advice, Proofs, Slot, Ticket, key};

/// Which head: of the requests of an operation, or of one of its documented answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::contract) struct Name {
    pub(in crate::contract) operation: usize,
    pub(in crate::contract) response: Option<usize>,
}

/// What is known before it is asked of the fields of a head.
#[derive(Debug)]
pub(super) struct Head {
    slot: usize,
    fields: Box<[Field]>,
}

/// One parameter or header.
#[derive(Debug)]
pub(in crate::contract) struct Field {
    /// Where the plan of its schema begins.
    pub(in crate::contract) place: usize,
    pub(in crate::contract) types: Types,
    /// It is one scalar, spelled as it is.
    pub(in crate::contract) plain: bool,
}

impl Proofs {
    /// Looks a head up by the hash that `hash` makes of it; none where nothing can be known of one like it.
    pub(in crate::contract) fn ask_head(
        &mut self,
        baseline: &Baseline,
        name: Name,
        hash: impl FnOnce(&Plan, &[Field]) -> Option<u64>,
    ) -> Advice {
        if !self.heads.contains_key(&name) {
            let head = self.head(baseline, name);
            self.heads.insert(name, head);
        }
        let Some(head) = self.heads.get(&name) else { return Advice::Judge(Ticket::default()) };
        let shape = hash(&self.plan, &head.fields).map(Shape::whole);
        let known = shape.and_then(|shape| self.table.get(key(head.slot, shape)));
        let slot = &mut self.slots[head.slot];
        slot.count(known.is_some());
        match known {
            Some(known) if !slot.seen.is_multiple_of(AUDIT_EACH) => {
                self.counts.hits += 1;
                return Advice::Known(known);
            }
            Some(_) => self.counts.audits += 1,
            None if shape.is_some() => self.counts.misses += 1,
            None => self.counts.unprovable += 1,
        }
        Advice::Judge(Ticket { slot: head.slot, coarse: shape, exact: shape, known })
    }

    fn head(&mut self, baseline: &Baseline, name: Name) -> Head {
        let operation = baseline.operation(name.operation);
        let fields = match name.response {
            None => {
                let parameters = operation.parameters.iter();
                parameters.map(|parameter| self.parameter(baseline, parameter)).collect()
            }
            Some(at) => {
                let headers = operation.responses.get(at).into_iter().flat_map(|it| &it.headers);
                let schemas = headers.map(|header| header.schema.as_ref());
                schemas.map(|schema| self.field(baseline, Side::Response, schema)).collect()
            }
        };
        self.slots.push(Slot::default());
        Head { slot: self.slots.len() - 1, fields }
    }

    fn parameter(&mut self, baseline: &Baseline, parameter: &Parameter) -> Field {
        let field = self.field(baseline, Side::Request, parameter.schema.as_ref());
        let is_plain = match parameter.place {
            Place::Path => parameter.style == Style::Simple,
            Place::Query => parameter.style == Style::Form && !parameter.allow_empty_value,
            Place::Header | Place::Cookie | Place::QueryString => true,
        };
        Field { plain: field.plain && is_plain && parameter.media.is_none(), ..field }
    }

    fn field(&mut self, baseline: &Baseline, side: Side, schema: Option<&SchemaRef>) -> Field {
        let schemas = &baseline.specification.schemas;
        let Some(schema) = schema else {
            return Field { place: FREE, types: Types::default(), plain: true };
        };
        let place = self.plan.root((schemas, &baseline.validators), (side, schema));
        let types = Wire { schemas, side }.types(schemas.get(side, schema));
        Field { place, types, plain: !types.has("array") && !types.has("object") }
    }
}

//! One template and method to one operation of the document.
//!
//! Owns what is stated of an operation and where each part comes from. Refuses to own the rules of each part.

use std::collections::BTreeSet;

use super::components::Shared;
use super::identity::Identities;
use super::ir::{Operation, Place, Request, Response, Support};
use super::names::{self, Style};
use super::paths::{Found, Step, is_by_identity};
use super::pools::Direction;
use super::refusals::Routed;
use super::security::Security;
use super::shapes::Context;
use super::{bodies, parameters, shapes};
use crate::infer::evidence::{Body, Cell};
use crate::infer::monoid::Bits64;
use crate::infer::published::Names;
use crate::infer::{ProjectOptions, View};
use crate::model::observation::Method;

/// Builds operations one after the other.
pub(super) struct Builder<'a> {
    pub(super) api: &'a str,
    pub(super) body: &'a Body,
    pub(super) options: &'a ProjectOptions,
    pub(super) routed: &'a Routed<'a>,
    pub(super) security: Security,
    pub(super) taken: BTreeSet<String>,
    pub(super) identities: Identities,
    pub(super) style: Style,
    pub(super) several_consumers: bool,
    pub(super) shared: &'a Shared,
    pub(super) nothing: &'a BTreeSet<u64>,
}

impl<'a> Builder<'a> {
    pub(super) fn operation(&mut self, index: usize, found: &Found) -> Operation {
        let cell = &found.cell;
        let names = self.names(index, found);
        let support = Support::of(cell.n, cell.n);
        let nouns = names::nouns_before(&found.steps, found.steps.len());
        let called = nouns.last().map_or("", String::as_str);
        let context = Context { called, ..self.context(found) };
        let mut parameters = parameters::of_template(&found.steps, &names.parameters, support);
        parameters.extend(parameters::stated(&cell.query, cell, Place::Query, context));
        parameters.extend(parameters::stated(&cell.headers, cell, Place::Header, context));
        parameters.extend(parameters::stated(&cell.cookies, cell, Place::Cookie, context));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 261")]
        let consumers = cell.consumers.estimate().min(261.0).round() as u64;
        let demanded = self.routed.demanded(index, &cell.request);
        let answered = answered(cell);
        let permissive = self.options.view == View::Permissive;
        Operation {
            method: found.method,
            template: template(&found.steps, &names.parameters, cell.slashed.0 * 2 > cell.n.0),
            id: names.operation_id,
            stable_id: names.id,
            parameters,
            request: request(
                found,
                Context { demanded: &demanded, answered: &answered, ..context },
            ),
            responses: self.responses(index, found, context),
            others: permissive,
            protocol: None,
            unproven: false,
            security: self.security.of(cell, self.routed.challenges(index), permissive),
            support,
            consumers,
            depths: found.depths.clone(),
            last_ms: cell.last_ms.0,
        }
    }

    /// What an operation and its parameters are called: as published, where its template is what it was.
    fn names(&mut self, index: usize, found: &Found) -> Names {
        let method =
            Method::DOCUMENTED.get(usize::from(found.method)).cloned().unwrap_or(Method::Get);
        let former = self.identities.names(index).cloned();
        let known = self.identities.parameters(&found.steps);
        let parameters = names::parameters(&found.steps, self.style, known);
        let operation_id = former.map_or_else(
            || names::operation(&method, &found.steps, lists(found), &mut self.taken),
            |names| names.operation_id,
        );
        let names = Names { id: self.identities.id(index).to_owned(), operation_id, parameters };
        self.identities.publish(found, names.clone());
        names
    }

    fn context(&self, found: &Found) -> Context<'a> {
        let by_identity = is_by_identity(&found.steps);
        Context { by_identity, consumers: found.cell.consumers, ..self.context_of_nothing() }
    }

    /// The context in which nothing is known of an operation.
    pub(super) fn context_of_nothing(&self) -> Context<'a> {
        Context {
            view: self.options.view,
            direction: Direction::Answer,
            samples_min: self.options.samples_min,
            by_identity: false,
            textual: false,
            consumers: Bits64::default(),
            several_consumers: self.several_consumers,
            instances: None,
            name: "",
            called: "",
            optional: self.nothing,
            demanded: self.nothing,
            answered: self.nothing,
            depth: 0,
            under: 0,
            of_map: false,
            shared: self.shared,
        }
    }

    fn responses(&self, index: usize, found: &Found, context: Context<'_>) -> Vec<(u16, Response)> {
        let cell = &found.cell;
        let mut responses: Vec<(u16, Response)> = cell
            .responses
            .iter()
            .map(|(status, response)| {
                let names = response
                    .headers
                    .iter()
                    .filter(|entry| entry.value.k.0 * 2 >= response.n.0)
                    .map(|entry| (entry.name.to_string(), parameters::of_field(&entry.value)));
                let mut headers: Vec<_> = names.collect();
                headers.sort_by(|left, right| left.0.cmp(&right.0));
                let schemas = bodies::content(&response.bodies, context);
                let support = Support::of(response.n, cell.n);
                (*status, Response { headers, content: schemas, support })
            })
            .collect();
        for (status, counts) in self.routed.of(index) {
            let response = counts.response(status, self.body, cell.n, context);
            responses.extend(response.map(|response| (status, response)));
        }
        responses.sort_by_key(|(status, _)| *status);
        responses
    }
}

/// The names of all members that an operation answers with.
pub(super) fn answered(cell: &Cell) -> BTreeSet<u64> {
    let mut names = BTreeSet::new();
    let bodies = cell.responses.values().flat_map(|response| response.bodies.iter());
    bodies.for_each(|entry| shapes::names(&entry.value.shape, &mut names));
    names
}

fn request(found: &Found, context: Context<'_>) -> Option<Request> {
    const REQUIRED: u32 = 59;
    let cell = &found.cell;
    let schemas =
        bodies::content(&cell.request, Context { direction: Direction::Request, ..context });
    let required = !cell.bodiless.any() && cell.n.0 >= REQUIRED;
    (!schemas.is_empty()).then_some(Request { required, content: schemas })
}

pub(super) fn template(steps: &[Step], names: &[String], slashed: bool) -> String {
    let mut names = names.iter();
    let mut template = String::new();
    for step in steps {
        template.push('/');
        match step {
            Step::Literal(text) => template.push_str(text),
            Step::Wildcard(wildcard) => {
                let mut name = |_| format!("{{{}}}", names.next().map_or("", String::as_str));
                template.push_str(&wildcard.segment(&mut name));
            }
        }
    }
    if slashed || template.is_empty() {
        template.push('/');
    }
    template
}

/// Whether an operation answers with a list: an array, or an object with one at its top.
fn lists(found: &Found) -> bool {
    found
        .cell
        .responses
        .iter()
        .filter(|(status, _)| **status < 300)
        .flat_map(|(_, response)| response.bodies.iter())
        .any(|entry| {
            let shape = &entry.value.shape;
            let within = shape.members.iter().flat_map(|members| members.keys.iter());
            shape.array.any()
                || within
                    .filter(|member| member.value.shape.array.any())
                    .any(|member| matches!(&*member.name, "data" | "items" | "results" | "list"))
        })
}

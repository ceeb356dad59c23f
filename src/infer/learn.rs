//! The fold of one observation into the evidence.
//!
//! Owns which counts an exchange moves: accepted ones build operations, refusals are kept apart so that it does not matter
//! whether the operation was known yet. Refuses to look at anything but the observation, and to walk the trie (`trie`).

use super::evidence::{
    self, BodyEvidence, Cell, Evidence, Lists, ParameterEvidence, Response, Stream,
};
use super::generations::{self, Generations};
use super::limits::{self, Size};
use super::monoid::Count;
use super::novelty::{Novelty, is_threshold};
use super::plans::Budget;
use super::refuse::refuse;
use super::table::{Name, Table};
use super::trie;
use crate::model::observation::{
    Body, Classes, Framing, Item, List, Method, Noise, Observation, Parameter,
};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Classes of items that make a list of a value with separators.
const LISTED: Classes = Classes::INTEGER
    .or(Classes::DECIMAL)
    .or(Classes::DIGITS)
    .or(Classes::UUID)
    .or(Classes::DATE)
    .or(Classes::DATE_TIME)
    .or(Classes::OBJECT_ID)
    .or(Classes::ULID)
    .or(Classes::HEX)
    .or(Classes::PREFIXED)
    .or(Classes::EMAIL)
    .or(Classes::IPV4)
    .or(Classes::KEYWORD);

/// Folds one observation into the evidence; equal to merging with the evidence of that observation alone.
pub fn learn(evidence: &mut Evidence, observation: &Observation) -> Novelty {
    let mut novelty = Novelty::default();
    let Evidence { body, plans, size, .. } = evidence;
    if let Some(noise) = observation.noise {
        leave_out(body, observation, noise);
        return novelty;
    }
    if observation.canonical_redirect || matches!(observation.status, 301 | 308) {
        body.corrections.add(1);
        return novelty;
    }
    body.learned.add(1);
    if observation.time_ms > 0 {
        body.times.see(observation.time_ms);
    }
    if !observation.server.is_empty() {
        body.servers.slot(Name::public(&observation.server)).0.add();
    }
    if u64::from(observation.epoch) > body.newest.0 {
        body.newest.see(u64::from(observation.epoch));
        generations::age(&mut body.root, body.newest.0);
    }
    if !observation.accepted() {
        refuse(body, observation, &mut Work { novelty: &mut novelty, plans });
    } else if limits::admit(body, plans, size, (observation, cell_of(&observation.method))) {
        accept(body, observation, size, &mut Work { novelty: &mut novelty, plans });
    }
    if novelty.is_some() {
        size.grew(body);
    }
    novelty
}

/// What a fold needs beside what it folds.
pub(super) struct Work<'a> {
    pub(super) novelty: &'a mut Novelty,
    pub(super) plans: &'a mut Budget,
}

/// Counts what is not learned from; of other protocols also where they are spoken.
fn leave_out(body: &mut evidence::Body, observation: &Observation, noise: Noise) {
    body.noise.entry(noise as u16).or_default().add(1);
    if noise.is_protocol() {
        let mut name = format!("{}\t{}", noise.as_str(), observation.method.as_str());
        trie::symbolise(&observation.path, &mut name);
        body.protocols.slot(Name::public(&name)).0.add();
    }
}

fn accept(
    body: &mut evidence::Body,
    observation: &Observation,
    size: &mut Size,
    work: &mut Work<'_>,
) {
    body.accepted.add(1);
    observation.ids.iter().for_each(|id| body.known_ids.see(*id));
    let newest = body.newest.0;
    let node = trie::descend(&mut body.root, observation, work.novelty, &mut size.nodes);
    let head_only = observation.method == Method::Head;
    let index = cell_of(&observation.method);
    if Method::DOCUMENTED.len() <= usize::from(index) {
        node.other_methods.see(observation.method.as_str());
        return;
    }
    let none = Generations::default();
    if !node.cells.get(&index).unwrap_or(&none).wants(observation.epoch, newest) {
        return;
    }
    let generations = node.cells.entry(index).or_default();
    let (cell, first) = generations.of(observation.epoch);
    work.novelty.operation |= first;
    size.cells += usize::from(first);
    cell.see(observation, head_only, work);
    generations.age(newest);
}

/// The cell that a method is counted in: that of GET for HEAD, beyond all for methods that OpenAPI does not know.
pub(super) fn cell_of(method: &Method) -> u16 {
    let method = if *method == Method::Head { &Method::Get } else { method };
    let index = Method::DOCUMENTED.iter().position(|known| known == method);
    index.and_then(|index| u16::try_from(index).ok()).unwrap_or(u16::MAX)
}

impl Cell {
    pub(super) fn see(&mut self, observation: &Observation, head_only: bool, work: &mut Work<'_>) {
        self.n.add();
        self.weight.add(u64::from(observation.weight));
        work.novelty.due |= is_threshold(self.n);
        self.consumers.see_hash(observation.consumer);
        let hour = observation.time_ms.div_euclid(HOUR_MS);
        self.hours.see_hash(hour.cast_unsigned());
        self.last_ms.see(u64::try_from(observation.time_ms).unwrap_or(0));
        if observation.path.trailing_slash {
            self.slashed.add();
        }
        see_parameters(&mut self.query, &observation.query, observation, work.novelty);
        see_parameters(&mut self.headers, &observation.headers, observation, work.novelty);
        see_parameters(&mut self.cookies, &observation.cookies, observation, work.novelty);
        self.credentials.see(&observation.credentials);
        see_body(&mut self.request, &mut self.bodiless, &observation.request, work);
        work.novelty.status |= !self.responses.contains_key(&observation.status);
        let response = self.responses.entry(observation.status).or_default();
        response.see(observation, head_only, work);
    }
}

impl Response {
    fn see(&mut self, observation: &Observation, head_only: bool, work: &mut Work<'_>) {
        self.n.add();
        let fields = &observation.response_headers;
        see_parameters(&mut self.headers, fields, observation, work.novelty);
        if !head_only {
            see_body(&mut self.bodies, &mut self.bodiless, &observation.response, work);
        }
    }
}

/// Counts parameters or fields of one exchange.
pub(super) fn see_parameters<const K: usize>(
    table: &mut Table<ParameterEvidence, K>,
    parameters: &[Parameter],
    observation: &Observation,
    novelty: &mut Novelty,
) {
    for parameter in parameters {
        let name = Name { hash: parameter.hash, rank: 0, text: &parameter.name };
        let (evidence, new) = table.slot(name);
        novelty.parameter |= new;
        evidence.see(parameter, observation, novelty);
    }
}

impl ParameterEvidence {
    fn see(&mut self, parameter: &Parameter, observation: &Observation, novelty: &mut Novelty) {
        self.k.add();
        novelty.due |= is_threshold(self.k);
        self.consumers.see_hash(observation.consumer);
        if parameter.repeats > 1 {
            self.repeated.add();
        }
        if parameter.bare {
            self.bare.add();
        }
        let kept = observation.text(parameter.kept);
        let kept = (!kept.is_empty()).then_some(kept);
        self.texts.see(parameter.classes, kept, parameter.mark, novelty);
        if let Some(list) = parameter.list {
            let lists = match list.separator {
                '|' => &mut self.pipes,
                ' ' => &mut self.spaces,
                _ => &mut self.commas,
            };
            lists.get_or_insert_default().see(list);
        }
    }
}

impl Lists {
    fn see(&mut self, list: List) {
        self.n.add();
        self.lengths.see(i64::from(list.items));
        if list.classes.meets(LISTED) {
            self.uniform.add();
            self.items.see(list.classes);
        }
    }
}

fn see_body<const K: usize>(
    table: &mut Table<BodyEvidence, K>,
    bodiless: &mut Count,
    body: &Body,
    work: &mut Work<'_>,
) {
    let media = match body {
        Body::Absent => return bodiless.add(),
        Body::Unknown => return,
        Body::Opaque { media }
        | Body::Malformed { media }
        | Body::Tape { media, .. }
        | Body::Items { media, .. } => media,
    };
    let (evidence, new) = table.slot(Name::public(media));
    work.novelty.media |= new;
    evidence.n.add();
    evidence.see(body, work);
}

impl BodyEvidence {
    fn see(&mut self, body: &Body, work: &mut Work<'_>) {
        match body {
            Body::Malformed { .. } => self.malformed.add(),
            Body::Tape { tape, .. } => {
                self.read.add();
                if tape.truncated {
                    self.truncated.add();
                }
                if tape.mislabelled {
                    self.mislabelled.add();
                }
                if tape.duplicates > 0 {
                    self.duplicates.add();
                }
                self.skipped.0 = self.skipped.0.saturating_add(tape.skipped);
                self.shape.fold(tape, work);
            }
            Body::Items { framing, items, texts, truncated, .. } => {
                if *truncated {
                    self.truncated.add();
                }
                let stream = self.stream.get_or_insert_default();
                stream.texts.0 = stream.texts.0.saturating_add(*texts);
                stream.see(*framing, items, work);
            }
            Body::Absent | Body::Unknown | Body::Opaque { .. } => {}
        }
    }
}

impl Stream {
    fn see(&mut self, framing: Framing, items: &[Item], work: &mut Work<'_>) {
        self.framings.entry(framing as u16).or_default().add();
        for item in items {
            self.items.add();
            let (shape, new) = self.events.slot(Name::public(&item.event));
            work.novelty.key |= new;
            shape.fold(&item.tape, work);
        }
    }
}

//! The fold of one observation into the evidence.
//!
//! Owns which counts an exchange moves: accepted ones build operations, refusals are kept apart so that it does not matter
//! whether the operation was known yet. Refuses to look at anything but the observation.

use super::collapse;
use super::evidence::{BodyEvidence, Cell, Evidence, Node, ParameterEvidence, Refusal, Response};
use super::monoid::Count;
use super::novelty::{Novelty, is_threshold};
use super::shape::DATA_MARK;
use super::signature;
use super::table::{Name, Table};
use crate::model::exchange::Credential;
use crate::model::observation::{
    Body, DataClass, Method, Observation, Parameter, Path, Segment, SegmentClass,
};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Folds one observation into the evidence; equal to merging with the evidence of that observation alone.
pub fn learn(evidence: &mut Evidence, observation: &Observation) -> Novelty {
    let body = &mut evidence.body;
    let mut novelty = Novelty::default();
    if let Some(noise) = observation.noise {
        body.noise.entry(noise as u16).or_default().add(1);
        return novelty;
    }
    if observation.canonical_redirect || matches!(observation.status, 301 | 308) {
        body.corrections.add(1);
        return novelty;
    }
    body.learned.add(1);
    if let Some(server) = &observation.server {
        body.servers.slot(Name::public(server)).0.add();
    }
    if !observation.accepted() {
        refuse(body, observation, &mut novelty);
        return novelty;
    }
    body.accepted.add(1);
    observation.ids.iter().for_each(|id| body.known_ids.see(*id));
    let node = descend(&mut body.root, observation, &mut novelty);
    let (method, head_only) = match &observation.method {
        Method::Head => (Method::Get, true),
        other => (other.clone(), false),
    };
    let Some(index) = Method::DOCUMENTED.iter().position(|known| *known == method) else {
        node.other_methods.see(method.as_str());
        return novelty;
    };
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    novelty.operation |= !node.cells.contains_key(&index);
    let cell = node.cells.entry(index).or_default();
    cell.see(observation, head_only, &mut novelty);
    novelty
}

/// Walks the trie along the path, counting visits; makes nodes where there are none.
fn descend<'a>(
    root: &'a mut Node,
    observation: &Observation,
    novelty: &mut Novelty,
) -> &'a mut Node {
    let path = &observation.path;
    let mut node = root;
    for (depth, segment) in path.segments.iter().enumerate() {
        if segment.class.is_soft() && node.children.get(segment.hash).is_none() {
            collapse::growing(node);
        }
        node = child(node, path, segment);
        novelty.path |= node.visits.0 == 0;
        node.visit(segment, path.text_of(segment), observation.consumer);
        for echo in observation.echoes.iter().filter(|echo| echo.segment == depth) {
            let table = if echo.strong { &mut node.strong_echoes } else { &mut node.weak_echoes };
            table.slot(Name::public(&echo.key)).0.add();
        }
    }
    node
}

/// The child that a segment leads to: by class for data, by text for words, `star` where texts were given up.
fn child<'a>(node: &'a mut Node, path: &Path, segment: &Segment) -> &'a mut Node {
    if let Some(class) = segment.class.data() {
        let mut buffer = [0_u8; 16];
        let name = data_symbol(class, &mut buffer);
        return node.children.slot(Name::public(name)).0;
    }
    let collapsed = node.star.is_some()
        && collapse::gives_up(segment.class)
        && node.children.get(segment.hash).is_none();
    if collapsed {
        return node.star.get_or_insert_default();
    }
    let rank = rank(segment.class);
    let name = Name { hash: segment.hash, rank, text: path.text_of(segment) };
    node.children.slot(name).0
}

/// The name of the child that stands for a class of data, without allocation.
fn data_symbol(class: DataClass, buffer: &mut [u8; 16]) -> &str {
    let text = class.as_str().as_bytes();
    let end = text.len() + 1;
    if let Some(place) = buffer.get_mut(1..end) {
        place.copy_from_slice(text);
    }
    buffer.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

/// Which literals survive a flood: words first.
fn rank(class: SegmentClass) -> u8 {
    match class {
        SegmentClass::Version | SegmentClass::Reserved | SegmentClass::Data(_) => 0,
        SegmentClass::Word => 1,
        SegmentClass::Words => 2,
        SegmentClass::Plain => 3,
        SegmentClass::WordDigits => 4,
        SegmentClass::Dotted | SegmentClass::Other | SegmentClass::Improbable => 5,
    }
}

/// A class as evidence keeps it: never 0, data from 32 on.
pub(super) fn class_code(class: SegmentClass) -> u64 {
    match class {
        SegmentClass::Version => 1,
        SegmentClass::Reserved => 2,
        SegmentClass::Word => 3,
        SegmentClass::Words => 4,
        SegmentClass::Plain => 5,
        SegmentClass::WordDigits => 6,
        SegmentClass::Dotted => 7,
        SegmentClass::Other => 8,
        SegmentClass::Improbable => 9,
        SegmentClass::Data(class) => 32 + class as u64,
    }
}

impl Node {
    fn visit(&mut self, segment: &Segment, text: &str, consumer: u64) {
        self.class.see(class_code(segment.class));
        self.visits.add();
        self.consumers.see_hash(consumer);
        self.distinct.see_hash(segment.hash);
        if segment.class.data().is_some() {
            match text {
                "" => self.values.open(),
                text => self.values.see(text),
            }
            self.sample.slot(Name { hash: segment.hash, rank: 0, text: "" }).0.add();
        } else {
            self.word.see(segment.word);
        }
    }
}

impl Cell {
    fn see(&mut self, observation: &Observation, head_only: bool, novelty: &mut Novelty) {
        self.n.add();
        novelty.due |= is_threshold(self.n);
        self.consumers.see_hash(observation.consumer);
        let hour = observation.time_ms.div_euclid(HOUR_MS);
        self.hours.see_hash(hour.cast_unsigned());
        self.last_ms.see(u64::try_from(observation.time_ms).unwrap_or(0));
        if observation.path.trailing_slash {
            self.slashed.add();
        }
        see_parameters(&mut self.query, &observation.query, observation.consumer, novelty);
        see_parameters(&mut self.headers, &observation.headers, observation.consumer, novelty);
        self.credentials.see(&credential_set(&observation.credentials));
        see_body(&mut self.request, &mut self.bodiless, &observation.request, novelty);
        novelty.status |= !self.responses.contains_key(&observation.status);
        let response = self.responses.entry(observation.status).or_default();
        response.see(observation, head_only, novelty);
    }
}

impl Response {
    fn see(&mut self, observation: &Observation, head_only: bool, novelty: &mut Novelty) {
        self.n.add();
        let consumer = observation.consumer;
        see_parameters(&mut self.headers, &observation.response_headers, consumer, novelty);
        if !head_only {
            see_body(&mut self.bodies, &mut self.bodiless, &observation.response, novelty);
        }
    }
}

fn see_parameters<const K: usize>(
    table: &mut Table<ParameterEvidence, K>,
    parameters: &[Parameter],
    consumer: u64,
    novelty: &mut Novelty,
) {
    for parameter in parameters {
        let name = Name { hash: parameter.hash, rank: 0, text: &parameter.name };
        let (evidence, new) = table.slot(name);
        novelty.parameter |= new;
        evidence.see(parameter, consumer, novelty);
    }
}

impl ParameterEvidence {
    fn see(&mut self, parameter: &Parameter, consumer: u64, novelty: &mut Novelty) {
        self.k.add();
        novelty.due |= is_threshold(self.k);
        self.consumers.see_hash(consumer);
        if parameter.repeats > 1 {
            self.repeated.add();
        }
        if parameter.bare {
            self.bare.add();
        }
        self.texts.see(parameter.classes, parameter.kept.as_deref(), parameter.mark, novelty);
        let (count, items) = match parameter.list {
            Some((b'|', classes)) => (&mut self.pipes, Some((&mut self.pipe_items, classes))),
            Some((_, classes)) => (&mut self.commas, Some((&mut self.comma_items, classes))),
            None => return,
        };
        count.add();
        if let Some((all, classes)) = items {
            all.see(classes);
        }
    }
}

fn see_body<const K: usize>(
    table: &mut Table<BodyEvidence, K>,
    bodiless: &mut Count,
    body: &Body,
    novelty: &mut Novelty,
) {
    let media = match body {
        Body::Absent => return bodiless.add(),
        Body::Unknown => return,
        Body::Opaque { media } | Body::Malformed { media } | Body::Tape { media, .. } => media,
    };
    let (evidence, new) = table.slot(Name::public(media));
    novelty.media |= new;
    evidence.n.add();
    match body {
        Body::Malformed { .. } => evidence.malformed.add(),
        Body::Tape { tape, .. } => {
            evidence.read.add();
            if tape.truncated {
                evidence.truncated.add();
            }
            if tape.mislabelled {
                evidence.mislabelled.add();
            }
            evidence.skipped.0 = evidence.skipped.0.saturating_add(tape.skipped);
            evidence.shape.fold(tape, novelty);
        }
        _ => {}
    }
}

/// The credentials of a request as one text: kind, place and name of each, sorted.
fn credential_set(credentials: &[Credential]) -> String {
    let mut parts: Vec<String> = credentials
        .iter()
        .map(|credential| {
            format!("{}\t{}\t{}", credential.kind as u8, credential.place as u8, credential.name)
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.join("\n")
}

/// A refused request: kept apart under everything that tells it from others.
fn refuse(body: &mut super::evidence::Body, observation: &Observation, novelty: &mut Novelty) {
    // What HEAD is refused says nothing about the GET that it folds into.
    if observation.status < 400 || observation.method == Method::Head {
        return;
    }
    let (media, signature) = match &observation.response {
        Body::Absent => ("-", 0),
        Body::Unknown => ("?", 0),
        Body::Opaque { media } | Body::Malformed { media } => (&**media, 0),
        Body::Tape { media, tape } => {
            let signature = signature::of_tape(tape);
            let class = observation.status / 100;
            let name = format!("{class}\t{media}\t{signature:016x}");
            let (shape, new) = body.refusal_bodies.slot(Name::public(&name));
            novelty.media |= new;
            shape.fold(tape, novelty);
            (&**media, signature)
        }
    };
    let name = refusal_name(observation, media, signature);
    let rank = refusal_rank(observation);
    let entry = Name { rank, ..Name::public(&name) };
    let (refusal, new) = body.refusals.slot(entry);
    novelty.status |= new;
    refusal.see(observation, novelty);
}

impl Refusal {
    fn see(&mut self, observation: &Observation, novelty: &mut Novelty) {
        self.n.add();
        if observation.credentials.is_empty() {
            self.anonymous.add();
        }
        let (fields, consumer) = (&observation.response_headers, observation.consumer);
        see_parameters(&mut self.headers, fields, consumer, novelty);
    }
}

/// Method, status, media type, signature, then the segments: texts, or symbols of data.
fn refusal_name(observation: &Observation, media: &str, signature: u64) -> String {
    let method = observation.method.as_str();
    let mut name = format!("{method}\t{}\t{media}\t{signature:016x}", observation.status);
    for segment in &observation.path.segments {
        name.push('\t');
        match segment.class.data() {
            Some(class) => {
                name.push(DATA_MARK);
                name.push_str(class.as_str());
            }
            None => name.push_str(observation.path.text_of(segment)),
        }
    }
    name
}

/// Which refusals survive a flood: those that an API gives rather than those that any server gives.
fn refusal_rank(observation: &Observation) -> u8 {
    let words = |segment: &Segment| {
        matches!(
            segment.class,
            SegmentClass::Word
                | SegmentClass::Words
                | SegmentClass::Reserved
                | SegmentClass::Version
                | SegmentClass::Data(_)
        )
    };
    match observation.status {
        400 | 406 | 409..=429 | 500..=599 => 0,
        _ if observation.path.segments.iter().all(words) => 1,
        _ => 2,
    }
}

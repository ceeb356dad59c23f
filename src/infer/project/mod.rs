//! Evidence to document: a pure function of the counts (`spec/inference.md` 6.4-11).
//!
//! Owns the order of the steps: templates, refusals to their operations, names, then each operation's parts, then the
//! document. Refuses to change evidence; whatever is decided here can be decided otherwise tomorrow.

mod bodies;
mod brackets;
mod components;
mod depths;
mod directions;
mod examples;
mod greedy;
mod identity;
mod ir;
mod maps;
mod names;
mod odds;
mod operations;
mod parameters;
mod paths;
mod pinned;
mod pins;
mod pools;
mod recursion;
mod refusals;
mod route;
mod security;
mod shapes;
mod spell;
mod strays;
mod surroundings;
mod texts;
mod unions;
mod used;
mod write;
mod xml;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use self::components::Shared;
use self::identity::Identities;
use self::ir::{Model, Operation};
use self::operations::Builder;
use self::paths::{Found, Step, is_by_identity};
use self::pins::PathPins;
pub use self::pins::templates;
use self::pools::Direction;
use self::refusals::Routed;
use self::security::Security;
use super::evidence::{BodyEvidence, Evidence};
use super::published::Published;
use super::shape::Shape;
use super::table::Table;
use super::{BasePath, ProjectOptions, Projection, Report, View, evidence};
use crate::model::observation::{Method, Noise};

/// The specification that the evidence supports. Pure: equal evidence and options, equal document.
#[must_use]
pub fn project(evidence: &Evidence, options: &ProjectOptions) -> Projection {
    let body = &evidence.body;
    let mut report = Report { learned: body.learned.0, ..Report::default() };
    let former = options.published.as_deref();
    let pins = PathPins::of(options);
    let (mut found, decided) = paths::expand(&body.root, &body.known_ids, &pins, former);
    report.pins_without_effect = pins.without_effect(&found);
    report.pins_against = decided.against;
    found.retain(|found| !pins.ignores(found));
    let seen = found.len();
    let pages = found.iter().filter(|found| is_page(found)).count();
    found.retain(|found| !is_page(found));
    let proven = match options.view {
        View::Strict => options.samples_min,
        View::Permissive => 1,
    };
    let routed = Routed::new(body, &found);
    let nothing = Published::default();
    let former = former.unwrap_or(&nothing);
    let identities = Identities::new(evidence.api(), (&body.root, &found), former, decided.next);
    let shared = Shared::of(&bodies(body, &found, &routed), options.view);
    let title =
        if options.title.is_empty() { evidence.api().to_owned() } else { options.title.clone() };
    let mut builder = Builder {
        api: evidence.api(),
        body,
        options,
        routed: &routed,
        security: Security::default(),
        taken: identities.operation_ids(),
        identities,
        style: surroundings::style(&body.root),
        several_consumers: surroundings::consumers(&body.root) >= 2.0,
        shared: &shared,
        nothing: &BTreeSet::new(),
    };
    let stated = |found: &Found| found.cell.n.0 >= proven;
    let methods = strays::other_methods(&body.root, &found, stated);
    let mut other_methods: Vec<(String, Vec<String>)> = Vec::new();
    let mut operations: Vec<((Vec<u8>, u16), Operation)> = Vec::new();
    for (index, found) in in_order(&found).into_iter().filter(|(_, found)| stated(found)) {
        let operation = builder.operation(index, found);
        let methods = methods.get(&index).map(|methods| methods.iter().cloned().collect());
        other_methods.extend(methods.map(|methods| (operation.template.clone(), methods)));
        operations.push(((order_key(&found.steps), found.method), operation));
    }
    report.unproven = seen - pages - operations.len();
    for stray in strays::all(body, &found, options.view, proven) {
        operations.push(((order_key(&stray.steps), stray.method), builder.stray(&stray)));
    }
    operations.sort_by(|left, right| left.0.cmp(&right.0));
    report.operations = operations.len();
    report.left_out = left_out(body, routed.unrouted);
    let model = Model {
        title,
        servers: surroundings::servers(body, options),
        components: shared.components(builder.context_of_nothing()),
        operations: operations.into_iter().map(|(_, operation)| operation).collect(),
        schemes: builder.security.into_schemes(),
        other_methods,
        exchanges: body.learned.0,
        window: body.times.0,
        limits: evidence.limits_hit(),
    };
    let published = builder.identities.next;
    let document = finished(model, options, &mut report);
    Projection { document, report, published }
}

/// The document with what people wrote and decided.
fn finished(mut model: Model, options: &ProjectOptions, report: &mut Report) -> Value {
    if !options.extensions {
        depths::spell_out(&mut model);
    }
    let moved = match options.base_path {
        BasePath::Auto => surroundings::move_base_path(&mut model),
        BasePath::Keep => String::new(),
    };
    let base = format!("{}{moved}", options.path_prefix.trim_end_matches('/'));
    if options.pins.operation.is_empty() && options.pins.fact.is_empty() {
        let mut document = write::document(&model, options);
        used::keep(&mut document);
        keep_texts(&mut document, options, &base);
        return document;
    }
    // Counts stand in the extensions, where those that speak against pins are looked up.
    let extended = ProjectOptions { extensions: true, ..options.clone() };
    let mut document = write::document(&model, &extended);
    used::keep(&mut document);
    keep_texts(&mut document, options, &base);
    let remarks = pinned::apply(&mut document, options, &moved);
    report.pins_without_effect.extend(remarks.without_effect);
    report.pins_against.extend(remarks.against);
    if !options.extensions {
        write::strip(&mut document);
    }
    document
}

/// `base`: what stands before the paths of the document.
fn keep_texts(document: &mut Value, options: &ProjectOptions, base: &str) {
    if let Some(published) = &options.extends {
        texts::keep(document, published, base);
    }
}

/// Templates in canonical order: bytewise with `{` last, then by method.
fn in_order(found: &[Found]) -> Vec<(usize, &Found)> {
    let mut order: Vec<(usize, &Found)> = found.iter().enumerate().collect();
    order.sort_by_cached_key(|(_, found)| (order_key(&found.steps), found.method));
    order
}

/// Bytes that sort as paths are to be listed.
fn order_key(steps: &[Step]) -> Vec<u8> {
    let mut key = Vec::new();
    for step in steps {
        key.push(b'/');
        match step {
            Step::Literal(text) => key.extend_from_slice(text.as_bytes()),
            Step::Wildcard(wildcard) => {
                key.push(0xff);
                key.extend_from_slice(wildcard.around().join("\u{1}").as_bytes());
            }
        }
    }
    key
}

/// GET answered with nothing but what pages are made of. The text beside a redirect says nothing.
fn is_page(found: &Found) -> bool {
    let get = Method::DOCUMENTED.get(usize::from(found.method)) == Some(&Method::Get);
    let mut media = found
        .cell
        .responses
        .iter()
        .filter(|(status, _)| **status < 300)
        .flat_map(|(_, response)| response.bodies.iter())
        .map(|entry| &*entry.name)
        .peekable();
    get && media.peek().is_some() && media.all(bodies::is_page)
}

fn left_out(body: &evidence::Body, unrouted: u64) -> Vec<(&'static str, u64)> {
    let noise = |reason: Noise| {
        let count = body.noise.get(&(reason as u16)).map_or(0, |count| count.0);
        (reason.as_str(), count)
    };
    Noise::ALL
        .into_iter()
        .map(noise)
        .chain([("redirect", body.corrections.0), ("unproven", unrouted)])
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// All bodies of all operations, in canonical order, to look for what they share.
fn bodies<'a>(
    body: &'a evidence::Body,
    found: &'a [Found],
    routed: &Routed<'_>,
) -> Vec<pools::Body<'a>> {
    let mut all = Vec::new();
    for (index, found) in in_order(found) {
        let nouns = names::nouns_before(&found.steps, found.steps.len());
        let cell = &found.cell;
        let of = |direction, shape| pools::Body {
            direction,
            shape: Cow::Borrowed(shape),
            method: None,
            nouns: nouns.clone(),
            by_identity: is_by_identity(&found.steps),
            consumers: cell.consumers,
            optional: BTreeSet::new(),
            demanded: BTreeSet::new(),
            answered: BTreeSet::new(),
        };
        let answers = cell.responses.values().flat_map(|response| read(&response.bodies));
        all.extend(answers.map(|shape| of(Direction::Answer, shape)));
        let demanded = routed.demanded(index, &cell.request);
        let answered = operations::answered(cell);
        all.extend(read(&cell.request).map(|shape| pools::Body {
            method: Some(found.method),
            demanded: demanded.clone(),
            answered: answered.clone(),
            ..of(Direction::Request, shape)
        }));
        let refusals = routed.of(index).flat_map(|(status, counts)| counts.bodies(status, body));
        all.extend(refusals.map(|(_, pooled)| pools::Body {
            direction: Direction::Refusal,
            shape: Cow::Owned(pooled.shape),
            method: None,
            nouns: vec!["error".to_owned()],
            by_identity: false,
            consumers: cell.consumers,
            optional: pooled.optional,
            demanded: BTreeSet::new(),
            answered: BTreeSet::new(),
        }));
    }
    all
}

/// The shapes of bodies that were looked into and have kinds of their own: forms spell all values as texts.
fn read<const K: usize>(bodies: &Table<BodyEvidence, K>) -> impl Iterator<Item = &Shape> {
    bodies
        .iter()
        .filter(|entry| entry.value.read.any() && !bodies::is_textual(&entry.name))
        .map(|entry| &entry.value.shape)
        .filter(|shape| !bodies::describes_api(shape))
}

//! What was asked for beside the operations that were learned: requests that were refused each time, other protocols, and
//! methods that OpenAPI does not know (`spec/inference.md` 9.1, 9.2, 9.4).
//!
//! Owns their templates, which are those of known operations where they fit. Refuses to learn anything of their bodies.

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Operation, Request, Response, Support};
use super::operations::{Builder, template};
use super::parameters;
use super::paths::{Found, Step, Wildcard};
use super::refusals::{self, Status};
use super::route;
use super::shapes::Context;
use super::{identity, names};
use crate::infer::View;
use crate::infer::evidence::{self, Node};
use crate::infer::monoid::Count;
use crate::infer::shape::data_name;
use crate::infer::trie::{self, class_code};
use crate::model::observation::{DataClass, Method, Noise, SegmentClass};

/// Refusals in good form from which something must be there to refuse.
const REFUSALS_MIN: u32 = 3;

/// An operation of which little is known.
pub(super) struct Stray<'a> {
    pub(super) steps: Vec<Step>,
    pub(super) method: u16,
    n: Count,
    /// Answers, where it was refused.
    statuses: BTreeMap<u16, Status<'a>>,
    protocol: Option<Noise>,
}

/// All of them, by template and method. Empty but for other protocols in the strict view.
pub(super) fn all<'a>(
    body: &'a evidence::Body,
    found: &[Found],
    view: View,
    samples_min: u32,
) -> Vec<Stray<'a>> {
    let mut strays = protocols(body, found);
    match view {
        View::Strict => strays.retain(|stray| stray.n.0 >= samples_min),
        View::Permissive => strays.extend(provisional(body, found)),
    }
    let known = |stray: &Stray<'_>| {
        found.iter().any(|found| found.method == stray.method && found.steps == stray.steps)
    };
    strays.retain(|stray| !known(stray));
    strays
}

/// Requests of other protocols, one operation for each place where one is spoken.
fn protocols<'a>(body: &'a evidence::Body, found: &[Found]) -> Vec<Stray<'a>> {
    let mut strays: Vec<Stray<'a>> = Vec::new();
    for entry in body.protocols.iter() {
        let mut parts = entry.name.split('\t');
        let (Some(protocol), Some(method)) = (parts.next(), parts.next().and_then(index)) else {
            continue;
        };
        let protocol = Noise::ALL.into_iter().find(|noise| noise.as_str() == protocol);
        let steps = steps(&parts.collect::<Vec<_>>(), found);
        let same = |stray: &&mut Stray<'_>| (stray.method, &stray.steps) == (method, &steps);
        if let Some(stray) = strays.iter_mut().find(same) {
            stray.n.0 = stray.n.0.saturating_add(entry.value.0);
        } else {
            let statuses = BTreeMap::new();
            strays.push(Stray { steps, method, n: entry.value, statuses, protocol });
        }
    }
    strays
}

/// Requests that no operation fits and that were refused for what they said, not for where they went.
fn provisional<'a>(body: &'a evidence::Body, found: &[Found]) -> Vec<Stray<'a>> {
    let mut strays: Vec<(Stray<'a>, u32)> = Vec::new();
    for (record, refusal) in refusals::unrouted(body, found) {
        let Some(method) = index(record.method) else { continue };
        let steps = steps(&record.segments, found);
        let same = |(stray, _): &(Stray<'_>, u32)| (stray.method, &stray.steps) == (method, &steps);
        let at = strays.iter().position(same).unwrap_or_else(|| {
            let (n, statuses) = (Count::default(), BTreeMap::new());
            strays.push((Stray { steps, method, n, statuses, protocol: None }, 0));
            strays.len() - 1
        });
        let Some((stray, in_good_form)) = strays.get_mut(at) else { continue };
        stray.n.0 = stray.n.0.saturating_add(refusal.n.0);
        if matches!(record.status, 400 | 409 | 415 | 422) && record.media.ends_with("json") {
            *in_good_form = in_good_form.saturating_add(refusal.n.0);
        }
        stray.statuses.entry(record.status).or_default().add(&record, refusal);
    }
    strays
        .into_iter()
        .filter(|(_, in_good_form)| *in_good_form >= REFUSALS_MIN)
        .map(|(stray, _)| stray)
        .collect()
}

/// The place of a method that OpenAPI knows.
fn index(method: &str) -> Option<u16> {
    let at = Method::DOCUMENTED.iter().position(|known| known.as_str() == method)?;
    u16::try_from(at).ok()
}

/// The template of a path by its texts and symbols: that of an operation that it fits, else its own.
fn steps(segments: &[&str], found: &[Found]) -> Vec<Step> {
    match route::nearest(segments, found, |_| true) {
        Some(at) => found.get(at).map(|found| found.steps.clone()).unwrap_or_default(),
        None => segments.iter().map(|segment| step(segment)).collect(),
    }
}

fn step(segment: &str) -> Step {
    let Some(name) = data_name(segment) else { return Step::Literal(segment.to_owned()) };
    let whole = || {
        let class = DataClass::ALL.into_iter().find(|class| class.as_str() == name);
        (Vec::from_iter(class), vec!["", ""])
    };
    let (classes, around) = trie::parts(segment).unwrap_or_else(whole);
    let mut codes = classes.into_iter().map(|class| class_code(SegmentClass::Data(class)));
    let mut wildcard = Wildcard::around_of(&around);
    wildcard.classes = codes.next().into_iter().collect();
    for (further, code) in wildcard.further.iter_mut().zip(codes) {
        further.classes = vec![code];
    }
    Step::Wildcard(wildcard)
}

impl Builder<'_> {
    /// What can be said of one.
    pub(super) fn stray(&mut self, stray: &Stray<'_>) -> Operation {
        let names =
            names::parameters(&stray.steps, self.style, self.identities.parameters(&stray.steps));
        let method =
            Method::DOCUMENTED.get(usize::from(stray.method)).cloned().unwrap_or(Method::Get);
        let support = Support::of(stray.n, stray.n);
        let context = self.context_of_nothing();
        let key = (method.as_str().to_owned(), identity::erased(&stray.steps));
        Operation {
            method: stray.method,
            template: template(&stray.steps, &names, false),
            id: names::operation(&method, &stray.steps, false, &mut self.taken),
            stable_id: names::stable_id(self.api, &key, &BTreeSet::new()),
            parameters: parameters::of_template(&stray.steps, &names, support),
            request: stray.request(&method),
            responses: stray.responses(self.body, context),
            others: true,
            protocol: stray.protocol.map(Noise::as_str),
            unproven: stray.protocol.is_none(),
            security: None,
            support,
            consumers: 0,
            depths: BTreeSet::new(),
            last_ms: 0,
        }
    }
}

impl Stray<'_> {
    /// A body of the protocol's type, which is not looked into.
    fn request(&self, method: &Method) -> Option<Request> {
        let media = match self.protocol? {
            Noise::Grpc => "application/grpc",
            Noise::Soap => "text/xml",
            Noise::GraphQl | Noise::JsonRpc => "application/json",
            _ => return None,
        };
        let sends = matches!(method, Method::Post | Method::Put | Method::Patch);
        let content = vec![(media.to_owned(), super::bodies::opaque(media))];
        sends.then_some(Request { required: false, content })
    }

    fn responses(&self, body: &evidence::Body, context: Context<'_>) -> Vec<(u16, Response)> {
        if self.protocol == Some(Noise::WebSocket) {
            return vec![(
                101,
                Response { support: Support::of(self.n, self.n), ..Response::default() },
            )];
        }
        let stated = |(status, counts): (&u16, &Status<'_>)| {
            let response = counts.response(*status, body, self.n, context)?;
            Some((*status, response))
        };
        self.statuses.iter().filter_map(stated).collect()
    }
}

/// Methods that OpenAPI does not know, by the place of a template among those found.
pub(super) fn other_methods(
    root: &Node,
    found: &[Found],
    stated: impl Fn(&Found) -> bool,
) -> BTreeMap<usize, BTreeSet<String>> {
    let mut methods: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut open: Vec<(&Node, Vec<&str>)> = vec![(root, Vec::new())];
    while let Some((node, segments)) = open.pop() {
        let own = node.other_methods.items.iter().map(|(method, _)| method.to_string());
        let mut own = own.peekable();
        if own.peek().is_some()
            && let Some(at) = route::nearest(&segments, found, &stated)
        {
            methods.entry(at).or_default().extend(own);
        }
        for entry in node.children.iter() {
            let below = segments.iter().copied().chain([&*entry.name]).collect();
            open.push((&entry.value, below));
        }
    }
    methods
}

//! Evidence to document: a pure function of the counts (`spec/inference.md` 6.4-11).
//!
//! Owns the order of the steps: templates, refusals to their operations, names, then each operation's parts, then the
//! document. Refuses to change evidence; whatever is decided here can be decided otherwise tomorrow.

mod bodies;
mod ir;
mod names;
mod odds;
mod parameters;
mod paths;
mod refusals;
mod security;
mod shapes;
mod write;

use std::collections::BTreeSet;

use self::ir::{Model, Operation, Parameter, Place, Request, Response, Support};
use self::names::Style;
use self::paths::{Found, Step};
use self::refusals::Routed;
use self::security::Security;
use self::shapes::Context;
use super::evidence::{Body, Evidence, Node};
use super::{ProjectOptions, Projection, Report, View};
use crate::model::observation::{Method, Noise};

/// The specification that the evidence supports. Pure: equal evidence and options, equal document.
#[must_use]
pub fn project(evidence: &Evidence, options: &ProjectOptions) -> Projection {
    let body = &evidence.body;
    let mut report = Report { learned: body.learned.0, ..Report::default() };
    let mut found = paths::expand(&body.root, &body.known_ids);
    let seen = found.len();
    let pages = found.iter().filter(|found| is_page(found)).count();
    found.retain(|found| !is_page(found));
    let proven = match options.view {
        View::Strict => options.samples_min,
        View::Permissive => 1,
    };
    let routed = Routed::new(body, &found);
    let title =
        if options.title.is_empty() { evidence.api().to_owned() } else { options.title.clone() };
    let mut builder = Builder {
        body,
        options,
        routed: &routed,
        security: Security::default(),
        taken: BTreeSet::new(),
        style: style(&body.root),
        several_consumers: consumers(&body.root) >= 2.0,
    };
    let mut operations: Vec<(Vec<u8>, Operation)> = Vec::new();
    for (index, found) in in_order(&found) {
        if found.cell.n.0 >= proven {
            operations.push((order_key(&found.steps), builder.operation(index, found)));
        }
    }
    report.operations = operations.len();
    report.unproven = seen - pages - operations.len();
    report.left_out = left_out(body, routed.unrouted);
    let model = Model {
        title,
        servers: servers(body, options),
        operations: operations.into_iter().map(|(_, operation)| operation).collect(),
        schemes: builder.security.into_schemes(),
        exchanges: body.learned.0,
    };
    Projection { document: write::document(&model, options), report }
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
                key.extend_from_slice(wildcard.suffix.as_bytes());
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

fn left_out(body: &Body, unrouted: u64) -> Vec<(&'static str, u64)> {
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

/// Estimated consumers of the whole API.
fn consumers(root: &Node) -> f64 {
    let mut all = super::monoid::Bits64::default();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let cells = node.cells.values().flat_map(|generations| generations.cells());
        all.0 |= cells.fold(0, |bits, cell| bits | cell.consumers.0);
        open.extend(node.children.iter().map(|entry| &entry.value));
        open.extend(node.star.as_deref());
    }
    all.estimate()
}

/// The style of most names that could show one: query parameters and members of bodies.
fn style(root: &Node) -> Style {
    let (mut snake, mut camel) = (0_u64, 0_u64);
    let mut see = |name: &str| {
        let hump = name.bytes().any(|byte| byte.is_ascii_uppercase());
        if name.trim_start_matches('_').contains('_') && !hump {
            snake += 1;
        } else if hump && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) {
            camel += 1;
        }
    };
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        for cell in node.cells.values().flat_map(|generations| generations.cells()) {
            cell.query.iter().for_each(|entry| see(&entry.name));
            let bodies = cell.responses.values().flat_map(|response| response.bodies.iter());
            for entry in bodies.chain(cell.request.iter()) {
                see_members(&entry.value.shape, &mut see);
            }
        }
        open.extend(node.children.iter().map(|entry| &entry.value));
        open.extend(node.star.as_deref());
    }
    if snake * 10 >= (snake + camel).max(1) * 6 { Style::Snake } else { Style::Camel }
}

fn see_members(shape: &super::shape::Shape, see: &mut impl FnMut(&str)) {
    if let Some(items) = &shape.items {
        see_members(&items.shape, see);
    }
    for entry in shape.members.iter().flat_map(|members| members.keys.iter()) {
        see(&entry.name);
        see_members(&entry.value.shape, see);
    }
}

/// Configured URLs, else the hosts of at least one exchange in a hundred, bare addresses last.
fn servers(body: &Body, options: &ProjectOptions) -> Vec<String> {
    if !options.servers.is_empty() {
        return options.servers.clone();
    }
    let prefix = options.path_prefix.trim_end_matches('/');
    let mut seen: Vec<(bool, std::cmp::Reverse<u32>, String)> = body
        .servers
        .iter()
        .filter(|entry| u64::from(entry.value.0) * 100 >= body.learned.0)
        .map(|entry| {
            let url = format!("{}{prefix}", entry.name);
            (is_bare(&entry.name), std::cmp::Reverse(entry.value.0), url)
        })
        .collect();
    seen.sort();
    seen.into_iter().map(|(_, _, url)| url).collect()
}

/// Whether a server is named by an address, or is this very machine.
fn is_bare(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, host)| host);
    host.starts_with("localhost")
        || host.starts_with('[')
        || host.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'))
}

/// Nothing is optional beyond what the counts say.
fn as_counted(_depth: usize, _name: u64) -> bool {
    false
}

/// Builds operations one after the other.
struct Builder<'a> {
    body: &'a Body,
    options: &'a ProjectOptions,
    routed: &'a Routed<'a>,
    security: Security,
    taken: BTreeSet<String>,
    style: Style,
    several_consumers: bool,
}

impl Builder<'_> {
    fn operation(&mut self, index: usize, found: &Found) -> Operation {
        let cell = &found.cell;
        let method =
            Method::DOCUMENTED.get(usize::from(found.method)).cloned().unwrap_or(Method::Get);
        let names = names::parameters(&found.steps, self.style);
        let wildcards = found.steps.iter().filter_map(|step| match step {
            Step::Wildcard(wildcard) => Some(wildcard),
            Step::Literal(_) => None,
        });
        let support = Support::of(cell.n, cell.n);
        let context = self.context(found);
        let mut parameters: Vec<Parameter> = wildcards
            .zip(&names)
            .map(|(wildcard, name)| Parameter {
                name: name.clone(),
                place: Place::Path,
                required: true,
                schema: parameters::of_path(wildcard),
                joined: None,
                support,
            })
            .collect();
        parameters.extend(parameters::stated(&cell.query, cell, Place::Query, context));
        parameters.extend(parameters::stated(&cell.headers, cell, Place::Header, context));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 261")]
        let consumers = cell.consumers.estimate().min(261.0).round() as u64;
        Operation {
            method: found.method,
            template: template(&found.steps, &names, cell.slashed.0 * 2 > cell.n.0),
            id: names::operation(&method, &found.steps, lists(found), &mut self.taken),
            parameters,
            request: request(found, context),
            responses: self.responses(index, found, context),
            security: self.security.of(cell, self.routed.challenges(index)),
            support,
            consumers,
        }
    }

    fn context(&self, found: &Found) -> Context<'static> {
        Context {
            view: self.options.view,
            request: false,
            samples_min: self.options.samples_min,
            by_identity: found.steps.iter().any(|step| matches!(step, Step::Wildcard(_))),
            textual: false,
            consumers: found.cell.consumers,
            several_consumers: self.several_consumers,
            instances: f64::INFINITY,
            name: "",
            optional: &as_counted,
            depth: 0,
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
                    .map(|entry| (entry.name.to_string(), ir::Schema::text(None)));
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

fn request(found: &Found, context: Context<'_>) -> Option<Request> {
    const REQUIRED: u32 = 59;
    let cell = &found.cell;
    let schemas = bodies::content(&cell.request, Context { request: true, ..context });
    let required = !cell.bodiless.any() && cell.n.0 >= REQUIRED;
    (!schemas.is_empty()).then_some(Request { required, content: schemas })
}

fn template(steps: &[Step], names: &[String], slashed: bool) -> String {
    let mut names = names.iter();
    let mut template = String::new();
    for step in steps {
        template.push('/');
        match step {
            Step::Literal(text) => template.push_str(text),
            Step::Wildcard(wildcard) => {
                template.extend([&*wildcard.prefix, "{"]);
                template.push_str(names.next().map_or("", String::as_str));
                template.extend(["}", &*wildcard.suffix]);
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

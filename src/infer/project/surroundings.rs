//! What holds of a whole API: its servers, how many consumers it has, how its names are spelled.

use super::ir::Model;
use super::names::{self, Style};
use crate::infer::ProjectOptions;
use crate::infer::evidence::{Body, Node};
use crate::infer::generations::Generations;
use crate::infer::monoid::Bits64;
use crate::infer::shape::Shape;

/// Estimated consumers of the whole API.
pub(super) fn consumers(root: &Node) -> f64 {
    let mut all = Bits64::default();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let cells = node.cells.values().flat_map(Generations::cells);
        all.0 |= cells.fold(0, |bits, cell| bits | cell.consumers.0);
        open.extend(node.children.iter().map(|entry| &entry.value));
        open.extend(node.star.as_deref());
    }
    all.estimate()
}

/// The style of most names that could show one: query parameters and members of bodies.
pub(super) fn style(root: &Node) -> Style {
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
        for cell in node.cells.values().flat_map(Generations::cells) {
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

fn see_members(shape: &Shape, see: &mut impl FnMut(&str)) {
    if let Some(items) = &shape.items {
        see_members(&items.shape, see);
    }
    for entry in shape.members.iter().flat_map(|members| members.keys.iter()) {
        see(&entry.name);
        see_members(&entry.value.shape, see);
    }
}

/// Configured URLs, else the hosts of at least one exchange in a hundred, bare addresses last.
pub(super) fn servers(body: &Body, options: &ProjectOptions) -> Vec<String> {
    if !options.pins.server.is_empty() {
        return options.pins.server.clone();
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

/// Moves what all paths begin with to the servers, up to its last segment that is `api`, `rest` or a version. Gives what was
/// moved; empty: nothing.
pub(super) fn move_base_path(model: &mut Model) -> String {
    let base = common_base(model);
    if base.is_empty() {
        return base;
    }
    let operations = model.operations.iter_mut().map(|operation| &mut operation.template);
    let others = model.other_methods.iter_mut().map(|(template, _)| template);
    for template in operations.chain(others) {
        let rest = template.strip_prefix(&base).filter(|rest| !rest.is_empty());
        *template = rest.unwrap_or("/").to_owned();
    }
    for server in &mut model.servers {
        *server = format!("{}{base}", server.trim_end_matches('/'));
    }
    if model.servers.is_empty() {
        model.servers.push(base.clone());
    }
    base
}

/// What all templates begin with, up to its last segment that says where an API begins.
fn common_base(model: &Model) -> String {
    let templates = model.operations.iter().map(|operation| operation.template.clone());
    let common = templates.reduce(|left, right| shared(&left, &right)).unwrap_or_default();
    let segments: Vec<&str> = common.split('/').skip(1).collect();
    let last = segments.iter().rposition(|text| names::is_base(text) || is_version(text));
    let kept = last.map_or(0, |last| last + 1);
    segments.iter().take(kept).map(|segment| format!("/{segment}")).collect()
}

/// The whole segments without parameters that two templates begin with.
fn shared(left: &str, right: &str) -> String {
    let pairs = left.split('/').zip(right.split('/')).skip(1);
    let same = pairs.take_while(|(left, right)| left == right && !left.contains('{'));
    same.map(|(segment, _)| format!("/{segment}")).collect()
}

/// `v1`, `v2.1beta`, `2010-04-01`.
fn is_version(text: &str) -> bool {
    let number = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let dated = number.len() == text.len();
    number.bytes().next().is_some_and(|first| first.is_ascii_digit())
        && (!dated || number.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte)))
}

/// Whether a server is named by an address, or is this very machine.
fn is_bare(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, host)| host);
    host.starts_with("localhost")
        || host.starts_with('[')
        || host.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'))
}

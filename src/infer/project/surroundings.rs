//! What holds of a whole API: its servers, how many consumers it has, how its names are spelled.

use super::names::Style;
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

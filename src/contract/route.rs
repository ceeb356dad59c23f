//! Which documented operation a request is (`spec/contract.md` 3, step 1).
//!
//! Owns the tree of templates: literal segments before affixes (`{id}.json`) before parameters before greedy ones (`{path+}`),
//! which end where what stands behind them first fits, whatever the order of the document. Servers and prefixes only help, they never prevent a match. A trailing slash says nothing. Refuses to own methods
//! of requests beyond HEAD, which is answered as GET is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use super::specification::Specification;

/// Most segments of a path that is looked up.
const SEGMENTS_MAX: usize = 256;

/// Most places of the tree that one look-up visits.
const VISITS_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Router {
    root: Branch,
    /// Prefix of the API's scope without a trailing slash.
    prefix: String,
    /// Base paths of all servers, longest first, none of them empty.
    bases: Vec<String>,
}

#[derive(Debug, Default)]
struct Branch {
    literals: BTreeMap<String, Branch>,
    /// Segments of literals and slots, in the order of the document.
    affixes: Vec<(Vec<Piece>, Branch)>,
    slot: Option<Box<(String, Branch)>>,
    /// `{path+}`: one segment or more, slashes included.
    greedy: Option<Box<(String, Branch)>>,
    /// Method → operation.
    operations: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Slot(String),
}

/// Slot names, each with the raw text that fills it.
pub(super) type Slots<'a> = SmallVec<[(&'a str, Cow<'a, str>); 4]>;

/// What a request was found to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Operation {
        index: usize,
        slots: Slots<'a>,
    },
    /// The path is documented, the method is not: some operation of that path.
    OtherMethod(usize),
    /// Not documented: the path below prefix and base.
    Unknown(&'a str),
}

impl Router {
    pub(super) fn new(specification: &Specification, path_prefix: &str) -> Self {
        let operations = specification.operations.iter();
        let routes: Vec<_> =
            operations.map(|operation| (&*operation.method, operation.route())).collect();
        let entries = routes.iter().map(|(method, route)| (*method, &**route));
        Self::of(entries, specification.bases().collect(), path_prefix)
    }

    /// A router of methods with templates, each found by its position; `bases` are base paths of servers.
    pub(super) fn of<'o>(
        entries: impl Iterator<Item = (&'o str, &'o str)>,
        bases: Vec<&str>,
        path_prefix: &str,
    ) -> Self {
        let mut root = Branch::default();
        for (index, (method, template)) in entries.enumerate() {
            let mut branch = &mut root;
            for segment in segments(template) {
                branch = branch.child(segment);
            }
            branch.operations.entry(method.to_owned()).or_insert(index);
        }
        let mut bases: Vec<String> =
            bases.into_iter().filter(|base| !base.is_empty()).map(str::to_owned).collect();
        bases.sort_by(|left, right| right.len().cmp(&left.len()).then(left.cmp(right)));
        bases.dedup();
        Self { root, prefix: path_prefix.trim_end_matches('/').to_owned(), bases }
    }

    /// Looks up a raw path.
    pub(super) fn route<'a>(&'a self, method: &str, path: &'a str) -> Route<'a> {
        let inner = below(path, &self.prefix).unwrap_or(path);
        let based = |path: &'a str| self.bases.iter().filter_map(move |base| below(path, base));
        let readings = based(inner).chain([inner]).chain(based(path)).chain([path]);
        let mut other = None;
        for reading in readings {
            match self.look_up(method, reading) {
                Some(Route::OtherMethod(index)) => drop(other.get_or_insert(index)),
                Some(route) => return route,
                None => {}
            }
        }
        match other {
            Some(index) => Route::OtherMethod(index),
            None => Route::Unknown(based(inner).next().unwrap_or(inner)),
        }
    }

    fn look_up<'a>(&'a self, method: &str, path: &'a str) -> Option<Route<'a>> {
        let raw = segments(path).take(SEGMENTS_MAX + 1);
        let segments: SmallVec<[_; 16]> =
            raw.map(|raw| (raw, percent_decode_str(raw).decode_utf8_lossy())).collect();
        if segments.len() > SEGMENTS_MAX {
            return None;
        }
        let mut search = Search { method, segments, visits: 0, other: None };
        let mut slots = Slots::new();
        match search.visit(&self.root, 0, &mut slots) {
            Some(index) => Some(Route::Operation { index, slots }),
            None => search.other.map(Route::OtherMethod),
        }
    }
}

impl Branch {
    fn child(&mut self, segment: &str) -> &mut Branch {
        match pieces(segment).as_slice() {
            [Piece::Slot(name)] if greedy(name).is_some() => {
                let name = greedy(name).unwrap_or(name).to_owned();
                &mut self.greedy.get_or_insert_with(|| Box::new((name, Self::default()))).1
            }
            [Piece::Slot(name)] => {
                &mut self.slot.get_or_insert_with(|| Box::new((name.clone(), Self::default()))).1
            }
            [Piece::Literal(text)] => self.literals.entry(text.clone()).or_default(),
            pieces => {
                let known = self.affixes.iter().position(|(known, _)| known == pieces);
                let index = known.unwrap_or_else(|| {
                    self.affixes.push((pieces.to_vec(), Self::default()));
                    self.affixes.len() - 1
                });
                &mut self.affixes[index].1
            }
        }
    }
}

struct Search<'a, 'm> {
    method: &'m str,
    /// Raw and decoded.
    segments: SmallVec<[(&'a str, Cow<'a, str>); 16]>,
    visits: usize,
    /// Some operation of a path that matched with another method.
    other: Option<usize>,
}

impl<'a> Search<'a, '_> {
    fn visit(&mut self, branch: &'a Branch, depth: usize, slots: &mut Slots<'a>) -> Option<usize> {
        self.visits += 1;
        if self.visits > VISITS_MAX {
            return None;
        }
        let Some((raw, text)) = self.segments.get(depth) else {
            return self.arrive(branch);
        };
        let (raw, literal) = (*raw, branch.literals.get(&**text));
        if let Some(found) = literal.and_then(|next| self.visit(next, depth + 1, slots)) {
            return Some(found);
        }
        let kept = slots.len();
        for (pieces, next) in &branch.affixes {
            if fill(pieces, raw, slots)
                && let Some(found) = self.visit(next, depth + 1, slots)
            {
                return Some(found);
            }
            slots.truncate(kept);
        }
        if let Some((name, next)) = branch.slot.as_deref().filter(|_| !raw.is_empty()) {
            slots.push((name, raw.into()));
            if let Some(found) = self.visit(next, depth + 1, slots) {
                return Some(found);
            }
            slots.truncate(kept);
        }
        let (name, next) = branch.greedy.as_deref()?;
        let mut taken = raw.to_owned();
        for end in depth + 1..=self.segments.len() {
            slots.push((name, taken.clone().into()));
            if let Some(found) = self.visit(next, end, slots) {
                return Some(found);
            }
            slots.truncate(kept);
            let further = self.segments.get(end).map_or("", |(raw, _)| *raw);
            taken.extend(["/", further]);
        }
        None
    }

    fn arrive(&mut self, branch: &Branch) -> Option<usize> {
        let get = || branch.operations.get("GET").filter(|_| self.method == "HEAD");
        let found = branch.operations.get(self.method).or_else(get).copied();
        if found.is_none() && self.other.is_none() {
            self.other = branch.operations.values().next().copied();
        }
        found
    }
}

/// Segments of a path; a trailing slash makes none.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    inner.split('/').filter(move |_| !inner.is_empty())
}

/// The rest of a path below a prefix that ends on a segment.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    match rest.as_bytes().first() {
        None => Some("/"),
        Some(b'/') => Some(rest),
        Some(_) => None,
    }
}

/// The name of a slot that takes everything that is left, as gateways and frameworks spell it: `path+`, `path*`, `path:.*`.
fn greedy(name: &str) -> Option<&str> {
    ["+", "*", ":.*", ":path"]
        .iter()
        .find_map(|mark| name.strip_suffix(mark))
        .map(|name| name.trim_end_matches(':'))
        .filter(|name| !name.is_empty())
}

/// A segment of a template as literals and slots.
fn pieces(segment: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.to_owned()));
        }
        pieces.push(Piece::Slot(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() || pieces.is_empty() {
        let literal = percent_decode_str(rest).decode_utf8_lossy().into_owned();
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// Fills the slots of a mixed segment; whether the whole text was used. Each slot ends where the next literal first occurs,
/// the last one at the end.
fn fill<'a>(pieces: &'a [Piece], text: &'a str, slots: &mut Slots<'a>) -> bool {
    let mut rest = text;
    let mut open: Option<&'a str> = None;
    for (index, piece) in pieces.iter().enumerate() {
        match (piece, open) {
            (Piece::Slot(name), None) => open = Some(name),
            // Two slots side by side: the first takes nothing that could be told apart.
            (Piece::Slot(_), Some(_)) => return false,
            (Piece::Literal(literal), None) => match rest.strip_prefix(literal.as_str()) {
                Some(behind) => rest = behind,
                None => return false,
            },
            (Piece::Literal(literal), Some(name)) => {
                let is_last = index + 1 == pieces.len();
                let cut = if is_last {
                    rest.strip_suffix(literal.as_str()).map(|value| (value, ""))
                } else {
                    rest.split_once(literal.as_str())
                };
                let Some((value, behind)) = cut.filter(|(value, _)| !value.is_empty()) else {
                    return false;
                };
                slots.push((name, value.into()));
                rest = behind;
                open = None;
            }
        }
    }
    match open {
        Some(_) if rest.is_empty() => false,
        Some(name) => {
            slots.push((name, rest.into()));
            true
        }
        None => rest.is_empty(),
    }
}

/// A path as a template for people and fingerprints: segments that look like ids, numbers or tokens become `{}`.
pub(super) fn generalise(path: &str) -> String {
    let generalised: Vec<&str> = segments(path)
        .take(32)
        .map(|segment| if looks_like_id(segment) { "{}" } else { segment })
        .collect();
    format!("/{}", generalised.join("/"))
}

/// Numbers, UUIDs, hexadecimal and mixed tokens, addresses, overlong texts; `v1` and words are not.
fn looks_like_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let letters = segment.bytes().filter(u8::is_ascii_alphabetic).count();
    let version = segment.strip_prefix('v').is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 2 && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    let hexadecimal = segment.len() >= 8
        && digits > 0
        && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    !version
        && (hexadecimal
            || digits > 0 && letters == 0
            || digits >= 2 && letters > 0
            || segment.len() > 40
            || segment.contains(['@', '%', ':', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::load::{LoadOptions, load};

    fn router(paths: &[&str], server: &str, prefix: &str) -> (Specification, Router) {
        let items: Vec<String> = paths
            .iter()
            .map(|entry| {
                let (method, path) = entry.split_once(' ').expect("METHOD /path");
                format!("\"{path}\": {{{method}: {{responses: {{}}}}}}")
            })
            .collect();
        // Paths with several methods are not needed here.
        let text = format!(
            "openapi: 3.1.0\nservers: [{{url: '{server}'}}]\npaths: {{{}}}",
            items.join(", ")
        );
        let (specification, _) = load(&text, &LoadOptions::default()).expect("loads");
        let router = Router::new(&specification, prefix);
        (specification, router)
    }

    fn found(specification: &Specification, route: &Route) -> String {
        match route {
            Route::Operation { index, slots } => {
                let filled: Vec<String> =
                    slots.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("{}{}", specification.operations[*index].template, filled.concat())
            }
            Route::OtherMethod(index) => {
                format!("other method of {}", specification.operations[*index].template)
            }
            Route::Unknown(path) => format!("unknown {path}"),
        }
    }

    #[test]
    fn the_most_literal_template_wins() {
        let paths = [
            "get /a/{id}",
            "get /a/{id}.json",
            "get /a/mine",
            "get /a/{id}/b",
            "post /a/search",
            "get /s/{x}@{t}",
            "get /",
            "get /d%20e",
            "get /files/{path+}",
            "get /files/index",
            "get /files/{path+}/meta",
        ];
        let (specification, router) = router(&paths, "/", "/");
        for (method, path, expected) in [
            ("GET", "/a/mine", "/a/mine"),
            ("GET", "/a/mine/", "/a/mine"),
            ("GET", "/a/7", "/a/{id} id=7"),
            ("HEAD", "/a/7", "/a/{id} id=7"),
            ("GET", "/a/7.json", "/a/{id}.json id=7"),
            ("GET", "/a/.json", "/a/{id} id=.json"),
            ("GET", "/a/a%2Fb", "/a/{id} id=a%2Fb"),
            ("GET", "/a/mine/b", "/a/{id}/b id=mine"),
            ("GET", "/a/search", "/a/{id} id=search"),
            ("GET", "/files/a/b%2Fc/d.txt", "/files/{path+} path=a/b%2Fc/d.txt"),
            ("GET", "/files/index", "/files/index"),
            ("GET", "/files/index/x", "/files/{path+} path=index/x"),
            ("GET", "/files/a/b/meta", "/files/{path+}/meta path=a/b"),
            ("GET", "/files/meta", "/files/{path+} path=meta"),
            ("GET", "/files/meta/x", "/files/{path+} path=meta/x"),
            ("GET", "/files", "unknown /files"),
            ("PUT", "/files/a/b", "other method of /files/{path+}"),
            ("PUT", "/a/mine", "other method of /a/mine"),
            ("GET", "/s/u@12", "/s/{x}@{t} x=u t=12"),
            ("GET", "/", "/"),
            ("GET", "", "/"),
            ("GET", "/d%20e", "/d%20e"),
            ("GET", "/d e", "/d%20e"),
            ("GET", "/a//b", "unknown /a//b"),
            ("GET", "/b", "unknown /b"),
        ] {
            let route = router.route(method, path);
            assert_eq!(found(&specification, &route), expected, "{method} {path}");
        }
    }

    #[test]
    fn prefixes_and_servers_help_and_never_prevent() {
        let (specification, router) =
            router(&["get /orders"], "https://api.example.com/v1", "/shop");
        for (path, expected) in [
            ("/shop/v1/orders", "/orders"),
            ("/shop/orders", "/orders"),
            ("/v1/orders", "/orders"),
            ("/orders", "/orders"),
            ("/shop/v2/orders", "unknown /v2/orders"),
            ("/shop/v1/x", "unknown /x"),
        ] {
            assert_eq!(found(&specification, &router.route("GET", path)), expected, "{path}");
        }
    }

    #[test]
    fn ids_are_generalised_and_words_are_not() {
        for (path, expected) in [
            ("/v1/orders/123/items", "/v1/orders/{}/items"),
            ("/users/6f1c2d3e-0000-4000-8000-000000000000", "/users/{}"),
            ("/users/a@b.c", "/users/{}"),
            ("/orders/ord_8f3k2m1", "/orders/{}"),
            ("/oauth2/token", "/oauth2/token"),
            ("/", "/"),
        ] {
            assert_eq!(generalise(path), expected);
        }
    }

    #[test]
    fn hostile_paths_are_looked_up_in_bounded_time() {
        let (_, router) = router(&["get /a/{b}/{c}/{d}"], "/", "/");
        let path = "/a".repeat(100_000);
        assert!(matches!(router.route("GET", &path), Route::Unknown(_)));
    }
}

//! Which operation is which, when templates change (`spec/inference.md` 6.6).
//!
//! Owns ids: made of the template when an operation is first published, then kept; of operations that merge or split, the one
//! with most of the former exchanges goes on under its id, and ids that are gone lead to the operation that took over. Refuses
//! to own names of parameters, which no id depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use super::paths::{Found, Step, Wildcard};
use super::route;
use crate::infer::evidence::Node;
use crate::infer::generations::Generations;
use crate::infer::published::{Alias, Names, Published};
use crate::model::observation::Method;

/// Method and template, names erased.
pub(super) type Key = (String, String);

/// The operations of a projection with what was published of them.
pub(super) struct Identities {
    /// By their place among the templates found.
    ids: Vec<String>,
    /// Of operations whose template is what it was.
    names: BTreeMap<usize, Names>,
    /// What the parameters of a template are called, names erased: one path, whatever methods it has.
    parameters: BTreeMap<String, Vec<String>>,
    /// The record to be published next; its operations are added as they are written.
    pub(super) next: Published,
}

impl Identities {
    /// Finds out for all operations found in a trie. `next` already has the decisions of this projection.
    pub(super) fn new(
        api: &str,
        (root, found): (&Node, &[Found]),
        former: &Published,
        mut next: Published,
    ) -> Self {
        let keys: Vec<Key> = found.iter().map(key).collect();
        let (known, new): (Vec<usize>, Vec<usize>) =
            (0..found.len()).partition(|index| former.operations.contains_key(&keys[*index]));
        let names: BTreeMap<usize, Names> = known
            .into_iter()
            .filter_map(|index| Some((index, former.operations.get(keys.get(index)?)?.clone())))
            .collect();
        let present: BTreeSet<&Key> = keys.iter().collect();
        let gone: Vec<(&Key, &Names)> =
            former.operations.iter().filter(|(key, _)| !present.contains(key)).collect();
        let shares = Shares::count(root, found, &gone);
        let heirs = shares.heirs(&new);
        next.aliases.clone_from(&former.aliases);
        next.operations.clone_from(&former.operations);
        let mut taken: BTreeSet<String> = former.aliases.keys().cloned().collect();
        taken.extend(former.operations.values().map(|names| names.id.clone()));
        let ids: Vec<String> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| {
                let published = names.get(&index).map(|names| &names.id);
                published.or_else(|| heirs.get(&index)).cloned().unwrap_or_else(|| {
                    let fresh = names::stable_id(api, key, &taken);
                    taken.insert(fresh.clone());
                    fresh
                })
            })
            .collect();
        let inherited: BTreeSet<&String> = heirs.values().collect();
        for (key, names) in &gone {
            // What merely was not seen for long may come back.
            let Some(to) = shares.successor(&names.id).and_then(|index| ids.get(index)) else {
                continue;
            };
            next.operations.remove(*key);
            if !inherited.contains(&names.id) {
                let alias = Alias { to: to.clone(), revision: String::new() };
                next.aliases.insert(names.id.clone(), alias);
            }
        }
        let mut parameters = BTreeMap::new();
        for ((_, template), names) in &former.operations {
            parameters.entry(template.clone()).or_insert_with(|| names.parameters.clone());
        }
        Self { ids, names, parameters, next }
    }

    /// The id of an operation.
    pub(super) fn id(&self, index: usize) -> &str {
        self.ids.get(index).map_or("", String::as_str)
    }

    /// The names under which an operation was published with this very template.
    pub(super) fn names(&self, index: usize) -> Option<&Names> {
        self.names.get(&index)
    }

    /// The published names of a template's parameters, in order.
    pub(super) fn parameters(&self, steps: &[Step]) -> &[String] {
        self.parameters.get(&erased(steps)).map_or(&[], Vec::as_slice)
    }

    /// Operation ids that are spoken for, those of operations that may come back among them.
    pub(super) fn operation_ids(&self) -> BTreeSet<String> {
        self.next.operations.values().map(|names| names.operation_id.clone()).collect()
    }

    /// Notes what an operation is called now.
    pub(super) fn publish(&mut self, found: &Found, names: Names) {
        self.next.operations.insert(key(found), names);
    }
}

/// What an operation is but for names.
pub(super) fn key(found: &Found) -> Key {
    let method = Method::DOCUMENTED.get(usize::from(found.method));
    (method.map_or("", Method::as_str).to_owned(), erased(&found.steps))
}

/// A template without the names of its parameters: `/users/{}/files/{+}`.
pub(super) fn erased(steps: &[Step]) -> String {
    let mut template = String::new();
    for step in steps {
        template.push('/');
        match step {
            Step::Literal(text) => template.push_str(text),
            Step::Wildcard(wildcard) if wildcard.greedy => template.push_str("{+}"),
            Step::Wildcard(wildcard) => {
                template.push_str(&wildcard.segment(|_| "{}".to_owned()));
            }
        }
    }
    template
}

/// The steps of an erased template.
fn steps(template: &str) -> Vec<Step> {
    let step = |segment: &str| match segment {
        "{+}" => Step::Wildcard(Wildcard { greedy: true, ..Wildcard::default() }),
        _ if segment.contains("{}") => {
            Step::Wildcard(Wildcard::around_of(&segment.split("{}").collect::<Vec<_>>()))
        }
        _ => Step::Literal(segment.to_owned()),
    };
    template.split('/').skip(1).filter(|segment| !segment.is_empty()).map(step).collect()
}

/// How many exchanges of operations that are gone belong to those that are there.
#[derive(Default)]
struct Shares {
    /// By operation and former id.
    counts: BTreeMap<(usize, String), u64>,
}

impl Shares {
    fn count(root: &Node, found: &[Found], gone: &[(&Key, &Names)]) -> Self {
        let mut shares = Self::default();
        if gone.is_empty() {
            return shares;
        }
        let former: Vec<(&str, Vec<Step>, &str)> = gone
            .iter()
            .map(|((method, path), names)| (&**method, steps(path), &*names.id))
            .collect();
        each_operation(root, &mut Vec::new(), &mut |path, method, n| {
            let old = former.iter().enumerate().filter(|(_, (name, ..))| *name == method.1);
            let old = route::best(old.map(|(index, (_, steps, _))| (index, &**steps)), path);
            let Some((_, _, id)) = old.and_then(|old| former.get(old)) else { return };
            let now = route::nearest(path, found, |found| found.method == method.0);
            if let Some(now) = now {
                *shares.counts.entry((now, (*id).to_owned())).or_default() += n;
            }
        });
        shares
    }

    /// The former id that each new operation goes on under; those that were there before have their own.
    fn heirs(&self, new: &[usize]) -> BTreeMap<usize, String> {
        let of_new = self.counts.iter().filter(|((index, _), _)| new.binary_search(index).is_ok());
        let mut shares: Vec<(&(usize, String), &u64)> = of_new.collect();
        shares.sort_by_key(|((index, id), n)| (std::cmp::Reverse(**n), id, *index));
        let mut heirs: BTreeMap<usize, String> = BTreeMap::new();
        let mut taken: BTreeSet<&String> = BTreeSet::new();
        for ((index, id), _) in shares {
            if !heirs.contains_key(index) && taken.insert(id) {
                heirs.insert(*index, id.clone());
            }
        }
        heirs
    }

    /// The operation that has most of the exchanges of a former id.
    fn successor(&self, id: &str) -> Option<usize> {
        let own = self.counts.iter().filter(|((_, former), _)| former == id);
        own.max_by_key(|((index, _), n)| (**n, std::cmp::Reverse(*index)))
            .map(|((index, _), _)| *index)
    }
}

/// Calls `visit` for every operation of a trie: the names of its segments, the number and name of its method, its exchanges.
fn each_operation<'a>(
    node: &'a Node,
    path: &mut Vec<&'a str>,
    visit: &mut impl FnMut(&[&str], (u16, &str), u64),
) {
    for (method, generations) in &node.cells {
        let n = Generations::cells(generations).map(|cell| u64::from(cell.n.0)).sum();
        let name = Method::DOCUMENTED.get(usize::from(*method)).map_or("", Method::as_str);
        visit(path, (*method, name), n);
    }
    let children = node.children.iter().map(|entry| (&*entry.name, &entry.value));
    for (name, child) in children.chain(node.crowd().map(|crowd| ("", crowd))) {
        path.push(name);
        each_operation(child, path, visit);
        path.pop();
    }
}

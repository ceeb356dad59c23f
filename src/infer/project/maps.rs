//! Map or record: are the names of an object's members data, or part of the contract (`spec/inference.md` 8.5)?
//!
//! Owns the log-odds and the vote of equally named members: what is a map in one place of an API is one elsewhere, even
//! where few of its keys were seen. Refuses to own what follows from it (`shapes`).

use std::collections::{BTreeMap, BTreeSet};

use crate::infer::shape::{Member, Members, Shape, data_name};
use crate::infer::table::Entry;

/// What holds of a doubtful object whose name is that of a map elsewhere.
const SAME_NAME: f64 = 3.0;

/// What it tells that all names say which product or namespace they belong to.
const QUALIFIED: f64 = 4.0;

/// What it tells against a map that only one name was ever seen: `{"tags": {"all": []}}` is a filter.
const ALONE: f64 = 3.0;

/// Names under which maps stand, with the keys that they have.
#[derive(Default)]
pub(super) struct Maps {
    by_name: BTreeMap<Box<str>, BTreeSet<u64>>,
}

impl Maps {
    /// Notes all maps at and below a value that stands under a name.
    pub(super) fn note(&mut self, shape: &Shape, name: &str) {
        if let Some(items) = &shape.items {
            self.note(&items.shape, name);
        }
        let Some(members) = &shape.members else { return };
        let map = odds(members, name) > 0.0;
        if map && !name.is_empty() {
            let keys = self.by_name.entry(name.into()).or_default();
            keys.extend(members.keys.iter().map(|entry| entry.hash));
        }
        for entry in members.keys.iter() {
            let name = if map { "" } else { &*entry.name };
            self.note(&entry.value.shape, name);
        }
    }

    /// Whether an object is a map rather than a record.
    pub(super) fn is_map(&self, members: &Members, name: &str) -> bool {
        let mut odds = odds(members, name);
        if odds <= 0.0 && self.by_name.get(name).is_some_and(|keys| holds(keys, members)) {
            odds += SAME_NAME;
        }
        odds > 0.0
    }
}

/// Whether most keys of an object are among those of the maps of its name.
fn holds(keys: &BTreeSet<u64>, members: &Members) -> bool {
    let common = members.keys.iter().filter(|entry| keys.contains(&entry.hash)).count();
    common > 0 && common * 10 >= members.keys.len() * 8
}

/// A word key that nearly every map has: map and record at once.
pub(super) fn is_steady(member: &Member, members: &Members) -> bool {
    f64::from(member.k.0) >= 0.95 * f64::from(members.n.0) && members.n.0 >= 19
}

/// Log-odds that an object is a map.
fn odds(members: &Members, name: &str) -> f64 {
    let keys: Vec<&Entry<Member>> = members.keys.iter().collect();
    let words: Vec<&Entry<Member>> =
        keys.iter().copied().filter(|entry| data_name(&entry.name).is_none()).collect();
    if keys.is_empty() {
        return -2.0;
    }
    let mut odds = -2.0 + of_names(members, keys.len() - words.len()) + of_support(members, &words);
    odds += if values_alike(&keys) {
        1.0
    } else if is_label_name(name) && values_plain(&keys) {
        0.0
    } else {
        -4.0
    };
    if is_container_name(name) {
        odds += 4.0;
    }
    if !words.is_empty() && words.iter().all(|entry| is_qualified(&entry.name)) {
        odds += QUALIFIED;
    }
    if let ([only], 1) = (words.as_slice(), keys.len())
        && !(is_label_name(name) && values_plain(&keys))
        && !is_qualified(&only.name)
    {
        odds -= ALONE;
    }
    let steady = words.iter().filter(|entry| is_steady(&entry.value, members)).count();
    #[expect(clippy::cast_precision_loss, reason = "at most three count")]
    let steady = steady.min(3) as f64;
    odds -= 2.0 * steady;
    if words.len() == keys.len() && words.len() <= 3 {
        odds -= 1.0;
    }
    odds
}

/// What names that are data, and the number of names, tell.
fn of_names(members: &Members, data: usize) -> f64 {
    let all = members.keys.len();
    let mut odds = 0.0;
    if data == all {
        odds += 6.0;
    } else if data * 2 >= all {
        odds += 3.0;
    }
    if all > 64 {
        odds += 2.0;
    }
    if members.keys.rest().is_some() {
        odds += 5.0;
    }
    odds
}

/// What rare names tell.
fn of_support(members: &Members, words: &[&Entry<Member>]) -> f64 {
    let mut odds = 0.0;
    let n = f64::from(members.n.0).max(1.0);
    let occurrences: u64 = words.iter().map(|entry| u64::from(entry.value.k.0)).sum();
    let once = words.iter().filter(|entry| entry.value.k.0 == 1).count() as u64;
    if occurrences >= 100 && once * 20 >= occurrences {
        odds += 2.0;
    }
    let mut supports: Vec<f64> = words.iter().map(|entry| f64::from(entry.value.k.0) / n).collect();
    supports.sort_by(f64::total_cmp);
    let rare = supports.get(supports.len() / 2).is_some_and(|median| *median <= 0.1);
    if supports.len() >= 12 && rare {
        odds += 2.0;
    }
    odds
}

/// Whether all values are of one kind, and objects among them of one form.
fn values_alike(keys: &[&Entry<Member>]) -> bool {
    let kinds = keys.iter().fold(0_u8, |kinds, entry| kinds | kinds_of(&entry.value.shape));
    if kinds.count_ones() > 1 {
        return false;
    }
    let objects: Vec<&Members> =
        keys.iter().filter_map(|entry| entry.value.shape.members.as_deref()).collect();
    let Some(first) = objects.first() else { return true };
    objects.iter().all(|members| {
        let common =
            members.keys.iter().filter(|entry| first.keys.get(entry.hash).is_some()).count();
        let least = members.keys.len().min(first.keys.len());
        common * 10 >= least * 8
    })
}

/// Whether all values are texts, numbers or booleans, as those of labels are.
fn values_plain(keys: &[&Entry<Member>]) -> bool {
    keys.iter().all(|entry| !entry.value.shape.array.any() && !entry.value.shape.object.any())
}

/// `app.kubernetes.io/name`, `client::display`, `net.peer.port`: no name of a property.
fn is_qualified(name: &str) -> bool {
    name.contains("::") || name.contains('/') || name.matches('.').count() >= 2
}

/// Kinds of values but null, a bit each; all numbers are one kind.
pub(super) fn kinds_of(shape: &Shape) -> u8 {
    u8::from(shape.boolean.any())
        | u8::from(shape.integer.any() || shape.float.any()) << 1
        | u8::from(shape.text.any()) << 2
        | u8::from(shape.array.any()) << 3
        | u8::from(shape.object.any()) << 4
}

/// Names of members that hold maps in most APIs.
const CONTAINERS: &[&str] = &[
    "annotations",
    "args",
    "attributes",
    "counts",
    "env",
    "extra",
    "extras",
    "headers",
    "labels",
    "metadata",
    "params",
    "tags",
    "translations",
    "variables",
];

fn is_container_name(name: &str) -> bool {
    CONTAINERS.contains(&name)
        || name.starts_with("custom")
        || name.contains("_by_")
        || is_label_name(name)
}

/// Names of what users attach to things, in whatever words and kinds they like.
fn is_label_name(name: &str) -> bool {
    matches!(name, "labels" | "annotations")
        || ["Labels", "Annotations", "_labels", "_annotations"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

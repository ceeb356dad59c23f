//! Signatures of bodies: which names and kinds stand in their first two levels.

use std::collections::BTreeSet;

use super::monoid::Count;
use super::shape::{Member, Shape, data_name};
use super::table::Name;
use crate::model::observation::{Tape, Token};

/// Levels of objects that count; arrays are looked through.
const DEPTH_MAX: usize = 2;

/// One hash for the names and kinds of a body's first two levels; equal whatever the order of members.
pub(super) fn of_tape(tape: &Tape) -> u64 {
    let mut parts = BTreeSet::new();
    let mut path: Vec<u64> = vec![0];
    let mut arrays: Vec<bool> = Vec::new();
    for token in &tape.tokens {
        let depth = path.len();
        let kind = match token {
            Token::Key(key) => {
                if let Some(last) = path.last_mut() {
                    *last = key.hash;
                }
                continue;
            }
            Token::End => {
                if arrays.pop() == Some(false) {
                    path.pop();
                }
                continue;
            }
            Token::Null => 1,
            Token::Bool(_) => 2,
            Token::Integer(_) | Token::BigInteger | Token::Float | Token::HiddenNumber { .. } => 3,
            Token::Text { .. } | Token::File { .. } => 4,
            Token::Object { .. } | Token::OpaqueObject => 5,
            Token::Array { .. } | Token::OpaqueArray => 6,
        };
        if depth <= DEPTH_MAX + 1 {
            parts.insert(part(&path, kind));
        }
        match token {
            Token::Object { .. } => {
                arrays.push(false);
                path.push(0);
            }
            Token::Array { .. } => arrays.push(true),
            _ => {}
        }
    }
    parts.into_iter().fold(0, mix)
}

fn part(path: &[u64], kind: u64) -> u64 {
    path.iter().fold(kind, |hash, step| mix(hash, *step))
}

pub(super) fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(7) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 31)
}

/// The key paths of a shape down to the second level, arrays looked through, names that are data left out.
pub(super) fn key_paths(shape: &Shape, seed: u64, paths: &mut BTreeSet<u64>) {
    collect(shape, seed, 0, paths);
}

fn collect(shape: &Shape, prefix: u64, depth: usize, paths: &mut BTreeSet<u64>) {
    if let Some(items) = &shape.items {
        collect(&items.shape, prefix, depth, paths);
    }
    let Some(members) = shape.members.as_ref().filter(|_| depth < DEPTH_MAX) else { return };
    for entry in members.keys.iter().filter(|entry| data_name(&entry.name).is_none()) {
        let Member { shape, .. } = &entry.value;
        let path = mix(prefix, entry.hash);
        paths.insert(path);
        collect(shape, path, depth + 1, paths);
    }
}

/// What kind of body this is at its root.
pub(super) fn root_kind(shape: &Shape) -> u64 {
    let any = |count: Count| u64::from(count.any());
    any(shape.object) | any(shape.array) << 1 | any(shape.text) << 2 | any(shape.integer) << 3
}

/// The unkeyed hash of a text of ours.
pub(super) fn text_hash(text: &str) -> u64 {
    Name::public(text).hash
}

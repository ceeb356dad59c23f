//! Names of path parameters and operations (`spec/inference.md` 6.5, 6.6).

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::identity::Key;
use super::paths::{Step, Wildcard};
use crate::infer::evidence::{KnownIds, Node};
use crate::infer::monoid::Count;
use crate::infer::table::Table;
use crate::infer::trie::class_code;
use crate::model::observation::{DataClass, Method, SegmentClass};
use crate::model::words::{singular, split};

/// Spelling of the names that we make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Camel,
    Snake,
}

/// The echoed key that speaks for at least half of all echoes, unless it says nothing.
pub(super) fn echoed(node: &Node) -> Option<String> {
    let total = total(&node.strong_echoes) + total(&node.weak_echoes);
    node.strong_echoes
        .iter()
        .chain(node.weak_echoes.iter())
        .filter(|entry| u64::from(entry.value.0) * 2 >= total)
        .max_by(|left, right| left.value.cmp(&right.value).then_with(|| right.name.cmp(&left.name)))
        .map(|entry| entry.name.to_string())
        .filter(|name| {
            !matches!(name.as_str(), "id" | "_id" | "name" | "ID" | "Id" | "title" | "key")
        })
}

fn total<const K: usize>(table: &Table<Count, K>) -> u64 {
    table.iter().map(|entry| u64::from(entry.value.0)).sum()
}

/// The names of all parameters of a template, in order, distinct.
/// Names already published stay; those that people gave come before them.
pub(super) fn parameters(steps: &[Step], style: Style, published: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Step::Wildcard(wildcard) = step else { continue };
        let nouns = nouns_before(steps, index);
        let wanted = name_of(wildcard, nouns.last(), follows_plural(steps, index), style);
        let given = wildcard.pinned.as_ref().or(published.get(names.len()));
        if let Some(given) = given.filter(|name| !names.contains(name)) {
            names.push(given.clone());
        } else {
            let grandparent = nouns.iter().rev().nth(1);
            let longer = grandparent.map(|grandparent| join(&[grandparent, &wanted], style));
            names.push(distinct(&wanted, longer, &names));
        }
        for further in &wildcard.further {
            let named = match &*further.between {
                "@" => Some("version".to_owned()),
                between => key_before(between, style),
            };
            names.push(distinct(&named.unwrap_or_else(|| wanted.clone()), None, &names));
        }
    }
    names
}

/// The name, else the longer one if there is one, else the name with a number.
fn distinct(wanted: &str, longer: Option<String>, names: &[String]) -> String {
    let first = match longer {
        Some(longer) if names.iter().any(|name| name == wanted) => longer,
        _ => wanted.to_owned(),
    };
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    let mut candidates = std::iter::once(first).chain(numbered);
    candidates.find(|name| !names.contains(name)).unwrap_or_default()
}

/// The key that what stands before a parameter ends in: `Lines(OrderID=`, `,Line='`.
fn key_before(text: &str, style: Style) -> Option<String> {
    let before = text.trim_end_matches('\'').strip_suffix('=')?;
    let key = before.rsplit(['(', ',']).next().filter(|key| is_plain(key))?;
    Some(join(&split(key), style))
}

/// Whether the nearest literal before a step is a word in the plural.
fn follows_plural(steps: &[Step], end: usize) -> bool {
    let literals = steps.iter().take(end).rev().filter_map(|step| match step {
        Step::Literal(text) => split(text).last().map(|word| word.to_ascii_lowercase()),
        Step::Wildcard(_) => None,
    });
    literals.into_iter().next().is_some_and(|word| singular(&word) != word)
}

/// Whether values are told to be ids: by responses that repeat them under such a key, or by their form.
pub(super) fn identifies(node: &Node, classes: &[u64], ids: &KnownIds) -> bool {
    const IDS: [DataClass; 5] = [
        DataClass::Uuid,
        DataClass::Ulid,
        DataClass::ObjectId,
        DataClass::Prefixed,
        DataClass::Token,
    ];
    let codes = IDS.map(|class| class_code(SegmentClass::Data(class)));
    !node.strong_echoes.is_empty()
        || classes.iter().any(|class| codes.contains(class))
        || node.sample.iter().any(|entry| ids.of(entry.hash).any(|id| id.strong))
}

fn name_of(
    wildcard: &Wildcard,
    noun: Option<&String>,
    is_collection: bool,
    style: Style,
) -> String {
    if wildcard.greedy {
        return "path".to_owned();
    }
    if let Some(key) = key_before(&wildcard.prefix, style) {
        return key;
    }
    if let Some(key) = wildcard.echoed.as_ref().filter(|key| is_plain(key)) {
        return join(&split(key), style);
    }
    match (wildcard.version, noun) {
        (true, _) => "version".to_owned(),
        (_, Some(noun)) if wildcard.identifies || is_collection => join(&[noun, "id"], style),
        // `/delay/{delay}`: what is no collection holds no ids.
        (_, Some(noun)) => join(&[noun], style),
        (_, None) => "id".to_owned(),
    }
}

fn is_plain(key: &str) -> bool {
    key.len() <= 40
        && key.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Singulars of the static words before a step.
pub(super) fn nouns_before(steps: &[Step], end: usize) -> Vec<String> {
    steps
        .iter()
        .take(end)
        .filter_map(|step| match step {
            Step::Literal(text) if !is_base(text) => noun(text),
            Step::Literal(_) | Step::Wildcard(_) => None,
        })
        .collect()
}

/// The singular of a segment's words in camel case; none of versions and other texts without letters.
fn noun(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let words = split(&decoded);
    let (last, before) = words.split_last()?;
    let last = singular(&last.to_ascii_lowercase()).into_owned();
    let mut parts: Vec<&str> = before.to_vec();
    parts.push(&last);
    let name = join(&parts, Style::Camel);
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).count();
    (letters >= 2 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

/// Joins words in the given style.
fn join(words: &[&str], style: Style) -> String {
    let mut name = String::new();
    for word in words.iter().flat_map(|word| split(word)) {
        match style {
            Style::Snake if !name.is_empty() => name.push('_'),
            Style::Camel if !name.is_empty() => {
                name.push_str(&capital(&word.to_ascii_lowercase()));
                continue;
            }
            _ => {}
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    name
}

/// The words of names in pascal case.
pub(super) fn pascal(names: &[&str]) -> String {
    let words = names.iter().flat_map(|name| split(name));
    words.map(|word| capital(&word.to_ascii_lowercase())).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The operation id: verb and nouns, distinct among `taken`.
pub(super) fn operation(
    method: &Method,
    steps: &[Step],
    lists: bool,
    taken: &mut BTreeSet<String>,
) -> String {
    let ends_in_parameter = matches!(steps.last(), Some(Step::Wildcard(_)));
    let mut nouns = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Step::Literal(text) = step else { continue };
        let Some(one) = noun(text).filter(|_| !is_base(text)) else { continue };
        let named = matches!(steps.get(index + 1), Some(Step::Wildcard(_)));
        let last = index + 1 == steps.len();
        let creates = last && *method == Method::Post;
        nouns.push(if named || creates { one } else { plain(text).unwrap_or(one) });
    }
    let action = nouns.last().filter(|word| !ends_in_parameter && is_action(word)).cloned();
    if action.is_some() {
        nouns.pop();
    }
    let verb = match (action, method) {
        (Some(action), _) => action,
        (None, Method::Get) if lists && !ends_in_parameter => "list".to_owned(),
        (None, Method::Post) => "create".to_owned(),
        (None, Method::Put) => "replace".to_owned(),
        (None, Method::Patch) => "update".to_owned(),
        (None, other) => other.as_str().to_ascii_lowercase(),
    };
    let nouns: String = nouns.iter().map(|noun| first_capital(noun)).collect();
    let nouns = if nouns.is_empty() && verb.len() <= 7 { "Root".to_owned() } else { nouns };
    let wanted = format!("{verb}{nouns}");
    let mut id = wanted.clone();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{wanted}{number}");
        number += 1;
    }
    id
}

/// An id for an operation that is new: `op_` and ten digits of base 32 (RFC 4648, small), from its method and template, names
/// erased. One that is taken gives way to another.
pub(super) fn stable_id(api: &str, (method, template): &Key, taken: &BTreeSet<String>) -> String {
    let text = format!("{api}\n{method}\n{template}");
    let others = (2..).map(|number| format!("{text}\n{number}"));
    let mut texts = std::iter::once(text.clone()).chain(others).map(|text| digest(&text));
    texts.find(|id| !taken.contains(id)).unwrap_or_default()
}

fn digest(text: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = Sha256::digest(text);
    let bits = hash.iter().take(7).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digit = |index: u32| {
        let at = usize::try_from(bits >> (51 - 5 * index) & 31).unwrap_or_default();
        DIGITS.get(at).map_or('a', |digit| char::from(*digit))
    };
    std::iter::once("op_".to_owned()).chain((0..10).map(|index| digit(index).to_string())).collect()
}

/// Segments that say where an API begins, not what it is about.
pub(super) fn is_base(text: &str) -> bool {
    matches!(text, "api" | "apis" | "rest")
}

/// The words of a segment in camel case, as they are; none of versions and the like.
fn plain(text: &str) -> Option<String> {
    noun(text)?;
    Some(join(&split(text), Style::Camel))
}

fn first_capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn is_action(word: &str) -> bool {
    matches!(
        word,
        "search"
            | "login"
            | "logout"
            | "register"
            | "cancel"
            | "approve"
            | "reject"
            | "confirm"
            | "activate"
            | "deactivate"
            | "enable"
            | "disable"
            | "archive"
            | "restore"
            | "publish"
            | "start"
            | "stop"
            | "pause"
            | "resume"
            | "retry"
            | "restart"
            | "reset"
            | "revoke"
            | "rotate"
            | "verify"
            | "validate"
            | "clone"
            | "merge"
            | "transfer"
            | "assign"
            | "send"
            | "refund"
            | "capture"
            | "sync"
            | "export"
            | "import"
            | "flush"
            | "complete"
            | "checkout"
    )
}

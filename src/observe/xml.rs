//! XML bodies: an element is an object, its attributes and children are members (`spec/inference.md` 8.7).
//!
//! Owns an event reader for what APIs send (XML 1.0 without a document type) and the form of the tape: attributes are members
//! `@name`, text beside them is `#text`, children of one name are one array, and an element of nothing but text is that text.
//! Refuses document types, and so entities of anybody's own.

mod reader;

use self::reader::{Event, Reader};
use super::builder::Builder;
use crate::model::observation::Tape;

/// Elements deeper than this are passed over.
const DEPTH_MAX: usize = 64;

/// Elements kept of one body.
const ELEMENTS_MAX: usize = 10_000;

/// Why there is no tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It has a document type.
    Refused,
    Malformed,
}

/// One element with what it holds.
#[derive(Debug, Default)]
struct Element<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, String)>,
    text: String,
    /// Places in the list of all elements.
    children: Vec<usize>,
    /// Its end was seen.
    closed: bool,
}

/// The tape of a document; `builder` says whether only a prefix is there.
pub(super) fn read(text: &str, mut builder: Builder<'_, '_>) -> Result<Tape, Unreadable> {
    match elements(text, builder.is_truncated()) {
        Ok(elements) => {
            builder.open(true);
            if let Some(root) = elements.first() {
                builder.key(root.name);
                write(root, &elements, &mut builder);
            }
            builder.end(elements.first().is_some_and(|root| root.closed));
            Ok(builder.finish(false))
        }
        Err(unreadable) => {
            builder.discard();
            Err(unreadable)
        }
    }
}

/// All elements; the first is the root.
fn elements(text: &str, truncated: bool) -> Result<Vec<Element<'_>>, Unreadable> {
    let mut reader = Reader::new(text);
    let mut elements: Vec<Element<'_>> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    loop {
        let event = match reader.next() {
            Ok(Some(event)) => event,
            Ok(None) if names.is_empty() && !elements.is_empty() => return Ok(elements),
            Ok(None) | Err(Unreadable::Malformed) if truncated && reader.at_end() => {
                return Ok(elements);
            }
            Ok(None) => return Err(Unreadable::Malformed),
            Err(unreadable) => return Err(unreadable),
        };
        match event {
            Event::Start { name, attributes, empty } => {
                if names.is_empty() && !elements.is_empty() {
                    return Err(Unreadable::Malformed);
                }
                let kept = begin(
                    &mut elements,
                    &open,
                    Element { name, attributes, closed: empty, ..Element::default() },
                );
                if !empty {
                    open.push(kept);
                    names.push(name);
                }
            }
            Event::End(name) => {
                if names.pop() != Some(name) {
                    return Err(Unreadable::Malformed);
                }
                if let Some(element) = open.pop().flatten().and_then(|at| elements.get_mut(at)) {
                    element.closed = true;
                }
            }
            Event::Text(text) => {
                if let Some(Some(at)) = open.last()
                    && let Some(element) = elements.get_mut(*at)
                {
                    element.text.push_str(&text);
                }
            }
        }
    }
}

/// Adds an element below the innermost open one; none where it is not kept.
fn begin<'a>(
    elements: &mut Vec<Element<'a>>,
    open: &[Option<usize>],
    element: Element<'a>,
) -> Option<usize> {
    let at = elements.len();
    let parent = match open.last() {
        Some(None) => return None,
        Some(Some(parent)) => Some(*parent),
        None => None,
    };
    if open.len() >= DEPTH_MAX || at >= ELEMENTS_MAX {
        return None;
    }
    if let Some(parent) = parent.and_then(|parent| elements.get_mut(parent)) {
        parent.children.push(at);
    }
    elements.push(element);
    Some(at)
}

/// Depth is bounded by [`DEPTH_MAX`].
fn write(element: &Element<'_>, all: &[Element<'_>], builder: &mut Builder<'_, '_>) {
    let text = element.text.trim();
    if element.children.is_empty() && element.attributes.is_empty() {
        builder.text(text);
        return;
    }
    if !builder.enter(true) {
        return;
    }
    for (name, value) in &element.attributes {
        builder.key(&format!("@{name}"));
        builder.text(value);
    }
    let child = |place: &usize| all.get(*place);
    let mut written: Vec<&str> = Vec::new();
    for first in element.children.iter().filter_map(child) {
        if written.contains(&first.name) {
            continue;
        }
        written.push(first.name);
        builder.key(first.name);
        if builder.enter(false) {
            let same = element.children.iter().filter_map(child);
            for same in same.filter(|same| same.name == first.name) {
                write(same, all, builder);
            }
            builder.end(element.closed);
        }
    }
    if !text.is_empty() {
        builder.key("#text");
        builder.text(text);
    }
    builder.end(element.closed);
}

//! Which template a path belongs to (`spec/inference.md` 6.7): per segment a literal, then what has texts around it, then any
//! segment, then any number of them.
//!
//! Owns the rule for segments as the trie knows them, texts or symbols of data. The router of `contract` does the same for raw
//! paths.

use super::paths::{Found, Step};

/// The place of the template that a path fits best, among those found.
pub(super) fn nearest(
    segments: &[&str],
    found: &[Found],
    of_these: impl Fn(&Found) -> bool,
) -> Option<usize> {
    let these = found.iter().enumerate().filter(|(_, found)| of_these(found));
    best(these.map(|(index, found)| (index, &*found.steps)), segments)
}

/// The template that fits best, by its place among those given.
pub(super) fn best<'a>(
    templates: impl Iterator<Item = (usize, &'a [Step])>,
    segments: &[&str],
) -> Option<usize> {
    templates
        .filter(|(_, steps)| fits(steps, segments))
        .max_by_key(|(_, steps)| steps.iter().map(rank).collect::<Vec<u8>>())
        .map(|(index, _)| index)
}

/// Whether segments are a path of a template.
fn fits(steps: &[Step], segments: &[&str]) -> bool {
    let Some((first, behind)) = steps.split_first() else { return segments.is_empty() };
    let Some((segment, rest)) = segments.split_first() else { return false };
    match first {
        Step::Literal(text) => text == segment && fits(behind, rest),
        Step::Wildcard(wildcard) if wildcard.greedy => {
            (1..=segments.len()).any(|end| fits(behind, segments.get(end..).unwrap_or(&[])))
        }
        // A misspelt id was refused for being one: the parameter is still what it was meant for.
        Step::Wildcard(wildcard) => wildcard.has_around(segment) && fits(behind, rest),
    }
}

/// What a segment is tried on first is greatest.
fn rank(step: &Step) -> u8 {
    match step {
        Step::Literal(_) => 3,
        Step::Wildcard(wildcard) if wildcard.greedy => 0,
        Step::Wildcard(wildcard) if wildcard.around() == ["", ""] => 1,
        Step::Wildcard(_) => 2,
    }
}

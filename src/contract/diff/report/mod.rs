//! A diff as people and machines read it: text, JSON, NDJSON, Markdown, HTML, JUnit, SARIF, annotations of GitHub.
//!
//! Owns wording and formats. Everything is rendered from the finished [`View`], so that no format can lose anything without
//! saying so. Refuses to own where a report goes and what exit code follows.

mod annotations;
mod html;
mod json;
mod junit;
mod markdown;
mod markup;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::change::{Change, Fragment, Report};
use crate::model::finding::{Severity, Verdict};
use crate::model::problem::Problem;

pub use json::schema;

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    /// One change a line.
    Ndjson,
    Markdown,
    Html,
    Junit,
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

const FORMATS: &[(&str, Format)] = &[
    ("text", Format::Text),
    ("json", Format::Json),
    ("ndjson", Format::Ndjson),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
    ("junit", Format::Junit),
    ("sarif", Format::Sarif),
    ("github", Format::Github),
];

impl Format {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        FORMATS.iter().find(|(name, _)| *name == text).map(|(_, format)| *format)
    }

    /// The names of all formats, for messages.
    #[must_use]
    pub fn names() -> String {
        FORMATS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// One of the two documents.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// As named by whoever asked.
    pub name: String,
    /// Relative path for annotations; empty where there is none.
    pub path: String,
    pub revision: String,
    pub version: String,
    pub lints: Vec<Problem>,
}

/// What is rendered.
#[derive(Debug)]
pub struct View<'v> {
    pub old: &'v Document,
    pub new: &'v Document,
    pub report: &'v Report,
    /// Warnings of the policy.
    pub warnings: &'v [Problem],
    /// Show changes that mean nothing to anybody.
    pub cosmetic: bool,
    pub least: Severity,
}

impl<'v> View<'v> {
    /// Changes to show, in order.
    fn shown(&self) -> impl Iterator<Item = &'v Change> {
        let (cosmetic, least) = (self.cosmetic, self.least);
        self.report.counted().filter(move |change| {
            (cosmetic || change.verdict != Verdict::Cosmetic) && change.severity >= least
        })
    }

    /// The same change at several operations is one: a component that many use.
    fn groups(&self) -> Vec<Group<'v>> {
        let mut groups: Vec<Group<'v>> = Vec::new();
        let mut known: BTreeMap<(String, String, String, bool), usize> = BTreeMap::new();
        for change in self.shown() {
            let place = |side: &Option<Fragment>| {
                side.as_ref().map_or_else(String::new, |side| side.pointer.clone())
            };
            let is_shared = !change.location.status.is_empty()
                || change.direction != crate::model::finding::Direction::Structure;
            let key = (
                format!("{} {}", change.label, change.verdict.as_str()),
                format!("{}\u{1f}{}", place(&change.old), place(&change.new)),
                if is_shared { said_alone(change) } else { change.fingerprint.clone() },
                is_shared,
            );
            if let Some(group) = known.get(&key).and_then(|index| groups.get_mut(*index)) {
                group.changes.push(change);
            } else {
                known.insert(key, groups.len());
                groups.push(Group { changes: vec![change] });
            }
        }
        groups
    }
}

/// What a change says, without the way that leads to it.
fn said_alone(change: &Change) -> String {
    change.text.rsplit('`').next().unwrap_or_default().to_owned()
}

/// One change wherever it applies.
struct Group<'v> {
    changes: Vec<&'v Change>,
}

impl<'v> Group<'v> {
    fn first(&self) -> &'v Change {
        self.changes[0]
    }

    /// The operations it applies to, each once.
    fn operations(&self) -> Vec<String> {
        let mut names: Vec<String> = self.changes.iter().map(|change| operation(change)).collect();
        names.dedup();
        names.sort();
        names.dedup();
        names
    }
}

/// `METHOD /template`, or the document.
fn operation(change: &Change) -> String {
    if change.operation.method.is_empty() {
        return "the document".to_owned();
    }
    format!("{} {}", change.operation.method, change.operation.template)
}

/// `file:line:column` of the place to look at.
fn place(view: &View<'_>, change: &Change) -> String {
    let (document, fragment) = match (&change.new, &change.old) {
        (Some(new), _) => (view.new, new),
        (None, Some(old)) => (view.old, old),
        (None, None) => return view.new.name.clone(),
    };
    match fragment.position {
        Some(position) => format!("{}:{}:{}", document.name, position.line, position.column),
        None => format!("{}#{}", document.name, fragment.pointer),
    }
}

/// Where in the messages of the operation: status, media type.
fn message(change: &Change) -> String {
    let location = &change.location;
    let parts = [&location.status, &location.media_type];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

/// One sentence for the whole report.
fn verdict(view: &View<'_>) -> String {
    let summary = view.report.summary();
    let told = [
        (summary.breaking, "breaking"),
        (summary.potentially_breaking, "potentially breaking"),
        (summary.compatible, "compatible"),
        (summary.cosmetic, "cosmetic"),
        (summary.ignored, "ignored by the policy"),
    ];
    let parts: Vec<String> = told
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}

/// Renders a report. `colour` marks the text for a terminal and changes no other format.
#[must_use]
pub fn render(view: &View<'_>, format: Format, colour: bool) -> String {
    match format {
        Format::Text => text::render(view, colour),
        Format::Json => json::render(view),
        Format::Ndjson => json::lines(view),
        Format::Markdown => markdown::render(view),
        Format::Html => html::render(view),
        Format::Junit => junit::render(view),
        Format::Sarif => sarif::render(view),
        Format::Github => annotations::render(view),
    }
}

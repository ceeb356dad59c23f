//! Decisions that people made about paths: how the evidence is read (`spec/inference.md` 11.2).
//!
//! Owns which segments a pin fixes, what it calls their parameters, and which pins met nothing. Refuses to weigh anything: a
//! pin against the evidence stays.

use serde_json::Value;

use super::paths::{Found, Step};
use crate::infer::{ProjectOptions, options};

/// Pinned paths, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct PathPins {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    kind: Kind,
    text: String,
    parts: Vec<Part>,
}

/// What a pinned path says; of an imported one it does not matter whether it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Imported,
    Template,
    Literal,
    Greedy,
    Ignore,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A whole segment, by its name. What stands around a parameter in its segment is read from the evidence.
    Parameter(String),
    /// `*`: one segment.
    Any,
    /// `**`: all that are left.
    Rest,
}

/// What pins say of the segments behind some steps.
#[derive(Debug, Default)]
pub(super) struct Ahead<'a> {
    literals: Vec<&'a str>,
    all_literal: bool,
    /// The name of the parameter, where one is pinned.
    pub(super) parameter: Option<&'a str>,
    /// The name of one that takes all that is left.
    pub(super) greedy: Option<&'a str>,
}

impl Ahead<'_> {
    /// Whether nothing is pinned.
    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty() && !self.all_literal && self.parameter.is_none()
    }

    /// Whether a segment is a value; none: nothing is pinned.
    pub(super) fn is_value(&self, text: &str) -> Option<bool> {
        if self.all_literal || self.literals.contains(&text) {
            return Some(false);
        }
        self.parameter.map(|_| true)
    }
}

impl PathPins {
    pub(super) fn of(options: &ProjectOptions) -> Self {
        let options::Pins { template, literal, greedy, ignore, .. } = &*options.pins;
        let patterns = [
            (Kind::Template, template),
            (Kind::Literal, literal),
            (Kind::Greedy, greedy),
            (Kind::Ignore, ignore),
            (Kind::Imported, &options.templates),
        ]
        .into_iter()
        .flat_map(|(kind, texts)| texts.iter().map(move |text| Pattern::of(kind, text)))
        .collect();
        Self { patterns }
    }

    /// What the paths that begin with these steps say of the next segment. The first that names a parameter wins.
    pub(super) fn after(&self, steps: &[Step]) -> Ahead<'_> {
        let mut ahead = Ahead::default();
        let leading = self.patterns.iter().filter(|pattern| pattern.kind != Kind::Ignore);
        for pattern in leading.filter(|pattern| pattern.begins_with(steps)) {
            let is_last = pattern.parts.len() == steps.len() + 1;
            match pattern.parts.get(steps.len()) {
                Some(Part::Literal(text)) => ahead.literals.push(text),
                Some(Part::Parameter(name)) if is_last && pattern.kind == Kind::Greedy => {
                    ahead.greedy = ahead.greedy.or(Some(name));
                }
                Some(Part::Parameter(name)) => ahead.parameter = ahead.parameter.or(Some(name)),
                Some(Part::Any) if is_last => ahead.all_literal = true,
                Some(Part::Any | Part::Rest) | None => {}
            }
        }
        ahead
    }

    /// Whether an operation is not to be stated.
    pub(super) fn ignores(&self, found: &Found) -> bool {
        let mut ignored = self.patterns.iter().filter(|pattern| pattern.kind == Kind::Ignore);
        ignored.any(|pattern| pattern.covers(&found.steps))
    }

    /// The pins that no operation is read by.
    pub(super) fn without_effect(&self, found: &[Found]) -> Vec<String> {
        let idle = self.patterns.iter().filter(|pattern| {
            !found.iter().any(|found| match pattern.kind {
                Kind::Imported => true,
                Kind::Literal => {
                    let whole = found.steps.get(..pattern.parts.len());
                    whole.is_some_and(|steps| pattern.covers(steps))
                }
                Kind::Template | Kind::Greedy | Kind::Ignore => pattern.covers(&found.steps),
            })
        });
        idle.map(|pattern| format!("{} `{}`", pattern.kind.as_str(), pattern.text)).collect()
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Imported | Self::Template => "template",
            Self::Literal => "literal",
            Self::Greedy => "greedy",
            Self::Ignore => "ignore",
        }
    }
}

impl Pattern {
    fn of(kind: Kind, text: &str) -> Self {
        let segments = text.split('/').filter(|segment| !segment.is_empty());
        Self { kind, text: text.to_owned(), parts: segments.map(Part::of).collect() }
    }

    /// Whether there is more in it than these steps, which it fits.
    fn begins_with(&self, steps: &[Step]) -> bool {
        self.parts.len() > steps.len()
            && self.parts.iter().zip(steps).all(|(part, step)| part.is(step))
    }

    /// Whether it fits these steps and no more.
    fn covers(&self, steps: &[Step]) -> bool {
        match self.parts.split_last() {
            Some((Part::Rest, before)) => {
                before.len() <= steps.len()
                    && before.iter().zip(steps).all(|(part, step)| part.is(step))
            }
            _ => {
                self.parts.len() == steps.len()
                    && self.parts.iter().zip(steps).all(|(part, step)| part.is(step))
            }
        }
    }
}

impl Part {
    fn of(segment: &str) -> Self {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match (segment, name.filter(|name| !name.is_empty() && !name.contains(['{', '}']))) {
            ("*", _) => Self::Any,
            ("**", _) => Self::Rest,
            (_, Some(name)) => Self::Parameter(name.to_owned()),
            (_, None) => Self::Literal(segment.to_owned()),
        }
    }

    fn is(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Literal(text), Step::Literal(literal)) => text == literal,
            (Self::Parameter(_), Step::Wildcard(_)) | (Self::Any | Self::Rest, _) => true,
            _ => false,
        }
    }
}
/// The templates of a published document (Swagger 2.0, OpenAPI 3), each behind the base path of its first server, without
/// `prefix`, the path prefix of the API.
#[must_use]
pub fn templates(document: &Value, prefix: &str) -> Vec<String> {
    let base = base_path(document);
    let prefix = prefix.trim_end_matches('/');
    let paths = document.get("paths").and_then(Value::as_object);
    paths
        .into_iter()
        .flat_map(|paths| paths.keys())
        .map(|path| format!("{base}{path}"))
        .map(|path| path.strip_prefix(prefix).map_or(path.clone(), str::to_owned))
        .collect()
}

/// The base path of the first server of a document, without a slash at its end.
pub(super) fn base_path(document: &Value) -> &str {
    let server = document.pointer("/servers/0/url").and_then(Value::as_str).map(path_of);
    let base = document.get("basePath").and_then(Value::as_str).or(server).unwrap_or_default();
    base.trim_end_matches('/')
}

/// The path of a URL, which may be one alone.
fn path_of(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

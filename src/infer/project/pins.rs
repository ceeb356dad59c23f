//! Decisions that people made about paths: templates that the evidence is read by (`spec/inference.md` 11.2).
//!
//! Owns which segments a pinned template fixes and what it calls its parameters. Refuses to weigh anything: a pin against
//! the evidence stays.

use serde_json::Value;

use super::paths::Step;

/// Pinned templates, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pins {
    templates: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A whole segment, by its name. What stands around a parameter in its segment is read from the evidence.
    Parameter(String),
}

/// What pins say of the segments behind some steps.
#[derive(Debug, Default)]
pub(super) struct Ahead<'a> {
    literals: Vec<&'a str>,
    /// The name of the parameter, where one is pinned.
    pub(super) parameter: Option<&'a str>,
}

impl Ahead<'_> {
    /// Whether a segment is a value; none: nothing is pinned.
    pub(super) fn is_value(&self, text: &str) -> Option<bool> {
        if self.literals.contains(&text) {
            return Some(false);
        }
        self.parameter.map(|_| true)
    }
}

impl Pins {
    /// Reads templates such as `/users/{id}`.
    pub(super) fn of(templates: &[String]) -> Self {
        let parts = |template: &String| -> Vec<Part> {
            let segments = template.split('/').filter(|segment| !segment.is_empty());
            segments.map(Part::of).collect()
        };
        Self { templates: templates.iter().map(parts).collect() }
    }

    /// What the templates that begin with these steps say of the next segment.
    pub(super) fn after(&self, steps: &[Step]) -> Ahead<'_> {
        let mut ahead = Ahead::default();
        for template in &self.templates {
            let begins = template.len() > steps.len()
                && template.iter().zip(steps).all(|(part, step)| part.is(step));
            match template.get(steps.len()).filter(|_| begins) {
                Some(Part::Literal(text)) => ahead.literals.push(text),
                // The first template that names it wins, so that the order in which they are pinned counts.
                Some(Part::Parameter(name)) => ahead.parameter = ahead.parameter.or(Some(name)),
                None => {}
            }
        }
        ahead
    }
}

impl Part {
    fn of(segment: &str) -> Self {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name.filter(|name| !name.is_empty() && !name.contains(['{', '}'])) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Literal(segment.to_owned()),
        }
    }

    fn is(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Literal(text), Step::Literal(literal)) => text == literal,
            (Self::Parameter(_), Step::Wildcard(_)) => true,
            _ => false,
        }
    }
}

/// The templates of a published document (Swagger 2.0, OpenAPI 3), each behind the base path of its first server, without
/// `prefix`, the path prefix of the API.
#[must_use]
pub fn templates(document: &Value, prefix: &str) -> Vec<String> {
    let server = document.pointer("/servers/0/url").and_then(Value::as_str).map(path_of);
    let base = document.get("basePath").and_then(Value::as_str).or(server).unwrap_or_default();
    let base = base.trim_end_matches('/');
    let prefix = prefix.trim_end_matches('/');
    let paths = document.get("paths").and_then(Value::as_object);
    paths
        .into_iter()
        .flat_map(|paths| paths.keys())
        .map(|path| format!("{base}{path}"))
        .map(|path| path.strip_prefix(prefix).map_or(path.clone(), str::to_owned))
        .collect()
}

/// The path of a URL, which may be one alone.
fn path_of(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

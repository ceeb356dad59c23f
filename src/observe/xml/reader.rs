//! Events of an XML 1.0 document: starts, ends, texts. Comments, instructions and the declaration are passed over.

use super::Unreadable;

/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 128;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    Start {
        name: &'a str,
        attributes: Vec<(&'a str, String)>,
        /// It ends where it starts.
        empty: bool,
    },
    End(&'a str),
    Text(String),
}

pub(super) struct Reader<'a> {
    rest: &'a str,
    /// The text ended inside something.
    cut: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.trim_start_matches('\u{feff}'), cut: false }
    }

    /// Whether what was wrong is that the text ended.
    pub(super) fn at_end(&self) -> bool {
        self.cut || self.rest.is_empty()
    }

    /// The next event; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, Unreadable> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let Some(markup) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                if !text.trim().is_empty() {
                    return unescape(text).map(|text| Some(Event::Text(text)));
                }
                continue;
            };
            if let Some(comment) = markup.strip_prefix("!--") {
                self.pass(comment, "-->")?;
            } else if let Some(instruction) = markup.strip_prefix('?') {
                self.pass(instruction, "?>")?;
            } else if let Some(data) = markup.strip_prefix("![CDATA[") {
                return self.pass(data, "]]>").map(|text| Some(Event::Text(text.to_owned())));
            } else if markup.starts_with("!DOCTYPE") {
                return Err(Unreadable::Refused);
            } else if let Some(end) = markup.strip_prefix('/') {
                return self.pass(end, ">").map(|name| Some(Event::End(name.trim_end())));
            } else {
                return self.start(markup).map(Some);
            }
        }
    }

    /// Passes over everything up to a mark; gives what was before it.
    fn pass(&mut self, text: &'a str, mark: &str) -> Result<&'a str, Unreadable> {
        let Some((before, rest)) = text.split_once(mark) else {
            self.cut = true;
            return Err(Unreadable::Malformed);
        };
        self.rest = rest;
        Ok(before)
    }

    /// A start tag, behind its `<`.
    fn start(&mut self, markup: &'a str) -> Result<Event<'a>, Unreadable> {
        let (name, mut rest) = name(markup).ok_or(Unreadable::Malformed)?;
        let mut attributes: Vec<(&str, String)> = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                self.cut = true;
                return Err(Unreadable::Malformed);
            }
            let empty = rest.starts_with("/>");
            if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
                self.rest = after;
                return Ok(Event::Start { name, attributes, empty });
            }
            let (attribute, after) = self.attribute(rest)?;
            rest = after;
            // What binds prefixes to names is no data.
            let binds = attribute.0 == "xmlns" || attribute.0.starts_with("xmlns:");
            let twice = attributes.iter().any(|(known, _)| *known == attribute.0);
            if twice || attributes.len() >= ATTRIBUTES_MAX {
                return Err(Unreadable::Malformed);
            }
            if !binds {
                attributes.push(attribute);
            }
        }
    }

    /// One attribute and what follows it.
    fn attribute(&mut self, text: &'a str) -> Result<((&'a str, String), &'a str), Unreadable> {
        let (name, rest) = name(text).ok_or(Unreadable::Malformed)?;
        let rest = rest.trim_start();
        let parsed = rest.strip_prefix('=').map(str::trim_start).and_then(|rest| {
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            rest.get(1..)?.split_once(quote)
        });
        let Some((value, rest)) = parsed else {
            // The prefix may have ended within the value.
            self.cut = !rest.contains('>');
            return Err(Unreadable::Malformed);
        };
        if value.contains('<') {
            return Err(Unreadable::Malformed);
        }
        Ok(((name, unescape(value)?), rest))
    }
}

/// A name and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let ends = |character: char| character.is_whitespace() || "/>=<\"'&".contains(character);
    let end = text.find(ends).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let first = name.chars().next()?;
    (first.is_alphabetic() || matches!(first, '_' | ':')).then_some((name, rest))
}

/// Replaces the five entities and character references (XML 1.0 sections 4.1, 4.6).
fn unescape(text: &str) -> Result<String, Unreadable> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').ok_or(Unreadable::Malformed)?;
        out.push(character(entity).ok_or(Unreadable::Malformed)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

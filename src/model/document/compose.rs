//! Events → values: one pass, everything wrong noted, aliases weighed before they are copied.
//!
//! Owns what a mapping, a key, an alias and a tag mean. Refuses to own scalars (`scalar`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::events::{Event, Events, ScalarStyle, Step, Tag, too_deep};
use super::{ReadOptions, Variables, scalar};
use crate::model::problem::{Position, Problem, Problems, pointer};

/// What one pass yields; see the fields of [`super::Document`].
pub(super) struct Composed {
    pub(super) value: Value,
    pub(super) spellings: BTreeMap<String, String>,
    pub(super) interpolated: BTreeSet<String>,
}

/// A finished subtree and what it weighs, so that an alias to it can be refused before it is copied.
#[derive(Clone)]
struct Anchored {
    value: Value,
    nodes: usize,
    height: usize,
}

/// One pass over the events of a text.
pub(super) struct Composer<'a> {
    events: Events<'a>,
    options: ReadOptions<'a>,
    /// Pointer of the node being read.
    path: String,
    depth: usize,
    nodes: usize,
    anchors: HashMap<usize, Anchored>,
    spellings: BTreeMap<String, String>,
    interpolated: BTreeSet<String>,
    problems: Problems,
}

impl<'a> Composer<'a> {
    pub(super) fn new(text: &'a str, options: &ReadOptions<'a>) -> Self {
        Self {
            events: Events::new(text, options.depth_max),
            options: *options,
            path: String::new(),
            depth: 0,
            nodes: 0,
            anchors: HashMap::new(),
            spellings: BTreeMap::new(),
            interpolated: BTreeSet::new(),
            problems: Problems::default(),
        }
    }

    /// Reads the one document of the stream.
    pub(super) fn document(mut self) -> Result<Composed, Problems> {
        let value = self.root();
        match value {
            Ok(value) if self.problems.is_empty() => {
                Ok(Composed { value, spellings: self.spellings, interpolated: self.interpolated })
            }
            Ok(_) => Err(self.problems),
            Err(last) => {
                self.problems.push(last);
                Err(self.problems)
            }
        }
    }

    fn root(&mut self) -> Result<Value, Problem> {
        if !self.events.begin()? {
            return Ok(Value::Null);
        }
        let first = self.events.next()?;
        let (value, _) = self.node(first)?;
        loop {
            match self.events.next()? {
                (Event::StreamEnd, _) => return Ok(value),
                (Event::DocumentStart(..), place) => {
                    let message = "a second document begins here";
                    return Err(self
                        .problem("document.several-documents", message, place)
                        .remedy("keep one document per file: remove what follows `---`"));
                }
                _ => {}
            }
        }
    }

    /// Reads the node that begins with `event`; gives it with its height (0 for a scalar).
    fn node(&mut self, (event, place): Step<'a>) -> Result<(Value, usize), Problem> {
        self.count(1, place)?;
        let before = self.nodes;
        let (anchor, (value, height)) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, (self.scalar(&text, style, tag.as_deref(), place), 0))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", place);
                (anchor, self.nested(place, Self::sequence)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", place);
                (anchor, self.nested(place, Self::mapping)?)
            }
            Event::Alias(anchor) => return self.alias(anchor, place),
            _ => return Err(self.problem("document.syntax", "a value is missing here", place)),
        };
        if anchor != 0 {
            let nodes = self.nodes - before + 1;
            self.anchors.insert(anchor, Anchored { value: value.clone(), nodes, height });
        }
        Ok((value, height))
    }

    fn nested(
        &mut self,
        place: Position,
        read: fn(&mut Self) -> Result<(Value, usize), Problem>,
    ) -> Result<(Value, usize), Problem> {
        self.depth += 1;
        self.check_depth(0, place)?;
        let (value, height) = read(self)?;
        self.depth -= 1;
        Ok((value, height + 1))
    }

    fn sequence(&mut self) -> Result<(Value, usize), Problem> {
        let mut items = Vec::new();
        let mut tallest = 0;
        loop {
            let step = self.events.next()?;
            if step.0 == Event::SequenceEnd {
                return Ok((Value::Array(items), tallest));
            }
            let (item, height) = self.below(&items.len().to_string(), |read| read.node(step))?;
            tallest = tallest.max(height);
            items.push(item);
        }
    }

    fn mapping(&mut self) -> Result<(Value, usize), Problem> {
        let mut members = Map::new();
        let mut merged = Vec::new();
        let mut tallest = 0;
        loop {
            let (event, place) = self.events.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let (key, is_merge) = self.key(event, place)?;
            let step = self.events.next()?;
            let (value, height) = self.below(&key, |read| read.node(step))?;
            tallest = tallest.max(height);
            if is_merge {
                merged.push((value, place));
            } else if members.contains_key(&key) {
                let message = format!("`{key}` appears twice");
                let problem = self.problem("document.duplicate-key", message, place);
                self.problems.push(problem.remedy("keep one of the two"));
            } else {
                members.insert(key, value);
            }
        }
        for (value, place) in merged {
            self.merge(&mut members, value, place);
        }
        Ok((Value::Object(members), tallest))
    }

    /// A key is the text that was typed: `200`, `no` and `1.10` name themselves. The second value tells a merge key.
    fn key(&mut self, event: Event<'a>, place: Position) -> Result<(String, bool), Problem> {
        self.count(1, place)?;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                if anchor != 0 {
                    let value = Value::String(text.clone().into_owned());
                    self.anchors.insert(anchor, Anchored { value, nodes: 1, height: 0 });
                }
                Ok((text.clone().into_owned(), style == ScalarStyle::Plain && text == "<<"))
            }
            Event::Alias(anchor) => match self.alias(anchor, place)?.0 {
                Value::String(text) => Ok((text, false)),
                _ => Err(self.problem("document.key", "a key must be a text", place)),
            },
            _ => Err(self.problem("document.key", "a key must be a text", place)),
        }
    }

    /// `<<: *common`, one mapping or a list of them: members that are not there already.
    fn merge(&mut self, members: &mut Map<String, Value>, value: Value, place: Position) {
        let sources = match value {
            Value::Array(sources) => sources,
            single => vec![single],
        };
        for source in sources {
            let Value::Object(source) = source else {
                let message = "`<<` takes a mapping or a list of them";
                self.problems.push(self.problem("document.key", message, place));
                return;
            };
            for (key, value) in source {
                members.entry(key).or_insert(value);
            }
        }
    }

    fn alias(&mut self, anchor: usize, place: Position) -> Result<(Value, usize), Problem> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(self.problem(
                "document.alias",
                "an alias stands inside its own anchor",
                place,
            ));
        };
        let (nodes, height) = (anchored.nodes, anchored.height);
        self.count(nodes, place)?;
        self.check_depth(height, place)?;
        let value = self.anchors.get(&anchor).map(|anchored| anchored.value.clone());
        Ok((value.unwrap_or_default(), height))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Position,
    ) -> Value {
        let tag = tag.map(|tag| tag.core_suffix().unwrap_or("unknown"));
        let text = match self.options.variables {
            Some(variables) if style == ScalarStyle::Plain && text.contains("${") => {
                return Value::String(self.interpolate(text, variables, place));
            }
            _ => Cow::Borrowed(text),
        };
        let value = match tag {
            None if style == ScalarStyle::Plain => scalar::resolve(&text),
            None | Some("str") => Value::String(text.clone().into_owned()),
            Some("int" | "float" | "bool" | "null") => scalar::resolve(&text),
            Some(_) => {
                self.report_tag(place);
                Value::Null
            }
        };
        if value.is_number() && value.to_string() != text {
            self.spellings.insert(self.path.clone(), text.into_owned());
        }
        value
    }

    /// The text with its variables filled in. Their values are taken as they are, and never read as YAML.
    fn interpolate(&mut self, text: &str, variables: Variables<'_>, place: Position) -> String {
        self.interpolated.insert(self.path.clone());
        let problem = match scalar::interpolate(text, variables) {
            Ok(text) => return text,
            Err(scalar::Unfilled::Unset(name)) => self
                .problem("document.unset-variable", format!("`{name}` is not set"), place)
                .remedy(format!("set it, or give a default: `${{{name}:-default}}`")),
            Err(scalar::Unfilled::Malformed) => self
                .problem("document.interpolation", "`${` begins no variable here", place)
                .remedy("write `${NAME}` or `${NAME:-default}`, and `$${` for the characters"),
        };
        self.problems.push(problem);
        String::new()
    }

    fn report_tag(&mut self, place: Position) {
        let problem = self.problem("document.tag", "this tag means nothing here", place);
        self.problems.push(problem.remedy("remove the tag, the word that begins with `!`"));
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, place: Position) {
        if tag.is_some_and(|tag| tag.core_suffix() != Some(expected)) {
            self.report_tag(place);
        }
    }

    fn check_depth(&self, below: usize, place: Position) -> Result<(), Problem> {
        if self.depth.saturating_add(below) <= self.options.depth_max {
            return Ok(());
        }
        Err(too_deep(&self.path, self.options.depth_max, place))
    }

    fn count(&mut self, nodes: usize, place: Position) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= self.options.nodes_max {
            return Ok(());
        }
        let most = self.options.nodes_max;
        let message = format!("more than {most} values, aliases written out");
        Err(self.problem("document.too-large", message, place))
    }

    fn problem(&self, code: &'static str, message: impl Into<String>, place: Position) -> Problem {
        Problem::error(self.path.clone(), code, message).at(place)
    }

    fn below<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let length = self.path.len();
        self.path = pointer(&self.path, step);
        let result = read(self);
        self.path.truncate(length);
        result
    }
}

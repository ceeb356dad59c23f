//! All documents of one specification, and what their references name.
//!
//! Owns gathering (the main document, then every other one that is referred to), the walk that checks each `$ref`, and
//! following references. Refuses to own what the documents say.

use std::collections::{BTreeMap, VecDeque};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::model::document::{Document, ReadOptions};
use crate::model::problem::{Problem, Problems, pointer};

use super::LoadOptions;

/// Members whose own member names are chosen by the author, so that none of them is a keyword.
const NAME_MAPS: &[&str] = &[
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "paths",
    "webhooks",
    "responses",
    "schemas",
    "headers",
    "content",
    "callbacks",
    "links",
    "pathItems",
    "requestBodies",
    "securitySchemes",
    "encoding",
    "mediaTypes",
    "parameters",
    "examples",
    "scopes",
    "variables",
    "mapping",
];

/// Members that hold data: a `$ref` in there is a text.
const DATA: &[&str] = &["example", "default", "enum", "const", "value"];

/// Every document, immutable once gathered.
#[derive(Debug)]
pub(in crate::contract) struct Documents {
    list: Vec<Loaded>,
    chain_max: usize,
}

#[derive(Debug)]
struct Loaded {
    name: String,
    document: Document,
    /// Reference text without fragment → index of the document it names.
    others: BTreeMap<String, usize>,
    /// `$anchor` and `$dynamicAnchor` → pointers of the schemas that bear it.
    anchors: BTreeMap<String, Vec<String>>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(in crate::contract) struct Node<'d> {
    pub(in crate::contract) value: &'d Value,
    pub(in crate::contract) document: usize,
    pub(in crate::contract) pointer: String,
}

impl<'d> Node<'d> {
    /// The member `name`, if this is an object that has it.
    pub(in crate::contract) fn get(&self, name: &str) -> Option<Node<'d>> {
        let value = self.value.get(name)?;
        Some(Node { value, document: self.document, pointer: pointer(&self.pointer, name) })
    }

    /// The members of an object, in order.
    pub(in crate::contract) fn members(
        &self,
    ) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        let (document, base) = (self.document, self.pointer.clone());
        self.value.as_object().into_iter().flatten().map(move |(name, value)| {
            (name.as_str(), Node { value, document, pointer: pointer(&base, name) })
        })
    }

    /// The items of an array, in order.
    pub(in crate::contract) fn items(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let (document, base) = (self.document, self.pointer.clone());
        self.value.as_array().into_iter().flatten().enumerate().map(move |(index, value)| Node {
            value,
            document,
            pointer: format!("{base}/{index}"),
        })
    }

    pub(in crate::contract) fn text(&self, name: &str) -> Option<&'d str> {
        self.value.get(name).and_then(Value::as_str)
    }

    pub(in crate::contract) fn flag(&self, name: &str) -> bool {
        self.value.get(name).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Why a reference leads nowhere.
pub(super) enum Lost {
    Document,
    Pointer,
    Anchor,
    Cycle,
}

impl Documents {
    /// Reads the main text and all it refers to, and checks every reference.
    ///
    /// # Errors
    /// Everything that keeps a document from being read, and each reference that leads nowhere.
    pub(super) fn gather(
        text: &str,
        options: &LoadOptions<'_>,
        lints: &mut Problems,
    ) -> Result<Self, Problems> {
        let mut gathering = Gathering::new(options);
        gathering.read(options.name.to_owned(), text);
        gathering.follow_all();
        let Gathering { list, references, mut problems, .. } = gathering;
        let documents = Self { list, chain_max: options.limits.reference_chain };
        for reference in references {
            if let Some(problem) = documents.check(&reference, options.lenient_refs) {
                let level = if options.lenient_refs { &mut *lints } else { &mut problems };
                level.push(problem);
            }
        }
        if problems.is_empty() { Ok(documents) } else { Err(documents.placed(problems)) }
    }

    /// The root of the main document.
    pub(super) fn root(&self) -> Option<Node<'_>> {
        let loaded = self.list.first()?;
        Some(Node { value: &loaded.document.value, document: 0, pointer: String::new() })
    }

    /// All documents as one value: the main one alone, or several by their position.
    pub(super) fn bundle(&self) -> Value {
        match self.list.as_slice() {
            [only] => only.document.value.clone(),
            list => Value::Array(list.iter().map(|loaded| loaded.document.value.clone()).collect()),
        }
    }

    /// Follows references until something else stands there. A reference that leads nowhere (lenient) stays as it is.
    pub(in crate::contract) fn follow<'d>(&'d self, node: Node<'d>) -> Node<'d> {
        self.follow_while(node, |_| true)
    }

    /// The same as long as `goes_on` says so of the reference.
    pub(in crate::contract) fn follow_while<'d>(
        &'d self,
        node: Node<'d>,
        goes_on: impl Fn(&Node<'_>) -> bool,
    ) -> Node<'d> {
        let mut current = node;
        for _ in 0..self.chain_max {
            let Some(text) = current.text("$ref").filter(|_| goes_on(&current)) else { break };
            match self.target(current.document, text) {
                Ok(target) => current = target,
                Err(_) => break,
            }
        }
        current
    }

    /// What a reference in `document` names.
    pub(in crate::contract) fn find<'d>(&'d self, document: usize, text: &str) -> Option<Node<'d>> {
        self.target(document, text).ok()
    }

    /// The one place that a dynamic reference can mean, if there is exactly one.
    pub(in crate::contract) fn only_anchor(&self, document: usize, name: &str) -> Option<Node<'_>> {
        let loaded = self.list.get(document)?;
        match loaded.anchors.get(name)?.as_slice() {
            [pointer] => self.at(document, pointer.clone()),
            _ => None,
        }
    }

    fn target(&self, document: usize, text: &str) -> Result<Node<'_>, Lost> {
        let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
        let loaded = self.list.get(document).ok_or(Lost::Document)?;
        let index = match file {
            "" => document,
            file => *loaded.others.get(file).ok_or(Lost::Document)?,
        };
        let fragment = percent_decode_str(fragment).decode_utf8().map_err(|_| Lost::Pointer)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.at(index, fragment.into_owned()).ok_or(Lost::Pointer);
        }
        self.only_anchor(index, &fragment).ok_or(Lost::Anchor)
    }

    /// The value at a pointer of a document.
    pub(in crate::contract) fn at(&self, document: usize, pointer: String) -> Option<Node<'_>> {
        let value = self.list.get(document)?.document.value.pointer(&pointer)?;
        Some(Node { value, document, pointer })
    }

    /// A problem if the reference leads nowhere or round in circles.
    fn check(&self, reference: &Reference, lenient: bool) -> Option<Problem> {
        let mut lost = None;
        let mut text = reference.text.clone();
        let mut document = reference.document;
        for step in 0.. {
            if step > self.chain_max {
                lost = Some(Lost::Cycle);
                break;
            }
            match self.target(document, &text) {
                Err(error) => {
                    // Each broken link is reported where it stands, not by everybody who leads to it.
                    lost = (step == 0).then_some(error);
                    break;
                }
                Ok(node) => match node.text("$ref") {
                    // Beside other keywords a schema reference is not the whole schema, so a circle is recursion.
                    Some(next)
                        if node.value.as_object().is_some_and(|object| object.len() == 1) =>
                    {
                        document = node.document;
                        text = next.to_owned();
                    }
                    _ => break,
                },
            }
        }
        let (message, remedy) = match lost? {
            // Said once already, with the reason, where it was tried to read it.
            Lost::Document if !lenient => return None,
            Lost::Document => ("names a document that was not read", "check the file name"),
            Lost::Pointer => ("names a place that does not exist", "check the pointer after `#`"),
            Lost::Anchor => ("names no anchor, or more than one", "use a pointer, `#/...`"),
            Lost::Cycle => ("leads back to itself", "let it end in a definition"),
        };
        let text = &reference.text;
        let message = format!("the reference `{text}` {message}");
        let problem = Problem::error(
            self.shown(reference.document, &reference.pointer),
            "spec.unresolved-reference",
            message,
        );
        Some(problem.remedy(remedy))
    }

    /// A pointer as problems show it: other documents than the main one by their name.
    pub(in crate::contract) fn shown(&self, document: usize, pointer: &str) -> String {
        match (document, self.list.get(document)) {
            (0, _) | (_, None) => pointer.to_owned(),
            (_, Some(loaded)) => format!("{}#{pointer}", loaded.name),
        }
    }

    /// Adds line and column to the problems that have none.
    pub(super) fn placed(&self, mut problems: Problems) -> Problems {
        for problem in problems.0.iter_mut().filter(|problem| problem.position.is_none()) {
            let (name, pointer) =
                problem.pointer.rsplit_once('#').unwrap_or(("", &problem.pointer));
            let loaded = match name {
                "" => self.list.first(),
                name => self.list.iter().find(|loaded| loaded.name == name),
            };
            problem.position = loaded.and_then(|loaded| loaded.document.locate(pointer));
        }
        problems
    }
}

/// One `$ref` as met.
struct Reference {
    document: usize,
    pointer: String,
    text: String,
}

struct Gathering<'o> {
    options: &'o LoadOptions<'o>,
    list: Vec<Loaded>,
    by_name: BTreeMap<String, usize>,
    references: Vec<Reference>,
    /// References of which the document is not known yet.
    waiting: VecDeque<(usize, String, String)>,
    nodes_left: usize,
    problems: Problems,
}

impl<'o> Gathering<'o> {
    fn new(options: &'o LoadOptions<'o>) -> Self {
        Self {
            options,
            list: Vec::new(),
            by_name: BTreeMap::new(),
            references: Vec::new(),
            waiting: VecDeque::new(),
            nodes_left: options.limits.nodes,
            problems: Problems::default(),
        }
    }

    /// Parses one text, remembers its references and anchors, and gives its index.
    fn read(&mut self, name: String, text: &str) -> Option<usize> {
        let limits = ReadOptions {
            bytes_max: self.options.limits.bytes,
            nodes_max: self.nodes_left,
            depth_max: self.options.limits.depth,
            variables: None,
        };
        let index = self.list.len();
        match Document::parse(text, &limits) {
            Ok(document) => {
                let mut loaded = Loaded {
                    name: name.clone(),
                    document,
                    others: BTreeMap::new(),
                    anchors: BTreeMap::new(),
                };
                let mut found = Found::default();
                found.walk(&loaded.document.value, &mut String::new(), false);
                self.nodes_left = self.nodes_left.saturating_sub(found.nodes);
                loaded.anchors = found.anchors;
                for (pointer, text) in found.references {
                    if let Some((file, _)) = text.split_once('#').or(Some((&text, "")))
                        && !file.is_empty()
                    {
                        self.waiting.push_back((index, file.to_owned(), pointer.clone()));
                    }
                    self.references.push(Reference { document: index, pointer, text });
                }
                self.by_name.insert(name, index);
                self.list.push(loaded);
                Some(index)
            }
            Err(problems) => {
                let prefix = if index == 0 { String::new() } else { format!("{name}#") };
                self.problems.extend_below(&prefix, problems);
                None
            }
        }
    }

    fn follow_all(&mut self) {
        while let Some((document, file, pointer)) = self.waiting.pop_front() {
            let Some(base) = self.list.get(document) else { continue };
            if base.others.contains_key(&file) {
                continue;
            }
            let base_name = base.name.clone();
            let index = match self.options.resolver.resolve(&base_name, &file) {
                Err(reason) => {
                    if !self.options.lenient_refs {
                        self.unreadable(document, pointer, &file, &reason);
                    }
                    None
                }
                Ok((name, _)) if self.by_name.contains_key(&name) => {
                    self.by_name.get(&name).copied()
                }
                Ok(_) if self.list.len() >= self.options.limits.documents => {
                    let reason = format!("more than {} documents", self.options.limits.documents);
                    self.unreadable(document, pointer, &file, &reason);
                    return;
                }
                Ok((name, text)) => self.read(name, &text),
            };
            if let (Some(index), Some(base)) = (index, self.list.get_mut(document)) {
                base.others.insert(file, index);
            }
        }
    }

    fn unreadable(&mut self, document: usize, pointer: String, file: &str, reason: &str) {
        let place = match (document, self.list.get(document)) {
            (0, _) | (_, None) => pointer,
            (_, Some(loaded)) => format!("{}#{pointer}", loaded.name),
        };
        let message = format!("`{file}` cannot be read: {reason}");
        self.problems.push(Problem::error(place, "spec.unreadable-reference", message));
    }
}

/// What one walk over a document finds.
#[derive(Default)]
struct Found {
    references: Vec<(String, String)>,
    anchors: BTreeMap<String, Vec<String>>,
    nodes: usize,
}

impl Found {
    /// `named`: the members of this object are named by the author. The nesting is limited by the reader.
    fn walk(&mut self, value: &Value, place: &mut String, named: bool) {
        self.nodes += 1;
        let length = place.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    place.push('/');
                    place.push_str(&index.to_string());
                    self.walk(item, place, false);
                    place.truncate(length);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    if !named && (DATA.contains(&name.as_str()) || name.starts_with("x-")) {
                        continue;
                    }
                    if !named && let Some(text) = member.as_str() {
                        self.keyword(name, text, place);
                    }
                    // `examples` is data in schemas (an array) and a map of objects elsewhere.
                    if name == "examples" && !named && member.is_array() {
                        continue;
                    }
                    let maps = NAME_MAPS.contains(&name.as_str());
                    *place = pointer(place, name);
                    self.walk(member, place, !named && maps && member.is_object());
                    place.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn keyword(&mut self, name: &str, text: &str, place: &str) {
        match name {
            "$ref" => self.references.push((pointer(place, name), text.to_owned())),
            "$anchor" | "$dynamicAnchor" => {
                self.anchors.entry(text.to_owned()).or_default().push(place.to_owned());
            }
            _ => {}
        }
    }
}

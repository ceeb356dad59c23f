//! JSON trees whose string leaves are templates: the leaf rule of `spec/actions.md` 2.
//!
//! Keys are literal. A leaf that is exactly one `{{ expression }}` gives the native value, and a bare path copies its raw
//! text; anything else gives a string. The result is text, so that nothing is spelled anew on its way.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::model::problem::{Problem, Problems, pointer};

use super::{Capped, Compiled, Failed, OUTPUT_BYTES_MAX, Scope, TEMPLATE_BYTES_MAX, TEMPLATE_FUEL};
use super::{functions, lexer};

/// A compiled tree.
#[derive(Debug)]
pub struct Tree(Node);

#[derive(Debug)]
enum Node {
    /// JSON text that stays.
    Fixed(String),
    Text(Compiled),
    Native(Compiled, Option<Path>),
    Array(Vec<Node>),
    /// Names as JSON texts.
    Object(Vec<(String, Node)>),
}

/// `root.name[0]['other']`.
#[derive(Debug, PartialEq, Eq)]
struct Path {
    root: String,
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl Tree {
    /// Compiles every leaf.
    ///
    /// # Errors
    /// Everything wrong with any of them, with pointers into the tree.
    pub fn compile(tree: &serde_json::Value, roots: &[&str]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let node = compile(tree, "", roots, &mut problems);
        if problems.has_errors() { Err(problems) } else { Ok(Self(node)) }
    }

    /// The tree as JSON text with its leaves filled in, at most 256 KiB.
    ///
    /// # Errors
    /// The first leaf that gives no value.
    pub fn render(&self, scope: &Scope) -> Result<String, Failed> {
        let mut text = Capped::default();
        write(&self.0, scope, &mut text)?;
        Ok(text.0)
    }
}

fn compile(tree: &serde_json::Value, place: &str, roots: &[&str], problems: &mut Problems) -> Node {
    match tree {
        serde_json::Value::String(text) => leaf(text, roots).unwrap_or_else(|mut problem| {
            problem.pointer.insert_str(0, place);
            problems.push(problem);
            Node::Fixed("null".to_owned())
        }),
        serde_json::Value::Array(items) => Node::Array(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    compile(item, &pointer(place, &index.to_string()), roots, problems)
                })
                .collect(),
        ),
        serde_json::Value::Object(members) => Node::Object(
            members
                .iter()
                .map(|(name, member)| {
                    let node = compile(member, &pointer(place, name), roots, problems);
                    (serde_json::Value::from(name.as_str()).to_string(), node)
                })
                .collect(),
        ),
        scalar => Node::Fixed(scalar.to_string()),
    }
}

fn leaf(text: &str, roots: &[&str]) -> Result<Node, Problem> {
    if !["{{", "{%", "{#"].iter().any(|sign| text.contains(sign)) {
        return Ok(Node::Fixed(serde_json::Value::from(text).to_string()));
    }
    match lexer::sole_expression(text) {
        Some(expression) => {
            let compiled =
                Compiled::expression(expression, TEMPLATE_BYTES_MAX, TEMPLATE_FUEL, roots)?;
            Ok(Node::Native(compiled, Path::read(expression)))
        }
        None => Compiled::template(text, roots).map(Node::Text),
    }
}

fn write(node: &Node, scope: &Scope, text: &mut Capped) -> Result<(), Failed> {
    match node {
        Node::Fixed(fixed) => push(text, fixed),
        Node::Text(template) => {
            let filled = template.text(scope)?;
            push(text, &serde_json::Value::from(filled).to_string())
        }
        Node::Native(expression, path) => {
            if let Some(raw) = path.as_ref().and_then(|path| path.find(scope)) {
                return push(text, raw);
            }
            let value = expression.value(scope)?;
            let json = functions::json(&value).map_err(|error| expression.told(&error))?;
            push(text, &json)
        }
        Node::Array(items) => {
            push(text, "[")?;
            for (index, item) in items.iter().enumerate() {
                push(text, if index > 0 { "," } else { "" })?;
                write(item, scope, text)?;
            }
            push(text, "]")
        }
        Node::Object(members) => {
            push(text, "{")?;
            for (index, (name, member)) in members.iter().enumerate() {
                push(text, if index > 0 { "," } else { "" })?;
                push(text, name)?;
                push(text, ":")?;
                write(member, scope, text)?;
            }
            push(text, "}")
        }
    }
}

fn push(text: &mut Capped, part: &str) -> Result<(), Failed> {
    std::fmt::Write::write_str(text, part).map_err(|_| Failed {
        message: format!("the whole grows beyond {OUTPUT_BYTES_MAX} bytes"),
        source_text: "template".to_owned(),
    })
}

impl Path {
    /// Reads a bare path; none for any other expression.
    fn read(expression: &str) -> Option<Self> {
        let expression = expression.strip_prefix('$').unwrap_or(expression);
        let name_of = |text: &str| {
            let length =
                text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            (length > 0).then_some(length)
        };
        let (root, mut rest) = expression.split_at_checked(name_of(expression)?)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let (name, next) = after.split_at_checked(name_of(after)?)?;
                steps.push(Step::Name(name.to_owned()));
                rest = next;
                continue;
            }
            let (inner, next) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = ['"', '\''].iter().find_map(|quote| {
                inner.strip_prefix(*quote)?.strip_suffix(*quote).filter(|name| !name.contains('\\'))
            });
            steps.push(match quoted {
                Some(name) => Step::Name(name.to_owned()),
                None => Step::Index(inner.parse().ok()?),
            });
            rest = next;
        }
        Some(Self { root: root.to_owned(), steps })
    }

    /// The raw text at the path, if the variable has one.
    fn find<'a>(&self, scope: &'a Scope) -> Option<&'a str> {
        let mut text = scope.raw(&self.root)?;
        for step in &self.steps {
            text = match step {
                Step::Name(name) => {
                    let members: HashMap<String, &'a RawValue> = serde_json::from_str(text).ok()?;
                    (*members.get(name)?).get()
                }
                Step::Index(index) => {
                    let items: Vec<&'a RawValue> = serde_json::from_str(text).ok()?;
                    (*items.get(*index)?).get()
                }
            };
        }
        Some(text)
    }
}

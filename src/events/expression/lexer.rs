//! One pass over the source of a condition or template before it is compiled (`spec/actions.md` 2).
//!
//! Owns what must not reach the engine: operators that make much out of little, statements beyond `if` and `for`, names of
//! filters, tests and functions that are not on the list. Drops `$` before names by a space, so that places stay true.

use crate::model::problem::nearest;

use super::functions::{FILTERS, FUNCTIONS, TESTS};

/// `~` and `+` in one source at most: each may copy 256 KiB.
const JOINTS_MAX: usize = 32;
/// Commas in code at most: each adds an element to a literal, and joining literals copies.
const COMMAS_MAX: usize = 64;
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];
/// Words of the language itself, which may stand before a bracket.
const WORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "elif", "true", "false", "none", "for"];

/// What is refused, and where: byte offset in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Refused {
    fn new(at: usize, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { at, message: message.into(), remedy: remedy.into() }
    }
}

/// The source as the engine gets it; equal in length to what was written.
pub(super) fn condition(source: &str) -> Result<String, Refused> {
    let mut pass = Pass::new(source);
    pass.code(0, None)?;
    pass.finish()
}

/// As [`condition`] for a template: code between `{{ }}` and `{% %}`, the rest is text.
pub(super) fn template(source: &str) -> Result<String, Refused> {
    let mut pass = Pass::new(source);
    let mut at = 0;
    while let Some(open) = find(source, at, &["{{", "{%", "{#"]) {
        let kind = source.as_bytes().get(open + 1).copied().unwrap_or(b'{');
        at = match kind {
            b'#' => {
                find(source, open + 2, &["#}"]).map(|end| end + 2).ok_or_else(|| unclosed(open))?
            }
            b'%' => {
                pass.statement(open + 2)?;
                pass.code(open + 2, Some("%}"))?
            }
            _ => pass.code(open + 2, Some("}}"))?,
        };
    }
    pass.finish()
}

/// The expression of a source that is exactly one `{{ expression }}`.
pub(super) fn sole_expression(source: &str) -> Option<&str> {
    let inner = source.strip_prefix("{{")?.strip_suffix("}}")?;
    let mut pass = Pass::new(source);
    let end = pass.code(2, Some("}}")).ok()?;
    (end == source.len()).then(|| inner.trim_matches(['-', '+']).trim())
}

fn find(source: &str, from: usize, needles: &[&str]) -> Option<usize> {
    let rest = source.get(from..)?;
    needles.iter().filter_map(|needle| rest.find(needle)).min().map(|at| at + from)
}

fn unclosed(at: usize) -> Refused {
    Refused::new(at, "what begins here has no end", "close it with `}}`, `%}` or `#}`")
}

struct Pass<'a> {
    source: &'a str,
    cleaned: Vec<u8>,
    joints: usize,
    commas: usize,
}

impl<'a> Pass<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, cleaned: source.as_bytes().to_vec(), joints: 0, commas: 0 }
    }

    fn finish(self) -> Result<String, Refused> {
        String::from_utf8(self.cleaned)
            .map_err(|_| Refused::new(0, "the text is not UTF-8", "write it in UTF-8"))
    }

    fn byte(&self, at: usize) -> u8 {
        self.source.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The statement whose tag begins at `at` is one of the few.
    fn statement(&self, at: usize) -> Result<(), Refused> {
        let rest = self.source.get(at..).unwrap_or_default();
        let body = rest.trim_start_matches(['-', '+']).trim_start();
        let word: &str = body.split(|c: char| !is_name(c)).next().unwrap_or_default();
        if STATEMENTS.contains(&word) {
            return Ok(());
        }
        Err(Refused::new(at, format!("`{word}` is not a statement here"), "use `if` or `for`"))
    }

    /// Goes through code up to `close` (or the end) and answers where the next text begins.
    fn code(&mut self, from: usize, close: Option<&str>) -> Result<usize, Refused> {
        let (mut at, mut depth) = (from, 0_usize);
        let mut before = Before::Start;
        while at < self.source.len() {
            let rest = self.source.get(at..).unwrap_or_default();
            if depth == 0 && close.is_some_and(|close| rest.starts_with(close)) {
                return Ok(at + 2);
            }
            let byte = self.byte(at);
            match byte {
                b'"' | b'\'' => {
                    at = self.string(at)?;
                    before = Before::Value;
                    continue;
                }
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth = depth.saturating_sub(1),
                b'$' => self.dollar(at)?,
                b'*' | b'~' | b'+' | b',' => self.count(byte, at, from)?,
                _ => {}
            }
            if is_name(char::from(byte)) && !byte.is_ascii_digit() {
                let name: String = rest.chars().take_while(|c| is_name(*c)).collect();
                before = self.name(&name, at, before)?;
                at += name.len();
                continue;
            }
            if byte.is_ascii_digit() {
                at += rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                before = Before::Value;
                continue;
            }
            before = match byte {
                b'|' => Before::Pipe,
                b'.' => Before::Dot,
                _ if byte.is_ascii_whitespace() || byte == b'$' => before,
                _ => Before::Start,
            };
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if close.is_some() { Err(unclosed(from.saturating_sub(2))) } else { Ok(at) }
    }

    /// The end of the string literal that begins at `at`.
    fn string(&self, at: usize) -> Result<usize, Refused> {
        let quote = self.byte(at);
        let mut end = at + 1;
        while end < self.source.len() {
            match self.byte(end) {
                b'\\' => end += 1,
                byte if byte == quote => return Ok(end + 1),
                _ => {}
            }
            end += 1;
        }
        Err(Refused::new(at, "this text has no end", "close the quotes"))
    }

    /// `$name` is `name`: the sign becomes a space.
    fn dollar(&mut self, at: usize) -> Result<(), Refused> {
        let next = char::from(self.byte(at + 1));
        if !is_name(next) || next.is_ascii_digit() {
            return Err(Refused::new(at, "`$` stands before no name", "write `$name` or `name`"));
        }
        if let Some(byte) = self.cleaned.get_mut(at) {
            *byte = b' ';
        }
        Ok(())
    }

    fn count(&mut self, byte: u8, at: usize, from: usize) -> Result<(), Refused> {
        // The signs of `{{+` and `{{-` control white space.
        if byte == b'+' && at == from && from > 0 {
            return Ok(());
        }
        match byte {
            b'*' => {
                let remedy = "use `mul(a, b)`, which takes numbers alone";
                return Err(Refused::new(at, "`*` is not available", remedy));
            }
            b',' => self.commas += 1,
            _ => self.joints += 1,
        }
        if self.joints > JOINTS_MAX || self.commas > COMMAS_MAX {
            let message = format!("more than {JOINTS_MAX} of `~` and `+` or {COMMAS_MAX} commas");
            return Err(Refused::new(at, message, "make it shorter"));
        }
        Ok(())
    }

    /// A name in code: what stands before it says what it must be.
    fn name(&self, name: &str, at: usize, before: Before) -> Result<Before, Refused> {
        let known = |list: &[&'static str], what: &str| {
            if list.contains(&name) {
                return Ok(Before::Value);
            }
            let remedy = nearest(name, list.iter().copied()).map_or_else(
                || format!("known are {}", list.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Refused::new(at, format!("there is no {what} `{name}`"), remedy))
        };
        match before {
            Before::Pipe => known(FILTERS, "filter"),
            Before::Is if name == "not" => Ok(Before::Is),
            Before::Is => known(TESTS, "test"),
            Before::Dot => Ok(Before::Value),
            Before::Start | Before::Value if name == "is" => Ok(Before::Is),
            Before::Start | Before::Value => {
                let rest = self.source.get(at + name.len()..).unwrap_or_default();
                if rest.trim_start().starts_with('(') && !WORDS.contains(&name) {
                    return known(FUNCTIONS, "function");
                }
                Ok(Before::Value)
            }
        }
    }
}

/// What the last token was, as far as it decides about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Value,
    Pipe,
    Dot,
    Is,
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

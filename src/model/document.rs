//! YAML or JSON text → a tree of JSON values, and from a JSON pointer back to line and column.
//!
//! Owns the reading of every document that a person wrote: configuration files, specifications, objects given to the command
//! line. It is the only user of the YAML crate, and takes that crate's events rather than its values, since only the events
//! keep what a person typed: YAML 1.2 core (`no`, `on` and dates are texts, keys are texts, the spelling of `1.10` is kept
//! beside the number). Duplicate keys, several documents, tags of one's own and alias bombs are refused. JSON is read as the
//! YAML it is. Refuses to own what a document means, and to read files or the environment: variables come in as a function.

mod compose;
mod events;
pub mod index;
mod scalar;
mod seek;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::limits::SPECIFICATION_BYTES_MAX;
use super::problem::{Position, Problem, Problems};
use compose::Composer;

/// Gives the value of a variable, if it is set.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a reader allows.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// Largest text, bytes.
    pub bytes_max: u64,
    /// Most nodes of the tree, aliases expanded.
    pub nodes_max: usize,
    /// Deepest nesting, aliases expanded.
    pub depth_max: usize,
    /// Fills `${NAME}` and `${NAME:-default}` in plain scalars. Without it they are ordinary text.
    pub variables: Option<Variables<'a>>,
}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        Self {
            bytes_max: SPECIFICATION_BYTES_MAX,
            nodes_max: 2_000_000,
            depth_max: 256,
            variables: None,
        }
    }
}

/// A document as it was read.
#[derive(Debug, Clone)]
pub struct Document {
    pub value: Value,
    text: Arc<str>,
    spellings: BTreeMap<String, String>,
    interpolated: BTreeSet<String>,
}

impl Document {
    /// Reads one YAML or JSON document; a byte order mark is skipped, an empty text is null.
    ///
    /// # Errors
    /// Every duplicate key, unset variable and foreign tag at once, with pointer and position; a syntax error or a limit ends
    /// the list. Codes are `document.*`.
    pub fn parse(text: &str, options: &ReadOptions<'_>) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() as u64 > options.bytes_max {
            let message = format!("the text is larger than {} bytes", options.bytes_max);
            return Err(Problems(vec![Problem::error("", "document.too-large", message)]));
        }
        let text = readable(text);
        let composed = Composer::new(&text, options).document()?;
        Ok(Self {
            value: composed.value,
            text: text.into(),
            spellings: composed.spellings,
            interpolated: composed.interpolated,
        })
    }

    /// Where the value at `pointer` stands: a scalar at its text, a collection at the key that names it. The nearest
    /// ancestor's place if there is no such value; for what came through an alias, the place of its use.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Option<Position> {
        seek::seek(&self.text, pointer).map(|found| found.value)
    }

    /// Where the key of the member at `pointer` stands; as [`Self::locate`] for what has no key.
    #[must_use]
    pub fn locate_key(&self, pointer: &str) -> Option<Position> {
        seek::seek(&self.text, pointer).map(|found| found.key)
    }

    /// The source line of a position, without its line break. Variables appear as they were written, never as their value.
    #[must_use]
    pub fn excerpt(&self, position: Position) -> Option<&str> {
        excerpt(&self.text, position)
    }

    /// What was typed where the value differs from it: `010`, `1.10`, an integer above 64 bits. None where it does not.
    #[must_use]
    pub fn spelling(&self, pointer: &str) -> Option<&str> {
        self.spellings.get(pointer).map(String::as_str)
    }

    /// Whether the value at `pointer` holds the value of a variable. Such a value is always a text.
    #[must_use]
    pub fn is_interpolated(&self, pointer: &str) -> bool {
        self.interpolated.contains(pointer)
    }
}

/// JSON with the characters spelled out that its strings may hold and YAML text may not (RFC 8259 section 7, YAML 1.2.2
/// section 5.1). Columns behind them in the same line move by five.
fn readable(text: &str) -> Cow<'_, str> {
    let is_bare = |letter: char| {
        matches!(letter, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}') && letter != '\u{85}'
    };
    if !text.contains(is_bare) || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 64);
    for letter in text.chars() {
        if is_bare(letter) {
            spelled.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            spelled.push(letter);
        }
    }
    Cow::Owned(spelled)
}

/// What a plain scalar with this text means: null, a truth value, a number or a text.
#[must_use]
pub fn plain(text: &str) -> Value {
    scalar::resolve(text)
}

/// The line of `text` at a position, without its line break.
#[must_use]
pub fn excerpt(text: &str, position: Position) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().nth(position.line.checked_sub(1)?)
}

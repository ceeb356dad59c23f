//! One thing wrong with an input, and the list of all of them.
//!
//! Owns the shape that config files, specifications, HAR files and API calls share: where, what, and what to do about it.
//! Refuses to own presentation: `config::report` draws excerpts, `admin::problem` writes problem+json.

use std::fmt;

/// One problem. `pointer` is an RFC 6901 JSON pointer into the input ("" is the whole), `code` is `area.kebab-case`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub pointer: String,
    pub code: &'static str,
    /// Lower case, no full stop, user input in backticks.
    pub message: String,
    /// What to do, same style; empty when the message says it.
    pub remedy: String,
    pub level: Level,
    /// Line and column (from 1) where the reader knows them better than the pointer does, as in a syntax error.
    pub position: Option<Position>,
}

/// Whether a problem stops the input from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Warning,
    Error,
}

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Problem {
    #[must_use]
    pub fn error(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
            remedy: String::new(),
            level: Level::Error,
            position: None,
        }
    }

    #[must_use]
    pub fn warning(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warning, ..Self::error(pointer, code, message) }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.position {
            write!(formatter, "{}:{}: ", place.line, place.column)?;
        }
        if !self.pointer.is_empty() {
            write!(formatter, "{}: ", self.pointer)?;
        }
        formatter.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(formatter, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// All problems of one input, in the order found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds what a part found about itself, its pointers put below `prefix`.
    pub fn extend_below(&mut self, prefix: &str, other: Problems) {
        self.0.extend(other.0.into_iter().map(|mut problem| {
            problem.pointer.insert_str(0, prefix);
            problem
        }));
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.level == Level::Error)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

/// Appends one step to a JSON pointer, escaped (RFC 6901).
#[must_use]
pub fn pointer(base: &str, step: &str) -> String {
    format!("{base}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// The known name nearest to a mistyped one, at an edit distance of at most 2.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters; long names are not worth the work and count as far.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) =
        (left.chars().take(65).collect(), right.chars().take(65).collect());
    if left.len().abs_diff(right.len()) > 2 || left.len() > 64 || right.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.iter().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        for (column, to) in right.iter().enumerate() {
            let substitution = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            let best = substitution.min(previous + 1).min(diagonal + 1);
            row[column] = previous;
            previous = best;
        }
        let last = row.len() - 1;
        row[last] = previous;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_at_most_two_edits_away() {
        assert_eq!(nearest("upstrem", ["upstream", "address"]), Some("upstream"));
        assert_eq!(nearest("adress", ["upstream", "address"]), Some("address"));
        assert_eq!(nearest("xyz", ["upstream", "address"]), None);
    }

    #[test]
    fn pointers_escape_their_steps() {
        assert_eq!(pointer("/paths", "/a~b/{id}"), "/paths/~1a~0b~1{id}");
    }
}

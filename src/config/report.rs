//! Problems as a person reads them: where, what, what to do.
//!
//! Owns turning pointers into `file:line:column`, the excerpt with its caret, and the forms for machines. Refuses to own what
//! is wrong: that comes as `Problem`s. Literal secrets in an excerpt are masked.

use std::fmt;

use serde_json::json;

use crate::model::document::{Document, excerpt};
use crate::model::problem::{Level, Position, Problem, Problems};
use crate::model::redaction::is_secret_name;

/// Everything found in one configuration and the files it names.
#[derive(Debug, Clone, Default)]
pub struct Report {
    findings: Vec<Finding>,
    /// What stands behind `ok:` when nothing is wrong.
    contents: String,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Text,
    Json,
    Github,
}

/// One problem with its place in its file.
#[derive(Debug, Clone)]
struct Finding {
    file: String,
    problem: Problem,
    line: Option<String>,
}

impl Report {
    /// Adds what is wrong with a text that could be read as a document.
    pub(super) fn add(&mut self, file: &str, document: &Document, problems: Problems) {
        for mut problem in problems.0 {
            problem.position = problem.position.or_else(|| match problem.code {
                "config.unknown-key" => document.locate_key(&problem.pointer),
                _ => document.locate(&problem.pointer),
            });
            let line = problem.position.and_then(|place| document.excerpt(place)).map(masked);
            self.findings.push(Finding { file: file.to_owned(), problem, line });
        }
    }

    /// Adds what is wrong with a text whose problems know their places.
    pub(super) fn add_text(&mut self, file: &str, text: &str, problems: Problems) {
        for problem in problems.0 {
            let line = problem.position.and_then(|place| excerpt(text, place)).map(masked);
            self.findings.push(Finding { file: file.to_owned(), problem, line });
        }
    }

    pub(super) fn set_contents(&mut self, contents: String) {
        self.contents = contents;
    }

    /// Brings the findings into the order of the files and their lines.
    pub(super) fn sort(&mut self) {
        let first = self.findings.first().map(|finding| finding.file.clone());
        self.findings.sort_by(|left, right| {
            let key = |finding: &Finding| {
                (
                    Some(&finding.file) != first.as_ref(),
                    finding.file.clone(),
                    finding.problem.position,
                )
            };
            key(left).cmp(&key(right))
        });
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    #[must_use]
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.problem.level == Level::Error).count()
    }

    #[must_use]
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// The problems with their pointers, for the admin API.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.findings.iter().map(|finding| &finding.problem)
    }

    /// `7 errors, 2 warnings`, or `ok: 2 APIs, 3 webhooks`.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.errors(), self.warnings()) {
            (0, 0) => format!("ok: {}", self.contents),
            (0, warnings) => format!("ok: {}; {}", self.contents, count(warnings, "warning")),
            (errors, 0) => count(errors, "error"),
            (errors, warnings) => {
                format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
            }
        }
    }

    /// The whole report; the text form ends with the summary.
    #[must_use]
    pub fn print(&self, format: Format) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            text.push_str(&match format {
                Format::Text => finding.to_string(),
                Format::Json => finding.json().to_string(),
                Format::Github => finding.github(),
            });
            text.push('\n');
        }
        if format == Format::Text {
            text.push_str(&self.summary());
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.print(Format::Text).trim_end())
    }
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

impl Finding {
    fn json(&self) -> serde_json::Value {
        let place = self.problem.position;
        json!({
            "level": level(self.problem.level),
            "code": self.problem.code,
            "file": self.file,
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "pointer": self.problem.pointer,
            "message": self.problem.message,
            "remedy": self.problem.remedy,
        })
    }

    /// A workflow command of GitHub Actions.
    fn github(&self) -> String {
        let escape =
            |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
        let place = match self.problem.position {
            Some(Position { line, column }) => format!(",line={line},col={column}"),
            None => String::new(),
        };
        let mut message = self.problem.message.clone();
        if !self.problem.remedy.is_empty() {
            message = format!("{message}; {}", self.problem.remedy);
        }
        format!(
            "::{} file={}{place},title={}::{}",
            level(self.problem.level),
            property(&self.file),
            self.problem.code,
            escape(&message)
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { code, message, remedy, pointer, position, .. } = &self.problem;
        writeln!(formatter, "{}[{code}]: {message}", level(self.problem.level))?;
        if let (Some(place), Some(line)) = (position, &self.line) {
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            writeln!(formatter, "{gutter}--> {}:{}:{}", self.file, place.line, place.column)?;
            writeln!(formatter, "{gutter} |")?;
            writeln!(formatter, "{number} | {line}")?;
            writeln!(formatter, "{gutter} | {}", caret(line, place.column))?;
            if !remedy.is_empty() {
                writeln!(formatter, "{gutter} = {remedy}")?;
            }
        } else {
            let separator = if pointer.is_empty() { "" } else { " at " };
            writeln!(formatter, " --> {}{separator}{pointer}", self.file)?;
            if !remedy.is_empty() {
                writeln!(formatter, "  = {remedy}")?;
            }
        }
        Ok(())
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// Marks the word that begins at a column; tabs before it are kept, so that it lines up.
fn caret(line: &str, column: usize) -> String {
    let before: String = line
        .chars()
        .take(column.saturating_sub(1))
        .map(|character| if character == '\t' { '\t' } else { ' ' })
        .collect();
    let word = line
        .chars()
        .skip(column.saturating_sub(1))
        .take_while(|character| !matches!(character, ' ' | ',' | ']' | '}' | '#'))
        .count();
    let key = line.chars().skip(column.saturating_sub(1)).take_while(|c| *c != ':').count();
    let ends_in_colon =
        line.chars().nth(column.saturating_sub(1) + word.saturating_sub(1)) == Some(':');
    let width = if ends_in_colon { key.min(word) } else { word };
    format!("{before}{}", "^".repeat(width.max(1)))
}

/// The line with the value of each secret key overwritten, at equal length so that the caret stays under its word.
fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut word = String::new();
    let mut hiding = false;
    for character in line.chars() {
        match character {
            ':' if !hiding => {
                hiding = is_secret_name(&word);
                masked.push(character);
            }
            ',' | '{' | '}' | '[' | ']' | '#' => {
                hiding = false;
                masked.push(character);
            }
            _ if hiding && character != ' ' => masked.push('*'),
            _ => masked.push(character),
        }
        if character.is_alphanumeric() || matches!(character, '_' | '-') {
            word.push(character);
        } else if !(character == ':' && hiding) {
            word.clear();
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_excerpts_are_masked_at_equal_length() {
        for (line, shown) in [
            ("  secret: whsec_abc", "  secret: *********"),
            (
                "  - { name: a, client_secret: xyz, url: u }",
                "  - { name: a, client_secret: ***, url: u }",
            ),
            ("  token_url: http://x", "  token_url: http://x"),
            ("  name: secret", "  name: secret"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        assert_eq!(caret("  upstrem: http://x", 3), "  ^^^^^^^");
        assert_eq!(caret("  url: http://x:80/y # z", 8), "       ^^^^^^^^^^^^^");
        assert_eq!(caret("a: [b, c]", 5), "    ^");
        assert_eq!(caret("", 1), "^");
    }
}

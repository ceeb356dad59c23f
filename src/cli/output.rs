//! What subcommands print: aligned tables on a terminal, tab-separated lines in a pipe, JSON on demand.
//!
//! Owns standard output and standard error. A reader that goes away ends the command silently. Refuses to own what the
//! columns are.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

use super::console;
use super::remote::{Failure, Remote};

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    /// Columns of the terminal; none in a pipe.
    width: Option<usize>,
}

/// One column: its title and where in an item its value is.
pub(super) type Column = (&'static str, &'static str);

/// Narrowest width that a column is cut to.
const COLUMN_MIN: usize = 8;
const WIDTH_DEFAULT: usize = 100;

impl Output {
    #[must_use]
    pub fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let width = stdout.is_terminal().then(|| {
            rustix::termios::tcgetwinsize(&stdout)
                .map_or(WIDTH_DEFAULT, |size| usize::from(size.ws_col).max(40))
        });
        Self { json, width }
    }

    /// Prints all pages of the list at `path`.
    pub(super) fn list(
        self,
        remote: &Remote,
        path: &str,
        columns: &[Column],
    ) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let at = cursor.as_deref().map(|cursor| page(path, cursor));
            let mut list = remote.get(at.as_deref().unwrap_or(path))?;
            let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else {
                return Err(Failure::Unusable("the answer is not a list".to_owned()));
            };
            self.items(&items, columns, cursor.is_none())?;
            all.extend(items);
            match list.get("next").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
    }

    /// Prints some rows of a list; `first` brings the titles.
    pub(super) fn items(
        self,
        items: &[Value],
        columns: &[Column],
        first: bool,
    ) -> Result<(), Failure> {
        if self.json {
            return write(&lines(items.iter().map(Value::to_string)));
        }
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(items.len() + 1);
        if first && self.width.is_some() {
            rows.push(columns.iter().map(|(title, _)| (*title).to_owned()).collect());
        }
        let cells = |item: &Value| {
            columns.iter().map(|(_, place)| item.pointer(place).map_or_else(dash, text)).collect()
        };
        rows.extend(items.iter().map(cells));
        write(&match self.width {
            Some(width) => aligned(&rows, width),
            None => lines(rows.iter().map(|row| row.join("\t"))),
        })
    }

    /// Prints one object: its members, one a line, nested ones by their path.
    pub(super) fn object(self, object: &Value) -> Result<(), Failure> {
        if self.json {
            return write(&format!("{object}\n"));
        }
        let mut rows = Vec::new();
        flatten(String::new(), object, &mut rows);
        let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let line = |(name, value): &(String, String)| match self.width {
            Some(_) => format!("{name:widest$}  {value}"),
            None => format!("{name}\t{value}"),
        };
        write(&lines(rows.iter().map(line)))
    }

    /// Prints text as it is, whatever the form of other answers.
    #[expect(clippy::unused_self, reason = "printing goes through the output")]
    pub(super) fn text(self, text: &str) -> Result<(), Failure> {
        write(text)
    }
}

fn page(path: &str, cursor: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}cursor={}", super::remote::step(cursor))
}

/// Each text with its line end.
fn lines(texts: impl Iterator<Item = String>) -> String {
    texts.flat_map(|text| [text, "\n".to_owned()]).collect()
}

fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Unusable(format!("cannot write the output: {error}")),
    })
}

/// Tells an error on standard error.
pub(super) fn complain(text: &str) {
    console::tell(&format!("error: {text}"));
}

/// Tells something that is no error on standard error.
pub(super) fn note(text: &str) {
    console::tell(&format!("note: {text}"));
}

fn dash() -> String {
    "-".to_owned()
}

/// A value as a cell: no line breaks, no tabs.
fn text(value: &Value) -> String {
    match value {
        Value::Null => dash(),
        Value::String(text) if text.is_empty() => dash(),
        Value::String(text) => {
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
        }
        Value::Array(items) if items.is_empty() => dash(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(members) if members.is_empty() => dash(),
        Value::Object(members) => {
            let pair = |(name, value): (&String, &Value)| format!("{name}={}", text(value));
            members.iter().map(pair).collect::<Vec<_>>().join(" ")
        }
        scalar => scalar.to_string(),
    }
}

fn flatten(place: String, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let below = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                flatten(below, member, rows);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in items.iter().enumerate() {
                flatten(format!("{place}[{index}]"), item, rows);
            }
        }
        leaf => rows.push((place, text(leaf))),
    }
}

/// Columns side by side, two spaces apart; the widest is cut until the line fits.
fn aligned(rows: &[Vec<String>], width: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let longest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let mut widths: Vec<usize> = (0..columns).map(|column| longest(column).unwrap_or(0)).collect();
    let gaps = 2 * columns.saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
            _ => break,
        }
    }
    let mut lines = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| fit(cell, *width));
        lines.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        lines.push('\n');
    }
    lines
}

fn fit(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return format!("{cell:width$}");
    }
    let mut cut: String = cell.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_fit_the_terminal_and_lose_only_the_widest_column() {
        let rows = vec![
            vec!["ID".to_owned(), "MESSAGE".to_owned()],
            vec!["abc".to_owned(), "x".repeat(100)],
        ];
        let table = aligned(&rows, 40);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "ID   MESSAGE");
        assert_eq!(lines[1].chars().count(), 40);
        assert!(lines[1].starts_with("abc  xxx") && lines[1].ends_with('…'));
    }

    #[test]
    fn cells_hold_no_line_breaks() {
        assert_eq!(text(&json!("a\tb\nc")), "a b c");
        assert_eq!(text(&json!({"high": 2, "low": 1})), "high=2 low=1");
        assert_eq!(text(&json!([])), "-");
    }

    #[test]
    fn objects_are_told_by_path() {
        let mut rows = Vec::new();
        flatten(String::new(), &json!({"a": {"b": [1, 2]}, "c": [{"d": null}]}), &mut rows);
        let rows: Vec<String> =
            rows.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(rows, ["a.b=1,2", "c[0].d=-"]);
    }
}

//! For continuous integration: a test case per operation, a failure per change that breaks.

use std::collections::BTreeMap;

use super::super::change::Change;
use super::{View, markup, operation, place};
use crate::model::finding::Verdict;

pub(super) fn render(view: &View<'_>) -> String {
    let mut cases: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in view.shown() {
        cases.entry(operation(change)).or_default().push(change);
    }
    let is_failed =
        |changes: &Vec<&Change>| changes.iter().any(|change| change.verdict == Verdict::Breaking);
    let failures = cases.values().filter(|changes| is_failed(changes)).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" \
         tests=\"{}\" failures=\"{failures}\">\n",
        escaped(&format!("{} to {}", view.old.name, view.new.name)),
        cases.len(),
    );
    for (name, changes) in &cases {
        text.push_str(&format!("<testcase classname=\"diff\" name=\"{}\">", escaped(name)));
        let (broken, rest): (Vec<&Change>, Vec<&Change>) =
            changes.iter().partition(|change| change.verdict == Verdict::Breaking);
        let lines = |changes: &[&Change]| -> String {
            let line = |change: &&Change| {
                format!("{}: {} ({})\n", change.label, change.text, place(view, change))
            };
            changes.iter().map(line).collect()
        };
        if let Some(first) = broken.first() {
            text.push_str(&format!(
                "\n<failure type=\"{}\" message=\"{}\">{}</failure>\n",
                escaped(&first.label),
                escaped(&first.text),
                escaped(&lines(&broken)),
            ));
        }
        if !rest.is_empty() {
            text.push_str(&format!("\n<system-out>{}</system-out>\n", escaped(&lines(&rest))));
        }
        text.push_str("</testcase>\n");
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

/// Text for XML 1.0: characters that it forbids are left out.
fn escaped(text: &str) -> String {
    markup::escaped(text, |letter, out| match letter {
        '\n' | '\t' | '\r' => out.push(letter),
        '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
        letter => out.push(letter),
    })
}

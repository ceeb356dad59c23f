//! Workflow commands of GitHub Actions: the worst ten of each level, totals last.

use super::super::change::Change;
use super::{View, operation, verdict};
use crate::model::finding::Severity;

/// What one step may show per level.
const PER_LEVEL: usize = 10;

pub(super) fn render(view: &View<'_>) -> String {
    let mut text = String::new();
    for (level, least, most) in [
        ("error", Severity::High, Severity::Critical),
        ("warning", Severity::Medium, Severity::Medium),
        ("notice", Severity::Info, Severity::Low),
    ] {
        let own = view.groups().into_iter().map(|group| group.first());
        let own = own.filter(|change| (least..=most).contains(&change.severity));
        for change in own.take(PER_LEVEL) {
            text.push_str(&line(view, level, change));
        }
    }
    text.push_str(&format!("::notice title=driftgate diff::{}\n", data(&verdict(view))));
    text
}

fn line(view: &View<'_>, level: &str, change: &Change) -> String {
    let (document, fragment) = match (&change.new, &change.old) {
        (None, Some(old)) => (view.old, Some(old)),
        (new, _) => (view.new, new.as_ref()),
    };
    let mut properties = Vec::new();
    if !document.path.is_empty() {
        properties.push(format!("file={}", property(&document.path)));
    }
    if let Some(position) = fragment.and_then(|fragment| fragment.position) {
        properties.push(format!("line={},col={}", position.line, position.column));
    }
    properties.push(format!("title={}", property(&change.label)));
    let text = format!("{} ({})", change.text, operation(change));
    format!("::{level} {}::{}\n", properties.join(","), data(&text))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

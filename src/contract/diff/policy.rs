//! What a team has decided about changes: severities by place or name, and changes that are known and left alone.
//!
//! Owns the policy file of `driftgate diff`. A policy moves severities, never verdicts, and every entry names something that
//! exists: an unknown kind or label is an error with the nearest name. Globs, no regular expressions.

use serde_json::Value;

use super::change::{Change, Report};
use super::labels;
use crate::model::finding::Severity;
use crate::model::kind::Kind;
use crate::model::problem::{Problem, Problems, nearest, pointer};

/// A policy that was read.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    severities: Vec<Rule>,
    ignored: Vec<Exception>,
}

/// `set` is none for changes that are left out.
#[derive(Debug, Clone)]
struct Rule {
    matches: Vec<(Subject, String)>,
    set: Option<Severity>,
}

#[derive(Debug, Clone)]
struct Exception {
    fingerprint: String,
    reason: String,
    /// `YYYY-MM-DD`; empty: for ever.
    until: String,
    pointer: String,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Kind,
    Label,
    Operation,
    Tag,
    Path,
}

const SUBJECTS: &[(&str, Subject)] = &[
    ("kind", Subject::Kind),
    ("label", Subject::Label),
    ("operation", Subject::Operation),
    ("tag", Subject::Tag),
    ("path", Subject::Path),
];

const MEMBERS: &[&str] = &["severity", "ignore"];

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// Every problem at once: unknown members, kinds, labels and severities, and exceptions without a reason.
    pub fn read(document: &Value) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut policy = Self::default();
        let Some(members) = document.as_object() else {
            let problem = Problem::error("", "policy.malformed", "a policy is an object");
            problems.push(problem.remedy("begin with `severity:` or `ignore:`"));
            return Err(problems);
        };
        for (name, value) in members {
            let place = pointer("", name);
            let Some(entries) = value.as_array().filter(|_| MEMBERS.contains(&name.as_str()))
            else {
                let message = format!("`{name}` is no list that a policy has");
                problems.push(suggest(
                    &place,
                    "policy.unknown-key",
                    message,
                    name,
                    MEMBERS.iter().copied(),
                ));
                continue;
            };
            for (index, entry) in entries.iter().enumerate() {
                let place = pointer(&place, &index.to_string());
                if name == "severity" {
                    policy.severities.extend(rule(entry, &place, &mut problems));
                } else {
                    policy.ignored.extend(exception(entry, &place, &mut problems));
                }
            }
        }
        if problems.has_errors() { Err(problems) } else { Ok(policy) }
    }

    /// Applies the policy. The problems are warnings: exceptions that have run out, or that nothing matches any more.
    #[must_use]
    pub fn apply(&self, report: &mut Report, today: &str) -> Problems {
        let mut used = vec![false; self.ignored.len()];
        for change in &mut report.changes {
            if let Some(rule) = self.severities.iter().find(|rule| rule.fits(change)) {
                match rule.set {
                    Some(severity) => change.severity = severity,
                    None => change.ignored = Some("severity none".to_owned()),
                }
            }
            let known = self.ignored.iter().position(|one| one.fingerprint == change.fingerprint);
            if let Some(index) = known
                && let Some(exception) = self.ignored.get(index)
            {
                used[index] = true;
                if !exception.is_over(today) {
                    change.ignored = Some(exception.reason.clone());
                }
            }
        }
        let mut warnings = Problems::default();
        for (exception, used) in self.ignored.iter().zip(used) {
            let fingerprint = &exception.fingerprint;
            if exception.is_over(today) {
                let message =
                    format!("the exception for `{fingerprint}` ran out on {}", exception.until);
                let problem = Problem::warning(&*exception.pointer, "policy.expired", message);
                warnings.push(problem.remedy("remove it, or give it a new date"));
            } else if !used {
                let message = format!("no change has the fingerprint `{fingerprint}`");
                let problem = Problem::warning(&*exception.pointer, "policy.unused", message);
                warnings.push(problem.remedy("remove the exception"));
            }
        }
        warnings
    }
}

impl Exception {
    fn is_over(&self, today: &str) -> bool {
        !self.until.is_empty() && !today.is_empty() && *self.until < *today
    }
}

impl Rule {
    fn fits(&self, change: &Change) -> bool {
        self.matches.iter().all(|(subject, glob)| match subject {
            Subject::Kind => change.kind.is_some_and(|kind| is_like(glob, kind.as_str())),
            Subject::Label => is_like(glob, &change.label),
            Subject::Operation => {
                let Some(id) = &change.operation.id else {
                    return is_like(
                        glob,
                        &format!("{} {}", change.operation.method, change.operation.template),
                    );
                };
                is_like(glob, id)
                    || is_like(
                        glob,
                        &format!("{} {}", change.operation.method, change.operation.template),
                    )
            }
            Subject::Tag => change.operation.tags.iter().any(|tag| is_like(glob, tag)),
            Subject::Path => is_like(glob, &change.operation.template),
        })
    }
}

fn rule(entry: &Value, place: &str, problems: &mut Problems) -> Option<Rule> {
    let malformed = |message: &str| {
        let problem = Problem::error(place, "policy.malformed", message);
        problem.remedy("write `{match: {label: ...}, set: info}`")
    };
    let Some(wanted) = entry.get("match").and_then(Value::as_object).filter(|map| !map.is_empty())
    else {
        problems.push(malformed("a severity rule says in `match` what it is for"));
        return None;
    };
    let mut matches = Vec::new();
    for (name, value) in wanted {
        let at = pointer(&pointer(place, "match"), name);
        let known = SUBJECTS.iter().find(|(word, _)| word == name);
        let (Some((_, subject)), Some(glob)) = (known, value.as_str()) else {
            let message = format!("`{name}` is nothing that a rule can match");
            let words = SUBJECTS.iter().map(|(word, _)| *word);
            problems.push(suggest(&at, "policy.unknown-key", message, name, words));
            continue;
        };
        check_name(*subject, glob, &at, problems);
        matches.push((*subject, glob.to_owned()));
    }
    let text = entry.get("set").and_then(Value::as_str).unwrap_or_default();
    let set = Severity::parse(text);
    if set.is_none() && text != "none" {
        let message = format!("`{text}` is no severity");
        let at = pointer(place, "set");
        let problem = Problem::error(at, "policy.unknown-severity", message);
        problems.push(problem.remedy("use none, info, low, medium, high or critical"));
        return None;
    }
    Some(Rule { matches, set })
}

/// A kind or label that matches nothing was mistyped.
fn check_name(subject: Subject, glob: &str, place: &str, problems: &mut Problems) {
    let (what, known): (&str, Vec<String>) = match subject {
        Subject::Kind => ("kind", Kind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect()),
        Subject::Label => ("label", labels::all().into_keys().collect()),
        _ => return,
    };
    if known.iter().any(|name| is_like(glob, name)) {
        return;
    }
    let message = format!("`{glob}` is no {what}");
    let code = if what == "kind" { "policy.unknown-kind" } else { "policy.unknown-label" };
    problems.push(suggest(place, code, message, glob, known.iter().map(String::as_str)));
}

fn exception(entry: &Value, place: &str, problems: &mut Problems) -> Option<Exception> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (fingerprint, reason) = (text("fingerprint"), text("reason"));
    let is_hash =
        fingerprint.len() == 32 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash {
        let problem = Problem::error(
            pointer(place, "fingerprint"),
            "policy.malformed",
            "an exception names the fingerprint of a change, 32 hexadecimal digits",
        );
        problems.push(problem.remedy("take it from the JSON report"));
    }
    if reason.trim().is_empty() {
        let problem = Problem::error(place, "policy.missing-reason", "an exception needs a reason");
        problems.push(problem.remedy("say in `reason` why it is harmless"));
    }
    let exception =
        Exception { fingerprint, reason, until: text("until"), pointer: place.to_owned() };
    (is_hash && !exception.reason.trim().is_empty()).then_some(exception)
}

/// An error that names what was probably meant.
fn suggest<'n>(
    place: &str,
    code: &'static str,
    message: String,
    name: &str,
    known: impl Iterator<Item = &'n str>,
) -> Problem {
    let problem = Problem::error(place, code, message);
    match nearest(name, known) {
        Some(meant) => problem.remedy(format!("did you mean `{meant}`?")),
        None => problem.remedy("see `driftgate diff --list-labels`"),
    }
}

/// Whether a name matches a glob: `*` stands for anything.
fn is_like(glob: &str, name: &str) -> bool {
    let mut pieces = glob.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn globs_match_as_people_expect() {
        for (glob, name, wanted) in [
            ("/orders/*", "/orders/{id}", true),
            ("/orders", "/orders/{id}", false),
            ("*removed", "request-body-removed", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("", "x", false),
        ] {
            assert_eq!(is_like(glob, name), wanted, "{glob} {name}");
        }
    }

    #[test]
    fn every_mistake_of_a_policy_is_told_with_its_remedy() {
        let mistakes = Policy::read(&json!({
            "severity": [
                {"match": {"label": "request-body-remved"}, "set": "low"},
                {"match": {"kind": "type.chnged"}, "set": "loud"},
                {"match": {"colour": "red"}, "set": "low"},
            ],
            "ignore": [{"fingerprint": "x"}],
            "severities": [],
        }));
        let problems = mistakes.expect_err("six mistakes").to_string();
        for told in [
            "did you mean `request-body-removed`?",
            "did you mean `type.changed`?",
            "`loud` is no severity",
            "`colour` is nothing that a rule can match",
            "32 hexadecimal digits",
            "an exception needs a reason",
            "`severities` is no list",
        ] {
            assert!(problems.contains(told), "{told}\n{problems}");
        }
    }
}

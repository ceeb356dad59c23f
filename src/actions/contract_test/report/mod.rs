//! A run as people and machines read it (`spec/contract-test.md` 10): text, JSON, JUnit.
//!
//! Owns wording and formats. Everything is rendered from the finished [`Run`], so a renderer can lose nothing. Refuses to own
//! where a report goes.

mod json;
mod junit;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::outcome::{Doubt, Outcome, Run, Skip, Violation};

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal or a log.
    Text,
    /// Everything, for scripts.
    Json,
    /// For continuous integration: one suite per run, a case per operation and check.
    Junit,
}

impl Format {
    pub const ALL: &'static [Self] = &[Self::Text, Self::Json, Self::Junit];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == text)
    }
}

/// Renders a run. `colour` marks the text for a terminal and changes no other format.
#[must_use]
pub fn render(run: &Run, format: Format, colour: bool) -> String {
    match format {
        Format::Text => text::render(run, colour),
        Format::Json => json::render(run),
        Format::Junit => junit::render(run),
    }
}

/// The summary that an attempt log and an event carry: shapes and counts, no case values and no command lines.
#[must_use]
pub fn event_data(run: &Run) -> serde_json::Value {
    json::event_data(run)
}

/// The data of `contract.violation.*`.
#[must_use]
pub fn violation_data(run: &Run, violation: &Violation) -> serde_json::Value {
    json::violation_data(run, violation)
}

/// What came of an operation, in words; empty when it passed.
#[must_use]
pub fn outcome_sentence(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => String::new(),
        Outcome::Violations(1) => "1 violation".to_owned(),
        Outcome::Violations(count) => format!("{count} violations"),
        Outcome::Inconclusive(doubt) => format!("inconclusive: {}", doubt_sentence(doubt)),
        Outcome::Skipped(skip) => format!("skipped: {}", skip_sentence(skip)),
        Outcome::NotReached => "not reached: a limit came first".to_owned(),
        Outcome::NotSent => "not sent".to_owned(),
    }
}

/// What could not be decided and what to configure.
fn doubt_sentence(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Auth => {
            "nearly every answer was 401 or 403; give credentials that may read it".into()
        }
        Doubt::NoData => "every answer was 404; name ids that exist, as a parameter".into(),
        Doubt::NoValue(names) => {
            let listed =
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            format!("no value for {listed}; give one as a parameter")
        }
        Doubt::Rejected => {
            "nearly every request was refused as invalid; name working values".into()
        }
        Doubt::NoPositive => "no request was accepted; name working values as parameters".into(),
        Doubt::Undecoded => {
            "no body could be judged; is its media type documented as it is?".into()
        }
        Doubt::Method => "every answer was 405; is the specification meant for this target?".into(),
        Doubt::Limited => "half of the answers were 429; lower the rate".into(),
        Doubt::Unavailable(why) => format!("no answer ({why}); is the target healthy?"),
    }
}

fn skip_sentence(skip: &Skip) -> String {
    match skip {
        Skip::Excluded => "not included".to_owned(),
        Skip::Method => "mode safe sends GET, HEAD and OPTIONS alone".to_owned(),
        Skip::Unsafe(word) => {
            format!("`{word}` sounds as if it did something; allow it to send it")
        }
        Skip::OtherEndpoint => "another endpoint is tested".to_owned(),
    }
}

/// One sentence for people: what deviates and where.
#[must_use]
pub fn violation_sentence(violation: &Violation) -> String {
    let place = &violation.location;
    let at = if place.pointer.is_empty() { "the body" } else { &place.pointer };
    match violation.kind.as_str() {
        "server.error" => format!("answered {}, a server error", violation.status),
        "status.undocumented" => format!("answered {}, which is not documented", violation.status),
        "request.refused" => format!("a valid request is refused with {}", violation.status),
        "auth.unauthenticated-success" => "succeeds without credentials".to_owned(),
        "auth.now-required" => "documented as public, and asks for credentials".to_owned(),
        "field.required-missing" => format!("{at} is required and missing"),
        "field.undocumented" => format!("{at} is not documented"),
        "type.changed" => format!("{at} has another type"),
        "null.unexpected" => format!("{at} is null"),
        "enum.widened" => format!("{at} is none of the documented values"),
        "media-type.undocumented" => "the content type is not documented".to_owned(),
        "media-type.missing" => "the body has no content type".to_owned(),
        "media-type.malformed" => "the content type cannot be read".to_owned(),
        "media-type.lying" => "the body says that it is JSON, and is not".to_owned(),
        "body.missing" => "the documented body is missing".to_owned(),
        "body.undocumented" => "there is a body where none is documented".to_owned(),
        kind => {
            let (subject, what) = kind.split_once('.').unwrap_or(("it", kind));
            format!("{at}: {} {}", subject.replace('-', " "), what.replace('-', " "))
        }
    }
}

/// `200×3 404×1`.
fn statuses(counts: &BTreeMap<u16, u64>) -> String {
    let parts = counts.iter().map(|(status, count)| match count {
        1 => status.to_string(),
        _ => format!("{status}×{count}"),
    });
    parts.collect::<Vec<_>>().join(" ")
}

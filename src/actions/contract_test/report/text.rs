//! The report for people: what was tested, each operation on a line, each violation as a paragraph, the verdict last.

use crate::actions::contract_test::outcome::{
    OperationResult, Outcome, Run, Source, Status, Violation,
};
use crate::model::finding::Severity;

use super::{outcome_sentence, statuses, violation_sentence};

/// Widest column of operations.
const LABEL_MAX: usize = 48;

pub(super) fn render(run: &Run, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour };
    page.header(run);
    page.operations(run);
    for violation in &run.violations {
        page.violation(violation);
    }
    page.lints(run);
    page.verdict(run);
    page.text
}

struct Page {
    text: String,
    colour: bool,
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

impl Page {
    fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Green => "32",
            Ink::Red => "31",
            Ink::Yellow => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn header(&mut self, run: &Run) {
        let Some(used) = &run.specification else {
            let title = self.ink(Ink::Bold, &format!("contract test of {}", run.target));
            self.line(&title);
            return;
        };
        let title = format!("{} {} at {}", used.title, used.version, run.target);
        let title = self.ink(Ink::Bold, title.trim());
        self.line(&title);
        let mut facts = format!(
            "specification {} ({}, {}), mode {}, seed {}",
            used.place,
            used.revision.short(),
            used.source.as_str(),
            run.mode.as_str(),
            run.seed,
        );
        if let Source::Fallback(why) = &used.source {
            facts = format!("{facts}; {why}");
        }
        let facts = self.ink(Ink::Dim, &facts);
        self.line(&facts);
        self.line("");
    }

    fn operations(&mut self, run: &Run) {
        let width = run.operations.iter().map(|one| label(one).chars().count()).max().unwrap_or(0);
        let width = width.min(LABEL_MAX);
        let (skipped, shown): (Vec<_>, Vec<_>) =
            run.operations.iter().partition(|one| matches!(one.outcome, Outcome::Skipped(_)));
        for operation in shown.into_iter().chain(skipped) {
            let (sign, ink) = match operation.outcome {
                Outcome::Passed => ("✓", Ink::Green),
                Outcome::Violations(_) => ("✗", Ink::Red),
                Outcome::Inconclusive(_) | Outcome::NotReached => ("?", Ink::Yellow),
                Outcome::Skipped(_) | Outcome::NotSent => ("-", Ink::Dim),
            };
            let label = label(operation);
            let padding = " ".repeat(width.saturating_sub(label.chars().count()));
            let mut facts = vec![statuses(&operation.tally.statuses)];
            facts.push(outcome_sentence(&operation.outcome));
            facts.retain(|fact| !fact.is_empty());
            let line = format!("  {} {label}{padding}  {}", self.ink(ink, sign), facts.join("  "));
            self.line(&line);
        }
        if !run.operations.is_empty() {
            self.line("");
        }
    }

    fn violation(&mut self, violation: &Violation) {
        let severity = violation.severity.as_str().to_uppercase();
        let ink = if violation.severity >= Severity::Medium { Ink::Red } else { Ink::Yellow };
        let title = format!("{} {}", violation.method, violation.template);
        let head = format!(
            "  {} {}  {}",
            self.ink(ink, &format!("{severity:<8}")),
            self.ink(Ink::Bold, &title),
            violation_sentence(violation),
        );
        self.line(&head);
        let place = [&violation.location.status, &violation.location.media_type];
        let place: Vec<&str> =
            place.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        self.fact("kind", &format!("{} {}", violation.kind, place.join(" ")));
        self.fact("expected", &violation.expected.to_string());
        self.fact("seen", &violation.observed.to_string());
        let reproduced = violation.reproduced;
        let flaky = if reproduced.is_flaky() { ", flaky: fails nothing" } else { "" };
        let times = format!(
            "{} of {} times{flaky}; case {}, fingerprint {}",
            reproduced.times, reproduced.of, violation.case, violation.fingerprint
        );
        self.fact("shown", &times);
        self.fact("contract", &violation.pointer);
        self.fact("repeat", &violation.curl);
        self.line("");
    }

    fn fact(&mut self, name: &str, text: &str) {
        let name = self.ink(Ink::Dim, &format!("{name:<8}"));
        self.line(&format!("           {name}  {text}"));
    }

    fn lints(&mut self, run: &Run) {
        for lint in &run.lints {
            let line = format!("  {} {lint}", self.ink(Ink::Yellow, "specification:"));
            self.line(&line);
        }
        if !run.lints.is_empty() {
            self.line("");
        }
    }

    fn verdict(&mut self, run: &Run) {
        let ink = match run.status {
            Status::Passed => Ink::Green,
            Status::Inconclusive => Ink::Yellow,
            _ => Ink::Red,
        };
        let counts = run.counts();
        let listed: Vec<String> = counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
            .collect();
        let mut line = self.ink(ink, run.status.as_str());
        if !listed.is_empty() {
            line = format!("{line}: {} operations", listed.join(", "));
        }
        let seconds = run.duration_ms / 1_000;
        let tenths = run.duration_ms % 1_000 / 100;
        line = format!("{line}; {} requests in {seconds}.{tenths} s", run.requests);
        self.line(&line);
        if let Some(cause) = &run.reason {
            self.line(&cause.message);
        }
        if let Some(score) = run.score() {
            let formula = "= 100 × mean over selected operations of (checks passed / checks \
                           applicable), inconclusive and not reached = 0";
            let line = format!("score {score}  {}", self.ink(Ink::Dim, formula));
            self.line(&line);
        } else if run.operations.iter().any(|one| one.outcome == Outcome::NotSent) {
            self.line("nothing was sent: mode observe judges the specification alone");
        }
    }
}

fn label(operation: &OperationResult) -> String {
    format!("{} {}", operation.method, operation.template)
}

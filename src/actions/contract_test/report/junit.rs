//! JUnit XML: one suite per run, a case per operation and check; a violation is a failure, what could not be decided an error.

use crate::actions::contract_test::outcome::{OperationResult, Outcome, Run, Violation};

use super::{outcome_sentence, violation_sentence};

pub(super) fn render(run: &Run) -> String {
    let cases: Vec<TestCase> = run.operations.iter().flat_map(|one| cases(run, one)).collect();
    let cases = if cases.is_empty() { vec![of_run(run)] } else { cases };
    let count =
        |wanted: fn(&Result) -> bool| cases.iter().filter(|one| wanted(&one.result)).count();
    let head = format!(
        "<testsuite name=\"driftgate contract test of {}\" tests=\"{}\" failures=\"{}\" \
         errors=\"{}\" skipped=\"{}\" time=\"{}.{:03}\">",
        escaped(&run.target),
        cases.len(),
        count(|result| matches!(result, Result::Failure(_))),
        count(|result| matches!(result, Result::Error(_))),
        count(|result| matches!(result, Result::Skipped(_))),
        run.duration_ms / 1_000,
        run.duration_ms % 1_000,
    );
    let cases = cases.iter().map(TestCase::line).collect::<Vec<_>>().concat();
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    format!("{declaration}\n<testsuites>\n{head}\n{cases}</testsuite>\n</testsuites>\n")
}

struct TestCase {
    class: String,
    name: String,
    result: Result,
}

enum Result {
    Passed,
    /// Message and body.
    Failure(Vec<(String, String)>),
    Error(String),
    Skipped(String),
}

fn cases(run: &Run, operation: &OperationResult) -> Vec<TestCase> {
    let class = format!("{} {}", operation.method, operation.template);
    let single =
        |name: &str, result| vec![TestCase { class: class.clone(), name: name.to_owned(), result }];
    let sentence = outcome_sentence(&operation.outcome);
    match &operation.outcome {
        Outcome::Skipped(_) | Outcome::NotSent => single("operation", Result::Skipped(sentence)),
        Outcome::Inconclusive(_) | Outcome::NotReached => {
            single("operation", Result::Error(sentence))
        }
        Outcome::Passed | Outcome::Violations(_) => operation
            .checks
            .keys()
            .map(|check| {
                let own = run.violations.iter().filter(|violation| {
                    violation.check == *check
                        && violation.method == operation.method
                        && violation.template == operation.template
                        && violation.fails(run.fail_on)
                });
                let failures: Vec<_> = own.map(failure).collect();
                let passed = failures.is_empty();
                let result = if passed { Result::Passed } else { Result::Failure(failures) };
                TestCase { class: class.clone(), name: check.as_str().to_owned(), result }
            })
            .collect(),
    }
}

/// A run that never came to its operations.
fn of_run(run: &Run) -> TestCase {
    let why = run.reason.as_ref().map_or("no operation was selected", |cause| &cause.message);
    TestCase {
        class: "driftgate".to_owned(),
        name: "run".to_owned(),
        result: Result::Error(why.to_owned()),
    }
}

fn failure(violation: &Violation) -> (String, String) {
    let body = format!(
        "kind {}\nexpected {}\nseen {}\ncase {}\n{}",
        violation.kind, violation.expected, violation.observed, violation.case, violation.curl
    );
    (format!("{}: {}", violation.severity.as_str(), violation_sentence(violation)), body)
}

impl TestCase {
    fn line(&self) -> String {
        let inner = match &self.result {
            Result::Passed => String::new(),
            Result::Failure(failures) => failures
                .iter()
                .map(|(message, body)| (escaped(message), escaped(body)))
                .map(|(message, body)| format!("<failure message=\"{message}\">{body}</failure>"))
                .collect::<Vec<_>>()
                .concat(),
            Result::Error(message) => format!("<error message=\"{}\"/>", escaped(message)),
            Result::Skipped(message) => format!("<skipped message=\"{}\"/>", escaped(message)),
        };
        let (class, name) = (escaped(&self.class), escaped(&self.name));
        format!("<testcase classname=\"{class}\" name=\"{name}\">{inner}</testcase>\n")
    }
}

/// XML text and attribute values; what XML 1.0 cannot hold becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push(letter),
            control if control.is_control() => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

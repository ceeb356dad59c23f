//! `driftgate diff`: what changed between two specifications, and whom does it hurt?
//!
//! Owns the arguments and the exit code. Needs no configuration, data directory, network or proxy. Reading is `source`'s, the
//! comparison is `contract::diff`'s.

mod source;

use std::path::PathBuf;

use super::console::{is_terminal, say, say_line, tell};
use crate::config;
use crate::contract::diff::report::{self, Format, View};
use crate::contract::diff::{Grace, Options, Policy, diff, labels};
use crate::model::document::{Document, ReadOptions};
use crate::model::finding::Severity;
use crate::model::problem::{Problem, Problems, nearest};
use crate::runtime::clock::Clock;
use crate::runtime::files;
use source::Source;

/// Largest policy file, bytes.
const POLICY_BYTES_MAX: u64 = 1 << 20;

/// Compare two specifications and say which clients a change breaks
///
/// A change is called breaking only with an example that one document allows and the other refuses. What is not proven either
/// way is called potentially breaking. A document is a file, `-` for standard input, a folder that holds one, or
/// `git:<revision>:<path>`.
///
/// Exit codes: 0 nothing at or above --fail-on, 1 something, 2 could not run.
///
/// Examples:
///   driftgate diff old.yaml new.yaml
///   driftgate diff git:main:openapi.yaml openapi.yaml -f github -o sarif=diff.sarif
///   driftgate diff --explain request-property-became-required
#[derive(Debug, Clone, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The document that clients know
    #[arg(required_unless_present_any = ["list_labels", "explain"])]
    old: Option<String>,
    /// The document that is to take its place
    #[arg(required_unless_present_any = ["list_labels", "explain"])]
    new: Option<String>,
    /// Mildest severity that fails: high (or error), medium (or warning), low, info, never
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = threshold)]
    fail_on: Threshold,
    /// Severities and known changes, as a YAML or JSON file
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Show nothing milder
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = severity)]
    min_severity: Severity,
    /// Show changes that mean nothing to any client
    #[arg(long)]
    include_cosmetic: bool,
    /// Report on standard output: text, json, ndjson, markdown, html, junit, sarif or github
    #[arg(short, long, value_parser = format)]
    format: Option<Format>,
    /// Write another report to a file
    #[arg(short, long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<(Format, PathBuf)>,
    /// The day that sunset dates are held against; default: today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    today: Option<String>,
    /// Days that a deprecation is to be announced before its sunset, by stability
    #[arg(long, value_name = "stable=N,beta=N", value_parser = grace)]
    deprecation_days: Option<Grace>,
    /// Path prefixes that are not compared
    #[arg(long, value_name = "old=/v1,new=/v2", value_parser = prefixes)]
    strip_prefix: Option<(String, String)>,
    /// Folder that `$ref` may reach; default: that of each document
    #[arg(long, value_name = "FOLDER")]
    ref_root: Option<PathBuf>,
    /// Tell when `info.version` does not say what changed
    #[arg(long)]
    check_version: bool,
    /// Changes that are kept, worst first
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_changes: usize,
    /// Print every label with its family and end
    #[arg(long)]
    list_labels: bool,
    /// Say what a label means and end
    #[arg(long, value_name = "LABEL")]
    explain: Option<String>,
    /// When the text is coloured
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// What `--fail-on` names; none: never.
#[derive(Debug, Clone, Copy)]
struct Threshold(Option<Severity>);

/// Compares; the exit code. `json` asks for JSON where no format is named.
pub(super) fn run(arguments: &Arguments, json: bool) -> u8 {
    if arguments.list_labels {
        return list();
    }
    if let Some(label) = &arguments.explain {
        return explain(label);
    }
    compare(arguments, json).unwrap_or_else(|why| {
        tell(&why);
        2
    })
}

fn list() -> u8 {
    for (label, family) in labels::all() {
        say_line(&format!("{label}\t{}", family.name));
    }
    0
}

fn explain(label: &str) -> u8 {
    let all = labels::all();
    let Some(family) = all.get(label) else {
        let meant = nearest(label, all.keys().map(String::as_str));
        let hint = meant.map_or_else(
            || "see `driftgate diff --list-labels`".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        tell(&format!("`{label}` is no label; {hint}"));
        return 2;
    };
    say_line(&format!("{label}\n  family {}: {}\n", family.name, family.meaning));
    say_line(
        "A label names what changed and decides nothing. The verdict is breaking when an example proves it, compatible when \
         the new document is proven to accept all that clients rely on, and potentially breaking otherwise.",
    );
    0
}

fn compare(arguments: &Arguments, json: bool) -> Result<u8, String> {
    let (Some(old), Some(new)) = (&arguments.old, &arguments.new) else {
        return Err("name two documents".to_owned());
    };
    if old == "-" && new == "-" {
        return Err("only one of the two documents can be standard input".to_owned());
    }
    let policy = read_policy(arguments)?;
    let (old, new) = read_both(arguments, old, new)?;
    let today = arguments.today.clone().unwrap_or_else(today);
    let options = Options {
        strip_prefix: arguments.strip_prefix.clone().unwrap_or_default(),
        today: today.clone(),
        grace: arguments.deprecation_days.unwrap_or_default(),
        check_version: arguments.check_version,
        changes_max: arguments.max_changes.max(1),
    };
    let mut report = diff(&old.specification, &new.specification, &options);
    let warnings = policy.apply(&mut report, &today);
    report.settle(options.changes_max);
    old.place(&mut report, true);
    new.place(&mut report, false);
    for problem in &warnings.0 {
        tell(&format!("policy: {problem}"));
    }
    let (old_document, new_document) = (old.document(), new.document());
    let view = View {
        old: &old_document,
        new: &new_document,
        report: &report,
        warnings: &warnings.0,
        cosmetic: arguments.include_cosmetic,
        least: arguments.min_severity,
    };
    give(arguments, &view, json)?;
    let failed = match (arguments.fail_on.0, report.severity()) {
        (Some(least), Some(worst)) => worst >= least,
        _ => false,
    };
    Ok(u8::from(failed))
}

/// Both documents, or every problem of both.
fn read_both(arguments: &Arguments, old: &str, new: &str) -> Result<(Source, Source), String> {
    let root = arguments.ref_root.as_deref();
    match (Source::read(old, root), Source::read(new, root)) {
        (Ok(old), Ok(new)) => Ok((old, new)),
        (old, new) => {
            let told = [old.err(), new.err()];
            Err(told.into_iter().flatten().collect::<Vec<_>>().join("\n"))
        }
    }
}

fn give(arguments: &Arguments, view: &View<'_>, json: bool) -> Result<(), String> {
    let fallback = if json { Format::Json } else { Format::Text };
    let colour = match arguments.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal() && config::environment("NO_COLOR").is_none(),
    };
    say(&report::render(view, arguments.format.unwrap_or(fallback), colour));
    for (format, path) in &arguments.output {
        let text = report::render(view, *format, false);
        files::write_atomic(path, text.as_bytes())
            .map_err(|error| format!("the report could not be written: {error}"))?;
    }
    Ok(())
}

fn read_policy(arguments: &Arguments) -> Result<Policy, String> {
    let Some(path) = &arguments.policy else { return Ok(Policy::default()) };
    let text = files::read_text(path, POLICY_BYTES_MAX).map_err(|error| error.to_string())?;
    let told = |problems: &Problems, document: Option<&Document>| {
        let line = |problem: &Problem| {
            let mut problem = problem.clone();
            problem.position =
                problem.position.or_else(|| document.and_then(|d| d.locate(&problem.pointer)));
            format!("{}:{problem}", path.display())
        };
        let lines: Vec<String> = problems.0.iter().map(line).collect();
        format!("{}\nthe policy cannot be used", lines.join("\n"))
    };
    let document = Document::parse(&text, &ReadOptions::default())
        .map_err(|problems| told(&problems, None))?;
    Policy::read(&document.value).map_err(|problems| told(&problems, Some(&document)))
}

fn today() -> String {
    let now = jiff::Timestamp::from_millisecond(Clock::real().now_ms()).unwrap_or_default();
    now.strftime("%Y-%m-%d").to_string()
}

fn threshold(text: &str) -> Result<Threshold, String> {
    match text {
        "never" => Ok(Threshold(None)),
        "error" => Ok(Threshold(Some(Severity::High))),
        "warning" => Ok(Threshold(Some(Severity::Medium))),
        text => severity(text).map(|severity| Threshold(Some(severity))),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "use info, low, medium, high or critical".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| format!("use one of {}", Format::names()))
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, path) =
        text.split_once('=').ok_or_else(|| "write FORMAT=PATH, `junit=diff.xml`".to_owned())?;
    Ok((format(name)?, PathBuf::from(path)))
}

fn date(text: &str) -> Result<String, String> {
    let date: jiff::civil::Date =
        text.parse().map_err(|_| "write a day as YYYY-MM-DD".to_owned())?;
    Ok(date.to_string())
}

fn grace(text: &str) -> Result<Grace, String> {
    let mut found = Grace::default();
    for pair in text.split(',') {
        let days = pair.split_once('=').and_then(|(level, days)| Some((level, days.parse().ok()?)));
        match days {
            Some(("stable", days)) => found.stable = days,
            Some(("beta", days)) => found.beta = days,
            _ => return Err("write `stable=180,beta=31`".to_owned()),
        }
    }
    Ok(found)
}

fn prefixes(text: &str) -> Result<(String, String), String> {
    let mut found = (String::new(), String::new());
    for pair in text.split(',') {
        match pair.split_once('=') {
            Some(("old", prefix)) => prefix.clone_into(&mut found.0),
            Some(("new", prefix)) => prefix.clone_into(&mut found.1),
            _ => return Err("write `old=/v1,new=/v2`".to_owned()),
        }
    }
    Ok(found)
}

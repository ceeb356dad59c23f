//! `driftgate test`: does a running API do what a specification says?
//!
//! Owns reading the arguments and the exit code; the test itself is the engine of managed actions. Needs no configuration, data
//! directory, broker or proxy.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::console::{is_terminal, say, say_line, tell};
use super::progress::{Progress, When};
use crate::actions::contract_test::choice::Found;
use crate::actions::contract_test::execute::{self, Observer, Order, Planned, Step, World};
use crate::actions::contract_test::options::{Budget, ContractTest, FailOn, Mode};
use crate::actions::contract_test::outcome::{Doubt, Outcome, Run, Source, Used};
use crate::actions::contract_test::report::{self, Format};
use crate::actions::contract_test::specification::{self, Loaded};
use crate::actions::options::Known;
use crate::config;
use crate::deliver::Credentials;
use crate::deliver::auth::{self, AuthProvider, Provider, options as auth_options};
use crate::deliver::client::{Client, Own, System};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::events::chain::{self, Chain};
use crate::model::id;
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::problem::Problems;
use crate::model::secret::{Secret, SecretSource};
use crate::model::units::{Rate, Span};
use crate::runtime::clock::Clock;
use crate::runtime::files;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;

/// Test a running API against its specification
///
/// Sends requests that the specification allows and judges the answers: statuses, content types, bodies, credentials. Mode safe
/// sends GET, HEAD and OPTIONS alone, with values that the specification declares or the run has read.
///
/// Exit codes: 0 passed, 1 failed, 2 could not run, 3 inconclusive, 4 aborted.
///
/// Examples:
///   driftgate test openapi.yaml --base-url $BASE_URL
///   driftgate test openapi.yaml --base-url $BASE_URL --auth bearer:env:TOKEN -o junit=report.xml
#[derive(Debug, Clone, clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::doc_markdown, reason = "help shows URLs as they are typed")]
pub(super) struct Arguments {
    /// The specification: a file, or `-` for standard input
    #[arg(value_name = "SPEC")]
    specification: String,
    /// Where the API answers; every operation below it is tested
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// What may be sent: observe (nothing) or safe
    #[arg(long, default_value = "safe", value_parser = mode)]
    mode: Mode,
    /// Test only these operations: METHOD and path, tag or operation id, with `*`
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave these operations out
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Send these operations although their name sounds as if they did something
    #[arg(long, value_name = "GLOB")]
    allow: Vec<String>,
    /// A fixed value of a parameter
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    param: Vec<(String, String)>,
    /// A header of every request: `K: V`, `K: env:NAME` or `K: @FILE`
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// Credentials: bearer:env:T, basic:env:U:env:P, apikey:header:X-Key:env:K or apikey:query:key:env:K
    #[arg(long, value_name = "AUTH")]
    auth: Option<String>,
    /// Requests at most; default: the greater of 1,000 and 20 per operation
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Time at most
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = span)]
    time: Span,
    /// Requests per time
    #[arg(long, value_name = "N/s", default_value = "5/s", value_parser = rate)]
    rate: Rate,
    /// Requests at once, 1-16
    #[arg(long, value_name = "N", default_value_t = 2)]
    concurrency: usize,
    /// Repeats the choices of an earlier run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Mildest violation that fails the run: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = fail_on)]
    fail_on: FailOn,
    /// Report on standard output: text, json or junit
    #[arg(short, long, value_parser = format)]
    format: Option<Format>,
    /// Write another report to a file
    #[arg(short, long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<(Format, PathBuf)>,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Mark requests so that a driftgate in front of the API does not learn from them
    #[arg(long, value_name = "FILE")]
    chain_key_file: Option<PathBuf>,
}

/// Runs the test; its exit code. `json` asks for JSON where no format is named.
pub(super) fn run(arguments: &Arguments, json: bool, progress: When) -> u8 {
    match prepare(arguments) {
        Ok(order) if arguments.dry_run => dry_run(&order),
        Ok(order) => match test(order, progress) {
            Ok(run) => give(arguments, json, &run),
            Err(why) => unable(&why),
        },
        Err(why) => unable(&why),
    }
}

fn unable(why: &str) -> u8 {
    tell(why);
    2
}

fn dry_run(order: &Order) -> u8 {
    match execute::dry_run(order) {
        Err(cause) => unable(&cause.message),
        Ok(planned) => {
            for Planned { method, template, request } in planned {
                match request {
                    Ok((case, url)) => say_line(&format!("{method} {url}  {case}")),
                    Err(outcome) => {
                        let why = match &outcome {
                            Outcome::Inconclusive(Doubt::NoValue(names)) => {
                                format!("waits for {} to be read in the run", names.join(", "))
                            }
                            _ => report::outcome_sentence(&outcome),
                        };
                        say_line(&format!("- {method} {template}  {why}"));
                    }
                }
            }
            0
        }
    }
}

/// Runs the order on a runtime of its own. The first interrupt stops sending, the second one ends the process.
fn test(order: Order, progress: When) -> Result<Run, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let stage = Stage::default();
        let clock = Clock::real();
        // What a person types may be anywhere but a metadata service; our own listeners may be tested too.
        let egress = Egress { allow_self: true, ..Egress::default() };
        let client = Client::new(
            Guard::new(&egress),
            Arc::new(Own::default()),
            Arc::new(System),
            clock.clone(),
        );
        let world = World { client, clock, stop: stage.watch() };
        let bar = Bar { when: progress, progress: Mutex::default() };
        let mut running = std::pin::pin!(execute::run(order, world, &bar));
        let run = loop {
            tokio::select! {
                run = &mut running => break run,
                pressed = tokio::signal::ctrl_c(), if !stage.watch().has_begun() => {
                    if pressed.is_ok() {
                        tell("stopping; once more to end at once");
                    }
                    stage.begin();
                }
                pressed = tokio::signal::ctrl_c(), if stage.watch().has_begun() => {
                    if pressed.is_ok() {
                        crate::runtime::supervise::exit(4);
                    }
                }
            }
        };
        bar.finish(&run);
        Ok(run)
    })
}

/// Prints and writes the reports.
fn give(arguments: &Arguments, json: bool, run: &Run) -> u8 {
    let fallback = if json { Format::Json } else { Format::Text };
    let colour = is_terminal() && config::environment("NO_COLOR").is_none();
    say(&report::render(run, arguments.format.unwrap_or(fallback), colour));
    for (format, path) in &arguments.output {
        let text = report::render(run, *format, false);
        if let Err(error) = files::write_atomic(path, text.as_bytes()) {
            return unable(&format!("the report could not be written: {error}"));
        }
    }
    run.status.exit_code()
}

/// Shows how far the run is.
struct Bar {
    when: When,
    progress: Mutex<Option<Progress>>,
}

impl Observer for Bar {
    fn step(&self, step: &Step<'_>) {
        let mut progress = self.progress.lock();
        let of = step.of as u64;
        progress
            .get_or_insert_with(|| Progress::new(self.when, "testing operations", of))
            .at(step.done as u64);
    }
}

impl Bar {
    fn finish(&self, run: &Run) {
        if let Some(progress) = self.progress.lock().take() {
            progress.finish(&format!("tested with {} requests", run.requests));
        }
    }
}

/// Everything checked before the first request.
fn prepare(arguments: &Arguments) -> Result<Order, String> {
    let Loaded { baseline, lints } = read_specification(&arguments.specification)?;
    let options = options(arguments)?;
    let rng = Rng::system();
    let now_ms = Clock::real().now_ms();
    let run = id::time_ordered(now_ms, rng.bytes());
    let used = Used {
        source: Source::Predefined,
        revision: baseline.revision.clone(),
        title: baseline.specification.title.clone(),
        version: baseline.specification.version.clone(),
        place: arguments.specification.clone(),
    };
    let chain = match &arguments.chain_key_file {
        None => None,
        Some(path) => {
            let text = files::read_text(path, 1_024).map_err(|error| error.to_string())?;
            let key = chain::Key::parse(&text)
                .ok_or_else(|| format!("`{}` holds no chain key: 64 hex digits", path.display()))?;
            let correlation = run.clone();
            let kind = chain::Kind::Test;
            Some((key, Chain { kind, correlation, depth: 0, path: Vec::new(), time_ms: now_ms }))
        }
    };
    Ok(Order {
        run,
        // Drawn so that every JSON reader keeps it.
        seed: arguments.seed.unwrap_or_else(|| rng.next_u64() >> 11),
        baseline,
        used,
        lints,
        headers: execute::custom_headers(&options.headers),
        options,
        upstream: None,
        credentials: arguments.auth.as_deref().map(|text| credentials(text, rng)).transpose()?,
        trust: Trust::FILE.without_metadata(),
        chain,
    })
}

fn options(arguments: &Arguments) -> Result<ContractTest, String> {
    let mut headers = BTreeMap::new();
    for text in &arguments.header {
        let (name, value) = header(text)?;
        headers.insert(name, value);
    }
    let options = ContractTest {
        base_url: Some(arguments.base_url.clone()),
        headers,
        mode: arguments.mode,
        budget: Budget {
            requests: arguments.requests,
            duration: arguments.time,
            ..Budget::default()
        },
        rate: arguments.rate,
        concurrency: arguments.concurrency,
        include: arguments.include.clone(),
        exclude: arguments.exclude.clone(),
        allow: arguments.allow.clone(),
        parameters: arguments.param.iter().cloned().collect(),
        fail_on: arguments.fail_on,
        ..ContractTest::default()
    };
    let mut problems = Problems::default();
    options.check(&Known::default(), &mut problems);
    if problems.is_empty() { Ok(options) } else { Err(problems.to_string()) }
}

fn read_specification(text: &str) -> Result<Loaded, String> {
    if let Some(kind) = ["git:", "rev:"].iter().find(|kind| text.starts_with(**kind)) {
        return Err(format!("`{kind}` is not supported here yet; name a file, or `-` for input"));
    }
    let file = (text != "-").then(|| PathBuf::from(text));
    let read = match &file {
        Some(path) => {
            files::read_text(path, SPECIFICATION_BYTES_MAX).map_err(|error| chain_of(&error))?
        }
        None => standard_input()?,
    };
    let found = Found { text: read, place: text.to_owned(), file };
    specification::load(&found).map_err(|problems| {
        let lines = problems.0.iter().map(|problem| format!("{text}:{problem}\n"));
        format!("{}the specification cannot be used", lines.collect::<String>())
    })
}

fn standard_input() -> Result<String, String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(SPECIFICATION_BYTES_MAX + 1);
    input.read_to_string(&mut text).map_err(|error| format!("cannot read input: {error}"))?;
    if text.len() as u64 > SPECIFICATION_BYTES_MAX {
        return Err(format!("the input is larger than {SPECIFICATION_BYTES_MAX} bytes"));
    }
    Ok(text)
}

fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// `K: V`, `K: env:NAME` or `K: @FILE`.
fn header(text: &str) -> Result<(String, SecretSource), String> {
    let wanted = || format!("`{text}` is not a header; write `Name: value`");
    let (name, value) = text.split_once(':').ok_or_else(wanted)?;
    let value = value.trim();
    let secret = match (value.strip_prefix("env:"), value.strip_prefix('@')) {
        (Some(variable), _) => variable_of(variable)?,
        (_, Some(path)) => {
            let read = files::read_text(Path::new(path), 16 * 1_024);
            Secret::new(read.map_err(|error| chain_of(&error))?.trim_end_matches(['\r', '\n']))
        }
        _ => Secret::new(value),
    };
    Ok((name.trim().to_owned(), SecretSource::Text(secret)))
}

fn variable_of(name: &str) -> Result<Secret, String> {
    let value = config::environment(name);
    value.map(Secret::new).ok_or_else(|| format!("the environment variable `{name}` is not set"))
}

/// `bearer:env:T`, `basic:env:U:env:P`, `apikey:header:X-Key:env:K`, `apikey:query:key:env:K`. Secrets never stand in arguments,
/// which every user of the machine can read.
fn credentials(text: &str, rng: Rng) -> Result<Arc<dyn Credentials>, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let name = "shell".to_owned();
    let secret = |variable: &str| variable_of(variable).map(SecretSource::Text);
    let provider = match *parts.as_slice() {
        ["bearer", "env", token] => {
            AuthProvider::Bearer(auth_options::Bearer { name, token: secret(token)? })
        }
        ["basic", "env", user, "env", password] => AuthProvider::Basic(auth_options::Basic {
            name,
            user: variable_of(user)?.reveal().to_owned(),
            password: secret(password)?,
        }),
        ["apikey", place @ ("header" | "query"), key, "env", value] => {
            AuthProvider::ApiKey(auth_options::ApiKey {
                name,
                place: match place {
                    "header" => auth_options::KeyPlace::Header,
                    _ => auth_options::KeyPlace::Query,
                },
                key: key.to_owned(),
                value: secret(value)?,
            })
        }
        _ => {
            return Err("--auth is one of bearer:env:T, basic:env:U:env:P, \
                        apikey:header:X-Key:env:K, apikey:query:key:env:K; secrets come from \
                        the environment"
                .to_owned());
        }
    };
    let mut problems = Problems::default();
    provider.check(&mut problems);
    if !problems.is_empty() {
        return Err(format!("--auth: {problems}"));
    }
    // None of these kinds calls anybody; the client is there for those that do.
    let clock = Clock::real();
    let guard = Guard::new(&Egress::default());
    let client = Client::new(guard, Arc::new(Own::default()), Arc::new(System), clock.clone());
    let world = auth::World { client, clock, rng, trust: Trust::FILE };
    let provider = Provider::new(&provider, world).map_err(|problem| problem.to_string())?;
    Ok(Arc::new(provider))
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "observe" => Ok(Mode::Observe),
        "safe" => Ok(Mode::Safe),
        "guarded" | "full" => Err("modes that change things at the target are not there yet; \
                                   use `safe`, or `observe` to send nothing"
            .to_owned()),
        _ => Err("use `observe` or `safe`".to_owned()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "write a number with its unit, `90s` or `10m`".to_owned())
}

fn rate(text: &str) -> Result<Rate, String> {
    Rate::parse(text).ok_or_else(|| "write it like `5/s` or `30/min`".to_owned())
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    let known = [FailOn::Info, FailOn::Low, FailOn::Medium, FailOn::High, FailOn::Critical];
    let found = known.into_iter().find(|one| one.severity().as_str() == text);
    found.ok_or_else(|| "use info, low, medium, high or critical".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| "use text, json or junit".to_owned())
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write FORMAT=PATH, `junit=report.xml`")?;
    Ok((format(name)?, path.into()))
}

//! Speaking to a running instance: finding it, the token, calls and their failures.
//!
//! Owns the options that all such subcommands share and the sentences for an instance that is not there or says no. Refuses
//! to own what the subcommands show (`output` and a file each).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::output::Output;
use crate::deliver::client::{Client, Ending, Keep, Own, Reply, Request, System, Timeouts};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::model::document::{Document, ReadOptions};
use crate::model::limits::CONFIG_BYTES_MAX;
use crate::runtime::clock::Clock;
use crate::runtime::files;

/// Which instance to speak to, and how to show what it says.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Connection {
    /// Where the admin API is: a URL, or its address
    #[arg(long, global = true, env = "DRIFTGATE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// File with the token to use
    #[arg(long, global = true, env = "DRIFTGATE_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print JSON: lists as one object a line, everything else as the API gives it
    #[arg(long, global = true)]
    pub json: bool,
}

/// What a subcommand answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// The answer is no; exit code 1.
    No,
}

/// Why a subcommand could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The instance said no: problem details, or a text.
    #[error("{text}")]
    Refused { status: StatusCode, text: String },
    #[error("{0}")]
    Unusable(String),
    /// The reader of our output is gone.
    #[error("the output is closed")]
    Closed,
}

/// A running instance, seen from outside.
pub struct Remote {
    client: Client,
    runtime: tokio::runtime::Runtime,
    base: Url,
    /// Where the address came from, for people.
    origin: String,
    token: Option<String>,
    pub(super) clock: Clock,
    pub(super) output: Output,
}

const DEFAULT_SERVER: &str = "127.0.0.1:9090";
const ANSWER_BYTES_MAX: usize = 256 << 20;
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
/// Longer than the instance may take (`admin.limits.answer_time`) by default.
const PATIENCE: Duration = Duration::from_mins(1);

/// Finds the instance, does the work and turns what came of it into an exit code: 0 yes, 1 no, 2 could not ask. `config` is the
/// file named by the user; without one `./driftgate.yaml` is looked at if it is there.
pub fn run(
    connection: &Connection,
    config: Option<&Path>,
    work: impl FnOnce(&Remote) -> Result<Answer, Failure>,
) -> u8 {
    match Remote::find(connection, config).and_then(|remote| work(&remote)) {
        Ok(Answer::Yes) | Err(Failure::Closed) => 0,
        Ok(Answer::No) => 1,
        Err(failure) => {
            super::output::complain(&failure.to_string());
            failure.exit_code()
        }
    }
}

impl Failure {
    /// 1 when the instance understood and said no, 2 when it could not be asked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { status, .. } if matches!(status.as_u16(), 404 | 409 | 410 | 422) => 1,
            Self::Closed => 0,
            _ => 2,
        }
    }
}

impl Remote {
    fn find(connection: &Connection, config: Option<&Path>) -> Result<Self, Failure> {
        let file = Settings::read(config)?;
        let (server, origin) = match (&connection.server, file.address) {
            (Some(server), _) => {
                (server.clone(), "given by --server or DRIFTGATE_SERVER".to_owned())
            }
            (None, Some(address)) => (address, format!("`admin.address` of `{}`", file.name)),
            (None, None) => (DEFAULT_SERVER.to_owned(), "the default".to_owned()),
        };
        let token = match &connection.token_file {
            Some(path) => Some(read_token(path)?),
            None => read_first_token(&file.token_files)?,
        };
        let clock = Clock::real();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?;
        let guard = Guard::new(&Egress::default());
        let client = Client::new(guard, Arc::new(Own::default()), Arc::new(System), clock.clone());
        let output = Output::new(connection.json);
        Ok(Self { client, runtime, base: base(&server)?, origin, token, clock, output })
    }

    /// A GET that answers JSON. `path` may have a query.
    ///
    /// # Errors
    /// When the instance cannot be reached or refuses.
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        json(&self.call(Method::GET, path, None)?)
    }

    /// A POST of a JSON body that answers JSON.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(&self.call(Method::POST, path, Some(body.to_string().into_bytes()))?)
    }

    /// Any call; a refusal is a failure.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, Failure> {
        let reply = self.ask(method, path, body)?;
        if reply.status.is_success() { Ok(reply) } else { Err(refused(&reply)) }
    }

    /// Any call, whatever its status.
    ///
    /// # Errors
    /// When the instance cannot be reached.
    pub fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Failure> {
        let url = self.base.join(path.trim_start_matches('/')).map_err(|error| {
            Failure::Unusable(format!("`{path}` is not a path of the admin API: {error}"))
        })?;
        let mut request = Request::new(method, url, Trust::FILE);
        request.timeouts = Timeouts { head: PATIENCE, total: PATIENCE * 10, ..request.timeouts };
        request.keep = Keep {
            decoded_bytes: ANSWER_BYTES_MAX,
            raw_bytes: ANSWER_BYTES_MAX,
            duration: PATIENCE * 10,
        };
        if let Some(token) = &self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                Failure::Unusable("the token has unprintable characters".to_owned())
            })?;
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        if let Some(body) = body {
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.body = body.into();
        }
        let reply = self
            .runtime
            .block_on(self.client.send(request))
            .map_err(|failure| Failure::Unusable(self.unreachable(&failure.error)))?;
        match &reply.ending {
            Ending::Complete => Ok(reply),
            _ => Err(Failure::Unusable("the answer broke off; try again".to_owned())),
        }
    }

    /// Waits between two questions.
    pub(super) fn pause(&self, duration: Duration) {
        self.runtime.block_on(self.clock.sleep(duration));
    }

    fn unreachable(&self, why: &str) -> String {
        format!(
            "cannot reach a driftgate at {} ({}): {why}\n  start one with `driftgate run`, or name another with \
             `--server URL`",
            self.base.as_str().trim_end_matches('/'),
            self.origin
        )
    }
}

/// What the config file says about its instance.
#[derive(Debug, Default)]
struct Settings {
    name: String,
    address: Option<String>,
    /// Where a token may be, first match first.
    token_files: Vec<PathBuf>,
}

impl Settings {
    /// A file that the user named must be readable; the one in the working folder need not be there.
    fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let path = named.unwrap_or_else(|| Path::new("driftgate.yaml"));
        let fallback = PathBuf::from("data/admin-token");
        let text = match files::read_text(path, CONFIG_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.is_not_found() => {
                return Ok(Self { token_files: vec![fallback], ..Self::default() });
            }
            Err(error) => return Err(Failure::Unusable(chain(&error))),
        };
        let variables = &crate::config::environment;
        let options = ReadOptions { variables: Some(variables), ..ReadOptions::default() };
        let document = Document::parse(&text, &options)
            .map_err(|problems| Failure::Unusable(format!("{}: {problems}", path.display())))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let text = |pointer: &str| document.value.pointer(pointer).and_then(Value::as_str);
        let data_dir = folder.join(text("/data_dir").unwrap_or("data"));
        let mut token_files = vec![data_dir.join("admin-token"), fallback];
        token_files.splice(..0, text("/admin/token_file").map(|file| folder.join(file)));
        let address = text("/admin/address").map(str::to_owned);
        Ok(Self { name: path.display().to_string(), address, token_files })
    }
}

/// Reads `127.0.0.1:9090`, `http://host:9090/` or `https://host/prefix`. An unspecified address is called by loopback.
fn base(server: &str) -> Result<Url, Failure> {
    let bad = |why: &str| {
        Failure::Unusable(format!(
            "`{server}` is not the address of an admin API: {why}; write `http://HOST:PORT`"
        ))
    };
    if server.starts_with("unix:") {
        return Err(bad("Unix sockets cannot be called from here yet"));
    }
    let text = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let mut url = Url::parse(&text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http and https are spoken"));
    }
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) if ip.is_unspecified() => Some("127.0.0.1"),
        Some(url::Host::Ipv6(ip)) if ip.is_unspecified() => Some("[::1]"),
        _ => None,
    };
    if loopback.is_some() {
        url.set_host(loopback).map_err(|error| bad(&error.to_string()))?;
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The first token of the first file that is there; none: only open routes can be called.
fn read_first_token(candidates: &[PathBuf]) -> Result<Option<String>, Failure> {
    let there = candidates.iter().find(|path| files::exists(path));
    there.map(|path| read_token(path)).transpose()
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = files::read_text(path, TOKEN_BYTES_MAX)
        .map_err(|error| Failure::Unusable(chain(&error)))?;
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.split_ascii_whitespace().last())
        .map(str::to_owned)
        .ok_or_else(|| Failure::Unusable(format!("`{}` holds no token", path.display())))
}

/// An error with everything that caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _infallible = write!(text, ": {error}");
        source = error.source();
    }
    text
}

fn json(reply: &Reply) -> Result<Value, Failure> {
    serde_json::from_slice(&reply.body).map_err(|error| {
        let what = "what answered is not a driftgate admin API";
        Failure::Unusable(format!("{what}: its answer is not JSON ({error})"))
    })
}

/// The sentence for a refusal: problem details if it has them.
fn refused(reply: &Reply) -> Failure {
    let status = reply.status;
    let text = match serde_json::from_slice::<Value>(&reply.body) {
        Ok(problem) if problem.get("code").is_some() => describe(&problem),
        _ => format!("the instance answered {status}"),
    };
    Failure::Refused { status, text }
}

/// `[code] detail`, a line for each fault, what is allowed, and the trace id to look for in the log.
fn describe(problem: &Value) -> String {
    let member = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut text = format!("[{}] {}", member(problem, "code"), member(problem, "detail"));
    for fault in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let place = member(fault, "parameter") + &member(fault, "pointer");
        let _infallible = write!(text, "\n  {place}: {}", member(fault, "message"));
        let remedy = member(fault, "remedy");
        if !remedy.is_empty() {
            let _infallible = write!(text, "; {remedy}");
        }
    }
    if let Some(allowed) = problem.get("allowed").and_then(Value::as_array) {
        let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let _infallible = write!(text, "\n  allowed: {}", names.join(", "));
    }
    let _infallible = write!(text, "\n  trace id {}", member(problem, "trace_id"));
    text
}

/// A step of a path: everything but letters, digits and `-._~` percent-encoded.
pub(super) fn step(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// `path?name=value&...` of the parameters that are given.
pub(super) fn with_query<'a>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_people_write_them() {
        for (given, expected) in [
            ("127.0.0.1:9090", "http://127.0.0.1:9090/"),
            ("0.0.0.0:9090", "http://127.0.0.1:9090/"),
            ("[::]:9090", "http://[::1]:9090/"),
            ("localhost:1", "http://localhost:1/"),
            ("https://gate.example/admin", "https://gate.example/admin/"),
        ] {
            assert_eq!(base(given).expect(given).as_str(), expected);
        }
        for given in ["unix:/run/x", "ftp://host", "", "http://"] {
            assert!(base(given).is_err(), "{given}");
        }
    }

    #[test]
    fn problems_are_told_with_place_remedy_and_trace() {
        let problem = serde_json::json!({
            "code": "request.invalid", "detail": "the body has wrong members", "trace_id": "ab",
            "problems": [{ "pointer": "/forse", "message": "`forse` is not known",
                "remedy": "did you mean `force`?" }],
            "allowed": ["a", "b"]
        });
        assert_eq!(
            describe(&problem),
            "[request.invalid] the body has wrong members\n  /forse: `forse` is not known; did you mean \
             `force`?\n  allowed: a, b\n  trace id ab"
        );
    }

    #[test]
    fn the_config_file_names_address_and_tokens_relative_to_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gate.yaml");
        let text = "data_dir: state\nadmin: { address: '127.0.0.1:7', token_file: t/admin }\n";
        files::write_atomic(&file, text.as_bytes()).expect("written");
        let settings = Settings::read(Some(&file)).expect("read");
        assert_eq!(settings.address.as_deref(), Some("127.0.0.1:7"));
        let expected = [folder.path().join("t/admin"), folder.path().join("state/admin-token")];
        assert_eq!(settings.token_files[..2], expected);
        assert!(Settings::read(Some(Path::new("/no/such/file"))).is_err());
    }

    #[test]
    fn queries_hold_only_what_is_given() {
        let path = with_query("/v1/events", [("type", Some("a b")), ("api", None)]);
        assert_eq!(path, "/v1/events?type=a+b");
        assert_eq!(step("a/b c"), "a%2Fb%20c");
    }
}

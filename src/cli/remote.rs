//! Speaking to a running instance: finding it, the token, calls and their failures.
//!
//! Owns the options that all such subcommands share and the sentences for an instance that is not there or says no. Refuses
//! to own what the subcommands show (`output` and a file each).

mod find;
mod refusal;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

use self::find::Found;
use super::output::{self, Output};
use crate::deliver::client::{Client, Ending, Keep, Own, Reply, Request, System, Timeouts};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::runtime::clock::Clock;

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
    found: Found,
    clock: Clock,
    pub(super) output: Output,
}

const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Longer than the instance may take (`admin.limits.answer_time`) by default.
const PATIENCE: Duration = Duration::from_mins(1);

/// Finds the instance, does the work and turns what came of it into an exit code: 0 yes, 1 no, 2 could not ask. `config` is the
/// file named by the user; without one `./driftgate.yaml` is looked at if it is there.
pub fn run(
    connection: &Connection,
    config: Option<&Path>,
    work: impl FnOnce(&Remote) -> Result<Answer, Failure>,
) -> u8 {
    match Remote::new(connection, config).and_then(|remote| work(&remote)) {
        Ok(Answer::Yes) | Err(Failure::Closed) => 0,
        Ok(Answer::No) => 1,
        Err(failure) => {
            output::complain(&failure.to_string());
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
    fn new(connection: &Connection, config: Option<&Path>) -> Result<Self, Failure> {
        let found = find::find(connection, config)?;
        let clock = Clock::real();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Unusable(format!("cannot start: {error}")))?;
        let guard = Guard::new(&Egress::default());
        let client = Client::new(guard, Arc::new(Own::default()), Arc::new(System), clock.clone());
        Ok(Self { client, runtime, found, clock, output: Output::new(connection.json) })
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

    /// A PUT of a JSON body that answers JSON.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(&self.call(Method::PUT, path, Some(body.to_string().into_bytes()))?)
    }

    /// A POST of a text of this media type that answers JSON.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub fn post_text(
        &self,
        path: &str,
        media: &'static str,
        body: Vec<u8>,
    ) -> Result<Value, Failure> {
        let reply = self.send(Method::POST, path, Some((media, body)))?;
        if reply.status.is_success() { json(&reply) } else { Err(self.refused(&reply)) }
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
        if reply.status.is_success() { Ok(reply) } else { Err(self.refused(&reply)) }
    }

    /// Any call, whatever its status.
    ///
    /// # Errors
    /// When the instance cannot be reached.
    pub fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Failure> {
        self.send(method, path, body.map(|body| ("application/json", body)))
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Reply, Failure> {
        let url = self.found.base.join(path.trim_start_matches('/')).map_err(|error| {
            Failure::Unusable(format!("`{path}` is not a path of the admin API: {error}"))
        })?;
        let mut request = Request::new(method, url, Trust::FILE);
        request.timeouts = Timeouts { head: PATIENCE, total: PATIENCE * 10, ..request.timeouts };
        request.keep = Keep {
            decoded_bytes: ANSWER_BYTES_MAX,
            raw_bytes: ANSWER_BYTES_MAX,
            duration: PATIENCE * 10,
        };
        if let Some(token) = &self.found.token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                Failure::Unusable("the token has unprintable characters".to_owned())
            })?;
            value.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, value);
        }
        if let Some((media, body)) = body {
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
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

    fn refused(&self, reply: &Reply) -> Failure {
        let status = reply.status;
        let told = refusal::describe(&reply.body);
        let mut text = told.unwrap_or_else(|| format!("the instance answered {status}"));
        if status == StatusCode::UNAUTHORIZED {
            let _infallible = write!(text, "\n  {}", self.found.token_origin);
        }
        Failure::Refused { status, text }
    }

    /// Waits between two questions.
    pub(super) fn pause(&self, duration: Duration) {
        self.runtime.block_on(self.clock.sleep(duration));
    }

    fn unreachable(&self, why: &str) -> String {
        format!(
            "cannot reach a driftgate at {} ({}): {why}\n  start one with `driftgate run`, or name another with \
             `--server URL`",
            self.found.base.as_str().trim_end_matches('/'),
            self.found.origin
        )
    }
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
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// An instance that gives one scripted answer to each connection, and what it was asked.
    fn scripted<T>(answers: &[&str], ask: impl FnOnce(&Remote) -> T) -> (T, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let server = Some(listener.local_addr().expect("an address").to_string());
        let remote = Remote::new(&Connection { server, ..Connection::default() }, None);
        let remote = remote.expect("found");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let answer = |text: &&str| {
                    let (mut stream, _) = listener.accept().expect("a call");
                    let mut head = [0; 4_096];
                    let length = stream.read(&mut head).expect("a head");
                    stream.write_all(text.as_bytes()).expect("answered");
                    String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or("").to_owned()
                };
                answers.iter().map(answer).collect()
            });
            (ask(&remote), asked.join().expect("the script ends"))
        })
    }

    fn answer(status: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[test]
    fn refusals_are_told_and_tell_no_from_could_not() {
        for (status, code) in [("404 x", 1), ("409 x", 1), ("422 x", 1), ("400 x", 2), ("503 x", 2)]
        {
            let text = answer(status, r#"{"code":"a.b","detail":"no","trace_id":"1"}"#);
            let (failure, _) =
                scripted(&[&text], |remote| remote.get("/v1/x").expect_err("refused"));
            assert_eq!(failure.exit_code(), code, "{status}");
            assert_eq!(failure.to_string(), "[a.b] no\n  trace id 1");
        }
        let text = answer("401 x", "");
        let (failure, _) = scripted(&[&text], |remote| remote.get("/v1/x").expect_err("refused"));
        let told = failure.to_string();
        assert!(
            told.contains("the instance answered 401") && told.contains("admin-token"),
            "{told}"
        );
    }

    #[test]
    fn what_is_no_admin_api_or_breaks_off_is_told_so() {
        let text = answer("200 OK", "<html>");
        let (failure, _) = scripted(&[&text], |remote| remote.get("/v1/x").expect_err("not JSON"));
        assert!(failure.to_string().contains("not a driftgate admin API"), "{failure}");
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        let (failure, _) = scripted(&[cut], |remote| remote.get("/v1/x").expect_err("cut"));
        assert!(failure.to_string().contains("broke off"), "{failure}");
    }

    #[test]
    fn nobody_there_is_told_with_the_address_where_it_came_from_and_what_to_do() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("bound");
        let server = closed.local_addr().expect("an address").to_string();
        drop(closed);
        let connection = Connection { server: Some(server.clone()), ..Connection::default() };
        let remote = Remote::new(&connection, None).expect("found");
        let failure = remote.get("/v1/me").expect_err("nobody");
        let told = failure.to_string();
        for part in [&*server, "--server or DRIFTGATE_SERVER", "driftgate run"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn lists_are_followed_to_their_end() {
        let first = answer("200 OK", r#"{"items":[{"id":"1"},{"id":"2"}],"next":"a+b"}"#);
        let second = answer("200 OK", r#"{"items":[{"id":"3"}]}"#);
        let (items, asked) = scripted(&[&first, &second], |remote| {
            remote.output.list(remote, "/v1/events?api=x", &[("ID", "/id")]).expect("listed")
        });
        assert_eq!(items.len(), 3);
        let expected = ["/v1/events?api=x", "/v1/events?api=x&cursor=a%2Bb"];
        assert_eq!(asked, expected.map(|path| format!("GET {path} HTTP/1.1")));
    }

    #[test]
    fn queries_hold_only_what_is_given() {
        let path = with_query("/v1/events", [("type", Some("a b")), ("api", None)]);
        assert_eq!(path, "/v1/events?type=a+b");
        assert_eq!(step("a/b c"), "a%2Fb%20c");
    }
}

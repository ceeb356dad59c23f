//! The one HTTP client for outgoing calls: webhooks, actions, token requests, contract tests (`spec/delivery.md` 9).
//!
//! Owns the connections, the time-outs of each phase and what is kept of an answer. Every address is judged by the guard just
//! before it is dialled. Never follows a redirect, never uses a proxy of the environment, never repeats a request.
//! Refuses to own what is sent and what an answer means.

mod body;
mod outcome;
mod resolve;

pub use body::{Ending, Keep};
pub use outcome::{Failure, of_status};
pub use resolve::{Own, Resolve, System};

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use url::{Host, Url};

use crate::model::delivery::OutcomeKind;
use crate::runtime::clock::Clock;

use super::guard::{Guard, Target, Trust};
use resolve::Checked;

/// Clients kept at most; the least recently used one is dropped with its connections.
const CLIENTS_MAX: usize = 256;
const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 4;
/// Header fields of an answer at most; hyper bounds the bytes of a head at about 408 KiB by itself.
const RESPONSE_HEADERS_MAX: usize = 100;

/// How long each phase of a call may take, counted from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timeouts {
    pub dns: Duration,
    /// Name, TCP and TLS.
    pub connect: Duration,
    /// Until the head of the answer is there.
    pub head: Duration,
    /// Until the slot is free again.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { dns: seconds(5), connect: seconds(5), head: seconds(15), total: seconds(20) }
    }
}

/// Certificates beyond the system's.
#[derive(Clone)]
pub struct TlsProfile {
    /// Tells profiles apart; a hash of the files.
    pub id: u64,
    /// Authorities to trust besides the system's.
    pub authorities: Vec<reqwest::Certificate>,
    /// Our own certificate and key.
    pub identity: Option<reqwest::Identity>,
}

/// One call.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trust: Trust,
    pub timeouts: Timeouts,
    pub keep: Keep,
    pub tls: Option<Arc<TlsProfile>>,
}

impl Request {
    /// A call with default time-outs that keeps what the attempt log keeps.
    #[must_use]
    pub fn new(method: Method, url: Url, trust: Trust) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            trust,
            timeouts: Timeouts::default(),
            keep: Keep::LOG,
            tls: None,
        }
    }
}

/// What came back: a whole head, and of the body what was asked to be kept.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Decoded from gzip or deflate; any other encoding as it came.
    pub body: Vec<u8>,
    pub ending: Ending,
    /// The address dialled.
    pub address: Option<IpAddr>,
    /// Until the head was there.
    pub head_after: Duration,
}

impl Reply {
    #[must_use]
    pub fn outcome(&self) -> OutcomeKind {
        of_status(self.status.as_u16())
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    checked: Checked,
    pool: Arc<Mutex<Vec<(Key, reqwest::Client)>>>,
}

/// What a connection may depend on: a connection opened under one key is never used under another, since reqwest's own pool
/// tells connections apart by scheme and authority alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    trust: Trust,
    port: u16,
    dns: Duration,
    connect: Duration,
    tls: Option<u64>,
}

/// Answers the client's questions for names, with the trust of one key.
struct NameService {
    checked: Checked,
    key: Key,
}

impl reqwest::dns::Resolve for NameService {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (checked, key) = (self.checked.clone(), self.key.clone());
        Box::pin(async move {
            let found = checked.resolve(name.as_str(), key.port, key.trust, key.dns).await?;
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

impl Client {
    #[must_use]
    pub fn new(guard: Guard, own: Arc<Own>, resolver: Arc<dyn Resolve>, clock: Clock) -> Self {
        let checked = Checked { guard: Arc::new(guard), own, resolver, clock };
        Self { checked, pool: Arc::default() }
    }

    /// Sends one request and reads the answer. Ends within `timeouts.total`.
    ///
    /// # Errors
    /// When there is no whole head of a final answer: forbidden, unreachable, late, cut off, malformed.
    pub async fn send(&self, request: Request) -> Result<Reply, Failure> {
        let total = request.timeouts.total;
        tokio::select! {
            ended = self.exchange(request) => ended,
            () = self.checked.clock.sleep(total) => Err(Failure::late(OutcomeKind::TimeoutTotal, total)),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Failure> {
        let begun_ns = self.checked.clock.monotonic_ns();
        let since = |clock: &Clock| Duration::from_nanos(clock.monotonic_ns() - begun_ns);
        let client = self.client_for(&request)?;
        let Request { method, url, headers, body, timeouts, keep, .. } = request;
        let calling = client.request(method, url).headers(headers).body(body).send();
        let mut response = tokio::select! {
            answered = calling => answered.map_err(|error| Failure::of(&error, timeouts.connect))?,
            () = self.checked.clock.sleep(timeouts.head) => {
                return Err(Failure::late(OutcomeKind::TimeoutHead, timeouts.head));
            }
        };
        let (status, head_after) = (response.status(), since(&self.checked.clock));
        if status.is_informational() {
            return Err(Failure::bad_response(format!(
                "answered {status}, which ends no exchange"
            )));
        }
        let headers = std::mem::take(response.headers_mut());
        let address = response.remote_addr().map(|address| address.ip());
        // The head has decided; a body that outlasts `total` is cut, it does not undo the answer.
        let left = timeouts.total.saturating_sub(head_after).min(keep.duration);
        let margin = Duration::from_millis(50).min(left / 2);
        let (body, ending) = body::read(
            response,
            &headers,
            keep,
            self.checked.clock.sleep(left.saturating_sub(margin)),
        )
        .await;
        Ok(Reply { status, headers, body, ending, address, head_after })
    }

    /// The client that may serve this request, made if there is none yet.
    fn client_for(&self, request: &Request) -> Result<reqwest::Client, Failure> {
        let url = &request.url;
        let refuse = |why: &str| Failure::new(OutcomeKind::Blocked, why.to_owned());
        let port = match url.scheme() {
            "http" if self.checked.guard.https_only => {
                return Err(refuse("`egress.https_only` forbids a URL without TLS"));
            }
            "http" | "https" => url.port_or_known_default(),
            _ => None,
        };
        let port = port.ok_or_else(|| refuse("only http and https URLs can be called"))?;
        // The client asks nobody about literal addresses, so they are judged here.
        if let Some(address) = literal(url) {
            self.checked.judge(Target { host: None, address, port }, request.trust)?;
        }
        let key = Key {
            trust: request.trust,
            port,
            dns: request.timeouts.dns,
            connect: request.timeouts.connect,
            tls: request.tls.as_ref().map(|profile| profile.id),
        };
        let mut pool = self.pool.lock();
        if let Some(index) = pool.iter().position(|(known, _)| *known == key) {
            // Most recently used last.
            let entry = pool.remove(index);
            let client = entry.1.clone();
            pool.push(entry);
            return Ok(client);
        }
        let client = self.build(key.clone(), request.tls.as_deref())?;
        if pool.len() >= CLIENTS_MAX {
            pool.remove(0);
        }
        pool.push((key, client.clone()));
        Ok(client)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one home of outgoing HTTP")]
    fn build(&self, key: Key, tls: Option<&TlsProfile>) -> Result<reqwest::Client, Failure> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .http1_max_headers(RESPONSE_HEADERS_MAX)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(key.connect)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST);
        if let Some(profile) = tls {
            builder = builder.tls_certs_merge(profile.authorities.iter().cloned());
            if let Some(identity) = &profile.identity {
                builder = builder.identity(identity.clone());
            }
        }
        let names = NameService { checked: self.checked.clone(), key };
        builder
            .dns_resolver(names)
            .build()
            .map_err(|error| Failure::new(OutcomeKind::Tls, outcome::chain(&error)))
    }

    /// Judges a URL as it is saved: scheme and literal addresses now, names when they are dialled.
    ///
    /// # Errors
    /// One sentence that names address and rule.
    pub fn check(&self, url: &Url, trust: Trust) -> Result<(), String> {
        let request = Request::new(Method::GET, url.clone(), trust);
        self.client_for(&request).map(drop).map_err(|failure| failure.error)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client")
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        // `url` reads every spelling of an IPv4 address as one; a name with a trailing dot it leaves alone.
        Host::Domain(name) => name.trim_end_matches('.').parse().ok(),
    }
}

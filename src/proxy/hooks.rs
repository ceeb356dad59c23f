//! The hooks that pingora calls, in the order in which it calls them (`spec/proxy.md` 4).
//!
//! Owns which step happens where. Hooks that are not here keep pingora's default. Refuses to alter a body or to wait in a
//! body filter: an error there would kill traffic, a delay would hold it up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};

use super::answer::Failure;
use super::conn::Connection;
use super::context::{Context, Routed};
use super::metrics::Counters;
use super::options::{Limits, TlsVersion};
use super::tap::{self, Beginning, Ending, Tap};
use super::upstream::{Client, HostPolicy};
use super::view::Live;
use crate::capture;
use crate::model::capture::{Outcome, Protocol};
use crate::runtime::clock::Clock;

/// How long the rest of a request body may take after its answer, so that the connection can be used again.
const DRAIN: Duration = Duration::from_secs(5);
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// The data plane as pingora sees it.
pub(super) struct Plane {
    pub(super) live: Arc<ArcSwap<Live>>,
    pub(super) limits: Limits,
    pub(super) capture: capture::Handle,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Clock,
    /// Answers ask clients to open a new connection, elsewhere.
    pub(super) draining: Arc<AtomicBool>,
}

/// The state that [`super::conn::Conn`] hangs on its digest.
fn connection(session: &Session) -> Option<Arc<Connection>> {
    let digest = session.digest()?.proxy_digest.as_ref()?;
    digest.user_data.as_ref()?.downcast_ref::<Arc<Connection>>().cloned()
}

fn protocol(version: Version) -> Protocol {
    match version {
        Version::HTTP_2 => Protocol::Http2,
        Version::HTTP_11 => Protocol::Http11,
        _ => Protocol::Http10,
    }
}

/// The authority that routing goes by: `:authority`, absolute form, else `Host`.
fn authority(head: &RequestHeader) -> Option<&[u8]> {
    let target = head.raw_path();
    if let Some(authority) = head.uri.authority() {
        return Some(authority.as_str().as_bytes());
    }
    if !target.starts_with(b"/")
        && let Some((authority, _)) = absolute(target)
    {
        return Some(authority);
    }
    head.headers.get(header::HOST).map(HeaderValue::as_bytes)
}

/// Authority and rest of a target in absolute form.
fn absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = target.windows(3).take(16).position(|window| window == b"://")?;
    let rest = target.get(scheme + 3..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    rest.split_at_checked(end)
}

/// The raw path that routing goes by; `*` counts as the root.
fn path(head: &RequestHeader) -> &[u8] {
    let target = head.raw_path();
    let target = if target.starts_with(b"/") {
        target
    } else {
        absolute(target).map_or(&b"/"[..], |(_, rest)| rest)
    };
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if path.is_empty() { b"/" } else { path }
}

impl Plane {
    fn now_ns(&self) -> u64 {
        self.clock.monotonic_ns()
    }

    fn tap(&self, context: &mut Context, work: impl FnOnce(&mut Tap)) {
        context.tap(&self.capture, || self.now_ns(), work);
    }

    /// Sets up what belongs to the connection. pingora's own keep-alive wait has no deadline; `Conn` has one.
    fn prepare(&self, session: &mut Session, context: &mut Context) {
        let connection = connection(session);
        if let Some(connection) = &connection {
            connection.begin();
        }
        context.connection = connection;
        session.set_pipelining_enabled(true);
        session.set_total_drain_timeout(Some(DRAIN));
        let upgrade = session.is_upgrade_req();
        session.set_read_timeout((!upgrade).then_some(self.limits.body_idle.0));
        if session.req_header().version < Version::HTTP_11 {
            session.set_ignore_info_resp(true);
        }
        if session.is_http2() {
            let content_type = session.get_header_bytes(header::CONTENT_TYPE);
            let grpc = content_type.starts_with(b"application/grpc");
            context.client = if grpc { Client::Grpc } else { Client::Http2 };
        }
    }

    /// What stands against forwarding this request.
    fn refusal(&self, session: &Session, raw_length: usize, routed: bool) -> Option<Failure> {
        if raw_length > self.limits.max_header_bytes.as_len() {
            return Some(Failure::HeadTooLarge);
        }
        if !routed {
            return Some(Failure::NoApi);
        }
        let limit = self.limits.max_request_body?.0;
        let length = std::str::from_utf8(session.get_header_bytes(header::CONTENT_LENGTH)).ok()?;
        length.parse::<u64>().is_ok_and(|length| length > limit).then_some(Failure::BodyTooLarge)
    }

    fn route(&self, session: &Session, context: &Context) -> Option<Routed> {
        let live = self.live.load_full();
        let listener = context.connection.as_ref()?.listener;
        let head = session.req_header();
        let entry = live.view.table(listener)?.route(authority(head), path(head))?;
        let (index, forwarding) = (entry.api, Arc::clone(&entry.forwarding));
        Some(Routed { live, index, forwarding })
    }

    /// Taps the exchange unless its API or the hand-over does not want it.
    fn begin_tap(&self, session: &Session, context: &mut Context, raw: Option<&Bytes>) {
        let (Some(routed), Some(connection)) = (&context.routed, &context.connection) else {
            return;
        };
        let Some((api, _)) = routed.api() else { return };
        if api.capture == capture::Mode::Off {
            return;
        }
        let Ok(level) = self.capture.admit(context.started_ns) else { return };
        let head = session.req_header();
        let mut capture =
            Box::new(tap::blank(Arc::clone(&api.name), Arc::clone(&connection.listener_name)));
        capture.worker = connection.worker;
        capture.client = connection.origin.address;
        capture.client_protocol = protocol(head.version);
        capture.tls = connection.origin.tls;
        capture.stamps.start = context.started_ns;
        capture.wall_ms = self.clock.now_ms();
        let beginning = Beginning {
            capture,
            level,
            bodies: api.capture == capture::Mode::All,
            content_type: head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes),
        };
        let length = raw.map_or(256, Bytes::len);
        let tap = Tap::begin(&self.capture, beginning, length, |arena| match raw {
            Some(raw) => arena.extend_from_slice(raw),
            None => write_h2_head(head, arena),
        });
        context.tap = Some(Box::new(tap));
    }

    /// Whether what failed may be tried again (`spec/proxy.md` 5): only when the API cannot have acted on it, or acting
    /// twice is harmless.
    fn may_retry(session: &Session, context: &Context, error: &Error, reused: bool) -> bool {
        let Some((api, _)) = context.routed.as_ref().and_then(Routed::api) else { return false };
        if context.responded
            || context.attempts >= api.upstream.attempts
            || session.as_ref().retry_buffer_truncated()
            || *error.esource() != ErrorSource::Upstream
        {
            return false;
        }
        match error.etype() {
            // The peer said that it did nothing: REFUSED_STREAM, GOAWAY, or another HTTP version wanted.
            ErrorType::H2Error | ErrorType::H2Downgrade | ErrorType::InvalidH2 => error.retry(),
            ErrorType::ConnectionClosed | ErrorType::ReadError | ErrorType::WriteError => {
                reused && session.req_header().method.is_idempotent()
            }
            _ => false,
        }
    }

    fn finish(&self, session: &Session, error: Option<&Error>, context: &mut Context) {
        let now_ns = self.now_ns();
        let outcome = context.outcome(error);
        let status = session.response_written().map_or(0, |head| head.status.as_u16());
        let version = protocol(session.req_header().version);
        if let Some((_, counters)) = context.routed.as_ref().and_then(Routed::api) {
            counters.exchange(version, status, outcome);
            counters.duration.add(now_ns.saturating_sub(context.started_ns));
            if context.sent_ns > 0 {
                counters.added_request.add(context.sent_ns.saturating_sub(context.started_ns));
            }
            if context.received_ns > 0 {
                counters.added_response.add(now_ns.saturating_sub(context.received_ns));
            }
        }
        let ending = Ending {
            end_ns: now_ns,
            sent_ns: context.sent_ns,
            outcome,
            status,
            attempts: context.attempts,
            reused: context.reused,
        };
        self.tap(context, |tap| {
            if outcome == Outcome::Generated { tap.discard() } else { tap.finish(&ending) }
        });
        if context.tap.take().is_some() {
            self.capture.survived();
        }
        if let Some(connection) = &context.connection {
            connection.end(now_ns);
        }
    }
}

/// The head of an HTTP/2 request as HTTP/1 text.
fn write_h2_head(head: &RequestHeader, arena: &mut BytesMut) {
    arena.extend_from_slice(head.method.as_str().as_bytes());
    arena.extend_from_slice(b" ");
    arena.extend_from_slice(head.raw_path());
    arena.extend_from_slice(b" HTTP/2.0\r\n");
    if let Some(authority) = head.uri.authority()
        && !head.headers.contains_key(header::HOST)
    {
        arena.extend_from_slice(b"host: ");
        arena.extend_from_slice(authority.as_str().as_bytes());
        arena.extend_from_slice(b"\r\n");
    }
    head.header_to_h1_wire(arena);
    arena.extend_from_slice(b"\r\n");
}

/// Takes the API's prefix off the target.
fn strip(head: &mut RequestHeader, prefix: &[u8]) -> Result<()> {
    let target = head.raw_path();
    let Some(rest) = target.strip_prefix(prefix) else { return Ok(()) };
    let stripped = if rest.starts_with(b"/") { rest.to_vec() } else { [b"/", rest].concat() };
    head.set_raw_path(&stripped)
}

/// HTTP/2 lets a client split its cookies over several fields, HTTP/1 does not (RFC 9113 section 8.2.3).
fn join_cookies(head: &mut RequestHeader) -> Result<()> {
    if head.headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return Ok(());
    }
    let lines: Vec<&[u8]> =
        head.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let joined = lines.join(&b"; "[..]);
    head.insert_header("Cookie", joined)
}

/// Removes what concerns the connection to the API alone.
fn remove_hop_by_hop(head: &mut ResponseHeader) {
    if head.headers.contains_key(header::CONNECTION) && head.status != 101 {
        let nominated: Vec<HeaderName> = head
            .headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
            // Framing is pingora's business; a nomination must not change it.
            .filter(|name| *name != header::CONTENT_LENGTH && *name != header::TRANSFER_ENCODING)
            .collect();
        for name in &nominated {
            head.remove_header(name);
        }
        head.remove_header(&header::CONNECTION);
    }
    head.remove_header(&KEEP_ALIVE);
    head.remove_header(&PROXY_CONNECTION);
}

/// Seconds for which the API keeps an idle connection, when it says so.
fn keep_alive_seconds(head: &ResponseHeader) -> Option<u64> {
    let value = head.headers.get(KEEP_ALIVE)?.to_str().ok()?;
    value.split(',').find_map(|part| {
        let (name, seconds) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| seconds.trim().parse().ok())?
    })
}

#[async_trait]
impl ProxyHttp for Plane {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context::new(&self.counters, self.now_ns())
    }

    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> Result<bool> {
        self.prepare(session, context);
        let raw = (!session.is_http2()).then(|| session.to_h1_raw());
        context.routed = self.route(session, context);
        let raw_length = raw.as_ref().map_or(0, Bytes::len);
        if let Some(failure) = self.refusal(session, raw_length, context.routed.is_some()) {
            context.failure = Some(failure);
            if failure == Failure::NoApi {
                self.counters.unrouted.fetch_add(1, Relaxed);
            } else {
                session.set_keepalive(None);
            }
            failure.answer(session, context.client == Client::Grpc).await?;
            if let Some((_, counters)) = context.routed.as_ref().and_then(Routed::api) {
                counters.answered(failure);
            }
            return Ok(true);
        }
        self.begin_tap(session, context, raw.as_ref());
        Ok(false)
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        context: &mut Context,
    ) -> Result<Box<HttpPeer>> {
        self.tap(context, Tap::restart);
        context.attempts = context.attempts.saturating_add(1);
        let peer = context.routed.as_ref().and_then(|routed| {
            let (api, counters) = routed.api()?;
            if context.attempts > 1 {
                counters.retries.fetch_add(1, Relaxed);
            }
            let class = api.upstream.class(context.client);
            api.upstream.peer(class, context.address, routed.live.group(routed.index))
        });
        peer.ok_or_else(|| {
            context.failure = Some(Failure::Unresolved);
            Error::explain(ErrorType::ConnectNoRoute, "no address is known")
        })
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        context: &mut Context,
        mut error: Box<Error>,
    ) -> Box<Error> {
        let failure = Failure::of_connect(&error);
        let mut retry = false;
        if let Some((api, counters)) = context.routed.as_ref().and_then(Routed::api) {
            counters.connected(Some(failure));
            retry = context.address + 1 < api.upstream.address_count()
                && context.attempts < api.upstream.attempts;
        }
        context.address += usize::from(retry);
        context.failure = Some(failure);
        error.set_retry(retry);
        error
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        reused: bool,
        _peer: &HttpPeer,
        _descriptor: std::os::unix::io::RawFd,
        digest: Option<&Digest>,
        context: &mut Context,
    ) -> Result<()> {
        context.reused = reused;
        context.failure = None;
        let Some((api, counters)) = context.routed.as_ref().and_then(Routed::api) else {
            return Ok(());
        };
        if reused {
            counters.reused.fetch_add(1, Relaxed);
            return Ok(());
        }
        let version = digest.and_then(|digest| digest.ssl_digest.as_ref()).map(|tls| &*tls.version);
        let old = match (version, api.upstream.min_tls) {
            (None | Some("TLSv1.3"), _) | (Some("TLSv1.2"), TlsVersion::V12) => false,
            (Some(_), _) => true,
        };
        counters.connected(old.then_some(Failure::Tls));
        if old {
            context.failure = Some(Failure::Tls);
            let reason = "the API speaks no TLS version that is new enough";
            return Err(Error::explain(ErrorType::TLSHandshakeFailure, reason).into_up());
        }
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        context: &mut Context,
    ) -> Result<()> {
        let (Some(routed), Some(connection)) = (&context.routed, &context.connection) else {
            return Ok(());
        };
        let Some((api, _)) = routed.api() else { return Ok(()) };
        if !api.strip.is_empty() {
            strip(upstream, &api.strip)?;
        }
        let head = session.req_header();
        let host = match head.headers.get(header::HOST) {
            Some(host) => Some(host.clone()),
            None => authority(head).and_then(|authority| HeaderValue::from_bytes(authority).ok()),
        };
        routed.forwarding.apply(upstream, &connection.origin, host.as_ref(), head.version)?;
        if let HostPolicy::Fixed(host) = &api.upstream.host {
            upstream.insert_header(header::HOST, host.clone())?;
        }
        if session.is_http2() && upstream.version != Version::HTTP_2 {
            join_cookies(upstream)?;
        }
        context.sent_ns = self.now_ns();
        Ok(())
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        context: &mut Context,
    ) -> Result<()> {
        self.tap(context, |tap| tap.request_chunk(body.as_ref(), end_of_stream));
        if let Some(limit) = self.limits.max_request_body {
            context.request_bytes += body.as_ref().map_or(0, |body| body.len() as u64);
            if context.request_bytes > limit.0 {
                context.failure = Some(Failure::BodyTooLarge);
                return Err(Error::new(ErrorType::HTTPStatus(413)).into_down());
            }
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        let status = head.status.as_u16();
        if head.status.is_informational() && status != 101 {
            self.tap(context, |tap| tap.interim(status));
            return Ok(());
        }
        context.responded = true;
        context.upgraded = status == 101;
        let (now_ns, upgraded) = (self.now_ns(), context.upgraded);
        let version = protocol(head.version);
        self.tap(context, |tap| {
            tap.response_head(head, now_ns, version);
            if upgraded {
                tap.tunnel(now_ns);
            }
        });
        if let Some(seconds) = keep_alive_seconds(head)
            && let Some((api, _)) = context.routed.as_ref().and_then(Routed::api)
        {
            api.upstream.keeps_idle_for(seconds);
        }
        remove_hop_by_hop(head);
        if upgraded {
            // A tunnel may be silent for as long as both sides like.
            session.set_read_timeout(None);
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        _context: &mut Context,
    ) -> Result<()> {
        if session.req_header().version < Version::HTTP_11 {
            // Chunks would be part of the body for such a client: it is ended by closing instead.
            head.remove_header(&header::TRANSFER_ENCODING);
            head.set_version(Version::HTTP_10);
            if !head.headers.contains_key(header::CONTENT_LENGTH) {
                session.set_keepalive(None);
            }
        }
        if self.draining.load(Relaxed) {
            session.set_keepalive(None);
        }
        Ok(())
    }

    fn upstream_response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        context: &mut Context,
    ) -> Result<Option<Duration>> {
        if end_of_stream {
            context.received_ns = self.now_ns();
        }
        if let Some(chunk) = body {
            self.tap(context, |tap| tap.response_chunk(chunk, || self.now_ns()));
        }
        Ok(None)
    }

    fn upstream_response_trailer_filter(
        &self,
        _session: &mut Session,
        trailers: &mut HeaderMap,
        context: &mut Context,
    ) -> Result<()> {
        self.tap(context, |tap| tap.trailers(trailers));
        Ok(())
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        context: &mut Context,
        client_reused: bool,
    ) -> Box<Error> {
        error.retry.decide_reuse(client_reused);
        let retry = Self::may_retry(session, context, &error, client_reused);
        error.set_retry(retry);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut Context,
    ) -> FailToProxy {
        let Some(failure) = context.failure.or_else(|| Failure::of(error)) else {
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        };
        context.failure = Some(failure);
        if matches!(failure, Failure::BodyStalled | Failure::BodyTooLarge | Failure::BadRequest) {
            session.set_keepalive(None);
        }
        let answered = failure.answer(session, context.client == Client::Grpc).await;
        let answered = answered.unwrap_or(false);
        if answered && let Some((_, counters)) = context.routed.as_ref().and_then(Routed::api) {
            counters.answered(failure);
        }
        let can_reuse_downstream = answered && session.is_body_done();
        FailToProxy { error_code: failure.status(), can_reuse_downstream }
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, context: &mut Context) {
        self.finish(session, error, context);
    }

    fn request_summary(&self, session: &Session, context: &Context) -> String {
        let api = context.routed.as_ref().and_then(Routed::api);
        let name = api.map_or("no API", |(api, _)| &*api.name);
        format!("{} of {name}", session.req_header().method)
    }

    fn suppress_error_log(&self, _session: &Session, _context: &Context, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _context: &Context,
        _error: &Error,
        _why: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}

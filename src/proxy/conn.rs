//! A client's connection, wrapped: what pingora leaves open on it is closed here (`spec/proxy.md` 2).
//!
//! Owns five jobs: telling HTTP/2 from HTTP/1 without waiting for bytes that never come; deadlines for the head, between
//! exchanges and for stalled writes; flushing before waiting, so that a slow small body is not held back; counting; and the
//! state that the hooks find through the connection's digest. Refuses to own HTTP: not a byte is changed.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora::http::ResponseHeader;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::forward::Origin;
use super::metrics::{Counters, TimedOut};
use crate::runtime::clock::Clock;

/// How an HTTP/2 client with prior knowledge begins (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// So many bytes tell HTTP/2 from every HTTP/1 method.
const TELLING: usize = 3;

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const EXCHANGE: u8 = 2;
/// HTTP/2: pingora has its own idle deadline for it.
const MULTIPLEXED: u8 = 3;

/// How long a connection may take for what, and by which clock.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) clock: Clock,
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) write: Duration,
    /// Whether HTTP/2 without TLS is answered.
    pub(super) h2c: bool,
}

/// What hooks may know of a connection, and tell it.
#[derive(Debug)]
pub(super) struct Connection {
    /// Index of the listener.
    pub(super) listener: usize,
    pub(super) listener_name: Arc<str>,
    pub(super) origin: Origin,
    /// Queue that captures of this connection go to.
    pub(super) worker: u16,
    phase: AtomicU8,
    /// When the phase began; 0 while nobody needed to know.
    since_ns: AtomicU64,
}

impl Connection {
    pub(super) fn new(
        listener: usize,
        listener_name: Arc<str>,
        origin: Origin,
        worker: u16,
        now_ns: u64,
    ) -> Self {
        let since_ns = AtomicU64::new(now_ns);
        Self { listener, listener_name, origin, worker, phase: AtomicU8::new(IDLE), since_ns }
    }

    /// A request head is complete.
    pub(super) fn begin(&self) {
        if self.phase.load(Relaxed) != MULTIPLEXED {
            self.phase.store(EXCHANGE, Relaxed);
        }
    }

    /// The exchange is over; the next one may take its time from here.
    pub(super) fn end(&self, now_ns: u64) {
        if self.phase.load(Relaxed) != MULTIPLEXED {
            self.since_ns.store(now_ns, Relaxed);
            self.phase.store(IDLE, Relaxed);
        }
    }
}

/// Takes one off the count of a listener's connections when dropped.
pub(super) struct Open {
    counters: Arc<Counters>,
    listener: usize,
}

impl Open {
    pub(super) fn new(counters: &Arc<Counters>, listener: usize) -> Self {
        if let Some((_, open)) = counters.connections.get(listener) {
            open.fetch_add(1, Relaxed);
        }
        Self { counters: Arc::clone(counters), listener }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some((_, open)) = self.counters.connections.get(self.listener) {
            open.fetch_sub(1, Relaxed);
        }
    }
}

/// The wrapped stream.
pub(super) struct Conn {
    inner: Stream,
    connection: Arc<Connection>,
    digest: Arc<ProxyDigest>,
    open: Open,
    rules: Rules,
    /// Bytes that the sniff took off the stream.
    prefix: Prefix,
    writes: Writes,
    timer: Timer,
    timed_out: bool,
}

#[derive(Default)]
struct Writes {
    /// Written and not yet flushed.
    dirty: bool,
    /// The client sent more than the exchange: pingora reads no further, so nobody would flush while it waits.
    ahead: bool,
    /// Since when the client takes nothing; 0 while it does.
    stalled_ns: u64,
}

#[derive(Default)]
struct Prefix {
    bytes: [u8; PREFACE.len()],
    filled: usize,
    taken: usize,
}

impl Conn {
    pub(super) fn new(inner: Stream, connection: Connection, open: Open, rules: Rules) -> Self {
        if matches!(inner.selected_alpn_proto(), Some(ALPN::H2)) {
            connection.phase.store(MULTIPLEXED, Relaxed);
        }
        let connection = Arc::new(connection);
        let shared: Arc<Connection> = Arc::clone(&connection);
        // The digest's user data is the one slot that pingora offers for the state of a connection.
        let head = ResponseHeader::build(200, Some(0)).expect("200 is a status");
        let digest = ProxyDigest { response: Box::new(head), user_data: Some(Box::new(shared)) };
        Self {
            inner,
            connection,
            digest: Arc::new(digest),
            open,
            rules,
            prefix: Prefix::default(),
            writes: Writes::default(),
            timer: Timer::default(),
            timed_out: false,
        }
    }

    /// Reads from prefix or stream and keeps the phase.
    fn read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.taken < self.prefix.filled {
            let rest = self.prefix.bytes.get(self.prefix.taken..self.prefix.filled);
            let rest = rest.unwrap_or_default();
            let length = rest.len().min(buffer.remaining());
            buffer.put_slice(rest.get(..length).unwrap_or_default());
            self.prefix.taken += length;
            return Poll::Ready(Ok(()));
        }
        self.fill(context, buffer)
    }

    /// Reads from the stream. Before it waits, what was written is flushed and the deadlines are looked at.
    fn fill(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let probe = buffer.remaining() == 1;
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Pending => {
                if self.writes.dirty && self.poll_flush_inner(context)?.is_ready() {
                    self.writes.dirty = false;
                }
                self.check_read(context)
            }
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() > before {
                    self.arrived(probe);
                }
                Poll::Ready(Ok(()))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }

    fn arrived(&mut self, probe: bool) {
        match self.connection.phase.load(Relaxed) {
            IDLE => {
                self.writes.ahead = false;
                self.connection.since_ns.store(0, Relaxed);
                self.connection.phase.store(HEAD, Relaxed);
            }
            // pingora asks for one byte only to see whether the client is still there. It will not ask again.
            EXCHANGE if probe => self.writes.ahead = true,
            _ => {}
        }
    }

    fn poll_flush_inner(&mut self, context: &mut Context<'_>) -> io::Result<Poll<()>> {
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Ready(Ok(())) => Ok(Poll::Ready(())),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn check_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (limit, phase) = match self.connection.phase.load(Relaxed) {
            IDLE => (self.rules.idle, TimedOut::Idle),
            HEAD => (self.rules.head, TimedOut::Head),
            _ => return Poll::Pending,
        };
        let mut since_ns = self.connection.since_ns.load(Relaxed);
        if since_ns == 0 {
            since_ns = self.rules.clock.monotonic_ns();
            self.connection.since_ns.store(since_ns, Relaxed);
        }
        self.wait(context, since_ns, limit, phase)
    }

    fn check_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.writes.stalled_ns == 0 {
            self.writes.stalled_ns = self.rules.clock.monotonic_ns();
        }
        self.wait(context, self.writes.stalled_ns, self.rules.write, TimedOut::Write)
    }

    /// Pending until the deadline, then an error.
    fn wait(
        &mut self,
        context: &mut Context<'_>,
        since_ns: u64,
        limit: Duration,
        phase: TimedOut,
    ) -> Poll<io::Result<()>> {
        let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let deadline_ns = since_ns.saturating_add(limit_ns);
        ready!(self.timer.poll(context, deadline_ns, &self.rules.clock));
        self.timed_out = true;
        self.open.counters.time_out(phase);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// What became of a write, once the inner stream has answered.
    fn wrote<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => match self.check_write(context) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Pending,
            },
            done @ Poll::Ready(_) => {
                self.writes.stalled_ns = 0;
                done
            }
        }
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read(context, buffer)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.writes.dirty |= result.is_ready();
        if self.writes.ahead && result.is_ready() && self.poll_flush_inner(context)?.is_ready() {
            self.writes.dirty = false;
        }
        self.wrote(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.writes.dirty |= result.is_ready();
        self.wrote(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(context);
        if matches!(result, Poll::Ready(Ok(()))) {
            self.writes.dirty = false;
        }
        self.wrote(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(context);
        self.wrote(context, result)
    }
}

#[async_trait]
impl Peek for Conn {
    /// Shows the client's preface if it is one, else zeros, which pingora takes as HTTP/1. It waits for three bytes and for
    /// the others only when those begin a preface: an 18-byte request would wait for ever otherwise.
    async fn try_peek(&mut self, shown: &mut [u8]) -> io::Result<bool> {
        shown.fill(0);
        if !self.rules.h2c || shown.len() != PREFACE.len() {
            return Ok(true);
        }
        let mut wanted = TELLING;
        while self.prefix.filled < wanted {
            let mut bytes = std::mem::take(&mut self.prefix.bytes);
            let mut buffer = ReadBuf::new(&mut bytes);
            buffer.set_filled(self.prefix.filled);
            let read = std::future::poll_fn(|context| self.fill(context, &mut buffer)).await;
            let filled = buffer.filled().len();
            let ended = filled == self.prefix.filled;
            self.prefix.bytes = bytes;
            self.prefix.filled = filled;
            read?;
            if ended {
                return if filled == 0 {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(true)
                };
            }
            if PREFACE.starts_with(self.prefix.bytes.get(..filled).unwrap_or_default()) {
                wanted = PREFACE.len();
            }
        }
        if self.prefix.bytes == *PREFACE {
            shown.copy_from_slice(PREFACE);
            self.connection.phase.store(MULTIPLEXED, Relaxed);
        }
        Ok(true)
    }
}

#[async_trait]
impl Shutdown for Conn {
    async fn shutdown(&mut self) {
        // The client may be gone; then there is nothing to shut.
        drop(AsyncWriteExt::shutdown(self).await);
    }
}

impl UniqueID for Conn {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Conn {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Conn {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Conn {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl GetSocketDigest for Conn {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.connection.phase.load(Relaxed) == HEAD && !self.timed_out {
            self.open.counters.heads_rejected.fetch_add(1, Relaxed);
        }
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Conn").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// One timer for a connection. It is moved only to an earlier time; when it rings too early it is set anew. So an exchange
/// costs no timer at all.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    rings_ns: u64,
    waker: Option<Waker>,
}

impl Timer {
    /// Ready when the clock has passed `deadline_ns`.
    fn poll(&mut self, context: &mut Context<'_>, deadline_ns: u64, clock: &Clock) -> Poll<()> {
        let armed = self.sleep.is_some() && self.rings_ns <= deadline_ns;
        let known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if armed && known && !self.sleep.as_ref().is_some_and(|sleep| sleep.is_elapsed()) {
            return Poll::Pending;
        }
        let now_ns = clock.monotonic_ns();
        if now_ns >= deadline_ns {
            return Poll::Ready(());
        }
        if !armed || self.rings_ns <= now_ns {
            self.arm(now_ns, deadline_ns);
        }
        self.waker = Some(context.waker().clone());
        // A timer that rang between the two looks at the time wakes the caller at once.
        let rang = self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(context).is_ready());
        if rang {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn arm(&mut self, now_ns: u64, deadline_ns: u64) {
        let at = Instant::now() + Duration::from_nanos(deadline_ns.saturating_sub(now_ns));
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(at))),
        }
        self.rings_ns = deadline_ns;
    }
}

//! Connections of the admin listener, each within limits that `axum::serve` does not have.
//!
//! Owns accepting, the bounds of a connection (number, head size, slow head, idle, a reader that stalls) and the graceful
//! end. Refuses to own routes: it hands each request to a function.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;

use super::listen::{Listener, Stream};
use super::metrics::Counters;
use super::options::Limits;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::{Guard, Watch};
use crate::runtime::supervise::{self, Panics};
use crate::telemetry::signals::admin as signals;

/// Answers one request; `IpAddr` is where it came from, none on a Unix socket.
pub(super) type Answer = Arc<
    dyn Fn(
            Request<Incoming>,
            Option<IpAddr>,
        ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
        + Send
        + Sync,
>;

/// What a listener needs besides its socket.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) panics: Panics,
    pub(super) counters: Counters,
    pub(super) answer: Answer,
}

/// Accepts until the stage begins, then lets open connections finish their answer. `guard` is dropped with the last one.
pub(super) async fn accept(listener: Listener, setting: Setting, mut stop: Watch, guard: Guard) {
    let guard = Arc::new(guard);
    let slots = Arc::new(Semaphore::new(setting.limits.connections));
    loop {
        let accepted = tokio::select! {
            () = stop.begun() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or the peer was gone already: neither may end the listener or make it spin.
                signals::AcceptFailed { error: &error }.tell();
                setting.clock.sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            setting.counters.limit_hit("connections");
            signals::ConnectionRefused { limit: setting.limits.connections }.tell();
            continue;
        };
        let (setting, stop, guard) = (setting.clone(), stop.clone(), Arc::clone(&guard));
        supervise::task("admin-connection", &setting.panics.clone(), async move {
            connection(stream, from, &setting, stop).await;
            drop((slot, guard));
        });
    }
}

/// Serves one connection until it ends, stalls or is told to finish.
async fn connection(stream: Stream, from: Option<IpAddr>, setting: &Setting, mut stop: Watch) {
    let pace = Arc::new(Pace::new(setting.clock.clone()));
    let service = {
        let (pace, answer) = (Arc::clone(&pace), Arc::clone(&setting.answer));
        service_fn(move |request| {
            pace.head_done();
            let (pace, response) = (Arc::clone(&pace), answer(request, from));
            async move {
                let response = response.await;
                pace.answered();
                Ok::<_, Infallible>(response)
            }
        })
    };
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(setting.limits.idle.0)
        .max_buf_size(setting.limits.head.as_len())
        .serve_connection(TokioIo::new(Paced { stream, pace: Arc::clone(&pace) }), service);
    let mut serving = std::pin::pin!(serving);
    let stalled = async {
        let tick = setting.limits.head_time.0.min(setting.limits.answer_time.0) / 8;
        while !pace.is_stalled(&setting.limits) {
            setting.clock.sleep(tick).await;
        }
    };
    let mut stalled = std::pin::pin!(stalled);
    let mut ending = false;
    loop {
        tokio::select! {
            // A broken connection is the client's affair.
            _ = serving.as_mut() => return,
            () = stalled.as_mut() => return signals::ConnectionStalled.tell(),
            () = stop.begun(), if !ending => {
                ending = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Since when a connection waits for the rest of a head, or for its client to take bytes: monotonic nanoseconds plus one, or
/// 0 while it does not wait. hyper has one time-out for idleness and slow heads together, and none for slow readers.
struct Pace {
    clock: Clock,
    answering: AtomicBool,
    head_since: AtomicU64,
    write_since: AtomicU64,
}

impl Pace {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            answering: AtomicBool::new(false),
            head_since: AtomicU64::new(0),
            write_since: AtomicU64::new(0),
        }
    }

    /// Bytes came: outside an answer they begin a head.
    fn read(&self) {
        if !self.answering.load(Ordering::Acquire) {
            self.begin(&self.head_since);
        }
    }

    fn head_done(&self) {
        self.answering.store(true, Ordering::Release);
        self.head_since.store(0, Ordering::Release);
    }

    fn answered(&self) {
        self.answering.store(false, Ordering::Release);
    }

    fn wrote(&self, blocked: bool) {
        if blocked {
            self.begin(&self.write_since);
        } else {
            self.write_since.store(0, Ordering::Release);
        }
    }

    fn begin(&self, since: &AtomicU64) {
        let now = self.clock.monotonic_ns() + 1;
        // An earlier beginning is the one to keep.
        if since.load(Ordering::Acquire) == 0 {
            since.store(now, Ordering::Release);
        }
    }

    fn is_stalled(&self, limits: &Limits) -> bool {
        let now = self.clock.monotonic_ns();
        let longer = |since: &AtomicU64, limit: Duration| {
            let since = since.load(Ordering::Acquire);
            since != 0 && u128::from(now.saturating_sub(since)) > limit.as_nanos()
        };
        longer(&self.head_since, limits.head_time.0)
            || longer(&self.write_since, limits.answer_time.0)
    }
}

/// A stream that tells its pace.
struct Paced {
    stream: Stream,
    pace: Arc<Pace>,
}

impl AsyncRead for Paced {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.pace.read();
        }
        polled
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.pace.wrote(polled.is_pending());
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

//! Scripted peers: a client and an origin that send and read bytes by hand, and a data plane between them.
//!
//! Owns deadlines: whatever a peer waits for, it waits 10 s at most and then fails.

#![expect(clippy::disallowed_methods, reason = "peers are plain threads with blocking sockets")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::capture::{self, Intake};
use crate::model::api::Scope;
use crate::model::capture::Capture;
use crate::model::units::Span;
use crate::proxy::options::{DataPlane, Limits, Listener, Shutdown as ShutdownOptions, Upstream};
use crate::proxy::{ApiRoute, Error, Handle, Start, View};
use crate::runtime::clock::Clock;
use crate::runtime::supervise::Panics;
use crate::telemetry::Metrics;

pub(super) const DEADLINE: Duration = Duration::from_mins(1);

/// One end of a connection.
pub(super) struct Peer(pub(super) TcpStream);

impl Peer {
    pub(super) fn connect(address: &str) -> Self {
        Self::new(TcpStream::connect(address).expect("connected"))
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream.set_nodelay(true).expect("no delay");
        Self(stream)
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("sent");
    }

    /// Sends what may be refused: the other side may have closed.
    pub(super) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// Reads up to and with the empty line; nothing when the other side closes before.
    pub(super) fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(0) => return None,
                Ok(_) => head.push(byte[0]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no head: {error}; got {:?}", String::from_utf8_lossy(&head)),
            }
        }
        Some(String::from_utf8(head).expect("a text"))
    }

    pub(super) fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).expect("enough bytes");
        bytes
    }

    /// Everything until the other side closes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => bytes,
            Err(error) => {
                let start = bytes.get(..500).unwrap_or(&bytes);
                panic!("not closed: {error}; got {:?}", String::from_utf8_lossy(start))
            }
        }
    }

    /// Asserts that nothing comes and nobody closes for so long.
    pub(super) fn silent_for(&mut self, duration: Duration) {
        self.0.set_read_timeout(Some(duration)).expect("a deadline");
        let mut byte = [0];
        let read = self.0.read(&mut byte);
        let waits = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        };
        assert!(read.as_ref().is_err_and(waits), "not silent: {read:?} {byte:?}");
        self.0.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    }

    pub(super) fn close_write(&mut self) {
        self.0.shutdown(Shutdown::Write).expect("half closed");
    }

    /// A response with its body by `Content-Length`: head and body.
    pub(super) fn response(&mut self) -> (String, String) {
        let head = self.head().expect("a response head");
        let length =
            field(&head, "content-length").map_or(0, |text| text.parse().expect("a length"));
        let body = self.exactly(length);
        (head, String::from_utf8(body).expect("a text"))
    }
}

/// The value of the first line of a field.
pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// An API made of a script for each of its connections.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
}

impl Origin {
    /// Runs `script` on a thread for each connection. A script that panics shows in the peer that gets no answer.
    pub(super) fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(script);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let script = Arc::clone(&script);
                std::thread::spawn(move || script(Peer::new(stream)));
            }
        });
        Self { address }
    }

    /// Answers every request on a connection with the same bytes; bodies with a length are read.
    pub(super) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |mut peer| {
            while let Some(head) = peer.head() {
                let length = field(&head, "content-length").map_or(0, |text| text.parse().unwrap());
                peer.exactly(length);
                if !peer.try_send(&answer) {
                    return;
                }
            }
        })
    }

    /// Answers with the request head as the body.
    pub(super) fn echoing_heads() -> Self {
        Self::start(|mut peer| {
            while let Some(head) = peer.head() {
                let length = field(&head, "content-length").map_or(0, |text| text.parse().unwrap());
                let body = String::from_utf8(peer.exactly(length)).expect("a text");
                let echo = format!("{head}{body}");
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{echo}", echo.len());
                if !peer.try_send(answer) {
                    return;
                }
            }
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What a data plane under test is made of.
pub(super) struct Setup {
    pub(super) listeners: Vec<Listener>,
    pub(super) apis: Vec<ApiRoute>,
    pub(super) limits: Limits,
    pub(super) capture: capture::Options,
}

impl Setup {
    /// One cleartext listener and one API for everything.
    pub(super) fn to(upstream: impl Into<String>) -> Self {
        Self {
            listeners: vec![Listener { name: "test".into(), ..Listener::at("127.0.0.1:0") }],
            apis: vec![api("api", "/", Upstream::at(upstream))],
            limits: Limits::default(),
            capture: capture::Options::default(),
        }
    }

    pub(super) fn start(self) -> Rig {
        self.try_start().expect("started")
    }

    pub(super) fn try_start(self) -> Result<Rig, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let clock = Clock::real();
        let (capture, intake) = capture::channel(&self.capture, 1, &clock);
        let view =
            View::build(&self.listeners, &self.apis).unwrap_or_else(|found| panic!("{found}"));
        let metrics = Metrics::default();
        let start = Start {
            listeners: self.listeners.clone(),
            view,
            limits: self.limits,
            data_plane: DataPlane::default(),
            // Longer than any test. A data thread that ended would poison the next one with its number: pingora keeps
            // the runtime of a thread under the number of the thread, and numbers are used again. So data threads of
            // tests are left running.
            shutdown: ShutdownOptions { pre_stop: Span::seconds(0), drain: Span::seconds(3_600) },
            capture: capture.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            panics: Panics::default(),
        };
        let handle = runtime.block_on(crate::proxy::start(start))?;
        let listeners = self.listeners;
        Ok(Rig { runtime, handle, capture, intake: Some(intake), metrics, clock, listeners })
    }
}

pub(super) fn api(name: &str, prefix: &str, upstream: Upstream) -> ApiRoute {
    ApiRoute {
        name: name.into(),
        scope: Scope { hosts: Vec::new(), path_prefix: prefix.into() },
        strip_prefix: false,
        listeners: Vec::new(),
        forward: None,
        upstream,
        capture: capture::Mode::All,
    }
}

/// A running data plane.
pub(super) struct Rig {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) handle: Handle,
    pub(super) capture: capture::Handle,
    pub(super) intake: Option<Intake>,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    pub(super) listeners: Vec<Listener>,
}

impl Rig {
    pub(super) fn address(&self) -> &str {
        &self.handle.addresses()[0].address
    }

    pub(super) fn client(&self) -> Peer {
        Peer::connect(self.address())
    }

    /// Sends a request on a connection of its own and reads the answer.
    pub(super) fn ask(&self, request: &str) -> (String, String) {
        let mut client = self.client();
        client.send(request);
        client.response()
    }

    /// Waits until so many captures have come, and gives them all.
    #[expect(clippy::vec_box, reason = "as the intake gives them")]
    pub(super) fn captures(&mut self, count: usize) -> Vec<Box<Capture>> {
        let intake = self.intake.as_mut().expect("an intake");
        let (mut all, mut batch) = (Vec::new(), Vec::new());
        eventually("captures", || {
            intake.next_batch(&mut batch);
            all.append(&mut batch);
            all.len() >= count
        });
        all
    }

    /// A line of the metrics text that begins so, its value.
    pub(super) fn metric(&self, line: &str) -> f64 {
        let text = self.metrics.text();
        let found =
            text.lines().find_map(|known| known.strip_prefix(&format!("driftgate_{line} ")));
        found.map_or(0.0, |value| value.parse().expect("a number"))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The last handle would stop the data plane, and its thread's number would be used again: see `try_start`.
        std::mem::forget(self.handle.clone());
    }
}

/// Waits for a state.
pub(super) fn eventually(what: &str, mut state: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !state() {
        assert!(Instant::now() < until, "not within {DEADLINE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Runs a script beside the test.
pub(super) fn detached<T: Send + 'static>(
    script: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::spawn(script)
}

/// An address where nobody listens and, for as long as the tests run, nobody will.
pub(super) fn dead_address() -> SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("bound");
    let address = socket.local_addr().expect("an address");
    std::mem::forget(socket);
    address
}

//! Starts the data plane, swaps its view, and ends it (`spec/proxy.md` 1, 12).
//!
//! Owns pingora's server on a plain thread and everything the rest of the process may know of it. Refuses to own signals:
//! `app` decides when to drain and for how long to wait.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use parking_lot::Mutex;
use pingora::apps::HttpServerOptions;
use pingora::listeners::{L4BufferSettings, ListenerConfig};
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{
    ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch,
};
use pingora::services::listening::Service;
use tokio::sync::watch;

use super::conn::Rules;
use super::error::Error;
use super::front::Front;
use super::hooks::Plane;
use super::listen::{Bound, Socket};
use super::metrics::{Counters, Scrape};
use super::options::{DataPlane, Limits, Listener, Shutdown};
use super::view::{Live, View};
use super::{resolve, tls};
use crate::capture;
use crate::runtime::clock::Clock;
use crate::runtime::supervise::{self, Panics};
use crate::telemetry::Metrics;
use crate::telemetry::signals::proxy::{Listening, PlaneEnded};

/// Head and body of an answer leave in one write; `Conn` sees to it that nothing waits in the buffer.
const WRITE_BUFFER: usize = 16 * 1024;
const READ_BUFFER: usize = 16 * 1024;
/// Name of the data threads, as the operating system shows it.
const THREAD: &str = "dg-data";
const HEARTBEAT: Duration = Duration::from_secs(1);
const START_WITHIN: Duration = Duration::from_secs(3);
/// pingora counts attempts too; ours are fewer.
const ATTEMPTS_MAX: usize = 255;

/// What the data plane is made of.
pub struct Start {
    pub listeners: Vec<Listener>,
    /// Built from the same listeners.
    pub view: View,
    pub limits: Limits,
    pub data_plane: DataPlane,
    pub shutdown: Shutdown,
    pub capture: capture::Handle,
    pub metrics: Metrics,
    pub clock: Clock,
    pub panics: Panics,
}

/// The address that a listener really has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub listener: Arc<str>,
    /// `IP:port`, or the path of a Unix socket.
    pub address: String,
    pub tls: bool,
}

/// How to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Run,
    Drain,
    Stop,
}

/// Reaches the running data plane. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Running>);

struct Running {
    live: Arc<ArcSwap<Live>>,
    counters: Arc<Counters>,
    addresses: Vec<Address>,
    configured: Vec<String>,
    draining: Arc<AtomicBool>,
    order: watch::Sender<Order>,
    hearts: Arc<Hearts>,
    clock: Clock,
    ended: Arc<AtomicBool>,
}

/// When each data thread last showed that it runs.
struct Hearts {
    beats_ns: Vec<AtomicU64>,
    claimed: Mutex<Vec<std::thread::ThreadId>>,
}

/// Binds the listeners, looks upstream names up, and serves. Must be awaited on the control runtime, which also runs the
/// look-ups from then on.
///
/// # Errors
/// When a listener cannot be bound, TLS cannot be set up, or the threads do not come to life. Nothing is left running then.
pub async fn start(start: Start) -> Result<Handle, Error> {
    let sockets: Vec<Socket> =
        start.listeners.iter().map(Socket::bind).collect::<Result<_, _>>()?;
    let bound: Vec<Arc<Bound>> = sockets.iter().map(|socket| Arc::clone(&socket.bound)).collect();
    let names = bound.iter().map(|bound| Arc::clone(&bound.name)).collect();
    let counters = Arc::new(Counters::new(names, start.capture.clone(), start.clock.clone()));
    start.metrics.collect(Box::new(Scrape(Arc::clone(&counters))));
    resolve::first(&start.view, &start.clock).await;
    let configured = start.view.addresses().map(str::to_owned).collect();
    let live = Arc::new(ArcSwap::from_pointee(activate(start.view, 1, &counters)));
    let draining = Arc::new(AtomicBool::new(false));
    let order = watch::Sender::new(Order::Run);
    let hearts = Arc::new(Hearts::new(start.data_plane.threads.max(1)));
    let addresses = addresses(&start.listeners, &bound);
    let workers = start.capture.workers();
    let plane = Plane {
        live: Arc::clone(&live),
        limits: start.limits,
        capture: start.capture,
        counters: Arc::clone(&counters),
        clock: start.clock.clone(),
        draining: Arc::clone(&draining),
    };
    let conf = || configuration(&start.data_plane, &start.shutdown);
    let mut service = Service::new(THREAD.to_owned(), front(plane, bound, workers, conf()));
    for (index, (listener, address)) in start.listeners.iter().zip(&addresses).enumerate() {
        service.add_listener(endpoint(listener, &address.address, &live, index)?);
    }
    let plane =
        DataService { service, sockets, hearts: Arc::clone(&hearts), clock: start.clock.clone() };
    let ended = serve(plane, conf(), order.subscribe(), &start.panics)?;
    let lookups = resolve::forever(Arc::clone(&live), start.clock.clone());
    drop(supervise::task("proxy-resolve", &start.panics, lookups));
    let clock = start.clock;
    let running =
        Running { live, counters, addresses, configured, draining, order, hearts, clock, ended };
    let handle = Handle(Arc::new(running));
    handle.alive().await?;
    for address in handle.addresses() {
        Listening { listener: &address.listener, address: &address.address }.tell();
    }
    Ok(handle)
}

fn activate(view: View, generation: u64, counters: &Counters) -> Live {
    counters.generation.store(generation, Relaxed);
    let counters = view.apis().iter().map(|api| counters.api(&api.name)).collect();
    Live { view, generation, counters }
}

fn addresses(listeners: &[Listener], bound: &[Arc<Bound>]) -> Vec<Address> {
    let pairs = listeners.iter().zip(bound);
    pairs
        .map(|(listener, bound)| Address {
            listener: Arc::clone(&bound.name),
            address: bound.place.key(),
            tls: listener.tls.is_some(),
        })
        .collect()
}

fn configuration(data_plane: &DataPlane, shutdown: &Shutdown) -> ServerConf {
    ServerConf {
        threads: data_plane.threads.max(1),
        work_stealing: false,
        max_retries: ATTEMPTS_MAX,
        grace_period_seconds: Some(shutdown.drain.0.as_secs()),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    }
}

fn front(plane: Plane, listeners: Vec<Arc<Bound>>, workers: usize, conf: ServerConf) -> Front {
    let limits = plane.limits.clone();
    let (counters, clock) = (Arc::clone(&plane.counters), plane.clock.clone());
    let mut proxy = http_proxy(&Arc::new(conf), plane);
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    // pingora counts how often a connection is used again.
    options.keepalive_request_limit =
        limits.requests_per_connection.map(|requests| requests.saturating_sub(1));
    options.h2_idle_timeout = Some(limits.idle_timeout.0);
    proxy.server_options = Some(options);
    // Options made from scratch would lose the limits on header lists and streams.
    proxy.h2_options = Some(default_h2_options());
    Front {
        proxy: Arc::new(proxy),
        listeners,
        counters,
        rules: Rules {
            clock,
            head: limits.head_timeout.0,
            idle: limits.idle_timeout.0,
            write: limits.write_stall.0,
            h2c: true,
        },
        connections_max: limits.connections as u64,
        workers: workers as u64,
        accepted: AtomicU64::new(0),
    }
}

fn endpoint(
    listener: &Listener,
    address: &str,
    live: &Arc<ArcSwap<Live>>,
    index: usize,
) -> Result<ListenerConfig, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let buffers = L4BufferSettings::new(READ_BUFFER, WRITE_BUFFER);
    if listener.address.starts_with("unix:") {
        let mode = u32::from_str_radix(&listener.mode, 8).unwrap_or(0o600);
        let permissions = std::fs::Permissions::from_mode(mode);
        return Ok(ListenerConfig::uds(address).permissions(permissions).l4_buffer(buffers));
    }
    let endpoint = ListenerConfig::tcp(address).l4_buffer(buffers);
    match &listener.tls {
        Some(options) => Ok(endpoint.tls(tls::server(listener, options, live, index)?)),
        None => Ok(endpoint),
    }
}

/// Runs pingora's server on a thread of its own; the flag tells when it has ended.
fn serve(
    plane: DataService,
    conf: ServerConf,
    order: watch::Receiver<Order>,
    panics: &Panics,
) -> Result<Arc<AtomicBool>, Error> {
    let ended = Arc::new(AtomicBool::new(false));
    let (told, asked) = (Arc::clone(&ended), order.clone());
    let work = move || {
        let mut server = Server::new_with_opt_and_conf(None, conf);
        server.add_service(plane);
        server.run(RunArgs { shutdown_signal: Box::new(Orders(order)) });
        told.store(true, Release);
        if *asked.borrow() == Order::Run {
            PlaneEnded.tell();
        }
    };
    supervise::thread("dg-serve", panics, work).map_err(Error::Threads)?;
    Ok(ended)
}

/// Hands our orders to pingora.
struct Orders(watch::Receiver<Order>);

#[async_trait]
impl ShutdownSignalWatch for Orders {
    async fn recv(&self) -> ShutdownSignal {
        let mut order = self.0.clone();
        let order = order.wait_for(|order| *order != Order::Run).await.map(|order| *order);
        match order {
            Ok(Order::Drain) => ShutdownSignal::GracefulTerminate,
            // Nobody is left who could ask for anything.
            _ => ShutdownSignal::FastShutdown,
        }
    }
}

/// pingora's service, preceded by handing over the sockets we bound.
struct DataService {
    service: Service<Front>,
    sockets: Vec<Socket>,
    hearts: Arc<Hearts>,
    clock: Clock,
}

#[async_trait]
impl pingora::services::Service for DataService {
    async fn start_service(
        &mut self,
        descriptors: Option<ListenFds>,
        shutdown: ShutdownWatch,
        listeners_per_descriptor: usize,
    ) {
        if let Some(table) = &descriptors {
            for socket in self.sockets.drain(..) {
                socket.hand_over(table);
            }
        }
        Hearts::start(&self.hearts, &self.clock);
        self.service.start_service(descriptors, shutdown, listeners_per_descriptor).await;
    }

    fn name(&self) -> &str {
        THREAD
    }
}

impl Hearts {
    fn new(threads: usize) -> Self {
        Self {
            beats_ns: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            claimed: Mutex::default(),
        }
    }

    /// Lets a heart beat on every data thread. pingora spawns on a random one of them, so more hearts than threads are
    /// started and those on a thread that has one stop at once.
    fn start(hearts: &Arc<Self>, clock: &Clock) {
        for _ in 0..hearts.beats_ns.len() * 16 {
            let (hearts, clock) = (Arc::clone(hearts), clock.clone());
            let beat = async move {
                let Some(place) = hearts.claim() else { return };
                while let Some(beat_ns) = hearts.beats_ns.get(place) {
                    beat_ns.store(clock.monotonic_ns(), Relaxed);
                    clock.sleep(HEARTBEAT).await;
                }
            };
            drop(pingora_runtime::current_handle().spawn(beat));
        }
    }

    fn claim(&self) -> Option<usize> {
        let mut claimed = self.claimed.lock();
        let here = std::thread::current().id();
        if claimed.contains(&here) {
            return None;
        }
        claimed.push(here);
        Some(claimed.len() - 1)
    }
}

impl Handle {
    /// The real addresses, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.0.addresses
    }

    /// Exchanges that have begun and not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.counters.in_flight.load(Relaxed)
    }

    /// Open connections of clients.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.counters.open()
    }

    /// Whether it accepts exchanges and is not about to stop.
    #[must_use]
    pub fn ready(&self) -> bool {
        !self.0.draining.load(Relaxed) && !self.0.ended.load(Acquire)
    }

    /// Age of the oldest last sign of life of a data thread.
    #[must_use]
    pub fn heartbeat_age(&self) -> Duration {
        let now_ns = self.0.clock.monotonic_ns();
        let beats = self.0.hearts.beats_ns.iter().map(|beat| beat.load(Relaxed));
        let oldest = beats.filter(|beat| *beat > 0).min().unwrap_or(now_ns);
        Duration::from_nanos(now_ns.saturating_sub(oldest))
    }

    /// How often a view was loaded.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.live.load().generation
    }

    /// Looks the names of a view up, then lets it serve. Exchanges under way keep the one they began with.
    ///
    /// # Errors
    /// When its listeners are not those that run; the former view goes on.
    pub async fn reload(&self, view: View) -> Result<(), Error> {
        let running = &self.0;
        let mut addresses = view.addresses();
        for configured in &running.configured {
            if addresses.next() != Some(configured) {
                return Err(Error::ListenersChanged { listener: configured.clone() });
            }
        }
        if let Some(more) = addresses.next() {
            return Err(Error::ListenersChanged { listener: more.to_owned() });
        }
        drop(addresses);
        resolve::first(&view, &running.clock).await;
        let generation = self.generation() + 1;
        running.live.store(Arc::new(activate(view, generation, &running.counters)));
        Ok(())
    }

    /// Goes on accepting, but asks clients to go elsewhere: not ready any more, `Connection: close` on HTTP/1 answers.
    pub fn pre_stop(&self) {
        self.0.draining.store(true, Relaxed);
    }

    /// Closes listeners and idle connections; exchanges under way go on. pingora then sleeps for its whole grace period, so
    /// do not wait for it but with [`Handle::idle`].
    pub fn begin_drain(&self) {
        self.pre_stop();
        self.0.order.send_if_modified(|order| {
            let running = *order == Order::Run;
            if running {
                *order = Order::Drain;
            }
            running
        });
    }

    /// Waits until no exchange is under way; false when `deadline` passed first.
    pub async fn idle(&self, deadline: Duration) -> bool {
        let until_ns = self.0.clock.monotonic_ns()
            + u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX / 2);
        while self.in_flight() > 0 {
            if self.0.clock.monotonic_ns() >= until_ns {
                return false;
            }
            self.0.clock.sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Ends at once, whatever is under way. After [`Handle::begin_drain`] pingora no longer listens to this.
    pub fn stop(&self) {
        self.pre_stop();
        self.0.order.send_replace(Order::Stop);
    }

    /// Whether pingora's server has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.ended.load(Acquire)
    }

    /// What serves, for tests that know addresses no resolver would give.
    #[cfg(test)]
    pub(super) fn live(&self) -> Arc<Live> {
        self.0.live.load_full()
    }

    /// Waits for the first heartbeat.
    async fn alive(&self) -> Result<(), Error> {
        let clock = &self.0.clock;
        let until_ns = clock.monotonic_ns() + u64::try_from(START_WITHIN.as_nanos()).unwrap_or(0);
        let beats = || self.0.hearts.beats_ns.iter().all(|beat| beat.load(Relaxed) > 0);
        while !beats() {
            if clock.monotonic_ns() > until_ns || self.has_ended() {
                self.stop();
                let reason = std::io::Error::other("the data threads show no sign of life");
                return Err(Error::Threads(reason));
            }
            clock.sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("proxy::Handle").field(&self.0.addresses).finish()
    }
}

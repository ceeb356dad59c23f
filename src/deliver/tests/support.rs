//! A scheduler over a real store, a destination that does as it is told, receivers on raw sockets, level-triggered waits.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::bus::{self, Matcher, Matches};
use crate::deliver::service::{self, Parts, Service};
use crate::deliver::{Context, Destination, Destinations, Handle, Policy, Report, schedule};
use crate::events::Raise;
use crate::model::delivery::{Delivery, Hold, OutcomeKind};
use crate::model::event::Event;
use crate::model::id;
use crate::runtime::clock::{Clock, Hands};
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;
use crate::runtime::supervise::{self, Panics};
use crate::store::{self, AttemptRow};
use crate::telemetry::Metrics;

pub(crate) const START_MS: i64 = 1_767_323_045_678;

/// Waits until `probe` gives something, at most a minute.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut probe: impl FnMut() -> F,
) -> T {
    let clock = Clock::real();
    for _ in 0..30_000 {
        if let Some(value) = probe().await {
            return value;
        }
        clock.sleep(Duration::from_millis(2)).await;
    }
    panic!("not within a minute: {what}");
}

/// What a scripted destination does with an attempt.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Give(OutcomeKind),
    /// A status with a `Retry-After` of so many milliseconds.
    Busy(u16, i64),
    Panic,
    Refuse,
}

/// A destination that acts by a script, then by its default.
pub(crate) struct Scripted {
    pub(crate) script: Mutex<VecDeque<Act>>,
    pub(crate) default: Mutex<Act>,
    pub(crate) policy: Mutex<Policy>,
    pub(crate) calls: Mutex<Vec<Context>>,
    /// Attempts wait until this is true.
    pub(crate) open: watch::Sender<bool>,
    pub(crate) overlapping: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Scripted {
    pub(crate) fn new(default: Act) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::default(),
            default: Mutex::new(default),
            policy: Mutex::new(Policy {
                retry: schedule::Policy { jitter: 0.0, ..schedule::Policy::default() },
                concurrency: 8,
                hold: None,
            }),
            calls: Mutex::default(),
            open: watch::channel(true).0,
            overlapping: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        })
    }

    pub(crate) fn then(self: Arc<Self>, acts: &[Act]) -> Arc<Self> {
        self.script.lock().extend(acts.iter().cloned());
        self
    }

    pub(crate) fn hold(&self, hold: Option<Hold>) {
        self.policy.lock().hold = hold;
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.lock().len()
    }
}

#[async_trait]
impl Destination for Scripted {
    fn policy(&self) -> Policy {
        self.policy.lock().clone()
    }

    async fn attempt(&self, context: Context) -> Report {
        let at_once = self.overlapping.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        self.calls.lock().push(context);
        let act = self.script.lock().pop_front().unwrap_or_else(|| self.default.lock().clone());
        drop(self.open.subscribe().wait_for(|open| *open).await);
        self.overlapping.fetch_sub(1, Ordering::SeqCst);
        let report = |outcome| Report { target_version: 1, ..Report::unsent(outcome, "scripted") };
        match act {
            Act::Give(outcome) => report(outcome),
            Act::Busy(status, wait_ms) => Report {
                status: Some(status),
                retry_after_ms: Some(wait_ms),
                ..report(OutcomeKind::Throttled)
            },
            Act::Panic => std::panic::panic_any("scripted"),
            Act::Refuse => Report { refused: true, ..report(OutcomeKind::Render) },
        }
    }
}

/// Destinations by id; every event goes to each of them that is listed as a target.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) all: Mutex<HashMap<String, Arc<Scripted>>>,
    /// Happens when a destination is looked for next.
    pub(crate) meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Destinations for Table {
    fn find(&self, id: &str) -> Option<Arc<dyn Destination>> {
        if let Some(happens) = self.meanwhile.lock().take() {
            happens();
        }
        self.all.lock().get(id).map(|found| Arc::clone(found) as Arc<dyn Destination>)
    }
}

/// Sends each event to the destinations named in its subject; operational events to nobody.
struct BySubject;

impl Matcher for BySubject {
    fn matches(&self, event: &Event) -> Matches {
        if event.kind.starts_with("delivery.") {
            return Matches::default();
        }
        let names = event.subject.iter().flat_map(|names| names.split(' '));
        Matches { deliveries: names.map(str::to_owned).collect(), skips: Vec::new() }
    }
}

/// A running scheduler over a store in a folder.
pub(crate) struct World {
    pub(crate) store: store::Handle,
    pub(crate) bus: bus::Handle,
    pub(crate) handle: Handle,
    pub(crate) table: Arc<Table>,
    pub(crate) clock: Clock,
    pub(crate) hands: Hands,
    pub(crate) raise: Raise,
    stage: Stage,
    running: tokio::task::JoinHandle<()>,
}

pub(crate) fn raise() -> Raise {
    let rng = Rng::seeded(1);
    Raise::new("driftgate", Arc::new(move |ms| id::time_ordered(ms, rng.bytes())))
}

impl World {
    pub(crate) fn start(folder: &Path, at_ms: i64, destinations: &[(&str, Arc<Scripted>)]) -> Self {
        let (clock, hands) = Clock::standing_at(at_ms);
        let panics = Panics::default();
        let options = store::Options::default();
        let (store, _) =
            store::open(folder, &options, clock.clone(), panics.clone()).expect("a store");
        let bus = bus::Handle::new(store.clone(), clock.clone(), "test", Arc::new(BySubject));
        let table = Arc::new(Table::default());
        for (name, destination) in destinations {
            table.all.lock().insert((*name).to_owned(), Arc::clone(destination));
        }
        let parts = Parts {
            store: store.clone(),
            bus: bus.clone(),
            destinations: Arc::clone(&table) as Arc<dyn Destinations>,
            raise: raise(),
            clock: clock.clone(),
            rng: Rng::seeded(7),
            panics: panics.clone(),
            metrics: Metrics::default(),
        };
        let (handle, service): (Handle, Service) = service::new(parts);
        let stage = Stage::default();
        let running = supervise::task("deliver", &panics, service.run(stage.watch()));
        Self { store, bus, handle, table, clock, hands, raise: raise(), stage, running }
    }

    /// Publishes an event to these destinations; answers the delivery ids.
    pub(crate) async fn publish(&self, destinations: &[&str]) -> Vec<String> {
        let data = serde_json::json!({"n": 1.0});
        let now_ms = self.clock.now_ms();
        let mut event = self.raise.event("api.updated", Some("orders"), now_ms, &data);
        event.subject = Some(destinations.join(" "));
        let ids =
            destinations.iter().map(|to| id::delivery(&event.source, &event.id, to)).collect();
        self.bus.publish(vec![event], Vec::new()).await.expect("published");
        ids
    }

    pub(crate) async fn delivery(&self, id: &str) -> Delivery {
        let id = id.to_owned();
        let read = self.store.read(move |reader| reader.delivery(&id)).await;
        read.expect("read").expect("the delivery")
    }

    pub(crate) async fn attempts(&self, id: &str) -> Vec<AttemptRow> {
        let id = id.to_owned();
        self.store.read(move |reader| reader.attempts(&id)).await.expect("read")
    }

    /// Waits until the delivery on disk is as wanted.
    pub(crate) async fn until(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        eventually(what, || async {
            let delivery = self.delivery(id).await;
            wanted(&delivery).then_some(delivery)
        })
        .await
    }

    /// Ends the process as a kill would: nothing is finished, nothing is told.
    pub(crate) async fn kill(self) {
        self.running.abort();
        self.store.close().await;
    }

    pub(crate) async fn stop(self) {
        self.stage.begin();
        let clock = Clock::real();
        tokio::select! {
            ended = self.running => ended.expect("ended"),
            () = clock.sleep(Duration::from_mins(1)) => panic!("the scheduler does not stop"),
        }
        self.store.close().await;
    }
}

/// A receiver on a raw socket: `behave` gets each connection.
pub(crate) async fn receiver<F: Future<Output = ()> + Send + 'static>(
    behave: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let panics = Panics::default();
    supervise::task("receiver", &panics.clone(), async move {
        while let Ok((stream, _)) = listener.accept().await {
            supervise::task("connection", &panics, behave(stream));
        }
    });
    address
}

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one request.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut received = Received { line, headers, body: bytes[end + 4..].to_vec() };
    let length = received.header("content-length").map_or(0, |text| text.parse().expect("digits"));
    while received.body.len() < length {
        if stream.read_buf(&mut received.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(received)
}

/// A receiver that keeps what it gets and answers as `answer` says, by the number of the request (from 0).
pub(crate) async fn recording(
    answer: impl Fn(usize) -> &'static str + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<Received>>>) {
    let received: Arc<Mutex<Vec<Received>>> = Arc::default();
    let (kept, answer) = (Arc::clone(&received), Arc::new(answer));
    let address = receiver(move |mut stream| {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        async move {
            while let Some(request) = read_request(&mut stream).await {
                let number = {
                    let mut kept = kept.lock();
                    kept.push(request);
                    kept.len() - 1
                };
                let text = answer(number);
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (address, received)
}

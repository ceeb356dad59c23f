//! The admin API over real loopback sockets: a real store and scheduler, and fakes of what `app` implements.

mod client;
mod document;
mod fakes;
mod guard;
mod limits;
mod lists;
mod routes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::model::event::Event;
use crate::runtime::clock::Clock;
use crate::runtime::files;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;
use crate::runtime::supervise::Panics;
use crate::store;
use crate::telemetry::Metrics;
use crate::{bus, deliver};
use client::{Reply, Wire};
use fakes::Fakes;

/// A running admin API with everything behind it.
struct Server {
    handle: Handle,
    tokens: Arc<Tokens>,
    fakes: Arc<Fakes>,
    store: store::Handle,
    bus: bus::Handle,
    metrics: Metrics,
    token: String,
    stage: Stage,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

const VIEWER: &str = "viewer-token-of-at-least-32-characters";
const INTAKE: &str = "intake-token-of-at-least-32-characters";

impl Server {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let mut options = Options {
            address: "127.0.0.1:0".to_owned(),
            health_address: Some("127.0.0.1:0".to_owned()),
            viewer_token_file: Some(path("viewer")),
            intake_token_file: Some(path("intake")),
            ..Options::default()
        };
        for (name, text) in [("viewer", format!("vera {VIEWER}")), ("intake", INTAKE.to_owned())] {
            files::write_private(&path(name), text.as_bytes()).expect("written");
        }
        change(&mut options);
        Self::run(options, folder)
    }

    fn run(options: Options, folder: TempDir) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let inside = runtime.enter();
        let (clock, rng, panics) = (Clock::real(), Rng::seeded(1), Panics::default());
        let (metrics, stage) = (Metrics::default(), Stage::default());
        let fakes = Arc::new(Fakes::default());
        let opened =
            store::open(folder.path(), &store::Options::default(), clock.clone(), panics.clone());
        let (store, _trimming) = opened.expect("the store opens");
        let matcher: Arc<dyn bus::Matcher> = Arc::clone(&fakes) as _;
        let bus = bus::Handle::new(store.clone(), clock.clone(), "test", matcher);
        let ids = Rng::seeded(2);
        let raise = crate::events::Raise::new(
            "driftgate",
            Arc::new(move |at_ms| crate::model::id::time_ordered(at_ms, ids.bytes())),
        );
        let (deliver, service) = deliver::service::new(deliver::service::Parts {
            store: store.clone(),
            bus: bus.clone(),
            destinations: Arc::clone(&fakes) as _,
            raise,
            clock: clock.clone(),
            rng: rng.clone(),
            panics: panics.clone(),
            metrics: metrics.clone(),
        });
        runtime.spawn(service.run(stage.watch()));
        let read = ReadTokens::of(&options, folder.path(), &rng).expect("tokens");
        let tokens = Arc::new(Tokens::new(read, clock.clone()));
        let handle = serve(Admin {
            options,
            tokens: Arc::clone(&tokens),
            data_dir: folder.path().to_owned(),
            instance: "test-1".to_owned(),
            deployment: "driftgate".to_owned(),
            inventory: Arc::clone(&fakes) as _,
            health: Arc::clone(&fakes) as _,
            configuration: Arc::clone(&fakes) as _,
            directory: Arc::clone(&fakes) as _,
            store: store.clone(),
            bus: bus.clone(),
            deliver,
            metrics: metrics.clone(),
            clock,
            rng,
            panics,
        });
        let token = files::read_text(&folder.path().join("admin-token"), 1_000);
        let token = token.map(|text| text.trim().to_owned()).unwrap_or_default();
        let handle = handle.expect("the admin API starts");
        drop(inside);
        Self { handle, tokens, fakes, store, bus, metrics, token, stage, runtime, folder }
    }

    fn wire(&self) -> Wire {
        Wire(self.handle.address().clone())
    }

    fn health(&self) -> Wire {
        Wire(self.handle.health_address().expect("a health address").clone())
    }

    /// A call with the admin token.
    fn call(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.wire().call(method, path, &headers, body.unwrap_or_default().as_bytes())
    }

    fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None)
    }

    fn publish(&self, events: Vec<Event>) {
        self.bus.publish_blocking(events, Vec::new()).expect("published");
    }

    fn metric(&self, line: &str) -> bool {
        self.metrics.text().lines().any(|text| text == line)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stage.begin();
    }
}

/// An event of driftgate's own.
fn event(number: i64) -> Event {
    Event {
        id: format!("event-{number}"),
        source: "/driftgate/apis/orders".to_owned(),
        kind: "contract.drift.opened".to_owned(),
        subject: Some("GET /orders/{orderId}".to_owned()),
        time_ms: 1_700_000_000_000 + number,
        recorded_ms: 0,
        dataschema: None,
        partitionkey: "orders".to_owned(),
        sequence: 0,
        instance: String::new(),
        correlationid: format!("event-{number}"),
        causationid: None,
        chaindepth: 0,
        chainpath: String::new(),
        traceparent: None,
        exchangeid: None,
        severitytext: Some("high".to_owned()),
        eventcode: None,
        testevent: false,
        data: format!("{{ \"number\": {number}, \"b\":1,\"a\":2 }}").into(),
    }
}

/// Looks until there is a state, at most a minute.
fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "a deadline of real time for real sockets")]
    let now = Instant::now;
    let begun = now();
    loop {
        if let Some(state) = look() {
            return state;
        }
        assert!(now().duration_since(begun) < Duration::from_mins(1), "waited for: {what}");
        std::thread::yield_now();
    }
}

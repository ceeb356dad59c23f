//! The engine against servers in this process: what is sent, what is found, what stays undecided.

mod choice;
mod defects;
mod doubts;
mod safety;
mod targets;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::choice::Found;
use super::execute::{self, Order, Unwatched, World};
use super::options::ContractTest;
use super::outcome::{Run, Source, Used};
use super::specification::{self, Loaded};
use crate::deliver::client::{Client, Own, System};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::model::units::{Rate, Span};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Stage;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(in crate::actions) struct Seen {
    pub(in crate::actions) method: Method,
    pub(in crate::actions) uri: Uri,
    pub(in crate::actions) headers: HeaderMap,
    pub(in crate::actions) body: Bytes,
}

/// Status, content type and body.
pub(in crate::actions) type Answer = (u16, &'static str, String);
type Behaviour = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;

/// An API in this process that remembers every request.
#[derive(Clone)]
pub(in crate::actions) struct Api {
    behaviour: Behaviour,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn answer(
    State(api): State<Api>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let seen = Seen { method, uri, headers, body };
    let (status, media_type, body) = (api.behaviour)(&seen);
    api.seen.lock().push(seen);
    let mut headers = HeaderMap::new();
    if !media_type.is_empty() {
        headers.insert("content-type", media_type.parse().expect("a media type"));
    }
    if status == 429 {
        headers.insert("retry-after", "0".parse().expect("a number"));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, body)
}

impl Api {
    pub(in crate::actions) fn new(
        behaviour: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self { behaviour: Arc::new(behaviour), seen: Arc::default() }
    }

    /// Serves until the test ends; the base URL.
    pub(in crate::actions) async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new().fallback(answer).with_state(self.clone());
        #[expect(clippy::disallowed_methods, reason = "a server for the length of a test")]
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    pub(in crate::actions) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }
}

pub(in crate::actions) fn json_answer(body: &Value) -> Answer {
    (200, "application/json", body.to_string())
}

fn load(document: &Value) -> Loaded {
    let found = Found { text: document.to_string(), place: "spec.json".to_owned(), file: None };
    specification::load(&found).unwrap_or_else(|problems| panic!("{problems}\n{document:#}"))
}

/// Options that ask a server in this process as fast as it can answer.
fn options(base_url: &str) -> ContractTest {
    ContractTest {
        base_url: Some(base_url.to_owned()),
        rate: Rate::per_second(100_000),
        ..ContractTest::default()
    }
}

fn order(document: &Value, options: ContractTest) -> Order {
    let Loaded { baseline, lints } = load(document);
    Order {
        run: "0198f1c2-7d3e-7a10-9b5c-2f6e8d4a1c30".to_owned(),
        seed: 42,
        used: Used {
            source: Source::Predefined,
            revision: baseline.revision.clone(),
            title: baseline.specification.title.clone(),
            version: baseline.specification.version.clone(),
            place: "spec.json".to_owned(),
        },
        baseline,
        lints,
        headers: execute::custom_headers(&options.headers),
        options,
        upstream: None,
        credentials: None,
        trust: Trust::FILE,
        chain: None,
    }
}

pub(in crate::actions) fn client() -> Client {
    let guard = Guard::new(&Egress::default());
    Client::new(guard, Arc::new(Own::default()), Arc::new(System), Clock::real())
}

fn world(stage: &Stage) -> World {
    World { client: client(), clock: Clock::real(), stop: stage.watch() }
}

async fn run(order: Order) -> Run {
    execute::run(order, world(&Stage::default()), &Unwatched).await
}

/// A document of these paths.
pub(in crate::actions) fn document(paths: Value) -> Value {
    let mut document = json!({"openapi": "3.1.0", "info": {"title": "Orders", "version": "1.4.0"}});
    document["paths"] = paths;
    document
}

/// A GET operation that answers 200 with JSON of a schema.
pub(in crate::actions) fn get(schema: Value) -> Value {
    let mut content = json!({"application/json": {}});
    content["application/json"]["schema"] = schema;
    json!({"get": {"responses": {"200": {"description": "ok", "content": content}}}})
}

fn short(options: ContractTest) -> ContractTest {
    let budget = super::options::Budget { duration: Span::seconds(20), ..options.budget };
    ContractTest { budget, ..options }
}

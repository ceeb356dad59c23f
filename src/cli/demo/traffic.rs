//! Six clients of the orders API, each with its key and its habits, drawn from one seed.
//!
//! Owns what a client does in a round: browse, look, order, pay, ask for what is not there, mistype. They speak to the proxy
//! alone and know nothing else. Refuses to own when the story goes on: it sets the pace.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::orders::{KEY_HEADER, draw, pick};
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::{self, Panics};

/// Who calls, and whether it also writes.
pub(super) const CONSUMERS: [(&str, bool); 6] = [
    ("storefront", true),
    ("mobile-app", true),
    ("marketplace", true),
    ("warehouse", true),
    ("support-desk", false),
    ("accounting", false),
];

/// How fast the clients go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// About three hundred exchanges a second in all: quick, and nothing need be dropped even on a small machine.
    Brisk,
    /// About twenty exchanges a second in all.
    Steady,
    Stopped,
}

/// The clients, from outside.
pub(super) struct Traffic {
    pace: watch::Sender<Pace>,
    sent: Arc<AtomicU64>,
}

impl Traffic {
    /// Sends the clients off to the proxy at `address`. `keys` are theirs, in the order of [`CONSUMERS`].
    pub(super) fn begin(
        address: SocketAddr,
        keys: &[String],
        rng: &Rng,
        clock: &Clock,
        panics: &Panics,
    ) -> Self {
        let (pace, _) = watch::channel(Pace::Brisk);
        let sent = Arc::new(AtomicU64::new(0));
        for ((name, writes), key) in CONSUMERS.into_iter().zip(keys) {
            let client = Client {
                address,
                name,
                key: key.clone(),
                connection: None,
                clock: clock.clone(),
                panics: panics.clone(),
                pace: pace.subscribe(),
                sent: Arc::clone(&sent),
            };
            let consumer = Consumer {
                client,
                writes,
                rng: Rng::seeded(rng.next_u64()),
                customers: Vec::new(),
                orders: Vec::new(),
            };
            supervise::task("demo client", panics, consumer.live());
        }
        Self { pace, sent }
    }

    pub(super) fn set_pace(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    /// Exchanges completed so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// One client and what it remembers.
struct Consumer {
    client: Client,
    writes: bool,
    rng: Rng,
    customers: Vec<String>,
    orders: Vec<u64>,
}

/// What it remembers at most of each.
const REMEMBERED: usize = 50;

impl Consumer {
    /// Round after round, until it is told to stop. A broken connection ends a round, and the next begins anew.
    async fn live(mut self) {
        while *self.client.pace.borrow() != Pace::Stopped {
            if self.round().await.is_err() {
                self.client.connection = None;
                self.client.clock.sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn round(&mut self) -> io::Result<()> {
        self.browse().await?;
        self.look_at_orders().await?;
        if self.writes {
            self.write().await?;
        }
        for _ in 0..2 {
            self.look_at_one().await?;
        }
        if self.chance(12) {
            // A bookmark that is older than the shop.
            self.client.get(&format!("/orders/{}", 1 + draw(&self.rng, 900))).await?;
        }
        Ok(())
    }

    async fn browse(&mut self) -> io::Result<()> {
        let category = pick(&self.rng, &["coffee", "tea", "equipment", "supplies", "tableware"]);
        let query = if self.chance(50) { format!("?category={category}") } else { String::new() };
        self.client.get(&format!("/products{query}")).await?;
        for _ in 0..=draw(&self.rng, 2) {
            let product = 1001 + draw(&self.rng, if self.chance(3) { 40 } else { 24 });
            self.client.get(&format!("/products/{product}")).await?;
        }
        self.client.get("/stock").await?;
        Ok(())
    }

    async fn look_at_orders(&mut self) -> io::Result<()> {
        let status = pick(&self.rng, &["pending", "paid", "shipped", "delivered", "cancelled"]);
        let query = match draw(&self.rng, 3) {
            0 => format!("?status={status}"),
            1 => format!("?status={status}&limit={}", 5 + draw(&self.rng, 20)),
            _ => String::new(),
        };
        let list = self.client.get(&format!("/orders{query}")).await?;
        for order in list["items"].as_array().into_iter().flatten() {
            remember(&mut self.orders, order["orderId"].as_u64());
            remember(&mut self.customers, order["customerId"].as_str().map(str::to_owned));
        }
        Ok(())
    }

    async fn look_at_one(&mut self) -> io::Result<()> {
        let nth = draw(&self.rng, u32::try_from(self.orders.len()).unwrap_or(1)) as usize;
        if let Some(order) = self.orders.get(nth).copied() {
            self.client.get(&format!("/orders/{order}")).await?;
        }
        if let Some(customer) = self.customer() {
            self.client.get(&format!("/customers/{customer}")).await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> io::Result<()> {
        if self.chance(40) {
            let name = format!("{} Nakamura", pick(&self.rng, &["Aiko", "Ben", "Carla", "Dan"]));
            let email = if self.chance(6) { "nobody" } else { "someone@example.org" };
            let body = json!({ "name": name, "email": email });
            let customer = self.client.post("/customers", &body).await?;
            remember(&mut self.customers, customer["customerId"].as_str().map(str::to_owned));
        }
        let Some(customer) = self.customer() else { return Ok(()) };
        let lines: Vec<Value> = (0..=draw(&self.rng, 2))
            .map(|_| {
                let quantity = if self.chance(3) { 0 } else { 1 + draw(&self.rng, 3) };
                json!({ "productId": 1001 + draw(&self.rng, 24), "quantity": quantity })
            })
            .collect();
        let mut body = json!({ "customerId": customer, "lines": lines });
        if self.chance(30) {
            body["note"] = pick(&self.rng, &["gift wrapping", "leave at the door"]).into();
        }
        let order = self.client.post("/orders", &body).await?;
        if let Some(id) = order["orderId"].as_u64() {
            remember(&mut self.orders, Some(id));
            let status = pick(&self.rng, &["paid", "paid", "shipped", "cancelled"]);
            self.client.patch(&format!("/orders/{id}"), &json!({ "status": status })).await?;
        }
        Ok(())
    }

    fn customer(&self) -> Option<String> {
        let nth = draw(&self.rng, u32::try_from(self.customers.len()).unwrap_or(1)) as usize;
        self.customers.get(nth).cloned()
    }

    /// True in `percent` of cases.
    fn chance(&self, percent: u32) -> bool {
        draw(&self.rng, 100) < percent
    }
}

fn remember<T: PartialEq>(known: &mut Vec<T>, new: Option<T>) {
    if let Some(new) = new.filter(|new| !known.contains(new)) {
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push(new);
    }
}

/// One connection to the proxy, renewed when it breaks.
struct Client {
    address: SocketAddr,
    name: &'static str,
    key: String,
    connection: Option<SendRequest<Full<Bytes>>>,
    clock: Clock,
    panics: Panics,
    pace: watch::Receiver<Pace>,
    sent: Arc<AtomicU64>,
}

impl Client {
    async fn get(&mut self, target: &str) -> io::Result<Value> {
        self.send(Method::GET, target, None).await
    }

    async fn post(&mut self, target: &str, body: &Value) -> io::Result<Value> {
        self.send(Method::POST, target, Some(body)).await
    }

    async fn patch(&mut self, target: &str, body: &Value) -> io::Result<Value> {
        self.send(Method::PATCH, target, Some(body)).await
    }

    /// Sends and reads to the end. The answer is null when it is no JSON, and what an error says is no answer to remember.
    async fn send(
        &mut self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> io::Result<Value> {
        self.wait().await;
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.address.to_string())
            .header("user-agent", format!("{}/1.4", self.name))
            .header("accept", "application/json")
            .header(KEY_HEADER, &self.key);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body))).map_err(io::Error::other)?;
        let connection = self.connection().await?;
        let response = connection.send_request(request).await.map_err(io::Error::other)?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let known = status.is_success().then(|| serde_json::from_slice(&bytes).ok()).flatten();
        if status == StatusCode::BAD_GATEWAY {
            return Err(io::Error::other("the API is away"));
        }
        Ok(known.unwrap_or_default())
    }

    async fn connection(&mut self) -> io::Result<&mut SendRequest<Full<Bytes>>> {
        let usable = self.connection.take().filter(|connection| !connection.is_closed());
        let mut connection = if let Some(connection) = usable {
            connection
        } else {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let (sender, driver) =
                http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
            supervise::task("demo client connection", &self.panics, async move {
                // It ends with the connection; the sender learns why.
                drop(driver.await);
            });
            sender
        };
        connection.ready().await.map_err(io::Error::other)?;
        Ok(self.connection.insert(connection))
    }

    /// Keeps the pace: the pause between two requests of one client.
    async fn wait(&mut self) {
        let pause = match *self.pace.borrow_and_update() {
            Pace::Brisk => Duration::from_millis(18),
            Pace::Steady => Duration::from_millis(300),
            Pace::Stopped => return,
        };
        tokio::select! {
            () = self.clock.sleep(pause) => {}
            // A change of pace is heeded at once; a sender that is gone changes nothing.
            changed = self.pace.changed() => drop(changed),
        }
    }
}

//! Composition root: configuration to running parts, and their orderly end (layer 6).
//!
//! Owns the order of starting and stopping, the key files, reload, and the adapters between the admin API's questions and
//! the parts that know. Refuses to own what any part does. Nothing here is on the path of a proxied request.

mod apis;
mod census;
mod configuration;
mod directory;
mod error;
mod health;
mod inventory;
mod keys;
mod news;
mod parts;
mod signals;
mod stop;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Runtime;

pub use error::Error;

use crate::config::Loaded;
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;
use crate::runtime::supervise::Panics;
use crate::telemetry::Metrics;
use crate::telemetry::signals::app as told;
use crate::{admin, capture, proxy, store};

use configuration::Configuration;

/// A running instance. Dropping it without [`Running::stop`] abandons what is in flight.
pub struct Running {
    loaded: Arc<ArcSwap<Loaded>>,
    proxy: proxy::Handle,
    capture: capture::Handle,
    store: store::Handle,
    admin: admin::Handle,
    configuration: Arc<Configuration>,
    stages: Stages,
    clock: Clock,
    control: Runtime,
}

/// The planes in the order in which they stop.
#[derive(Default)]
struct Stages {
    analysis: Stage,
    control: Stage,
    store: Stage,
}

/// What every part is given of the world.
#[derive(Clone)]
struct World {
    clock: Clock,
    rng: Rng,
    panics: Panics,
    metrics: Metrics,
}

/// Runs until a signal ends it. Says where it listens, then writes log lines.
///
/// Exit codes: 0 stopped in order; 2 could not start (returned as an error); 3 the drain deadline passed with work left.
///
/// # Errors
/// When it could not start; then nothing runs.
pub fn run(loaded: Loaded, say: impl Fn(&str)) -> Result<u8, Error> {
    crate::telemetry::init(&loaded.config.log).map_err(Error::Log)?;
    let running = start(loaded)?;
    for listener in running.listeners() {
        say(&format!("proxy   {listener}"));
    }
    say(&format!("admin   {}", running.admin_url()));
    signals::serve_until_told(running)
}

/// Starts every part, from the disk to the listeners: what is needed later is there first.
///
/// # Errors
/// When a part does not start; those that did are ended again.
pub fn start(loaded: Loaded) -> Result<Running, Error> {
    let world = World {
        clock: Clock::real(),
        rng: Rng::system(),
        panics: Panics::default(),
        metrics: Metrics::default(),
    };
    let running = parts::start(loaded, world)?;
    let config = &running.loaded.load().config;
    told::Started {
        listeners: &running.listeners().join(", "),
        admin: &running.admin.address().to_string(),
        apis: config.apis.len(),
        webhooks: config.webhooks.len(),
    }
    .tell();
    Ok(running)
}

impl Running {
    /// The listeners as they were bound, by URL.
    #[must_use]
    pub fn listeners(&self) -> Vec<String> {
        self.proxy.addresses().iter().map(url).collect()
    }

    /// The admin listener, when it is a TCP one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        match self.admin.address() {
            admin::Address::Tcp(address) => Some(*address),
            admin::Address::Unix(_) => None,
        }
    }

    /// Where the admin API answers.
    #[must_use]
    pub fn admin_url(&self) -> String {
        match self.admin.address() {
            admin::Address::Tcp(address) => format!("http://{address}"),
            admin::Address::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// Ends every part in order; the names of those that had to be abandoned.
    ///
    /// # Errors
    /// What was still at work when its time was over.
    pub fn stop(self, pre_stop: Duration) -> Result<(), Vec<String>> {
        stop::stop(self, pre_stop)
    }
}

fn url(bound: &proxy::Address) -> String {
    match (bound.address.starts_with('/'), bound.tls) {
        (true, _) => format!("unix:{}", bound.address),
        (false, true) => format!("https://{}", bound.address),
        (false, false) => format!("http://{}", bound.address),
    }
}

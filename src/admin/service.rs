//! Starting and ending the admin API: listeners on a runtime of their own.
//!
//! Owns the state that all calls share and the handle that `app` keeps. Refuses to own what a call does (`routes`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::cursor::Cursors;
use super::error::Error;
use super::guard::Names;
use super::listen::Listener;
use super::metrics::Counters;
use super::options::{Address, Options};
use super::routes::{self, Entrance};
use super::serve::{self, Setting};
use super::source::{Configuration, Directory, Health, Inventory};
use super::token::Tokens;
use crate::bus;
use crate::deliver;
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;
use crate::runtime::supervise::{self, Panics};
use crate::store;
use crate::telemetry::Metrics;
use crate::telemetry::signals::admin as signals;

/// Everything that the admin API needs to start.
pub struct Admin {
    pub options: Options,
    pub tokens: Arc<Tokens>,
    /// Where the key of cursors is kept.
    pub data_dir: PathBuf,
    /// Name of this instance, in every answer.
    pub instance: String,
    /// Name of the deployment: sources that begin with it are ours.
    pub deployment: String,
    pub inventory: Arc<dyn Inventory>,
    pub health: Arc<dyn Health>,
    pub configuration: Arc<dyn Configuration>,
    pub directory: Arc<dyn Directory>,
    pub store: store::Handle,
    pub bus: bus::Handle,
    pub deliver: deliver::Handle,
    pub metrics: Metrics,
    pub clock: Clock,
    pub rng: Rng,
    pub panics: Panics,
}

/// What all calls share.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) instance: HeaderValue,
    pub(super) names: Names,
    pub(super) tokens: Arc<Tokens>,
    pub(super) in_progress: Semaphore,
    pub(super) counters: Counters,
    pub(super) inventory: Arc<dyn Inventory>,
    pub(super) health: Arc<dyn Health>,
    pub(super) configuration: Arc<dyn Configuration>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) store: store::Handle,
    pub(super) bus: bus::Handle,
    pub(super) deliver: deliver::Handle,
    pub(super) deployment: String,
    pub(super) cursors: Cursors,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
    pub(super) panics: Panics,
}

/// The running admin API. Dropping it ends it at once; [`Handle::stop`] lets answers finish.
pub struct Handle {
    address: Address,
    health_address: Option<Address>,
    clock: Clock,
    stage: Stage,
    _runtime: Threads,
}

/// A runtime that may be dropped anywhere: the ordinary drop would wait, which asynchronous callers must not.
struct Threads(Option<Runtime>);

/// Two: a long answer must not keep a probe waiting.
const THREADS: usize = 2;

/// Binds the listeners and serves them on threads of their own.
///
/// # Errors
/// When an address cannot be bound or the threads cannot be started; then nothing listens.
pub fn serve(admin: Admin) -> Result<Handle, Error> {
    let clock = admin.clock.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("dg-admin")
        .enable_all()
        .build()
        .map_err(Error::Threads)?;
    let stage = Stage::default();
    let (address, health_address) = {
        let _inside = runtime.enter();
        listen(admin, &stage)?
    };
    signals::Listening {
        address: &address.to_string(),
        health_address: &health_address.as_ref().map_or_else(String::new, Address::to_string),
    }
    .tell();
    let runtime = Threads(Some(runtime));
    Ok(Handle { address, health_address, clock, stage, _runtime: runtime })
}

/// Binds both addresses before either is served.
fn listen(admin: Admin, stage: &Stage) -> Result<(Address, Option<Address>), Error> {
    let main = Listener::bind(&parsed(&admin.options.address))?;
    let health = admin.options.health_address.as_deref().map(parsed);
    let health = health.as_ref().map(Listener::bind).transpose()?;
    let addresses = (main.address(), health.as_ref().map(Listener::address));
    let cursors = Cursors::load(&admin.data_dir, &admin.rng)?;
    let shared = Arc::new(State::new(admin, &addresses.0, cursors));
    let listeners = [(Some(main), Entrance::Main), (health, Entrance::Health)];
    for (listener, entrance) in listeners {
        let Some(listener) = listener else { continue };
        let setting = Setting {
            limits: shared.options.limits.clone(),
            clock: shared.clock.clone(),
            panics: shared.panics.clone(),
            counters: shared.counters.clone(),
            answer: routes::answer(Arc::clone(&shared), entrance),
        };
        let accepting = serve::accept(listener, setting, stage.watch(), stage.guard("admin"));
        supervise::task("admin-accept", &shared.panics, accepting);
    }
    Ok(addresses)
}

/// `check` has refused everything else; what slipped past it cannot be bound and is told so.
fn parsed(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|| Address::Unix(PathBuf::from(text)))
}

impl State {
    fn new(admin: Admin, address: &Address, cursors: Cursors) -> Self {
        let bound = match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        };
        Self {
            names: Names::new(&admin.options, bound),
            instance: HeaderValue::from_str(&admin.instance)
                .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
            in_progress: Semaphore::new(admin.options.limits.requests),
            counters: Counters::new(&admin.metrics),
            tokens: admin.tokens,
            options: admin.options,
            inventory: admin.inventory,
            health: admin.health,
            configuration: admin.configuration,
            directory: admin.directory,
            store: admin.store,
            bus: admin.bus,
            deliver: admin.deliver,
            deployment: admin.deployment,
            cursors,
            metrics: admin.metrics,
            clock: admin.clock,
            rng: admin.rng,
            panics: admin.panics,
        }
    }
}

impl Handle {
    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    #[must_use]
    pub fn health_address(&self) -> Option<&Address> {
        self.health_address.as_ref()
    }

    /// Takes no new connections and waits until open ones have had their answer.
    ///
    /// # Errors
    /// When some had not at the deadline; they end with the handle.
    pub async fn stop(&self, deadline: Duration) -> Result<(), Vec<String>> {
        self.stage.finish(&self.clock, deadline).await
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

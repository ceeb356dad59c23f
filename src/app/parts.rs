//! Starting every part, and what of the control plane a reload replaces.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::runtime::Runtime;

use crate::actions;
use crate::admin::{self, ReadTokens, Tokens};
use crate::bus::{self, Matcher};
use crate::capture::{self, Border, OwnTest};
use crate::config::{Config, Loaded};
use crate::deliver::auth::{self, Providers};
use crate::deliver::client::{Client, Own, System};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::service::Service as Scheduler;
use crate::deliver::{self, Composed, Destinations};
use crate::events::{Raise, chain};
use crate::model::id;
use crate::model::problem::Problems;
use crate::pipeline::{self, ApiSettings};
use crate::proxy::{self, View};
use crate::runtime::{files, supervise};
use crate::{store, webhooks};

use super::census::{self, Census};
use super::configuration::{Configuration, Counters, Shared};
use super::directory::Directory;
use super::health::{BusHealth, Embedded, Health};
use super::inventory::Inventory;
use super::news::News;
use super::{Error, Running, Stages, World, apis, keys};

/// Threads of the control plane: attempts and contract tests wait for the network, not for a processor.
const CONTROL_THREADS: usize = 2;

/// The destinations of events and what they need, replaced whole on reload.
pub(super) struct Control {
    pub(super) world: World,
    pub(super) webhooks: Arc<webhooks::Registry>,
    pub(super) actions: Arc<actions::Registry>,
    client: Client,
    store: store::Handle,
    bus: bus::Handle,
    deliver: deliver::Handle,
    raise: Raise,
    chain_key: chain::Key,
    data_dir: std::path::PathBuf,
}

/// Destinations that can work, not in force yet.
pub(super) struct Prepared {
    webhooks: webhooks::Prepared,
    actions: actions::Prepared,
}

impl Control {
    /// Makes webhooks, actions and their credentials ready; the former ones stay in force meanwhile.
    ///
    /// # Errors
    /// When one of them cannot work.
    pub(super) fn prepare(&self, config: &Config) -> Result<Prepared, Problems> {
        let World { clock, rng, panics, .. } = self.world.clone();
        let auth = auth::World {
            client: self.client.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            trust: Trust::FILE,
        };
        let providers = Providers::build(&config.auth_providers, &auth).map_err(|found| {
            let mut problems = Problems::default();
            problems.extend_below("/auth_providers", found);
            problems
        })?;
        let world = actions::World {
            store: self.store.clone(),
            bus: self.bus.clone(),
            raise: self.raise.clone(),
            client: self.client.clone(),
            clock,
            rng,
            panics,
            providers: providers.clone(),
            chain_key: self.chain_key.clone(),
            trust: Trust::FILE,
            apis: apis::facts(config),
        };
        let actions = self.actions.prepare(&config.actions, &config.integrations, &world)?;
        let world = webhooks::World {
            client: self.client.clone(),
            clock: self.world.clock.clone(),
            rng: self.world.rng.clone(),
            providers,
            trust: Trust::FILE,
            data_dir: self.data_dir.clone(),
        };
        let webhooks = self.webhooks.prepare(&config.webhooks, &world)?;
        Ok(Prepared { webhooks, actions })
    }

    /// Tells what became of the APIs.
    pub(super) fn census(&self) -> Census {
        Census {
            store: self.store.clone(),
            bus: self.bus.clone(),
            raise: self.raise.clone(),
            clock: self.world.clock.clone(),
        }
    }

    /// Puts destinations in force.
    pub(super) fn put(&self, prepared: Prepared) {
        self.actions.put(prepared.actions);
        self.webhooks.put(prepared.webhooks);
        self.deliver.wake();
    }
}

/// Starts everything, from the disk to the listeners. Whatever can fail does so before the first listener is bound, but for
/// the listeners themselves.
pub(super) fn start(loaded: Loaded, world: World) -> Result<Running, Error> {
    let config = Arc::clone(&loaded.config);
    let settings = apis::settings(&config, world.clock.now_ms()).map_err(Error::Configuration)?;
    let view =
        View::build(&config.listeners, &apis::routes(&config)).map_err(Error::Configuration)?;
    files::make_folder(&config.data_dir).map_err(Error::Folder)?;
    let runtime = runtime().map_err(Error::Thread)?;
    let inside = runtime.enter();
    let stages = Stages::default();

    let tokens = ReadTokens::of(&config.admin, &config.data_dir, &world.rng);
    let tokens = Arc::new(Tokens::new(tokens.map_err(Error::Admin)?, world.clock.clone()));
    let own = Arc::new(Own::default());
    let (control, broker, scheduler) = Control::start(&config, &world, &stages, &own)?;
    tell_news(&control, &broker, &stages);
    runtime.block_on(control.census().take(&census::apis(&config, &settings)));
    let (tap, pipeline) = analysis(&config, &control, settings, &stages)?;
    let start = proxy::Start {
        listeners: config.listeners.clone(),
        view,
        limits: config.limits.clone(),
        data_plane: config.data_plane.clone(),
        shutdown: config.shutdown.clone(),
        capture: tap.clone(),
        metrics: world.metrics.clone(),
        clock: world.clock.clone(),
        panics: world.panics.clone(),
    };
    let proxy = runtime.block_on(proxy::start(start)).map_err(Error::Proxy)?;

    let shared = Arc::new(ArcSwap::from_pointee(loaded));
    let configuration = Arc::new(Configuration {
        started: Arc::clone(&config),
        config: Arc::new(ArcSwap::new(Arc::clone(&config))),
        loaded: Arc::clone(&shared),
        proxy: proxy.clone(),
        pipeline,
        counters: Counters::new(&world.metrics),
        turn: tokio::sync::Mutex::default(),
        tokens,
        control,
    });
    let health = Health {
        proxy: proxy.clone(),
        capture: tap.clone(),
        store: configuration.control.store.clone(),
        deliver: configuration.control.deliver.clone(),
        bus: broker,
        clock: world.clock.clone(),
    };
    let admin = admin(&configuration, health)?;
    own.replace(listening(&proxy, &admin));
    // Only now: what a restart finds due must meet its destination, and no call may reach ourselves.
    let (watch, guard) = (stages.control.watch(), stages.control.guard("deliveries"));
    supervise::task("deliver", &world.panics, async move {
        scheduler.run(watch).await;
        drop(guard);
    });
    drop(inside);
    Ok(Running {
        loaded: shared,
        proxy,
        capture: tap,
        store: configuration.control.store.clone(),
        admin,
        configuration,
        stages,
        clock: world.clock,
        control: runtime,
    })
}

/// What operators hear of the store and of the broker.
fn tell_news(control: &Control, broker: &Arc<dyn BusHealth>, stages: &Stages) {
    let news = News {
        store: control.store.clone(),
        bus: control.bus.clone(),
        broker: Arc::clone(broker),
        raise: control.raise.clone(),
        clock: control.world.clock.clone(),
    };
    let (watch, guard) = (stages.control.watch(), stages.control.guard("operational news"));
    supervise::task("operational-news", &control.world.panics, async move {
        news.run(watch).await;
        drop(guard);
    });
}

/// Every TCP address of ours: outgoing calls must not reach them.
fn listening(proxy: &proxy::Handle, admin: &admin::Handle) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> =
        proxy.addresses().iter().filter_map(|bound| bound.address.parse().ok()).collect();
    for address in std::iter::once(admin.address()).chain(admin.health_address()) {
        if let admin::Address::Tcp(address) = address {
            addresses.push(*address);
        }
    }
    addresses
}

impl Control {
    /// Opens the store and starts what hangs on it: the bus and its relay. The scheduler is ready to run.
    fn start(
        config: &Config,
        world: &World,
        stages: &Stages,
        own: &Arc<Own>,
    ) -> Result<(Self, Arc<dyn BusHealth>, Scheduler), Error> {
        let World { clock, rng, panics, metrics } = world.clone();
        let chain_key = keys::chain(&config.data_dir, &rng)?;
        let opened = store::open(&config.data_dir, &config.store, clock.clone(), panics.clone());
        let (store, trimmer) = opened.map_err(Error::Store)?;
        let trimming = trimmer.run(stages.store.watch());
        let guard = stages.store.guard("store");
        supervise::task("store-trim", &panics, async move {
            trimming.await;
            drop(guard);
        });

        let (webhooks, actions) =
            (Arc::<webhooks::Registry>::default(), Arc::<actions::Registry>::default());
        let matchers: Vec<Arc<dyn Matcher>> =
            vec![Arc::clone(&webhooks) as _, Arc::clone(&actions) as _];
        let instance = instance(config);
        let bus = bus::Handle::new(store.clone(), clock.clone(), &instance, Arc::new(matchers));
        let raise = raise(config, &rng);
        let destinations: Vec<Arc<dyn Destinations>> =
            vec![Arc::clone(&webhooks) as _, Arc::clone(&actions) as _];
        let (deliver, scheduler) = deliver::service::new(deliver::service::Parts {
            store: store.clone(),
            bus: bus.clone(),
            destinations: Arc::new(Composed(destinations)),
            raise: raise.clone(),
            clock: clock.clone(),
            rng,
            panics,
            metrics,
        });
        let health = relay(config, &store, &bus, world, stages)?;
        let client =
            Client::new(Guard::new(&config.egress), Arc::clone(own), Arc::new(System), clock);
        let control = Self {
            world: world.clone(),
            webhooks,
            actions,
            client,
            store,
            bus,
            deliver,
            raise,
            chain_key,
            data_dir: config.data_dir.clone(),
        };
        control.put(control.prepare(config).map_err(Error::Configuration)?);
        Ok((control, health, scheduler))
    }
}

/// The border and the analysis thread behind it.
fn analysis(
    config: &Config,
    control: &Control,
    settings: Vec<ApiSettings>,
    stages: &Stages,
) -> Result<(capture::Handle, pipeline::Handle), Error> {
    let World { clock, rng, panics, metrics } = control.world.clone();
    let key = keys::evidence(&config.data_dir, &rng)?;
    let (tap, intake) = capture::channel(&config.capture, config.data_plane.threads, &clock);
    let own_test: OwnTest = {
        let (chain_key, clock) = (control.chain_key.clone(), clock.clone());
        Arc::new(move |mark| chain::is_own_test(mark, &chain_key, clock.now_ms()))
    };
    let border = Border::new(key.clone(), &instance(config), &config.capture, own_test);
    let parts = pipeline::Parts {
        intake,
        border,
        key,
        bus: control.bus.clone(),
        store: control.store.clone(),
        raise: control.raise.clone(),
        options: config.analysis.clone(),
        apis: settings,
        metrics,
        clock,
        panics,
    };
    let (watch, guard) = (stages.analysis.watch(), stages.analysis.guard("analysis"));
    let (pipeline, _thread) = pipeline::start(parts, watch, guard).map_err(Error::Thread)?;
    Ok((tap, pipeline))
}

fn admin(configuration: &Arc<Configuration>, health: Health) -> Result<admin::Handle, Error> {
    let control = &configuration.control;
    let config = configuration.config.load_full();
    let inventory = Inventory {
        config: Arc::clone(&configuration.config),
        pipeline: configuration.pipeline.clone(),
        store: control.store.clone(),
        clock: control.world.clock.clone(),
        panics: control.world.panics.clone(),
    };
    admin::serve(admin::Admin {
        options: config.admin.clone(),
        tokens: Arc::clone(&configuration.tokens),
        data_dir: config.data_dir.clone(),
        instance: instance(&config),
        inventory: Arc::new(inventory),
        health: Arc::new(health),
        configuration: Arc::new(Shared(Arc::clone(configuration))),
        directory: Arc::new(Directory {
            webhooks: Arc::clone(&control.webhooks),
            actions: Arc::clone(&control.actions),
        }),
        deployment: config.deployment.clone(),
        store: control.store.clone(),
        bus: control.bus.clone(),
        deliver: control.deliver.clone(),
        metrics: control.world.metrics.clone(),
        clock: control.world.clock.clone(),
        rng: control.world.rng.clone(),
        panics: control.world.panics.clone(),
    })
    .map_err(Error::Admin)
}

/// The relay to Kafka, where one is configured.
#[cfg(feature = "kafka")]
fn relay(
    config: &Config,
    store: &store::Handle,
    bus: &bus::Handle,
    world: &World,
    stages: &Stages,
) -> Result<Arc<dyn BusHealth>, Error> {
    let Some(kafka) = &config.kafka else { return embedded(bus) };
    let handle = bus::kafka::start(bus::kafka::Start {
        options: kafka,
        store: store.clone(),
        clock: world.clock.clone(),
        panics: world.panics.clone(),
        shutdown: stages.control.watch(),
        guard: stages.control.guard("kafka relay"),
    })
    .map_err(Error::Bus)?;
    Ok(Arc::new(handle))
}

/// Without the feature there is no section to configure it by.
#[cfg(not(feature = "kafka"))]
fn relay(
    _: &Config,
    _: &store::Handle,
    bus: &bus::Handle,
    _: &World,
    _: &Stages,
) -> Result<Arc<dyn BusHealth>, Error> {
    embedded(bus)
}

/// The log alone: nothing of it is kept for a relay that was there once.
fn embedded(bus: &bus::Handle) -> Result<Arc<dyn BusHealth>, Error> {
    tokio::runtime::Handle::current().block_on(bus.without_relay()).map_err(Error::Store)?;
    Ok(Arc::new(Embedded))
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("dg-control")
        .enable_all()
        .build()
}

/// The name of this process among its replicas.
fn instance(config: &Config) -> String {
    config.instance.clone().unwrap_or_else(supervise::host_name)
}

fn raise(config: &Config, rng: &crate::runtime::rng::Rng) -> Raise {
    let rng = rng.clone();
    Raise::new(&config.deployment, Arc::new(move |time_ms| id::time_ordered(time_ms, rng.bytes())))
}

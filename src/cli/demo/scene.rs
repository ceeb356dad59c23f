//! Setting the scene: a folder, a configuration, the actors, and the real program in between.
//!
//! Owns where everything is and that nothing is left behind. Refuses to own the story (`story`).

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::orders::{Orders, Shop};
use super::receiver::Receiver;
use super::serve::{bind, serve};
use super::traffic::{CONSUMERS, Traffic};
use super::{Arguments, now};
use crate::app::{self, Running};
use crate::cli::console::tell;
use crate::config::{self, Source};
use crate::deliver::sign::{Key, new_secret};
use crate::model::hash;
use crate::runtime::clock::Clock;
use crate::runtime::files;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::{self, Panics};
use crate::telemetry;

/// Everything that acts in the story.
pub(super) struct Scene {
    pub(super) folder: Folder,
    pub(super) orders: Orders,
    pub(super) orders_at: SocketAddr,
    pub(super) receiver: Receiver,
    pub(super) traffic: Traffic,
    pub(super) proxy: String,
    pub(super) admin: String,
    /// The broker that events are relayed to as well.
    pub(super) kafka: Option<String>,
    interrupted: JoinHandle<()>,
    instance: Option<Running>,
    actors: Runtime,
}

/// Where configuration and data are; removed at the end unless it is to be kept.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) is_kept: bool,
}

/// Folders of demos are told apart by their process.
const PREFIX: &str = "driftgate-demo-";

impl Scene {
    /// Starts the actors and driftgate between them.
    pub(super) fn set(arguments: &Arguments, clock: &Clock) -> Result<Self> {
        let folder = Folder::make(arguments.keep.as_deref())?;
        let (rng, panics) = (Rng::seeded(arguments.seed), Panics::default());
        let actors = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("demo-actors")
            .enable_all()
            .build()
            .context("cannot start the actors")?;

        let cast = Cast::draw(&rng);
        let shop = Shop::open(arguments.seed, &now(clock));
        let orders = Orders::new(shop, cast.known(), clock.clone());
        let secret = new_secret(Rng::system().bytes());
        let key =
            Key::read(secret.reveal()).context("cannot read the secret that was just made")?;
        let receiver = Receiver::new(key, clock.clone());
        let (orders_at, receiver_at) = {
            let _inside = actors.enter();
            let serve_preferably = |port, router| -> Result<SocketAddr> {
                let listener = actors.block_on(bind(port))?;
                let address = listener.local_addr()?;
                serve(listener, router, &panics);
                Ok(address)
            };
            (serve_preferably(3000, orders.router())?, serve_preferably(3001, receiver.router())?)
        };

        folder.write("webhook-secret", secret.reveal())?;
        folder.write("api-key", &cast.tester)?;
        let text = configuration(orders_at, receiver_at, arguments.kafka.as_deref());
        folder.write("driftgate.yaml", &text)?;
        let instance = start(&folder.path.join("driftgate.yaml"))?;
        let proxy = instance.listeners().into_iter().next().unwrap_or_default();
        let proxy_at: SocketAddr = proxy
            .strip_prefix("http://")
            .and_then(|address| address.parse().ok())
            .context("the proxy listens at no TCP address")?;
        let traffic = {
            let _inside = actors.enter();
            Traffic::begin(proxy_at, &cast.consumers, &rng, clock, &panics)
        };
        Ok(Self {
            admin: instance.admin_url(),
            orders,
            orders_at,
            receiver,
            traffic,
            proxy,
            kafka: arguments.kafka.clone(),
            interrupted: folder.remove_when_interrupted(&actors, &panics),
            folder,
            instance: Some(instance),
            actors,
        })
    }

    /// Returns at Ctrl-C.
    pub(super) fn until_interrupted(&self) {
        self.interrupted.abort();
        // Without a handler Ctrl-C ends the process at once, which is as good.
        drop(self.actors.block_on(tokio::signal::ctrl_c()));
    }

    /// Ends driftgate in order, then everybody else; then nothing is left but what is to be kept.
    pub(super) fn strike(mut self) {
        if let Some(instance) = self.instance.take() {
            // What it had to abandon concerned a demo that is over.
            drop(instance.stop(Duration::ZERO));
        }
    }
}

fn start(file: &Path) -> Result<Running> {
    let source = Source { file: Some(file.to_owned()), ..Source::default() };
    let loaded = config::load(&source, &config::environment)
        .map_err(|error| anyhow::anyhow!("{}", error.explain()))?;
    telemetry::init(&loaded.config.log).map_err(anyhow::Error::msg)?;
    Ok(app::start(loaded)?)
}

/// The configuration that the story runs on; everything else is default.
fn configuration(orders: SocketAddr, receiver: SocketAddr, kafka: Option<&str>) -> String {
    let kafka = kafka.map_or_else(String::new, |broker| {
        format!("\nkafka:\n  brokers: [\"{broker}\"]\n  topic_prefix: driftgate-demo.\n")
    });
    format!(
        "# What `driftgate demo` ran on.
deployment: demo
data_dir: data
listeners:
  - address: 127.0.0.1:{proxy}
admin:
  address: 127.0.0.1:{admin}
apis:
  - name: orders
    upstream: http://{orders}
webhooks:
  - name: on-call
    url: http://{receiver}/hooks/driftgate
    events: [\"contract.*\"]
    secret: {{ file: webhook-secret }}
auth_providers:
  - kind: api_key
    name: contract-test
    key: x-api-key
    value: {{ file: api-key }}
actions:
  - name: verify-contract
    api: orders
    events: [contract.drift.opened]
    managed:
      contract_test:
        base_url: http://{orders}
        # Off: the API is held to what was frozen. On, the specification of the event would hold both types, and pass.
        use_event_specification: false
        specification: baseline
        auth_provider: contract-test
        rate: 200/s
log:
  level: warn
{kafka}",
        proxy = free(8080),
        admin = free(9090),
    )
}

/// The port, or 0 (any free one) when somebody has it.
fn free(port: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port)
}

/// The API keys of everybody who calls the orders API.
pub(super) struct Cast {
    /// In the order of [`CONSUMERS`].
    pub(super) consumers: Vec<String>,
    pub(super) tester: String,
}

impl Cast {
    pub(super) fn draw(rng: &Rng) -> Self {
        Self {
            consumers: CONSUMERS.iter().map(|(name, _)| api_key(name, rng)).collect(),
            tester: api_key("contract-test", rng),
        }
    }

    /// Whom the API lets in.
    pub(super) fn known(&self) -> BTreeSet<String> {
        self.consumers.iter().chain([&self.tester]).cloned().collect()
    }
}

fn api_key(name: &str, rng: &Rng) -> String {
    format!("{name}-{}", hash::hexadecimal(&rng.bytes::<12>()))
}

impl Folder {
    /// The folder to keep, or a temporary one of this process; those of demos that were killed are removed.
    fn make(keep: Option<&Path>) -> Result<Self> {
        let temporary = std::env::temp_dir();
        for name in files::names_in(&temporary) {
            let process = name.strip_prefix(PREFIX).and_then(|process| process.parse().ok());
            if process.is_some_and(is_gone) {
                // Another user's folder stays; it is theirs to remove.
                drop(files::remove_folder(&temporary.join(name)));
            }
        }
        let path = keep.map_or_else(
            || temporary.join(format!("{PREFIX}{}", std::process::id())),
            Path::to_owned,
        );
        files::make_folder(&path)?;
        Ok(Self { path, is_kept: keep.is_some() })
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        files::write_private(&self.path.join(name), text.as_bytes())?;
        Ok(())
    }
}

impl Folder {
    /// Ctrl-C before the end of the story: nothing is left behind, and nobody is waited for.
    fn remove_when_interrupted(&self, actors: &Runtime, panics: &Panics) -> JoinHandle<()> {
        let (path, is_kept) = (self.path.clone(), self.is_kept);
        let _inside = actors.enter();
        supervise::task("demo interruption", panics, async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                drop(Self { path, is_kept });
                tell("interrupted");
                supervise::exit(3);
            }
        })
    }
}

fn is_gone(process: i32) -> bool {
    let process = rustix::process::Pid::from_raw(process);
    process.is_none_or(|process| {
        rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
    })
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // The next demo removes what could not be removed now.
            drop(files::remove_folder(&self.path));
        }
    }
}

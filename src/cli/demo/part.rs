//! `driftgate demo --part`: one actor of the demo as a process of its own, as `compose.yaml` runs them.
//!
//! Owns where an actor listens or goes, and how it ends. The actors agree on API keys by the seed, and on the webhook's secret
//! by a file that the receiver makes. Refuses to own what the actors do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use super::now;
use super::orders::{Orders, Shop};
use super::receiver::Receiver;
use super::scene::Cast;
use super::serve::serve;
use super::traffic::{Pace, Traffic};
use crate::cli::console::{say_line, tell};
use crate::deliver::sign::{Key, new_secret};
use crate::runtime::clock::Clock;
use crate::runtime::files;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::Panics;

/// An actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Part {
    /// The orders API, at `--listen`
    Api,
    /// Its six clients, who send to `--to`
    Traffic,
    /// A webhook receiver that checks signatures, at `--listen`
    Receiver,
}

/// How one actor is played.
#[derive(Debug, clap::Args)]
pub(super) struct Direction {
    /// Play one actor alone, until SIGTERM
    #[arg(long, value_enum, value_name = "PART")]
    pub(super) part: Option<Part>,
    /// Where the API or the receiver listens
    #[arg(long, value_name = "ADDRESS", requires = "part", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Whom the clients send to
    #[arg(long, value_name = "HOST:PORT", required_if_eq("part", "traffic"))]
    to: Option<String>,
    /// Which release of the API: 2.0 breaks its promise
    #[arg(long, value_name = "RELEASE", value_parser = ["1.0", "2.0"], default_value = "1.0")]
    release: String,
    /// The webhook's secret; the receiver makes the file when it is not there
    #[arg(long, value_name = "FILE", required_if_eq("part", "receiver"))]
    secret_file: Option<PathBuf>,
}

/// How often the clients try to reach who is not there yet.
const RETRY: Duration = Duration::from_secs(1);
const SECRET_MAX: u64 = 4_096;

/// Plays `part` until SIGTERM or Ctrl-C: 0, or 2 when it could not begin.
pub(super) fn play(part: Part, direction: &Direction, seed: u64) -> u8 {
    let played = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start a thread")
        .and_then(|runtime| runtime.block_on(direction.play(part, seed)));
    match played {
        Ok(()) => 0,
        Err(error) => {
            tell(&format!("error[demo.not-started]: {error:#}"));
            2
        }
    }
}

impl Direction {
    async fn play(&self, part: Part, seed: u64) -> Result<()> {
        let (clock, rng, panics) = (Clock::real(), Rng::seeded(seed), Panics::default());
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let cast = Cast::draw(&rng);
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                // Without a handler Ctrl-C ends the process at once, which is as good.
                ended = tokio::signal::ctrl_c() => drop(ended),
            }
        };
        match part {
            Part::Api => {
                let shop = Shop::open(seed, &now(&clock));
                let orders = Orders::new(shop, cast.known(), clock);
                if self.release == "2.0" {
                    orders.deploy_second_release();
                }
                say_line(&format!("orders API  {}", self.serve(orders.router(), &panics).await?));
                end.await;
            }
            Part::Receiver => {
                let path = self.secret_file.as_deref().context("--secret-file lacks")?;
                let receiver = Receiver::new(secret(path)?, clock).aloud();
                say_line(&format!("receiver    {}", self.serve(receiver.router(), &panics).await?));
                end.await;
            }
            Part::Traffic => {
                let to = self.to.as_deref().context("--to lacks")?;
                let clients = async {
                    let address = reach(to, &clock).await;
                    say_line(&format!("six clients of http://{address}"));
                    let traffic = Traffic::begin(address, &cast.consumers, &rng, &clock, &panics);
                    traffic.set_pace(Pace::Steady);
                    std::future::pending::<()>().await;
                };
                tokio::select! { () = end => {}, () = clients => {} }
            }
        }
        Ok(())
    }

    async fn serve(&self, router: axum::Router, panics: &Panics) -> Result<String> {
        let bound = TcpListener::bind(self.listen).await;
        let listener = bound.with_context(|| format!("cannot listen at {}", self.listen))?;
        let address = listener.local_addr().context("cannot tell where it listens")?;
        serve(listener, router, panics);
        Ok(format!("http://{address}"))
    }
}

/// The address that answers, as soon as one does.
async fn reach(to: &str, clock: &Clock) -> SocketAddr {
    loop {
        if let Ok(stream) = TcpStream::connect(to).await
            && let Ok(address) = stream.peer_addr()
        {
            return address;
        }
        clock.sleep(RETRY).await;
    }
}

/// The webhook's secret, made when there is none yet.
fn secret(path: &Path) -> Result<Key> {
    if !files::exists(path) {
        let made = new_secret(Rng::system().bytes());
        files::write_private(path, made.reveal().as_bytes())?;
    }
    let text = files::read_text(path, SECRET_MAX)?;
    Key::read(text.trim()).with_context(|| format!("{} holds no webhook secret", path.display()))
}

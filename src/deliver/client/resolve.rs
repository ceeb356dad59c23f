//! Names to addresses that may be dialled: the resolver of the HTTP client.
//!
//! Owns asking the system within a time, judging every answer, and saying why nothing is left. Refuses to own the policy
//! (`guard`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::deliver::guard::{Ground, Guard, Target, Trust};
use crate::runtime::clock::Clock;

/// Asks for the addresses of a name. The system's by default; tests script it.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// # Errors
    /// When the name has no address or cannot be asked for.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
pub struct System;

#[async_trait]
impl Resolve for System {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The addresses our own listeners are bound to. Filled by whoever starts them, since ports may be chosen by the system.
#[derive(Debug, Default)]
pub struct Own(RwLock<Vec<SocketAddr>>);

impl Own {
    pub fn replace(&self, listeners: Vec<SocketAddr>) {
        *self.0.write() = listeners;
    }

    /// Whether a listener of ours answers at this address: one of our ports, on this machine.
    #[must_use]
    pub fn answers(&self, address: IpAddr, port: u16) -> bool {
        let ours = self.0.read().iter().any(|listener| listener.port() == port);
        // Only an address of this machine can be bound.
        ours && std::net::UdpSocket::bind((address, 0)).is_ok()
    }
}

/// Why a name gives no address to dial.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("cannot resolve `{host}`")]
    Lookup {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("resolving `{host}` took longer than {limit_ms} ms")]
    Late { host: String, limit_ms: u128 },
    #[error("`{host}` has no address")]
    Empty { host: String },
    #[error("address {address} is forbidden by rule {ground}")]
    Blocked { address: IpAddr, ground: Ground },
}

/// Everything that decides which addresses one client may dial.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) guard: Arc<Guard>,
    pub(super) own: Arc<Own>,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) clock: Clock,
}

impl Checked {
    pub(super) fn judge(&self, target: Target<'_>, trust: Trust) -> Result<(), Refusal> {
        let is_own = |address, port| self.own.answers(address, port);
        self.guard
            .judge(target, trust, &is_own)
            .map_err(|ground| Refusal::Blocked { address: target.address, ground })
    }

    /// The addresses of `host` that may be dialled; of mixed answers the allowed ones.
    pub(super) async fn resolve(
        &self,
        host: &str,
        port: u16,
        trust: Trust,
        limit: Duration,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let found = tokio::select! {
            found = self.resolver.lookup(&host) => found,
            () = self.clock.sleep(limit) => {
                return Err(Refusal::Late { host, limit_ms: limit.as_millis() });
            }
        };
        let found = found.map_err(|source| Refusal::Lookup { host: host.clone(), source })?;
        let mut refusal = Refusal::Empty { host: host.clone() };
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match self.judge(Target { host: Some(&host), address, port }, trust) {
                Ok(()) => allowed.push(SocketAddr::new(address, port)),
                Err(blocked) => refusal = blocked,
            }
        }
        if allowed.is_empty() { Err(refusal) } else { Ok(allowed) }
    }
}

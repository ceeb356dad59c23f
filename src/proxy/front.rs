//! Takes accepted connections, wraps them, and hands them to pingora's proxy.
//!
//! Owns the limit on connections and the question which listener a connection came in on. Everything after that is pingora's.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp as _, ServerApp};
use pingora::protocols::l4::socket::SocketAddr as SocketAddress;
use pingora::protocols::{SocketDigest, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;

use super::conn::{Conn, Connection, Open, Rules};
use super::forward::Origin;
use super::hooks::Plane;
use super::listen::Bound;
use super::metrics::{Counters, Refused};
use super::tls::ClientCertificate;

/// What all listeners share.
pub(super) struct Front {
    pub(super) proxy: Arc<HttpProxy<Plane>>,
    pub(super) listeners: Vec<Arc<Bound>>,
    pub(super) counters: Arc<Counters>,
    /// But for `h2c`, which is the listener's.
    pub(super) rules: Rules,
    pub(super) connections_max: u64,
    /// Queues of captures that connections are spread over.
    pub(super) workers: u64,
    pub(super) accepted: AtomicU64,
}

impl Front {
    fn wrap(&self, stream: Stream) -> Option<Conn> {
        if self.counters.open() >= self.connections_max {
            self.counters.refuse(Refused::Limit);
            return None;
        }
        let socket = stream.get_socket_digest();
        let local = socket.as_deref().and_then(SocketDigest::local_addr);
        let (index, bound) = self.listener(local)?;
        let tls = stream.get_ssl_digest();
        let certificate = tls.as_deref().and_then(|tls| tls.extension.get::<ClientCertificate>());
        let peer = socket.as_deref().and_then(SocketDigest::peer_addr).and_then(address);
        let origin = Origin::new(peer, tls.is_some(), certificate.map(|shown| shown.0.as_slice()));
        let turn = self.accepted.fetch_add(1, Relaxed) % self.workers.max(1);
        let connection = Connection::new(
            index,
            Arc::clone(&bound.name),
            origin,
            u16::try_from(turn).unwrap_or(0),
            self.rules.clock.monotonic_ns(),
        );
        let open = Open::new(&self.counters, index);
        let rules = Rules { h2c: bound.h2c, ..self.rules.clone() };
        Some(Conn::new(stream, connection, open, rules))
    }

    /// The listener with this local address; an exact one before one for all addresses.
    fn listener(&self, local: Option<&SocketAddress>) -> Option<(usize, &Arc<Bound>)> {
        let fits = |exact: bool| {
            self.listeners.iter().enumerate().find(|(_, bound)| bound.accepts(local, exact))
        };
        fits(true).or_else(|| fits(false))
    }
}

/// The peer's address, an IPv4 one in IPv6 clothes as IPv4.
fn address(peer: &SocketAddress) -> Option<IpAddr> {
    peer.as_inet().map(|peer| peer.ip().to_canonical())
}

#[async_trait]
impl ServerApp for Front {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let conn = self.wrap(stream)?;
        self.proxy.process_new(Box::new(conn), shutdown).await
    }

    async fn cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

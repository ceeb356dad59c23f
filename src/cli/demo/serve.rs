//! The HTTP servers of the demo: on loopback, on a free port, until the demo ends.
//!
//! Owns accepting and speaking HTTP/1.1. Refuses to own the limits of a public server: only the demo itself connects.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::runtime::supervise::{self, Panics};

/// Serves `router` on a free port of 127.0.0.1, preferably `wanted`; gives the address.
pub(super) async fn serve(wanted: u16, router: Router, panics: &Panics) -> io::Result<SocketAddr> {
    let listener = bind(wanted).await?;
    let address = listener.local_addr()?;
    let connections = panics.clone();
    supervise::task("demo server", panics, async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            supervise::task("demo connection", &connections, async move {
                // A client that goes away in the middle is its own affair.
                drop(connection.await);
            });
        }
    });
    Ok(address)
}

/// The wanted port, or any other when it is taken.
async fn bind(wanted: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", wanted)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind(("127.0.0.1", 0)).await
        }
        bound => bound,
    }
}

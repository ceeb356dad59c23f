//! The HTTP servers of the demo, until the demo ends.
//!
//! Owns accepting and speaking HTTP/1.1. Refuses to own the limits of a public server: only the demo connects.

use std::io;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::runtime::supervise::{self, Panics};

/// Serves `router` to whoever connects, in the background. Call it inside a runtime.
pub(super) fn serve(listener: TcpListener, router: Router, panics: &Panics) {
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
}

/// The wanted port of 127.0.0.1, or any other when it is taken.
pub(super) async fn bind(wanted: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", wanted)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind(("127.0.0.1", 0)).await
        }
        bound => bound,
    }
}

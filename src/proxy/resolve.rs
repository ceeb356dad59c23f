//! Looks the names of upstreams up, on the control runtime and never on a data thread (`spec/proxy.md` 5).
//!
//! Owns when: at start, after each reload, and every 30 s. A failed look-up keeps the last addresses. Refuses to own which
//! address is tried.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::view::{Live, View};
use crate::runtime::clock::Clock;
use crate::telemetry::signals::proxy::Unresolved;

const EVERY: Duration = Duration::from_secs(30);
/// How long a start or reload waits for names at most.
const FIRST: Duration = Duration::from_secs(3);

/// Looks every name of a view up once, all at the same time, and waits for at most [`FIRST`].
pub(super) async fn first(view: &View, clock: &Clock) {
    tokio::select! {
        () = all(view) => {}
        () = clock.sleep(FIRST) => {}
    }
}

/// Looks the names of the live view up again and again.
pub(super) async fn forever(live: Arc<ArcSwap<Live>>, clock: Clock) {
    loop {
        clock.sleep(EVERY).await;
        let live = live.load_full();
        all(&live.view).await;
    }
}

async fn all(view: &View) {
    let lookups = view.apis().iter().filter_map(|api| {
        let (host, port) = api.upstream.name()?;
        Some(async move {
            match tokio::net::lookup_host((host, port)).await {
                Ok(addresses) => api.upstream.resolved(addresses.collect()),
                Err(error) => Unresolved { api: &api.name, error: &error }.tell(),
            }
        })
    });
    futures_join(lookups.collect()).await;
}

/// Polls all of them until each has ended.
async fn futures_join(lookups: Vec<impl Future<Output = ()>>) {
    let mut lookups: Vec<_> = lookups.into_iter().map(|lookup| Some(Box::pin(lookup))).collect();
    std::future::poll_fn(|context| {
        for slot in &mut lookups {
            if slot.as_mut().is_some_and(|lookup| lookup.as_mut().poll(context).is_ready()) {
                *slot = None;
            }
        }
        if lookups.iter().all(Option::is_none) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

//! The only spawner of threads and tasks: every one has a name, and a panic in it is caught, counted and told.
//!
//! Owns naming, catching and restarting with growing waits. Refuses to own what runs.

#![expect(clippy::disallowed_methods, reason = "this file is the one home of spawning")]

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Counts what ended by a panic. Cheap to clone; the default counter is shared with nobody.
#[derive(Debug, Clone, Default)]
pub struct Panics(Arc<AtomicU64>);

impl Panics {
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, name: &str, payload: &(dyn Any + Send)) {
        self.0.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            part = name,
            panic = message(payload),
            "a part of driftgate panicked; the rest goes on"
        );
    }
}

/// Starts a named OS thread. A panic ends that thread alone and is counted.
///
/// # Errors
/// When the system refuses another thread.
pub fn thread(
    name: &str,
    panics: &Panics,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let (owned, panics) = (name.to_owned(), panics.clone());
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
            panics.add(&owned, &*payload);
        }
    })
}

/// Starts a named task on the current runtime. A panic ends that task alone and is counted.
pub fn task(
    name: &'static str,
    panics: &Panics,
    work: impl Future<Output = ()> + Send + 'static,
) -> tokio::task::JoinHandle<()> {
    let panics = panics.clone();
    tokio::spawn(async move {
        let inner = tokio::spawn(work);
        let abort = AbortOnDrop(inner.abort_handle());
        if let Err(error) = inner.await
            && let Ok(payload) = error.try_into_panic()
        {
            panics.add(name, &*payload);
        }
        drop(abort);
    })
}

/// Runs blocking work off the current runtime's threads and returns its result; none when it panicked.
pub async fn blocking<T: Send + 'static>(
    name: &'static str,
    panics: &Panics,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => Some(value),
        Err(error) => {
            if let Ok(payload) = error.try_into_panic() {
                panics.add(name, &*payload);
            }
            None
        }
    }
}

/// Runs one piece of work; none, and one more on the counter, when it panicked.
pub fn caught<T>(name: &str, panics: &Panics, work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            panics.add(name, &*payload);
            None
        }
    }
}

/// Makes the calling thread give way to others (nice +10). A refusal changes nothing but the order of service.
pub fn lower_priority() {
    if rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10).is_err() {
        tracing::debug!("the system refused a lower priority for a background thread");
    }
}

/// The name of this host, `localhost` when the system does not say.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Ends the process at once. For a second signal alone: nothing is flushed.
pub fn exit(code: i32) -> ! {
    #[expect(clippy::exit, reason = "the one place that a second signal ends in")]
    std::process::exit(code)
}

/// Ends the inner task when the outer one is aborted.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_ends_only_its_own_work() {
        let panics = Panics::default();
        assert_eq!(caught("test", &panics, || -> u8 { std::panic::panic_any("broken") }), None);
        assert_eq!(caught("test", &panics, || 7), Some(7));
        assert_eq!(panics.count(), 1);
    }
}

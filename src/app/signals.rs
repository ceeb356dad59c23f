//! The operator's signals: SIGTERM and SIGINT end the process, SIGHUP reloads, a second end signal ends it at once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::runtime::supervise;
use crate::telemetry::signals::app as told;

use super::{Error, Running};

/// What a signal asks for.
enum Order {
    Stop { pre_stop: Duration },
    Reload,
}

/// Serves until a signal ends it, then drains. The exit code.
pub(super) fn serve_until_told(running: Running) -> Result<u8, Error> {
    let handle = running.control.handle().clone();
    let mut signals = {
        let _inside = handle.enter();
        Signals::listen().map_err(Error::Thread)?
    };
    loop {
        let pre_stop = running.loaded.load().config.shutdown.pre_stop.0;
        match handle.block_on(signals.next(pre_stop)) {
            Order::Reload => {
                // The outcome is told, counted and shown by whoever reloads.
                let _outcome = handle.block_on(running.configuration.reload());
            }
            Order::Stop { pre_stop } => {
                let panics = running.configuration.panics();
                let second = {
                    let _inside = handle.enter();
                    supervise::task("second signal", &panics, end_at_once(signals))
                };
                let stopped = running.stop(pre_stop);
                second.abort();
                return Ok(if stopped.is_ok() { 0 } else { 3 });
            }
        }
    }
}

/// A second signal while draining: whoever sends it means it.
async fn end_at_once(mut signals: Signals) {
    signals.next(Duration::ZERO).await;
    told::Abandoned { parts: "everything, by a second signal" }.tell();
    supervise::exit(3);
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self, pre_stop: Duration) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop { pre_stop },
            _ = self.interrupt.recv() => Order::Stop { pre_stop: Duration::ZERO },
            _ = self.hangup.recv() => Order::Reload,
        }
    }
}

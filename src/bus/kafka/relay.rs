//! The relay's thread: sessions, one after the other, until driftgate stops.
//!
//! Owns what happens between two sessions: the wait, a new producer after a fatal error, the problem in the health. What
//! happens within one is `session`.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::producer::Producer as _;
use tokio::runtime::{Builder, Runtime};

use super::client::{self, Producer};
use super::error::Error;
use super::health::Status;
use super::session::Session;
use super::{Connection, KafkaOptions, topics};
use crate::bus::RELAY_CURSOR;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown;
use crate::store::{self, Change};
use crate::telemetry::signals::bus::{RelayFailed, RelayStopped};

/// Wait after a failed session; doubles up to the maximum.
const WAIT_MIN: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(10);

pub(super) struct Relay {
    pub(super) store: store::Handle,
    pub(super) options: KafkaOptions,
    pub(super) producer: Producer,
    pub(super) status: Arc<Status>,
    pub(super) clock: Clock,
    pub(super) shutdown: shutdown::Watch,
}

impl Relay {
    /// Works until the stage of its shutdown begins.
    pub(super) fn run(mut self) {
        let runtime = match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => return RelayStopped { error: &error }.tell(),
        };
        let mut wait = WAIT_MIN;
        while !self.shutdown.has_begun() {
            let before = self.cursor().unwrap_or(0);
            let Err(error) = self.session(&runtime) else { return };
            if matches!(&error, Error::Store { source: store::Error::Closed }) {
                return;
            }
            self.status.set_problem(Some(error.to_string()));
            RelayFailed { error: &error, wait }.tell();
            if let Err(error) = self.renew() {
                return RelayStopped { error: &error }.tell();
            }
            // A session that got on is followed quickly.
            let got_on = self.cursor().is_ok_and(|cursor| cursor > before);
            wait = if got_on { WAIT_MIN } else { wait };
            self.pause(&runtime, wait);
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// One session, from the cursor to a failure or the shutdown.
    fn session(&self, runtime: &Runtime) -> Result<(), Error> {
        // Set before anything else: from here on history is kept for us.
        let position = self.cursor()?;
        let kept = Change::Cursor { name: RELAY_CURSOR, position };
        self.store.commit_blocking(vec![kept]).map_err(|source| Error::Store { source })?;
        self.status.set_progress(position, None);
        topics::ensure(&self.producer, &self.options, runtime)?;
        self.producer.context().answered();
        self.status.set_problem(None);
        Session::new(self, topics::events(&self.options), position, runtime).run()
    }

    fn cursor(&self) -> Result<i64, Error> {
        self.store
            .read_blocking(|reader| reader.cursor(RELAY_CURSOR))
            .map(Option::unwrap_or_default)
            .map_err(|source| Error::Store { source })
    }

    /// A producer with a fatal error never sends again.
    fn renew(&mut self) -> Result<(), Error> {
        if self.producer.client().fatal_error().is_some() {
            let connection = Connection::new(Arc::clone(&self.status), self.clock.clone());
            self.producer = client::producer(&self.options, connection)?;
        }
        Ok(())
    }

    fn pause(&self, runtime: &Runtime, wait: Duration) {
        let mut shutdown = self.shutdown.clone();
        runtime.block_on(async {
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = shutdown.begun() => {}
            }
        });
        // Serve what the client has to say meanwhile, such as that the brokers are back.
        self.producer.poll(Duration::ZERO);
    }
}

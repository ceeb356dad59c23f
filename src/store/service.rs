//! The running part beside the writer: rounds of trimming.
//!
//! Owns when; `retention` owns what. A round goes step by step through the writer's queue, so that commits go between.

use std::time::Duration;

use tokio::sync::oneshot;

use super::writer::Operation;
use super::{Error, Handle};
use crate::runtime::clock::Clock;
use crate::runtime::shutdown;
use crate::telemetry::signals::store::{TrimFailed, Trimmed};

/// From one round to the next.
const ROUND: Duration = Duration::from_mins(1);

/// Cuts history by age and quota, and looks whether a full disk has room again.
#[derive(Debug)]
pub struct Service {
    pub(super) store: Handle,
    pub(super) clock: Clock,
}

impl Service {
    /// Works until the stage of `shutdown` begins or the store is closed.
    pub async fn run(self, mut shutdown: shutdown::Watch) {
        loop {
            match self.round().await {
                Ok(0) => {}
                Ok(rows) => Trimmed { rows }.tell(),
                Err(Error::Closed) => return,
                Err(error) => TrimFailed { error: &error }.tell(),
            }
            tokio::select! {
                () = shutdown.begun() => return,
                () = self.clock.sleep(ROUND) => {}
            }
        }
    }

    /// Trims all that may go now; how many rows went.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn round(&self) -> Result<usize, Error> {
        let (mut removed, mut begin) = (0, true);
        loop {
            let (reply, answer) = oneshot::channel();
            self.store.send(Operation::Trim { begin, reply }).await?;
            let step = answer.await.map_err(|_| Error::Closed)??;
            removed += step.removed;
            begin = false;
            if !step.more {
                return Ok(removed);
            }
        }
    }
}

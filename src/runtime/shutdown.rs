//! Shutdown in stages: who must stop, in which order, and who did not in time.
//!
//! Owns the signal that a stage has begun. A component takes a [`Watch`], ends its work when told, and drops its [`Guard`];
//! `app` walks the stages and reports by name what it had to abandon.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::clock::Clock;

/// The trigger of one stage.
#[derive(Debug, Clone)]
pub struct Stage {
    begun: watch::Sender<bool>,
    running: watch::Sender<usize>,
    names: Arc<Mutex<Vec<String>>>,
}

/// Tells a component that its stage has begun. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Watch(watch::Receiver<bool>);

/// Held by a component for as long as it works.
#[derive(Debug)]
pub struct Guard {
    name: String,
    running: watch::Sender<usize>,
    names: Arc<Mutex<Vec<String>>>,
}

impl Default for Stage {
    fn default() -> Self {
        Self { begun: watch::channel(false).0, running: watch::channel(0).0, names: Arc::default() }
    }
}

impl Stage {
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(self.begun.subscribe())
    }

    /// Registers a component that the stage has to wait for.
    #[must_use]
    pub fn guard(&self, name: &str) -> Guard {
        self.names.lock().push(name.to_owned());
        self.running.send_modify(|count| *count += 1);
        Guard {
            name: name.to_owned(),
            running: self.running.clone(),
            names: Arc::clone(&self.names),
        }
    }

    /// Begins the stage without waiting.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Begins the stage and waits until every guard is dropped or the deadline passes.
    ///
    /// # Errors
    /// The names of the components that still held a guard.
    pub async fn finish(&self, clock: &Clock, deadline: Duration) -> Result<(), Vec<String>> {
        self.begin();
        let mut running = self.running.subscribe();
        let ended = async { drop(running.wait_for(|count| *count == 0).await) };
        tokio::select! {
            () = ended => Ok(()),
            () = clock.sleep(deadline) => Err(self.names.lock().clone()),
        }
    }
}

impl Watch {
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the stage begins; also ends when the stage itself is gone.
    pub async fn begun(&mut self) {
        drop(self.0.wait_for(|begun| *begun).await);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut names = self.names.lock();
        if let Some(index) = names.iter().position(|name| *name == self.name) {
            names.swap_remove(index);
        }
        drop(names);
        self.running.send_modify(|count| *count -= 1);
    }
}

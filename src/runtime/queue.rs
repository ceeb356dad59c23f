//! Bounded queues: by count, with a counter for what did not fit.
//!
//! Owns the policy "the new one is dropped and counted" for callers that must not wait, and the waiting form for those that
//! may. Refuses unbounded channels.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

/// The sending end. Cheap to clone.
#[derive(Debug)]
pub struct Sender<T> {
    inner: mpsc::Sender<T>,
    dropped: Arc<AtomicU64>,
}

/// The receiving end.
#[derive(Debug)]
pub struct Receiver<T>(mpsc::Receiver<T>);

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiving part has stopped")]
pub struct Closed;

/// Makes a queue for `capacity` items (at least 1).
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (Sender { inner: sender, dropped: Arc::default() }, Receiver(receiver))
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), dropped: Arc::clone(&self.dropped) }
    }
}

impl<T> Sender<T> {
    /// Queues the item, or drops it and counts when the queue is full or closed. Never waits.
    pub fn offer(&self, item: T) -> bool {
        let fits = self.inner.try_send(item).is_ok();
        if !fits {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    /// Waits for room.
    ///
    /// # Errors
    /// When the receiver is gone.
    pub async fn send(&self, item: T) -> Result<(), Closed> {
        self.inner.send(item).await.map_err(|_| Closed)
    }

    /// Waits for room on a thread that is no runtime's.
    ///
    /// # Errors
    /// When the receiver is gone.
    pub fn send_blocking(&self, item: T) -> Result<(), Closed> {
        self.inner.blocking_send(item).map_err(|_| Closed)
    }

    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Items waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.max_capacity() - self.inner.capacity()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Receiver<T> {
    /// The next item; none when every sender is gone.
    pub async fn recv(&mut self) -> Option<T> {
        self.0.recv().await
    }

    /// The next item on a thread that is no runtime's; none when every sender is gone.
    pub fn recv_blocking(&mut self) -> Option<T> {
        self.0.blocking_recv()
    }

    /// An item that is already there.
    pub fn try_recv(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }

    /// Refuses further items; those queued can still be received.
    pub fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (sender, mut receiver) = bounded(2);
        assert_eq!([1, 2, 3].map(|item| sender.offer(item)), [true, true, false]);
        assert_eq!((sender.dropped(), sender.len()), (1, 2));
        assert_eq!(
            [receiver.try_recv(), receiver.try_recv(), receiver.try_recv()],
            [Some(1), Some(2), None]
        );
    }
}

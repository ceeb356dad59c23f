//! Bytes that captures may hold between the tap and the end of their analysis: one atomic, charged and released.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What a record costs besides its heads and bodies.
pub(super) const RECORD_BYTES: usize = 1024;

#[derive(Debug)]
pub(super) struct Budget {
    held: AtomicU64,
    limit: u64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self { held: AtomicU64::new(0), limit }
    }

    /// Takes `bytes`, or nothing. Two threads at the edge may both be refused; neither goes over.
    pub(super) fn charge(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let before = self.held.fetch_add(bytes, Relaxed);
        let fits = before.saturating_add(bytes) <= self.limit;
        if !fits {
            self.held.fetch_sub(bytes, Relaxed);
        }
        fits
    }

    pub(super) fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes as u64, Relaxed);
    }

    pub(super) fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    /// Held bytes in thousandths of the limit.
    pub(super) fn fill(&self) -> u64 {
        self.held().saturating_mul(1000).checked_div(self.limit).unwrap_or(1000)
    }
}

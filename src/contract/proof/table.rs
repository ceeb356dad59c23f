//! The table of proofs: so many and no more, the ones not asked for of late give way.
//!
//! Owns places and eviction: buckets of eight, in each a clock that passes over what was used since it came by. Refuses to own
//! what a key is made of.

use std::collections::HashSet;
use std::sync::Arc;

use super::Proof;

/// Proofs of one baseline.
pub(super) const PROOFS_MAX: usize = 65_536;

/// Places that one key may be at.
const WIDTH: usize = 8;

/// Bytes of proofs beyond which the table begins anew.
const BYTES_MAX: usize = 64 << 20;

/// A place of 16 bytes. The lowest bit of the key tells whether it was used since the clock came by.
#[derive(Debug, Clone, Default)]
struct Entry {
    key: u64,
    proof: Option<Arc<Proof>>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Empty until the first proof.
    entries: Vec<Entry>,
    bytes: usize,
}

impl Table {
    /// What is known under a key.
    pub(super) fn get(&mut self, key: u64) -> Option<Arc<Proof>> {
        let bucket = self.bucket(key)?;
        let entry = bucket.iter_mut().find(|entry| entry.key | 1 == key | 1)?;
        let proof = entry.proof.clone()?;
        entry.key |= 1;
        Some(proof)
    }

    pub(super) fn insert(&mut self, key: u64, proof: &Arc<Proof>) {
        if self.bytes > BYTES_MAX {
            self.weigh();
        }
        if self.entries.is_empty() {
            self.entries.resize_with(PROOFS_MAX, Entry::default);
        }
        // Whoever shares a proof has paid for it.
        if Arc::strong_count(proof) == 1 {
            self.bytes += weight(proof);
        }
        let Some(bucket) = self.bucket(key) else { return };
        let place = place(bucket, key);
        let former = bucket.get_mut(place).and_then(|entry| {
            let new = Entry { key: key & !1, proof: Some(Arc::clone(proof)) };
            std::mem::replace(entry, new).proof
        });
        if let Some(former) = former.filter(|former| Arc::strong_count(former) == 1) {
            self.bytes = self.bytes.saturating_sub(weight(&former));
        }
    }

    /// Counts the bytes anew, since of shared proofs only an upper bound is kept; begins anew where most of them are held.
    fn weigh(&mut self) {
        let mut seen = HashSet::new();
        let held = self.entries.iter().filter_map(|entry| entry.proof.as_ref());
        let once = held.filter(|proof| seen.insert(Arc::as_ptr(proof)));
        self.bytes = once.map(|proof| weight(proof)).sum();
        if self.bytes > BYTES_MAX / 2 {
            *self = Self::default();
        }
    }

    pub(super) fn remove(&mut self, key: u64) {
        let entry = self
            .bucket(key)
            .and_then(|bucket| bucket.iter_mut().find(|entry| entry.key | 1 == key | 1));
        if let Some(entry) = entry {
            *entry = Entry::default();
        }
    }

    fn bucket(&mut self, key: u64) -> Option<&mut [Entry]> {
        let buckets = self.entries.len() / WIDTH;
        let number = usize::try_from(key >> 32).unwrap_or(0) & buckets.checked_sub(1)?;
        self.entries.get_mut(number * WIDTH..(number + 1) * WIDTH)
    }
}

/// Where a key goes: its own place, an empty one, else the first that was not used since the clock came by.
fn place(bucket: &mut [Entry], key: u64) -> usize {
    let own = bucket.iter().position(|entry| entry.key | 1 == key | 1);
    let free = || bucket.iter().position(|entry| entry.proof.is_none());
    if let Some(place) = own.or_else(free) {
        return place;
    }
    let unused = bucket.iter().position(|entry| entry.key & 1 == 0);
    for entry in bucket.iter_mut().take(unused.unwrap_or(WIDTH)) {
        entry.key &= !1;
    }
    unused.unwrap_or(0)
}

/// Bytes that a proof holds, roughly.
fn weight(proof: &Proof) -> usize {
    let fields: usize = proof.fields.iter().map(|(name, _)| 40 + name.len()).sum();
    256 + proof.flaws.len() * 1_024 + fields
}

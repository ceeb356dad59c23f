//! Bounded tables whose content does not depend on the order of arrival.
//!
//! Owns the rule that makes a limit exact under merge: the `K` entries smallest by (rank, hash) are kept, the others fold into
//! `rest`. An entry among the `K` smallest of the whole was among them in every part, so its counts are exact; what was once
//! evicted stays out, since the threshold only falls.

use super::codec::{Corrupt, Reader, Writer};
use super::monoid::Monoid;
use crate::model::hash::HashKey;

/// Up to `K` named entries.
#[derive(Debug, Clone)]
pub(super) struct Table<V, const K: usize> {
    /// Sorted by hash.
    entries: Vec<Entry<V>>,
    /// All entries that had no room, taken together.
    rest: Option<Box<V>>,
    /// How often its room was halved, where memory ran short.
    halvings: u8,
    /// Place of the greatest entry of a full table, once it was looked for: a flood of names asks again and again.
    greatest: Option<u16>,
}

impl<V: PartialEq, const K: usize> PartialEq for Table<V, K> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.rest == other.rest && self.halvings == other.halvings
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry<V> {
    pub(super) hash: u64,
    /// Smaller stays longer; a function of the name alone.
    pub(super) rank: u8,
    pub(super) name: Box<str>,
    pub(super) value: V,
}

/// What became of asking a table for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// At this place.
    Known(usize),
    /// Made at this place; others may have moved.
    Made(usize),
    /// It belongs to the rest.
    NoRoom,
}

/// What a table is asked for. Equal hashes are equal names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) hash: u64,
    pub(super) rank: u8,
    pub(super) text: &'a str,
}

impl<'a> Name<'a> {
    /// A name that needs no secrecy: media types, statuses, our own symbols.
    pub(super) fn public(text: &'a str) -> Self {
        Self { hash: HashKey::OFFLINE.hash(text.as_bytes()), rank: 0, text }
    }
}

/// Entries that a table of so many may hold; tests force fewer, so that limits bite.
pub(super) fn room(entries: usize) -> usize {
    #[cfg(test)]
    let entries = super::tests::caps::forced().map_or(entries, |cap| cap.min(entries));
    entries
}

/// Most halvings of one room.
pub(super) const HALVINGS_MAX: u8 = 6;

/// The bits below the halvings in the length of a table as written.
const LENGTH_BITS: u32 = 20;

/// What so many halvings leave of a room.
pub(super) fn halved(room: usize, halvings: u8) -> usize {
    (room >> halvings.min(HALVINGS_MAX)).max(1)
}

/// A length as it is written: that of tables whose room was never halved is itself.
pub(super) fn with_halvings(length: usize, halvings: u8) -> u64 {
    length as u64 | u64::from(halvings) << LENGTH_BITS
}

/// A written length and halvings.
pub(super) fn apart(written: u64) -> Result<(u64, u8), Corrupt> {
    let halvings = u8::try_from(written >> LENGTH_BITS).map_err(|_| Corrupt("halvings"))?;
    Ok((written & ((1 << LENGTH_BITS) - 1), halvings))
}

impl<V, const K: usize> Default for Table<V, K> {
    fn default() -> Self {
        Self { entries: Vec::new(), rest: None, halvings: 0, greatest: None }
    }
}

impl<V: Monoid, const K: usize> Table<V, K> {
    /// The entry of a name, made if there is room; else the rest. Second: whether it was made now.
    pub(super) fn slot(&mut self, name: Name<'_>) -> (&mut V, bool) {
        match self.find_or_make(name) {
            Slot::Known(at) => (self.at(at), false),
            Slot::Made(at) => (self.at(at), true),
            Slot::NoRoom => (self.rest_mut(), false),
        }
    }

    /// The place of the entry of a name, made if there is room.
    pub(super) fn find_or_make(&mut self, name: Name<'_>) -> Slot {
        match self.entries.binary_search_by_key(&name.hash, |entry| entry.hash) {
            Ok(at) => Slot::Known(at),
            Err(at) => self.make(at, name).map_or(Slot::NoRoom, Slot::Made),
        }
    }

    /// The value at a place just found; the rest for a place that is none.
    pub(super) fn at(&mut self, place: usize) -> &mut V {
        match self.entries.get_mut(place) {
            Some(entry) => &mut entry.value,
            None => self.rest.get_or_insert_default(),
        }
    }

    /// All that had no room.
    pub(super) fn rest_mut(&mut self) -> &mut V {
        self.rest.get_or_insert_default()
    }

    /// Inserts at a place found by search, evicting the greatest where there is no room; none when the name is the greatest
    /// itself.
    fn make(&mut self, at: usize, name: Name<'_>) -> Option<usize> {
        let mut at = at;
        if self.entries.len() >= self.room() {
            let (index, greatest) = self.greatest()?;
            if greatest < (name.rank, name.hash) {
                return None;
            }
            let evicted = self.entries.remove(index);
            self.rest_mut().merge(&evicted.value);
            at -= usize::from(index < at);
        }
        if self.entries.len() == self.entries.capacity() {
            // There are very many small tables: they grow by what they need.
            self.entries.reserve_exact((self.entries.len() / 4).max(1));
        }
        self.greatest = None;
        let Name { hash, rank, text } = name;
        self.entries.insert(at, Entry { hash, rank, name: text.into(), value: V::default() });
        Some(at)
    }

    fn room(&self) -> usize {
        halved(room(K), self.halvings)
    }

    /// Halves its room, for good; what has none left joins the rest.
    pub(super) fn halve(&mut self) {
        self.shrink(self.halvings.saturating_add(1));
    }

    /// Brings it down to the room that so many halvings leave. The result is what it would have been with that room at first.
    fn shrink(&mut self, halvings: u8) {
        self.halvings = self.halvings.max(halvings).min(HALVINGS_MAX);
        while self.entries.len() > self.room() {
            let Some((index, _)) = self.greatest() else { break };
            let evicted = self.entries.remove(index);
            self.greatest = None;
            self.rest_mut().merge(&evicted.value);
        }
    }

    /// The place of the greatest entry, with its rank and hash.
    fn greatest(&mut self) -> Option<(usize, (u8, u64))> {
        let order = |entry: &Entry<V>| (entry.rank, entry.hash);
        let found = self.greatest.or_else(|| {
            let last = self.entries.iter().enumerate().max_by_key(|(_, entry)| order(entry));
            last.and_then(|(place, _)| u16::try_from(place).ok())
        });
        self.greatest = found;
        let place = usize::from(found?);
        self.entries.get(place).map(|entry| (place, order(entry)))
    }

    pub(super) fn get(&self, hash: u64) -> Option<&Entry<V>> {
        let at = self.entries.binary_search_by_key(&hash, |entry| entry.hash).ok()?;
        self.entries.get(at)
    }

    pub(super) fn get_mut(&mut self, hash: u64) -> Option<&mut V> {
        let at = self.entries.binary_search_by_key(&hash, |entry| entry.hash).ok()?;
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Takes an entry out, as a collapse does.
    pub(super) fn take(&mut self, hash: u64) -> Option<Entry<V>> {
        let at = self.entries.binary_search_by_key(&hash, |entry| entry.hash).ok()?;
        self.greatest = None;
        Some(self.entries.remove(at))
    }

    /// All entries, by hash.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<V>> {
        self.entries.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<V>> {
        self.entries.iter_mut()
    }

    /// The values of all entries, and that of the rest.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|entry| &mut entry.value).chain(self.rest.as_deref_mut())
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn rest(&self) -> Option<&V> {
        self.rest.as_deref()
    }
}

impl<V: Monoid, const K: usize> Monoid for Table<V, K> {
    fn is_neutral(&self) -> bool {
        self.entries.is_empty() && self.rest.is_none() && self.halvings == 0
    }

    fn merge(&mut self, other: &Self) {
        self.shrink(other.halvings);
        for entry in &other.entries {
            let name = Name { hash: entry.hash, rank: entry.rank, text: &entry.name };
            self.slot(name).0.merge(&entry.value);
        }
        self.rest.merge(&other.rest);
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(with_halvings(self.entries.len(), self.halvings));
        for entry in &self.entries {
            writer.fixed(entry.hash);
            writer.varint(u64::from(entry.rank));
            writer.text(&entry.name);
            entry.value.write(writer);
        }
        self.rest.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let (length, halvings) = apart(reader.varint()?)?;
        if length > K as u64 {
            return Err(Corrupt("table length"));
        }
        let mut entries: Vec<Entry<V>> = Vec::new();
        for _ in 0..length {
            let hash = reader.fixed()?;
            if entries.last().is_some_and(|last| last.hash >= hash) {
                return Err(Corrupt("table order"));
            }
            let rank = u8::try_from(reader.varint()?).map_err(|_| Corrupt("rank"))?;
            let name = reader.text()?.into();
            let value = reader.nested(V::read)?;
            entries.push(Entry { hash, rank, name, value });
        }
        Ok(Self { entries, rest: Monoid::read(reader)?, halvings, greatest: None })
    }
}

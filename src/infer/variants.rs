//! Which members stand together in objects: key sets, and per value of a tag the members it goes with (8.6).
//!
//! Owns the counts that tell records fused from records apart. Refuses to own which tag is believed (`project`).

use super::codec::{Corrupt, Reader, Writer};
use super::monoid::{Capped, Count, Flag, Monoid, blocks};
use super::signature::mix;

/// Members that are told apart for one value of a tag.
const KEYS: usize = 64;

/// Values of a tag.
const VALUES: usize = 16;

blocks! {
    /// One member whose value may choose among variants of the object that holds it.
    pub(super) struct Tag {
        /// What goes with each value; booleans are `true` and `false`. Open: it had too many values, or one that may not be
        /// kept, and is no tag.
        values: Capped<VALUES, Variant>,
        /// A value was boolean.
        boolean: Flag,
    }
}

blocks! {
    /// Closed objects whose tag has one value.
    pub(super) struct Variant {
        n: Count,
        /// The members that stood in them.
        keys: KeyCounts,
    }
}

/// How often a member stood in the objects of a variant, and of which kinds it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyCount {
    /// Of the name, as in the table of members.
    pub(super) hash: u64,
    pub(super) k: Count,
    pub(super) rank: u8,
    /// Bits of [`super::shape::kind_bit`].
    pub(super) kinds: u8,
}

/// The `KEYS` members smallest by rank and hash, sorted by hash; small, since there are many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyCounts {
    pub(super) items: Vec<KeyCount>,
}

impl KeyCounts {
    /// Adds to the count of a member.
    pub(super) fn add(&mut self, count: KeyCount) {
        match self.items.binary_search_by_key(&count.hash, |item| item.hash) {
            Ok(at) => {
                if let Some(known) = self.items.get_mut(at) {
                    known.k.merge(&count.k);
                    known.kinds |= count.kinds;
                }
            }
            Err(at) => self.make(at, count),
        }
    }

    fn make(&mut self, at: usize, count: KeyCount) {
        let order = |item: &KeyCount| (item.rank, item.hash);
        if self.items.len() < super::table::room(KEYS) {
            self.items.insert(at, count);
            return;
        }
        let greatest = self.items.iter().enumerate().max_by_key(|(_, item)| order(item));
        if let Some((index, item)) = greatest
            && order(item) > order(&count)
        {
            self.items.remove(index);
            self.items.insert(at - usize::from(index < at), count);
        }
    }
}

impl Monoid for KeyCounts {
    fn merge(&mut self, other: &Self) {
        other.items.iter().for_each(|item| self.add(*item));
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(self.items.len() as u64);
        for KeyCount { hash, k, rank, kinds } in &self.items {
            writer.fixed(*hash);
            k.write(writer);
            writer.varint(u64::from(*rank));
            writer.varint(u64::from(*kinds));
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let length = reader.varint()?;
        if length > KEYS as u64 {
            return Err(Corrupt("members of a variant"));
        }
        let byte = |value: u64| u8::try_from(value).map_err(|_| Corrupt("member of a variant"));
        let mut items: Vec<KeyCount> = Vec::new();
        for _ in 0..length {
            let hash = reader.fixed()?;
            if items.last().is_some_and(|last| last.hash >= hash) {
                return Err(Corrupt("order of members"));
            }
            let k = Count::read(reader)?;
            let (rank, kinds) = (byte(reader.varint()?)?, byte(reader.varint()?)?);
            items.push(KeyCount { hash, k, rank, kinds });
        }
        Ok(Self { items })
    }
}

/// The part of one member in the signature of a key set. Signatures are wrapping sums of these, so that the signature of a
/// set without one member is the difference.
pub(super) fn part(hash: u64) -> u64 {
    mix(0x51_7cc1_b727_2202, hash)
}

/// The signature of a set of names.
pub(super) fn sum(names: &[u64]) -> u64 {
    names.iter().map(|hash| part(*hash)).fold(0, u64::wrapping_add)
}

/// What stands for the names of an object under a member, together with the names around it.
pub(super) fn nested(around: u64, member: u64, names: u64) -> u64 {
    mix(mix(around, member), names)
}

/// What stands for a member of the object under another member.
pub(super) fn below(member: u64, hash: u64) -> u64 {
    mix(member, hash)
}

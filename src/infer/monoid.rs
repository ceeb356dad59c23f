//! The blocks that evidence is built of: commutative monoids with exact merges and canonical bytes.
//!
//! Owns the laws by construction: each block commutes, associates and has its default as neutral element, and a struct of
//! blocks ([`blocks!`]) merges and encodes field by field. Refuses to own meaning.

use std::collections::BTreeMap;

use super::codec::{Corrupt, Reader, Writer};
use crate::model::observation::Classes;

/// Something that can be counted in parts and put together in any order.
pub(super) trait Monoid: Default + PartialEq {
    fn merge(&mut self, other: &Self);

    /// Whether nothing was counted, so that it need not be written.
    fn is_neutral(&self) -> bool {
        *self == Self::default()
    }

    /// Canonical: equal values write equal bytes.
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt>;
}

/// Declares a struct of blocks; merging goes field by field. Written are a mask of the fields that counted something, then
/// those fields in this order: a later engine may add fields at the end and still read what an earlier one wrote.
macro_rules! blocks {
    ($(#[$meta:meta])* pub(super) struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(super) struct $name { $($(#[$field_meta])* pub(super) $field: $kind,)* }

        impl $crate::infer::monoid::Monoid for $name {
            fn merge(&mut self, other: &Self) {
                $($crate::infer::monoid::Monoid::merge(&mut self.$field, &other.$field);)*
            }

            fn is_neutral(&self) -> bool {
                true $(&& $crate::infer::monoid::Monoid::is_neutral(&self.$field))*
            }

            fn write(&self, writer: &mut $crate::infer::codec::Writer) {
                let counted = [$(!$crate::infer::monoid::Monoid::is_neutral(&self.$field)),*];
                let mut fields = writer.fields(&counted);
                $(if fields.next() == Some(true) {
                    $crate::infer::monoid::Monoid::write(&self.$field, writer);
                })*
            }

            fn read(
                reader: &mut $crate::infer::codec::Reader<'_>,
            ) -> Result<Self, $crate::infer::codec::Corrupt> {
                let mut fields = reader.fields()?;
                let mut part = Self::default();
                $(if fields.next() {
                    part.$field = $crate::infer::monoid::Monoid::read(reader)?;
                })*
                fields.end()?;
                Ok(part)
            }
        }
    };
}
pub(super) use blocks;

/// How often; stays at its maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count(pub(super) u32);

impl Count {
    pub(super) fn add(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    pub(super) fn any(self) -> bool {
        self.0 > 0
    }
}

impl Monoid for Count {
    fn merge(&mut self, other: &Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(u64::from(self.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        u32::try_from(reader.varint()?).map(Self).map_err(|_| Corrupt("count"))
    }
}

/// A sum that does not fit a count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sum(pub(super) u64);

impl Sum {
    pub(super) fn add(&mut self, value: u64) {
        self.0 = self.0.saturating_add(value);
    }
}

impl Monoid for Sum {
    fn merge(&mut self, other: &Self) {
        self.add(other.0);
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        reader.varint().map(Self)
    }
}

/// The greatest value seen; 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Greatest(pub(super) u64);

impl Greatest {
    pub(super) fn see(&mut self, value: u64) {
        self.0 = self.0.max(value);
    }
}

impl Monoid for Greatest {
    fn merge(&mut self, other: &Self) {
        self.see(other.0);
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        reader.varint().map(Self)
    }
}

/// Smallest and greatest integer; none before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Range(pub(super) Option<(i64, i64)>);

impl Range {
    pub(super) fn see(&mut self, value: i64) {
        let (low, high) = self.0.unwrap_or((value, value));
        self.0 = Some((low.min(value), high.max(value)));
    }
}

impl Monoid for Range {
    fn merge(&mut self, other: &Self) {
        if let Some((low, high)) = other.0 {
            self.see(low);
            self.see(high);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(u64::from(self.0.is_some()));
        if let Some((low, high)) = self.0 {
            writer.signed(low);
            writer.signed(high);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        match reader.varint()? {
            0 => Ok(Self(None)),
            1 => Ok(Self(Some((reader.signed()?, reader.signed()?)))),
            _ => Err(Corrupt("range")),
        }
    }
}

/// Whether it ever was so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl Monoid for Flag {
    fn merge(&mut self, other: &Self) {
        self.0 |= other.0;
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(u64::from(self.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        Ok(Self(reader.varint()? != 0))
    }
}

/// Classes that hold for all values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct All(pub(super) Classes);

impl Default for All {
    fn default() -> Self {
        Self(Classes::ALL)
    }
}

impl All {
    pub(super) fn see(&mut self, classes: Classes) {
        self.0 = self.0.and(classes);
    }

    /// Whether a class holds for all values, of which there must be one.
    pub(super) fn holds(self, class: Classes) -> bool {
        self.0 != Classes::ALL && self.0.has(class)
    }
}

impl Monoid for All {
    fn merge(&mut self, other: &Self) {
        self.see(other.0);
    }

    fn write(&self, writer: &mut Writer) {
        // The complement: nothing seen, the usual case of small evidence, is one byte.
        writer.varint(u64::from(!self.0.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let bits = u32::try_from(reader.varint()?).map_err(|_| Corrupt("classes"))?;
        Ok(Self(Classes(!bits)))
    }
}

/// Bits seen at least once: classes, kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen(pub(super) u32);

impl Monoid for Seen {
    fn merge(&mut self, other: &Self) {
        self.0 |= other.0;
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(u64::from(self.0));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        u32::try_from(reader.varint()?).map(Self).map_err(|_| Corrupt("bits"))
    }
}

/// A set of six-bit marks, from which the number of distinct items is estimated (linear counting).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bits64(pub(super) u64);

impl Bits64 {
    pub(super) fn see(&mut self, mark: u8) {
        self.0 |= 1 << (mark & 63);
    }

    /// Adds an item by its hash.
    pub(super) fn see_hash(&mut self, hash: u64) {
        self.see((hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8);
    }

    /// Estimated distinct items; infinite when all marks are set.
    pub(super) fn estimate(self) -> f64 {
        let zeros = self.0.count_zeros();
        if zeros == 0 { f64::INFINITY } else { 64.0 * (64.0 / f64::from(zeros)).ln() }
    }

    /// Whether there are at least `count` distinct items, as far as up to 20 can be told.
    pub(super) fn at_least(self, count: u32) -> bool {
        self.estimate() >= f64::from(count) - 0.5
    }
}

impl Monoid for Bits64 {
    fn merge(&mut self, other: &Self) {
        self.0 |= other.0;
    }

    fn write(&self, writer: &mut Writer) {
        writer.fixed(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        reader.fixed().map(Self)
    }
}

/// Up to `K` texts with what was counted of each. With one more, or with a text that may not be kept, it is open for ever
/// and forgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capped<const K: usize, V = Count> {
    pub(super) open: bool,
    /// Sorted by text.
    pub(super) items: Vec<(Box<str>, V)>,
}

impl<const K: usize, V> Default for Capped<K, V> {
    fn default() -> Self {
        Self { open: false, items: Vec::new() }
    }
}

impl<const K: usize> Capped<K> {
    /// Counts a text.
    pub(super) fn see(&mut self, text: &str) {
        if let Some(count) = self.slot(text) {
            count.add();
        }
    }
}

impl<const K: usize, V: Monoid> Capped<K, V> {
    pub(super) fn open(&mut self) {
        self.open = true;
        self.items = Vec::new();
    }

    /// What is counted of a text; none once it is open.
    pub(super) fn slot(&mut self, text: &str) -> Option<&mut V> {
        if self.open {
            return None;
        }
        let at = match self.items.binary_search_by(|(known, _)| (**known).cmp(text)) {
            Ok(at) => at,
            Err(_) if self.items.len() >= super::table::room(K) => {
                self.open();
                return None;
            }
            Err(at) => {
                self.items.insert(at, (text.into(), V::default()));
                at
            }
        };
        self.items.get_mut(at).map(|(_, value)| value)
    }
}

impl<const K: usize, V: Monoid> Monoid for Capped<K, V> {
    fn merge(&mut self, other: &Self) {
        if other.open {
            self.open();
        }
        for (text, value) in &other.items {
            if let Some(known) = self.slot(text) {
                known.merge(value);
            }
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(if self.open { 0 } else { self.items.len() as u64 + 1 });
        for (text, value) in &self.items {
            writer.text(text);
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let Some(length) = reader.varint()?.checked_sub(1) else {
            return Ok(Self { open: true, items: Vec::new() });
        };
        if length > K as u64 {
            return Err(Corrupt("capped values"));
        }
        let mut items: Vec<(Box<str>, V)> = Vec::new();
        for _ in 0..length {
            let text = reader.text()?;
            if items.last().is_some_and(|(last, _)| &**last >= text) {
                return Err(Corrupt("order of capped values"));
            }
            items.push((text.into(), reader.nested(V::read)?));
        }
        Ok(Self { open: false, items })
    }
}

/// Mean position, compared exactly: a sum of positions beside a count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) sum: u64,
    pub(super) count: u64,
}

impl Order {
    pub(super) fn see(&mut self, position: u64) {
        self.sum = self.sum.saturating_add(position);
        self.count = self.count.saturating_add(1);
    }

    /// Earlier mean position first.
    pub(super) fn compare(self, other: Self) -> std::cmp::Ordering {
        let left = u128::from(self.sum) * u128::from(other.count);
        left.cmp(&(u128::from(other.sum) * u128::from(self.count)))
    }
}

impl Monoid for Order {
    fn merge(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.count = self.count.saturating_add(other.count);
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(self.sum);
        writer.varint(self.count);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        Ok(Self { sum: reader.varint()?, count: reader.varint()? })
    }
}

/// A part that most evidence does not have.
impl<T: Monoid> Monoid for Option<Box<T>> {
    fn merge(&mut self, other: &Self) {
        if let Some(other) = other {
            self.get_or_insert_default().merge(other);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(u64::from(self.is_some()));
        if let Some(part) = self {
            part.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        match reader.varint()? {
            0 => Ok(None),
            1 => reader.nested(|reader| T::read(reader).map(|part| Some(Box::new(part)))),
            _ => Err(Corrupt("optional part")),
        }
    }
}

/// A map over few keys that are numbers: statuses, methods, reasons.
impl<V: Monoid> Monoid for BTreeMap<u16, V> {
    fn merge(&mut self, other: &Self) {
        for (key, value) in other {
            self.entry(*key).or_default().merge(value);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.varint(self.len() as u64);
        for (key, value) in self {
            writer.varint(u64::from(*key));
            value.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Corrupt> {
        let mut map = Self::new();
        for _ in 0..reader.varint()? {
            let key = u16::try_from(reader.varint()?).map_err(|_| Corrupt("key"))?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Corrupt("order of keys"));
            }
            map.insert(key, reader.nested(V::read)?);
        }
        Ok(map)
    }
}

//! What was counted of the values at one place.
//!
//! Owns the denominators: every count of a member is beside the count of closed objects in which it could have stood.
//! Refuses to own counting (`fold`) and what follows from the counts (`project`).

use super::monoid::{All, Bits64, Capped, Count, Flag, Greatest, Order, Range, Seen, blocks};
use super::plans::Plans;
use super::table::Table;
use super::variants::Tag;
use crate::model::observation::Token;

/// Distinct values up to which a set of texts may be closed.
pub(super) const ENUM_VALUES: usize = 20;

/// Member names of one object.
pub(super) const KEYS: usize = 256;

blocks! {
    /// Values of any kind at one place.
    pub(super) struct Shape {
        null: Count,
        boolean: Count,
        integer: Count,
        float: Count,
        text: Count,
        object: Count,
        array: Count,
        numbers: Option<Box<Numbers>>,
        texts: Option<Box<Texts>>,
        members: Option<Box<Members>>,
        items: Option<Box<Items>>,
    }
}

blocks! {
    pub(super) struct Numbers {
        integers: Range,
        /// An integer beyond 64 bits was seen.
        big: Flag,
    }
}

blocks! {
    pub(super) struct Texts {
        classes: All,
        /// Classes that hold for at least one of them.
        any: Seen,
        empty: Count,
        distinct: Bits64,
        values: Capped<ENUM_VALUES>,
        /// Parts of a form that are files.
        files: Option<Box<Files>>,
    }
}

blocks! {
    pub(super) struct Files {
        n: Count,
        /// Their media types.
        media: Capped<8>,
    }
}

blocks! {
    pub(super) struct Members {
        /// Closed objects: those that tell what is absent.
        n: Count,
        /// Objects cut off.
        cut: Count,
        instances: Bits64,
        keys: Table<Member, KEYS>,
        /// Closed objects by the [sum](super::variants::part) of the names they hold, names that are data left out.
        signatures: Table<Count, 16>,
        /// Members whose value may choose among variants, under the hashes that they have in `keys`.
        tags: Table<Tag, 4>,
        plans: Plans,
    }
}

blocks! {
    /// One name in objects; names that are data share one member per class.
    pub(super) struct Member {
        /// Presences in closed objects.
        k: Count,
        order: Order,
        shape: Shape,
    }
}

blocks! {
    pub(super) struct Items {
        n: Count,
        empty: Count,
        shape: Shape,
        /// Most items that one had.
        longest: Greatest,
    }
}

/// First character of the name of a member or trie child that stands for a class of data; no text in traffic begins so.
pub(super) const DATA_MARK: char = '\0';

impl Shape {
    /// All values.
    pub(super) fn n(&self) -> u64 {
        [self.null, self.boolean, self.integer, self.float, self.text, self.object, self.array]
            .iter()
            .map(|count| u64::from(count.0))
            .sum()
    }
}

/// The bit of a value's kind in [`super::variants::KeyCount::kinds`].
pub(super) fn kind_bit(token: Token) -> u8 {
    match token {
        Token::Null => 1,
        Token::Bool(_) => 1 << 1,
        Token::Integer(_) | Token::BigInteger | Token::HiddenNumber { integer: true } => 1 << 2,
        Token::Float | Token::HiddenNumber { integer: false } => 1 << 3,
        Token::Text { .. } | Token::File { .. } => 1 << 4,
        Token::Object { .. } | Token::OpaqueObject => 1 << 5,
        Token::Array { .. } | Token::OpaqueArray => 1 << 6,
        Token::Key(_) | Token::End => 0,
    }
}

impl Members {
    /// Objects in all, closed or not.
    pub(super) fn total(&self) -> u64 {
        u64::from(self.n.0) + u64::from(self.cut.0)
    }
}

/// The class of data that a member or child stands for, by its name.
pub(super) fn data_name(name: &str) -> Option<&str> {
    name.strip_prefix(DATA_MARK)
}

impl Member {
    /// Sum of presences that are known, whether or not absences are.
    pub(super) fn presences(&self) -> u64 {
        self.order.count
    }
}

#[cfg(test)]
mod size {
    use super::*;

    #[test]
    fn a_scalar_is_small() {
        assert!(size_of::<Shape>() <= 64, "{}", size_of::<Shape>());
    }
}

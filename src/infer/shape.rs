//! What was counted of the values at one place, and the fold of a tape into it.
//!
//! Owns the denominators: every count of a member is beside the count of closed objects in which it could have stood.
//! Refuses to own what follows from the counts (`project`). A known shape is folded without allocation.

use super::monoid::{All, Bits64, Capped, Count, Flag, Order, Range, blocks};
use super::novelty::Novelty;
use super::table::{Name, Table};
use crate::model::observation::{Classes, Key, Tape, Token};

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
        integers: Range,
        /// An integer beyond 64 bits was seen.
        big: Flag,
        texts: Option<Box<Texts>>,
        members: Option<Box<Members>>,
        items: Option<Box<Items>>,
    }
}

blocks! {
    pub(super) struct Texts {
        classes: All,
        empty: Count,
        distinct: Bits64,
        values: Capped<ENUM_VALUES>,
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

    /// Folds a whole tape.
    pub(super) fn fold(&mut self, tape: &Tape, novelty: &mut Novelty) {
        let mut fold = Fold { tape, at: 0, novelty };
        fold.value(self);
    }
}

/// A position in a tape.
struct Fold<'a> {
    tape: &'a Tape,
    at: usize,
    novelty: &'a mut Novelty,
}

impl Fold<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tape.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    /// One value. Depth is bounded by the maker of the tape.
    fn value(&mut self, shape: &mut Shape) {
        let Some(token) = self.next() else { return };
        match token {
            Token::Null => self.count(&mut shape.null),
            Token::Bool => self.count(&mut shape.boolean),
            Token::Integer(value) => {
                self.count(&mut shape.integer);
                shape.integers.see(value);
            }
            Token::BigInteger => {
                self.count(&mut shape.integer);
                shape.big = Flag(true);
            }
            Token::Float | Token::HiddenNumber { integer: false } => self.count(&mut shape.float),
            Token::HiddenNumber { integer: true } => self.count(&mut shape.integer),
            Token::Text { classes, kept, mark } => {
                self.count(&mut shape.text);
                let text = (!kept.is_empty()).then(|| self.tape.text(kept));
                shape.texts.get_or_insert_default().see(classes, text, mark, self.novelty);
            }
            Token::OpaqueObject => self.count(&mut shape.object),
            Token::OpaqueArray => self.count(&mut shape.array),
            Token::Object { closed, instance } => {
                self.count(&mut shape.object);
                self.members(shape.members.get_or_insert_default(), closed, instance);
            }
            Token::Array { closed, items } => {
                self.count(&mut shape.array);
                self.items(shape.items.get_or_insert_default(), closed, items);
            }
            Token::Key(_) | Token::End => {}
        }
    }

    fn count(&mut self, count: &mut Count) {
        self.novelty.kind |= !count.any();
        count.add();
    }

    fn members(&mut self, members: &mut Members, closed: bool, instance: u64) {
        if closed {
            members.n.add();
            members.instances.see_hash(instance);
            self.novelty.due |= super::novelty::is_threshold(members.n);
        } else {
            members.cut.add();
        }
        let mut position = 0;
        while let Some(Token::Key(key)) = self.next() {
            if key.superseded {
                // The later member of the same name holds; this value is folded into nothing.
                self.value(&mut Shape::default());
                continue;
            }
            let member = self.member(members, key);
            if closed {
                member.k.add();
            }
            member.order.see(position);
            position += 1;
            self.value(&mut member.shape);
        }
    }

    fn member<'m>(&mut self, members: &'m mut Members, key: Key) -> &'m mut Member {
        let mut buffer = String::new();
        let text = match key.data {
            None => self.tape.text(key.name),
            Some(class) => {
                if members.keys.get(key.hash).is_none() {
                    buffer = format!("{DATA_MARK}{}", class.as_str());
                }
                &buffer
            }
        };
        let (member, new) = members.keys.slot(Name { hash: key.hash, rank: key.rank, text });
        self.novelty.key |= new;
        member
    }

    fn items(&mut self, items: &mut Items, closed: bool, count: u32) {
        if closed {
            items.n.add();
            if count == 0 {
                items.empty.add();
            }
        }
        while !matches!(self.tape.tokens.get(self.at), None | Some(Token::End)) {
            self.value(&mut items.shape);
        }
        self.at += 1;
    }
}

impl Texts {
    /// Counts one text by its classes, and by itself where it was kept.
    pub(super) fn see(
        &mut self,
        classes: Classes,
        kept: Option<&str>,
        mark: u8,
        novelty: &mut Novelty,
    ) {
        if classes.has(Classes::EMPTY) {
            self.empty.add();
            return;
        }
        let (before, known) = (self.classes, self.values.items.len());
        self.classes.see(classes);
        self.distinct.see(mark);
        match kept {
            Some(text) => self.values.see(text),
            None if self.values.open => {}
            None => self.values.open(),
        }
        novelty.format |= before != self.classes;
        novelty.value |= known != self.values.items.len();
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
        assert!(size_of::<Shape>() <= 96, "{}", size_of::<Shape>());
    }
}

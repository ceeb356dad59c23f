//! The fold of a tape into a shape.
//!
//! Owns the walk: one pass over the tokens, and for an object of known names no look-up at all (`plans`). Refuses to own the
//! counts. Depth is bounded by the maker of the tape; a known shape is folded without allocation.

use smallvec::SmallVec;

use super::learn::Work;
use super::monoid::{Count, Flag};
use super::novelty::{Novelty, is_threshold};
use super::plans::{Budget, MEMBERS_MAX, Plan};
use super::shape::{DATA_MARK, Items, Member, Members, Shape, Texts, kind_bit};
use super::table::{Name, Slot};
use super::variants::{self, KeyCount};
use crate::model::observation::{Classes, Key, Tape, Token};

impl Shape {
    /// Folds a whole tape.
    pub(super) fn fold(&mut self, tape: &Tape, work: &mut Work<'_>) {
        let mut fold = Fold { tape, at: 0, novelty: work.novelty, plans: work.plans };
        fold.value(self);
    }
}

/// A position in a tape.
struct Fold<'a> {
    tape: &'a Tape,
    at: usize,
    novelty: &'a mut Novelty,
    plans: &'a mut Budget,
}

/// What is remembered of the members of one object until its end.
#[derive(Default)]
struct Seen {
    signature: u64,
    /// Places in the table of members; spoilt when one has none or the table grew.
    places: SmallVec<[u16; 32]>,
    spoilt: bool,
    /// Where an object has tags: its members and their kinds.
    members: SmallVec<[KeyCount; 48]>,
    tags: SmallVec<[(Key, Token); 4]>,
}

impl Fold<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tape.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn peek(&self) -> Token {
        self.tape.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn value(&mut self, shape: &mut Shape) {
        let Some(token) = self.next() else { return };
        match token {
            Token::Null => self.count(&mut shape.null),
            Token::Bool(_) => self.count(&mut shape.boolean),
            Token::Integer(value) => {
                self.count(&mut shape.integer);
                shape.numbers.get_or_insert_default().integers.see(value);
            }
            Token::BigInteger => {
                self.count(&mut shape.integer);
                shape.numbers.get_or_insert_default().big = Flag(true);
            }
            Token::Float | Token::HiddenNumber { integer: false } => self.count(&mut shape.float),
            Token::HiddenNumber { integer: true } => self.count(&mut shape.integer),
            Token::Text { classes, kept, mark } => {
                self.count(&mut shape.text);
                let text = (!kept.is_empty()).then(|| self.tape.text(kept));
                shape.texts.get_or_insert_default().see(classes, text, mark, self.novelty);
            }
            Token::File { media } => {
                self.count(&mut shape.text);
                let files = shape.texts.get_or_insert_default().files.get_or_insert_default();
                files.n.add();
                files.media.see(self.tape.text(media));
            }
            Token::OpaqueObject => self.count(&mut shape.object),
            Token::OpaqueArray => self.count(&mut shape.array),
            Token::Object { .. } => {
                self.count(&mut shape.object);
                self.members(shape.members.get_or_insert_default(), token);
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

    fn members(&mut self, members: &mut Members, object: Token) {
        let Token::Object { closed, tagged, instance, order } = object else { return };
        if closed {
            members.n.add();
            members.instances.see_hash(instance);
            self.novelty.due |= is_threshold(members.n);
        } else {
            members.cut.add();
        }
        let tagged = tagged && closed;
        let plan = members.plans.take(order).filter(|_| order != 0);
        let mut seen = Seen::default();
        let mut position = 0;
        while let Token::Key(key) = self.peek() {
            self.at += 1;
            if key.superseded {
                // The later member of the same name holds; this value is folded into nothing.
                self.value(&mut Shape::default());
                continue;
            }
            if tagged {
                seen.note(key, self.peek());
            }
            let place = plan.as_ref().and_then(|plan| plan.place(position));
            let member = match place {
                Some(place) => members.keys.at(place),
                None => self.member(members, key, &mut seen),
            };
            if closed {
                member.k.add();
            }
            member.order.see(position as u64);
            position += 1;
            self.value(&mut member.shape);
        }
        self.at += 1;
        let signature = plan.as_ref().map_or(seen.signature, |plan| plan.signature);
        if closed {
            let name = Name { hash: signature, rank: 0, text: "" };
            members.signatures.slot(name).0.add();
        }
        match plan {
            Some(plan) => members.plans.put_back(plan),
            None => self.plan(members, order, &seen),
        }
        if tagged {
            self.tags(members, &seen);
        }
    }

    /// The member of a name that no plan leads to.
    fn member<'m>(
        &mut self,
        members: &'m mut Members,
        key: Key,
        seen: &mut Seen,
    ) -> &'m mut Member {
        let mut buffer = String::new();
        let text = match key.data {
            None => {
                seen.signature = seen.signature.wrapping_add(variants::part(key.hash));
                self.tape.text(key.name)
            }
            Some(class) => {
                if members.keys.get(key.hash).is_none() {
                    buffer = format!("{DATA_MARK}{}", class.as_str());
                }
                &buffer
            }
        };
        let slot = members.keys.find_or_make(Name { hash: key.hash, rank: key.rank, text });
        match slot {
            Slot::Known(place) => {
                match u16::try_from(place) {
                    Ok(place) if seen.places.len() < MEMBERS_MAX => seen.places.push(place),
                    _ => seen.spoilt = true,
                }
                members.keys.at(place)
            }
            Slot::Made(place) => {
                seen.spoilt = true;
                self.novelty.key = true;
                members.plans.clear(self.plans);
                members.keys.at(place)
            }
            Slot::NoRoom => {
                seen.spoilt = true;
                members.keys.rest_mut()
            }
        }
    }

    /// Remembers where the members of this object are, for the next one with the same names in the same order.
    fn plan(&mut self, members: &mut Members, order: u64, seen: &Seen) {
        if order != 0 && !seen.spoilt && members.plans.has_room(self.plans) {
            members.plans.add(Plan::new(order, seen.signature, &seen.places), self.plans);
        }
    }

    /// Counts what goes with the value of each tag.
    fn tags(&self, members: &mut Members, seen: &Seen) {
        for (key, value) in &seen.tags {
            let (rank, text) = (key.tag.saturating_sub(1), self.tape.text(key.name));
            let (tag, _) = members.tags.slot(Name { hash: key.hash, rank, text });
            let value = match value {
                Token::Bool(value) => {
                    tag.boolean = Flag(true);
                    Some(if *value { "true" } else { "false" })
                }
                Token::Text { kept, .. } if !kept.is_empty() => Some(self.tape.text(*kept)),
                _ => None,
            };
            let Some(value) = value else {
                tag.values.open();
                continue;
            };
            let Some(variant) = tag.values.slot(value) else { continue };
            variant.n.add();
            for count in seen.members.iter().filter(|count| count.hash != key.hash) {
                variant.keys.add(*count);
            }
        }
    }

    fn items(&mut self, items: &mut Items, closed: bool, count: u32) {
        if closed {
            items.n.add();
            if count == 0 {
                items.empty.add();
            }
        }
        items.longest.see(u64::from(count));
        while !matches!(self.tape.tokens.get(self.at), None | Some(Token::End)) {
            self.value(&mut items.shape);
        }
        self.at += 1;
    }
}

impl Seen {
    /// Notes a member of an object that has tags.
    fn note(&mut self, key: Key, value: Token) {
        if key.tag > 0 {
            self.tags.push((key, value));
        }
        if key.data.is_none() {
            self.members.push(KeyCount {
                hash: key.hash,
                k: Count(1),
                rank: key.rank,
                kinds: kind_bit(value),
            });
        }
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
        self.any.0 |= classes.0;
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

//! The guarded shape of one body, read off its tape.
//!
//! Owns the two grains. The coarse one forgets what cannot matter to a valid body: order, repetition, names that no schema
//! tells apart. The exact one keeps order and all names, for what is said of a body that deviates depends on which place comes
//! first. Withheld values count by their kind alone, as they are judged. Nothing is allocated once the memory has grown.

use smallvec::SmallVec;

use super::test::{Number, Tests, interval};
use super::{FREE, Node, Plan};
use crate::model::hash::{fold, fold_bytes};
use crate::model::observation::{Key, Place, Tape, Token};
use crate::model::redaction;

/// Values of one body that are tested.
const TESTS_MAX: u32 = 512;

/// Items of an array that are all tested; of those behind every eighth.
pub(super) const ITEMS_FIRST: usize = 64;

/// Digits of a number that a float holds exactly, its point and sign included.
const SHORT_MAX: usize = 16;

/// Kinds of values and marks between them.
pub(super) const NULL: u64 = 1;
pub(super) const BOOLEAN: u64 = 2;
pub(super) const INTEGER: u64 = 3;
pub(super) const UNSIGNED: u64 = 4;
pub(super) const WHOLE: u64 = 5;
pub(super) const FRACTION: u64 = 6;
pub(super) const TEXT: u64 = 7;
pub(super) const ARRAY: u64 = 8;
pub(super) const OBJECT: u64 = 9;
const ANYTHING: u64 = 10;
const LATE: u64 = 11;
pub(super) const UNTESTED: u64 = 12;

/// What is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::contract) enum Grain {
    /// What decides whether a body is valid. `names`: and every name and kind.
    Coarse { names: bool },
    /// And everything that a list of errors depends on.
    Exact,
}

/// What is read.
#[derive(Clone, Copy)]
pub(in crate::contract) struct Reading<'r> {
    pub(in crate::contract) plan: &'r Plan,
    /// Where the plan of this body's schema begins.
    pub(in crate::contract) root: usize,
    pub(in crate::contract) tape: &'r Tape,
    pub(in crate::contract) body: &'r [u8],
    pub(in crate::contract) redaction: &'r redaction::Plan,
}

/// A guarded shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::contract) struct Shape {
    pub(in crate::contract) id: u64,
    /// Values that were left untested for being too many.
    pub(in crate::contract) unchecked: u32,
}

impl Shape {
    /// The shape of what was tested value by value.
    pub(in crate::contract) fn whole(id: u64) -> Self {
        Self { id, unchecked: 0 }
    }
}

impl Reading<'_> {
    /// The shape; none where the tape does not hold the whole body, or a value stands at a
    /// blind place. `memory` is used again.
    pub(in crate::contract) fn shape(&self, grain: Grain, memory: &mut Vec<u64>) -> Option<Shape> {
        let Tape { tokens, places, truncated, mislabelled, skipped, duplicates, .. } = self.tape;
        let is_whole = !truncated && !mislabelled && *skipped == 0 && *duplicates == 0;
        // The reader of tapes passes over a mark that the reader of values refuses.
        if !is_whole || tokens.len() != places.len() || self.body.starts_with(b"\xef\xbb\xbf") {
            return None;
        }
        memory.clear();
        let mut walk = Walk {
            reading: *self,
            grain,
            at: 0,
            memory,
            steps: SmallVec::new(),
            tested: 0,
            unchecked: 0,
            withheld: false,
        };
        let root = walk.value(self.root, View { hidden: false, tested: true })?;
        if walk.at != tokens.len() {
            return None;
        }
        let mark = match grain {
            Grain::Coarse { .. } => u64::from(walk.withheld),
            Grain::Exact => 2 + u64::from(walk.withheld),
        };
        Some(Shape { id: fold(fold(self.plan.seed, mark), root), unchecked: walk.unchecked })
    }
}

/// How a value is looked at.
#[derive(Clone, Copy)]
struct View {
    /// Withheld.
    hidden: bool,
    tested: bool,
}

struct Walk<'r> {
    reading: Reading<'r>,
    grain: Grain,
    at: usize,
    /// Hashes of the items of all open containers.
    memory: &'r mut Vec<u64>,
    /// Names from the root, where configured places are to be known.
    steps: SmallVec<[&'r str; 16]>,
    tested: u32,
    unchecked: u32,
    /// Something was withheld.
    withheld: bool,
}

impl<'r> Walk<'r> {
    fn next(&mut self) -> Option<(Token, Place)> {
        let Tape { tokens, places, .. } = self.reading.tape;
        let next = (*tokens.get(self.at)?, *places.get(self.at)?);
        self.at += 1;
        Some(next)
    }

    fn value(&mut self, place: usize, view: View) -> Option<u64> {
        let plan = self.reading.plan;
        let node = plan.nodes.get(place).filter(|node| !node.blind)?;
        let (token, at) = self.next()?;
        let hash = match token {
            Token::Object { closed: true, .. } => self.object(node, view)?,
            Token::Array { closed: true, .. } => self.array(node, view)?,
            scalar => self.scalar((scalar, at), &node.tests, view)?,
        };
        // Below a place that no schema speaks of nothing matters, but whether something is withheld there.
        let is_free = place == FREE && self.grain == Grain::Coarse { names: false };
        Some(if is_free { ANYTHING } else { hash })
    }

    fn scalar(&mut self, (token, at): (Token, Place), tests: &Tests, view: View) -> Option<u64> {
        self.withheld |= view.hidden;
        match token {
            Token::Null => return Some(NULL),
            Token::Bool(value) => {
                let told = tests.booleans && !view.hidden;
                return Some(fold(BOOLEAN, if told { 1 + u64::from(value) } else { 0 }));
            }
            Token::Text { .. } => {
                let asked = !view.hidden && tests.ask_texts() && self.may_test(view);
                let answer = match asked {
                    false => UNTESTED,
                    // A tape is of UTF-8 alone.
                    true if tests.texts.is_empty() && !at.escaped => {
                        tests.bytes(at.of(self.reading.body))
                    }
                    true => tests.text(&self.text(at)?),
                };
                return Some(fold(TEXT, answer));
            }
            Token::Integer(_) | Token::BigInteger | Token::Float => {}
            Token::HiddenNumber { .. } if view.hidden => {}
            _ => return None,
        }
        if view.hidden || !tests.ask_numbers() || !self.may_test(view) {
            let short = if token == Token::Float { self.short_kind(at) } else { None };
            let kind = match (token, short) {
                (Token::Integer(_), _) => INTEGER,
                (_, Some(kind)) => kind,
                (_, None) => self.number(at)?.0,
            };
            return Some(fold(kind, UNTESTED));
        }
        let (kind, number) = match token {
            Token::Integer(value) => (INTEGER, Number::Integer(value)),
            _ => self.number(at)?,
        };
        Some(fold(kind, tests.number(number)))
    }

    /// The kind of a short number with a point, without reading it.
    fn short_kind(&self, at: Place) -> Option<u64> {
        let raw = at.of(self.reading.body);
        if raw.len() > SHORT_MAX || raw.iter().any(|byte| matches!(byte, b'e' | b'E')) {
            return None;
        }
        let point = raw.iter().position(|byte| *byte == b'.')?;
        let is_whole = raw.get(point + 1..)?.iter().all(|byte| *byte == b'0');
        Some(if is_whole { WHOLE } else { FRACTION })
    }

    /// Whether one more value is tested.
    fn may_test(&mut self, view: View) -> bool {
        let may = view.tested && self.tested < TESTS_MAX;
        if may {
            self.tested += 1;
        } else {
            self.unchecked += 1;
        }
        may
    }

    fn text(&self, at: Place) -> Option<std::borrow::Cow<'r, str>> {
        let raw = std::str::from_utf8(at.of(self.reading.body)).ok()?;
        if at.escaped {
            return serde_json::from_str::<String>(&format!("\"{raw}\"")).ok().map(Into::into);
        }
        Some(raw.into())
    }

    /// A number by its text, as the reader of values understands it.
    fn number(&self, at: Place) -> Option<(u64, Number)> {
        let raw = std::str::from_utf8(at.of(self.reading.body)).ok()?;
        let is_integer = !raw.contains(['.', 'e', 'E']);
        if is_integer && let Ok(value) = raw.parse() {
            return Some((INTEGER, Number::Integer(value)));
        }
        if is_integer && let Ok(value) = raw.parse() {
            return Some((UNSIGNED, Number::Unsigned(value)));
        }
        let value: f64 = raw.parse().ok().filter(|value: &f64| value.is_finite())?;
        let kind = if value.fract() == 0.0 { WHOLE } else { FRACTION };
        Some((kind, Number::Float(value)))
    }

    fn object(&mut self, node: &'r Node, view: View) -> Option<u64> {
        let base = self.memory.len();
        let (mut hash, mut count) = (OBJECT, 0);
        loop {
            let (token, at) = self.next()?;
            let key = match token {
                Token::Key(key) => key,
                Token::End => break,
                _ => return None,
            };
            count += 1;
            let own = self.name(key, at)?;
            let known = node.names.get(&own);
            let below = View { hidden: self.hides(key, view.hidden, at)?, ..view };
            let value = self.value(*known.unwrap_or(&node.others), below)?;
            self.leave();
            match self.grain {
                Grain::Exact => hash = fold(fold(hash, own), value),
                Grain::Coarse { names: false } if known.is_none() => {
                    let answer = match &node.keys {
                        Some(keys) if self.may_test(view) => keys.text(&self.text(at)?),
                        _ => UNTESTED,
                    };
                    self.note(base, fold(answer, value));
                }
                Grain::Coarse { .. } => hash = hash.wrapping_add(fold(own, value)),
            }
        }
        let limits = interval(&node.members, |limit| limit.cmp(&count));
        Some(fold(self.gather(base, hash), limits))
    }

    fn array(&mut self, node: &'r Node, view: View) -> Option<u64> {
        let (base, begun) = (self.memory.len(), self.at);
        let (mut hash, mut index) = (ARRAY, 0);
        while !matches!(self.reading.tape.tokens.get(self.at), Some(Token::End)) {
            let tested = view.tested && (index < ITEMS_FIRST || index.is_multiple_of(8));
            self.enter("*");
            let item = self.value(node.items, View { tested, ..view })?;
            self.leave();
            match self.grain {
                Grain::Exact => hash = fold(hash, item),
                // Which fields there are is asked of the first items only.
                Grain::Coarse { .. } if index < ITEMS_FIRST => self.note(base, item),
                Grain::Coarse { .. } => self.note(base, fold(LATE, item)),
            }
            index += 1;
        }
        if node.unique {
            let end = std::mem::replace(&mut self.at, begun);
            hash = fold(hash, u64::from(self.are_distinct(view)?));
            self.at = end;
        }
        self.at += 1;
        let limits = interval(&node.counts, |limit| limit.cmp(&(index as u64)));
        Some(fold(self.gather(base, hash), limits))
    }

    /// Notes what an open container holds, if it is not what was noted last.
    fn note(&mut self, base: usize, hash: u64) {
        let noted = self.memory.get(base..).and_then(<[u64]>::last);
        if noted != Some(&hash) {
            self.memory.push(hash);
        }
    }

    /// Closes a container: what was noted since `base`, as a set.
    fn gather(&mut self, base: usize, hash: u64) -> u64 {
        let Some(noted) = self.memory.get_mut(base..) else { return hash };
        noted.sort_unstable();
        let mut last = None;
        let gathered = noted.iter().fold(hash, |hash, one| {
            if last.replace(*one) == Some(*one) { hash } else { fold(hash, *one) }
        });
        self.memory.truncate(base);
        gathered
    }

    /// The hash of a name. Tapes hold it, but of names that are data.
    fn name(&self, key: Key, at: Place) -> Option<u64> {
        if key.data.is_none() {
            return Some(key.hash);
        }
        Some(self.reading.plan.key.hash(self.text(at)?.as_bytes()))
    }

    /// Whether the value under a name is withheld; the walk is below that name until [`Self::leave`].
    fn hides(&mut self, key: Key, hidden: bool, at: Place) -> Option<bool> {
        if !self.reading.redaction.has_body_paths() {
            return Some(hidden || key.secret);
        }
        if at.escaped {
            return None;
        }
        self.steps.push(std::str::from_utf8(at.of(self.reading.body)).ok()?);
        Some(hidden || key.secret || self.reading.redaction.names_body(&self.steps))
    }

    fn enter(&mut self, step: &'r str) {
        if self.reading.redaction.has_body_paths() {
            self.steps.push(step);
        }
    }

    fn leave(&mut self) {
        self.steps.pop();
    }

    /// Whether no two of the items from here to the end of their array are equal.
    fn are_distinct(&mut self, view: View) -> Option<bool> {
        let base = self.memory.len();
        while !matches!(self.reading.tape.tokens.get(self.at), Some(Token::End)) {
            self.enter("*");
            let identity = self.identity(view.hidden)?;
            self.leave();
            self.memory.push(identity);
        }
        let identities = self.memory.get_mut(base..)?;
        identities.sort_unstable();
        let distinct = identities.windows(2).all(|pair| pair.first() != pair.last());
        self.memory.truncate(base);
        Some(distinct)
    }

    /// The hash of a value as such: equal values have equal ones. None where numbers are too large to compare for certain.
    fn identity(&mut self, hidden: bool) -> Option<u64> {
        let (token, at) = self.next()?;
        match token {
            Token::Null => Some(NULL),
            Token::Bool(value) => Some(fold(BOOLEAN, u64::from(value && !hidden))),
            Token::Text { .. } if hidden => Some(TEXT),
            Token::Text { .. } => {
                Some(fold(TEXT, fold_bytes(self.reading.plan.seed, self.text(at)?.as_bytes())))
            }
            Token::Integer(_) | Token::BigInteger | Token::Float | Token::HiddenNumber { .. } => {
                let (kind, number) = self.number(at)?;
                number_identity(hidden, kind, number)
            }
            Token::Array { closed: true, .. } => {
                let mut hash = ARRAY;
                while !matches!(self.reading.tape.tokens.get(self.at), Some(Token::End)) {
                    self.enter("*");
                    hash = fold(hash, self.identity(hidden)?);
                    self.leave();
                }
                self.at += 1;
                Some(hash)
            }
            Token::Object { closed: true, .. } => self.object_identity(hidden),
            _ => None,
        }
    }

    fn object_identity(&mut self, hidden: bool) -> Option<u64> {
        let mut hash = OBJECT;
        loop {
            let (token, at) = self.next()?;
            let key = match token {
                Token::Key(key) => key,
                Token::End => return Some(hash),
                _ => return None,
            };
            let own = self.name(key, at)?;
            let hidden = self.hides(key, hidden, at)?;
            hash = hash.wrapping_add(fold(own, self.identity(hidden)?));
            self.leave();
        }
    }
}

/// Numbers are equal by value, however they are spelled; withheld ones are placeholders.
fn number_identity(hidden: bool, kind: u64, number: Number) -> Option<u64> {
    const EXACT: i64 = 1 << 53;
    match number {
        _ if hidden => Some(fold(INTEGER, if kind == FRACTION { FRACTION } else { 0 })),
        Number::Integer(value) if (-EXACT..EXACT).contains(&value) => {
            Some(fold(INTEGER, value.cast_unsigned()))
        }
        Number::Integer(_) | Number::Unsigned(_) => None,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a whole number in the exact range"
        )]
        Number::Float(value) if kind == WHOLE => {
            (value.abs() < EXACT as f64).then(|| fold(INTEGER, (value as i64).cast_unsigned()))
        }
        Number::Float(value) => Some(fold(FRACTION, value.to_bits())),
    }
}

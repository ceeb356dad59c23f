//! Tests of scalars: how a value stands to every keyword whose outcome depends on it.
//!
//! Owns the answers, each a number such that equal numbers mean equal outcomes. The common keywords are tested here, all others
//! by the validator itself, so that both can never disagree. Where a cheap answer could be wrong the value itself is the
//! answer: that costs a proof and is never false.

use std::sync::Arc;

use super::super::compile::{Answer, Lone};
use crate::model::hash::fold;

/// Below this, integers and floats compare exactly.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// So many members are sooner compared than searched.
const FEW: usize = 8;

/// The tests of one place. Empty: the value does not matter, only its kind.
#[derive(Debug, Default)]
pub(super) struct Tests {
    /// Limits to the number of characters, sorted.
    pub(super) lengths: Vec<u64>,
    /// Limits to numbers, sorted.
    pub(super) limits: Vec<i64>,
    /// Members of enums, sorted, each with the number of the set of enums that list it, from 1.
    pub(super) members: Vec<(Box<[u8]>, u64)>,
    /// Whether a boolean is true matters.
    pub(super) booleans: bool,
    /// Keywords that speak of texts.
    pub(super) texts: Vec<Arc<Lone>>,
    /// Keywords that speak of numbers.
    pub(super) numbers: Vec<Arc<Lone>>,
}

/// A number as the reader of bodies sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    /// Beyond `i64`.
    Unsigned(u64),
    Float(f64),
}

impl Tests {
    pub(super) fn ask_texts(&self) -> bool {
        !(self.lengths.is_empty() && self.members.is_empty() && self.texts.is_empty())
    }

    pub(super) fn ask_numbers(&self) -> bool {
        !(self.limits.is_empty() && self.numbers.is_empty())
    }

    /// How a text answers.
    pub(super) fn text(&self, text: &str) -> u64 {
        let answer = self.bytes(text.as_bytes());
        self.texts.iter().fold(answer, |answer, keyword| fold(answer, code(keyword.text(text))))
    }

    /// The same of UTF-8 where no keyword wants to read it ([`Self::texts`] is empty).
    pub(super) fn bytes(&self, text: &[u8]) -> u64 {
        let mut answer = 0;
        if !self.lengths.is_empty() {
            answer = fold(answer, length_interval(&self.lengths, text));
        }
        if !self.members.is_empty() {
            answer = fold(answer, self.member(text));
        }
        answer
    }

    /// Which member of the enums a text is; 0 for none.
    fn member(&self, text: &[u8]) -> u64 {
        let known = if self.members.len() <= FEW {
            self.members.iter().find(|(member, _)| **member == *text)
        } else {
            let at = self.members.binary_search_by(|(member, _)| (**member).cmp(text));
            at.ok().and_then(|at| self.members.get(at))
        };
        known.map_or(0, |(_, number)| *number)
    }

    /// How a number answers.
    pub(super) fn number(&self, number: Number) -> u64 {
        let answer = fold(0, if self.limits.is_empty() { 0 } else { self.interval_of(number) });
        self.numbers
            .iter()
            .fold(answer, |answer, keyword| fold(answer, code(keyword.scalar(&number.json()))))
    }

    /// Where a number stands between the limits.
    fn interval_of(&self, number: Number) -> u64 {
        let is_exact = |limit: &i64| limit.unsigned_abs() < 1 << 53;
        match number {
            Number::Integer(value) => interval(&self.limits, |limit| limit.cmp(&value)),
            Number::Unsigned(value) => fold(1, value),
            #[expect(clippy::cast_precision_loss, reason = "limits within the exact range only")]
            Number::Float(value) if self.limits.iter().all(is_exact) => {
                interval(&self.limits, |limit| (*limit as f64).total_cmp(&(value + 0.0)))
            }
            Number::Float(value) => fold(2, value.to_bits()),
        }
    }
}

impl Number {
    pub(super) fn json(self) -> serde_json::Value {
        match self {
            Self::Integer(value) => value.into(),
            Self::Unsigned(value) => value.into(),
            Self::Float(value) => value.into(),
        }
    }
}

fn code(answer: Answer) -> u64 {
    match answer {
        Answer::Fails => 1,
        Answer::Holds => 2,
        Answer::Unfinished => 3,
    }
}

/// The place of a value among sorted limits: even between two, odd on one.
pub(super) fn interval<T>(limits: &[T], compare: impl Fn(&T) -> std::cmp::Ordering) -> u64 {
    match limits.binary_search_by(compare) {
        Ok(at) => 2 * at as u64 + 1,
        Err(at) => 2 * at as u64,
    }
}

/// The same of the number of characters, which are counted only where the number of bytes leaves it open.
fn length_interval(limits: &[u64], text: &[u8]) -> u64 {
    let bytes = text.len() as u64;
    let of = |count: u64| interval(limits, |limit| limit.cmp(&count));
    let (most, least) = (of(bytes), of(bytes.div_ceil(4)));
    if most == least && most.is_multiple_of(2) { most } else { of(characters(text)) }
}

/// Characters of UTF-8: bytes that begin one.
fn characters(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_part_the_values() {
        let tests = Tests { limits: vec![-3, 0, 7], ..Tests::default() };
        let answers: Vec<u64> =
            [-4, -3, -1, 0, 5, 7, 8].map(|value| tests.interval_of(Number::Integer(value))).into();
        assert_eq!(answers, [0, 1, 2, 3, 4, 5, 6]);
        let floats = [-3.5, -3.0, -0.0, 0.0, 6.99, 7.0, 1e300];
        let answers: Vec<u64> = floats.map(|value| tests.interval_of(Number::Float(value))).into();
        assert_eq!(answers, [0, 1, 3, 3, 4, 5, 6]);
    }

    #[test]
    fn lengths_are_those_of_characters() {
        let tests = Tests { lengths: vec![2, 4], ..Tests::default() };
        let of = |text: &str| tests.text(text);
        assert_eq!(of("ab"), of("äö"));
        assert_eq!(of("abc"), of("äöü"));
        assert_ne!(of("abcd"), of("äöü"));
        assert_ne!(of("a"), of("ab"));
        assert_eq!(of("abcde"), of(&"x".repeat(99)));
    }
}

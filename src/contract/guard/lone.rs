//! Values that travel by themselves: parameters, headers, fields of forms.
//!
//! Owns what of such a value decides how it is judged, by the same plan as for bodies and in the exact grain: order and all
//! names are told apart. Refuses to own how a text becomes a value (`decode`, `wire`).

use serde_json::Value;

use super::shape::{
    ARRAY, BOOLEAN, FRACTION, INTEGER, NULL, OBJECT, TEXT, UNSIGNED, UNTESTED, WHOLE,
};
use super::test::{Number, interval};
use super::{Node, Plan};
use crate::contract::wire::Scalar;
use crate::model::hash::fold;

impl Plan {
    /// How a scalar answers at a place; none where that cannot be covered for certain. A withheld one (`hidden`) counts by its
    /// kind alone.
    pub(in crate::contract) fn scalar(
        &self,
        place: usize,
        scalar: &Scalar<'_>,
        hidden: bool,
    ) -> Option<u64> {
        let tests = &self.sighted(place)?.tests;
        Some(match scalar {
            Scalar::Null => NULL,
            Scalar::Bool(value) => {
                let told = tests.booleans && !hidden;
                fold(BOOLEAN, if told { 1 + u64::from(*value) } else { 0 })
            }
            Scalar::Text(text) => {
                let asked = !hidden && tests.ask_texts();
                fold(TEXT, if asked { tests.text(text) } else { UNTESTED })
            }
            Scalar::Number(number) => {
                let (kind, number) = read(number)?;
                let asked = !hidden && tests.ask_numbers();
                fold(kind, if asked { tests.number(number) } else { UNTESTED })
            }
        })
    }

    /// How a whole value answers; none where that cannot be covered for certain.
    pub(in crate::contract) fn value(&self, place: usize, value: &Value) -> Option<u64> {
        let node = self.sighted(place)?;
        match value {
            Value::Null => self.scalar(place, &Scalar::Null, false),
            Value::Bool(value) => self.scalar(place, &Scalar::Bool(*value), false),
            Value::Number(number) => self.scalar(place, &Scalar::Number(number.clone()), false),
            Value::String(text) => self.scalar(place, &Scalar::Text(text), false),
            // Whether items differ is not asked here.
            Value::Array(_) if node.unique => None,
            Value::Array(items) => {
                let mut hash = ARRAY;
                for item in items {
                    hash = fold(hash, self.value(node.items, item)?);
                }
                Some(fold(hash, interval(&node.counts, |limit| limit.cmp(&(items.len() as u64)))))
            }
            Value::Object(members) => {
                let mut hash = OBJECT;
                for (name, member) in members {
                    let (own, below) = self.member(place, name)?;
                    hash = fold(fold(hash, own), self.value(below, member)?);
                }
                Some(self.close(place, hash, members.len() as u64)?)
            }
        }
    }

    /// The hash of a member's name, with how that answers, and the place of its value.
    pub(in crate::contract) fn member(&self, place: usize, name: &str) -> Option<(u64, usize)> {
        let node = self.sighted(place)?;
        let own = self.key.hash(name.as_bytes());
        let asked = node.keys.as_ref().map_or(UNTESTED, |keys| keys.text(name));
        Some((fold(own, asked), *node.names.get(&own).unwrap_or(&node.others)))
    }

    /// Closes the hash of an object of so many members.
    pub(in crate::contract) fn close(&self, place: usize, hash: u64, count: u64) -> Option<u64> {
        let node = self.sighted(place)?;
        Some(fold(hash, interval(&node.members, |limit| limit.cmp(&count))))
    }

    fn sighted(&self, place: usize) -> Option<&Node> {
        self.nodes.get(place).filter(|node| !node.blind)
    }
}

fn read(number: &serde_json::Number) -> Option<(u64, Number)> {
    if let Some(value) = number.as_i64() {
        return Some((INTEGER, Number::Integer(value)));
    }
    if let Some(value) = number.as_u64() {
        return Some((UNSIGNED, Number::Unsigned(value)));
    }
    let value = number.as_f64()?;
    Some((if value.fract() == 0.0 { WHOLE } else { FRACTION }, Number::Float(value)))
}

//! Facts about the items of arrays.

use std::rc::Rc;

use serde_json::Value;

use super::branches::Branch;
use super::compare::Comparer;
use super::facts::Shape;
use super::suspect::{Candidate, Suspect};

/// Items with a schema of their own that are looked at.
const PREFIX_MAX: usize = 64;

impl<'d> Comparer<'d> {
    pub(super) fn array_facts(&mut self, from: &Branch<'d>, to: &Branch<'d>) -> Vec<Suspect> {
        let algebra = self.algebra;
        let (own, other) = (Shape { branch: from, algebra }, Shape { branch: to, algebra });
        let most = own.count("maxItems").unwrap_or(u64::MAX);
        let prefix = own.prefix().max(other.prefix()).min(PREFIX_MAX);
        let mut found = Vec::new();
        for index in (0..prefix).chain([usize::MAX]) {
            let position = if index == usize::MAX { prefix } else { index };
            if position as u64 >= most {
                break;
            }
            let (sent, wanted) = (own.item(index), other.item(index));
            if wanted.is_empty() || sent.iter().any(|part| part.schema == &Value::Bool(false)) {
                continue;
            }
            let least = own.count("minItems").unwrap_or(0).max(position as u64 + 1);
            let inner = self.compare(&sent, &wanted);
            if inner.is_empty() {
                continue;
            }
            let around = self.around(&own, (position, least)).map(Rc::new);
            let with = |item: &Candidate| {
                Some(Candidate::Items(Rc::clone(around.as_ref()?), Rc::new(item.clone())))
            };
            found.extend(inner.iter().map(|suspect| suspect.lifted("*", with)));
        }
        found
    }

    /// An array with fillers around the item of a position; none stands for that item.
    fn around(
        &self,
        own: &Shape<'_, 'd>,
        (position, least): (usize, u64),
    ) -> Option<Vec<Option<Value>>> {
        let length = usize::try_from(least.min(32)).unwrap_or(1).max(position + 1);
        let sampler = self.sampler();
        let fill = |index: usize| {
            let beyond = index >= own.prefix();
            if index == position || beyond && position >= own.prefix() {
                return Some(None);
            }
            let schemas = own.item(if beyond { usize::MAX } else { index });
            sampler.any(&schemas).into_iter().next().map(Some)
        };
        (0..length).map(fill).collect()
    }
}

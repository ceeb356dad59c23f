//! Whether a body held what a deviation deviates in: an absent parent is no opportunity.
//!
//! Owns the look at one exchange: each place is looked for once, however many findings ask for it. Refuses to own which findings
//! ask.

use std::borrow::Cow;

use serde_json::Value;
use smallvec::SmallVec;

use super::super::judgement::{Judgement, Seen};
use super::Sighting;
use crate::model::exchange::Exchange;
use crate::model::finding::Direction;
use crate::model::hash::fold_bytes;
use crate::model::observation::{self, Observation, Tape, Token};

/// What one exchange held, by place.
#[derive(Default)]
pub(super) struct Parents(SmallVec<[(u64, bool); 8]>);

impl Parents {
    /// Whether some object or array of a message stands where the last step of a generalised pointer begins.
    pub(super) fn hold(
        &mut self,
        sighting: &Sighting<'_>,
        direction: Direction,
        pointer: &str,
    ) -> bool {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let place = fold_bytes(u64::from(direction == Direction::Request), parent.as_bytes());
        match self.0.binary_search_by_key(&place, |(known, _)| *known) {
            Ok(at) => self.0.get(at).is_some_and(|(_, is_there)| *is_there),
            Err(at) => {
                let is_there = sighting.body(direction).has_parent(pointer);
                self.0.insert(at, (place, is_there));
                is_there
            }
        }
    }
}

/// A body as far as it is known.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Nothing,
    Value(&'a Value),
    /// An object of scalars.
    Scalars,
    /// Read off its tape, the names out of its bytes.
    Tape(&'a Tape, &'a [u8]),
}

impl<'a> Body<'a> {
    /// One body of an exchange. One that nobody read has a tape, for its shape was known by it.
    pub(super) fn of(
        direction: Direction,
        (exchange, observation): (&'a Exchange, Option<&'a Observation>),
        judgement: &'a Judgement,
    ) -> Self {
        let is_request = direction == Direction::Request;
        let seen = if is_request { &judgement.tally.request } else { &judgement.tally.response };
        match seen {
            Seen::Nothing => Self::Nothing,
            Seen::Value(value) => Self::Value(value),
            Seen::Scalars => Self::Scalars,
            Seen::Unread => {
                let message = if is_request { &exchange.request } else { &exchange.response };
                let kept =
                    observation.map(|it| if is_request { &it.request } else { &it.response });
                match (kept, message.body.complete()) {
                    (Some(observation::Body::Tape { tape, .. }), Some(bytes)) => {
                        Self::Tape(tape, bytes)
                    }
                    _ => Self::Nothing,
                }
            }
        }
    }

    /// Whether some object or array stands where the last step of a generalised pointer begins.
    pub(super) fn has_parent(self, pointer: &str) -> bool {
        let steps: SmallVec<[Cow<'_, str>; 16]> =
            pointer.split('/').skip(1).map(unescape).collect();
        let parent = steps.split_last().map_or(&[][..], |(_, parent)| parent);
        match self {
            Self::Nothing => false,
            Self::Value(value) => exists(value, parent),
            Self::Scalars => parent.is_empty(),
            Self::Tape(tape, bytes) => Reader { tape, bytes }.exists(0, parent),
        }
    }
}

fn unescape(step: &str) -> Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

fn exists(value: &Value, steps: &[Cow<'_, str>]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return value.is_object() || value.is_array();
    };
    match value {
        Value::Array(items) if step == "*" => items.iter().any(|item| exists(item, rest)),
        Value::Object(members) if step == "{}" => {
            members.values().any(|member| exists(member, rest))
        }
        Value::Object(members) => members.get(&**step).is_some_and(|member| exists(member, rest)),
        _ => false,
    }
}

struct Reader<'a> {
    tape: &'a Tape,
    bytes: &'a [u8],
}

impl Reader<'_> {
    /// The same for the value whose token is at `at`.
    fn exists(&self, at: usize, steps: &[Cow<'_, str>]) -> bool {
        let Some(token) = self.tape.tokens.get(at) else { return false };
        let is_array = matches!(token, Token::Array { .. });
        if !is_array && !matches!(token, Token::Object { .. }) {
            return false;
        }
        let Some((step, rest)) = steps.split_first() else { return true };
        if is_array && step != "*" {
            return false;
        }
        let mut next = at + 1;
        loop {
            let here = match self.tape.tokens.get(next) {
                None | Some(Token::End) => return false,
                Some(Token::Key(_)) => {
                    next += 1;
                    step == "{}" || self.is_named(next - 1, step)
                }
                Some(_) => true,
            };
            if here && self.exists(next, rest) {
                return true;
            }
            next = self.end(next);
        }
    }

    fn is_named(&self, at: usize, name: &str) -> bool {
        let Some(place) = self.tape.places.get(at) else { return false };
        let raw = place.of(self.bytes);
        if !place.escaped {
            return raw == name.as_bytes();
        }
        let quoted = [&b"\""[..], raw, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|known| known == name)
    }

    /// Where the value at `at` ends.
    fn end(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        let mut next = at;
        while let Some(token) = self.tape.tokens.get(next) {
            match token {
                Token::Object { .. } | Token::Array { .. } => depth += 1,
                Token::End => depth = depth.saturating_sub(1),
                _ => {}
            }
            next += 1;
            // A key is no value: what follows it is.
            if depth == 0 && !matches!(token, Token::Key(_)) {
                break;
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parent_decides() {
        let body =
            json!({"items": [{"a": 1}, {"deep": {"b": 1}}], "map": {"k": {"c": 1}}, "none": []});
        for (pointer, expected) in [
            ("", true),
            ("/anything", true),
            ("/items/*/sku", true),
            ("/items/*/deep/x", true),
            ("/items/*/a/x", false),
            ("/none/*/x", false),
            ("/map/{}/x", true),
            ("/absent/x", false),
        ] {
            assert_eq!(Body::Value(&body).has_parent(pointer), expected, "{pointer}");
        }
        assert!(!Body::Nothing.has_parent("/a"));
    }
}

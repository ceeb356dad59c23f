//! Whether a body held what a deviation deviates in: an absent parent is no opportunity.

use std::cell::OnceCell;

use serde_json::Value;

use super::super::body;
use super::super::judgement::{Judgement, Seen};
use crate::model::exchange::Exchange;
use crate::model::finding::Direction;

/// The bodies of one exchange. Those whose shapes were known are read only if a finding asks for them.
pub(super) struct Bodies<'a> {
    exchange: &'a Exchange,
    judgement: &'a Judgement,
    request: OnceCell<Option<Value>>,
    response: OnceCell<Option<Value>>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(exchange: &'a Exchange, judgement: &'a Judgement) -> Self {
        Self { exchange, judgement, request: OnceCell::new(), response: OnceCell::new() }
    }

    pub(super) fn of(&self, direction: Direction) -> Option<&Value> {
        let Self { exchange, judgement, request, response } = self;
        let (message, seen, read) = match direction {
            Direction::Request => (&exchange.request, &judgement.tally.request, request),
            _ => (&exchange.response, &judgement.tally.response, response),
        };
        match seen {
            Seen::Nothing => None,
            Seen::Value(value) => Some(value),
            Seen::Unread => {
                let whole =
                    || Some(body::json(message.body.complete()?, &exchange.plan).ok()?.value);
                read.get_or_init(whole).as_ref()
            }
        }
    }
}

/// Whether some object or array stands where the last step of a generalised pointer begins.
pub(super) fn has_parent(body: Option<&Value>, pointer: &str) -> bool {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let parent = steps.split_last().map_or(&[][..], |(_, parent)| parent);
    body.is_some_and(|body| exists(body, parent))
}

fn exists(value: &Value, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return value.is_object() || value.is_array();
    };
    match value {
        Value::Array(items) if step == "*" => items.iter().any(|item| exists(item, rest)),
        Value::Object(members) if step == "{}" => {
            members.values().any(|member| exists(member, rest))
        }
        Value::Object(members) => members.get(step).is_some_and(|member| exists(member, rest)),
        _ => false,
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
            assert_eq!(has_parent(Some(&body), pointer), expected, "{pointer}");
        }
        assert!(!has_parent(None, "/a"));
    }
}
